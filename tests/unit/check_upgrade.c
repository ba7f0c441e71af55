/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "unit.h"
#include "upgrade.h"
#include "world.h"

/* The tag that each row gets, "-" for none. */
static const char *matched(struct world *w, struct mz_upgrade *u)
{
	const char *text = "";

	mz_upgrade_match(u, &w->arena, &w->folder, &w->history);
	for (size_t j = 0; j < w->history.count; j++)
		text = mz_printf(&w->arena, "%s%s%s", text, j ? " " : "",
				 u->of[j] ? u->of[j]->tag : "-");
	return text;
}

START_TEST(rows_get_the_names_that_drizzle_would_give_them)
{
	static const struct {
		const char *folder, *history, *names;
	} cases[] = {
		/* clang-format off */
		{ "a:A:1000 b:B:2000", "A:1123 B:2456", "a b" },
		{ "a:A:1000 b:B:2000", "", "" },
		/* one of that second: the hash is not looked at */
		{ "a:A:1000 b:B:2000", "X:1999 Y:2000", "a b" },
		{ "a:A:1000 b:B:2000", "B:1123", "a" },
		/* several: the hash decides, and nothing else */
		{ "a:A:1000 b:B:1000", "B:1123 A:1123", "b a" },
		{ "a:A:1000 b:B:1000", "X:1123", "-" },
		{ "a:E:1000 b:E:1000", "E:1123 E:1456", "a a" },
		{ "a:A:1000 b:B:1000 c:C:2000", "C:1123", "-" },
		/* none: by the hash, and of equal ones the newest */
		{ "a:A:1000 b:B:2000", "B:7", "b" },
		{ "a:A:1000 b:B:2000", "X:7", "-" },
		{ "a:A:1000 b:B:2000", "A:- B:-", "a b" },
		{ "a:E:1000 b:E:3000 c:E:2000", "E:-", "b" },
		/* the last three digits become 000, also below zero */
		{ "a:A:0 b:B:-1000", "X:5 X:999 X:-5 X:-999", "a a a a" },
		{ "a:A:0 b:B:-1000", "X:-1000 X:-1999 X:-2000", "b b -" },
		/* recorded twice */
		{ "a:A:1000 b:B:2000", "A:1123 A:1123 B:2456", "a a b" },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct world w;
		struct mz_upgrade u;

		make_world(&w, FOLDERS, cases[i].folder, cases[i].history);
		ck_assert_msg(strcmp(matched(&w, &u), cases[i].names) == 0,
			      "%s with %s: want %s, got %s", cases[i].folder,
			      cases[i].history, cases[i].names,
			      matched(&w, &u));
		mz_arena_release(&w.arena);
	}
}

END_TEST

START_TEST(a_row_of_no_migration_is_named_and_nothing_is_upgraded)
{
	static struct world w;
	struct mz_upgrade u;
	struct mz_err err;

	make_world(&w, FOLDERS, "a:A:1000", "A:1123 X:5000 Y:6000");
	(void)matched(&w, &u);
	ck_assert_uint_eq(u.unmatched, 2);
	ck_assert(!mz_upgrade_agrees(&u, &w.arena, &w.history, &err));
	ck_assert_int_eq(err.status, MZ_history);
	ck_assert_ptr_nonnull(strstr(err.msg, "(id 2, 3)"));
	ck_assert_ptr_nonnull(strstr(err.hint, "mizzle repair"));
	mz_arena_release(&w.arena);
}

END_TEST

START_TEST(only_so_many_rows_are_named)
{
	static struct world w;
	struct mz_upgrade u;
	struct mz_err err;

	make_world(&w, FOLDERS, "a:A:1000",
		   "X:1 X:2 X:3 X:4 X:5 X:6 X:7 X:8 X:9 X:10 X:11");
	w.migrations[0].when = 5000; /* so that the second of none */
	(void)matched(&w, &u);
	ck_assert_uint_eq(u.unmatched, 11);
	ck_assert(!mz_upgrade_agrees(&u, &w.arena, &w.history, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "9, 10, ...)"));
	mz_arena_release(&w.arena);
}

END_TEST

START_TEST(only_a_history_of_0_x_under_folders_of_1_x_is_due)
{
	static const struct {
		enum mz_layout layout;
		enum mz_shape shape;
		bool due;
	} cases[] = {
		{ MZ_LAYOUT_FOLDERS, MZ_SHAPE_COLUMNS_3, true },
		{ MZ_LAYOUT_FOLDERS, MZ_SHAPE_COLUMNS_5, false },
		{ MZ_LAYOUT_FOLDERS, MZ_SHAPE_ABSENT, false },
		{ MZ_LAYOUT_JOURNAL, MZ_SHAPE_COLUMNS_3, false },
		{ MZ_LAYOUT_PLAIN, MZ_SHAPE_COLUMNS_3, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mz_folder f = { .layout = cases[i].layout };
		struct mz_history h = { .shape = cases[i].shape };

		ck_assert_int_eq(mz_upgrade_is_due(&f, &h), cases[i].due);
	}
}

END_TEST

START_TEST(names_that_drizzle_does_not_know_are_noted)
{
	static const struct {
		enum mz_layout layout;
		const char *folder, *history, *name; /* of the first; or "" */
		size_t unnamed;
	} cases[] = {
		/* clang-format off */
		{ FOLDERS, "1_a:A:10 2_b:B:20", "A:10:1_a B:20:2_b", "", 0 },
		{ FOLDERS, "1_a:A:10 2_b:B:20", "A:10:- B:20:-", "1_a", 2 },
		{ FOLDERS, "1_a:A:10 2_b:B:20", "A:10:1_x B:20:2_b", "1_a", 1 },
		{ FOLDERS, "1_a:A:10 2_b:B:20", "B:20:-", "", 1 },
		/* in 3 columns there are no names */
		{ FOLDERS, "1_a:A:10", "A:10", "", 0 },
		/* under a journal any name will do, but none will not */
		{ JOURNAL, "0000_a:A:1123", "A:1123:other", "", 0 },
		{ JOURNAL, "0000_a:A:1123", "A:1123:-", "19700101000001_a", 1 },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct world w;
		const char *name;

		make_world(&w, cases[i].layout, cases[i].folder,
			   cases[i].history);
		mz_upgrade_note(&w.plan, &w.arena);
		name = mz_upgrade_name(&w.plan, &w.arena, 0);
		ck_assert_str_eq(name ? name : "", cases[i].name);
		ck_assert_uint_eq(w.plan.unnamed, cases[i].unnamed);
		ck_assert_int_eq(w.plan.list[0].note != NULL, name != NULL);
		mz_arena_release(&w.arena);
	}
}

END_TEST

UNIT_MAIN("upgrade", rows_get_the_names_that_drizzle_would_give_them,
	  a_row_of_no_migration_is_named_and_nothing_is_upgraded,
	  only_so_many_rows_are_named,
	  only_a_history_of_0_x_under_folders_of_1_x_is_due,
	  names_that_drizzle_does_not_know_are_noted)
