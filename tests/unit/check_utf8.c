/* SPDX-License-Identifier: MIT */
/* A text is valid when it is so one code point after another. */
#include <config.h>

#include "utf8.h"

#include "unit.h"

#include <string.h>

#define LENGTH 150u /* a few times what is looked at in one go */

static bool valid_by_code_points(struct pgw_view v, size_t *bad)
{
	size_t n;

	for (*bad = 0; *bad < v.n; *bad += n) {
		n = pgw_utf8_next(v.p + *bad, v.n - *bad, NULL);
		if (n == 0)
			return false;
	}
	return true;
}

/* In memory of just that size, so that reading beyond it is seen. */
static void compare(const unsigned char *text, size_t n)
{
	unsigned char *copy = malloc(n > 0 ? n : 1);
	struct pgw_view v = { copy, n };
	size_t want, got = SIZE_MAX;
	bool valid;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, n);
	valid = valid_by_code_points(v, &want);
	ck_assert_int_eq(pgw_utf8_valid(v, &got), valid);
	if (!valid)
		ck_assert_uint_eq(got, want);
	free(copy);
}

START_TEST(what_is_not_ascii_is_seen_at_every_place)
{
	static const char *const parts[] = {
		"\x80",		"\xc3\xa9",	"\xc0\x80",
		"\xed\xa0\x80", "\xe2\x82\xac", "\xf0\x9f\x90\x98",
		"\xf5",		"\xff",		"\xe2\x82",
	};
	unsigned char text[LENGTH];

	for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
		size_t n = strlen(parts[k]);

		for (size_t at = 0; at + n <= sizeof(text); at++) {
			memset(text, 'a', sizeof(text));
			memcpy(text + at, parts[k], n);
			compare(text, sizeof(text));
			compare(text, at + n);
			compare(text, at + n - 1);
		}
	}
}

END_TEST

START_TEST(any_bytes_are_told_apart)
{
	static const unsigned char some[] = { 0x00, 'a',  0x7f, 0x80, 0x8f,
					      0x9f, 0xa0, 0xbf, 0xc2, 0xe0,
					      0xed, 0xf0, 0xf4, 0xff };
	unsigned char text[LENGTH];
	uint64_t x = 1;

	for (int turn = 0; turn < 20000; turn++) {
		/* half of them are ASCII for the most part */
		unsigned rare = turn % 2 ? 100 : 2;

		for (size_t i = 0; i < sizeof(text); i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			text[i] = x >> 33 & 0x7f;
			if ((x >> 40) % rare == 0)
				text[i] = some[(x >> 50) % sizeof(some)];
		}
		compare(text, (x >> 33) % (sizeof(text) + 1));
	}
}

END_TEST

START_TEST(no_text_is_valid)
{
	size_t bad;

	ck_assert(pgw_utf8_valid((struct pgw_view){ NULL, 0 }, &bad));
}

END_TEST

UNIT_MAIN("utf8", what_is_not_ascii_is_seen_at_every_place,
	  any_bytes_are_told_apart, no_text_is_valid)
