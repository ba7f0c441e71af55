/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sql.h"
#include "unit.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What each text is cut into; "off": standard_conforming_strings is. */
static const struct {
	const char *text;
	const char *want[6];
	bool off;
} splits[] = {
	/* nothing */
	{ "", { NULL }, false },
	{ " \t\r\n\f\v", { NULL }, false },
	{ ";", { NULL }, false },
	{ " ; ;; ", { NULL }, false },
	{ "-- only a comment", { NULL }, false },
	{ "/* a */ -- b\n ; /* c */", { NULL }, false },
	{ "-- a;b\n", { NULL }, false },
	{ "/* a ; b */", { NULL }, false },

	/* where a statement begins and ends */
	{ "select 1", { "select 1" }, false },
	{ "select 1;", { "select 1" }, false },
	{ "\n select 1 \n ;\n", { "select 1" }, false },
	{ "select 1;select 2", { "select 1", "select 2" }, false },
	{ "select 1;;;select 2;", { "select 1", "select 2" }, false },
	{ "-- a\nselect 1 -- b\n; -- c\nselect 2 -- d",
	  { "select 1", "select 2" },
	  false },
	{ "/* a */ select /* b */ 1 /* c */; /* d */",
	  { "select /* b */ 1" },
	  false },
	{ "a -- b", { "a" }, false },
	{ "a\r\n;\r\nb\r\n", { "a", "b" }, false },
	{ "\xef\xbb\xbfselect 1;b", { "\xef\xbb\xbfselect 1", "b" }, false },
	{ "\x01;\xff;b", { "\x01", "\xff", "b" }, false },

	/* line comments end at LF and at CR */
	{ "a -- x;y\n;b", { "a", "b" }, false },
	{ "a -- x;y\r;b", { "a", "b" }, false },
	{ "a --'\n;b'c'", { "a", "b'c'" }, false },
	{ "a --$$\n;b", { "a", "b" }, false },
	{ "a -- /*\n;b", { "a", "b" }, false },
	{ "a - -1;b", { "a - -1", "b" }, false },
	{ "a+--;\n1;b", { "a+--;\n1", "b" }, false },
	{ "a @--;\n1;b", { "a @--;\n1", "b" }, false },
	{ "1e--;\n;b", { "1e", "b" }, false },

	/* block comments nest */
	{ "a /* ; */;b", { "a", "b" }, false },
	{ "a /* /* ; */ ; */;b", { "a", "b" }, false },
	{ "a /*/* ; */;*/;b", { "a", "b" }, false },
	{ "/*/ ; */ a;b", { "a", "b" }, false },
	{ "/*/*/;*/;*/a;b", { "a", "b" }, false },
	{ "/***/a;/****/b", { "a", "b" }, false },
	{ "/* ' */a;b/* \" */", { "a", "b" }, false },
	{ "/* -- */a;b", { "a", "b" }, false },
	{ "/* $$ */a;b", { "a", "b" }, false },
	{ "a*/**/b;c", { "a*/**/b", "c" }, false },
	{ "a+/*;*/b;c", { "a+/*;*/b", "c" }, false },
	{ "a //*;*/b;c", { "a //*;*/b", "c" }, false },
	{ "a */ b;c", { "a */ b", "c" }, false },
	{ "a -/*;*/- b;c", { "a -/*;*/- b", "c" }, false },

	/* quotes */
	{ "select ';';b", { "select ';'", "b" }, false },
	{ "select ''';';b", { "select ''';'", "b" }, false },
	{ "select '';b';c'", { "select ''", "b';c'" }, false },
	{ "select '--';b", { "select '--'", "b" }, false },
	{ "select '/*';b", { "select '/*'", "b" }, false },
	{ "select '$$';b", { "select '$$'", "b" }, false },
	{ "select '\"';b", { "select '\"'", "b" }, false },
	{ "select 'a\n;\nb';c", { "select 'a\n;\nb'", "c" }, false },
	{ "select '\\';b", { "select '\\'", "b" }, false },
	{ "select '\\';b;'", { "select '\\';b;'" }, true },
	{ "select '\\\\';b", { "select '\\\\'", "b" }, true },
	{ "select N'\\';b;'", { "select N'\\';b;'" }, true },
	{ "select N'\\';b", { "select N'\\'", "b" }, false },
	{ "select E'\\';';b", { "select E'\\';'", "b" }, false },
	{ "select e'\\';';b", { "select e'\\';'", "b" }, false },
	{ "select E'\\\\';b", { "select E'\\\\'", "b" }, false },
	{ "select E'\\\\\\';';b", { "select E'\\\\\\';'", "b" }, false },
	{ "select E'a'';';b", { "select E'a'';'", "b" }, false },
	{ "select E'\\\n';b", { "select E'\\\n'", "b" }, false },
	{ "select nameE'\\';b", { "select nameE'\\'", "b" }, false },
	{ "select a.E'\\';';b", { "select a.E'\\';'", "b" }, false },
	{ "select 1E'\\';b", { "select 1E'\\'", "b" }, false },
	{ "select 1..E'\\';';b", { "select 1..E'\\';'", "b" }, false },
	{ "select 1.E'\\';b", { "select 1.E'\\'", "b" }, false },
	{ "select \xc3\xa9"
	  "E'\\';b",
	  { "select \xc3\xa9"
	    "E'\\'",
	    "b" },
	  false },
	{ "select E '\\';b", { "select E '\\'", "b" }, false },
	{ "select B'0;1';b", { "select B'0;1'", "b" }, false },
	{ "select x'\\';b", { "select x'\\'", "b" }, true },
	{ "select B'\\';b", { "select B'\\'", "b" }, true },
	/* a number ends before what is no part of it */
	{ "select 1.5e+3.e'\\'';b", { "select 1.5e+3.e'\\''", "b" }, false },
	{ "select $1.e'\\'';b", { "select $1.e'\\''", "b" }, false },
	{ "select .5.e'\\'';b", { "select .5.e'\\''", "b" }, false },
	/* two strings: X'' has no quotes in it */
	{ "select X'a''\\'';b", { "select X'a''\\''", "b" }, true },
	{ "select U&'\\';b", { "select U&'\\'", "b" }, true },
	{ "select u&'a'';';b", { "select u&'a'';'", "b" }, false },
	{ "select U&\"a\"\";\";b", { "select U&\"a\"\";\"", "b" }, false },
	{ "select U& ';';b", { "select U& ';'", "b" }, false },
	{ "select aU&'\\';b", { "select aU&'\\'", "b" }, false },
	{ "select aU&'\\';b;'", { "select aU&'\\';b;'" }, true },
	{ "select \";\";b", { "select \";\"", "b" }, false },
	{ "select \"\"\";\";b", { "select \"\"\";\"", "b" }, false },
	{ "select \"\\\";b", { "select \"\\\"", "b" }, true },
	{ "select \"'\";b", { "select \"'\"", "b" }, false },
	{ "select \"a\nb;--\";c", { "select \"a\nb;--\"", "c" }, false },

	/* a string goes on after a line end */
	{ "select E'a'\n'\\';';b", { "select E'a'\n'\\';'", "b" }, false },
	{ "select E'a' -- c'\n -- d\n '\\';';b",
	  { "select E'a' -- c'\n -- d\n '\\';'", "b" },
	  false },
	{ "select E'a'\r'\\';';b", { "select E'a'\r'\\';'", "b" }, false },
	{ "select E'a' '\\';b", { "select E'a' '\\'", "b" }, false },
	{ "select E'a'/*\n*/'\\';b", { "select E'a'/*\n*/'\\'", "b" }, false },
	{ "select E'a'\n/**/'\\';b", { "select E'a'\n/**/'\\'", "b" }, false },
	{ "select 'a'\n'\\';b", { "select 'a'\n'\\'", "b" }, false },
	{ "select 'a'\nE'\\';';b", { "select 'a'\nE'\\';'", "b" }, false },
	{ "select x'0'\n'\\';b", { "select x'0'\n'\\'", "b" }, true },
	{ "select 'a' - 'b';c", { "select 'a' - 'b'", "c" }, false },
	{ "select 'a' -- b\n;c", { "select 'a'", "c" }, false },
	{ "select 'a'\n -- b", { "select 'a'" }, false },

	/* dollar quotes */
	{ "select $$;$$;b", { "select $$;$$", "b" }, false },
	{ "select $a$;$$;$a$;b", { "select $a$;$$;$a$", "b" }, false },
	{ "select $$ $a$ ; $$;b", { "select $$ $a$ ; $$", "b" }, false },
	{ "select $a$ $b$a$;b", { "select $a$ $b$a$", "b" }, false },
	{ "select $a$ $$a$;b", { "select $a$ $$a$", "b" }, false },
	{ "select $a$ $a $a$;b", { "select $a$ $a $a$", "b" }, false },
	{ "select $A$;$a$;$A$;b", { "select $A$;$a$;$A$", "b" }, false },
	{ "select $_1$;$_1$;b", { "select $_1$;$_1$", "b" }, false },
	{ "select $\xc3\xa9$;$\xc3\xa9$;b",
	  { "select $\xc3\xa9$;$\xc3\xa9$", "b" },
	  false },
	{ "select $1;b", { "select $1", "b" }, false },
	{ "select $1$;$2;b", { "select $1$", "$2", "b" }, false },
	{ "select $1$$;$$;b", { "select $1$$;$$", "b" }, false },
	{ "select a$b$;c$b$;d", { "select a$b$", "c$b$", "d" }, false },
	{ "select $b$c$b$d;e", { "select $b$c$b$d", "e" }, false },
	{ "select 1$b$;$b$;c", { "select 1$b$;$b$", "c" }, false },
	{ "select 1a$b$;c", { "select 1a$b$", "c" }, false },
	{ "select $a b$;c", { "select $a b$", "c" }, false },
	{ "select $a-$;c", { "select $a-$", "c" }, false },
	{ "select $;c", { "select $", "c" }, false },
	{ "do $$ begin perform 'x;'; end $$;b",
	  { "do $$ begin perform 'x;'; end $$", "b" },
	  false },
	{ "select $$'$$;b';'", { "select $$'$$", "b';'" }, false },
	{ "select $$ -- $$;b", { "select $$ -- $$", "b" }, false },

	/* parentheses */
	{ "create rule r as on insert to t do also (a; b);c",
	  { "create rule r as on insert to t do also (a; b)", "c" },
	  false },
	{ "f((;););b", { "f((;);)", "b" }, false },
	{ "a);b", { "a)", "b" }, false },
	{ "a)(;);b", { "a)(;)", "b" }, false },
	{ "(a;b", { "(a;b" }, false },
	{ "f(')');b", { "f(')')", "b" }, false },
	{ "f('(');b", { "f('(')", "b" }, false },
	{ "f(/*)*/;);b", { "f(/*)*/;)", "b" }, false },
	{ "a[;b", { "a[", "b" }, false },

	/* BEGIN ATOMIC */
	{ "create function f() returns int begin atomic a; b; end;c",
	  { "create function f() returns int begin atomic a; b; end", "c" },
	  false },
	{ "CREATE OR REPLACE PROCEDURE p()\nBEGIN\nATOMIC a; END; c",
	  { "CREATE OR REPLACE PROCEDURE p()\nBEGIN\nATOMIC a; END", "c" },
	  false },
	{ "create/**/or--\nreplace function f() begin/**/atomic a; end;c",
	  { "create/**/or--\nreplace function f() begin/**/atomic a; end",
	    "c" },
	  false },
	{ "create function f() begin atomic a case b when c then d end; e; "
	  "end;c",
	  { "create function f() begin atomic a case b when c then d end; e; "
	    "end",
	    "c" },
	  false },
	{ "create function f() begin atomic begin atomic a; end; b; end;c",
	  { "create function f() begin atomic begin atomic a; end; b; end",
	    "c" },
	  false },
	{ "create function f() begin atomic case case a end end; b; end;c",
	  { "create function f() begin atomic case case a end end; b; end",
	    "c" },
	  false },
	{ "create function f() begin atomic a 'end;'; b \"end\"; end;c",
	  { "create function f() begin atomic a 'end;'; b \"end\"; end", "c" },
	  false },
	{ "create function f() begin atomic a x.end; b as end; t.case; c as "
	  "case; end;c",
	  { "create function f() begin atomic a x.end; b as end; t.case; c as "
	    "case; end",
	    "c" },
	  false },
	{ "create function f() begin atomic select begin from t; end;c",
	  { "create function f() begin atomic select begin from t; end", "c" },
	  false },
	{ "create function f() begin atomic a weekend; ends; end_; end;c",
	  { "create function f() begin atomic a weekend; ends; end_; end",
	    "c" },
	  false },
	{ "create function f() begin atomic case a when b then 1. end; c; "
	  "end;c",
	  { "create function f() begin atomic case a when b then 1. end; c; "
	    "end",
	    "c" },
	  false },
	{ "create function f(a int default (case a end)) begin atomic (case a "
	  "end); end;c",
	  { "create function f(a int default (case a end)) begin atomic (case "
	    "a end); end",
	    "c" },
	  false },
	{ "create procedure p() begin atomic a; end;b",
	  { "create procedure p() begin atomic a; end", "b" },
	  false },
	{ "create function f() begin atomic (end); a; end;c",
	  { "create function f() begin atomic (end); a; end", "c" },
	  false },
	{ "create function f() return case when a then b end;c",
	  { "create function f() return case when a then b end", "c" },
	  false },
	{ "create function begin();b",
	  { "create function begin()", "b" },
	  false },
	{ "create function \"begin\" atomic;b",
	  { "create function \"begin\" atomic", "b" },
	  false },
	{ "create table t (); begin atomic;b",
	  { "create table t ()", "begin atomic", "b" },
	  false },
	{ "create view v as begin atomic;b",
	  { "create view v as begin atomic", "b" },
	  false },
	{ "create or function f() begin atomic;b",
	  { "create or function f() begin atomic", "b" },
	  false },
	{ "x create function f() begin atomic;b",
	  { "x create function f() begin atomic", "b" },
	  false },
	{ "begin; create function f() begin atomic a; end; commit",
	  { "begin", "create function f() begin atomic a; end", "commit" },
	  false },
	{ "create function f() begin atomic a; b", /* END is missing */
	  { "create function f() begin atomic a; b" },
	  false },

	/* what psql would do something about, and the server would not */
	{ "\\d;b", { "\\d", "b" }, false },
	{ "a \\; b", { "a \\", "b" }, false },
	{ "select :x, :'y;', :\"z;\";b",
	  { "select :x, :'y;', :\"z;\"", "b" },
	  false },
	{ "select :'a\\';b", { "select :'a\\'", "b" }, false },
	{ "copy t from stdin;\n1\t2\n\\.\n",
	  { "copy t from stdin", "1\t2\n\\." },
	  false },

	/* the text itself may change how it is read */
	{ "set standard_conforming_strings = off; a '\\';'; b",
	  { "set standard_conforming_strings = off", "a '\\';'", "b" },
	  false },
	{ "SET LOCAL standard_conforming_strings TO 'on'; a '\\'; b",
	  { "SET LOCAL standard_conforming_strings TO 'on'", "a '\\'", "b" },
	  true },
	{ "set session standard_conforming_strings = default; a '\\'; b",
	  { "set session standard_conforming_strings = default", "a '\\'",
	    "b" },
	  true },
	{ "set standard_conforming_strings = maybe; a '\\'; b",
	  { "set standard_conforming_strings = maybe", "a '\\'", "b" },
	  false },
};

static const struct {
	const char *text;
	enum mz_sql_problem problem;
	size_t at;
	size_t statements; /* before it */
} problems[] = {
	{ "select 'abc", MZ_SQL_UNTERMINATED_QUOTE, 7, 0 },
	{ "a; select 'abc''", MZ_SQL_UNTERMINATED_QUOTE, 10, 1 },
	{ "select '", MZ_SQL_UNTERMINATED_QUOTE, 7, 0 },
	{ "a;b;E'\\'", MZ_SQL_UNTERMINATED_QUOTE, 4, 2 },
	{ "E'\\", MZ_SQL_UNTERMINATED_QUOTE, 0, 0 },
	{ "select B'01", MZ_SQL_UNTERMINATED_QUOTE, 7, 0 },
	{ "select U&'01", MZ_SQL_UNTERMINATED_QUOTE, 7, 0 },
	{ "select E'a'\n'b", MZ_SQL_UNTERMINATED_QUOTE, 7, 0 },
	{ "select \"abc", MZ_SQL_UNTERMINATED_IDENTIFIER, 7, 0 },
	{ "select \"abc\"\"", MZ_SQL_UNTERMINATED_IDENTIFIER, 7, 0 },
	{ "select U&\"a", MZ_SQL_UNTERMINATED_IDENTIFIER, 7, 0 },
	{ "a;do $$ begin", MZ_SQL_UNTERMINATED_DOLLAR, 5, 1 },
	{ "$a$ $b$ $", MZ_SQL_UNTERMINATED_DOLLAR, 0, 0 },
	{ "$a$ $a", MZ_SQL_UNTERMINATED_DOLLAR, 0, 0 },
	{ "$$", MZ_SQL_UNTERMINATED_DOLLAR, 0, 0 },
	{ "$$$", MZ_SQL_UNTERMINATED_DOLLAR, 0, 0 },
	{ "a; /* b", MZ_SQL_UNTERMINATED_COMMENT, 3, 1 },
	{ "a /* b /* c */", MZ_SQL_UNTERMINATED_COMMENT, 2, 0 },
	{ "/*/", MZ_SQL_UNTERMINATED_COMMENT, 0, 0 },
	{ "/*", MZ_SQL_UNTERMINATED_COMMENT, 0, 0 },
	{ "/* a *", MZ_SQL_UNTERMINATED_COMMENT, 0, 0 },
	{ "/**/ /* a /* */", MZ_SQL_UNTERMINATED_COMMENT, 5, 0 },
};

START_TEST(a_script_is_cut_where_the_server_would)
{
	for (size_t i = 0; i < COUNT(splits); i++) {
		struct mz_sql_statement st;
		struct mz_sql s;
		size_t n = 0;

		mz_sql_init(&s, pgw_view_of(splits[i].text));
		s.standard_conforming_strings = !splits[i].off;
		for (; mz_sql_next(&s, &st); n++) {
			const char *want = splits[i].want[n];

			ck_assert_msg(
				want && st.count == n + 1 &&
					pgw_view_is(
						(struct pgw_view){
							s.text.p + st.start,
							st.end - st.start },
						want),
				"row %zu: %s\nstatement %zu: %.*s", i,
				splits[i].text, n + 1, (int)(st.end - st.start),
				splits[i].text + st.start);
		}
		ck_assert_msg(!splits[i].want[n] && s.problem == MZ_SQL_OK,
			      "row %zu: %s", i, splits[i].text);
		ck_assert(!mz_sql_next(&s, &st));
	}
}

END_TEST

START_TEST(what_is_not_terminated_is_found_where_it_began)
{
	for (size_t i = 0; i < COUNT(problems); i++) {
		struct mz_sql_statement st;
		struct mz_sql s;

		mz_sql_init(&s, pgw_view_of(problems[i].text));
		while (mz_sql_next(&s, &st))
			continue;
		ck_assert_msg(s.problem == problems[i].problem &&
				      s.problem_at == problems[i].at &&
				      s.count == problems[i].statements,
			      "%s: %s at %zu after %zu", problems[i].text,
			      mz_sql_problem_text(s.problem), s.problem_at,
			      s.count);
		ck_assert_uint_le(s.at, s.text.n);
		ck_assert(!mz_sql_next(&s, &st));
		ck_assert_int_eq(s.problem, problems[i].problem);
	}
}

END_TEST

START_TEST(every_problem_has_its_text)
{
	ck_assert_str_eq(mz_sql_problem_text(MZ_SQL_OK), "no problem");
	ck_assert_str_eq(mz_sql_problem_text(MZ_SQL_UNTERMINATED_QUOTE),
			 "unterminated quoted string");
	ck_assert_str_eq(mz_sql_problem_text(MZ_SQL_UNTERMINATED_IDENTIFIER),
			 "unterminated quoted identifier");
	ck_assert_str_eq(mz_sql_problem_text(MZ_SQL_UNTERMINATED_DOLLAR),
			 "unterminated dollar-quoted string");
	ck_assert_str_eq(mz_sql_problem_text(MZ_SQL_UNTERMINATED_COMMENT),
			 "unterminated /* comment");
}

END_TEST

START_TEST(statements_know_their_line)
{
	static const size_t lines[] = { 2, 2, 5, 7 };
	struct mz_sql_statement st;
	struct mz_sql s;
	size_t n = 0;

	mz_sql_init(&s,
		    pgw_view_of("-- x\na; b\n'\n'; ;\r\n c\r;\n\n/**/d;\n"));
	for (; mz_sql_next(&s, &st); n++)
		ck_assert_uint_eq(st.line, lines[n]);
	ck_assert_uint_eq(n, COUNT(lines));
}

END_TEST

START_TEST(a_nul_is_a_byte_like_another)
{
	static const unsigned char bytes[] = "a\0;'b\0;';$\0$;c";
	static const size_t ends[] = { 2, 8, 12, 14 };
	struct mz_sql_statement st;
	struct mz_sql s;
	size_t n = 0;

	mz_sql_init(&s, (struct pgw_view){ bytes, sizeof(bytes) - 1 });
	for (; mz_sql_next(&s, &st); n++)
		ck_assert_uint_eq(st.end, ends[n]);
	ck_assert_uint_eq(n, COUNT(ends));
}

END_TEST

START_TEST(deep_nesting_is_only_a_number)
{
	static unsigned char text[3000000];
	struct mz_sql_statement st;
	struct mz_sql s;

	memset(text, '(', sizeof(text));
	mz_sql_init(&s, (struct pgw_view){ text, sizeof(text) });
	ck_assert(mz_sql_next(&s, &st));
	ck_assert_uint_eq(st.end, sizeof(text));

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '*' : '/';
	mz_sql_init(&s, (struct pgw_view){ text, sizeof(text) });
	ck_assert(!mz_sql_next(&s, &st));
	ck_assert_int_eq(s.problem, MZ_SQL_UNTERMINATED_COMMENT);
}

END_TEST

/* Each of these takes seconds or hours if the time is not linear. */
START_TEST(long_texts_take_linear_time)
{
	static const char *const units[] = {
		"$a",	    "$a$b$",	"'a'\n",
		"'",	    "\"",	"E'\\'",
		"/*",	    "$a$",	";",
		"a;",	    "--",	"create function f() begin atomic ",
		"copy t (", "a.",	"u&",
		"1e",	    "cluster ",
	};
	static unsigned char text[1000000];

	for (size_t u = 0; u < COUNT(units); u++) {
		size_t n = strlen(units[u]);
		struct mz_sql_statement st;
		struct mz_sql s;

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = (unsigned char)units[u][i % n];
		mz_sql_init(&s, (struct pgw_view){ text, sizeof(text) });
		while (mz_sql_next(&s, &st))
			ck_assert_uint_le(st.end, sizeof(text));
	}
}

END_TEST

UNIT_MAIN("sql", a_script_is_cut_where_the_server_would,
	  what_is_not_terminated_is_found_where_it_began,
	  every_problem_has_its_text, statements_know_their_line,
	  a_nul_is_a_byte_like_another, deep_nesting_is_only_a_number,
	  long_texts_take_linear_time)
