/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "facts.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DAY 86400

START_TEST(days_are_whole_and_count_from_now)
{
	static const struct {
		const char *until;
		int64_t now;
		bool known;
		int64_t days;
	} cases[] = {
		{ "1970-01-02T00:00:00Z", 0, true, 1 },
		{ "1970-01-01T23:59:59Z", 0, true, 0 },
		{ "1970-01-01T00:00:00Z", 0, true, 0 },
		{ "1970-01-01T00:00:00Z", 1, true, -1 },
		{ "1970-01-01T00:00:00Z", DAY, true, -1 },
		{ "1970-01-01T00:00:00Z", DAY + 1, true, -2 },
		{ "2026-12-06T20:00:00Z", 1795377600, true, 14 },
		{ "9999-12-31T23:59:59Z", 0, true, 2932896 },
		{ "", 0, false, 0 },
		{ "2026-12-06", 0, false, 0 },
		{ "2026-12-06T20:00:00Z and more", 0, false, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t days = 0;

		ck_assert_msg(mz_facts_days_left(cases[i].until, cases[i].now,
						 &days) == cases[i].known,
			      "%s", cases[i].until);
		ck_assert_int_eq(days, cases[i].days);
	}
}

END_TEST

#define TEN "0123456789"
#define NINETY TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* What is told of these facts. */
static char *told(const struct mz_fact *facts, size_t n, bool json)
{
	struct mz_report r;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	mz_report_init(&r, out, out);
	r.json = json;
	mz_report_facts(&r, "ping", facts, n);
	ck_assert(mz_report_close(&r));
	fclose(out);
	return text;
}

START_TEST(facts_are_for_people_or_for_programs)
{
	static const struct mz_fact facts[] = {
		{ .name = "server", .text = "a b" },
		{ .key = "server", .text = "a" },
		{ .key = "port", .kind = MZ_FACT_NUMBER, .number = 5432 },
		{ .key = "n", .kind = MZ_FACT_NUMBER, .text = "", .number = 7 },
		{ .key = "b", .kind = MZ_FACT_BOOL, .text = "", .number = 1 },
		{ .name = "not known" },
		{ .name = "both", .key = "both", .text = "x\033y" },
	};
	char *text = told(facts, COUNT(facts), false);

	ck_assert_str_eq(text, "server  a b\nboth    x\xEF\xBF\xBDy\n");
	free(text);
	text = told(facts, COUNT(facts), true);
	ck_assert_str_eq(text, "{\"event\":\"ping\",\"server\":\"a\","
			       "\"port\":null,\"n\":7,\"b\":true,"
			       "\"both\":\"x\\u001By\"}\n");
	free(text);
}

END_TEST

START_TEST(long_facts_are_broken_at_blanks_and_commas)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ NINETY "012345", "ab  " NINETY "012345\n" },
		{ NINETY "01234567", "ab  " NINETY "01234567\n" },
		{ NINETY "01234 67", "ab  " NINETY "01234\n    67\n" },
		{ "O=a,CN=" NINETY, "ab  O=a,\n    CN=" NINETY "\n" },
		{ NINETY NINETY " x", "ab  " NINETY NINETY " x\n" },
		{ "a " NINETY "123 b " NINETY,
		  "ab  a " NINETY "123\n    b " NINETY "\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct mz_fact fact = { .name = "ab",
					      .text = cases[i].text };
		char *text = told(&fact, 1, false);

		ck_assert_str_eq(text, cases[i].shown);
		free(text);
	}
}

END_TEST

UNIT_MAIN("facts", days_are_whole_and_count_from_now,
	  facts_are_for_people_or_for_programs,
	  long_facts_are_broken_at_blanks_and_commas)
