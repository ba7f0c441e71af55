/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "failure.h"

#include "sql.h"

#include <string.h>

struct pgw_diag mz_failure_keep(struct mz_arena *a, const struct pgw_diag *diag)
{
	const char *fields = (const char *)diag->fields.p;

	return (struct pgw_diag){
		.fields = { (const unsigned char *)mz_strndup(a, fields,
							      diag->fields.n),
			    diag->fields.n },
	};
}

bool mz_failure_passes(const struct pgw_diag *diag)
{
	const char *state = pgw_diag_sqlstate(diag);

	return strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0 ||
	       strcmp(state, "40001") == 0;
}

static struct pgw_view statement_of(const struct mz_culprit *c)
{
	return (struct pgw_view){ c->text.p + c->start, c->end - c->start };
}

/* The only place in v where what stands, or SIZE_MAX. */
static size_t find_once(struct pgw_view v, struct pgw_view what)
{
	const unsigned char *at, *again;

	if (what.n == 0 || v.n < what.n)
		return SIZE_MAX;
	at = memmem(v.p, v.n, what.p, what.n);
	if (!at)
		return SIZE_MAX;
	again = memmem(at + 1, v.n - 1 - (size_t)(at - v.p), what.p, what.n);
	return again ? SIZE_MAX : (size_t)(at - v.p);
}

/* A query inside of a function or a DO block, when its text stands here. */
static size_t inner_offset(struct pgw_view statement,
			   const struct pgw_diag *diag)
{
	const char *query = pgw_diag_get(diag, PGW_DIAG_INTERNAL_QUERY);
	size_t position = pgw_diag_number(diag, PGW_DIAG_INTERNAL_POSITION);
	size_t at;

	if (!query || position == 0)
		return SIZE_MAX;
	at = find_once(statement, pgw_view_of(query));
	return at == SIZE_MAX ?
		       at :
		       at + mz_sql_offset(pgw_view_of(query), position);
}

/* Line n of v, from 1: where its first word begins. */
static size_t line_start(struct pgw_view v, size_t n)
{
	size_t at = 0;

	for (; n > 1; n--) {
		const unsigned char *lf = memchr(v.p + at, '\n', v.n - at);

		if (!lf)
			return SIZE_MAX;
		at = (size_t)(lf - v.p) + 1;
	}
	while (at < v.n && (v.p[at] == ' ' || v.p[at] == '\t'))
		at++;
	return at;
}

/* The number that text begins with, at most limit; 0 when there is none. */
static size_t leading_number(const char *text, size_t limit)
{
	size_t n = 0;

	for (; *text >= '0' && *text <= '9' && n <= limit; text++)
		n = n * 10 + (size_t)(*text - '0');
	return n <= limit ? n : 0;
}

/*
 * "PL/pgSQL function inline_code_block line 3 at RAISE": lines of a DO block
 * count from the one in which its quote opens.
 */
static size_t block_offset(struct pgw_view statement,
			   const struct pgw_diag *diag)
{
	static const char marker[] = "inline_code_block line ";
	const char *where = pgw_diag_get(diag, PGW_DIAG_WHERE);
	const char *at = where ? strstr(where, marker) : NULL;
	const unsigned char *body;
	size_t line, offset;

	if (!at)
		return SIZE_MAX;
	line = leading_number(at + sizeof(marker) - 1, statement.n);
	body = memchr(statement.p, '$', statement.n);
	if (!body || line == 0)
		return SIZE_MAX;
	offset = (size_t)(body - statement.p);
	line = line_start((struct pgw_view){ body, statement.n - offset },
			  line);
	return line == SIZE_MAX ? line : offset + line;
}

static bool is_word(unsigned char c)
{
	return c == '_' || c == '$' || c >= 0x80 || (c >= '0' && c <= '9') ||
	       (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The only place in v where name stands as a whole word, or SIZE_MAX. */
static size_t find_word(struct pgw_view v, struct pgw_view name)
{
	size_t found = SIZE_MAX;

	for (size_t at = 0; name.n > 0 && name.n <= v.n - at;) {
		const unsigned char *p = memmem(v.p + at, v.n - at, name.p,
						name.n);
		size_t begin, end;

		if (!p)
			break;
		begin = (size_t)(p - v.p);
		end = begin + name.n;
		at = begin + 1;
		if ((begin > 0 && is_word(v.p[begin - 1])) ||
		    (end < v.n && is_word(v.p[end])))
			continue;
		if (found != SIZE_MAX)
			return SIZE_MAX;
		found = begin;
	}
	return found;
}

/*
 * Many errors have no position, but quote a name: relation "custmers" does not
 * exist.  Where that stands once in the statement is what is meant.
 */
static size_t named_offset(struct pgw_view statement,
			   const struct pgw_diag *diag)
{
	const char *message = pgw_diag_get(diag, PGW_DIAG_MESSAGE);
	const char *from = message ? strchr(message, '"') : NULL;
	const char *to = from ? strchr(from + 1, '"') : NULL;
	const char *dot;
	struct pgw_view name;
	size_t at;

	if (!to)
		return SIZE_MAX;
	name = (struct pgw_view){ (const unsigned char *)from + 1,
				  (size_t)(to - from - 1) };
	at = find_word(statement, name);
	dot = memrchr(name.p, '.', name.n);
	if (at != SIZE_MAX || !dot)
		return at;
	name.n -= (size_t)((const unsigned char *)dot + 1 - name.p);
	name.p = (const unsigned char *)dot + 1;
	return find_word(statement, name);
}

/* "COPY t, line 3", "COPY t, line 3, column n: \"x\"", in any language */
static const char *row_number(const char *line)
{
	const char *at = strncmp(line, "COPY ", 5) == 0 ? strchr(line, ',') :
							  NULL;

	for (; at; at = strchr(at + 1, ',')) {
		size_t word = strcspn(at + 1, ",:\"\n0123456789");
		const char *digits = at + 1 + word;
		size_t n = strspn(digits, "0123456789");

		if (word > 1 && n > 0 && strchr(",:\n", digits[n]))
			return digits;
	}
	return NULL;
}

/* What stands in quotes at the end of that line, unless it was cut. */
static struct pgw_view quoted_value(const char *line)
{
	size_t n = strcspn(line, "\n");
	const char *from = memmem(line, n, ": \"", 3);

	if (!from || line[n - 1] != '"' || line + n - 1 < from + 3)
		return (struct pgw_view){ 0 };
	from += 3;
	return (struct pgw_view){ (const unsigned char *)from,
				  (size_t)(line + n - 1 - from) };
}

size_t mz_failure_row(const struct pgw_diag *diag, struct pgw_view *value)
{
	const char *line = pgw_diag_get(diag, PGW_DIAG_WHERE);

	*value = (struct pgw_view){ 0 };
	while (line) {
		const char *number = row_number(line);
		const char *next = strchr(line, '\n');

		if (number) {
			*value = quoted_value(number);
			return leading_number(number, SIZE_MAX / 20);
		}
		line = next ? next + 1 : NULL;
	}
	return 0;
}

/* The place among the rows of a COPY, or SIZE_MAX. */
static size_t row_offset(const struct mz_culprit *c,
			 const struct pgw_diag *diag)
{
	struct pgw_view rows = { c->text.p + c->data_start,
				 c->data_end - c->data_start };
	struct pgw_view value, line;
	size_t n = mz_failure_row(diag, &value), at, in_line;
	const unsigned char *lf;

	if (n <= c->rows_before || c->data_start == 0)
		return SIZE_MAX;
	n -= c->rows_before;
	for (at = 0; n > 1; n--) {
		lf = memchr(rows.p + at, '\n', rows.n - at);
		if (!lf)
			return SIZE_MAX;
		at = (size_t)(lf - rows.p) + 1;
	}
	lf = memchr(rows.p + at, '\n', rows.n - at);
	line = (struct pgw_view){ rows.p + at, lf ? (size_t)(lf - rows.p) - at :
						    rows.n - at };
	in_line = find_once(line, value);
	return c->data_start + at + (in_line == SIZE_MAX ? 0 : in_line);
}

size_t mz_failure_offset(const struct mz_culprit *c,
			 const struct pgw_diag *diag)
{
	struct pgw_view statement = statement_of(c);
	size_t position = pgw_diag_number(diag, PGW_DIAG_POSITION);
	size_t at;

	if (position > 0)
		return c->start + mz_sql_offset(statement, position);
	at = row_offset(c, diag);
	if (at != SIZE_MAX)
		return at;
	at = inner_offset(statement, diag);
	if (at == SIZE_MAX)
		at = block_offset(statement, diag);
	if (at == SIZE_MAX)
		at = named_offset(statement, diag);
	return c->start + (at == SIZE_MAX ? 0 : at);
}

static const char *copy(struct mz_arena *a, const struct pgw_diag *diag,
			enum pgw_diag_field field)
{
	const char *text = pgw_diag_get(diag, field);

	return text ? mz_strdup(a, text) : NULL;
}

static struct mz_sql_error *describe(struct mz_arena *a, const char *tag,
				     const struct pgw_diag *diag)
{
	struct mz_sql_error *sql = mz_alloc(a, sizeof(*sql));

	sql->tag = tag;
	sql->sqlstate = copy(a, diag, PGW_DIAG_SQLSTATE);
	sql->message = copy(a, diag, PGW_DIAG_MESSAGE);
	sql->detail = copy(a, diag, PGW_DIAG_DETAIL);
	sql->hint = copy(a, diag, PGW_DIAG_HINT);
	sql->where = copy(a, diag, PGW_DIAG_WHERE);
	return sql;
}

void mz_failure_describe(struct mz_err *err, struct mz_arena *a,
			 const char *tag, const struct pgw_diag *diag)
{
	err->sql = describe(a, tag, diag);
}

/* The line of text that at is in, without its end. */
static const char *line_of(struct mz_arena *a, struct pgw_view text, size_t at)
{
	size_t from = at, to = at;

	while (from > 0 && text.p[from - 1] != '\n')
		from--;
	while (to < text.n && text.p[to] != '\n')
		to++;
	if (to > from && text.p[to - 1] == '\r')
		to--;
	return mz_strndup(a, (const char *)text.p + from, to - from);
}

void mz_failure_explain(struct mz_err *err, struct mz_arena *a,
			const struct mz_culprit *c, const struct pgw_diag *diag)
{
	struct mz_sql_error *sql = describe(a, c->tag, diag);
	size_t at = mz_failure_offset(c, diag);
	size_t line, column;

	mz_sql_place(c->text, at, &line, &column);
	mz_at(err, c->file, line + c->lines_before, column);
	sql->source = line_of(a, c->text, at);
	err->sql = sql;
}
