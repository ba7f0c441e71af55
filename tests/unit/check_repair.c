/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "repair.h"
#include "unit.h"
#include "world.h"

/* "ROW:WHAT[=FROM>TO] ..." */
static const char *found(struct world *w)
{
	const char *text = "";
	struct mz_repairs r;

	mz_repairs_find(&r, &w->arena, &w->plan);
	for (size_t i = 0; i < r.count; i++) {
		const struct mz_repair *one = &r.list[i];

		text = mz_printf(&w->arena, "%s%s%lld:%s", text, i ? " " : "",
				 (long long)one->row, one->what);
		if (one->to)
			text = mz_printf(&w->arena, "%s=%s>%s", text,
					 one->from ? one->from : "-", one->to);
	}
	return text;
}

START_TEST(what_is_wrong_with_each_row_is_found)
{
	static const struct {
		enum mz_layout layout;
		const char *folder, *history, *found;
	} cases[] = {
		/* clang-format off */
		{ JOURNAL, "a:A:10 b:B:20", "A:10 B:20", "" },
		{ JOURNAL, "a:A:10 b:B:20", "", "" },
		{ JOURNAL, "a:A:10 b:B:20", "B:20", "" },
		{ JOURNAL, "a:A:10 b:B:20", "X:10 B:20", "1:hash=X>A" },
		{ JOURNAL, "a:A:10 b:B:20", "A-crlf:10 B:20", "1:hash=A-crlf>A" },
		{ JOURNAL, "a:A:10", "A:10 X:5", "2:row" },
		{ JOURNAL, "a:A:10", "A:10 A:10", "2:row" },
		{ JOURNAL, "a:E:10 b:E:20", "E:10 E:20", "" },
		{ JOURNAL, "a:A:10 b:B:20", "X:10 Y:5 B:20 B:20",
		  "1:hash=X>A 2:row 4:row" },
		/* times, of which only 0.x makes anything */
		{ JOURNAL, "a:A:1123", "A:-", "1:created_at=->1123" },
		{ JOURNAL, "a:A:1123", "A:1000", "1:created_at=1000>1123" },
		{ JOURNAL, "a:A:1123", "A:1122", "" },
		{ JOURNAL, "a:A:1123", "A:2000", "" },
		{ JOURNAL, "a:A:1000", "A:1000", "" },
		{ JOURNAL, "a:A:5123", "A:1000", "" },
		{ FOLDERS, "1_a:A:1000", "A:1123", "" },
		{ FOLDERS, "1_a:A:1000", "A:-", "" },
		/* names, of which only 1.x makes anything */
		{ FOLDERS, "1_a:A:10 2_b:B:20", "A:10:1_a B:20:-", "2:name=->2_b" },
		{ FOLDERS, "1_a:A:10", "A:10:1_old", "1:name=1_old>1_a" },
		{ FOLDERS, "1_a:A:10", "X:10:-", "1:hash=X>A 1:name=->1_a" },
		{ JOURNAL, "0000_a:A:1123", "A:1123:-", "1:name=->19700101000001_a" },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct world w;

		make_world(&w, cases[i].layout, cases[i].folder,
			   cases[i].history);
		ck_assert_msg(strcmp(found(&w), cases[i].found) == 0,
			      "%s with %s: want %s, got %s", cases[i].folder,
			      cases[i].history, cases[i].found, found(&w));
		mz_arena_release(&w.arena);
	}
}

END_TEST

START_TEST(values_are_quoted_and_rows_are_named_by_their_id)
{
	static const struct mz_table t = { .quoted = "\"s\".\"t\"" };
	static struct world w;
	struct mz_repairs r;
	const char *sql;

	make_world(&w, FOLDERS, "1_it's:A:10", "A:10:- X:5:9_gone");
	mz_repairs_find(&r, &w.arena, &w.plan);
	sql = mz_repairs_sql(&r, &w.arena, &t);
	ck_assert_ptr_nonnull(strstr(sql, "UPDATE \"s\".\"t\" SET \"name\" = "
					  "'1_it''s' WHERE id "
					  "OPERATOR(pg_catalog.=) 1; "));
	ck_assert_ptr_nonnull(strstr(sql, "DELETE FROM \"s\".\"t\" WHERE id "
					  "OPERATOR(pg_catalog.=) 2 "));
	r.count = 0;
	ck_assert_str_eq(mz_repairs_sql(&r, &w.arena, &t), "");
	mz_arena_release(&w.arena);
}

END_TEST

UNIT_MAIN("repair", what_is_wrong_with_each_row_is_found,
	  values_are_quoted_and_rows_are_named_by_their_id)
