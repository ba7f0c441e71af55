/* SPDX-License-Identifier: MIT */
/* A script through a window is cut as the splitter cuts the whole of it. */
#include <config.h>

#include "reader.h"
#include "tree.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SMALL 512

static struct tree tree;

static void before(void)
{
	tree_init(&tree);
}

static void after(void)
{
	tree_release(&tree);
}

/* "line:statement[rows]|" of each. */
static void put(struct pgw_buf *b, size_t line, struct pgw_view text,
		const struct mz_sql_statement *st)
{
	char number[32];

	snprintf(number, sizeof(number), "%zu:", line);
	pgw_buf_put_text(b, number);
	pgw_buf_put(b, text.p + st->start, st->end - st->start);
}

static void put_end(struct pgw_buf *b)
{
	pgw_buf_put_text(b, "|");
}

/* What the splitter makes of it. */
static void split(struct pgw_buf *b, struct pgw_view text)
{
	struct mz_sql_statement st;
	struct mz_sql s;

	mz_sql_init(&s, text);
	s.copy_data = s.backslash = true;
	while (mz_sql_next(&s, &st)) {
		put(b, st.line, text, &st);
		if (st.data_start > 0) {
			pgw_buf_put_text(b, "[");
			pgw_buf_put(b, text.p + st.data_start,
				    st.data_end - st.data_start);
			pgw_buf_put_text(b, "]");
		}
		put_end(b);
	}
	if (s.problem != MZ_SQL_OK)
		pgw_buf_put_text(b, "problem");
}

static bool put_rows(struct pgw_buf *b, struct mz_reader *r, struct mz_err *err)
{
	struct pgw_view rows;

	pgw_buf_put_text(b, "[");
	do {
		if (!mz_reader_rows(r, &rows, err))
			return false;
		pgw_buf_put(b, rows.p, rows.n);
	} while (rows.n > 0);
	pgw_buf_put_text(b, "]");
	return mz_reader_rows_end(r, err);
}

/* What the reader does; false with err when it cannot go on. */
static bool read_all(struct pgw_buf *b, struct mz_reader *r, struct mz_err *err)
{
	struct mz_sql_statement st;
	bool more;

	for (;;) {
		if (!mz_reader_next(r, &st, &more, err))
			return false;
		if (!more)
			return true;
		if (st.kind != MZ_SQL_COPY_STDIN) {
			put(b, st.line, r->text, &st);
		} else {
			if (!mz_reader_rows_begin(r, &st, err))
				return false;
			put(b, st.line, pgw_buf_view(&r->head), &st);
			if (!put_rows(b, r, err))
				return false;
		}
		put_end(b);
	}
}

/* A pipe that has all of it, or, if that is too much, a process that writes. */
static int pipe_of(struct pgw_view text)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	if (fork() == 0) {
		close(ends[0]);
		while (text.n > 0) {
			ssize_t n = write(ends[1], text.p, text.n);

			if (n < 0)
				_exit(1);
			text.p += n;
			text.n -= (size_t)n;
		}
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

enum way { FROM_FILE, FROM_PIPE, TWICE, WAYS };

static void open_as(struct mz_reader *r, enum way way, struct pgw_view text)
{
	struct mz_err err = { 0 };

	tree_put_bytes(&tree, "s.sql", text.p, text.n);
	ck_assert_msg(mz_reader_open(r, tree_path(&tree, "s.sql"), -1, &err),
		      "%s", err.msg);
	if (way != FROM_PIPE)
		return;
	close(r->fd);
	r->fd = pipe_of(text);
	r->rewinds = false;
}

static void read_as(struct pgw_view text, enum way way)
{
	struct pgw_buf want, got;
	struct mz_reader r;
	struct mz_err err = { 0 };
	bool ok;

	pgw_buf_init(&want, SIZE_MAX / 2);
	pgw_buf_init(&got, SIZE_MAX / 2);
	split(&want, text);
	open_as(&r, way, text);
	ok = read_all(&got, &r, &err);
	if (way == TWICE && ok) {
		pgw_buf_drop(&got, got.len);
		ck_assert(mz_reader_rewind(&r, &err));
		ok = read_all(&got, &r, &err);
	}
	if (!ok) {
		ck_assert_str_ne(err.msg, "");
		ck_assert_uint_ge(want.len, 7);
		want.len -= 7;			      /* "problem" */
		ck_assert_uint_ge(got.len, want.len); /* of a COPY, the start */
		got.len = want.len;
	}
	ck_assert_msg(got.len == want.len &&
			      (got.len == 0 ||
			       memcmp(got.data, want.data, got.len) == 0),
		      "way %d\n%.*s\ngives %.*s\nnot   %.*s", (int)way,
		      (int)(text.n < SMALL ? text.n : SMALL), text.p,
		      (int)(got.len < SMALL ? got.len : SMALL), got.data,
		      (int)(want.len < SMALL ? want.len : SMALL), want.data);
	mz_reader_close(&r);
	pgw_buf_release(&want);
	pgw_buf_release(&got);
}

#define COPY "copy t from stdin"

START_TEST(small_scripts_are_cut_the_same)
{
	static const char *const scripts[] = {
		"",
		"\n\n",
		"a",
		"a;",
		"a;b;\nc\n;\n\n-- x\nd",
		"a\r\n;\r\nb",
		"select '\n;\n', $$\n;\n$$ /*\n;*/;\nb",
		COPY ";\n1\n\\.\nb;",
		COPY ";\n\\.",
		COPY ";\n\\.\n",
		"a;" COPY "; -- x\n1\n2\n\\.\n\n b;",
		COPY "; b; c;\n1\n\\.\nd",
		COPY ";" COPY "; c;\n1\n\\.\n2\n3\n\\.\nd;\ne",
		"\n" COPY "\n;\r\n1\r\n\\.\r\n\r\nb",
		"a;\n" COPY ";\n1\n\\\\.\n;'\n\\.\n" COPY ";\n2\n\\.\nb",
		"\\restrict x\na;\n\\unrestrict x\n",
		"a;\n\\connect x\nb;",
		"a;\nselect 'x",
		"a;\n" COPY ";\n1\n",
		"a;\n" COPY ";",
		"a;\n" COPY,
		"a;\n" COPY ";\n1\n\\.\nselect '",
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		for (int way = 0; way < WAYS; way++)
			read_as(pgw_view_of(scripts[i]), (enum way)way);
}

END_TEST

/* Longer than the window, at every place that is different. */
START_TEST(large_scripts_are_cut_the_same)
{
	static const size_t sizes[] = {
		10, 65535, 65536, 65537, 131072, 1 << 20
	};
	static const char *const parts[][3] = {
		{ "select '", "x", "';\n" },
		{ "select '", "\n", "';\n" },
		{ "/*", "*\n", "*/ a;\n" },
		{ "", "a;", "\n" },
		{ "", "a;\n", "" },
		{ "", "--\n", "" },
		{ COPY ";\n", "1\n", "\\.\n" },
		{ COPY ";\n", "x", "\n\\.\n" },
		{ COPY "; b;\n", "\\\\.\n", "\\.\n" },
		{ "a;", " ", COPY ";\n1\n\\.\n" },
		{ COPY ";", " ", "b;\n1\n\\.\n" },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			struct pgw_buf b;

			pgw_buf_init(&b, SIZE_MAX / 2);
			for (int twice = 0; twice < 2; twice++) {
				pgw_buf_put_text(&b, "first;\n");
				pgw_buf_put_text(&b, parts[i][0]);
				while (b.len < sizes[k] * (size_t)(twice + 1))
					pgw_buf_put_text(&b, parts[i][1]);
				pgw_buf_put_text(&b, parts[i][2]);
			}
			pgw_buf_put_text(&b, "last;");
			for (int way = 0; way < WAYS; way++)
				read_as(pgw_buf_view(&b), (enum way)way);
			pgw_buf_release(&b);
		}
	}
}

END_TEST

/* The window does not grow with the file. */
START_TEST(what_is_done_with_is_forgotten)
{
	struct pgw_buf b, got;
	struct mz_reader r;
	struct mz_err err = { 0 };

	pgw_buf_init(&b, SIZE_MAX / 2);
	pgw_buf_init(&got, SIZE_MAX / 2);
	while (b.len < 2 << 20)
		pgw_buf_put_text(&b, "insert into t values (1);\n");
	pgw_buf_put_text(&b, COPY ";\n");
	while (b.len < 4 << 20)
		pgw_buf_put_text(&b, "1\n");
	pgw_buf_put_text(&b, "\\.\n");
	open_as(&r, FROM_FILE, pgw_buf_view(&b));
	ck_assert(read_all(&got, &r, &err));
	ck_assert_uint_lt(r.window.cap, 1 << 19);
	mz_reader_close(&r);
	pgw_buf_release(&b);
	pgw_buf_release(&got);
}

END_TEST

/* A place is that of the file, also where rows were taken out. */
START_TEST(a_place_counts_the_rows)
{
	static const char text[] = COPY "; select\n1\n2\n\\.\n\n  nope;\nb";
	struct mz_sql_statement st;
	struct mz_reader r;
	struct mz_err err = { 0 };
	size_t line, column;
	bool more;

	open_as(&r, FROM_FILE, pgw_view_of(text));
	ck_assert(mz_reader_next(&r, &st, &more, &err) && more);
	ck_assert(mz_reader_rows_begin(&r, &st, &err));
	ck_assert(mz_reader_rows_end(&r, &err));
	ck_assert(mz_reader_next(&r, &st, &more, &err) && more);
	ck_assert_uint_eq(st.line, 1);
	mz_reader_place(&r, st.start, &line, &column);
	ck_assert_uint_eq(line, 1);
	mz_reader_place(&r, st.end - 4, &line, &column);
	ck_assert_uint_eq(line, 6);
	ck_assert_uint_eq(column, 3);
	ck_assert(mz_reader_next(&r, &st, &more, &err) && more);
	ck_assert_uint_eq(st.line, 7);
	mz_reader_close(&r);
}

END_TEST

START_TEST(a_line_can_be_read_again)
{
	static const struct {
		size_t line;
		const char *want;
	} cases[] = {
		{ 1, "one" }, { 2, "" },   { 3, "three" },
		{ 4, "end" }, { 5, NULL }, { 0, NULL },
	};
	struct mz_arena a;
	struct mz_reader r;

	mz_arena_init(&a);
	open_as(&r, FROM_FILE, pgw_view_of("one\n\nthree\r\nend"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = mz_reader_line(&r, &a, cases[i].line);

		ck_assert_msg(got && cases[i].want ?
				      strcmp(got, cases[i].want) == 0 :
				      got == cases[i].want,
			      "line %zu: %s", cases[i].line, got);
	}
	mz_reader_close(&r);
	mz_arena_release(&a);
}

END_TEST

START_TEST(what_is_no_script_is_refused)
{
	static const struct {
		const char *text;
		size_t n;
		const char *words;
	} cases[] = {
		{ "\xff\xfes\0", 4, "UTF-16" },
		{ "\xfe\xff\0s", 4, "UTF-16" },
		{ "a;\nb\0;", 6, "NUL" },
		{ "a;\n\\x", 5, "\\x here" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_view text = { (const unsigned char *)cases[i].text,
					 cases[i].n };
		struct pgw_buf got;
		struct mz_reader r;
		struct mz_err err = { 0 };

		pgw_buf_init(&got, SMALL);
		open_as(&r, FROM_FILE, text);
		ck_assert(!read_all(&got, &r, &err));
		ck_assert_int_eq(err.status, MZ_usage);
		ck_assert_msg(strstr(err.msg, cases[i].words) != NULL, "%s",
			      err.msg);
		ck_assert_str_ne(err.hint, "");
		mz_reader_close(&r);
		pgw_buf_release(&got);
	}
}

END_TEST

UNIT_MAIN_WITH("reader", before, after, small_scripts_are_cut_the_same,
	       large_scripts_are_cut_the_same, what_is_done_with_is_forgotten,
	       a_place_counts_the_rows, a_line_can_be_read_again,
	       what_is_no_script_is_refused)
