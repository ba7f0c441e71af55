/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "statements.h"

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

static void skip_blanks(struct pgw_view *v)
{
	while (v->n > 0 && (v->p[0] == ' ' || v->p[0] == '\t')) {
		v->p++;
		v->n--;
	}
}

bool mz_directive_next(struct pgw_view *head, struct pgw_view *words)
{
	static const char name[] = "mizzle:";

	while (head->n > 2 && head->p[0] == '-' && head->p[1] == '-') {
		const unsigned char *lf = memchr(head->p, '\n', head->n);
		size_t n = lf ? (size_t)(lf - head->p) + 1 : head->n;

		*words = (struct pgw_view){ head->p + 2, n - 2 };
		head->p += n;
		head->n -= n;
		skip_blanks(words);
		if (words->n < strlen(name) ||
		    memcmp(words->p, name, strlen(name)) != 0)
			continue;
		words->p += strlen(name);
		words->n -= strlen(name);
		skip_blanks(words);
		while (words->n > 0 && words->p[words->n - 1] <= ' ')
			words->n--;
		return true;
	}
	return false;
}

static size_t directive_line(struct pgw_view text)
{
	struct pgw_view head = text, words;

	if (!mz_directive_next(&head, &words))
		return 0;
	return count_lines(text.p, words.p) + 1;
}

static bool runs_inside(enum mz_sql_kind kind)
{
	return kind == MZ_SQL_PLAIN || kind == MZ_SQL_SAVEPOINT ||
	       kind == MZ_SQL_COPY_STDIN;
}

void mz_statements_survey(struct pgw_view text, struct mz_survey *survey)
{
	struct mz_sql_statement st;
	struct mz_statements s;

	*survey = (struct mz_survey){ .directive_line = directive_line(text) };
	mz_statements_init(&s, text);
	while (mz_statements_next(&s, &st)) {
		survey->statements++;
		if (st.kind == MZ_SQL_SAVEPOINT || st.kind == MZ_SQL_COPY_STDIN)
			survey->one_by_one = true;
		if (!runs_inside(st.kind) && !survey->has_refused) {
			survey->has_refused = true;
			survey->refused = st;
			mz_sql_place(text, st.start, &survey->refused.line,
				     &survey->column);
		}
	}
}
