/* SPDX-License-Identifier: MIT */
/* How applying ends, and what there is to say about it. */
#include <config.h>

#include "applying.h"
#include "failure.h"
#include "file.h"
#include "guard.h"

#include <string.h>

/* A cancelled transaction gets this long to roll back before we hang up. */
#define CANCEL_ROUNDS 15
#define CANCEL_ROUND_MS 1000

void mz_applying_roll_back(struct mz_applying *ap)
{
	if (!pgw_conn_wait(ap->db->conn, 0, &ap->lost) ||
	    pgw_conn_txn(ap->db->conn) == 'I')
		return;
	if (mz_applying_send(ap, MZ_FOR_ROLLBACK, ap->answering, "ROLLBACK"))
		(void)!pgw_conn_wait(ap->db->conn, 0, &ap->lost);
}

/*
 * Cancel until the server has nothing of ours left to do.  False when it did
 * not get there; why says what was in the way.
 */
static bool cancel(struct mz_applying *ap, struct pgw_err *why)
{
	struct pgw_conn *c = ap->db->conn;
	struct pgw_err ignored;
	bool done = false;

	pgw_fail(why, PGW_E_TIMEOUT, "it goes on all the same");
	pgw_conn_ignore_interrupt(c);
	for (int i = 0; i < CANCEL_ROUNDS && !done && pgw_conn_alive(c); i++) {
		if (pgw_conn_outstanding(c) > 0)
			(void)!pgw_conn_cancel(c, CANCEL_ROUND_MS, why);
		pgw_conn_deadline(c, pgw_clock_ms() + CANCEL_ROUND_MS);
		done = pgw_conn_wait(c, 0, &ignored);
	}
	if (done) {
		mz_applying_roll_back(ap);
		done = pgw_conn_txn(c) == 'I';
	}
	pgw_conn_deadline(c, PGW_FOREVER);
	return done;
}

/* ", 3 migrations before it were applied" and its like. */
static const char *before(struct mz_applying *ap)
{
	size_t n = ap->out->count;

	if (ap->job->options.one_transaction && ap->job->count > 1)
		return " (and nothing of the others in its transaction)";
	if (n == 0)
		return "";
	return mz_printf(ap->arena, " (%zu migration%s before it %s applied)",
			 n, n == 1 ? "" : "s", n == 1 ? "was" : "were");
}

static void explain_statement(struct mz_applying *ap, struct mz_err *err)
{
	const struct mz_migration *m = ap->job->todo[ap->culprit.migration];
	struct mz_culprit c = { .tag = m->tag,
				.file = m->path,
				.start = ap->culprit.start,
				.end = ap->culprit.end,
				.data_start = ap->culprit.data_start,
				.data_end = ap->culprit.data_end };
	struct mz_err unreadable;
	struct pgw_buf text;

	pgw_buf_init(&text, MZ_FILE_MAX);
	if (mz_folder_read(ap->job->folder, m, &text, &unreadable)) {
		c.text = pgw_buf_view(&text);
		mz_failure_explain(err, ap->arena, &c, &ap->diag);
	} else {
		mz_failure_describe(err, ap->arena, m->tag, &ap->diag);
	}
	pgw_buf_release(&text);
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

	if (ap->surprised) {
		mz_fail(err, MZ_internal,
			"%s: the server answered, but not what must come %s; "
			"nothing more was sent",
			m->tag, *when ? when : "after a statement");
		return;
	}
	mz_fail(err, MZ_sql, "%s failed%s%s; nothing of it was kept%s", m->tag,
		*when ? " " : "", when, before(ap));
	if (ap->culprit.purpose == MZ_FOR_STATEMENT)
		explain_statement(ap, err);
	else
		mz_failure_describe(err, ap->arena, m->tag, &ap->diag);
	if (ap->culprit.purpose == MZ_FOR_OPEN &&
	    strcmp(pgw_diag_sqlstate(&ap->diag), "22023") == 0)
		mz_hint(err, "the connection string asks for that setting");
}

static bool is_contended(struct mz_applying *ap)
{
	return (ap->culprit.purpose == MZ_FOR_CREATE ||
		ap->culprit.purpose == MZ_FOR_OPEN) &&
	       !ap->surprised &&
	       mz_guard_contended(ap->arena, &ap->diag, &ap->out->waiters);
}

/* Another try may get what this one did not. */
static bool is_worth_a_retry(const struct mz_applying *ap)
{
	const char *state = pgw_diag_sqlstate(&ap->diag);

	return ap->job->options.lock_timeout_ms > 0 && !ap->surprised &&
	       (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0 ||
		strcmp(state, "40001") == 0);
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
			"interrupted, but %s was applied all the same",
			job->todo[n - 1]->tag);
	else if (settled)
		mz_fail(err, MZ_connect,
			"interrupted; nothing of %s was kept%s",
			job->todo[n]->tag, before(ap));
	else
		mz_fail(err, MZ_connect,
			"interrupted; the server did not stop %s in time: "
			"%.300s",
			job->todo[n]->tag, why.msg);
	if (!settled)
		mz_hint(err, "it may still be running there, and may be "
			     "applied: look with mizzle status");
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
	if (!ap->failed)
		return ap->out->ending;
	if (is_contended(ap))
		return MZ_END_CONTENDED;
	explain_failure(ap, err);
	return is_worth_a_retry(ap) ? MZ_END_RETRY : MZ_END_FAILED;
}
