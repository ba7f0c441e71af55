/* SPDX-License-Identifier: MIT */
/* How a run outside of a transaction ends when it does not end well. */
#include <config.h>

#include "failure.h"
#include "guard.h"
#include "stepwise_inner.h"

#include <string.h>

/* An interrupt waits for the answer to a last COMMIT for so long. */
#define COMMIT_MS 15000

static bool end(struct mz_stepwise *r, enum mz_ending ending)
{
	r->out->ending = ending;
	r->err->fate = r->row.finished > 0 ? MZ_FATE_PART : MZ_FATE_NOTHING;
	return false;
}

/* The same where nobody can tell what is there of it. */
static bool end_unsure(struct mz_stepwise *r, enum mz_ending ending)
{
	end(r, ending);
	r->err->fate = MZ_FATE_UNKNOWN;
	return false;
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
	const char *left =
		!r->left ? "" :
			   mz_printf(r->arena,
				     ", but for the invalid index %s, which "
				     "the next run drops",
				     r->left);

	if (n == 0)
		return mz_printf(r->arena, "nothing of it was kept%s", left);
	return mz_printf(r->arena,
			 "%zu of its %zu statement%s %s done, and kept%s", n,
			 r->survey->statements, s_of(r->survey->statements),
			 n == 1 ? "is" : "are", left);
}

/* The same when the connection is gone: a COMMIT may have gone through. */
static const char *known(const struct mz_stepwise *r)
{
	size_t n = r->row.finished;

	if (n == 0)
		return "nothing is known to be kept";
	return mz_printf(r->arena,
			 "at least %zu of %zu statement%s %s done, and kept", n,
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

static bool interrupted(struct mz_stepwise *r)
{
	bool settled = mz_stepwise_stop(r);

	if (settled)
		mz_stepwise_settle(r);
	mz_fail(r->err, MZ_connect, "interrupted in %s; %s%s", r->m->tag,
		kept(r), settled ? "" : ", and one may still be running");
	r->err->signal = -1;
	mz_hint(r->err, "run again to go on");
	return settled ? end(r, MZ_END_INTERRUPTED) :
			 end_unsure(r, MZ_END_INTERRUPTED);
}

static void on_commit(void *ctx, const struct pgw_outcome *o)
{
	*(bool *)ctx = o->ok && o->txn == 'I' && strcmp(o->tag, "COMMIT") == 0;
}

/*
 * That COMMIT is not cancelled, which would make it a riddle: it is heard out,
 * unless nothing comes any more.  What is left to do hears of the interrupt.
 */
static bool hear_out(struct mz_stepwise *r)
{
	struct mz_db *db = &r->holder;
	struct pgw_err ignored;
	bool committed = false;

	pgw_conn_ignore_interrupt(db->conn);
	mz_db_hooks(db, NULL, on_commit, &committed);
	pgw_conn_deadline(db->conn, pgw_clock_ms() + COMMIT_MS);
	(void)!pgw_conn_wait(db->conn, 0, &ignored);
	pgw_conn_deadline(db->conn, PGW_FOREVER);
	mz_db_hooks(db, NULL, NULL, NULL);
	if (committed)
		return true;
	db->cancel_until = pgw_clock_ms(); /* it is given up */
	mz_fail(r->err, MZ_connect,
		"interrupted at the COMMIT of %s, and it is not known whether "
		"that was done",
		r->m->tag);
	r->err->signal = -1;
	mz_hint(r->err, "run again: it goes on behind what is done");
	return end_unsure(r, MZ_END_INTERRUPTED);
}

bool mz_stepwise_lost(struct mz_stepwise *r, const struct pgw_err *cause)
{
	char text[sizeof(r->err->msg)];

	if (cause->code == PGW_E_INTERRUPTED)
		return r->committing ? hear_out(r) : interrupted(r);
	mz_db_fail(r->err, cause);
	if (r->committing) {
		r->out->commit_unsure = true;
		return end(r, MZ_END_LOST);
	}
	memcpy(text, r->err->msg, sizeof(text));
	mz_fail(r->err, r->err->status, "%.600s; of %s %s", text, r->m->tag,
		known(r));
	if (cause->code == PGW_E_UNSUPPORTED)
		mz_hint(r->err,
			"the file itself has set that: take it out, and run "
			"again to go on");
	else
		mz_hint(r->err, "run again to go on");
	return end_unsure(r, MZ_END_FAILED);
}

/* Another try may get what this one did not, unless a part of it is kept. */
static bool is_worth_a_retry(const struct mz_stepwise *r)
{
	return !r->left &&
	       !(r->is_alone && r->alone.kind == MZ_ALONE_UNKNOWN) &&
	       mz_failure_passes(&r->reply.diag);
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
	if (r->is_alone && r->alone.kind == MZ_ALONE_UNKNOWN)
		mz_hint(r->err,
			"what it committed itself before that is kept, and the "
			"next run begins it anew");
}

bool mz_stepwise_failed(struct mz_stepwise *r,
			const struct mz_sql_statement *st)
{
	const char *state = pgw_diag_sqlstate(&r->reply.diag);
	bool commits = !r->survey->calls_alone && mz_sql_is_call(st->what) &&
		       strcmp(state, "2D000") == 0;

	mz_stepwise_roll_back(r);
	mz_stepwise_settle(r);
	explain(r, st);
	if (commits)
		return end(r, MZ_END_STEPWISE);
	if (r->is_alone && r->alone.kind == MZ_ALONE_UNKNOWN)
		return end_unsure(r, MZ_END_FAILED);
	return end(r, is_worth_a_retry(r) ? MZ_END_RETRY : MZ_END_FAILED);
}

static void advise(struct mz_stepwise *r, const char *state)
{
	const char *schema = r->job->table->schema;

	if (strcmp(state, "25006") == 0)
		mz_hint(r->err,
			"the file makes its transactions read-only, and then "
			"its progress cannot be kept: take that out of it");
	else if (r->taken)
		mz_hint(r->err, "set that right and run again: it goes on "
				"after what is done");
	else if (strcmp(state, "42501") == 0)
		mz_hint(r->err,
			"a migration that leaves the transaction needs a table "
			"for its progress: GRANT CREATE ON SCHEMA %s (and ALL "
			"ON %s." MZ_PARTIAL_TABLE ", where it is there)",
			schema, schema);
	else if (strncmp(state, "42", 2) == 0)
		mz_hint(r->err,
			"%s." MZ_PARTIAL_TABLE
			" is where its progress is kept: "
			"what else has that name is in the way",
			schema);
}

/* The last who needed the table has dropped it since we looked. */
static bool is_dropped(const struct mz_stepwise *r, const struct pgw_err *cause)
{
	return !r->taken && r->job->history->has_partials &&
	       strcmp(cause->sqlstate, "42P01") == 0;
}

/* Either connection may be it. */
static bool is_answer(const struct mz_stepwise *r, const struct pgw_err *cause)
{
	return mz_db_is_answer(r->db, cause) &&
	       (!r->holder.conn || pgw_conn_alive(r->holder.conn));
}

bool mz_stepwise_own_failed(struct mz_stepwise *r, const struct pgw_err *cause)
{
	if (!is_answer(r, cause))
		return mz_stepwise_lost(r, cause);
	mz_stepwise_roll_back(r);
	if (mz_guard_is_marked(cause) || mz_partial_is_lost(cause) ||
	    is_dropped(r, cause) ||
	    (!r->held && strcmp(cause->sqlstate, "55P03") == 0))
		return end(r, MZ_END_CONTENDED);
	mz_stepwise_settle(r);
	mz_fail(r->err, status_of(r), "%s cannot %s: %.600s (%s); %s",
		r->m->tag,
		r->taken ? "go on" : "begin, as its progress cannot be kept",
		cause->msg, cause->sqlstate, kept(r));
	advise(r, cause->sqlstate);
	return end(r, MZ_END_FAILED);
}

bool mz_stepwise_surprised(struct mz_stepwise *r,
			   const struct mz_sql_statement *st)
{
	mz_stepwise_roll_back(r);
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

	if (strcmp(r->row.hash, r->m->hash) == 0) {
		mz_fail(r->err, MZ_history,
			"%s stopped after statement %zu of %zu, says its row "
			"of %s." MZ_PARTIAL_TABLE ", and that does not fit the "
			"file",
			r->m->tag, r->row.finished, r->survey->statements,
			r->job->table->schema);
		mz_hint(r->err, "look what is done, and set the row right; to "
				"begin anew delete it");
		return end(r, MZ_END_FAILED);
	}
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
	return end_unsure(r, MZ_END_FAILED);
}
