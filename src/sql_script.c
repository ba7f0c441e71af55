/* SPDX-License-Identifier: MIT */
/* What psql's scripts have that SQL has not: rows for COPY, commands. */
#include <config.h>

#include "sql_lex.h"

#include <string.h>

/* ---- rows */

/* Behind the line that the byte at is in; the text's end is also a line's. */
static size_t next_line(struct pgw_view text, size_t at)
{
	const unsigned char *lf =
		at < text.n ? memchr(text.p + at, '\n', text.n - at) : NULL;

	return lf ? (size_t)(lf - text.p) + 1 : text.n;
}

static bool is_end_of_rows(const unsigned char *line, size_t n)
{
	if (n > 0 && line[n - 1] == '\n')
		n--;
	if (n > 0 && line[n - 1] == '\r')
		n--;
	return n == 2 && line[0] == '\\' && line[1] == '.';
}

bool mz_sql_rows_end(struct pgw_view text, size_t from, size_t *end,
		     size_t *behind)
{
	while (from < text.n) {
		size_t next = next_line(text, from);

		*end = from;
		*behind = next;
		if (is_end_of_rows(text.p + from, next - from))
			return true;
		from = next;
	}
	return false;
}

bool mz_sql_find_rows(struct mz_sql *s, struct mz_sql_statement *st)
{
	bool first = s->resume == 0; /* the first COPY of its line */
	size_t from = first ? next_line(s->text, s->at) : s->resume;

	if (!st->ended || s->text.p[from - 1] != '\n')
		return false;
	if (s->rows_apart)
		st->data_end = s->resume = from;
	else if (!mz_sql_rows_end(s->text, from, &st->data_end, &s->resume))
		return false;
	st->data_start = from;
	if (first)
		s->line_end = from;
	return true;
}

/* ---- commands */

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(unsigned char c)
{
	return is_blank(c) || c == '\n' || c == '\r';
}

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_token(unsigned char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

/* Letters, or else one character of another kind. */
struct pgw_view mz_sql_command(struct pgw_view text, size_t at)
{
	struct pgw_view name = { text.p + at + 1, 0 };
	size_t room = text.n - at - 1;

	while (name.n < room && is_letter(name.p[name.n]))
		name.n++;
	if (name.n == 0 && room > 0 && !is_space(name.p[0])) {
		name.n = pgw_utf8_next(name.p, room, NULL);
		if (name.n == 0)
			name.n = 1;
	}
	return name;
}

bool mz_sql_is_restrict(struct pgw_view text, size_t at, size_t *end)
{
	struct pgw_view name = mz_sql_command(text, at);
	struct pgw_view rest = { name.p + name.n, text.n - at - 1 - name.n };
	size_t n = 0, token;

	if (!pgw_view_is(name, "restrict") && !pgw_view_is(name, "unrestrict"))
		return false;
	while (n < rest.n && is_blank(rest.p[n]))
		n++;
	token = n;
	while (n < rest.n && is_token(rest.p[n]))
		n++;
	if (token == 0 || n == token)
		return false;
	while (n < rest.n && (is_blank(rest.p[n]) || rest.p[n] == '\r'))
		n++;
	*end = (size_t)(rest.p - text.p) + n;
	return n == rest.n || rest.p[n] == '\n';
}
