/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "base64.h"
#include "unit.h"

#include <string.h>

START_TEST(the_values_of_rfc_4648_go_both_ways)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_buf text, bytes;

		pgw_buf_init(&text, 100);
		pgw_buf_init(&bytes, 100);
		pgw_base64_encode(&text, pgw_view_of(cases[i].bytes));
		ck_assert(pgw_view_is(pgw_buf_view(&text), cases[i].text));
		ck_assert(pgw_base64_decode(&bytes, pgw_buf_view(&text)));
		ck_assert(pgw_view_is(pgw_buf_view(&bytes), cases[i].bytes));
		pgw_buf_release(&text);
		pgw_buf_release(&bytes);
	}
}

END_TEST

START_TEST(what_is_not_base64_is_refused)
{
	static const char *const cases[] = {
		"Z",	 "Zg",	     "Zg=",	     "Zg===",	   "====",
		"=Zg=",	 "Z===",     "Zg==Zg==",     "Zm9v\n",	   "Zm9v ",
		" Zm9v", "Zm 9v===", "Zm9*",	     "Zm9-",	   "Zm9_",
		"Zh==",	 "Zm9=",     "Zg==\n\n\n\n", "Z\xc3\xa9v", "Zm=v",
		"@@@@",	 "[[[[",     "````",	     "{{{{",	   "////====",
		",,,,",	 "::::",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_buf out;

		pgw_buf_init(&out, 100);
		ck_assert_msg(!pgw_base64_decode(&out, pgw_view_of(cases[i])),
			      "took \"%s\"", cases[i]);
		pgw_buf_release(&out);
	}
}

END_TEST

START_TEST(a_nul_is_not_base64)
{
	static const unsigned char text[] = { 'Z', 'm', '9', 0 };
	struct pgw_buf out;

	pgw_buf_init(&out, 100);
	ck_assert(!pgw_base64_decode(&out, (struct pgw_view){ text, 4 }));
	pgw_buf_release(&out);
}

END_TEST

START_TEST(every_byte_survives_at_every_place)
{
	for (unsigned v = 0; v < 256; v++) {
		unsigned char in[4] = { (unsigned char)v,
					(unsigned char)(v ^ 0xa5),
					(unsigned char)(255 - v),
					(unsigned char)v };
		struct pgw_buf text, bytes;

		pgw_buf_init(&text, 100);
		pgw_buf_init(&bytes, 100);
		pgw_base64_encode(&text, (struct pgw_view){ in, sizeof(in) });
		ck_assert_uint_eq(text.len, 8);
		ck_assert(pgw_base64_decode(&bytes, pgw_buf_view(&text)));
		ck_assert_uint_eq(bytes.len, sizeof(in));
		ck_assert_mem_eq(bytes.data, in, sizeof(in));
		pgw_buf_release(&text);
		pgw_buf_release(&bytes);
	}
}

END_TEST

START_TEST(lack_of_room_is_told)
{
	struct pgw_buf out;

	pgw_buf_init(&out, 4);
	ck_assert(pgw_base64_decode(&out, pgw_view_of("Zm9vYmFy")));
	ck_assert(out.failed);
	pgw_buf_release(&out);
}

END_TEST

UNIT_MAIN("base64", the_values_of_rfc_4648_go_both_ways,
	  what_is_not_base64_is_refused, a_nul_is_not_base64,
	  every_byte_survives_at_every_place, lack_of_room_is_told)
