/* SPDX-License-Identifier: MIT */
/*
 * A migration that is read through a window, whose size is the first byte of
 * the input: it has the statements, the rows, the places and the problems that
 * the whole of it has, and what was found out about it is the same.
 */
#include <config.h>

#include "fuzz.h"
#include "script.h"
#include "sift.h"

#define TEXT_MAX 4096

/* ---- statements, one after the other */

static void put_head(struct pgw_buf *b, struct pgw_view text,
		     const struct mz_sql_statement *st, size_t line,
		     size_t column)
{
	must(st->line == line);
	put_number(b, "at ", st->start);
	put_number(b, "line ", line);
	put_number(b, "column ", column);
	put_number(b, st->what ? st->what : "kind ", st->kind);
	pgw_buf_put(b, text.p + st->start, st->end - st->start);
}

static void put_problem(struct pgw_buf *b, const struct mz_statements *s)
{
	size_t at, line, column;

	if (s->sql.problem == MZ_SQL_OK)
		return;
	mz_statements_problem(s, &at, &line, &column);
	put_number(b, "problem ", s->sql.problem);
	put_number(b, "at ", at);
	put_number(b, "line ", line);
	put_number(b, "column ", column);
}

static void cut_whole(struct pgw_buf *b, struct pgw_view text)
{
	struct mz_sql_statement st;
	struct mz_statements s;

	mz_statements_init(&s, text);
	while (mz_statements_next(&s, &st)) {
		size_t line, column;

		mz_sql_place(text, st.start, &line, &column);
		put_head(b, text, &st, line, column);
		if (st.data_start > 0) {
			put_number(b, "rows ", st.data_start);
			pgw_buf_put(b, text.p + st.data_start,
				    st.data_end - st.data_start);
		}
	}
	put_problem(b, &s);
}

/* Nobody looks at it again; who does sees other lines than there were. */
static void scribble(struct mz_scroll *s, size_t from, size_t to)
{
	while (to > from && s->base[to - 1] != '\n')
		to--; /* a column may be asked for */
	if (s->mapped && from < to)
		memset(s->base + from, '\n', to - from);
}

/* False: they have no end, and what was put for them is taken back. */
static bool put_rows(struct pgw_buf *b, struct mz_scroll *s,
		     const struct mz_sql_statement *st)
{
	struct pgw_view rows;
	struct mz_err err;

	put_number(b, "rows ", st->data_start);
	do {
		must(mz_scroll_rows(s, &rows, &err));
		pgw_buf_put(b, rows.p, rows.n);
		scribble(s, st->data_start, mz_statements_front(&s->list));
	} while (rows.n > 0);
	return s->list.sql.problem == MZ_SQL_OK;
}

static void cut_through(struct pgw_buf *b, const struct mz_migration *m,
			size_t window)
{
	struct mz_sql_statement st;
	struct mz_scroll s;
	struct mz_err err;
	bool more;

	must(mz_scroll_open(&s, m, window, &err));
	for (;;) {
		size_t line, column, mark = b->len;

		must(mz_scroll_next(&s, &st, &more, &err));
		if (!more)
			break;
		scribble(&s, 0, s.forgotten);
		mz_statements_place(s.text, &st, st.start, &line, &column);
		put_head(b, s.text, &st, line, column);
		if (st.data_start > 0 && !put_rows(b, &s, &st))
			b->len = mark;
	}
	put_problem(b, &s.list);
	mz_scroll_close(&s);
}

static void check_cutting(struct pgw_view text, const struct mz_migration *m,
			  size_t window)
{
	struct pgw_buf whole, through;

	pgw_buf_init(&whole, 1u << 24);
	pgw_buf_init(&through, 1u << 24);
	cut_whole(&whole, text);
	cut_through(&through, m, window);
	must(!whole.failed && !through.failed);
	if (!same_view(pgw_buf_view(&whole), pgw_buf_view(&through)))
		fprintf(stderr, "whole: %.*s\n\nthrough: %.*s\n",
			(int)whole.len, whole.data, (int)through.len,
			through.data);
	must(same_view(pgw_buf_view(&whole), pgw_buf_view(&through)));
	pgw_buf_release(&whole);
	pgw_buf_release(&through);
}

/* ---- what is found out before any of it is sent */

static bool is_conflict(const struct mz_err *err)
{
	return strstr(err->msg, "merge conflict") != NULL;
}

static bool has_other(struct pgw_view text)
{
	struct mz_script_problem p;

	for (size_t k = 0; k < mz_script_tests(); k++)
		if (mz_script_find(text, k, &p) &&
		    strcmp(p.rule, "conflict") != 0)
			return true;
	return false;
}

/* Of a conflict and something else either may be told: see sift.h. */
static void check_error(struct pgw_view text, const struct mz_err *want,
			const struct mz_err *got)
{
	must(want->status == got->status && want->hint[0] && got->hint[0]);
	if ((is_conflict(want) || is_conflict(got)) && has_other(text))
		return;
	must(same_text(want->msg, got->msg));
	must(same_text(want->hint, got->hint));
	must(want->place.line == got->place.line);
	must(want->place.column == got->place.column);
}

static void check_directives(const struct mz_directives *want,
			     const struct mz_directives *got)
{
	must(want->no_transaction == got->no_transaction);
	must(want->has_lock_timeout == got->has_lock_timeout);
	must(want->lock_timeout_ms == got->lock_timeout_ms);
	must(want->has_statement_timeout == got->has_statement_timeout);
	must(want->statement_timeout_ms == got->statement_timeout_ms);
	must(same_view(want->unknown, got->unknown));
}

static void check_survey(const struct mz_survey *want,
			 const struct mz_survey *got)
{
	must(want->statements == got->statements);
	must(want->one_by_one == got->one_by_one);
	must(want->stepwise == got->stepwise);
	must(want->calls_alone == got->calls_alone);
	must(!want->cause.what == !got->cause.what);
	must(!want->cause.what ||
	     strcmp(want->cause.what, got->cause.what) == 0);
	must(want->cause.kind == got->cause.kind);
	must(want->cause.line == got->cause.line);
	must(want->cause.column == got->cause.column);
	check_directives(&want->directives, &got->directives);
}

static void check_sifting(struct pgw_view text, const struct mz_migration *m,
			  struct mz_arena *a, size_t window)
{
	struct mz_folder f = { .count = 1 };
	struct mz_err want = { 0 }, got = { 0 };
	struct mz_sifted sifted;
	struct mz_survey survey;
	bool sound = mz_folder_sendable(&f, m, text, &want);

	must(mz_sift(&sifted, a, m, window, &got) == sound);
	if (!sound) {
		check_error(text, &want, &got);
		return;
	}
	mz_statements_survey(text, &survey);
	check_survey(&survey, &sifted.survey);
	must(sifted.dangers.destructive <= sifted.dangers.count);
	must(sifted.introspection == mz_script_is_introspection(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view text = { data, size };
	size_t window = (size_t)take_byte(&text) + 1;
	struct mz_migration m = { .tag = "t" };
	struct memory_file file;
	struct mz_arena arena;

	if (text.n > TEXT_MAX)
		return 0;
	mz_arena_init(&arena);
	memory_file_open(&file, text);
	m.path = file.path;
	m.size = text.n;
	mz_folder_hash(text, m.hash);
	check_cutting(text, &m, window);
	check_sifting(text, &m, &arena, window);
	close(file.fd);
	mz_arena_release(&arena);
	return 0;
}
