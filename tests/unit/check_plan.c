/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "plan.h"
#include "unit.h"
#include "world.h"

#include <string.h>

START_TEST(rows_and_migrations_are_matched_by_the_best_evidence)
{
	static const struct {
		enum mz_layout layout;
		const char *folder, *history, *states;
	} cases[] = {
		/* clang-format off */
		{ JOURNAL, "a:A:10 b:B:20", "", "pending pending" },
		{ JOURNAL, "", "A:10", "missing" },
		{ JOURNAL, "", "", "" },
		{ JOURNAL, "a:A:10 b:B:20", "A:10 B:20", "applied applied" },
		{ JOURNAL, "a:A:10 b:B:20", "B:20 A:10", "applied applied" },
		{ JOURNAL, "a:A:10 b:B:20", "A:10", "applied pending" },
		{ JOURNAL, "a:A:10 b:B:20", "B:20", "out-of-order applied" },
		{ JOURNAL, "a:A:10 b:B:20 c:C:30", "B:20", "out-of-order applied pending" },
		/* the time alone, the hash alone */
		{ JOURNAL, "a:A:10 b:B:20", "X:10 B:20", "modified applied" },
		{ JOURNAL, "a:A:10 b:B:20", "A:11 B:20", "applied applied" },
		{ JOURNAL, "a:A:10 b:B:20", "A:- B:-", "applied applied" },
		{ JOURNAL, "a:A:10 b:B:20", "X:-", "pending pending missing" },
		{ JOURNAL, "a:A:10", "A-crlf:10", "eol" },
		{ JOURNAL, "a:A:10", "A-crlf:11", "pending missing" },
		{ JOURNAL, "a:A:10 b:B:20", "A:10 X:15 B:20", "applied applied missing" },
		/* equal hashes: empty files */
		{ JOURNAL, "a:E:10 b:E:20 c:E:30", "E:10 E:30", "applied out-of-order applied" },
		{ JOURNAL, "a:E:10 b:E:20 c:E:30", "E:20", "out-of-order applied pending" },
		{ JOURNAL, "a:E:10 b:E:20", "E:10 E:10", "applied applied" },
		{ JOURNAL, "a:E:10 b:B:10", "B:10 E:10", "applied applied" },
		/* equal times */
		{ JOURNAL, "a:A:10 b:B:10", "X:10 B:10", "modified applied" },
		/* a run without a lock recorded everything twice */
		{ JOURNAL, "a:A:10 b:B:20", "A:10 A:10 B:20 B:20", "applied applied" },
		/* a table of 1.x holds whole seconds, a journal does not */
		{ JOURNAL, "a:A:1123 b:B:2456", "A:1000 B:2000", "applied applied" },
		{ JOURNAL, "a:A:1123 b:B:2456", "X:1000", "modified pending" },
		{ JOURNAL, "a:A:1123 b:B:2456", "X:1124", "pending pending missing" },
		{ FOLDERS, "19700101000001_a:A:1000", "A:1123", "applied" },
		{ FOLDERS, "19700101000001_a:A:1000", "X:1123", "modified" },
		{ FOLDERS, "19700101000001_a:A:1000", "X:2123", "pending missing" },
		/* five columns: the name */
		{ FOLDERS, "1_a:A:10 2_b:B:20", "A:10:1_a B:20:2_b", "applied applied" },
		{ FOLDERS, "1_a:A:10 2_b:B:20", "X:99:1_a", "modified pending" },
		{ FOLDERS, "1_a:A:10 2_b:B:20", "A-crlf:99:1_a", "eol pending" },
		{ FOLDERS, "1_a:A:10 1_b:B:10", "Y:10:1_b", "out-of-order modified" },
		{ FOLDERS, "1_a:A:10 1_b:B:10", "X:10:1_gone", "pending pending missing" },
		{ FOLDERS, "1_a:E:10 1_b:E:10", "E:10:1_b", "out-of-order applied" },
		{ FOLDERS, "1_new:A:10", "A:10:1_old", "applied" },
		/* a journal after drizzle-kit up: the name that it was given */
		{ JOURNAL, "0000_init:A:1123", "X:5:19700101000001_init", "modified" },
		{ JOURNAL, "0000_init:A:1123", "A:1123:19700101000001_init", "applied" },
		{ JOURNAL, "0000_init:A:1123", "A:1000:19700101000001_init", "applied" },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct world w;

		make_world(&w, cases[i].layout, cases[i].folder,
			   cases[i].history);
		ck_assert_msg(strcmp(states(&w), cases[i].states) == 0,
			      "%s with %s: want %s, got %s", cases[i].folder,
			      cases[i].history, cases[i].states, states(&w));
		mz_arena_release(&w.arena);
	}
}

END_TEST

START_TEST(rows_that_are_there_twice_are_counted_and_not_missing)
{
	static struct world w;

	make_world(&w, JOURNAL, "a:A:10 b:B:20", "A:10 A:10 B:20 B:20 X:5");
	ck_assert_uint_eq(w.plan.duplicates, 2);
	ck_assert_uint_eq(w.plan.counts[MZ_MISSING], 1);
	ck_assert_str_eq(w.plan.list[2].tag, "row 5");
	ck_assert_int_eq(w.plan.rows[2]->id, 5);
	ck_assert_int_eq(w.plan.duplicated[1]->id, 4);
	mz_arena_release(&w.arena);

	/* in 5 columns the name is what counts */
	make_world(&w, FOLDERS, "1_a:A:10", "A:10:1_a A:5:1_a A:7:1_x");
	ck_assert_uint_eq(w.plan.duplicates, 1);
	ck_assert_uint_eq(w.plan.counts[MZ_MISSING], 1);
	mz_arena_release(&w.arena);
}

END_TEST

static const char *chosen(struct world *w)
{
	const char *text = "";

	for (size_t i = 0; i < w->plan.todo_count; i++)
		text = mz_printf(&w->arena, "%s%s%s", text, i ? " " : "",
				 w->plan.todo[i]->tag);
	return text;
}

START_TEST(what_is_chosen_follows_the_wish)
{
	static const struct {
		const char *folder, *history;
		struct mz_wish wish;
		enum mz_status status; /* ok, or of the refusal */
		const char *todo;
	} cases[] = {
		/* clang-format off */
		{ "a:A:10 b:B:20", "", { 0 }, MZ_ok, "a b" },
		{ "a:A:10 b:B:20", "", { .to = "a" }, MZ_ok, "a" },
		{ "a:A:10 b:B:20", "A:10", { .to = "a" }, MZ_ok, "" },
		{ "a:A:10 b:B:20", "", { .to = "x" }, MZ_usage, "" },
		{ "a:A:10 b:B:20", "A:10 B:20", { 0 }, MZ_ok, "" },
		/* 3 columns: auto refuses, because it may have been skipped */
		{ "a:A:10 b:B:20", "B:20", { 0 }, MZ_history, "" },
		{ "a:A:10 b:B:20 c:C:30", "B:20", { .order = MZ_ORDER_APPLY }, MZ_ok, "a c" },
		{ "a:A:10 b:B:20 c:C:30", "B:20", { .order = MZ_ORDER_SKIP }, MZ_ok, "c" },
		{ "a:A:10 b:B:20 c:C:30", "B:20", { .order = MZ_ORDER_REFUSE }, MZ_history, "" },
		{ "a:A:10 b:B:20 c:C:30", "A:10 C:30", { .to = "a" }, MZ_ok, "" },
		/* 5 columns: auto applies, as 1.x does */
		{ "a:A:10 b:B:20", "B:20:b", { 0 }, MZ_ok, "a" },
		{ "a:A:10 b:B:20", "B:20:b", { .order = MZ_ORDER_REFUSE }, MZ_history, "" },
		/* what was edited or deleted stops everything */
		{ "a:A:10 b:B:20", "X:10", { 0 }, MZ_history, "" },
		{ "a:A:10 b:B:20", "X:10", { .allow_missing = true }, MZ_history, "" },
		{ "a:A:10 b:B:20", "X:10", { .allow_modified = true }, MZ_ok, "b" },
		{ "a:A:10 b:B:20", "A:10 X:15", { 0 }, MZ_history, "" },
		{ "a:A:10 b:B:20", "A:10 X:15", { .allow_missing = true }, MZ_ok, "b" },
		{ "a:A:10 b:B:20", "A-crlf:10", { 0 }, MZ_ok, "b" },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct world w;
		struct mz_err err = { 0 };
		bool ok;

		make_world(&w, JOURNAL, cases[i].folder, cases[i].history);
		ok = mz_plan_choose(&w.plan, &w.arena, &cases[i].wish, &err);
		ck_assert_msg(ok == (cases[i].status == MZ_ok) &&
				      err.status == cases[i].status,
			      "case %zu: %s", i, err.msg);
		ck_assert(ok || *err.msg);
		if (ok)
			ck_assert_str_eq(chosen(&w), cases[i].todo);
		mz_arena_release(&w.arena);
	}
}

END_TEST

START_TEST(a_disagreement_names_the_first_and_counts_the_rest)
{
	static struct world w;
	struct mz_wish wish = { 0 };
	struct mz_err err;

	make_world(&w, JOURNAL, "a:A:10 b:B:20 c:C:30", "X:10 Y:20 C:30");
	ck_assert(!mz_plan_agrees(&w.plan, &wish, &err));
	ck_assert_str_eq(err.msg,
			 "a was edited after it was applied: recorded with "
			 "hash X, the file has A (and 1 more)");
	mz_arena_release(&w.arena);
}

END_TEST

UNIT_MAIN("plan", rows_and_migrations_are_matched_by_the_best_evidence,
	  rows_that_are_there_twice_are_counted_and_not_missing,
	  what_is_chosen_follows_the_wish,
	  a_disagreement_names_the_first_and_counts_the_rest)
