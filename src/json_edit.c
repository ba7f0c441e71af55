/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "json_edit.h"

#include <string.h>

struct printer {
	struct pgw_buf *out;
	struct pgw_view rest;
	struct pgw_view later; /* of the text, while a value of ours is put */
	size_t depth;
	struct mz_json_edit *edits;
	size_t count;
	struct mz_json_edit *current; /* the root's key was one of them */
	bool is_key;		      /* the next string of the root is a key */
};

static void skip_blanks(struct printer *p)
{
	while (p->rest.n > 0 && strchr(" \t\r\n", p->rest.p[0])) {
		p->rest.p++;
		p->rest.n--;
	}
}

/* The bytes of the string in front, quotes included. */
static struct pgw_view string_of(struct pgw_view rest)
{
	size_t n = 1;

	while (n < rest.n && rest.p[n] != '"')
		n += rest.p[n] == '\\' ? 2 : 1;
	return (struct pgw_view){ rest.p, n < rest.n ? n + 1 : rest.n };
}

static void drop(struct printer *p, size_t n)
{
	p->rest.p += n;
	p->rest.n -= n;
}

static void new_line(struct printer *p)
{
	pgw_buf_put_u8(p->out, '\n');
	for (size_t i = 0; i < p->depth; i++)
		pgw_buf_put_text(p->out, "  ");
}

/* A value of ours comes next. */
static void insert(struct printer *p)
{
	p->later = p->rest;
	p->rest = pgw_view_of(p->current->value);
	p->current = NULL;
}

/* Up to the comma or the bracket behind the value that comes next. */
static void skip_value(struct printer *p)
{
	size_t depth = 0;

	while (p->rest.n > 0) {
		unsigned char c = p->rest.p[0];

		if (depth == 0 && (c == ',' || c == '}'))
			return;
		if (c == '"') {
			drop(p, string_of(p->rest).n);
			continue;
		}
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		drop(p, 1);
	}
}

static void note_key(struct printer *p, struct pgw_view string)
{
	p->is_key = false;
	p->current = NULL;
	for (size_t i = 0; i < p->count; i++) {
		size_t n = strlen(p->edits[i].key);

		if (string.n != n + 2 ||
		    memcmp(string.p + 1, p->edits[i].key, n) != 0)
			continue;
		p->current = &p->edits[i];
		p->current->done++;
	}
}

static void put_string(struct printer *p)
{
	struct pgw_view string = string_of(p->rest);

	if (p->depth == 1 && p->is_key)
		note_key(p, string);
	pgw_buf_put(p->out, string.p, string.n);
	drop(p, string.n);
}

static void put_colon(struct printer *p)
{
	pgw_buf_put_text(p->out, ": ");
	drop(p, 1);
	if (p->depth == 1 && p->current && !p->current->append) {
		skip_value(p);
		insert(p);
	}
}

static void put_comma(struct printer *p)
{
	pgw_buf_put_u8(p->out, ',');
	drop(p, 1);
	new_line(p);
	p->is_key = true;
}

/* The end of the array that something is to be appended to. */
static bool appends(const struct printer *p, unsigned char c)
{
	return c == ']' && p->depth == 2 && p->current && p->current->append;
}

static void put_close(struct printer *p, bool empty)
{
	unsigned char c = p->rest.p[0];

	if (appends(p, c)) {
		if (!empty)
			pgw_buf_put_u8(p->out, ',');
		new_line(p);
		insert(p); /* then the bracket comes once more */
		return;
	}
	p->depth--;
	if (!empty)
		new_line(p);
	pgw_buf_put_u8(p->out, c);
	drop(p, 1);
}

static void put_open(struct printer *p)
{
	pgw_buf_put_u8(p->out, p->rest.p[0]);
	drop(p, 1);
	p->depth++;
	p->is_key = true;
	skip_blanks(p);
	if (p->rest.n > 0 && strchr("]}", p->rest.p[0]))
		put_close(p, true);
	else
		new_line(p);
}

static void put_token(struct printer *p)
{
	unsigned char c = p->rest.p[0];

	switch (c) {
	case '"':
		put_string(p);
		break;
	case '{':
	case '[':
		put_open(p);
		break;
	case '}':
	case ']':
		put_close(p, false);
		break;
	case ':':
		put_colon(p);
		break;
	case ',':
		put_comma(p);
		break;
	default:
		pgw_buf_put_u8(p->out, c);
		drop(p, 1);
		break;
	}
}

/* Something is left to be put. */
static bool has_more(struct printer *p)
{
	skip_blanks(p);
	if (p->rest.n == 0 && p->later.p) {
		p->rest = p->later;
		p->later.p = NULL;
		skip_blanks(p);
	}
	return p->rest.n > 0;
}

void mz_json_rewrite(struct pgw_buf *out, struct pgw_view text,
		     struct mz_json_edit *edits, size_t n)
{
	struct printer p = {
		.out = out, .rest = text, .edits = edits, .count = n
	};

	for (size_t i = 0; i < n; i++)
		edits[i].done = 0;
	while (has_more(&p))
		put_token(&p);
}
