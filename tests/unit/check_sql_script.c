/* SPDX-License-Identifier: MIT */
/* What psql's scripts have that SQL has not: rows for COPY, commands. */
#include <config.h>

#include "sql.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* "line:statement[rows]" of each, then "!place problem". */
static void cut(const char *text, size_t size, char *got, size_t room)
{
	struct pgw_view v = { (const unsigned char *)text, size };
	struct mz_sql_statement st;
	struct mz_sql s;
	size_t n = 0;

	got[0] = '\0';
	mz_sql_init(&s, v);
	s.copy_data = s.backslash = true;
	while (mz_sql_next(&s, &st)) {
		n += (size_t)snprintf(got + n, room - n, "%zu:%.*s", st.line,
				      (int)(st.end - st.start),
				      text + st.start);
		if (st.data_start > 0)
			n += (size_t)snprintf(got + n, room - n, "[%.*s]",
					      (int)(st.data_end -
						    st.data_start),
					      text + st.data_start);
		n += (size_t)snprintf(got + n, room - n, "|");
	}
	if (s.problem != MZ_SQL_OK)
		snprintf(got + n, room - n, "!%zu %s", s.problem_at,
			 mz_sql_problem_text(s.problem));
	ck_assert(!mz_sql_next(&s, &st));
}

#define COPY "copy t from stdin"
#define NO_END "COPY data without its end"
#define IN_TWO "statement that is cut in two by COPY data"
#define COMMAND "command of psql"

static const struct {
	const char *text, *want;
} cases[] = {
	/* rows */
	{ COPY ";\n1\n2\n\\.\nb;", "1:" COPY "[1\n2\n]|5:b|" },
	{ COPY ";\n\\.\n", "1:" COPY "[]|" },
	{ COPY ";\n\\.", "1:" COPY "[]|" },
	{ COPY ";\r\n1\r\n\\.\r\nb;", "1:" COPY "[1\r\n]|4:b|" },
	{ COPY ";\n1\n\\.\r\nb", "1:" COPY "[1\n]|4:b|" },
	{ COPY ";\n\n\n\\.\nb", "1:" COPY "[\n\n]|5:b|" },
	{ "a;\n" COPY " ; \t\n;'\"$$/*\n\\.\nb",
	  "1:a|2:" COPY "[;'\"$$/*\n]|5:b|" },
	{ "copy t\nfrom\nstdin\n;\n1\n\\.\nb",
	  "1:copy t\nfrom\nstdin[1\n]|7:b|" },
	{ "COPY public.\"T\" (a, b) FROM stdin;\n1\t2\n\\.\n",
	  "1:COPY public.\"T\" (a, b) FROM stdin[1\t2\n]|" },
	{ "copy t from stdin (format csv);\n\"a;\n\"\n\\.\nb",
	  "1:copy t from stdin (format csv)[\"a;\n\"\n]|5:b|" },

	/* what looks like an end of rows, and is none */
	{ COPY ";\n\\\\.\n \\.\n\\. \n\\.x\n\\N\\.\n\\.\nb",
	  "1:" COPY "[\\\\.\n \\.\n\\. \n\\.x\n\\N\\.\n]|8:b|" },
	{ COPY ";\n\\.\r\r\n\\.\nb", "1:" COPY "[\\.\r\r\n]|4:b|" },
	{ COPY ";\n1\r\\.\r2\n\\.\nb", "1:" COPY "[1\r\\.\r2\n]|4:b|" },

	/* the rest of its line */
	{ COPY "; -- it's\n1\n\\.\nb", "1:" COPY "[1\n]|4:b|" },
	{ COPY "; /* it's */\n1\n\\.\nb", "1:" COPY "[1\n]|4:b|" },
	{ COPY "; b; c;\n1\n\\.\nd", "1:" COPY "[1\n]|1:b|1:c|4:d|" },
	{ COPY ";" COPY ";\n1\n\\.\n2\n\\.\nb",
	  "1:" COPY "[1\n]|1:" COPY "[2\n]|6:b|" },
	{ COPY "; b;" COPY "; c;\n1\n\\.\n2\n\\.\n" COPY ";\n\\.\n",
	  "1:" COPY "[1\n]|1:b|1:" COPY "[2\n]|1:c|6:" COPY "[]|" },
	{ "a; " COPY ";\n1\n\\.\n", "1:a|1:" COPY "[1\n]|" },
	{ COPY "; b\n1\n\\.\n;", "1:" COPY "[1\n]|!19 " IN_TWO },
	{ COPY "; 'b\n1\n\\.\n';", "1:" COPY "[1\n]|!19 " IN_TWO },
	{ COPY "; /* b\n1\n\\.\n*/;", "1:" COPY "[1\n]|!19 " IN_TWO },
	{ COPY "; (;\n1\n\\.\n);", "1:" COPY "[1\n]|!19 " IN_TWO },

	/* without an end */
	{ COPY, "!0 " NO_END },
	{ COPY ";", "!0 " NO_END },
	{ COPY ";\n", "!0 " NO_END },
	{ COPY "; \\.\n", "!0 " NO_END },
	{ "a;\n" COPY ";\n1\n2\n", "1:a|!3 " NO_END },
	{ COPY ";\n1\n\\.x", "!0 " NO_END },
	{ COPY ";\n1\\.\n", "!0 " NO_END },
	{ COPY ";" COPY ";\n1\n\\.\n", "1:" COPY "[1\n]|!18 " NO_END },

	/* no COPY from us */
	{ "copy t from '/tmp/x';\n1;", "1:copy t from '/tmp/x'|2:1|" },
	{ "copy t to stdout;\n1;", "1:copy t to stdout|2:1|" },
	{ "select 'copy t from stdin;\n1\n\\.\n'",
	  "1:select 'copy t from stdin;\n1\n\\.\n'|" },
	{ "$$" COPY ";\n\\.\n$$", "1:$$" COPY ";\n\\.\n$$|" },
	{ "-- " COPY ";\n1", "2:1|" },

	/* commands */
	{ "\\restrict aB3\na;\n\\unrestrict aB3\n", "2:a|" },
	{ "\\restrict aB3\r\na;\r\n\\unrestrict aB3", "2:a|" },
	{ "-- dump\n\n\\restrict \t aB3 \na", "4:a|" },
	{ COPY ";\n1\n\\.\n\\unrestrict x\nb", "1:" COPY "[1\n]|5:b|" },
	{ "\\restrict\n", "!0 " COMMAND },
	{ "\\restrict \n", "!0 " COMMAND },
	{ "\\restrict a b\n", "!0 " COMMAND },
	{ "\\restrict a;\n", "!0 " COMMAND },
	{ "\\restricted a\n", "!0 " COMMAND },
	{ "\\RESTRICT a\n", "!0 " COMMAND },
	{ " \\restrict a\n", "!1 " COMMAND },
	{ "a; \\restrict a\n", "1:a|!3 " COMMAND },
	{ "a\n\\restrict a\n;", "!2 " COMMAND },
	{ COPY "; \\restrict a\n1\n\\.\n", "1:" COPY "[1\n]|!19 " COMMAND },
	{ "\\connect x", "!0 " COMMAND },
	{ "a;\n\\.\n", "1:a|!3 " COMMAND },
	{ "select 1 \\g", "!9 " COMMAND },
	{ "\\", "!0 " COMMAND },
	{ "select '\\connect', \"\\\", $$\\$$ -- \\\n/*\\*/;b",
	  "1:select '\\connect', \"\\\", $$\\$$|2:b|" },
};

START_TEST(a_script_is_cut_as_psql_cuts_it)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		char got[512];

		cut(cases[i].text, strlen(cases[i].text), got, sizeof(got));
		ck_assert_msg(strcmp(got, cases[i].want) == 0,
			      "%s\n  gives: %s\n  not:   %s", cases[i].text,
			      got, cases[i].want);
	}
}

END_TEST

/* At every place where a file may break off nothing becomes SQL that is not. */
START_TEST(a_broken_off_script_is_never_read_as_another_one)
{
	static const char text[] = "a;\n" COPY "; b;\ndrop;\n\\\\.\n\\.\nc;\n";
	char got[512];

	for (size_t n = 0; n < sizeof(text); n++) {
		char *exact = malloc(n + 1);

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, text, n);
		cut(exact, n, got, sizeof(got));
		free(exact);
		ck_assert_msg(!strstr(got, ":drop"), "%zu bytes: %s", n, got);
	}
	ck_assert_str_eq(got, "1:a|2:" COPY "[drop;\n\\\\.\n]|2:b|6:c|");
}

END_TEST

START_TEST(a_command_has_a_name)
{
	static const struct {
		const char *text, *name;
	} commands[] = {
		{ "\\connect x", "connect" },
		{ "\\c", "c" },
		{ "\\.\n", "." },
		{ "\\", "" },
		{ "\\ x", "" },
		{ "\\!ls", "!" },
		{ "\\\xc3\xa9x", "\xc3\xa9" },
		{ "\\\xffx", "\xff" },
		{ "\\g\n", "g" },
		{ "\\\n", "" },
	};

	for (size_t i = 0; i < COUNT(commands); i++) {
		struct pgw_view name =
			mz_sql_command(pgw_view_of(commands[i].text), 0);

		ck_assert_msg(pgw_view_is(name, commands[i].name), "%s",
			      commands[i].text);
	}
}

END_TEST

UNIT_MAIN("sql_script", a_script_is_cut_as_psql_cuts_it,
	  a_broken_off_script_is_never_read_as_another_one,
	  a_command_has_a_name)
