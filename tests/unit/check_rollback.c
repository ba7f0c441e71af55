/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "rollback.h"
#include "unit.h"
#include "world.h"

/* "TAG=ROW ..." in the order in which they are rolled back. */
static const char *chosen(struct world *w, const struct mz_rollback *b)
{
	const char *text = "";

	for (size_t i = 0; i < w->plan.todo_count; i++)
		text = mz_printf(&w->arena, "%s%s%s=%lld", text, i ? " " : "",
				 w->plan.todo[i]->tag,
				 (long long)b->rows[i]->id);
	return text;
}

START_TEST(the_newest_of_the_folder_go_first_each_with_its_row)
{
	static const struct {
		const char *folder, *history, *to;
		size_t steps;
		const char *chosen;
	} cases[] = {
		/* clang-format off */
		{ "a:A:1 b:B:2 c:C:3", "A:1 B:2 C:3", NULL, 1, "c=3" },
		{ "a:A:1 b:B:2 c:C:3", "A:1 B:2 C:3", NULL, 2, "c=3 b=2" },
		{ "a:A:1 b:B:2 c:C:3", "A:1 B:2 C:3", NULL, 9, "c=3 b=2 a=1" },
		{ "a:A:1 b:B:2 c:C:3", "A:1 B:2 C:3", NULL, 0, "" },
		{ "a:A:1 b:B:2 c:C:3", "A:1 B:2 C:3", "a", SIZE_MAX, "c=3 b=2" },
		{ "a:A:1 b:B:2 c:C:3", "A:1 B:2 C:3", "c", SIZE_MAX, "" },
		{ "a:A:1 b:B:2 c:C:3", "", NULL, 1, "" },
		{ "", "", NULL, 1, "" },
		/* the folder says the order, not the rows */
		{ "a:A:1 b:B:2 c:C:3", "C:3 A:1 B:2", NULL, 3, "c=1 b=3 a=2" },
		/* what is pending is passed over */
		{ "a:A:1 b:B:2 c:C:3", "A:1 B:2", NULL, 1, "b=2" },
		{ "a:A:1 b:B:2 c:C:3", "A:1 C:3", NULL, 2, "c=2 a=1" },
		{ "a:A:1 b:B:2 c:C:3", "A:1 C:3", "b", SIZE_MAX, "c=2" },
		/* line ends are no disagreement; equal files are not the same */
		{ "a:A:1 b:B:2", "A:1 B-crlf:2", NULL, 1, "b=2" },
		{ "a:E:1 b:E:2 c:E:3", "E:1 E:2 E:3", NULL, 2, "c=3 b=2" },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct world w;
		struct mz_rollback b = { .steps = cases[i].steps };
		struct mz_wish wish = { .to = cases[i].to };
		struct mz_err err;

		make_world(&w, JOURNAL, cases[i].folder, cases[i].history);
		ck_assert(
			mz_rollback_choose(&b, &w.plan, &w.arena, &wish, &err));
		ck_assert_str_eq(chosen(&w, &b), cases[i].chosen);
		mz_arena_release(&w.arena);
	}
}

END_TEST

START_TEST(where_history_and_folder_disagree_nothing_is_chosen)
{
	static const struct {
		const char *folder, *history;
		struct mz_wish wish;
		enum mz_status status;
		const char *chosen;
	} cases[] = {
		/* clang-format off */
		{ "a:A:1 b:B:2", "X:1 B:2", { 0 }, MZ_history, "" },
		{ "a:A:1 b:B:2", "X:1 B:2", { .allow_modified = true }, MZ_ok, "b=2" },
		{ "a:A:1", "A:1 X:2", { 0 }, MZ_history, "" },
		{ "a:A:1", "A:1 X:2", { .allow_missing = true }, MZ_ok, "a=1" },
		{ "a:A:1 b:B:2", "A:1 B:2 B:2", { 0 }, MZ_history, "" },
		{ "a:A:1 b:B:2", "A:1 B:2", { .to = "x" }, MZ_usage, "" },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct world w;
		struct mz_rollback b = { .steps = 1 };
		struct mz_err err = { .status = MZ_ok };

		make_world(&w, JOURNAL, cases[i].folder, cases[i].history);
		ck_assert_int_eq(mz_rollback_choose(&b, &w.plan, &w.arena,
						    &cases[i].wish, &err),
				 cases[i].status == MZ_ok);
		ck_assert_int_eq(err.status, cases[i].status);
		ck_assert_str_eq(chosen(&w, &b), cases[i].chosen);
		mz_arena_release(&w.arena);
	}
}

END_TEST

START_TEST(steps_that_are_done_are_not_done_again)
{
	struct mz_options o = { .steps = 3 };

	ck_assert_uint_eq(mz_rollback_steps(&o, 0), 3);
	ck_assert_uint_eq(mz_rollback_steps(&o, 2), 1);
	ck_assert_uint_eq(mz_rollback_steps(&o, 3), 0);
	ck_assert_uint_eq(mz_rollback_steps(&o, 4), 0);
	o.to = "a";
	ck_assert_uint_eq(mz_rollback_steps(&o, 4), SIZE_MAX);
}

END_TEST

UNIT_MAIN("rollback", the_newest_of_the_folder_go_first_each_with_its_row,
	  where_history_and_folder_disagree_nothing_is_chosen,
	  steps_that_are_done_are_not_done_again)
