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

static size_t count_lines(const unsigned char *from, const unsigned char *to)
{
	size_t n = 0;

	while (from < to &&
	       (from = memchr(from, '\n', (size_t)(to - from))) != NULL) {
		from++;
		n++;
	}
	return n;
}

static bool next_chunk(struct mz_statements *s)
{
	bool conforming = s->sql.standard_conforming_strings;
	struct pgw_view chunk;

	if (!mz_folder_next_chunk(&s->rest, &chunk))
		return false;
	s->chunk_line += count_lines(s->text.p + s->chunk_at, chunk.p);
	s->chunk_at = (size_t)(chunk.p - s->text.p);
	begin_chunk(s, chunk);
	s->sql.standard_conforming_strings = conforming;
	return true;
}

bool mz_statements_next(struct mz_statements *s, struct mz_sql_statement *st)
{
	while (!mz_sql_next(&s->sql, st))
		if (!next_chunk(s))
			return false;
	st->start += s->chunk_at;
	st->end += s->chunk_at;
	if (st->data_start > 0) {
		st->data_start += s->chunk_at;
		st->data_end += s->chunk_at;
	}
	st->line += s->chunk_line;
	return true;
}

/* ---- the survey */

/* Values that were added, and may be used further down.  More are not watched:
 * the server refuses their use, which is found out then. */
#define ADDED_MAX 64

struct surveyor {
	struct mz_survey *survey;
	struct mz_statements list;
	struct pgw_view added[ADDED_MAX];
	size_t nadded;
};

static struct mz_sql_text text_of(const struct surveyor *v,
				  const struct mz_sql_statement *st)
{
	return (struct mz_sql_text){
		.statement = { v->list.text.p + st->start,
			       st->end - st->start },
		.backslashes = !v->list.sql.standard_conforming_strings,
	};
}

static bool uses_added_value(struct surveyor *v,
			     const struct mz_sql_statement *st)
{
	struct mz_sql_text text = text_of(v, st);

	for (size_t i = 0; i < v->nadded; i++)
		if (mz_sql_uses_value(&text, v->added[i]))
			return true;
	if (v->nadded < ADDED_MAX &&
	    mz_sql_adds_value(&text, &v->added[v->nadded]))
		v->nadded++;
	return false;
}

static bool leaves(enum mz_sql_kind kind)
{
	return kind == MZ_SQL_BEGIN || kind == MZ_SQL_COMMIT ||
	       kind == MZ_SQL_ROLLBACK || kind == MZ_SQL_ALONE;
}

static void note(const struct surveyor *v, const struct mz_sql_statement *st,
		 struct mz_sql_statement *kept, size_t *column)
{
	*kept = *st;
	mz_sql_place(v->list.text, st->start, &kept->line, column);
}

static void survey_one(struct surveyor *v, const struct mz_sql_statement *st)
{
	struct mz_survey *survey = v->survey;

	survey->statements++;
	if (st->kind == MZ_SQL_SAVEPOINT || st->kind == MZ_SQL_COPY_STDIN)
		survey->one_by_one = true;
	if (!survey->has_cause &&
	    (leaves(st->kind) || uses_added_value(v, st))) {
		survey->stepwise = survey->has_cause = true;
		note(v, st, &survey->cause, &survey->cause_column);
	}
}

void mz_statements_survey(struct pgw_view text, struct mz_survey *survey)
{
	struct surveyor v = { .survey = survey };
	struct mz_sql_statement st;

	*survey = (struct mz_survey){ 0 };
	mz_directives_read(&survey->directives, text);
	survey->stepwise = survey->calls_alone =
		survey->directives.no_transaction;
	mz_statements_init(&v.list, text);
	while (mz_statements_next(&v.list, &st))
		survey_one(&v, &st);
}
