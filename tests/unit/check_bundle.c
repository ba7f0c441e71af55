/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "bundle.h"
#include "file.h"
#include "folder.h"
#include "loader.h"
#include "unit.h"

#include <string.h>
#include <zlib.h>

static struct mz_arena arena;
static struct mz_bundle bundle;
static struct mz_err err;
static unsigned char payload[4u << 20];
static size_t size;

static void setup(void)
{
	mz_arena_init(&arena);
	size = 0;
}

static void teardown(void)
{
	mz_arena_release(&arena);
}

static void add(const void *data, size_t n)
{
	ck_assert_uint_le(size + n, sizeof(payload));
	memcpy(payload + size, data, n);
	size += n;
}

static void add_u32(uint32_t v)
{
	unsigned char b[4] = { (unsigned char)(v >> 24),
			       (unsigned char)(v >> 16),
			       (unsigned char)(v >> 8), (unsigned char)v };

	add(b, 4);
}

static size_t add_deflated(const void *data, size_t n)
{
	uLongf room = sizeof(payload) - size;

	ck_assert_int_eq(compress2(payload + size, &room, data, n, 9), Z_OK);
	size += room;
	return room;
}

/* The index as it is written, its numbers given as \0\0\0\1. */
static void add_index(const char *index, size_t n)
{
	size_t deflated = add_deflated(index, n);

	add_u32((uint32_t)deflated);
	add_u32((uint32_t)n);
}

static bool open_it(void)
{
	err = (struct mz_err){ 0 };
	return mz_bundle_open(&bundle, &arena,
			      (struct pgw_view){ payload, size }, &err);
}

/* A block of the text and an index with its size in the last byte. */
static void make(const char *text, const char *index, size_t n)
{
	char copy[256];

	size = 0;
	memcpy(copy, index, n);
	if (text[0])
		copy[n - 1] = (char)add_deflated(text, strlen(text));
	add_index(copy, n);
}

#define MAKE(text, index) make(text, index, sizeof(index) - 1)
#define HEAD "\0\1d\0\0\0\0"
#define ONE_BLOCK "\0\0\0\1\0\0\0?"

START_TEST(files_are_found_by_their_paths)
{
	char out[8] = "";

	MAKE("aaabbbbcc", HEAD
	     "\0\0\0\3\0\5m/x.s\0\0\0\3\0\2m2\0\0\0\4\0\1a\0\0\0\2" ONE_BLOCK);
	ck_assert_msg(open_it(), "%s", err.msg);
	ck_assert_str_eq(bundle.dir, "d");
	ck_assert_uint_eq(bundle.count, 3);
	ck_assert_uint_eq(bundle.size, 9);
	ck_assert_str_eq(bundle.files[0].path, "a");
	ck_assert_uint_eq(mz_bundle_find(&bundle, "d/m2")->at, 3);
	ck_assert(mz_bundle_copy(&bundle, 3, out, 4));
	ck_assert_str_eq(out, "bbbb");
	ck_assert_ptr_null(mz_bundle_find(&bundle, "d/m"));
	ck_assert_ptr_null(mz_bundle_find(&bundle, "d"));
	ck_assert_ptr_null(mz_bundle_find(&bundle, "dd/a"));
	ck_assert_ptr_null(mz_bundle_find(&bundle, "a"));
	ck_assert(mz_bundle_has_dir(&bundle, ""));
	ck_assert(mz_bundle_has_dir(&bundle, "m"));
	ck_assert(!mz_bundle_has_dir(&bundle, "m2"));
	ck_assert(!mz_bundle_has_dir(&bundle, "a"));
}

END_TEST

START_TEST(a_listing_is_that_of_a_directory)
{
	struct mz_folder f = { .dir = "d", .bundle = &bundle };
	struct mz_listing d;

	MAKE("aaabbbbcc", HEAD
	     "\0\0\0\3\0\3m/x\0\0\0\3\0\3m/y\0\0\0\4\0\1a\0\0\0\2" ONE_BLOCK);
	ck_assert(open_it());
	ck_assert(mz_listing_read(&d, &arena, &f, "d"));
	ck_assert_uint_eq(d.count, 2);
	ck_assert_str_eq(d.entries[0].name, "a");
	ck_assert_str_eq(d.entries[1].name, "m");
	ck_assert(mz_listing_read(&d, &arena, &f, "d/m"));
	ck_assert_uint_eq(d.count, 2);
	ck_assert_str_eq(d.entries[1].name, "y");
	ck_assert(!mz_listing_read(&d, &arena, &f, "d/a"));
	ck_assert(!mz_listing_read(&d, &arena, &f, "e"));
}

END_TEST

START_TEST(a_file_in_it_is_read_like_one_on_the_disk)
{
	struct mz_file file;
	struct pgw_buf text;

	MAKE("aaabbbbcc", HEAD
	     "\0\0\0\3\0\3m/x\0\0\0\3\0\3m/y\0\0\0\4\0\1a\0\0\0\2" ONE_BLOCK);
	ck_assert(open_it());
	pgw_buf_init(&text, 100);
	ck_assert(mz_file_read_in(&file, &bundle, "d/m/y", &text));
	ck_assert(pgw_view_is(pgw_buf_view(&text), "bbbb"));
	ck_assert(!mz_file_read_in(&file, &bundle, "d/m", &text));
	ck_assert_int_eq(file.problem, MZ_FILE_IS_DIR);
	ck_assert(!mz_file_read_in(&file, &bundle, "d/z", &text));
	ck_assert_int_eq(file.problem, MZ_FILE_MISSING);
	pgw_buf_release(&text);
	pgw_buf_init(&text, 3);
	ck_assert(!mz_file_read_in(&file, &bundle, "d/m/y", &text));
	ck_assert_int_eq(file.problem, MZ_FILE_TOO_LARGE);
	pgw_buf_release(&text);
}

END_TEST

START_TEST(a_text_may_lie_across_blocks)
{
	static unsigned char texts[2 * MZ_BUNDLE_BLOCK + 10];
	static const char names[] = HEAD
		"\0\0\0\2\0\1a\0\20\0\0\0\1b\0\20\0\12\0\0\0\3";
	unsigned char out[20];
	char index[64];
	size_t n = sizeof(names) - 1;

	for (size_t i = 0; i < sizeof(texts); i++)
		texts[i] = (unsigned char)(i * 7 % 251);
	memcpy(index, names, n);
	for (size_t at = 0; at < sizeof(texts); at += MZ_BUNDLE_BLOCK) {
		size_t left = sizeof(texts) - at;
		size_t some = add_deflated(texts + at, left < MZ_BUNDLE_BLOCK ?
							       left :
							       MZ_BUNDLE_BLOCK);

		for (int i = 0; i < 4; i++)
			index[n++] = (char)(some >> (24 - 8 * i));
	}
	add_index(index, n);
	ck_assert_msg(open_it(), "%s", err.msg);
	for (size_t at = MZ_BUNDLE_BLOCK - 15; at < MZ_BUNDLE_BLOCK + 5; at++) {
		ck_assert(mz_bundle_copy(&bundle, at, out, sizeof(out)));
		ck_assert_mem_eq(out, texts + at, sizeof(out));
	}
	ck_assert(mz_bundle_copy(&bundle, sizeof(texts) - 20, out, 20));
	ck_assert_mem_eq(out, texts + sizeof(texts) - 20, 20);
}

END_TEST

START_TEST(a_block_that_cannot_be_inflated_is_told)
{
	char out[9];

	MAKE("aaabbbbcc", HEAD "\0\0\0\1\0\1a\0\0\0\11" ONE_BLOCK);
	payload[4] ^= 0xFF;
	ck_assert(open_it());
	ck_assert(!mz_bundle_copy(&bundle, 0, out, 9));
	ck_assert(!mz_bundle_copy(&bundle, 0, out, 1));
}

END_TEST

#define ROW(text, index)                       \
	{                                      \
		text, index, sizeof(index) - 1 \
	}
#define FILES(rest) HEAD rest ONE_BLOCK

START_TEST(an_index_that_is_wrong_is_refused)
{
	static const struct {
		const char *text, *index;
		size_t n;
	} rows[] = {
		ROW("", ""),
		ROW("", "\0\1d"),
		ROW("", HEAD),
		ROW("", HEAD "\0\0\0\0"),
		ROW("", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		ROW("", "\0\3a/b\0\0\0\0\0\0\0\0\0\0\0\0"),
		ROW("", "\0\2a\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\0\0\0\0\0x"),
		ROW("", HEAD "\0\0\0\0\0\0\0\1\0\0\0\0"),
		ROW("", HEAD "\xFF\xFF\xFF\xFF\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\xFF\xFF"
			     "a\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\0\0\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\0\2/a\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\0\2a/\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\0\4a//b\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\0\4../a\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\0\4a/..\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\0\3a/.\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\0\3a\0b\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\2\0\1a\0\0\0\0\0\1a\0\0\0\0\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\0\1a\0\0\0\1\0\0\0\0"),
		ROW("", HEAD "\0\0\0\1\0\1a\0\0\0\1\0\0\0\1\0\0\0\1"),
		ROW("", HEAD "\0\0\0\1\0\1a\xFF\xFF\xFF\xFF\0\0\0\1\0\0\0\0"),
		ROW("x", FILES("\0\0\0\1\0\1a\0\0\0\0")),
		ROW("x", FILES("\0\0\0\2\0\1a\0\0\0\1")),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make(rows[i].text, rows[i].index, rows[i].n);
		ck_assert_msg(!open_it(), "row %zu", i);
		ck_assert_int_eq(err.status, MZ_usage);
		ck_assert_str_ne(err.hint, "");
	}
}

END_TEST

START_TEST(sizes_at_the_end_that_are_wrong_are_refused)
{
	for (size_t n = 0; n < 8; n++) {
		size = n;
		ck_assert(!open_it());
	}
	for (size_t at = 0; at < 8; at++) {
		MAKE("", HEAD "\0\0\0\0\0\0\0\0");
		ck_assert(open_it());
		payload[size - 1 - at] ^= 0x41;
		ck_assert(!open_it());
	}
}

END_TEST

UNIT_MAIN_WITH("bundle", setup, teardown, files_are_found_by_their_paths,
	       a_listing_is_that_of_a_directory,
	       a_file_in_it_is_read_like_one_on_the_disk,
	       a_text_may_lie_across_blocks,
	       a_block_that_cannot_be_inflated_is_told,
	       an_index_that_is_wrong_is_refused,
	       sizes_at_the_end_that_are_wrong_are_refused)
