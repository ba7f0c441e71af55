/* SPDX-License-Identifier: MIT */
/* What dotenv 16 makes of these texts. */
#include <config.h>

#include "dotenv.h"
#include "unit.h"

#include <string.h>

static const struct {
	const char *text, *variables; /* each as <name>value */
} cases[] = {
	{ "", "" },
	{ "A=1", "<A>1" },
	{ "A=1\nB=2\n", "<A>1<B>2" },
	{ "A=1\r\nB=2\rC=3", "<A>1<B>2<C>3" },
	{ "\xef\xbb\xbf"
	  "A=1",
	  "<A>1" },
	{ "  A  =  1 2  \n", "<A>1 2" },
	{ "export A=1", "<A>1" },
	{ "export\tA=1", "<A>1" },
	{ "exportA=1", "<exportA>1" },
	{ "export=1", "<export>1" },
	{ "export =1", "<export>1" },
	{ "A: 1", "<A>1" },
	{ "A:1", "" },
	{ "A.b-C_1=x", "<A.b-C_1>x" },
	{ "A=", "<A>" },
	{ "A=\nB=1", "<A><B>1" },
	{ "A", "" },
	{ "A B=1", "" },
	{ "# A=1\nB=2", "<B>2" },
	{ "A=1 # why", "<A>1" },
	{ "A=1#why", "<A>1" },
	{ "A=#why", "<A>" },
	{ "A='a b'", "<A>a b" },
	{ "A='a # b' # why", "<A>a # b" },
	{ "A=\"a # b\"", "<A>a # b" },
	{ "A=`a # b`", "<A>a # b" },
	{ "A=\"a\\nb\\tc\\rd\"", "<A>a\nb\\tc\rd" },
	{ "A='a\\nb'", "<A>a\\nb" },
	{ "A=a\\nb", "<A>a\\nb" },
	{ "A=\"a\nb\"\nB=1", "<A>a\nb<B>1" },
	{ "A='a\nb # c\n'\nB=1", "<A>a\nb # c\n<B>1" },
	{ "A=\"a", "<A>\"a" },
	{ "A=\"a\\nb", "<A>\"a\nb" },
	{ "A='a'b", "<A>'a'b" },
	{ "A='a' b'", "<A>a' b" },
	{ "A=\"a\\\"b\"", "<A>a\\\"b" },
	{ "A=\"a\\\"", "<A>a\\" },
	{ "A=\"{\"x\":1}\"", "<A>{\"x\":1}" },
	{ "A=''", "<A>" },
	{ "A=$B ${C}", "<A>$B ${C}" },
	{ "A=1\nA=2", "<A>1<A>2" },
	{ "A=postgres://u:p%40@h/d?sslmode=require",
	  "<A>postgres://u:p%40@h/d?sslmode=require" },
};

START_TEST(a_file_is_read_as_dotenv_does)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name, *value, *all = "";
		struct mz_arena arena;
		struct mz_dotenv d;

		mz_arena_init(&arena);
		mz_dotenv_init(&d, &arena, pgw_view_of(cases[i].text));
		while (mz_dotenv_next(&d, &name, &value))
			all = mz_printf(&arena, "%s<%s>%s", all, name, value);
		ck_assert_msg(strcmp(all, cases[i].variables) == 0,
			      "case %zu: %s", i, all);
		mz_arena_release(&arena);
	}
}

END_TEST

START_TEST(the_last_value_of_a_name_counts)
{
	struct mz_arena arena;
	struct mz_dotenv d;

	mz_arena_init(&arena);
	mz_dotenv_init(&d, &arena, pgw_view_of("A=1\nAB=2\nA=3\n"));
	ck_assert_str_eq(mz_dotenv_get(&d, "A"), "3");
	ck_assert_str_eq(mz_dotenv_get(&d, "AB"), "2");
	ck_assert_ptr_null(mz_dotenv_get(&d, "B"));
	mz_dotenv_init(&d, &arena,
		       (struct pgw_view){ (const unsigned char *)"A=1\0", 4 });
	ck_assert_ptr_null(mz_dotenv_get(&d, "A"));
	mz_dotenv_init(&d, &arena, (struct pgw_view){ NULL, 0 });
	ck_assert_ptr_null(mz_dotenv_get(&d, "A"));
	mz_arena_release(&arena);
}

END_TEST

UNIT_MAIN("dotenv", a_file_is_read_as_dotenv_does,
	  the_last_value_of_a_name_counts)
