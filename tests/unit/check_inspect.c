/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "inspect.h"
#include "tree.h"
#include "unit.h"

#define B MZ_BREAKPOINT
#define NOW 1795362439185

static struct mz_arena arena;
static struct mz_findings findings;

/* What was found, as "rule:line:column rule:line:column". */
static const char *rules(void)
{
	const char *all = "";

	for (const struct mz_finding *f = findings.first; f; f = f->next)
		all = mz_printf(&arena, "%s%s%s:%zu:%zu", all,
				all[0] ? " " : "", f->rule, f->line, f->column);
	return all;
}

static const struct {
	const char *text, *rules;
} scripts[] = {
	{ "create table a ();\n" B "\ncreate table b ();", "" },
	{ "", "empty:0:0" },
	{ "-- Custom SQL migration file, put your code below! --",
	  "empty:0:0" },
	{ "\xef\xbb\xbfselect 1", "bom:1:1" },
	{ "\xff\xfes", "utf-16:1:1" },
	{ "select 1;\nselect '\xe9'", "bad-utf8:2:9" },
	{ "select 1;\r\nselect 2;\r\n", "crlf:1:10" },
	{ "select 1;\nselect 2;\r\n", "mixed-eol:2:10" },
	{ "select 1;\nselect '\xc3\xa4' || 'x", "unterminated:2:15" },
	{ "select 'a" B "\nb'", "unterminated:1:8" },
	{ "select $x$ $$", "unterminated:1:8" },
	{ "select \"a", "unterminated:1:8" },
	{ "/* /* */", "unterminated:1:1" },
	{ "select 1;\n<<<<<<< HEAD\nselect 2;\n=======\nselect 3;\n"
	  ">>>>>>> b\n",
	  "conflict:2:1" },
	{ "select '\n<<<<<<< HEAD\n'", "" },
	{ "/*\n<<<<<<< HEAD\n*/ select 1;\n>>>>>>> b\n", "conflict:4:1" },
	{ "select 1;\n=======\n", "conflict:2:1" },
	{ "select 1;\n-->statement-breakpoint\nselect 2",
	  "misspelt-breakpoint:2:1" },
	{ "select 1; -- Statement-Breakpoint\nselect 2",
	  "misspelt-breakpoint:1:11" },
	{ "select 1;\n--> statement_breakpoint\nselect 2",
	  "misspelt-breakpoint:2:1" },
	{ "select 1;\n-->  statement-breakpoint\nselect 2",
	  "misspelt-breakpoint:2:1" },
	{ "select 1; -- no statement-breakpoint here", "" },
	{ "statement-breakpoint", "" },
	{ "select 1;" B "s\nselect 2", "breakpoint-tail:1:34" },
	{ "select 1;" B " -- why\nselect 2", "" },
	{ "select 1;" B "\r\nselect 2\r\n", "crlf:1:34" },
	{ "begin;\nselect 1;\ncommit;", "begin:1:1 commit:3:1" },
	{ "-- mizzle: no-transaction\nselect 1;", "" },
	{ "-- mizzle: no-transactions\nselect 1;", "directive:1:12" },
	{ "select 1;" B "\n rollback", "rollback:2:2" },
	{ "do $$ begin commit; end $$", "" },
	{ "copy a from stdin", "unterminated:1:1" },
	{ "select 1;\ncopy a from stdin;\n1\n\\.\nbegin",
	  "copy-stdin:2:1 begin:5:1" },
	{ "copy a from stdin;\n'\n=======\n\\.\n=======\n",
	  "conflict:5:1 copy-stdin:1:1" },
	{ "select 1;\n\\set a b", "psql-command:2:1" },
	{ "create index concurrently i on a (b)", "alone:1:1" },
	{ "select 1;\n" B "create index concurrently i on a (b);",
	  "breakpoint-tail:2:25 alone:2:25" },
};

START_TEST(each_fault_of_a_script_is_found_where_it_is)
{
	static const struct mz_migration m = { .tag = "t", .path = "d/t.sql" };

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		mz_arena_init(&arena);
		mz_findings_init(&findings, &arena);
		mz_inspect_script(&m, pgw_view_of(scripts[i].text), &findings);
		ck_assert_msg(strcmp(rules(), scripts[i].rules) == 0,
			      "case %zu: %s", i, rules());
		mz_arena_release(&arena);
	}
}

END_TEST

START_TEST(a_nul_byte_is_found)
{
	static const struct mz_migration m = { .tag = "t", .path = "d/t.sql" };

	mz_arena_init(&arena);
	mz_findings_init(&findings, &arena);
	mz_inspect_script(&m,
			  (struct pgw_view){
				  (const unsigned char *)"select\0 1", 9 },
			  &findings);
	ck_assert_str_eq(rules(), "nul:1:7");
	mz_inspect_script(&m, (struct pgw_view){ NULL, 0 }, &findings);
	ck_assert_str_eq(rules(), "nul:1:7 empty:0:0");
	mz_arena_release(&arena);
}

END_TEST

#define ENTRY(idx, tag, when) \
	"{\"idx\":" #idx ",\"tag\":\"" tag "\",\"when\":" #when "}"

/* A journal, and what is found; each file named is made, with "select 1". */
static const struct {
	const char *journal;
	const char *files[4];
	const char *rules;
} folders[] = {
	{ ENTRY(0, "0000_a", 1) "," ENTRY(1, "0001_b", 2),
	  { "0000_a.sql", "0001_b.sql", "0001_b.down.sql" },
	  "" },
	{ ENTRY(0, "0000_a", 2) "," ENTRY(1, "0001_b", 1),
	  { "0000_a.sql", "0001_b.sql" },
	  "journal-order:2:35" },
	{ ENTRY(0, "0000_a", 2) "," ENTRY(1, "0001_b", 2),
	  { "0000_a.sql", "0001_b.sql" },
	  "duplicate-when:2:35" },
	{ ENTRY(0, "0000_a", 1795462439185),
	  { "0000_a.sql" },
	  "future-when:2:1" },
	{ ENTRY(0, "0000_a", 1795362539185), { "0000_a.sql" }, "" },
	{ ENTRY(0, "0000_a", 1) ",\n" ENTRY(3, "0001_b",
					    2) ",\n" ENTRY(4, "0002_c", 3),
	  { "0000_a.sql", "0001_b.sql", "0002_c.sql" },
	  "journal-idx:3:1" },
	{ ENTRY(0, "0000_a", 1) ",\n" ENTRY(1, "0000_b", 2),
	  { "0000_a.sql", "0000_b.sql" },
	  "duplicate-prefix:3:1" },
	{ ENTRY(0, "0000_a", 1), { NULL }, "missing-file:0:0" },
	{ ENTRY(0, "0000_a", 1),
	  { "0000_a.sql", "b.sql", "c.down.sql", ".d.sql" },
	  "stray-file:0:0 stray-file:0:0" },
	{ ENTRY(0, "0000_a", 1),
	  { "0000_a.sql", "20240101000000_x/migration.sql" },
	  "stray-file:0:0" },
	{ ENTRY(0, "0000_a", 1) "," ENTRY(1, "0000_a", 2),
	  { "0000_a.sql" },
	  "duplicate-tag:2:35 duplicate-prefix:2:35" },
	{ "{}", { "0000_a.sql" }, "journal-entry:2:1" },
	{ "{", { "0000_a.sql" }, "journal:3:1" },
};

START_TEST(each_fault_of_a_journal_is_found)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct mz_folder f;
		struct mz_err err;
		struct tree t;

		tree_init(&t);
		mz_arena_init(&arena);
		mz_findings_init(&findings, &arena);
		tree_put(&t, "meta/_journal.json",
			 mz_printf(&arena, "{\"entries\":[\n%s\n]}",
				   folders[i].journal));
		for (size_t k = 0; k < 4 && folders[i].files[k]; k++)
			tree_put(&t, folders[i].files[k], "select 1");
		ck_assert(mz_inspect(&f, &findings,
				     (struct mz_where){ t.dir, NULL }, NOW,
				     &err));
		ck_assert_msg(strcmp(rules(), folders[i].rules) == 0,
			      "case %zu: %s", i, rules());
		mz_arena_release(&arena);
		tree_release(&t);
	}
}

END_TEST

START_TEST(other_layouts_have_faults_of_their_own)
{
	struct mz_folder f;
	struct mz_err err;
	struct tree t;

	tree_init(&t);
	mz_arena_init(&arena);
	mz_findings_init(&findings, &arena);
	ck_assert(!mz_inspect(&f, &findings, (struct mz_where){ t.dir, NULL },
			      NOW, &err));
	tree_put(&t, "9_a.sql", "select 1");
	tree_put(&t, "10_b.sql", "select 1");
	ck_assert(mz_inspect(&f, &findings, (struct mz_where){ t.dir, NULL },
			     NOW, &err));
	ck_assert_str_eq(rules(), "number-order:0:0");
	mz_findings_init(&findings, &arena);
	tree_put(&t, "20240101000000_a/migration.sql", "select 1");
	tree_put(&t, "20240101000000_b/migration.sql", "commit");
	tree_put(&t, "20240102000000_c/snapshot.json", "{}");
	tree_put(&t, "junk/migration.sql", "select 1");
	tree_put(&t, "20240101000000_a.down.sql", "select 1");
	ck_assert(mz_inspect(&f, &findings, (struct mz_where){ t.dir, NULL },
			     NOW, &err));
	ck_assert_str_eq(rules(), "bad-name:0:0 same-time:0:0 stray-file:0:0 "
				  "stray-file:0:0 stray-file:0:0 "
				  "stray-file:0:0 commit:1:1");
	mz_arena_release(&arena);
	tree_release(&t);
}

END_TEST

START_TEST(a_down_script_that_a_rollback_would_refuse_is_found)
{
	static const struct {
		const char *text, *rules;
	} cases[] = {
		{ "drop table a;", "" },
		{ "", "" },
		{ "-- nothing to undo", "" },
		{ "savepoint s; drop table a; rollback to s", "" },
		{ "drop table a;\ncommit", "down-script:2:1" },
		{ "vacuum", "down-script:1:1" },
		{ "drop index concurrently a", "down-script:1:1" },
		{ "copy a from stdin", "down-script:1:1" },
		{ "-- why\n-- mizzle: no-transaction\n", "down-script:2:12" },
		{ "select '\xe9'", "down-script:1:9" },
		{ "select 'a", "down-script:1:8" },
	};

	static const char *const names[] = {
		"20240101000000_a/down.sql",
		"20240101000000_a.down.sql",
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		bool plain = i % 2;
		struct mz_folder f;
		struct mz_err err;
		struct tree t;

		tree_init(&t);
		mz_arena_init(&arena);
		mz_findings_init(&findings, &arena);
		tree_put(&t,
			 plain ? "20240101000000_a.sql" :
				 "20240101000000_a/migration.sql",
			 "select 1");
		tree_put(&t, names[plain], cases[i / 2].text);
		ck_assert(mz_inspect(&f, &findings,
				     (struct mz_where){ t.dir, NULL }, NOW,
				     &err));
		ck_assert_str_eq(rules(), cases[i / 2].rules);
		mz_arena_release(&arena);
		tree_release(&t);
	}
}

END_TEST

UNIT_MAIN("inspect", a_down_script_that_a_rollback_would_refuse_is_found,
	  each_fault_of_a_script_is_found_where_it_is, a_nul_byte_is_found,
	  each_fault_of_a_journal_is_found,
	  other_layouts_have_faults_of_their_own)
