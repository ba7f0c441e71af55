/* SPDX-License-Identifier: MIT */
/* From an error of the server to a line and a column of the file. */
#include <config.h>

#include "failure.h"
#include "unit.h"

#include <string.h>

/* A diagnosis of the fields that are given, each with its letter in front. */
static struct pgw_diag diag_of(struct pgw_buf *b, const char *const *fields)
{
	pgw_buf_init(b, 4096);
	for (; *fields; fields++)
		pgw_buf_put_str(b, *fields);
	pgw_buf_put_u8(b, 0);
	return (struct pgw_diag){ pgw_buf_view(b) };
}

START_TEST(an_error_is_found_in_its_file)
{
	static const struct {
		const char *before, *statement, *after;
		const char *fields[5];
		size_t line, column;
		const char *source;
	} cases[] = {
		/* clang-format off */
		/* by position */
		{ "", "select nosuch", ";", { "P8" }, 1, 8, "select nosuch;" },
		{ "select 1;\n", "select nosuch", ";", { "P8" }, 2, 8, "select nosuch;" },
		{ "-- \xc3\xa9\n", "select '\xc3\xa9\xe2\x82\xac', nosuch", "", { "P14" }, 2, 14, "select '\xc3\xa9\xe2\x82\xac', nosuch" },
		{ "a;\r\n", "select 1,\r\n nosuch", "\r\n;", { "P13" }, 3, 2, " nosuch" },
		{ "", "select", "", { "P7" }, 1, 7, "select" },
		{ "", "select", "", { "P99999" }, 1, 7, "select" },
		{ "  ", "select", "", { "Px" }, 1, 3, "  select" },
		{ "  ", "select", "", { "P0" }, 1, 3, "  select" },
		/* inside of a function, whose text stands here once */
		{ "x;\n", "do $$begin\n perform nosuch;\nend$$", "", { "qSELECT nosuch", "p8", "WPL/pgSQL function inline_code_block line 2 at PERFORM" }, 3, 2, " perform nosuch;" },
		{ "x;\n", "do $$begin\n insert into t values(1);\nend$$", "", { "qinsert into t values(1)", "p13" }, 3, 14, " insert into t values(1);" },
		/* by the line of a block */
		{ "", "do $$\nbegin\n  raise 'x';\nend$$", "", { "WPL/pgSQL function inline_code_block line 3 at RAISE" }, 3, 3, "  raise 'x';" },
		{ "", "do $$\nbegin\nend$$", "", { "WPL/pgSQL function inline_code_block line 99 at RAISE" }, 1, 1, "do $$" },
		{ "", "do $$\nbegin\nend$$", "", { "WPL/pgSQL function inline_code_block line x" }, 1, 1, "do $$" },
		/* by the name in the message */
		{ "", "create table a (b int\n references gone(id))", "", { "Mrelation \"gone\" does not exist" }, 2, 13, " references gone(id))" },
		{ "", "create table a (b int references \"s\".\"gone\"(id))", "", { "Mrelation \"s.gone\" does not exist" }, 1, 39, "create table a (b int references \"s\".\"gone\"(id))" },
		{ "", "alter table a add constraint a_gone_fk references gone", "", { "Mrelation \"gone\" does not exist" }, 1, 51, "alter table a add constraint a_gone_fk references gone" },
		{ "", "drop table gone, gone", "", { "Mtable \"gone\" does not exist" }, 1, 1, "drop table gone, gone" },
		{ "", "select 1", "", { "Mboom \"" }, 1, 1, "select 1" },
		{ "", "select 1", "", { "Mboom \"\"" }, 1, 1, "select 1" },
		/* nothing at all */
		{ "", "select 1", "", { NULL }, 1, 1, "select 1" },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mz_err err = { 0 };
		struct mz_arena a;
		struct pgw_buf text, fields;
		struct pgw_diag diag = diag_of(&fields, cases[i].fields);
		struct mz_culprit c = { .tag = "0000_a", .file = "a.sql" };

		mz_arena_init(&a);
		pgw_buf_init(&text, 4096);
		pgw_buf_put_text(&text, cases[i].before);
		c.start = text.len;
		pgw_buf_put_text(&text, cases[i].statement);
		c.end = text.len;
		pgw_buf_put_text(&text, cases[i].after);
		c.text = pgw_buf_view(&text);

		mz_failure_explain(&err, &a, &c, &diag);
		ck_assert_msg(err.place.line == cases[i].line &&
				      err.place.column == cases[i].column,
			      "case %zu: %zu:%zu", i, err.place.line,
			      err.place.column);
		ck_assert_str_eq(err.sql->source, cases[i].source);
		ck_assert_str_eq(err.place.file, "a.sql");
		pgw_buf_release(&text);
		pgw_buf_release(&fields);
		mz_arena_release(&a);
	}
}

END_TEST

START_TEST(every_text_of_the_server_is_kept)
{
	static const char *const all[] = { "C42P01", "Mm", "Dd",
					   "Hh",     "Ww", NULL };
	struct mz_err err = { 0 };
	struct pgw_buf fields;
	struct pgw_diag diag = diag_of(&fields, all);
	struct mz_arena a;

	mz_arena_init(&a);
	mz_failure_describe(&err, &a, "tag", &diag);
	ck_assert_str_eq(err.sql->sqlstate, "42P01");
	ck_assert_str_eq(err.sql->message, "m");
	ck_assert_str_eq(err.sql->detail, "d");
	ck_assert_str_eq(err.sql->hint, "h");
	ck_assert_str_eq(err.sql->where, "w");
	ck_assert_ptr_null(err.sql->source);
	pgw_buf_release(&fields);
	mz_arena_release(&a);
}

END_TEST

START_TEST(an_error_in_rows_is_found_in_its_line)
{
	static const struct {
		const char *where;
		size_t line, column;
	} cases[] = {
		{ "WCOPY t, line 1", 2, 1 },
		{ "WCOPY t, line 2, column b: \"x,y\"", 3, 3 },
		{ "WCOPY t, line 2: \"2\tx,y\"", 3, 1 },
		{ "WCOPY a, line, line 3: \"\"", 4, 1 },
		{ "WCOPY t, Zeile 3, Spalte b: \"q\"", 4, 3 },
		{ "WCOPY t, l\xc3\xadnea 3", 4, 1 },
		{ "WPL/pgSQL function f() line 9 at RAISE\nCOPY t, line 2", 3,
		  1 },
		/* the statement itself, when there is no such line */
		{ "WCOPY t, line 9", 1, 1 },
		{ "WCOPY t, line 99999999999999999999999", 1, 1 },
		{ "WCOPY t, line 0", 1, 1 },
		{ "WCOPY t, line x", 1, 1 },
		{ "WCOPY t", 1, 1 },
		{ "WNOCOPY t, line 2", 1, 1 },
		{ "WCOPY t, line 2 \"", 1, 1 },
	};

	static const char text[] =
		"copy t from stdin;\n1\tx\n2\tx,y\n3\tq\n\\.\n";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const fields[] = { cases[i].where, NULL };
		const struct mz_culprit c = { .tag = "t",
					      .file = "f",
					      .text = pgw_view_of(text),
					      .end = 17,
					      .data_start = 19,
					      .data_end = 33 };
		struct mz_err err = { 0 };
		struct mz_arena a;
		struct pgw_buf b;
		struct pgw_diag diag = diag_of(&b, fields);

		mz_arena_init(&a);
		mz_failure_explain(&err, &a, &c, &diag);
		ck_assert_msg(err.place.line == cases[i].line &&
				      err.place.column == cases[i].column,
			      "%s: %zu:%zu", cases[i].where, err.place.line,
			      err.place.column);
		mz_arena_release(&a);
		pgw_buf_release(&b);
	}
}

END_TEST

UNIT_MAIN("failure", an_error_is_found_in_its_file,
	  an_error_in_rows_is_found_in_its_line,
	  every_text_of_the_server_is_kept)
