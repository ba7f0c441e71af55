/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "journal_scan.h"

#include <string.h>

#define INSTEAD " null "

struct scan {
	struct mz_journal_scan *out;
	struct mz_arena *arena;
	size_t room;
	size_t at, line, column, depth;
	bool key_is_entries; /* the last key of the root object */
	bool inside;	     /* the array of entries */
};

/* The end of the string that begins at at: one past its closing quote. */
static size_t string_end(struct pgw_view text, size_t at)
{
	for (at++; at < text.n && text.p[at] != '"'; at++) {
		if (text.p[at] == '\\')
			at++;
	}
	return at < text.n ? at + 1 : text.n;
}

static void scan_open(struct scan *s, bool is_array)
{
	struct mz_journal_scan *out = s->out;

	if (s->depth == 2 && s->inside) {
		out->spans = mz_grow(s->arena, out->spans, out->count, &s->room,
				     sizeof(*out->spans));
		out->spans[out->count] = (struct mz_journal_span){
			.start = s->at, .line = s->line, .column = s->column
		};
	}
	if (s->depth == 1 && is_array && s->key_is_entries) {
		s->inside = true;
		out->count = 0; /* of two keys that are equal the last wins */
	}
	s->depth++;
}

static void scan_close(struct scan *s)
{
	struct mz_journal_scan *out = s->out;

	if (s->depth > 0)
		s->depth--;
	if (s->depth == 2 && s->inside)
		out->spans[out->count++].end = s->at + 1;
	if (s->depth == 1)
		s->inside = false;
}

static void scan_string(struct scan *s, struct pgw_view string)
{
	if (s->depth != 1)
		return;
	s->key_is_entries = pgw_view_is(string, "\"entries\"");
	s->out->escapes = s->out->escapes || memchr(string.p, '\\', string.n);
}

/* What begins at s->at; gives where it ends. */
static size_t scan_one(struct scan *s, struct pgw_view text)
{
	unsigned char c = text.p[s->at];
	size_t end = s->at + 1;

	if (c == '"') {
		end = string_end(text, s->at);
		scan_string(s,
			    (struct pgw_view){ text.p + s->at, end - s->at });
	} else if (c == '{' || c == '[') {
		scan_open(s, c == '[');
	} else if (c == '}' || c == ']') {
		scan_close(s);
	} else if (c == '\n') {
		s->line++;
		s->column = 0;
	}
	return end;
}

void mz_journal_scan(struct mz_journal_scan *out, struct mz_arena *a,
		     struct pgw_view text)
{
	struct scan s = { .out = out, .arena = a, .line = 1, .column = 1 };

	*out = (struct mz_journal_scan){ 0 };
	while (s.at < text.n) {
		size_t end = scan_one(&s, text);

		for (; s.at < end; s.at++)
			s.column += (text.p[s.at] & 0xc0) != 0x80;
	}
}

static void append(struct pgw_view *frame, unsigned char *room, const void *p,
		   size_t n)
{
	if (n > 0)
		memcpy(room + frame->n, p, n);
	frame->n += n;
}

struct pgw_view mz_journal_frame(const struct mz_journal_scan *s,
				 struct mz_arena *a, struct pgw_view text)
{
	size_t instead = strlen(INSTEAD), n = text.n, at = 0;
	unsigned char *room;
	struct pgw_view frame;

	for (size_t i = 0; i < s->count; i++)
		n += instead - (s->spans[i].end - s->spans[i].start);
	room = mz_alloc(a, n + 1);
	frame = (struct pgw_view){ room, 0 };
	for (size_t i = 0; i < s->count; i++) {
		append(&frame, room, text.p + at, s->spans[i].start - at);
		append(&frame, room, INSTEAD, instead);
		at = s->spans[i].end;
	}
	append(&frame, room, text.p + at, text.n - at);
	return frame;
}
