/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "exec.h"

#include "failure.h"

#include <stdio.h>
#include <string.h>

/* ---- what comes back */

static void on_columns(void *ctx, const struct pgw_columns *columns)
{
	struct mz_exec *e = ctx;

	if (!e->own)
		mz_rows_begin(&e->rows, columns);
}

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct mz_exec *e = ctx;

	if (!e->own)
		mz_rows_add(&e->rows, row);
}

static void on_copy(void *ctx, struct pgw_view data)
{
	struct mz_exec *e = ctx;

	mz_rows_copy(&e->rows, data);
}

static void tell_statement(struct mz_exec *e, size_t line)
{
	mz_tell(&e->db.listener,
		&(struct mz_event){
			.kind = MZ_EV_STATEMENT,
			.tag = e->reader->name,
			.file = e->reader->name,
			.line = line,
			.text = e->tag,
			.us = (uint64_t)(pgw_clock_us() - e->answer_us),
		});
}

static void on_success(struct mz_exec *e, const struct pgw_outcome *o,
		       size_t line)
{
	mz_rows_end(&e->rows);
	snprintf(e->tag, sizeof(e->tag), "%s", o->tag);
	if (e->own)
		return;
	e->done++;
	if (o->txn == 'I')
		e->kept = e->done;
	if (e->db.listener.statements)
		tell_statement(e, line);
}

static void on_failure(struct mz_exec *e, const struct pgw_outcome *o,
		       const struct mz_ahead *which)
{
	mz_rows_drop(&e->rows);
	if (e->failed)
		return; /* a consequence of the first */
	e->failed = true;
	e->culprit = which;
	e->diag = mz_failure_keep(&e->c->arena, &o->diag);
}

static void on_done(void *ctx, const struct pgw_outcome *o)
{
	struct mz_exec *e = ctx;
	const struct mz_ahead *a = mz_exec_answered(e);

	if (o->ok)
		on_success(e, o, a ? a->line : e->st.line);
	else
		on_failure(e, o, a);
	e->answer_us = pgw_clock_us();
}

static void listen(struct mz_exec *e)
{
	mz_db_hooks(&e->db, on_row, on_done, e);
	pgw_conn_results(e->db.conn, on_columns, on_copy);
}

/* ---- what is sent */

static bool send(struct mz_exec *e, struct pgw_view sql)
{
	return pgw_conn_send(e->db.conn, sql, &e->lost) &&
	       pgw_conn_wait(e->db.conn, 0, &e->lost);
}

bool mz_exec_own(struct mz_exec *e, const char *sql, struct mz_err *err)
{
	bool ok;

	e->own = true;
	listen(e);
	ok = send(e, pgw_view_of(sql)) && !e->failed;
	if (!ok)
		return mz_exec_fail(e, err);
	e->own = false;
	return true;
}

static bool pull(void *ctx, struct pgw_view *data, struct pgw_err *err)
{
	struct mz_exec *e = ctx;

	if (mz_reader_rows(e->row_reader, data, &e->rows_lost))
		return true;
	return pgw_fail(err, PGW_E_USAGE, "%.400s", e->rows_lost.msg);
}

static struct pgw_view view(const struct mz_exec *e, struct pgw_view text)
{
	return (struct pgw_view){ text.p + e->st.start,
				  e->st.end - e->st.start };
}

/* The rows are those of the script, but those of -c come from stdin. */
static bool copy(struct mz_exec *e, struct mz_err *err)
{
	const struct pgw_copy_source from = { pull, e };
	struct mz_reader *r = e->reader;
	struct pgw_view sql;

	e->row_reader = r->literal ? &e->input : r;
	if (!mz_reader_rows_begin(e->row_reader, &e->st, err))
		return mz_exec_fail_more(e, err);
	e->row_line = e->row_reader->line;
	sql = view(e, r->literal ? r->text : pgw_buf_view(&r->head));
	if (!pgw_conn_copy(e->db.conn, sql, &from, &e->lost) || e->failed)
		return mz_exec_fail(e, err);
	if (!mz_reader_rows_end(e->row_reader, err))
		return mz_exec_fail_more(e, err);
	e->row_reader = NULL;
	return true;
}

/* All that was sent ahead went well. */
static bool settle(struct mz_exec *e)
{
	return pgw_conn_wait(e->db.conn, 0, &e->lost) && !e->failed;
}

static bool run_statement(struct mz_exec *e, struct mz_err *err)
{
	if (mz_exec_goes_ahead(e))
		return mz_exec_send_ahead(e) || mz_exec_fail(e, err);
	if (!settle(e))
		return mz_exec_fail(e, err);
	e->answer_us = pgw_clock_us();
	if (e->st.kind == MZ_SQL_COPY_STDIN)
		return copy(e, err);
	return (send(e, view(e, e->reader->text)) && !e->failed) ||
	       mz_exec_fail(e, err);
}

bool mz_exec_fits(const struct mz_reader *r, const struct mz_sql_statement *st,
		  bool one_transaction, struct mz_err *err)
{
	size_t line, column;

	if (!one_transaction ||
	    (st->kind != MZ_SQL_COMMIT && st->kind != MZ_SQL_ROLLBACK))
		return true;
	mz_fail(err, MZ_refused,
		"%s: %s would end the one transaction that was asked for",
		r->name, st->what);
	mz_hint(err, "leave out -1, or remove the statement");
	mz_reader_place(r, st->start, &line, &column);
	return mz_at(err, r->name, line, column);
}

/* What the server says of itself is better than what SET was seen to do. */
static void follow_server(struct mz_exec *e)
{
	const char *said = pgw_conn_server(e->db.conn)->conforming;

	if (*said && pgw_conn_outstanding(e->db.conn) == 0)
		e->reader->sql.standard_conforming_strings = strcmp(said,
								    "off") != 0;
}

bool mz_exec_script(struct mz_exec *e, struct mz_reader *r, struct mz_err *err)
{
	bool more = true;

	e->reader = r;
	e->answer_us = pgw_clock_us();
	e->db.tag = r->name;
	listen(e);
	for (;;) {
		follow_server(e);
		if (!mz_reader_next(r, &e->st, &more, err))
			return mz_exec_fail_more(e, err);
		if (!more)
			return settle(e) || mz_exec_fail(e, err);
		if (!mz_exec_fits(r, &e->st, e->one_transaction, err))
			return mz_exec_fail_more(e, err);
		if (!run_statement(e, err))
			return false;
	}
}
