/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "apply.h"

#include "failure.h"
#include "file.h"
#include "flight.h"
#include "guard.h"

#include <string.h>

/* A cancelled transaction gets this long to roll back before we hang up. */
#define CANCEL_ROUNDS 15
#define CANCEL_ROUND_MS 1000

struct apply {
	const struct mz_job *job;
	struct mz_arena *arena;
	struct mz_db *db;
	struct mz_applied *out;
	struct mz_flight flight;
	size_t answering;    /* the migration whose turn it is at the server */
	int64_t turn_us;     /* since when */
	int64_t answer_us;   /* when the last answer came */
	struct pgw_err lost; /* code OK while the connection works */

	/* The first that failed; what follows is its consequence. */
	bool failed;
	bool surprised; /* it did not fail, but was not what must come */
	struct mz_sent culprit;
	struct pgw_diag diag;
};

/* ---- what comes back */

static void tell(struct apply *ap, enum mz_event_kind kind, size_t migration,
		 int64_t since_us)
{
	const struct mz_migration *m = ap->job->todo[migration];

	mz_tell(&ap->db->listener,
		&(struct mz_event){
			.kind = kind,
			.tag = m->tag,
			.hash = m->hash,
			.file = m->path,
			.k = migration + 1,
			.n = ap->job->count,
			.statements = ap->job->surveys[migration].statements,
			.us = (uint64_t)(pgw_clock_us() - since_us),
		});
}

static void tell_statement(struct apply *ap, const struct mz_sent *sent,
			   const char *tag)
{
	const struct mz_migration *m = ap->job->todo[sent->migration];

	mz_tell(&ap->db->listener,
		&(struct mz_event){
			.kind = MZ_EV_STATEMENT,
			.tag = m->tag,
			.file = m->path,
			.line = sent->line,
			.text = tag,
			.us = (uint64_t)(pgw_clock_us() - ap->answer_us),
		});
}

/* The server has come to the next message: whose is it? */
static void take_turn(struct apply *ap)
{
	const struct mz_sent *next = &ap->flight.ring[ap->flight.first];

	if (ap->flight.count == 0 || next->purpose == MZ_FOR_CREATE ||
	    next->migration == ap->answering)
		return;
	ap->answering = next->migration;
	ap->turn_us = pgw_clock_us();
	ap->db->tag = ap->job->todo[next->migration]->tag;
	if (!ap->failed)
		tell(ap, MZ_EV_BEGIN, next->migration, ap->turn_us);
}

static void keep_failure(struct apply *ap, const struct mz_sent *sent,
			 const struct pgw_outcome *o)
{
	if (ap->failed)
		return;
	ap->failed = true;
	ap->surprised = o->ok;
	ap->culprit = *sent;
	ap->diag.fields.n = o->diag.fields.n;
	ap->diag.fields.p = (const unsigned char *)
		mz_strndup(ap->arena, (const char *)o->diag.fields.p,
			   o->diag.fields.n);
}

/* What must be true after each message for the next to be safe. */
static bool as_expected(const struct mz_sent *sent, const struct pgw_outcome *o)
{
	switch (sent->purpose) {
	case MZ_FOR_COMMIT:
		return o->ok && o->txn == 'I' && strcmp(o->tag, "COMMIT") == 0;
	case MZ_FOR_ROLLBACK:
		return o->ok && o->txn == 'I';
	case MZ_FOR_CREATE:
	case MZ_FOR_OPEN:
	case MZ_FOR_STATEMENT:
	case MZ_FOR_RECORD:
		break;
	}
	return o->ok && o->txn == 'T';
}

static void on_commit(struct apply *ap, const struct mz_sent *sent)
{
	while (ap->out->count <= sent->migration)
		tell(ap, MZ_EV_APPLIED, ap->out->count++, ap->turn_us);
}

static void on_done(void *ctx, const struct pgw_outcome *o)
{
	struct apply *ap = ctx;
	struct mz_sent sent = mz_flight_pop(&ap->flight);

	if (!as_expected(&sent, o))
		keep_failure(ap, &sent, o);
	else if (sent.purpose == MZ_FOR_COMMIT && !sent.creates)
		on_commit(ap, &sent);
	else if (sent.purpose == MZ_FOR_STATEMENT &&
		 ap->db->listener.statements)
		tell_statement(ap, &sent, o->tag);
	ap->answer_us = pgw_clock_us();
	take_turn(ap);
}

/* ---- what is sent */

/* Only while nothing has failed; false also when something has. */
static bool send(struct apply *ap, const struct mz_sent *sent,
		 struct pgw_view sql)
{
	if (ap->flight.count == MZ_FLIGHT_MAX &&
	    !pgw_conn_wait(ap->db->conn, MZ_FLIGHT_MAX / 2, &ap->lost))
		return false;
	if (ap->failed && sent->purpose != MZ_FOR_ROLLBACK)
		return false;
	mz_flight_push(&ap->flight, sent);
	take_turn(ap);
	return pgw_conn_send(ap->db->conn, sql, &ap->lost) &&
	       (!ap->failed || sent->purpose == MZ_FOR_ROLLBACK);
}

static bool send_text(struct apply *ap, enum mz_purpose purpose,
		      size_t migration, const char *sql)
{
	return send(ap,
		    &(struct mz_sent){ .purpose = purpose,
				       .migration = migration },
		    pgw_view_of(sql));
}

/* Wait until all is answered, and so far all went well. */
static bool settle(struct apply *ap)
{
	return pgw_conn_wait(ap->db->conn, 0, &ap->lost) && !ap->failed;
}

static bool create_history(struct apply *ap)
{
	const struct mz_job *job = ap->job;
	const char *create = mz_history_create_sql(ap->arena, job->table,
						   job->history, job->shape);
	struct mz_sent commit = { .purpose = MZ_FOR_COMMIT, .creates = true };

	if (!*create)
		return true;
	return send_text(ap, MZ_FOR_CREATE, 0,
			 mz_printf(ap->arena, "%s; %s",
				   mz_guard_begin_sql(ap->arena, job->table),
				   create)) &&
	       send(ap, &commit, pgw_view_of("COMMIT")) && settle(ap);
}

/* set_config with true is SET LOCAL. */
static const char *timeouts_sql(struct apply *ap)
{
	const struct mz_apply_options *o = &ap->job->options;
	const char *sql = "";

	if (o->lock_timeout_ms > 0)
		sql = mz_printf(ap->arena,
				"; SELECT pg_catalog.set_config("
				"'lock_timeout', '%lld', true)",
				(long long)o->lock_timeout_ms);
	if (o->statement_timeout_ms > 0)
		sql = mz_printf(ap->arena,
				"%s; SELECT pg_catalog.set_config("
				"'statement_timeout', '%lld', true)",
				sql, (long long)o->statement_timeout_ms);
	return sql;
}

static bool open_transaction(struct apply *ap, size_t i)
{
	const struct mz_job *job = ap->job;
	bool may_lock = job->history->may_lock ||
			job->history->shape == MZ_SHAPE_ABSENT;
	const char *sql =
		mz_printf(ap->arena, "%s; %s%s",
			  mz_guard_begin_sql(ap->arena, job->table),
			  mz_guard_history_sql(ap->arena, job->table,
					       job->history->count + i,
					       may_lock),
			  timeouts_sql(ap));

	/* The first is waited for: most who lose a race lose it here. */
	return send_text(ap, MZ_FOR_OPEN, i, sql) && (i > 0 || settle(ap));
}

static bool send_statements(struct apply *ap, size_t i, struct pgw_view text)
{
	bool one_by_one = ap->job->surveys[i].one_by_one;
	struct mz_sql_statement st;
	struct mz_statements list;

	mz_statements_init(&list, text);
	if (one_by_one && !settle(ap))
		return false;
	while (mz_statements_next(&list, &st)) {
		const struct mz_sent sent = { .purpose = MZ_FOR_STATEMENT,
					      .migration = i,
					      .start = st.start,
					      .end = st.end,
					      .line = st.line };

		if (!send(ap, &sent,
			  (struct pgw_view){ text.p + st.start,
					     st.end - st.start }) ||
		    (one_by_one && !settle(ap)))
			return false;
	}
	return true;
}

/* What a migration SET must not reach the next one, nor a pooler's next user */
#define RESET_SQL "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"

static bool close_migration(struct apply *ap, size_t i)
{
	const struct mz_job *job = ap->job;
	bool last = i + 1 == job->count;
	bool commits = last || !job->options.one_transaction;
	const char *insert =
		mz_history_insert_sql(ap->arena, job->table, job->shape,
				      job->folder->layout, job->todo[i]);

	return send_text(ap, MZ_FOR_RECORD, i,
			 mz_printf(ap->arena, "%s%s",
				   commits ? RESET_SQL "; " : "", insert)) &&
	       (!commits || send_text(ap, MZ_FOR_COMMIT, i, "COMMIT"));
}

static bool send_migration(struct apply *ap, size_t i, struct mz_err *err)
{
	const struct mz_job *job = ap->job;
	struct pgw_buf text;
	bool ok;

	pgw_buf_init(&text, MZ_FILE_MAX);
	ok = mz_folder_read(job->folder, job->todo[i], &text, err);
	if (!ok)
		ap->out->ending = MZ_END_FAILED;
	ok = ok &&
	     ((i > 0 && job->options.one_transaction) ||
	      open_transaction(ap, i)) &&
	     send_statements(ap, i, pgw_buf_view(&text)) &&
	     close_migration(ap, i);
	pgw_buf_release(&text);
	return ok;
}

/* ---- how it ends */

/* Leave no transaction open behind us. */
static void roll_back(struct apply *ap)
{
	if (!pgw_conn_wait(ap->db->conn, 0, &ap->lost) ||
	    pgw_conn_txn(ap->db->conn) == 'I')
		return;
	if (send_text(ap, MZ_FOR_ROLLBACK, ap->answering, "ROLLBACK"))
		(void)!pgw_conn_wait(ap->db->conn, 0, &ap->lost);
}

/* Cancel until the server has nothing of ours left to do. */
static void cancel(struct apply *ap)
{
	struct pgw_conn *c = ap->db->conn;
	struct pgw_err ignored;

	pgw_conn_ignore_interrupt(c);
	for (int i = 0; i < CANCEL_ROUNDS && pgw_conn_alive(c); i++) {
		if (pgw_conn_outstanding(c) > 0)
			(void)!pgw_conn_cancel(c, CANCEL_ROUND_MS, &ignored);
		pgw_conn_deadline(c, pgw_clock_ms() + CANCEL_ROUND_MS);
		if (pgw_conn_wait(c, 0, &ignored)) {
			roll_back(ap);
			break;
		}
	}
	pgw_conn_deadline(c, PGW_FOREVER);
}

/* ", 3 migrations before it were applied" and its like. */
static const char *before(struct apply *ap)
{
	size_t n = ap->out->count;

	if (ap->job->options.one_transaction && ap->job->count > 1)
		return " (and nothing of the others in its transaction)";
	if (n == 0)
		return "";
	return mz_printf(ap->arena, " (%zu migration%s before it %s applied)",
			 n, n == 1 ? "" : "s", n == 1 ? "was" : "were");
}

static void explain_statement(struct apply *ap, struct mz_err *err)
{
	const struct mz_migration *m = ap->job->todo[ap->culprit.migration];
	struct mz_culprit c = { .tag = m->tag,
				.file = m->path,
				.start = ap->culprit.start,
				.end = ap->culprit.end };
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

static void explain_failure(struct apply *ap, struct mz_err *err)
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
}

static bool is_contended(const struct apply *ap)
{
	return (ap->culprit.purpose == MZ_FOR_CREATE ||
		ap->culprit.purpose == MZ_FOR_OPEN) &&
	       !ap->surprised && mz_guard_contended(&ap->diag);
}

/* Another try may get what this one did not. */
static bool is_worth_a_retry(const struct apply *ap)
{
	const char *state = pgw_diag_sqlstate(&ap->diag);

	return ap->job->options.lock_timeout_ms > 0 && !ap->surprised &&
	       (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0 ||
		strcmp(state, "40001") == 0);
}

static enum mz_ending ending(struct apply *ap, struct mz_err *err)
{
	if (ap->lost.code == PGW_E_INTERRUPTED) {
		cancel(ap);
		mz_db_fail(err, &ap->lost);
		mz_fail(err, MZ_connect,
			"interrupted; nothing of %s was kept%s",
			ap->job->todo[ap->out->count < ap->job->count ?
					      ap->out->count :
					      0]
				->tag,
			before(ap));
		err->signal = -1;
		return MZ_END_INTERRUPTED;
	}
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

void mz_apply(struct mz_applied *out, const struct mz_job *job,
	      struct mz_arena *a, struct mz_db *db, struct mz_err *err)
{
	struct apply ap = { .job = job,
			    .arena = a,
			    .db = db,
			    .out = out,
			    .answering = SIZE_MAX };
	bool ok;

	*out = (struct mz_applied){ .ending = MZ_END_DONE };
	mz_db_hooks(db, NULL, on_done, &ap);
	ok = create_history(&ap);
	for (size_t i = 0; ok && i < job->count; i++)
		ok = send_migration(&ap, i, err);
	if (ap.lost.code == PGW_OK)
		roll_back(&ap);
	out->ending = ending(&ap, err);
	mz_db_hooks(db, NULL, NULL, NULL);
	db->tag = NULL;
}
