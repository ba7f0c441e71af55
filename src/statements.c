/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "statements.h"

#include "sql_trait.h"

#include <string.h>

static void begin_chunk(struct mz_statements *s, struct pgw_view chunk)
{
	mz_sql_init(&s->sql, chunk);
	s->sql.copy_data = s->sql.backslash = true;
}

void mz_statements_init(struct mz_statements *s, struct pgw_view text)
{
	*s = (struct mz_statements){ .text = text, .rest = text };
	begin_chunk(s, (struct pgw_view){ text.p, 0 });
}

/* None where to is not behind from. */
static size_t lines_between(const unsigned char *from, const unsigned char *to)
{
	return from < to ? mz_sql_lines((struct pgw_view){
				   from, (size_t)(to - from) }) :
			   0;
}

/* The lines before a byte of the present chunk. */
static size_t lines_before(const struct mz_statements *s,
			   const unsigned char *p)
{
	const unsigned char *counted = s->sql.text.p + s->sql.line_at;

	return s->chunk_line + s->sql.line - 1 + lines_between(counted, p) -
	       lines_between(p, counted);
}

static bool next_chunk(struct mz_statements *s)
{
	bool conforming = s->sql.standard_conforming_strings;
	bool apart = s->sql.rows_apart;
	struct pgw_view chunk;

	if (!mz_folder_next_chunk(&s->rest, &chunk))
		return false;
	s->chunk_line = lines_before(s, chunk.p);
	s->chunk_at = (size_t)(chunk.p - s->text.p);
	begin_chunk(s, chunk);
	s->sql.standard_conforming_strings = conforming;
	s->sql.rows_apart = apart;
	return true;
}

/* Its end may be further away than it seems. */
static bool chunk_grows(const struct mz_statements *s)
{
	return s->open && !s->rest.p;
}

/* What was found may be another thing when more is there. */
static bool is_starved(const struct mz_statements *s, bool found,
		       const struct mz_sql_statement *st)
{
	if (!chunk_grows(s) || s->sql.problem == MZ_SQL_BACKSLASH ||
	    s->sql.problem == MZ_SQL_CUT_BY_COPY)
		return false;
	return !found || !st->ended;
}

/* From bytes of the chunk to bytes of the file. */
static void move(const struct mz_statements *s, struct mz_sql_statement *st)
{
	st->start += s->chunk_at;
	st->end += s->chunk_at;
	if (st->data_start > 0) {
		st->data_start += s->chunk_at;
		st->data_end += s->chunk_at;
	}
	st->line += s->chunk_line;
}

bool mz_statements_next(struct mz_statements *s, struct mz_sql_statement *st)
{
	bool found;

	do {
		struct mz_sql before = s->sql;

		s->from = mz_statements_front(s);
		found = mz_sql_next(&s->sql, st);
		s->starved = is_starved(s, found, st);
		if (s->starved)
			mz_sql_back(&s->sql, &before);
		if (s->starved || s->sql.problem != MZ_SQL_OK)
			return false;
	} while (!found && next_chunk(s));
	if (found)
		move(s, st);
	return found;
}

/* ---- a text that grows */

void mz_statements_begin(struct mz_statements *s, const unsigned char *p)
{
	mz_statements_init(s, (struct pgw_view){ p, 0 });
	s->sql.rows_apart = true;
	s->open = true;
	next_chunk(s); /* there is one, though nothing of it yet */
}

/* No breakpoint reaches over a line end. */
void mz_statements_grow(struct mz_statements *s, struct pgw_view text,
			bool last)
{
	size_t old = s->text.n;
	struct pgw_view piece;

	mz_sql_count_lines(&s->sql);
	s->text = text;
	s->open = !last;
	if (s->rest.p) {
		s->rest.n = text.n - (size_t)(s->rest.p - text.p);
		return;
	}
	s->rest = (struct pgw_view){ text.p + old, text.n - old };
	mz_folder_next_chunk(&s->rest, &piece);
	s->sql.text.n = old + piece.n - s->chunk_at;
}

size_t mz_statements_at(const struct mz_statements *s)
{
	return s->chunk_at + s->sql.at;
}

size_t mz_statements_front(const struct mz_statements *s)
{
	return s->chunk_at + (s->sql.resume > 0 ? s->sql.resume : s->sql.at);
}

static void give(struct mz_statements *s, size_t end, struct pgw_view *rows)
{
	struct mz_sql *sql = &s->sql;

	*rows = (struct pgw_view){ sql->text.p + sql->resume,
				   end - sql->resume };
	sql->row_lines += mz_sql_lines(*rows);
	sql->resume = end;
}

bool mz_statements_rows(struct mz_statements *s, struct mz_sql_statement *st,
			struct pgw_view *rows)
{
	struct mz_sql *sql = &s->sql;
	size_t end, behind;

	s->starved = false;
	if (mz_sql_rows_end(sql->text, sql->resume, &end, &behind)) {
		give(s, end, rows);
		if (rows->n > 0)
			return true;
		give(s, behind, rows);
		rows->n = 0;
		st->data_end = s->chunk_at + end;
		return true;
	}
	s->starved = chunk_grows(s);
	if (s->starved && sql->resume < sql->text.n) {
		s->starved = false;
		give(s, sql->text.n, rows);
		return true;
	}
	if (!s->starved) {
		sql->problem = MZ_SQL_UNTERMINATED_COPY;
		sql->problem_at = st->start - s->chunk_at;
	}
	return false;
}

/* ---- places */

void mz_statements_place(struct pgw_view text,
			 const struct mz_sql_statement *st, size_t at,
			 size_t *line, size_t *column)
{
	const unsigned char *lf = st->start == 0 ?
					  NULL :
					  memrchr(text.p, '\n', st->start);
	size_t start = lf ? (size_t)(lf - text.p) + 1 : 0;

	mz_sql_place((struct pgw_view){ text.p + start, text.n - start },
		     at - start, line, column);
	*line += st->line - 1;
}

void mz_statements_problem(const struct mz_statements *s, size_t *at,
			   size_t *line, size_t *column)
{
	struct mz_sql_statement here = { 0 };

	*at = s->chunk_at + s->sql.problem_at;
	here.start = *at;
	here.line = 1 + lines_before(s, s->text.p + *at);
	mz_statements_place(s->text, &here, *at, line, column);
}

/* ---- the survey */

static struct mz_sql_text text_of(const struct mz_statements *list,
				  const struct mz_sql_statement *st)
{
	return (struct mz_sql_text){
		.statement = { list->text.p + st->start, st->end - st->start },
		.backslashes = !list->sql.standard_conforming_strings,
	};
}

/* A view of what stays. */
static struct pgw_view kept(const struct mz_surveyor *v, struct pgw_view value)
{
	if (v->arena)
		value.p = (const unsigned char *)
			mz_strndup(v->arena, (const char *)value.p, value.n);
	return value;
}

static bool uses_added_value(struct mz_surveyor *v,
			     const struct mz_statements *list,
			     const struct mz_sql_statement *st)
{
	struct mz_sql_text text = text_of(list, st);
	struct pgw_view value;

	for (size_t i = 0; i < v->nadded; i++)
		if (mz_sql_uses_value(&text, v->added[i]))
			return true;
	if (v->nadded < MZ_ADDED_MAX && mz_sql_adds_value(&text, &value))
		v->added[v->nadded++] = kept(v, value);
	return false;
}

static bool leaves(enum mz_sql_kind kind)
{
	return kind == MZ_SQL_BEGIN || kind == MZ_SQL_COMMIT ||
	       kind == MZ_SQL_ROLLBACK || kind == MZ_SQL_ALONE;
}

void mz_surveyor_init(struct mz_surveyor *v, struct mz_survey *survey,
		      const struct mz_directives *asked)
{
	*v = (struct mz_surveyor){ .survey = survey };
	*survey = (struct mz_survey){ .directives = *asked };
	survey->stepwise = survey->calls_alone = asked->no_transaction;
}

void mz_surveyor_take(struct mz_surveyor *v, const struct mz_statements *list,
		      const struct mz_sql_statement *st)
{
	struct mz_survey *survey = v->survey;

	survey->statements++;
	if (st->kind == MZ_SQL_SAVEPOINT || st->kind == MZ_SQL_COPY_STDIN)
		survey->one_by_one = true;
	if (survey->cause.what ||
	    (!leaves(st->kind) && !uses_added_value(v, list, st)))
		return;
	survey->stepwise = true;
	survey->cause.what = st->what ? st->what : "a statement";
	survey->cause.kind = st->kind;
	mz_statements_place(list->text, st, st->start, &survey->cause.line,
			    &survey->cause.column);
}

void mz_statements_survey(struct pgw_view text, struct mz_survey *survey)
{
	struct mz_directives asked;
	struct mz_sql_statement st;
	struct mz_statements list;
	struct mz_surveyor v;

	mz_directives_read(&asked, text);
	mz_surveyor_init(&v, survey, &asked);
	mz_statements_init(&list, text);
	while (mz_statements_next(&list, &st))
		mz_surveyor_take(&v, &list, &st);
}
