/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "hash.h"
#include "unit.h"

#include <string.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void hash(const void *text, size_t n, char out[MZ_HASH_LEN + 1])
{
	mz_folder_hash((struct pgw_view){ text, n }, out);
}

START_TEST(an_empty_text_has_the_hash_of_nothing)
{
	char out[MZ_HASH_LEN + 1];

	hash(NULL, 0, out);
	ck_assert_str_eq(out, EMPTY);
	hash("-- Custom SQL migration file, put your code below! --", 53, out);
	ck_assert_str_eq(out, "b3cc75fa802f8a5b333c480eb0d77f3d2185602e108f36fb"
			      "33d3ade3c6939413");
}

END_TEST

/* Left: bytes; right: what a decoder makes of them. */
static const struct {
	const char *bytes, *text;
} decoded[] = {
	{ "plain", "plain" },
	{ "\xef\xbb\xbf"
	  "bom\r\n",
	  "\xef\xbb\xbf"
	  "bom\r\n" },
	{ "caf\xe9", "caf\xef\xbf\xbd" },
	{ "\xf0\x9f\x98"
	  "A",
	  "\xef\xbf\xbd"
	  "A" },
	{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xf4\x90\x80\x80",
	  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xf0\x9f\x98", "\xef\xbf\xbd" },
	{ "\xe2\x82\xe2\x82\xac", "\xef\xbf\xbd\xe2\x82\xac" },
	{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
};

START_TEST(bytes_that_are_not_utf8_hash_as_their_replacement)
{
	for (size_t i = 0; i < sizeof(decoded) / sizeof(decoded[0]); i++) {
		char a[MZ_HASH_LEN + 1], b[MZ_HASH_LEN + 1];

		hash(decoded[i].bytes, strlen(decoded[i].bytes), a);
		hash(decoded[i].text, strlen(decoded[i].text), b);
		ck_assert_msg(strcmp(a, b) == 0, "case %zu", i);
	}
}

END_TEST

/* Feed it in pieces of the given size, keeping what was not used. */
static void hash_in_pieces(const char *text, size_t piece, struct mz_hasher *h,
			   char out[MZ_HASH_LEN + 1])
{
	size_t n = strlen(text), at = 0, end = 0;

	mz_hasher_init(h);
	while (end < n) {
		struct pgw_view v;

		end = end + piece < n ? end + piece : n;
		v = (struct pgw_view){ (const unsigned char *)text + at,
				       end - at };
		at += mz_hasher_feed(h, v, end == n);
		ck_assert_uint_le(end - at, 3);
	}
	mz_hasher_final(h, out);
}

START_TEST(pieces_hash_as_the_whole)
{
	for (size_t i = 0; i < sizeof(decoded) / sizeof(decoded[0]); i++) {
		for (size_t piece = 1; piece < 6; piece++) {
			char a[MZ_HASH_LEN + 1], b[MZ_HASH_LEN + 1];
			const char *text = decoded[i].bytes;
			struct mz_hasher h;

			hash(text, strlen(text), a);
			hash_in_pieces(text, piece, &h, b);
			ck_assert_msg(strcmp(a, b) == 0, "case %zu, %zu", i,
				      piece);
			ck_assert(h.utf8 ==
				  (strcmp(text, decoded[i].text) == 0));
		}
	}
}

END_TEST

START_TEST(a_change_of_line_ends_is_recognised)
{
	static const struct {
		const char *now, *then;
		bool eol;
	} cases[] = {
		{ "a\r\nb\r\n", "a\nb\n", true },
		{ "a\nb", "a\r\nb", true },
		{ "a\r\nb\nc", "a\nb\nc", true },
		{ "a\r\nb\nc", "a\r\nb\r\nc", true },
		{ "\n", "\r\n", true },
		{ "\r\n\r\n", "\n\n", true },
		{ "caf\xe9\r\n", "caf\xe9\n", true },
		{ "a\rb", "a\nb", false },
		{ "a\nb", "a b", false },
		{ "a\n", "a", false },
		{ "", "\n", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char then[MZ_HASH_LEN + 1];
		struct mz_eol_hasher h;

		hash(cases[i].then, strlen(cases[i].then), then);
		mz_eol_hasher_init(&h);
		mz_eol_hasher_feed(&h, pgw_view_of(cases[i].now));
		ck_assert_msg(mz_eol_hasher_is(&h, then) == cases[i].eol,
			      "case %zu", i);
	}
}

END_TEST

UNIT_MAIN("hash", an_empty_text_has_the_hash_of_nothing,
	  bytes_that_are_not_utf8_hash_as_their_replacement,
	  pieces_hash_as_the_whole, a_change_of_line_ends_is_recognised)
