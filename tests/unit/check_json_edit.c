/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "json_edit.h"
#include "unit.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void rewritten(const char *text, struct mz_json_edit *edits, size_t n,
		      const char *want)
{
	struct pgw_buf out;

	pgw_buf_init(&out, SIZE_MAX);
	mz_json_rewrite(&out, pgw_view_of(text), edits, n);
	pgw_buf_put_u8(&out, 0);
	ck_assert(!out.failed);
	ck_assert_str_eq((const char *)out.data, want);
	pgw_buf_release(&out);
}

START_TEST(it_is_written_as_json_stringify_does)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{}", "{}" },
		{ " { } \n", "{}" },
		{ "{\"a\":1}", "{\n  \"a\": 1\n}" },
		{ "{\"a\":[],\"b\":{ }}", "{\n  \"a\": [],\n  \"b\": {}\n}" },
		{ "{\"a\":[1,{\"b\":null}]}",
		  "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  "
		  "]\n}" },
		{ "{\"a\\\"}\":\"x, {y: [z] \\\\\"}",
		  "{\n  \"a\\\"}\": \"x, {y: [z] \\\\\"\n}" },
		{ "{\"n\":12345678901234567890.10e+2,\t\"t\":true}",
		  "{\n  \"n\": 12345678901234567890.10e+2,\n  \"t\": true\n}" },
		{ "{\"\xc3\xa9\":\"\\u00e9\"}",
		  "{\n  \"\xc3\xa9\": \"\\u00e9\"\n}" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		rewritten(cases[i].text, NULL, 0, cases[i].want);
}

END_TEST

START_TEST(a_value_of_the_root_is_replaced)
{
	struct mz_json_edit e[] = { { "id", "\"new\"", false, 0 },
				    { "more", "{\"x\":{}}", false, 0 } };

	rewritten("{\"a\":{\"id\":1},\"id\":\"old\",\"s\":\"id\",\"more\":[1,"
		  "[2,\"]}\"],3],\"z\":0}",
		  e, COUNT(e),
		  "{\n  \"a\": {\n    \"id\": 1\n  },\n  \"id\": \"new\",\n"
		  "  \"s\": \"id\",\n  \"more\": {\n    \"x\": {}\n  },\n"
		  "  \"z\": 0\n}");
	ck_assert_uint_eq(e[0].done, 1);
	ck_assert_uint_eq(e[1].done, 1);
	rewritten("{\"more\":{\"id\":{}}}", e, COUNT(e),
		  "{\n  \"more\": {\n    \"x\": {}\n  }\n}");
	ck_assert_uint_eq(e[0].done, 0);
	rewritten("{\"id\" : 1 , \"id\":2}", e, COUNT(e),
		  "{\n  \"id\": \"new\",\n  \"id\": \"new\"\n}");
	ck_assert_uint_eq(e[0].done, 2);
}

END_TEST

START_TEST(a_value_is_appended_to_an_array_of_the_root)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{\"e\":[]}", "{\n  \"e\": [\n    {\n      \"k\": 1\n    }\n"
				"  ]\n}" },
		{ "{\"e\":[ ],\"z\":[]}",
		  "{\n  \"e\": [\n    {\n      \"k\": 1\n    }\n  ],\n"
		  "  \"z\": []\n}" },
		{ "{\"e\":[[5],{\"e\":[]}]}",
		  "{\n  \"e\": [\n    [\n      5\n    ],\n    {\n      \"e\": "
		  "[]\n    },\n    {\n      \"k\": 1\n    }\n  ]\n}" },
		{ "{\"x\":[\"e\"],\"e\":[7]}",
		  "{\n  \"x\": [\n    \"e\"\n  ],\n  \"e\": [\n    7,\n    {\n"
		  "      \"k\": 1\n    }\n  ]\n}" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mz_json_edit e = { "e", "{\"k\":1}", true, 0 };

		rewritten(cases[i].text, &e, 1, cases[i].want);
		ck_assert_uint_eq(e.done, 1);
	}
}

END_TEST

UNIT_MAIN("json_edit", it_is_written_as_json_stringify_does,
	  a_value_of_the_root_is_replaced,
	  a_value_is_appended_to_an_array_of_the_root)
