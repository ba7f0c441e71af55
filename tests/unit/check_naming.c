/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "naming.h"
#include "unit.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW INT64_C(1795866100889) /* 2026-11-28 11:41:40 */
#define LONGEST_NAME                                                               \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

START_TEST(a_name_is_fit_for_a_file_or_refused)
{
	static const struct {
		const char *typed, *name; /* NULL: refused */
		const char *why;
	} cases[] = {
		{ "add_users", "add_users", NULL },
		{ "add users now", "add_users_now", NULL },
		{ "größe", "größe", NULL },
		{ "v1.2-final", "v1.2-final", NULL },
		{ "it's", "it's", NULL },
		{ LONGEST_NAME, LONGEST_NAME, NULL },
		{ LONGEST_NAME "a", NULL, "too long" },
		{ "", NULL, "empty" },
		{ "   ", NULL, "no letter" },
		{ "..", NULL, "no letter" },
		{ "a/b", NULL, "slash" },
		{ "../x", NULL, "slash" },
		{ "a\\b", NULL, "slash" },
		{ "a\nb", NULL, "control" },
		{ "a\x7f", NULL, "control" },
		{ "a\xc2\x85z", NULL, "control" },
		{ "a\xff", NULL, "UTF-8" },
		{ "undo.down", NULL, ".down" },
	};

	struct mz_arena a;

	mz_arena_init(&a);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mz_err err = { 0 };
		const char *name = NULL;
		bool ok = mz_naming_clean(cases[i].typed, &a, &name, &err);

		ck_assert_msg(ok == (cases[i].name != NULL), "%s",
			      cases[i].typed);
		if (ok) {
			ck_assert_str_eq(name, cases[i].name);
			continue;
		}
		ck_assert_int_eq(err.status, MZ_usage);
		ck_assert_msg(strstr(err.msg, cases[i].why) != NULL, "%s: %s",
			      cases[i].typed, err.msg);
		ck_assert(err.hint[0] != '\0');
	}
	mz_arena_release(&a);
}

END_TEST

START_TEST(a_tag_shows_how_it_was_numbered)
{
	static const struct {
		const char *tag;
		enum mz_numbering numbering;
	} cases[] = {
		{ "0000_init", MZ_NUMBERING_INDEX },
		{ "10000_init", MZ_NUMBERING_INDEX },
		{ "20261122154050_x", MZ_NUMBERING_TIME },
		{ "1795362056_x", MZ_NUMBERING_UNIX },
		{ "_x", MZ_NUMBERING_NONE },
		{ "by_hand", MZ_NUMBERING_INDEX },
		{ "", MZ_NUMBERING_INDEX },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		ck_assert_msg(mz_naming_of(cases[i].tag) == cases[i].numbering,
			      "%s", cases[i].tag);
}

END_TEST

START_TEST(a_prefix_is_the_index_or_a_time_behind_the_newest)
{
	static const struct {
		enum mz_numbering numbering;
		const char *newest;
		int64_t index;
		const char *prefix; /* NULL: refused */
	} cases[] = {
		{ MZ_NUMBERING_INDEX, NULL, 0, "0000" },
		{ MZ_NUMBERING_INDEX, "0006_x", 7, "0007" },
		{ MZ_NUMBERING_INDEX, "9999_x", 10000, "10000" },
		{ MZ_NUMBERING_NONE, "_x", 7, "" },
		{ MZ_NUMBERING_UNIX, NULL, 0, "1795866100" },
		{ MZ_NUMBERING_UNIX, "1795866099_x", 1, "1795866100" },
		{ MZ_NUMBERING_UNIX, "1795866100_x", 1, "1795866101" },
		{ MZ_NUMBERING_UNIX, "1895866100_x", 1, "1895866101" },
		{ MZ_NUMBERING_TIME, NULL, 0, "20261128114140" },
		{ MZ_NUMBERING_TIME, "20261128114139_x", 1, "20261128114140" },
		{ MZ_NUMBERING_TIME, "20261128114140_x", 1, "20261128114141" },
		{ MZ_NUMBERING_TIME, "20301231235959_x", 1, "20310101000000" },
		{ MZ_NUMBERING_TIME, "99991231235959_x", 1, NULL },
	};

	struct mz_arena a;

	mz_arena_init(&a);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mz_naming n = { cases[i].numbering, cases[i].newest,
				       cases[i].index, NOW };
		struct mz_err err;
		const char *prefix;
		bool ok = mz_naming_prefix(&n, &a, &prefix, &err);

		ck_assert_msg(ok == (cases[i].prefix != NULL), "%s",
			      cases[i].newest);
		if (ok)
			ck_assert_str_eq(prefix, cases[i].prefix);
	}
	mz_arena_release(&a);
}

END_TEST

START_TEST(a_plain_name_goes_on_as_the_newest)
{
	static const struct {
		const char *newest, *tag; /* NULL: refused */
	} cases[] = {
		{ "0001_a", "0002_x" },
		{ "0009_a", "0010_x" },
		{ "1", "2_x" },
		{ "007-a", "008-x" },
		{ "07. a", "08. x" },
		{ "7a", "8_x" },
		{ "20240101120000_a", "20261128114140_x" },
		{ "20301231235959_a", "20310101000000_x" },
		{ "1795866100889_a", "1795866100890_x" },
		{ "1795866100_a", "1795866101_x" },
		{ "1000000000_a", "1795866100_x" },
		{ "9999_a", NULL },
		{ "9", NULL },
		{ "V1__a", NULL },
		{ "init", NULL },
	};

	struct mz_arena a;

	mz_arena_init(&a);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mz_naming n = { .newest = cases[i].newest, .now = NOW };
		struct mz_err err = { 0 };
		const char *tag;
		bool ok = mz_naming_plain(&n, "x", &a, &tag, &err);

		ck_assert_msg(ok == (cases[i].tag != NULL), "%s: %s",
			      cases[i].newest, err.msg);
		if (ok)
			ck_assert_str_eq(tag, cases[i].tag);
		else
			ck_assert(err.hint[0] != '\0');
	}
	mz_arena_release(&a);
}

END_TEST

UNIT_MAIN("naming", a_name_is_fit_for_a_file_or_refused,
	  a_tag_shows_how_it_was_numbered,
	  a_prefix_is_the_index_or_a_time_behind_the_newest,
	  a_plain_name_goes_on_as_the_newest)
