/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "folder.h"
#include "journal.h"
#include "tree.h"
#include "unit.h"

#include <fcntl.h>

static struct tree tree;
static struct mz_arena arena;
static struct mz_folder folder;
static struct mz_err err;

static void setup(void)
{
	tree_init(&tree);
	mz_arena_init(&arena);
	err = (struct mz_err){ 0 };
}

static void teardown(void)
{
	mz_arena_release(&arena);
	tree_release(&tree);
}

static struct mz_where on_disk(const char *dir)
{
	return (struct mz_where){ dir, NULL };
}

static void load(void)
{
	ck_assert_msg(mz_folder_load(&folder, &arena, on_disk(tree.dir), &err),
		      "%s", err.msg);
}

/* The message without the name of the folder, which changes. */
static void refuse(const char *part, const char *hint)
{
	ck_assert(!mz_folder_load(&folder, &arena, on_disk(tree.dir), &err));
	ck_assert_int_eq(err.status, MZ_usage);
	ck_assert_msg(strstr(err.msg, part) != NULL, "%s", err.msg);
	ck_assert_msg(strstr(err.hint, hint) != NULL, "%s", err.hint);
	ck_assert(strncmp(err.place.file, tree.dir, strlen(tree.dir)) == 0);
}

static void has(size_t i, const char *tag, int64_t when)
{
	ck_assert_uint_lt(i, folder.count);
	ck_assert_str_eq(folder.migrations[i].tag, tag);
	ck_assert_int_eq(folder.migrations[i].when, when);
	ck_assert(folder.migrations[i].present);
	ck_assert_uint_eq(strlen(folder.migrations[i].hash), MZ_HASH_LEN);
}

#define JOURNAL "meta/_journal.json"
#define TWO                                         \
	"{\"entries\":[{\"tag\":\"b\",\"when\":2}," \
	"{\"tag\":\"a\",\"when\":\"1\"}]}"

START_TEST(a_journal_is_read_in_its_own_order)
{
	setup();
	tree_put(&tree, JOURNAL, TWO);
	tree_put(&tree, "a.sql", "select 1");
	tree_put(&tree, "b.sql", "");
	tree_put(&tree, "stray.sql", "select 2");
	tree_put(&tree, "20240101000000_x/migration.sql", "select 3");
	load();
	ck_assert_int_eq(folder.layout, MZ_LAYOUT_JOURNAL);
	ck_assert_uint_eq(folder.count, 2);
	has(0, "b", 2);
	has(1, "a", 1);
	ck_assert_uint_eq(folder.migrations[1].size, 8);
	ck_assert_str_eq(folder.migrations[1].path, tree_path(&tree, "a.sql"));
	ck_assert_ptr_nonnull(folder.migrations[0].entry);
	teardown();
}

END_TEST

START_TEST(a_journal_without_entries_is_an_empty_folder)
{
	setup();
	tree_put(&tree, JOURNAL, "{\"entries\":[]}");
	load();
	ck_assert_uint_eq(folder.count, 0);
	teardown();
}

END_TEST

START_TEST(folders_are_sorted_as_drizzle_sorts_them)
{
	setup();
	tree_put(&tree, "20240102000000_b/migration.sql", "");
	tree_put(&tree, "20240102000000_A/migration.sql", "");
	tree_put(&tree, "20240102000000_a/migration.sql", "");
	tree_put(&tree, "20240101000000_z/migration.sql", "");
	tree_put(&tree, "20240103000000_none/snapshot.json", "");
	tree_put(&tree, "empty/other.sql", "");
	tree_put(&tree, "loose.sql", "");
	tree_put(&tree, "elsewhere", "");
	load();
	ck_assert_int_eq(folder.layout, MZ_LAYOUT_FOLDERS);
	ck_assert_uint_eq(folder.count, 4);
	has(0, "20240101000000_z", 1704067200000);
	has(1, "20240102000000_a", 1704153600000);
	has(2, "20240102000000_A", 1704153600000);
	has(3, "20240102000000_b", 1704153600000);
	ck_assert_ptr_null(folder.migrations[0].entry);
	teardown();
}

END_TEST

START_TEST(symbolic_links_are_followed)
{
	char target[1024];

	setup();
	tree_put(&tree, "elsewhere/real/migration.sql", "select 1");
	tree_put(&tree, "d/20240102000000_b/migration.sql", "");
	strcpy(target, tree_path(&tree, "elsewhere/real"));
	ck_assert_int_eq(symlink(target,
				 tree_path(&tree, "d/20240101000000_a")),
			 0);
	ck_assert(mz_folder_load(&folder, &arena,
				 on_disk(tree_path(&tree, "d//")), &err));
	ck_assert_uint_eq(folder.count, 2);
	has(0, "20240101000000_a", 1704067200000);
	ck_assert_uint_eq(folder.migrations[0].size, 8);
	ck_assert_str_eq(folder.dir, tree_path(&tree, "d"));
	teardown();
}

END_TEST

START_TEST(a_folder_whose_name_is_no_time_is_refused)
{
	setup();
	tree_put(&tree, "20240101000000_z/migration.sql", "");
	tree_put(&tree, "0001_init/migration.sql", "");
	refuse("0001_init does not begin with a time", "YYYYMMDDhhmmss");
	teardown();
}

END_TEST

START_TEST(plain_scripts_are_sorted_by_their_bytes)
{
	setup();
	tree_put(&tree, "0002_b.sql", "");
	tree_put(&tree, "0001_B.sql", "");
	tree_put(&tree, "0001_a.sql", "");
	tree_put(&tree, "0001_a.down.sql", "");
	tree_put(&tree, "zz.sql", "");
	tree_put(&tree, "a.sql", "");
	tree_put(&tree, "20240101000000_c.sql", "");
	tree_put(&tree, "._0001_a.sql", "");
	tree_put(&tree, "README.md", "");
	tree_put(&tree, "extras/x.sql", "");
	load();
	ck_assert_int_eq(folder.layout, MZ_LAYOUT_PLAIN);
	ck_assert_uint_eq(folder.count, 6);
	has(0, "0001_B", 1000);
	has(1, "0001_a", 1001);
	has(2, "0002_b", 2000);
	has(3, "20240101000000_c", 1704067200000);
	has(4, "a", 1704067200001);
	has(5, "zz", 1704067200002);
	teardown();
}

END_TEST

START_TEST(what_is_not_there_is_told_and_where_it_was_looked_for)
{
	setup();
	refuse("neither meta/_journal.json nor", "drizzle-kit generate");
	tree_put(&tree, "a.down.sql", "");
	refuse("no migrations in", "--dir");
	tree_put(&tree, "_journal.json", "");
	refuse("no migrations in", "the folder above it");
	strcat(tree.dir, "/nowhere");
	refuse("no folder ", "--dir");
	*strrchr(tree.dir, '/') = '\0';
	ck_assert(!mz_folder_load(&folder, &arena,
				  on_disk(tree_path(&tree, "a.down.sql")),
				  &err));
	ck_assert(strstr(err.msg, "is not a folder") != NULL);
	ck_assert(!mz_folder_load(&folder, &arena, on_disk(""), &err));
	ck_assert(strstr(err.msg, "no folder") != NULL);
	teardown();
}

END_TEST

START_TEST(snapshots_without_a_journal_are_no_plain_folder)
{
	setup();
	tree_put(&tree, "meta/0000_snapshot.json", "{}");
	tree_put(&tree, "0000_a.sql", "");
	refuse("_journal.json is missing", "copy the whole folder");
	teardown();
}

END_TEST

START_TEST(a_script_that_cannot_be_read_is_told)
{
	setup();
	tree_put(&tree, JOURNAL, TWO);
	tree_put(&tree, "b.sql", "");
	refuse("a.sql is missing", "remove its entry");
	tree_put(&tree, "a.sql/x", "");
	refuse("a.sql is a directory", "put the file itself");
	remove(tree_path(&tree, "a.sql/x"));
	remove(tree_path(&tree, "a.sql"));
	ck_assert_int_eq(mkfifo(tree_path(&tree, "a.sql"), 0600), 0);
	refuse("a.sql is not a plain file", "plain file");
	remove(tree_path(&tree, "a.sql"));
	ck_assert_int_eq(symlink("a.sql", tree_path(&tree, "a.sql")), 0);
	refuse("a.sql cannot be read: ", "");
	teardown();
}

END_TEST

START_TEST(a_journal_that_cannot_be_read_is_told)
{
	setup();
	tree_put(&tree, "meta/_journal.json/x", "");
	refuse("_journal.json is a directory", "");
	teardown();
}

END_TEST

START_TEST(rights_that_lack_are_told)
{
	if (geteuid() == 0)
		return; /* nothing is forbidden to root */
	setup();
	tree_put(&tree, JOURNAL, TWO);
	tree_put(&tree, "a.sql", "");
	tree_put(&tree, "b.sql", "");
	chmod(tree_path(&tree, "a.sql"), 0);
	refuse("a.sql cannot be read: permission denied", "chmod a+r");
	chmod(tree_path(&tree, JOURNAL), 0);
	refuse("_journal.json cannot be read: permission denied", "chmod a+r");
	teardown();
}

END_TEST

START_TEST(a_file_of_a_gigabyte_is_refused)
{
	setup();
	tree_put(&tree, "a.sql", "");
	ck_assert_int_eq(truncate(tree_path(&tree, "a.sql"), 1 << 30), 0);
	refuse("a.sql is larger than 1 GiB", "split it");
	tree_put(&tree, JOURNAL, "");
	ck_assert_int_eq(truncate(tree_path(&tree, JOURNAL), 65 << 20), 0);
	refuse("_journal.json is larger than 65536 KiB", "");
	teardown();
}

END_TEST

START_TEST(a_file_longer_than_one_piece_is_hashed_whole)
{
	enum { SIZE = 3 * (64 << 10) + 2 };

	unsigned char *text = malloc(SIZE);
	char hash[MZ_HASH_LEN + 1];

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < SIZE; i++) /* no boundary fits 3 bytes */
		text[i] = (unsigned char)"\xe2\x82\xac"[i % 3];
	setup();
	tree_put_bytes(&tree, "a.sql", text, SIZE);
	load();
	mz_folder_hash((struct pgw_view){ text, SIZE }, hash);
	ck_assert_str_eq(folder.migrations[0].hash, hash);
	ck_assert_uint_eq(folder.migrations[0].size, SIZE);
	ck_assert(!folder.migrations[0].utf8); /* the last one is cut off */
	teardown();
	free(text);
}

END_TEST

START_TEST(a_text_is_read_again_and_must_not_have_changed)
{
	struct pgw_buf text;

	setup();
	tree_put(&tree, "a.sql", "select 1");
	load();
	pgw_buf_init(&text, 100);
	pgw_buf_put_text(&text, "before ");
	ck_assert(mz_folder_read(&folder, folder.migrations, &text, &err));
	ck_assert_uint_eq(text.len, 15);
	ck_assert_mem_eq(text.data, "before select 1", 15);
	tree_put(&tree, "a.sql", "select 2");
	ck_assert(!mz_folder_read(&folder, folder.migrations, &text, &err));
	ck_assert(strstr(err.msg, "was changed") != NULL);
	remove(tree_path(&tree, "a.sql"));
	ck_assert(!mz_folder_read(&folder, folder.migrations, &text, &err));
	ck_assert(strstr(err.msg, "is missing") != NULL);
	pgw_buf_release(&text);
	teardown();
}

END_TEST

START_TEST(a_check_reads_on_and_tells_all)
{
	struct mz_findings findings;

	setup();
	tree_put(&tree, JOURNAL, TWO);
	tree_put(&tree, "a.sql", "select 1");
	mz_findings_init(&findings, &arena);
	ck_assert(mz_folder_load_all(&folder, &findings, on_disk(tree.dir),
				     &err));
	ck_assert_uint_eq(folder.count, 2);
	ck_assert(!folder.migrations[0].present);
	ck_assert(folder.migrations[1].present);
	ck_assert_uint_eq(findings.errors, 1);
	ck_assert_str_eq(findings.first->rule, "missing-file");
	tree_put(&tree, JOURNAL, "{");
	mz_findings_init(&findings, &arena);
	ck_assert(mz_folder_load_all(&folder, &findings, on_disk(tree.dir),
				     &err));
	ck_assert_uint_eq(folder.count, 0);
	ck_assert_str_eq(findings.first->rule, "journal");
	teardown();
}

END_TEST

START_TEST(a_text_is_split_at_the_literal_alone)
{
	static const struct {
		const char *text;
		size_t n;
		const char *chunks[3];
	} cases[] = {
		{ "", 1, { "" } },
		{ "a", 1, { "a" } },
		{ "a" MZ_BREAKPOINT "b", 2, { "a", "b" } },
		{ MZ_BREAKPOINT, 2, { "", "" } },
		{ MZ_BREAKPOINT MZ_BREAKPOINT "s\n", 3, { "", "", "s\n" } },
		{ "'x" MZ_BREAKPOINT "y'", 2, { "'x", "y'" } },
		{ "-->statement-breakpoint", 1, { "-->statement-breakpoint" } },
		{ "-->  statement-breakpoint",
		  1,
		  { "-->  statement-breakpoint" } },
		{ "--> Statement-breakpoint",
		  1,
		  { "--> Statement-breakpoint" } },
		{ "--" MZ_BREAKPOINT "s", 2, { "--", "s" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_view rest = pgw_view_of(cases[i].text), chunk;
		size_t n = 0;

		for (; mz_folder_next_chunk(&rest, &chunk); n++) {
			ck_assert_uint_lt(n, cases[i].n);
			ck_assert_msg(pgw_view_is(chunk, cases[i].chunks[n]),
				      "case %zu, %zu", i, n);
		}
		ck_assert_uint_eq(n, cases[i].n);
	}
}

END_TEST

UNIT_MAIN("folder", a_journal_is_read_in_its_own_order,
	  a_journal_without_entries_is_an_empty_folder,
	  folders_are_sorted_as_drizzle_sorts_them, symbolic_links_are_followed,
	  a_folder_whose_name_is_no_time_is_refused,
	  plain_scripts_are_sorted_by_their_bytes,
	  what_is_not_there_is_told_and_where_it_was_looked_for,
	  snapshots_without_a_journal_are_no_plain_folder,
	  a_script_that_cannot_be_read_is_told,
	  a_journal_that_cannot_be_read_is_told, rights_that_lack_are_told,
	  a_file_of_a_gigabyte_is_refused,
	  a_file_longer_than_one_piece_is_hashed_whole,
	  a_text_is_read_again_and_must_not_have_changed,
	  a_check_reads_on_and_tells_all, a_text_is_split_at_the_literal_alone)
