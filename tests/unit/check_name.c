/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "name.h"
#include "unit.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What V8's localeCompare makes of them, sorted. */
static const char *const sorted[] = {
	"1_",  "1__", "1_-",  "1_.", "1_0", "1_9", "1_a", "1_A",
	"1_ä", "1_Ä", "1_af", "1_b", "1_d", "1_e", "1_E", "1_é",
	"1_f", "1_o", "1_p",  "1_ÿ", "1_z", "1-",  "1a",  "2",
};

START_TEST(names_are_ordered_as_locale_compare_does)
{
	for (size_t i = 0; i < COUNT(sorted); i++) {
		for (size_t k = 0; k < COUNT(sorted); k++) {
			int diff = mz_name_compare(sorted[i], sorted[k]);

			ck_assert_msg((diff > 0) - (diff < 0) ==
					      (i > k) - (i < k),
				      "%s and %s", sorted[i], sorted[k]);
		}
	}
}

END_TEST

START_TEST(names_that_weigh_the_same_still_have_an_order)
{
	ck_assert_int_ne(mz_name_compare("a\001b", "ab"), 0);
	ck_assert_int_eq(mz_name_compare("ab", "ab"), 0);
	ck_assert_int_gt(mz_name_compare("\xff", "a"), 0);
}

END_TEST

START_TEST(times_roll_over_as_in_javascript)
{
	static const struct {
		const char *name;
		int64_t ms; /* INT64_MIN: NaN */
	} cases[] = {
		{ "20261122154726_init", 1795362446000 },
		{ "19700101000000_x", 0 },
		{ "19691231235959_x", -1000 },
		{ "20241399256199_x", 1744250559000 },
		{ "20240230000000_x", 1709251200000 },
		{ "20240229000000", 1709164800000 },
		{ "2024010100000_x", 1704067200000 },
		{ "20240000000000_x", 1701302400000 },
		{ "00990101000000_x", 915148800000 },
		{ "2024-01-15-10-30-45_x", 1701442740000 },
		{ "0x120101000000_x", -1640995200000 },
		{ "20240101", INT64_MIN },
		{ "0001_init", INT64_MIN },
		{ "junk", INT64_MIN },
		{ "", INT64_MIN },
		{ "2024010112x101_x", INT64_MIN },
		{ "2024é010000000_x", INT64_MIN },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t ms = INT64_MIN;
		bool ok = mz_name_time(cases[i].name, &ms);

		ck_assert_msg(ok == (cases[i].ms != INT64_MIN), "%s",
			      cases[i].name);
		ck_assert_msg(!ok || ms == cases[i].ms, "%s: %jd",
			      cases[i].name, (intmax_t)ms);
	}
}

END_TEST

START_TEST(a_plain_name_has_the_time_of_its_digits)
{
	static const struct {
		const char *name;
		int64_t ms; /* -1: none */
	} cases[] = {
		{ "20261122154726_init", 1795362446000 },
		{ "1795362446_x", 1795362446000 },
		{ "1795362446123-x", 1795362446123 },
		{ "0001_x", 1000 },
		{ "42", 42000 },
		{ "20240101_x", 20240101000 },
		{ "init", -1 },
		{ "V1__x", -1 },
		{ "12345678901_x", -1 },
		{ "123456789012345_x", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t ms;
		bool ok = mz_name_plain_time(cases[i].name, &ms);

		ck_assert_msg(ok == (cases[i].ms >= 0), "%s", cases[i].name);
		ck_assert_msg(!ok || ms == cases[i].ms, "%s: %jd",
			      cases[i].name, (intmax_t)ms);
	}
}

END_TEST

UNIT_MAIN("name", names_are_ordered_as_locale_compare_does,
	  names_that_weigh_the_same_still_have_an_order,
	  times_roll_over_as_in_javascript,
	  a_plain_name_has_the_time_of_its_digits)
