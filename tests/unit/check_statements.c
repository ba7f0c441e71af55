/* SPDX-License-Identifier: MIT */
/* Breakpoints first, then semicolons; places are those of the whole file. */
#include <config.h>

#include "statements.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define GOT 256

/* "line|statement[rows]/" */
static size_t put_statement(char got[GOT], size_t n, struct pgw_view text,
			    const struct mz_sql_statement *st)
{
	const char *p = (const char *)text.p;

	n += (size_t)snprintf(got + n, GOT - n, "%zu|%.*s", st->line,
			      (int)(st->end - st->start), p + st->start);
	if (st->data_start > 0)
		n += (size_t)snprintf(got + n, GOT - n, "[%.*s]",
				      (int)(st->data_end - st->data_start),
				      p + st->data_start);
	return n + (size_t)snprintf(got + n, GOT - n, "/");
}

START_TEST(a_script_is_cut_with_the_places_of_the_file)
{
	static const struct {
		const char *text, *want; /* "line|statement" of each */
	} cases[] = {
		/* clang-format off */
		{ "", "" },
		{ "a", "1|a/" },
		{ "a;b", "1|a/1|b/" },
		{ "a;\nb;\n--> statement-breakpoint\nc", "1|a/2|b/4|c/" },
		{ "a--> statement-breakpoint\n\n\nb", "1|a/4|b/" },
		{ "--> statement-breakpoint--> statement-breakpoint\nb", "2|b/" },
		{ "a--> statement-breakpoint", "1|a/" },
		{ "-- x --> statement-breakpoint a", "1|a/" },
		{ "a\r\n;\r\n--> statement-breakpoint\r\nb\r\n;c", "1|a/4|b/5|c/" },
		{ "select 1 /* ; */ ; -- ;\n ;; b", "1|select 1/2|b/" },
		{ "a--> statement-breakpoint\ncopy t from stdin;\n1;\n\\.\n;b", "1|a/2|copy t from stdin[1;\n]/5|b/" },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_view text = pgw_view_of(cases[i].text);
		struct mz_sql_statement st;
		struct mz_statements s;
		char got[GOT] = "";
		size_t n = 0;

		mz_statements_init(&s, text);
		while (mz_statements_next(&s, &st))
			n = put_statement(got, n, text, &st);
		ck_assert_str_eq(got, cases[i].want);
	}
}

END_TEST

START_TEST(a_survey_says_what_sends_it_outside)
{
	static const struct {
		const char *text;
		size_t statements;
		bool one_by_one;
		enum mz_sql_kind cause; /* SAVEPOINT: none */
		size_t line;
	} cases[] = {
		/* clang-format off */
		{ "create table a(); create table b();", 2, false, MZ_SQL_SAVEPOINT, 0 },
		{ "savepoint a; rollback to a", 2, true, MZ_SQL_SAVEPOINT, 0 },
		{ "a;\ncommit;\nvacuum", 3, false, MZ_SQL_COMMIT, 2 },
		{ "a;--> statement-breakpoint\n\nvacuum", 2, false, MZ_SQL_ALONE, 3 },
		{ "begin; a; end", 3, false, MZ_SQL_BEGIN, 1 },
		{ "copy t from stdin;\n1;\n\\.\nb", 2, true, MZ_SQL_SAVEPOINT, 0 },
		{ "copy t from stdin;\n1;\n\\.\nvacuum", 2, true, MZ_SQL_ALONE, 4 },
		{ "rollback", 1, false, MZ_SQL_ROLLBACK, 1 },
		{ "call p()", 1, false, MZ_SQL_SAVEPOINT, 0 },
		/* a value is not to be used before it is committed */
		{ "alter type e add value 'x'", 1, false, MZ_SQL_SAVEPOINT, 0 },
		{ "alter type e add value 'x';\ninsert into t values ('x')", 2, false, MZ_SQL_PLAIN, 2 },
		{ "alter type e add value if not exists 'x';\n\nalter table t alter c set default 'x'::e", 2, false, MZ_SQL_PLAIN, 3 },
		{ "alter type e add value 'x';\ndo $$ begin perform 'x'::e; end $$", 2, false, MZ_SQL_PLAIN, 2 },
		{ "alter type e add value 'x';\nselect E'x'", 2, false, MZ_SQL_PLAIN, 2 },
		{ "alter type e add value 'x';\ninsert into t values ('xx')", 2, false, MZ_SQL_SAVEPOINT, 0 },
		{ "alter type e add value 'x'; alter type e add value 'y' after 'x'", 2, false, MZ_SQL_SAVEPOINT, 0 },
		{ "insert into t values ('x'); alter type e add value 'x'", 2, false, MZ_SQL_SAVEPOINT, 0 },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool outside = cases[i].cause != MZ_SQL_SAVEPOINT;
		struct mz_survey s;

		mz_statements_survey(pgw_view_of(cases[i].text), &s);
		ck_assert_uint_eq(s.statements, cases[i].statements);
		ck_assert_int_eq(s.one_by_one, cases[i].one_by_one);
		ck_assert_msg(s.stepwise == outside, "%s", cases[i].text);
		ck_assert_int_eq(s.cause.what != NULL, outside);
		if (!outside)
			continue;
		ck_assert_int_eq((int)s.cause.kind, (int)cases[i].cause);
		ck_assert_uint_eq(s.cause.line, cases[i].line);
	}
}

END_TEST

START_TEST(a_file_may_ask_to_be_run_without_a_transaction)
{
	struct mz_survey s;

	mz_statements_survey(pgw_view_of("-- mizzle: no-transaction\na; b"),
			     &s);
	ck_assert(s.stepwise && s.calls_alone && !s.cause.what);
}

END_TEST

UNIT_MAIN("statements", a_script_is_cut_with_the_places_of_the_file,
	  a_survey_says_what_sends_it_outside,
	  a_file_may_ask_to_be_run_without_a_transaction)
