/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "journal.h"
#include "unit.h"

#include <string.h>

static struct mz_arena arena;
static struct mz_err err;

static bool parse(struct mz_journal *j, struct mz_findings *findings,
		  const char *text, size_t n)
{
	struct mz_loader l = { .arena = &arena,
			       .findings = findings,
			       .err = &err };

	err = (struct mz_err){ 0 };
	return mz_journal_parse(j, &l, "d/meta/_journal.json",
				(struct pgw_view){ (const unsigned char *)text,
						   n });
}

START_TEST(only_tag_and_when_matter_and_the_order_is_that_of_the_array)
{
	static const char text[] =
		"{\"version\":\"5\",\"dialect\":\"pg\",\"entries\":[\n"
		"  {\"idx\":7,\"when\":30,\"tag\":\"b\",\"x\":[{}]},\n"
		"  { \"tag\":\"a{[\\\"\", \"when\":\" 20 \"},\n"
		"\t{\"when\":-1e3,\"tag\":\"\xc3\xa4\",\"idx\":\"no\"}]}";
	struct mz_journal j;

	mz_arena_init(&arena);
	ck_assert_msg(parse(&j, NULL, text, strlen(text)), "%s", err.msg);
	ck_assert_uint_eq(j.count, 3);
	ck_assert_str_eq(j.entries[0].tag, "b");
	ck_assert_int_eq(j.entries[0].when, 30);
	ck_assert(j.entries[0].has_idx);
	ck_assert_int_eq(j.entries[0].idx, 7);
	ck_assert_uint_eq(j.entries[0].line, 2);
	ck_assert_uint_eq(j.entries[0].column, 3);
	ck_assert_str_eq(j.entries[1].tag, "a{[\"");
	ck_assert_int_eq(j.entries[1].when, 20);
	ck_assert(!j.entries[1].has_idx);
	ck_assert_uint_eq(j.entries[1].line, 3);
	ck_assert_str_eq(j.entries[2].tag, "\xc3\xa4");
	ck_assert_int_eq(j.entries[2].when, -1000);
	ck_assert(!j.entries[2].has_idx);
	ck_assert_uint_eq(j.entries[2].line, 4);
	ck_assert_uint_eq(j.entries[2].column, 2);
	mz_arena_release(&arena);
}

END_TEST

#define ENTRIES(text) "{\"entries\":[" text "]}"
#define ENTRY(tag) "{\"when\":1,\"tag\":\"" tag "\"}"

static const struct {
	const char *text;
	const char *tag; /* of the only entry */
	size_t line, column;
} odd[] = {
	{ " \n" ENTRIES("\n" ENTRY("a") "\n") "\r\n ", "a", 3, 1 },
	{ "{\"entries\":[" ENTRY("a") "],\"entries\":[" ENTRY("b") "]}", "b", 1,
	  46 },
	{ "{\"entries\":[" ENTRY("a") "],\"\\u0065ntries\":[" ENTRY("b") "]}",
	  "b", 0, 0 },
	{ "{\"entries\":1,\"entries\":[" ENTRY("b") "]}", "b", 1, 25 },
	{ "{\"x\":{\"entries\":[" ENTRY("a") "]},\"entries\":[" ENTRY("b") "]}",
	  "b", 1, 52 },
	{ ENTRIES("{\"when\":1,\"entries\":[" ENTRY("a") "],\"tag\":\"b\"}"),
	  "b", 1, 13 },
	{ "{\"x\":\"entries\",\"y\":[" ENTRY("a") "],\"entries\":[" ENTRY(
		  "b") "]}",
	  "b", 1, 54 },
};

START_TEST(of_names_that_are_equal_the_last_in_the_root_counts)
{
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct mz_findings findings;
		struct mz_journal j;

		mz_arena_init(&arena);
		mz_findings_init(&findings, &arena);
		for (int checks = 0; checks < 2; checks++) {
			ck_assert_msg(parse(&j, checks ? &findings : NULL,
					    odd[i].text, strlen(odd[i].text)),
				      "case %zu: %s", i, err.msg);
			ck_assert_uint_eq(j.count, 1);
			ck_assert_str_eq(j.entries[0].tag, odd[i].tag);
			ck_assert_msg(j.entries[0].line == odd[i].line &&
					      j.entries[0].column ==
						      odd[i].column,
				      "case %zu: %zu:%zu", i, j.entries[0].line,
				      j.entries[0].column);
		}
		ck_assert_uint_eq(findings.errors, 0);
		mz_arena_release(&arena);
	}
}

END_TEST

static const struct {
	const char *text;
	const char *message; /* a part of it */
	size_t line, column;
} broken[] = {
	{ "", "is empty", 1, 1 },
	{ "{\n  \"entries\": [,]\n}", "is not valid JSON", 2, 15 },
	{ "{\"entries\":[]} x", "is not valid JSON", 1, 16 },
	{ "[]", "has no array called \"entries\"", 1, 1 },
	{ "{}", "has no array called \"entries\"", 1, 1 },
	{ "{\"entries\":{}}", "has no array called \"entries\"", 1, 1 },
	{ "\xef\xbb\xbf{\"entries\":[]}", "byte order mark", 1, 1 },
	{ "\xff\xfe{", "UTF-16", 1, 1 },
	{ "{\"entries\":[\n<<<<<<< HEAD\n{}\n=======\n>>>>>>> b\n]}",
	  "unresolved merge conflict", 2, 1 },
	{ "{\"dialect\":\"mysql\",\"entries\":[]}", "mysql", 0, 0 },
	{ "{\"dialect\":\"sqlite\",\"entries\":[]}", "sqlite", 0, 0 },
	{ ENTRIES("1"), "entry 1 is not an object", 0, 0 },
	{ ENTRIES("null"), "entry 1 is not an object", 0, 0 },
	{ ENTRIES("1{}"), "is not valid JSON", 1, 14 },
	{ ENTRIES("{}{}"), "is not valid JSON", 1, 15 },
	{ ENTRIES(ENTRY("a") ",{\"tag\":\"b\",,}"), "is not valid JSON", 1,
	  45 },
	{ ENTRIES(ENTRY("a") ",{\"tag\":\"b\"]"), "is not valid JSON", 1, 44 },
	{ "{\"entries\":[" ENTRY("a") "],\"entries\":1}",
	  "has no array called \"entries\"", 1, 1 },
	{ ENTRIES("[]"), "entry 1 is not an object", 1, 13 },
	{ ENTRIES("\n {\"when\":1}"), "entry 1 has no tag", 2, 2 },
	{ ENTRIES("{\"when\":1,\"tag\":1}"), "entry 1 has no tag", 1, 13 },
	{ ENTRIES("{\"when\":1,\"tag\":\"\"}"), "an empty tag", 1, 13 },
	{ ENTRIES("{\"when\":1,\"tag\":\"../x\"}"), "slash", 1, 13 },
	{ ENTRIES("{\"when\":1,\"tag\":\"/etc/x\"}"), "slash", 1, 13 },
	{ ENTRIES("{\"when\":1,\"tag\":\"..x\"}"), "two dots", 1, 13 },
	{ ENTRIES("{\"when\":1,\"tag\":\"a\\u0000b\"}"), "NUL", 1, 13 },
	{ ENTRIES("{\"tag\":\"a\"}"), "entry 1 (a) has no \"when\"", 1, 13 },
	{ ENTRIES("{\"tag\":\"a\",\"when\":1.5}"), "not a whole number", 1,
	  13 },
	{ ENTRIES("{\"tag\":\"a\",\"when\":1e300}"), "not a whole number", 1,
	  13 },
	{ ENTRIES("{\"tag\":\"a\",\"when\":\"1x\"}"), "not a whole number", 1,
	  13 },
	{ ENTRIES("{\"tag\":\"a\",\"when\":\"\"}"), "not a whole number", 1,
	  13 },
	{ ENTRIES("{\"tag\":\"a\",\"when\":\"99999999999999999999\"}"),
	  "not a whole number", 1, 13 },
	{ ENTRIES("{\"tag\":\"a\",\"when\":null}"), "not a whole number", 1,
	  13 },
	{ ENTRIES("{\"tag\":\"a\",\"when\":1},{\"tag\":\"b\",\"when\":2},\n"
		  "{\"tag\":\"a\",\"when\":3}"),
	  "entry 3 (a) is there twice", 2, 1 },
};

START_TEST(what_is_wrong_is_told_with_its_place_and_a_remedy)
{
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct mz_journal j;

		mz_arena_init(&arena);
		ck_assert_msg(!parse(&j, NULL, broken[i].text,
				     strlen(broken[i].text)),
			      "case %zu", i);
		ck_assert_msg(strstr(err.msg, broken[i].message) != NULL,
			      "case %zu: %s", i, err.msg);
		ck_assert_int_eq(err.status, MZ_usage);
		ck_assert_msg(err.hint[0] != '\0', "case %zu", i);
		ck_assert_str_eq(err.place.file, "d/meta/_journal.json");
		ck_assert_msg(err.place.line == broken[i].line &&
				      err.place.column == broken[i].column,
			      "case %zu: %zu:%zu", i, err.place.line,
			      err.place.column);
		mz_arena_release(&arena);
	}
}

END_TEST

START_TEST(a_check_goes_on_after_a_broken_entry)
{
	static const char text[] = ENTRIES(
		"{\"tag\":\"a\",\"when\":1},{\"tag\":\"b\"},\n"
		"{\"tag\":\"c\",\"when\":2},{\"tag\":\"c\",\"when\":3}");
	struct mz_findings findings;
	struct mz_journal j;

	mz_arena_init(&arena);
	mz_findings_init(&findings, &arena);
	ck_assert(parse(&j, &findings, text, strlen(text)));
	ck_assert_uint_eq(j.count, 3);
	ck_assert_str_eq(j.entries[1].tag, "c");
	ck_assert_uint_eq(j.entries[1].line, 2);
	ck_assert_uint_eq(findings.errors, 2);
	ck_assert_str_eq(findings.first->rule, "journal-entry");
	ck_assert_str_eq(findings.last->rule, "duplicate-tag");
	mz_arena_release(&arena);
}

END_TEST

START_TEST(deep_nesting_does_not_end_the_program)
{
	enum { DEPTH = 1000000 };

	char *text = malloc(DEPTH);
	struct mz_journal j;

	ck_assert_ptr_nonnull(text);
	memset(text, '[', DEPTH);
	mz_arena_init(&arena);
	ck_assert(!parse(&j, NULL, text, DEPTH));
	mz_arena_release(&arena);
	free(text);
}

END_TEST

UNIT_MAIN("journal",
	  only_tag_and_when_matter_and_the_order_is_that_of_the_array,
	  of_names_that_are_equal_the_last_in_the_root_counts,
	  what_is_wrong_is_told_with_its_place_and_a_remedy,
	  a_check_goes_on_after_a_broken_entry,
	  deep_nesting_does_not_end_the_program)
