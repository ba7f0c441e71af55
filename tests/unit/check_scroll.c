/* SPDX-License-Identifier: MIT */
/*
 * Through a window of any size a script has the statements, the places and
 * the problems that the whole of it has.
 */
#include <config.h>

#include "culprit.h"
#include "script.h"
#include "sift.h"
#include "tree.h"
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 20000 /* of the corpus; larger ones take too long */
#define WINDOWS 300

static struct tree tree;
static struct mz_arena arena;

static void before(void)
{
	tree_init(&tree);
	mz_arena_init(&arena);
}

static void after(void)
{
	tree_release(&tree);
	mz_arena_release(&arena);
}

/* ---- a migration */

static struct mz_migration migration_of(struct pgw_view text)
{
	struct mz_migration m = { .tag = "t", .size = text.n };

	tree_put_bytes(&tree, "t.sql", text.p, text.n);
	m.path = mz_strdup(&arena, tree_path(&tree, "t.sql"));
	mz_folder_hash(text, m.hash);
	return m;
}

/* ---- statements as text: "line:column:start:statement[rows]|" */

static void put_head(struct pgw_buf *b, struct pgw_view text,
		     const struct mz_sql_statement *st, size_t line,
		     size_t column)
{
	char place[96];

	snprintf(place, sizeof(place), "%zu=%zu:%zu:%zu:", st->line, line,
		 column, st->start);
	pgw_buf_put_text(b, place);
	pgw_buf_put(b, text.p + st->start, st->end - st->start);
}

static void put_number(struct pgw_buf *b, const char *what, size_t n)
{
	char number[64];

	snprintf(number, sizeof(number), "%s%zu|", what, n);
	pgw_buf_put_text(b, number);
}

static void split_whole(struct pgw_buf *b, struct pgw_view text)
{
	struct mz_sql_statement st;
	struct mz_statements s;

	mz_statements_init(&s, text);
	while (mz_statements_next(&s, &st)) {
		size_t line, column;

		mz_sql_place(text, st.start, &line, &column);
		put_head(b, text, &st, line, column);
		if (st.data_start > 0) {
			put_number(b, "[", st.data_start);
			pgw_buf_put(b, text.p + st.data_start,
				    st.data_end - st.data_start);
			pgw_buf_put_text(b, "]");
		}
		pgw_buf_put_text(b, "|");
	}
	put_number(b, "problem ", s.sql.problem);
	if (s.sql.problem != MZ_SQL_OK) {
		size_t at = s.chunk_at + s.sql.problem_at, line, column;

		mz_sql_place(text, at, &line, &column);
		put_number(b, "line ", line);
		put_number(b, "column ", column);
	}
}

/* Nobody looks at it again; who does sees other lines than there were. */
static void scribble(struct mz_scroll *s, size_t from, size_t to)
{
	if (s->mapped && from < to)
		memset(s->base + from, '\n', to - from);
}

/*
 * A COPY without its end has rows here, too, and is no statement there: it is
 * taken back.
 */
static bool put_rows(struct pgw_buf *b, struct mz_scroll *s,
		     const struct mz_sql_statement *st)
{
	struct pgw_view rows;
	struct mz_err err;

	put_number(b, "[", st->data_start);
	do {
		ck_assert(mz_scroll_rows(s, &rows, &err));
		pgw_buf_put(b, rows.p, rows.n);
		scribble(s, st->data_start, mz_statements_front(&s->list));
	} while (rows.n > 0);
	pgw_buf_put_text(b, "]");
	return s->list.sql.problem == MZ_SQL_OK;
}

static void split_scroll(struct pgw_buf *b, const struct mz_migration *m,
			 size_t window)
{
	struct mz_sql_statement st;
	struct mz_scroll s;
	struct mz_err err;
	bool more;

	ck_assert(mz_scroll_open(&s, m, window, &err));
	for (;;) {
		size_t line, column, mark = b->len;

		ck_assert(mz_scroll_next(&s, &st, &more, &err));
		if (!more)
			break;
		scribble(&s, 0, s.forgotten);
		mz_statements_place(s.text, &st, st.start, &line, &column);
		put_head(b, s.text, &st, line, column);
		if (st.data_start > 0 && !put_rows(b, &s, &st)) {
			b->len = mark;
			continue;
		}
		pgw_buf_put_text(b, "|");
	}
	put_number(b, "problem ", s.list.sql.problem);
	if (s.list.sql.problem != MZ_SQL_OK) {
		size_t at, line, column;

		mz_statements_problem(&s.list, &at, &line, &column);
		put_number(b, "line ", line);
		put_number(b, "column ", column);
	}
	mz_scroll_close(&s);
}

/* ---- what is found out about a script, as text */

static void put_err(struct pgw_buf *b, const struct mz_err *err)
{
	pgw_buf_put_text(b, err->msg);
	pgw_buf_put_text(b, "\n");
	pgw_buf_put_text(b, err->hint);
	put_number(b, "\nline ", err->place.line);
	put_number(b, "column ", err->place.column);
}

static void put_survey(struct pgw_buf *b, const struct mz_survey *s,
		       const struct mz_dangers *d)
{
	put_number(b, "statements ", s->statements);
	put_number(b, "one by one ", s->one_by_one);
	put_number(b, "stepwise ", s->stepwise);
	put_number(b, "alone ", s->calls_alone);
	put_number(b, "lock ", (size_t)s->directives.lock_timeout_ms);
	pgw_buf_put(b, s->directives.unknown.p, s->directives.unknown.n);
	if (s->cause.what) {
		put_number(b, "cause ", s->cause.line);
		put_number(b, ":", s->cause.column);
	}
	for (size_t i = 0; i < d->count; i++) {
		pgw_buf_put_text(b, d->list[i].what);
		put_number(b, ":", d->list[i].line);
		put_number(b, ":", d->list[i].column);
	}
}

static void find_dangers(struct mz_dangers *d, struct pgw_view text)
{
	struct mz_dangers_taker t = { .d = d, .arena = &arena };
	struct mz_sql_statement st;
	struct mz_statements s;

	*d = (struct mz_dangers){ 0 };
	mz_statements_init(&s, text);
	while (mz_statements_next(&s, &st))
		mz_dangers_take(&t, &s, &st);
}

static void find_out_whole(struct pgw_buf *b, const struct mz_migration *m,
			   struct pgw_view text)
{
	struct mz_err err = { 0 };
	struct mz_dangers dangers;
	struct mz_survey survey;

	if (!mz_folder_sendable(NULL, m, text, &err)) {
		put_err(b, &err);
		return;
	}
	mz_statements_survey(text, &survey);
	find_dangers(&dangers, text);
	put_survey(b, &survey, &dangers);
}

static void find_out(struct pgw_buf *b, const struct mz_migration *m,
		     size_t window)
{
	struct mz_err err = { 0 };
	struct mz_sifted sifted;

	if (mz_sift(&sifted, &arena, m, window, &err))
		put_survey(b, &sifted.survey, &sifted.dangers);
	else
		put_err(b, &err);
}

/* ---- the comparison */

static void same(struct pgw_buf *got, const struct pgw_buf *want, size_t window,
		 struct pgw_view text)
{
	if (got->len != want->len ||
	    memcmp(got->data, want->data, want->len) != 0)
		ck_abort_msg("a window of %zu\nof  %.*s\ngot  %.*s\nwant %.*s",
			     window, (int)(text.n < 2000 ? text.n : 2000),
			     (const char *)text.p, (int)got->len,
			     (const char *)got->data, (int)want->len,
			     (const char *)want->data);
	pgw_buf_release(got);
}

/* step: 1 tries every window */
static void try_windows(struct pgw_view text, size_t step)
{
	struct mz_migration m = migration_of(text);
	struct pgw_buf whole, found, got;

	pgw_buf_init(&whole, MZ_FILE_MAX);
	pgw_buf_init(&found, MZ_FILE_MAX);
	pgw_buf_init(&got, MZ_FILE_MAX);
	split_whole(&whole, text);
	find_out_whole(&found, &m, text);
	for (size_t n = 1; n <= text.n + 1; n += step) {
		split_scroll(&got, &m, n);
		same(&got, &whole, n, text);
		find_out(&got, &m, n);
		same(&got, &found, n, text);
	}
	pgw_buf_release(&whole);
	pgw_buf_release(&found);
}

static const char *const scripts[] = {
	/* clang-format off */
	"", "\n", ";", "a", "a;b", " ;; a ;\n\n;b\n", "-- only a comment\n",
	"a;\n--> statement-breakpoint\nb;\n--> statement-breakpoint\n",
	"a--> statement-breakpoint--> statement-breakpoint\n b\nc",
	"a --> statement-breakpoin\nt; b\n--> statement-breakpoint\n\n c;",
	"-- x --> statement-breakpoint a\n;b",
	"select 'a;\n''b', E'\\';', \"x;\", $q$;\n$q$;\nselect 2;\n",
	"select 'one'\n  'two;'\n;select 3",
	"create function f() returns int begin atomic\n select 1;\n select 2;\nend;\nselect 3;\n",
	"create rule r as on insert to t do (select 1;\nselect 2);\nb",
	"/* /* ; */ ; */ a;\n/* b */;\n",
	"select '\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80', x;\n  select '\xf0\x9f\x98\x80' y; drop table z;\n",
	"a;\r\n--> statement-breakpoint\r\n  b;\r\n\r\nc\r\n",
	"copy t from stdin;\n1\ta;\n2\tb\n\\.\nb;\n",
	"a;\ncopy t\n from stdin; c; d;\n1\n2\n\\.\n  e;\n",
	"copy t from stdin;copy u from stdin;\n1\n\\.\n2\n3\n\\.\nx;\n",
	"copy t from stdin;\n\\.\nb",
	"copy t from stdin;\r\n1\r\n\\.\r\nb;\r\n",
	"copy t from stdin;\n1\n\\.",
	"copy t from stdin;\n1\n--> statement-breakpoint\n\\.\nb",
	"a;\n  copy t\nfrom stdin;\n1\n2\n",
	"x; copy t from stdin",
	"copy t from stdin; select 'a\n1\n\\.\n';",
	"copy t from stdin; select\n1\n\\.\n1;",
	"\\restrict abc\na;\n\\unrestrict abc\n",
	"a;\n\nb;\n  \\connect x\nc;\n",
	"a;\nselect 'open;\nb;\n", "a;\n/* open\nb;", "a;\nselect $$ open\n", "a;\n\"open\n",
	"a;\nselect 'cut --> statement-breakpoint\n';\nb;\n",
	"-- Current sql file was generated after introspecting the database\n/*\na;\n--> statement-breakpoint\nb\n*/\n",
	"-- Current sql file was generated after introspecting the database\n",
	"\xef\xbb\xbfselect 1;\n", "a;\n\xef\xbb\xbf b;\n", "\xff\xfe;a;\n",
	"a;\n  b '\xc3\xa9' \xff;\nc\n", "a;\nb \xc3\n;", "a;\nb\xe2\x82",
	"a;\n<<<<<<< ours\nb;\n=======\nc;\n>>>>>>> theirs\n",
	"a;\nselect '\n=======\n';\n/*\n<<<<<<< x\n*/ b;\n",
	"a;\nselect '\n=======\n', b\n=======\n;\n",
	"copy t from stdin;\n=======\n<<<<<<< x\n\\.\nb;\n  c\n>>>>>>> y\n",
	"a;\n<<<<<<< ours\nit's;\n",
	"copy t from stdin; b;\n=======\n\\.\nc;\n\\e\n",
	"copy t from stdin; b\n=======\n\\.\nc;\n",
	"a;--> statement-breakpoint=======\nb;\n",
	"-- mizzle: lock-timeout=3s\n\n-- mizzle: no-transaction\na; vacuum;\n",
	"\n-- mizzle: nonsense\na;\n",
	"alter type e add value 'x';\n\ninsert into t values ('x');\n",
	"a;\n  begin;\ndrop table a; b; commit;\n\ntruncate b;\ndelete from c;\n",
	"savepoint a;\nrollback to a;\n",
	"set standard_conforming_strings = off;\nselect '\\';';\n--> statement-breakpoint\nselect '\\';'; drop table t;\n",
	/* clang-format on */
};

#define SCRIPTS (sizeof(scripts) / sizeof(scripts[0]))

START_TEST(every_window_gives_the_same)
{
	for (size_t i = 0; i < SCRIPTS; i++)
		try_windows(pgw_view_of(scripts[i]), 1);
}

END_TEST

START_TEST(so_it_does_with_other_line_ends)
{
	for (size_t i = 0; i < SCRIPTS; i++) {
		struct pgw_buf b;

		pgw_buf_init(&b, MZ_FILE_MAX);
		for (const char *p = scripts[i]; *p; p++)
			pgw_buf_put(&b, *p == '\n' ? "\r\n" : p,
				    *p == '\n' ? 2 : 1);
		try_windows(pgw_buf_view(&b), 1);
		pgw_buf_release(&b);
	}
}

END_TEST

START_TEST(a_nul_byte_has_its_place)
{
	static const char text[] = "a;\n  b '\xc3\xa9' \0;\nc\n";

	try_windows((struct pgw_view){ (const unsigned char *)text,
				       sizeof(text) - 1 },
		    1);
}

END_TEST

/* Pages are given back here. */
static void put_long_script(struct pgw_buf *b)
{
	char line[128];

	for (int i = 0; i < 1500; i++) {
		snprintf(line, sizeof(line),
			 "insert into t values (%d, '\xc3\xa9\n');%s\n", i,
			 i % 7 ? "" : "--> statement-breakpoint");
		pgw_buf_put_text(b, line);
		if (i % 500 == 0)
			pgw_buf_put_text(b, "copy t from stdin; a;\n");
		for (int k = 0; i % 500 == 0 && k < 1000; k++)
			pgw_buf_put_text(b, "some row\n");
		if (i % 500 == 0)
			pgw_buf_put_text(b, "\\.\n");
		if (i % 300 == 0)
			pgw_buf_put_text(b, "b; drop table t; c;\n");
	}
}

START_TEST(the_same_goes_for_long_scripts)
{
	static const char *const ends[] = { "", "  =======\nx", "=======\n",
					    "  select 'open",
					    " copy t from stdin;\n1\n" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct pgw_buf b;

		pgw_buf_init(&b, MZ_FILE_MAX);
		put_long_script(&b);
		pgw_buf_put_text(&b, ends[i]);
		try_windows(pgw_buf_view(&b), 4111);
		pgw_buf_release(&b);
	}
}

END_TEST

static void try_file(const char *path)
{
	struct mz_file file;
	struct pgw_buf text;

	pgw_buf_init(&text, MZ_FILE_MAX);
	if (mz_file_read(&file, path, &text) && text.len > 0 &&
	    text.len < TEXT_MAX)
		try_windows(pgw_buf_view(&text), 1 + text.len / WINDOWS);
	pgw_buf_release(&text);
}

START_TEST(so_does_all_that_the_fuzzer_found)
{
	static const char dir[] = SRCDIR "/tests/fuzz/corpus/sql";
	char path[1024];
	size_t tried = 0;
	struct dirent *e;
	DIR *d;

	d = opendir(dir);
	ck_assert_msg(d != NULL, "no corpus in %s", dir);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		try_file(path);
		tried++;
	}
	closedir(d);
	ck_assert_uint_gt(tried, 10);
}

END_TEST

/* ---- changes */

static bool read_to_its_end(const struct mz_migration *m, size_t window,
			    bool lines, struct mz_err *err)
{
	struct mz_sql_statement st;
	struct pgw_view v = { 0 };
	struct mz_scroll s;
	bool more = true;
	bool ok = mz_scroll_open(&s, m, window, err);

	while (ok && more) {
		ok = lines ? mz_scroll_lines(&s, &v, err) :
			     mz_scroll_next(&s, &st, &more, err);
		more = lines ? v.n > 0 : more;
	}
	mz_scroll_close(&s);
	return ok;
}

START_TEST(a_file_that_was_changed_is_not_read_to_its_end)
{
	static const char was[] = "a;\nb;\nc;\n";
	static const char *const is[] = { "a;\nb;\nd;\n", "a;\nb;\n",
					  "a;\nb;\nc;\nd;\n", "",
					  "A;\nb;\nc;\n" };

	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		struct mz_migration m = migration_of(pgw_view_of(was));

		tree_put(&tree, "t.sql", is[i]);
		for (size_t window = 1; window < 16; window++) {
			struct mz_err err;

			/* also where its size was not known */
			m.size = window % 2 ? strlen(was) : 0;
			ck_assert(!read_to_its_end(&m, window, true, &err));
			ck_assert(!read_to_its_end(&m, window, false, &err));
			ck_assert_ptr_ne(strstr(err.msg, "was changed"), NULL);
		}
	}
}

END_TEST

/* ---- culprits */

static void put_failure(struct pgw_buf *b, const struct mz_culprit *c,
			const struct pgw_diag *diag)
{
	struct mz_err err = { 0 };

	mz_failure_explain(&err, &arena, c, diag);
	put_err(b, &err);
	pgw_buf_put_text(b, err.sql->source);
}

static void try_culprit(const struct mz_migration *m, struct pgw_view text,
			const struct mz_sql_statement *st,
			const struct pgw_diag *diag)
{
	struct mz_culprit c = { .tag = m->tag,
				.file = m->path,
				.start = st->start,
				.end = st->end,
				.data_start = st->data_start,
				.data_end = st->data_end };
	struct pgw_buf want, got;

	pgw_buf_init(&want, MZ_FILE_MAX);
	pgw_buf_init(&got, MZ_FILE_MAX);
	c.text = text;
	put_failure(&want, &c, diag);
	for (size_t window = 1; window <= text.n + 1; window++) {
		struct mz_culprit part = c;
		struct mz_scroll s;
		struct mz_err err;

		part.text = (struct pgw_view){ 0 };
		ck_assert(mz_scroll_open(&s, m, window, &err));
		ck_assert(mz_culprit_read(&part, &s, &arena, diag, &err));
		put_failure(&got, &part, diag);
		mz_scroll_close(&s);
		same(&got, &want, window, text);
	}
	pgw_buf_release(&want);
}

START_TEST(a_failure_has_the_same_place_and_source)
{
	static const char *const answers[] = {
		"SERROR\0MX\0P1\0\0",
		"SERROR\0MX\0P9\0\0",
		"SERROR\0Mrelation \"u\" does not exist\0\0",
		"SERROR\0MX\0WCOPY t, line 2, column a: \"y\"\0\0",
		"SERROR\0MX\0WCOPY t, line 1\0\0",
		"SERROR\0MX\0WCOPY t, line 9\0\0",
	};
	static const size_t lengths[] = { 14, 14, 42, 46, 33, 33 };
	struct pgw_view text = pgw_view_of(
		"a; select\n '\xc3\xa9' from u;\n\ncopy t\nfrom stdin; b;\n1\tx\n"
		"2\ty\n3\tz\n\\.\n  drop\n table u;\n--> statement-breakpoint\n"
		"select u");
	struct mz_migration m = migration_of(text);
	struct mz_sql_statement st;
	struct mz_statements s;

	mz_statements_init(&s, text);
	while (mz_statements_next(&s, &st))
		for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]);
		     i++) {
			struct pgw_diag diag = {
				.fields = { (const unsigned char *)answers[i],
					    lengths[i] }
			};

			try_culprit(&m, text, &st, &diag);
		}
}

END_TEST

UNIT_MAIN_WITH("scroll", before, after, every_window_gives_the_same,
	       so_it_does_with_other_line_ends, a_nul_byte_has_its_place,
	       the_same_goes_for_long_scripts,
	       so_does_all_that_the_fuzzer_found,
	       a_file_that_was_changed_is_not_read_to_its_end,
	       a_failure_has_the_same_place_and_source)
