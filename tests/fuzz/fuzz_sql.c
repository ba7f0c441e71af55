/* SPDX-License-Identifier: MIT */
/*
 * The splitter: statements stand in order within the text, what is between
 * them is blank, commented or a semicolon, each of them alone is the same one
 * statement, what it destroys stands within it, and the end is reached.  The
 * first byte of the input says whether standard_conforming_strings is on.
 */
#include <config.h>

#include "hazard.h"
#include "sql.h"
#include "sql_lex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* There are no tokens but semicolons in the n bytes at p. */
static void require_nothing(const unsigned char *p, size_t n)
{
	struct mz_lex l = { .text = { p, n } };
	struct mz_token t;

	while (mz_lex_next(&l, &t))
		require(mz_lex_is_symbol(&l, &t, ';'));
	require(l.problem == MZ_SQL_OK && l.at == n);
}

/* Cut out, a statement is what it was; what ends it does not matter. */
static void require_same(struct pgw_view text, bool strings,
			 const struct mz_sql_statement *want)
{
	struct mz_sql_statement st;
	struct mz_sql s;

	mz_sql_init(&s, (struct pgw_view){ text.p + want->start,
					   want->end - want->start });
	s.standard_conforming_strings = strings;
	require(mz_sql_next(&s, &st));
	require(st.start == 0 && st.end == want->end - want->start);
	require(st.kind == want->kind && st.what == want->what);
	require(st.line == 1 && st.count == 1);
	require(!mz_sql_next(&s, &st) && s.problem == MZ_SQL_OK);
}

static void check_danger(void *ctx, const struct mz_danger *d)
{
	const struct mz_sql_statement *st = ctx;

	require(d->at < st->end - st->start && d->what && d->why);
}

static void check_dangers(struct pgw_view text, bool strings,
			  struct mz_sql_statement *st)
{
	mz_hazard_find((struct pgw_view){ text.p + st->start,
					  st->end - st->start },
		       !strings, &(struct mz_danger_sink){ check_danger, st });
}

static void check_place(struct pgw_view text, size_t at, size_t want_line)
{
	size_t line, column, position;

	mz_sql_place(text, at, &line, &column);
	require(line == want_line && column >= 1 && column <= at + 1);
	position = mz_sql_offset(text, at + 1);
	require(position >= at && position <= text.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view text = { data + (size > 0), size > 0 ? size - 1 : 0 };
	struct mz_sql_statement st = { 0 };
	size_t before = 0, count = 0;
	struct mz_sql s;
	bool strings = size > 0 && data[0] % 2;

	mz_sql_init(&s, text);
	s.standard_conforming_strings = strings;
	while (mz_sql_next(&s, &st)) {
		require(st.start >= before && st.start < st.end);
		require(st.end <= s.at && s.at <= text.n);
		require(st.count == ++count);
		require_nothing(text.p + before, st.start - before);
		require_same(text, strings, &st);
		check_place(text, st.start, st.line);
		check_dangers(text, strings, &st);
		before = st.end;
		strings = s.standard_conforming_strings;
	}
	if (s.problem == MZ_SQL_OK) {
		require(s.at == text.n);
		require_nothing(text.p + before, text.n - before);
	} else {
		require(s.problem_at >= before && s.problem_at < text.n);
	}
	require(!mz_sql_next(&s, &st) && s.count == count);
	return 0;
}
