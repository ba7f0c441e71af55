/* SPDX-License-Identifier: MIT */
/* How a run outside of a transaction ends when it does not end well. */
#include <config.h>

#include "failure.h"
#include "guard.h"
#include "stepwise_inner.h"

#include <string.h>

static bool end(struct mz_stepwise *r, enum mz_ending ending)
{
	r->out->ending = ending;
	return false;
}

/* A question of ours while something has failed already: best effort. */
static bool quietly(struct mz_db *db, const char *sql,
		    void (*row)(void *ctx, const struct pgw_row *row),
		    void *ctx)
{
	struct pgw_err ignored;

	if (!db->conn || !pgw_conn_alive(db->conn))
		return false;
	pgw_conn_ignore_interrupt(db->conn);
	return mz_db_query(db, sql, row, ctx, &ignored);
}

static void roll_back(struct mz_stepwise *r)
{
	r->in_block = false;
	if (pgw_conn_alive(r->db->conn) && pgw_conn_txn(r->db->conn) != 'I')
		(void)!quietly(r->db, "ROLLBACK", NULL, NULL);
}

/* ---- what is left of it */

static void on_boolean(void *ctx, const struct pgw_row *row)
{
	struct pgw_view cols = row->cols, v;

	*(bool *)ctx = pgw_column_next(&cols, &v) && v.p && v.n == 1 &&
		       v.p[0] == 't';
}

/* Nothing was kept: as if it had never begun.  Unless known, the row says so.
 */
static void forget(struct mz_stepwise *r, bool known)
{
	struct mz_arena *a = r->arena;
	const struct mz_table *t = r->job->table;
	bool empty = false;

	if (quietly(&r->holder,
		    mz_printf(a, "%s%s; %s",
			      mz_partial_delete_sql(a, t, r->m->tag),
			      known ? "" : mz_partial_untouched_sql(a, &r->key),
			      mz_partial_empty_sql(a, t)),
		    on_boolean, &empty) &&
	    (!empty ||
	     quietly(&r->holder, mz_partial_drop_sql(a, t), NULL, NULL)))
		(void)!quietly(&r->holder, "COMMIT", NULL, NULL);
}

/* The present statement is known not to be done. */
static void settle_row(struct mz_stepwise *r)
{
	if (r->row.finished == 0)
		forget(r, true);
	else if (r->row.running > 0)
		(void)!quietly(r->db,
			       mz_partial_finish_sql(r->arena, &r->key,
						     r->row.finished,
						     r->row.done),
			       NULL, NULL);
}

struct leftovers {
	struct mz_arena *arena;
	const char *sql;
};

static void on_leftover(void *ctx, const struct pgw_row *row)
{
	struct leftovers *l = ctx;
	struct pgw_view cols = row->cols;
	const char *name = mz_db_text(l->arena, &cols);

	if (name && !l->sql)
		l->sql = mz_printf(l->arena,
				   "DROP INDEX CONCURRENTLY IF EXISTS %s",
				   name);
}

/* What cannot be dropped now, the next run drops: false. */
static bool clean(struct mz_stepwise *r)
{
	const char *sql;
	struct leftovers l;

	if (!r->is_alone)
		return true;
	sql = mz_alone_leftovers_sql(r->arena, &r->alone, r->row.before);
	if (!sql)
		return true;
	do {
		l = (struct leftovers){ .arena = r->arena };
		if (!quietly(r->db, sql, on_leftover, &l))
			return false;
	} while (l.sql && quietly(r->db, l.sql, NULL, NULL));
	return !l.sql;
}

/* ---- words */

static const char *s_of(size_t n)
{
	return n == 1 ? "" : "s";
}

/* What is there of it. */
static const char *kept(const struct mz_stepwise *r)
{
	size_t n = r->row.finished;

	if (n == 0)
		return "nothing of it was kept";
	return mz_printf(r->arena,
			 "%zu of its %zu statement%s %s done, and kept", n,
			 r->survey->statements, s_of(r->survey->statements),
			 n == 1 ? "is" : "are");
}

static const char *migrations_before(const struct mz_stepwise *r)
{
	size_t n = r->job->before;

	if (n == 0)
		return "";
	return mz_printf(r->arena, " (%zu migration%s before it %s applied)", n,
			 s_of(n), n == 1 ? "was" : "were");
}

static enum mz_status status_of(const struct mz_stepwise *r)
{
	return r->row.finished > 0 ? MZ_partial : MZ_sql;
}

static void place(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	size_t line, column;

	mz_sql_place(pgw_buf_view(&r->text), st->start, &line, &column);
	mz_at(r->err, r->m->path, line, column);
}

/* ---- endings */

/* The server was faster than the wish to end it. */
static void settle_finished(struct mz_stepwise *r)
{
	size_t n = r->present.count;

	if (r->alone.kind == MZ_ALONE_INDEX)
		return; /* the next run sees whether it is valid */
	if (quietly(r->db,
		    mz_partial_finish_sql(r->arena, &r->key, n,
					  mz_stepwise_hash(r, r->present.end)),
		    NULL, NULL))
		r->row.finished = n;
}

/*
 * What was interrupted may have been SQL of our own, and be done all the same:
 * how far it has come is in the row alone.
 */
static void settle_unknown(struct mz_stepwise *r)
{
	struct mz_partials all;
	struct mz_err ignored;
	const struct mz_partial *now;

	if (!r->key.token)
		return; /* it is not ours yet */
	forget(r, false);
	if (!pgw_conn_alive(r->db->conn) ||
	    !mz_partials_read(&all, r->arena, r->db, r->job->table, &ignored))
		return;
	now = mz_partials_find(&all, r->m->tag);
	r->row.finished = now ? now->finished : 0;
}

static void settle(struct mz_stepwise *r)
{
	bool answered = r->is_sent && r->reply.came;

	if (r->is_recording)
		return; /* all is done, but for our row in the history */
	if (!r->is_alone || (r->is_sent && !answered))
		settle_unknown(r);
	else if (answered && r->reply.ok)
		settle_finished(r);
	else if (clean(r))
		settle_row(r);
}

static bool interrupted(struct mz_stepwise *r)
{
	struct pgw_err why;
	bool settled = mz_db_cancel(r->db, &why);

	roll_back(r);
	if (settled)
		settle(r);
	mz_fail(r->err, MZ_connect, "interrupted in %s; %s%s", r->m->tag,
		kept(r), settled ? "" : ", and one may still be running");
	r->err->signal = -1;
	mz_hint(r->err, "run again to go on");
	return end(r, MZ_END_INTERRUPTED);
}

bool mz_stepwise_lost(struct mz_stepwise *r, const struct pgw_err *cause)
{
	char text[sizeof(r->err->msg)];

	if (cause->code == PGW_E_INTERRUPTED)
		return interrupted(r);
	mz_db_fail(r->err, cause);
	if (r->committing) {
		r->out->commit_unsure = true;
		return end(r, MZ_END_LOST);
	}
	memcpy(text, r->err->msg, sizeof(text));
	mz_fail(r->err, r->err->status, "%.600s; of %s %s", text, r->m->tag,
		kept(r));
	mz_hint(r->err, "run again to go on");
	return end(r, MZ_END_FAILED);
}

static bool is_call(const struct mz_sql_statement *st)
{
	return st->what &&
	       (strcmp(st->what, "CALL") == 0 || strcmp(st->what, "DO") == 0);
}

/* Another try may get what this one did not. */
static bool is_worth_a_retry(const struct mz_stepwise *r, const char *state)
{
	return r->options.lock_timeout_ms > 0 &&
	       (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0 ||
		strcmp(state, "40001") == 0);
}

/* It is recorded behind PREPARE TRANSACTION, not by it, that it was done. */
static bool was_prepared(const struct mz_stepwise *r,
			 const struct mz_sql_statement *st)
{
	return st->what && strcmp(st->what, "PREPARE TRANSACTION") == 0 &&
	       strcmp(pgw_diag_sqlstate(&r->reply.diag), "42710") == 0;
}

static void explain(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	struct mz_culprit c = { .tag = r->m->tag,
				.file = r->m->path,
				.text = pgw_buf_view(&r->text),
				.start = st->start,
				.end = st->end,
				.data_start = st->data_start,
				.data_end = st->data_end };

	if (r->row.finished == 0)
		mz_fail(r->err, MZ_sql, "%s failed; nothing of it was kept%s",
			r->m->tag, migrations_before(r));
	else
		mz_fail(r->err, MZ_partial, "%s failed at statement %zu; %s%s",
			r->m->tag, st->count, kept(r), migrations_before(r));
	mz_failure_explain(r->err, r->arena, &c, &r->reply.diag);
	if (was_prepared(r, st))
		mz_hint(r->err,
			"perhaps an earlier run of this file prepared it, and "
			"was cut off there: then ROLLBACK PREPARED, and run "
			"again");
	else if (r->row.finished > 0)
		mz_hint(r->err,
			"run again to go on behind what is done; to change "
			"what is not done yet edit the file, then "
			"--allow-modified");
}

bool mz_stepwise_failed(struct mz_stepwise *r,
			const struct mz_sql_statement *st)
{
	const char *state = pgw_diag_sqlstate(&r->reply.diag);
	bool commits = !r->survey->calls_alone && is_call(st) &&
		       strcmp(state, "2D000") == 0;

	explain(r, st);
	roll_back(r);
	if (clean(r))
		settle_row(r);
	if (commits)
		return end(r, MZ_END_STEPWISE);
	return end(r,
		   is_worth_a_retry(r, state) ? MZ_END_RETRY : MZ_END_FAILED);
}

bool mz_stepwise_own_failed(struct mz_stepwise *r, const struct pgw_err *cause)
{
	if (cause->code != PGW_E_SERVER)
		return mz_stepwise_lost(r, cause);
	roll_back(r);
	if (mz_guard_is_marked(cause) || mz_partial_is_lost(cause))
		return end(r, MZ_END_CONTENDED);
	mz_fail(r->err, status_of(r), "%s cannot be recorded: %.600s (%s); %s",
		r->m->tag, cause->msg, cause->sqlstate, kept(r));
	if (strcmp(cause->sqlstate, "42501") == 0)
		mz_hint(r->err,
			"a migration that leaves the transaction needs a table "
			"for its progress: GRANT CREATE ON SCHEMA %s",
			r->job->table->schema);
	return end(r, MZ_END_FAILED);
}

bool mz_stepwise_surprised(struct mz_stepwise *r,
			   const struct mz_sql_statement *st)
{
	roll_back(r);
	mz_fail(r->err, MZ_internal,
		"%s: the server answered, but not what must come; nothing more "
		"was sent, %s",
		r->m->tag, kept(r));
	if (st)
		place(r, st);
	return end(r, MZ_END_FAILED);
}

bool mz_stepwise_changed(struct mz_stepwise *r)
{
	bool allowed = r->options.allow_modified;

	mz_fail(r->err, MZ_history,
		allowed ? "%s stopped after statement %zu of %zu, and what is "
			  "done of it has been edited since" :
			  "%s stopped after statement %zu of %zu, and has been "
			  "edited since",
		r->m->tag, r->row.finished, r->row.statements);
	mz_hint(r->err, allowed ? "restore that part of the file" :
				  "restore the file, or go on with "
				  "--allow-modified if only what is not done "
				  "yet has changed");
	mz_at(r->err, r->m->path, 0, 0);
	return end(r, MZ_END_FAILED);
}

bool mz_stepwise_invalid(struct mz_stepwise *r,
			 const struct mz_sql_statement *st, const char *index)
{
	mz_fail(r->err, status_of(r),
		"%s: the index %s is invalid, although the server says that it "
		"was built; %s",
		r->m->tag, index, kept(r));
	mz_hint(r->err, "run again: it is dropped and built anew");
	place(r, st);
	settle_row(r);
	return end(r, MZ_END_FAILED);
}

bool mz_stepwise_busy(struct mz_stepwise *r, const struct mz_sql_statement *st,
		      const char *pid)
{
	mz_fail(r->err, MZ_locked,
		"statement %zu of %s, which an earlier run began, still runs "
		"with pid %s",
		st->count, r->m->tag, pid);
	mz_hint(r->err,
		"wait longer with --lock-wait, or end it: SELECT "
		"pg_cancel_backend(%s)",
		pid);
	place(r, st);
	return end(r, MZ_END_FAILED);
}

bool mz_stepwise_unknown(struct mz_stepwise *r,
			 const struct mz_sql_statement *st)
{
	mz_fail(r->err, MZ_partial,
		"the connection was lost while %s of %s ran: whether it was "
		"done nobody can tell",
		st->what, r->m->tag);
	mz_hint(r->err, "look, then run again with --resume=skip if it was "
			"done, or --resume=again");
	place(r, st);
	return end(r, MZ_END_FAILED);
}
