/* SPDX-License-Identifier: MIT */
/* How a script fails, and what there is to say about it. */
#include <config.h>

#include "exec.h"

#include "failure.h"

#include <string.h>

#define ROLLBACK_MS 1000

/* What became of all before it. */
static const char *fate(const struct mz_exec *e)
{
	struct mz_arena *a = &e->c->arena;

	if (e->one_transaction)
		return "nothing was kept";
	if (e->done == 0)
		return "it was the first statement";
	if (e->kept == 0)
		return "its transaction was rolled back: nothing was kept";
	if (e->kept < e->done)
		return mz_printf(a,
				 "its transaction was rolled back; the %zu "
				 "statement%s before that %s kept",
				 e->kept, e->kept == 1 ? "" : "s",
				 e->kept == 1 ? "was" : "were");
	if (e->kept == 1)
		return "the statement before it was kept";
	return mz_printf(a, "the %zu statements before it were kept", e->kept);
}

/* ---- places */

static size_t column_of(const char *line, struct pgw_view value)
{
	struct pgw_view v = pgw_view_of(line);
	const unsigned char *at = value.n == 0 ?
					  NULL :
					  memmem(v.p, v.n, value.p, value.n);
	size_t unused, column;

	if (!at)
		return 1;
	mz_sql_place(v, (size_t)(at - v.p), &unused, &column);
	return column;
}

/* One of the rows is what the server did not like. */
static bool place_row(struct mz_exec *e, const struct mz_reader *r,
		      struct mz_err *err)
{
	struct mz_sql_error *sql;
	struct pgw_view value;
	size_t row = mz_failure_row(&e->diag, &value), line, column = 0;

	if (row == 0 || row > r->line - e->row_line + r->text.n)
		return false;
	line = e->row_line + row - 1;
	sql = mz_alloc(&e->c->arena, sizeof(*sql));
	*sql = *err->sql;
	sql->source = mz_reader_line(r, &e->c->arena, line);
	if (sql->source)
		column = column_of(sql->source, value);
	err->sql = sql;
	return !mz_at(err, r->name, line, column);
}

/* The server tells which bytes it could not read, but not where. */
static size_t bad_byte(const struct mz_exec *e, const struct mz_culprit *c)
{
	struct pgw_view statement = { c->text.p + c->start, c->end - c->start };
	size_t at;

	if (strcmp(pgw_diag_sqlstate(&e->diag), "22021") != 0 ||
	    pgw_utf8_valid(statement, &at))
		return SIZE_MAX;
	return c->start + at;
}

/* The line of err is that of c's text; gives the byte. */
static size_t explain_in(struct mz_exec *e, const struct mz_culprit *c,
			 struct mz_err *err)
{
	size_t at = bad_byte(e, c), line, column;

	mz_failure_explain(err, &e->c->arena, c, &e->diag);
	if (at == SIZE_MAX)
		return mz_failure_offset(c, &e->diag);
	mz_hint(err, "save the script as UTF-8, or let it begin with SET "
		     "client_encoding");
	mz_sql_place(c->text, at, &line, &column);
	mz_at(err, c->file, line, column);
	return at;
}

/* It was sent ahead: a copy of its lines is at hand. */
static void explain_ahead(struct mz_exec *e, struct mz_err *err)
{
	const struct mz_ahead *a = e->culprit;
	const struct mz_culprit c = { .tag = e->reader->name,
				      .file = e->reader->name,
				      .text = pgw_buf_view(&a->text),
				      .start = a->start,
				      .end = a->end };

	explain_in(e, &c, err);
	err->place.line += a->text_line - 1;
}

static void explain(struct mz_exec *e, struct mz_err *err)
{
	const struct mz_reader *r = e->reader;
	bool in_head = e->row_reader == r;
	const struct mz_culprit c = { .tag = r->name,
				      .file = r->name,
				      .text = in_head ? pgw_buf_view(&r->head) :
							r->text,
				      .start = e->st.start,
				      .end = e->st.end };
	size_t at = explain_in(e, &c, err);

	if (e->row_reader && place_row(e, e->row_reader, err))
		return;
	if (in_head)
		err->place.line += r->head_line - 1;
	else
		mz_reader_place(r, at, &err->place.line, &err->place.column);
}

/* ---- the end of it */

/* Leave nothing of ours open, nor any lock behind. */
static void roll_back(struct mz_exec *e)
{
	struct pgw_conn *c = e->db.conn;
	struct pgw_err ignored;

	mz_db_hooks(&e->db, NULL, NULL, NULL);
	if (e->one_transaction && pgw_conn_alive(c) && pgw_conn_txn(c) != 'I' &&
	    pgw_conn_send(c, pgw_view_of("ROLLBACK"), &ignored))
		(void)!pgw_conn_wait(c, 0, &ignored);
}

/* False when the server did not stop; why says what was in the way. */
static bool cancel(struct mz_exec *e, struct pgw_err *why)
{
	struct pgw_conn *c = e->db.conn;

	if (!mz_db_cancel(&e->db, why))
		return false;
	pgw_conn_deadline(c, pgw_clock_ms() + ROLLBACK_MS);
	roll_back(e);
	pgw_conn_deadline(c, PGW_FOREVER);
	return true;
}

/* Of what the server is at. */
static size_t running_line(const struct mz_exec *e)
{
	return e->ahead_count > 0 ? e->ahead[e->ahead_first].line : e->st.line;
}

static bool interrupted(struct mz_exec *e, struct mz_err *err)
{
	const char *name = e->reader ? e->reader->name : "the script";
	size_t line = running_line(e);
	struct pgw_err why;

	if (cancel(e, &why)) {
		mz_fail(err, MZ_connect, "interrupted in %s; %s", name,
			fate(e));
	} else {
		mz_fail(err, MZ_connect,
			"interrupted in %s; the server did not stop in time: "
			"%.300s",
			name, why.msg);
		mz_hint(err, "it may still be running there");
	}
	if (e->reader && !e->own)
		mz_at(err, e->reader->name, line, 0);
	err->signal = -1;
	return false;
}

static bool lost(struct mz_exec *e, struct mz_err *err)
{
	char cause[sizeof(err->msg)];
	char hint[sizeof(err->hint)];

	mz_db_fail(err, &e->lost);
	if (!e->reader || e->own)
		return false;
	memcpy(cause, err->msg, sizeof(cause));
	memcpy(hint, err->hint, sizeof(hint));
	mz_fail(err, MZ_connect, "%.600s; %s", cause, fate(e));
	if (e->one_transaction || pgw_conn_txn(e->db.conn) != 'I')
		mz_hint(err, "%s", hint);
	else
		mz_hint(err, "whether the statement itself was done is not "
			     "known");
	return mz_at(err, e->reader->name, running_line(e), 0);
}

bool mz_exec_fail_more(struct mz_exec *e, struct mz_err *err)
{
	char cause[sizeof(err->msg)];

	if (err->signal)
		return interrupted(e, err);
	roll_back(e);
	if (e->done == 0)
		return false;
	memcpy(cause, err->msg, sizeof(cause));
	snprintf(err->msg, sizeof(err->msg), "%.700s; %s", cause, fate(e));
	if (!e->one_transaction)
		err->status = MZ_sql;
	return false;
}

bool mz_exec_fail(struct mz_exec *e, struct mz_err *err)
{
	if (e->lost.code == PGW_E_INTERRUPTED)
		return interrupted(e, err);
	if (e->lost.code != PGW_OK)
		return lost(e, err);
	if (e->rows_lost.msg[0]) {
		*err = e->rows_lost;
		return mz_exec_fail_more(e, err);
	}
	roll_back(e);
	if (e->own) {
		mz_fail(err, MZ_sql, "%s; nothing was kept",
			e->done > 0 ? "COMMIT failed" :
				      "the session could "
				      "not be set up");
		mz_failure_describe(err, &e->c->arena, NULL, &e->diag);
		return false;
	}
	mz_fail(err, MZ_sql, "%s failed; %s", e->reader->name, fate(e));
	if (e->culprit)
		explain_ahead(e, err);
	else
		explain(e, err);
	return false;
}
