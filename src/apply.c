/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "apply.h"

#include "applying.h"
#include "file.h"
#include "guard.h"
#include "sqltext.h"

#include <string.h>

/* ---- what comes back */

static size_t statements_of(const struct mz_job *job, size_t migration)
{
	return job->options.record_only ? 0 :
					  job->surveys[migration].statements;
}

static void tell(struct mz_applying *ap, enum mz_event_kind kind,
		 size_t migration, int64_t since_us)
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
			.statements = statements_of(ap->job, migration),
			.us = (uint64_t)(pgw_clock_us() - since_us),
		});
}

static void tell_statement(struct mz_applying *ap, const struct mz_sent *sent,
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
static void take_turn(struct mz_applying *ap)
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

static void keep_failure(struct mz_applying *ap, const struct mz_sent *sent,
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

/*
 * One COMMIT may be that of all; else it is that of its own migration alone:
 * one before it may have failed to open, because another runner applied it.
 */
static void on_commit(struct mz_applying *ap, const struct mz_sent *sent)
{
	size_t i = ap->job->options.one_transaction ? 0 : sent->migration;

	for (; i <= sent->migration; i++) {
		ap->out->count++;
		tell(ap, MZ_EV_APPLIED, i, ap->turn_us);
	}
}

static void on_done(void *ctx, const struct pgw_outcome *o)
{
	struct mz_applying *ap = ctx;
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
static bool send(struct mz_applying *ap, const struct mz_sent *sent,
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

bool mz_applying_send(struct mz_applying *ap, enum mz_purpose purpose,
		      size_t migration, const char *sql)
{
	return send(ap,
		    &(struct mz_sent){ .purpose = purpose,
				       .migration = migration },
		    pgw_view_of(sql));
}

/* Wait until all is answered, and so far all went well. */
static bool settle(struct mz_applying *ap)
{
	return pgw_conn_wait(ap->db->conn, 0, &ap->lost) && !ap->failed;
}

static bool create_history(struct mz_applying *ap)
{
	const struct mz_job *job = ap->job;
	const char *create = mz_history_create_sql(ap->arena, job->table,
						   job->history, job->shape);
	struct mz_sent commit = { .purpose = MZ_FOR_COMMIT, .creates = true };

	if (!*create)
		return true;
	return mz_applying_send(ap, MZ_FOR_CREATE, 0,
				mz_printf(ap->arena, "%s; %s",
					  mz_guard_begin_sql(ap->arena,
							     job->table),
					  create)) &&
	       send(ap, &commit, pgw_view_of("COMMIT")) && settle(ap);
}

static bool is_overridden(const struct mz_apply_options *o, const char *name)
{
	return (o->lock_timeout_given && strcmp(name, "lock_timeout") == 0) ||
	       (o->statement_timeout_given &&
		strcmp(name, "statement_timeout") == 0);
}

/* set_config with true is SET LOCAL. */
static const char *add_setting(struct mz_arena *a, const char *sql,
			       const char *name, const char *value)
{
	return mz_printf(a, "%s; SELECT pg_catalog.set_config('%s', %s, true)",
			 sql, name, mz_quote_literal(a, value));
}

static const char *add_timeout(struct mz_arena *a, const char *sql,
			       const char *name, int64_t ms)
{
	if (ms <= 0)
		return sql;
	return add_setting(a, sql, name, mz_printf(a, "%lld", (long long)ms));
}

/* What the connection string wants first: the command line wins over it. */
static const char *settings_sql(struct mz_applying *ap)
{
	const struct mz_apply_options *o = &ap->job->options;
	struct pgw_cur cur = pgw_cur_of(o->local);
	const char *sql = "";

	while (!cur.bad && cur.p < cur.end) {
		const char *name = pgw_cur_str(&cur);
		const char *value = pgw_cur_str(&cur);

		if (!cur.bad && !is_overridden(o, name))
			sql = add_setting(ap->arena, sql, name, value);
	}
	sql = add_timeout(ap->arena, sql, "lock_timeout", o->lock_timeout_ms);
	return add_timeout(ap->arena, sql, "statement_timeout",
			   o->statement_timeout_ms);
}

static bool open_transaction(struct mz_applying *ap, size_t i)
{
	const struct mz_job *job = ap->job;
	bool may_lock = job->history->may_lock ||
			job->history->shape == MZ_SHAPE_ABSENT;
	const char *sql =
		mz_printf(ap->arena, "%s; %s%s%s",
			  mz_guard_begin_sql(ap->arena, job->table),
			  i > 0 ? mz_guard_no_waiters_sql() : "",
			  mz_guard_history_sql(ap->arena, job->table,
					       job->history->count + i,
					       may_lock),
			  settings_sql(ap));

	/* The first is waited for: most who lose a race lose it here. */
	return mz_applying_send(ap, MZ_FOR_OPEN, i, sql) &&
	       (i > 0 || settle(ap));
}

/* A COPY with its rows; everything before it is answered. */
static bool send_rows(struct mz_applying *ap, const struct mz_sent *sent,
		      struct pgw_view text)
{
	struct pgw_view rows = { text.p + sent->data_start,
				 sent->data_end - sent->data_start };
	struct pgw_view sql = { text.p + sent->start, sent->end - sent->start };
	const struct pgw_copy_source from = { pgw_copy_view, &rows };

	mz_flight_push(&ap->flight, sent);
	take_turn(ap);
	return pgw_conn_copy(ap->db->conn, sql, &from, &ap->lost) &&
	       !ap->failed;
}

static bool send_statements(struct mz_applying *ap, size_t i,
			    struct pgw_view text)
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
					      .data_start = st.data_start,
					      .data_end = st.data_end,
					      .line = st.line };

		const struct pgw_view sql = { text.p + st.start,
					      st.end - st.start };

		if (!(st.data_start ? send_rows(ap, &sent, text) :
				      send(ap, &sent, sql)) ||
		    (one_by_one && !settle(ap)))
			return false;
	}
	return true;
}

/* What a migration SET must not reach the next one, nor a pooler's next user */
#define RESET_SQL "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"

static bool close_migration(struct mz_applying *ap, size_t i)
{
	const struct mz_job *job = ap->job;
	bool last = i + 1 == job->count;
	bool commits = last || !job->options.one_transaction;
	const char *sql = mz_history_insert_sql(ap->arena, job->table,
						job->shape, job->folder->layout,
						job->todo[i]);

	if (commits)
		sql = mz_printf(ap->arena, RESET_SQL "; %s", sql);
	if (commits && !last)
		sql = mz_printf(ap->arena, "%s; %s", sql,
				mz_guard_note_waiters_sql(ap->arena,
							  job->table));
	return mz_applying_send(ap, MZ_FOR_RECORD, i, sql) &&
	       (!commits || mz_applying_send(ap, MZ_FOR_COMMIT, i, "COMMIT"));
}

static bool send_script(struct mz_applying *ap, size_t i, struct mz_err *err)
{
	const struct mz_job *job = ap->job;
	struct pgw_buf text;
	bool ok;

	pgw_buf_init(&text, MZ_FILE_MAX);
	ok = mz_folder_read(job->folder, job->todo[i], &text, err);
	if (!ok)
		ap->out->ending = MZ_END_FAILED;
	ok = ok && send_statements(ap, i, pgw_buf_view(&text));
	pgw_buf_release(&text);
	return ok;
}

static bool send_migration(struct mz_applying *ap, size_t i, struct mz_err *err)
{
	const struct mz_apply_options *o = &ap->job->options;

	return ((i > 0 && o->one_transaction) || open_transaction(ap, i)) &&
	       (o->record_only || send_script(ap, i, err)) &&
	       close_migration(ap, i);
}

void mz_apply(struct mz_applied *out, const struct mz_job *job,
	      struct mz_arena *a, struct mz_db *db, struct mz_err *err)
{
	struct mz_applying ap = { .job = job,
				  .arena = a,
				  .db = db,
				  .out = out,
				  .answering = SIZE_MAX };
	bool ok;

	*out = (struct mz_applied){ .ending = MZ_END_DONE };
	mz_db_hooks(db, NULL, on_done, &ap);
	ok = pgw_conn_agrees(db->conn, &ap.lost) && create_history(&ap);
	for (size_t i = 0; ok && i < job->count; i++)
		ok = send_migration(&ap, i, err);
	if (ap.lost.code == PGW_OK)
		mz_applying_roll_back(&ap);
	out->ending = mz_applying_end(&ap, err);
	mz_db_hooks(db, NULL, NULL, NULL);
	db->tag = NULL;
}
