/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "script.h"
#include "unit.h"

#include <string.h>

static const struct {
	const char *text, *message, *hint;
	size_t line, column;
} cases[] = {
	{ "select 1", NULL, NULL, 0, 0 },
	{ "\xef\xbb\xbfselect 1", "d/t.sql begins with a byte order mark",
	  "without BOM", 1, 1 },
	{ "\n\xc3\xa4 \x80", "d/t.sql is not valid UTF-8 here", "Latin-1", 2,
	  3 },
	{ "a\n>>>>>>> b\n", "d/t.sql has an unresolved merge conflict",
	  "both sides", 2, 1 },
	{ "a;" MZ_BREAKPOINT "=======\nb", NULL, NULL, 0, 0 },
	{ "a;" MZ_BREAKPOINT "\n=======\nb", "unresolved merge conflict",
	  "both sides", 2, 1 },
	{ "\\restrict a\ncopy t from stdin;\n=======\n\\.\n", NULL, NULL, 0,
	  0 },
	{ "copy t from stdin;/*\n1\n\\.\na;" MZ_BREAKPOINT, "cut in two",
	  "behind the rows", 1, 19 },
	{ "select\n 'x", "has an unterminated quoted string, which begins",
	  "close it", 2, 2 },
	{ "select 'x" MZ_BREAKPOINT "'", "unterminated quoted string",
	  "statement-breakpoint", 1, 8 },
	{ "-- Current sql file was generated after introspecting the "
	  "database\n/*\nx\n" MZ_BREAKPOINT "\ny*/",
	  "unterminated /* comment", "drizzle-kit pull", 2, 1 },
	{ "set standard_conforming_strings = off;" MZ_BREAKPOINT
	  "select 'a\\'b'",
	  NULL, NULL, 0, 0 },
};

START_TEST(what_cannot_be_sent_is_told_with_place_and_remedy)
{
	static const struct mz_migration m = { .tag = "t", .path = "d/t.sql" };
	static const struct mz_folder f = { .dir = "d" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mz_err err = { 0 };
		bool ok = mz_folder_sendable(&f, &m, pgw_view_of(cases[i].text),
					     &err);

		ck_assert_msg(ok == !cases[i].message, "case %zu: %s", i,
			      err.msg);
		if (ok)
			continue;
		ck_assert_int_eq(err.status, MZ_usage);
		ck_assert_msg(strstr(err.msg, cases[i].message) != NULL, "%s",
			      err.msg);
		ck_assert_msg(strstr(err.hint, cases[i].hint) != NULL, "%s",
			      err.hint);
		ck_assert_uint_eq(err.place.line, cases[i].line);
		ck_assert_uint_eq(err.place.column, cases[i].column);
	}
}

END_TEST

START_TEST(an_empty_text_can_be_sent)
{
	static const struct mz_migration m = { .tag = "t", .path = "d/t.sql" };
	static const struct mz_folder f = { .dir = "d" };
	struct mz_err err;

	ck_assert(
		mz_folder_sendable(&f, &m, (struct pgw_view){ NULL, 0 }, &err));
}

END_TEST

UNIT_MAIN("script", what_cannot_be_sent_is_told_with_place_and_remedy,
	  an_empty_text_can_be_sent)
