/* SPDX-License-Identifier: MIT */
/* Statement by statement, each recorded with what it did. */
#include <config.h>

#include "backend.h"
#include "failure.h"
#include "setting_sql.h"
#include "stepwise_inner.h"

#include <string.h>

/* ---- one statement of the file */

static void on_done(void *ctx, const struct pgw_outcome *o)
{
	struct mz_stepwise *r = ctx;

	r->reply.came = true;
	r->reply.ok = o->ok;
	memcpy(r->reply.tag, o->tag,
	       strnlen(o->tag, sizeof(r->reply.tag) - 1) + 1);
	r->reply.tag[sizeof(r->reply.tag) - 1] = '\0';
	if (!o->ok)
		r->reply.diag = mz_failure_keep(r->arena, &o->diag);
}

static void tell_statement(struct mz_stepwise *r,
			   const struct mz_sql_statement *st, int64_t start)
{
	if (!r->db->listener.statements)
		return;
	mz_tell(&r->db->listener,
		&(struct mz_event){ .kind = MZ_EV_STATEMENT,
				    .tag = r->m->tag,
				    .file = r->m->path,
				    .line = st->line,
				    .text = r->reply.tag,
				    .us = (uint64_t)(pgw_clock_us() - start) });
}

static bool running(void *ctx, struct mz_running *run)
{
	struct mz_stepwise *r = ctx;

	*run = (struct mz_running){
		.tag = r->m->tag,
		.k = r->job->before + 1,
		.n = r->job->total,
		.statement = r->present.count,
		.statements = r->survey->statements,
		.line = r->present.line,
		.head = r->head,
		.us = pgw_clock_us() - r->sent_us,
		.outside = true,
	};
	return true;
}

void mz_stepwise_watched(struct mz_stepwise *r, struct mz_db *db,
			 struct pgw_view sql)
{
	mz_first_line(r->head, sizeof(r->head), sql);
	r->sent_us = pgw_clock_us();
	mz_db_running(db, running, r);
}

/* False only when the connection fails; r->reply says what the server says. */
static bool send(struct mz_stepwise *r, struct pgw_view sql)
{
	struct pgw_err lost;
	bool ok;

	r->reply.came = r->reply.ok = false;
	mz_db_hooks(r->db, NULL, on_done, r);
	mz_stepwise_watched(r, r->db, sql);
	ok = mz_db_send(r->db, sql, &lost) && mz_db_wait(r->db, 0, &lost);
	mz_db_running(r->db, NULL, NULL);
	return ok || mz_stepwise_lost(r, &lost);
}

struct pgw_view mz_stepwise_sql(const struct mz_stepwise *r,
				const struct mz_sql_statement *st)
{
	return (struct pgw_view){ r->text.data + st->start,
				  st->end - st->start };
}

struct mz_sql_text mz_stepwise_text(const struct mz_stepwise *r,
				    const struct mz_sql_statement *st)
{
	return (struct mz_sql_text){ mz_stepwise_sql(r, st),
				     !r->list.sql.standard_conforming_strings };
}

/* A COPY with its rows. */
static bool send_rows(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	struct pgw_view rows = { r->text.data + st->data_start,
				 st->data_end - st->data_start };
	const struct pgw_copy_source from = { pgw_copy_view, &rows };
	struct pgw_err lost;

	r->reply.came = r->reply.ok = false;
	mz_db_hooks(r->db, NULL, on_done, r);
	return pgw_conn_copy(r->db->conn, mz_stepwise_sql(r, st), &from,
			     &lost) ||
	       mz_stepwise_lost(r, &lost);
}

/* What was set for the session, by the file or by us. */
static bool discards(const struct mz_sql_statement *st)
{
	return st->what && strcmp(st->what, "DISCARD ALL") == 0;
}

bool mz_stepwise_one(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	int64_t start = pgw_clock_us();

	if (!(st->data_start > 0 ? send_rows(r, st) :
				   send(r, mz_stepwise_sql(r, st))))
		return false;
	if (!r->reply.ok)
		return mz_stepwise_failed(r, st);
	tell_statement(r, st, start);
	if (!discards(st))
		return true;
	r->patient = false;
	return mz_stepwise_prepare(r);
}

/* ---- what is finished */

const char *mz_stepwise_hash(struct mz_stepwise *r, size_t end)
{
	struct mz_hasher h = { 0 };

	if (r->hashed == 0)
		pgw_sha256_init(&r->sha);
	pgw_sha256_update(&r->sha, r->text.data + r->hashed, end - r->hashed);
	r->hashed = end;
	h.sha = r->sha;
	mz_hasher_final(&h, r->done);
	return r->done;
}

/* As far as st; the row itself is left as it is until that is committed. */
static bool record(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	const char *hash = mz_stepwise_hash(r, mz_sql_end_of(st));

	return mz_stepwise_own(r, r->db,
			       mz_printf(r->arena, MZ_AS_OURSELVES_SQL "; %s",
					 mz_partial_finish_sql(r->arena,
							       &r->key,
							       st->count,
							       hash)),
			       NULL, NULL);
}

static bool is_finished(struct mz_stepwise *r,
			const struct mz_sql_statement *st)
{
	r->row.finished = st->count;
	memcpy(r->row_done, r->done, sizeof(r->row_done));
	r->row.done = r->row_done;
	r->row.running = 0;
	return true;
}

bool mz_stepwise_finish(struct mz_stepwise *r,
			const struct mz_sql_statement *st)
{
	return record(r, st) && is_finished(r, st);
}

/* ---- transactions of ours */

static bool open_block(struct mz_stepwise *r)
{
	const char *wanted = "";

	if (r->in_block)
		return true;
	if (r->pooled)
		wanted = mz_wanted_sql(r->arena, &r->options, true);
	if (!mz_stepwise_own(r, r->db,
			     mz_printf(r->arena, "BEGIN%s%s%s",
				       r->patient ? "; RESET lock_timeout" : "",
				       wanted,
				       mz_timeouts_sql(r->arena, &r->options)),
			     NULL, NULL))
		return false;
	r->in_block = true;
	r->patient = false;
	return true;
}

/* A constraint may have waited for it. */
static bool commit(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	if (!send(r, pgw_view_of("COMMIT")))
		return false;
	if (!r->reply.ok)
		return mz_stepwise_failed(r, st);
	r->in_block = false;
	if (strcmp(r->reply.tag, "COMMIT") != 0)
		return mz_stepwise_surprised(r, st);
	return is_finished(r, st);
}

/* Everything up to st is finished with it. */
static bool close_block(struct mz_stepwise *r,
			const struct mz_sql_statement *st)
{
	return !r->in_block || (record(r, st) && commit(r, st));
}

static bool undo_block(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	r->in_block = false;
	return mz_stepwise_own(r, r->db, "ROLLBACK", NULL, NULL) &&
	       mz_stepwise_finish(r, st);
}

static bool in_own(const struct mz_stepwise *r)
{
	return !r->in_block && pgw_conn_txn(r->db->conn) != 'I';
}

/* Others cannot use a value of an enum before it is committed. */
static bool is_last_of_block(const struct mz_stepwise *r,
			     const struct mz_sql_statement *st)
{
	struct mz_sql_text text = mz_stepwise_text(r, st);
	struct pgw_view value;

	return r->survey->directives.no_transaction ||
	       mz_sql_adds_value(&text, &value);
}

static bool run_plain(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	bool own = in_own(r);

	if ((!own && !open_block(r)) || !mz_stepwise_one(r, st))
		return false;
	if (pgw_conn_txn(r->db->conn) != 'T')
		return mz_stepwise_surprised(r, st);
	return own || !is_last_of_block(r, st) || close_block(r, st);
}

/* ---- transactions of the file's own */

/*
 * The limits hold there, too: what the session has of them is that of the
 * statements that run alone.  SET is no query, so that the file may still say
 * what kind of transaction it is.
 */
static const char *limits_sql(const struct mz_stepwise *r)
{
	const struct mz_apply_options *o = &r->options;
	const char *sql = r->patient ? "SET LOCAL lock_timeout TO DEFAULT; " :
				       "";

	if (o->lock_timeout_ms > 0)
		sql = mz_printf(r->arena, "SET LOCAL lock_timeout TO %lld; ",
				(long long)o->lock_timeout_ms);
	if (r->pooled && o->statement_timeout_ms > 0)
		sql = mz_printf(r->arena,
				"%sSET LOCAL statement_timeout TO %lld; ", sql,
				(long long)o->statement_timeout_ms);
	return sql;
}

static bool run_begin(struct mz_stepwise *r, const struct mz_sql_statement *st,
		      const struct mz_sql_statement *before)
{
	const char *sql = limits_sql(r);

	return close_block(r, before) && mz_stepwise_one(r, st) &&
	       (!*sql || pgw_conn_txn(r->db->conn) != 'T' ||
		mz_stepwise_own(r, r->db, sql, NULL, NULL));
}

/* COMMIT without BEGIN ends ours, as it would end Drizzle's. */
static bool run_commit(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	bool own = in_own(r);

	if (r->in_block)
		return close_block(r, st);
	if (!own || strcmp(st->what, "PREPARE TRANSACTION") == 0)
		return mz_stepwise_one(r, st) && mz_stepwise_finish(r, st);
	return record(r, st) && mz_stepwise_one(r, st) &&
	       (strcmp(r->reply.tag, "COMMIT") == 0 ||
		mz_stepwise_surprised(r, st)) &&
	       is_finished(r, st);
}

static bool run_rollback(struct mz_stepwise *r,
			 const struct mz_sql_statement *st)
{
	if (r->in_block)
		return undo_block(r, st);
	return mz_stepwise_one(r, st) && mz_stepwise_finish(r, st);
}

/* ---- all of them */

/* What a part of the session that is gone has set must hold again. */
static bool set_again(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	struct mz_sql_text text = mz_stepwise_text(r, st);

	(void)mz_stepwise_hash(r, mz_sql_end_of(st));
	return !mz_sql_sets_session(&text) || mz_stepwise_one(r, st);
}

static bool is_alone(const struct mz_stepwise *r,
		     const struct mz_sql_statement *st)
{
	if (st->kind == MZ_SQL_ALONE)
		return true;
	return st->kind == MZ_SQL_PLAIN && r->survey->calls_alone &&
	       mz_sql_is_call(st->what);
}

static bool step(struct mz_stepwise *r, const struct mz_sql_statement *st,
		 const struct mz_sql_statement *before)
{
	if (is_alone(r, st) && !in_own(r))
		return close_block(r, before) && mz_stepwise_alone(r, st);
	switch (st->kind) {
	case MZ_SQL_BEGIN:
		return run_begin(r, st, before);
	case MZ_SQL_COMMIT:
		return run_commit(r, st);
	case MZ_SQL_ROLLBACK:
		return run_rollback(r, st);
	case MZ_SQL_PLAIN:
	case MZ_SQL_SAVEPOINT:
	case MZ_SQL_ALONE:
	case MZ_SQL_COPY_STDIN:
		break;
	}
	return run_plain(r, st);
}

bool mz_stepwise_statements(struct mz_stepwise *r)
{
	struct mz_sql_statement st, before = { 0 };
	size_t count = 0;

	mz_statements_init(&r->list, pgw_buf_view(&r->text));
	while (mz_statements_next(&r->list, &st)) {
		st.count = ++count; /* of the file, not of a chunk */
		r->present = st;
		if (!(st.count <= r->row.finished ? set_again(r, &st) :
						    step(r, &st, &before)))
			return false;
		before = st;
	}
	/* with Drizzle, a BEGIN without its COMMIT has that of the run */
	return in_own(r) ? record(r, &before) && commit(r, &before) :
			   close_block(r, &before);
}
