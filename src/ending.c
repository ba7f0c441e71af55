/* SPDX-License-Identifier: MIT */
/* How applying ends, and what there is to say about it. */
#include <config.h>

#include "applying.h"
#include "culprit.h"
#include "guard.h"
#include "sqltext.h"

#include <string.h>

#define ROLLBACK_MS 1000

void mz_applying_roll_back(struct mz_applying *ap)
{
	if (!mz_db_wait(ap->db, 0, &ap->lost) ||
	    pgw_conn_txn(ap->db->conn) == 'I')
		return;
	if (mz_applying_send(ap, MZ_FOR_ROLLBACK, ap->answering, "ROLLBACK"))
		(void)!mz_db_wait(ap->db, 0, &ap->lost);
}

static bool cancel(struct mz_applying *ap, struct pgw_err *why)
{
	if (!mz_db_cancel(ap->db, why))
		return false;
	pgw_conn_deadline(ap->db->conn, pgw_clock_ms() + ROLLBACK_MS);
	mz_applying_roll_back(ap);
	pgw_conn_deadline(ap->db->conn, PGW_FOREVER);
	return pgw_conn_txn(ap->db->conn) == 'I';
}

static bool undoes(const struct mz_applying *ap)
{
	return ap->job->options.doing == MZ_UNDO;
}

/* " down", behind the tag of a migration that is being rolled back. */
static const char *down(const struct mz_applying *ap)
{
	return undoes(ap) ? " down" : "";
}

/* " (3 migrations before it were applied)" and its like. */
static const char *before(struct mz_applying *ap)
{
	size_t n = ap->job->before + ap->out->count;

	if (ap->job->options.one_transaction && ap->job->count > 1)
		return " (and nothing of the others in its transaction)";
	if (n == 0)
		return "";
	if (undoes(ap))
		return mz_printf(ap->arena, " (%zu %s rolled back before it)",
				 n, n == 1 ? "was" : "were");
	return mz_printf(ap->arena, " (%zu migration%s before it %s applied)",
			 n, n == 1 ? "" : "s", n == 1 ? "was" : "were");
}

static void explain_statement(struct mz_applying *ap, struct mz_err *err)
{
	const struct mz_migration *m = ap->job->scripts[ap->culprit.migration];
	struct mz_culprit c = { .tag = m->tag,
				.file = m->path,
				.start = ap->culprit.start,
				.end = ap->culprit.end,
				.data_start = ap->culprit.data_start };
	struct mz_scroll s = { .file.fd = -1 };
	struct mz_err unreadable;
	struct mz_hold hold;

	mz_hold(ap->arena, &hold, mz_scroll_drop, &s);
	if (mz_scroll_open(&s, m, 0, &unreadable) &&
	    mz_culprit_read(&c, &s, ap->arena, &ap->diag, &unreadable)) {
		mz_failure_explain(err, ap->arena, &c, &ap->diag);
	} else {
		mz_failure_describe(err, ap->arena, m->tag, &ap->diag);
		mz_hint(err, "%s", unreadable.msg);
	}
	mz_let_go(ap->arena, &hold);
	mz_scroll_close(&s);
}

/*
 * What a pooler says, before it hangs up, that shares a server statement by
 * statement: it takes no BEGIN, so nothing can have happened.
 */
static bool is_statement_pooling(const struct mz_applying *ap)
{
	return strcmp(ap->lost.sqlstate, "08P01") == 0 &&
	       strstr(ap->lost.msg, "statement pooling");
}

static enum mz_ending refuse_statement_pooling(struct mz_err *err)
{
	mz_fail(err, MZ_refused,
		"the pooler on the way is in statement mode, which has no "
		"transactions; nothing was applied");
	mz_hint(err, "connect to the server itself, or to a pool in session "
		     "or transaction mode");
	return MZ_END_FAILED;
}

/* What to do about words that are ours. */
static void suggest(const struct mz_applying *ap, struct mz_err *err)
{
	const char *table = ap->job->table->quoted;
	const char *state = pgw_diag_sqlstate(&ap->diag);

	if (ap->culprit.purpose == MZ_FOR_OPEN && strcmp(state, "22023") == 0)
		mz_hint(err, "the connection string asks for that setting");
	if (ap->culprit.purpose == MZ_FOR_RECORD && strcmp(state, "23505") == 0)
		mz_hint(err,
			"the sequence of its ids is behind, as after a "
			"restore: SELECT pg_catalog.setval("
			"pg_catalog.pg_get_serial_sequence(%s, 'id'), "
			"pg_catalog.max(id)) FROM %s",
			mz_quote_literal(ap->arena, table), table);
}

static void explain_failure(struct mz_applying *ap, struct mz_err *err)
{
	static const char *const what[] = {
		[MZ_FOR_CREATE] = "while the history was created",
		[MZ_FOR_OPEN] = "while its transaction was begun",
		[MZ_FOR_STATEMENT] = "",
		[MZ_FOR_RECORD] = "while it was recorded",
		[MZ_FOR_COMMIT] = "at COMMIT",
		[MZ_FOR_ROLLBACK] = "at ROLLBACK",
	};
	const struct mz_migration *m = ap->job->todo[ap->culprit.migration];
	const char *when = what[ap->culprit.purpose];

	if (undoes(ap) && ap->culprit.purpose == MZ_FOR_RECORD)
		when = "while its row was removed";
	if (ap->surprised) {
		mz_fail(err, MZ_internal,
			"%s%s: the server answered, but not what must come "
			"%s; nothing more was sent",
			m->tag, down(ap), *when ? when : "after a statement");
		return;
	}
	mz_fail(err, MZ_sql, "%s%s failed%s%s; nothing of it was kept%s",
		m->tag, down(ap), *when ? " " : "", when, before(ap));
	if (ap->culprit.purpose == MZ_FOR_STATEMENT)
		explain_statement(ap, err);
	else
		mz_failure_describe(err, ap->arena, m->tag, &ap->diag);
	suggest(ap, err);
}

static bool is_contended(struct mz_applying *ap)
{
	return (ap->culprit.purpose == MZ_FOR_CREATE ||
		ap->culprit.purpose == MZ_FOR_OPEN) &&
	       !ap->surprised &&
	       mz_guard_contended(ap->arena, &ap->diag, &ap->out->waiters);
}

/*
 * Another try may get what this one did not: a lock, whoever has set the
 * limit.  All was rolled back, so it is as safe as the first.
 */
static bool is_worth_a_retry(const struct mz_applying *ap)
{
	return !ap->surprised && mz_failure_passes(&ap->diag);
}

/*
 * A procedure that commits, or a value of an enum that must be committed before
 * it is used: nothing of it is kept, so it can begin anew in the other way.
 */
static bool is_for_steps(const struct mz_applying *ap)
{
	const char *state = pgw_diag_sqlstate(&ap->diag);

	return ap->culprit.purpose == MZ_FOR_STATEMENT && !ap->surprised &&
	       ap->job->options.doing == MZ_APPLY &&
	       !ap->job->options.one_transaction &&
	       (strcmp(state, "2D000") == 0 || strcmp(state, "55P04") == 0);
}

/* The server may have been faster than the wish, or may not hear of it. */
static void interrupted(struct mz_applying *ap, struct mz_err *err)
{
	const struct mz_job *job = ap->job;
	struct pgw_err why;
	bool settled = cancel(ap, &why);
	size_t n = ap->out->count;

	mz_db_fail(err, &ap->lost);
	if (n == job->count)
		mz_fail(err, MZ_connect,
			"interrupted, but %s was %s all the same",
			job->todo[n - 1]->tag,
			undoes(ap) ? "rolled back" : "applied");
	else if (settled)
		mz_fail(err, MZ_connect,
			"interrupted; nothing of %s%s was kept%s",
			job->todo[n]->tag, down(ap), before(ap));
	else
		mz_fail(err, MZ_connect,
			"interrupted; the server did not stop %s%s in time: "
			"%.300s",
			job->todo[n]->tag, down(ap), why.msg);
	if (!settled)
		mz_hint(err,
			"it may still be running there, and may be %s: "
			"look with mizzle status",
			undoes(ap) ? "rolled back" : "applied");
	err->fate = settled ? MZ_FATE_NOTHING : MZ_FATE_UNKNOWN;
	err->signal = -1;
}

enum mz_ending mz_applying_end(struct mz_applying *ap, struct mz_err *err)
{
	if (ap->lost.code == PGW_E_INTERRUPTED) {
		interrupted(ap, err);
		return MZ_END_INTERRUPTED;
	}
	if (is_statement_pooling(ap))
		return refuse_statement_pooling(err);
	if (ap->lost.code != PGW_OK) {
		ap->out->commit_unsure = mz_flight_has(&ap->flight,
						       MZ_FOR_COMMIT);
		mz_db_fail(err, &ap->lost);
		return MZ_END_LOST;
	}
	/* A file that went wrong is why a COPY, or what is in it, failed. */
	if (!ap->failed || ap->out->ending == MZ_END_FAILED)
		return ap->out->ending;
	if (is_contended(ap))
		return MZ_END_CONTENDED;
	if (is_for_steps(ap))
		return MZ_END_STEPWISE;
	explain_failure(ap, err);
	return is_worth_a_retry(ap) ? MZ_END_RETRY : MZ_END_FAILED;
}
