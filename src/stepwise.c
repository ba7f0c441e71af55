/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "stepwise.h"

#include "file.h"
#include "guard.h"
#include "setting_sql.h"
#include "stepwise_inner.h"

#include <string.h>

/* ---- asking */

bool mz_stepwise_own(struct mz_stepwise *r, struct mz_db *db, const char *sql,
		     void (*row)(void *ctx, const struct pgw_row *row),
		     void *ctx)
{
	struct pgw_err cause;

	return mz_db_query(db, sql, row, ctx, &cause) ||
	       mz_stepwise_own_failed(r, &cause);
}

bool mz_stepwise_long(struct mz_stepwise *r, struct mz_db *db, const char *sql)
{
	struct pgw_err cause;
	bool ok;

	mz_stepwise_watched(r, db, pgw_view_of(sql));
	ok = mz_db_run(db, sql, &cause);
	mz_db_running(db, NULL, NULL);
	return ok || mz_stepwise_own_failed(r, &cause);
}

bool mz_stepwise_asks(struct mz_stepwise *r, const char *sql, bool *yes)
{
	*yes = false;
	return mz_stepwise_own(r, r->db, sql, mz_db_on_boolean, yes);
}

/* ---- the lock */

/* For as long as it takes, and to be noticed should we be gone; the first is
 * known to servers from 17 on. */
#define HOLDER_SQL                                            \
	"; SELECT pg_catalog.set_config(name, '0', true) "    \
	"FROM pg_catalog.pg_settings WHERE name "             \
	"OPERATOR(pg_catalog.=) 'transaction_timeout'"        \
	"; SET LOCAL idle_in_transaction_session_timeout = 0" \
	"; SET LOCAL statement_timeout = 0"                   \
	"; SET LOCAL tcp_keepalives_idle = 30"                \
	"; SET LOCAL tcp_keepalives_interval = 10"            \
	"; SET LOCAL tcp_keepalives_count = 3; "

/*
 * The history is only counted, and let go of: any lock that stays would make an
 * index build wait, or a REINDEX DATABASE, for ever.
 */
#define COUNTED_SQL "SAVEPOINT mizzle; %s; ROLLBACK TO mizzle; RELEASE mizzle"

static bool hold(struct mz_stepwise *r)
{
	const struct mz_job *job = r->job;
	struct pgw_err cause;

	r->holder = *r->db;
	r->holder.conn = NULL;
	r->holder.round_trips = 0;
	if (!mz_db_connect(&r->holder, 0, &cause)) {
		r->out->ending = MZ_END_FAILED;
		pgw_wrap(&cause, "the second connection, which holds the lock");
		mz_db_fail(r->err, &cause);
		if (strcmp(cause.sqlstate, "53300") == 0)
			mz_hint(r->err,
				"%s runs outside of a transaction, and "
				"needs two connections at a time",
				r->m->tag);
		return false;
	}
	r->held =
		mz_stepwise_own(r, &r->holder,
				mz_printf(r->arena,
					  "%s%s" HOLDER_SQL COUNTED_SQL,
					  mz_guard_begin_sql(r->arena,
							     job->table),
					  mz_guard_stay_sql(r->arena,
							    job->table),
					  mz_guard_history_sql(r->arena,
							       job->table,
							       job->history
								       ->count,
							       false)),
				NULL, NULL);
	return r->held;
}

static void let_go(struct mz_stepwise *r)
{
	struct pgw_err ignored;

	if (!r->holder.conn)
		return;
	mz_stepwise_calm(&r->holder);
	if (pgw_conn_alive(r->holder.conn) && !mz_db_is_given_up(r->db) &&
	    !mz_db_is_given_up(&r->holder) &&
	    pgw_conn_txn(r->holder.conn) != 'I') {
		pgw_conn_ignore_interrupt(r->holder.conn);
		(void)!mz_db_query(&r->holder, "ROLLBACK", NULL, NULL,
				   &ignored);
	}
	mz_db_close(&r->holder);
	r->db->round_trips += r->holder.round_trips;
}

/* ---- the row */

struct taker {
	struct mz_stepwise *r;
	bool found;
};

static void on_taken(void *ctx, const struct pgw_row *row)
{
	struct taker *t = ctx;

	if (row->ncols == 1)
		return; /* of set_config */
	mz_partial_of_row(&t->r->row, t->r->arena, row);
	t->found = true;
}

/* Names this run among all others. */
static bool make_token(struct mz_stepwise *r)
{
	unsigned char random[16];
	char *hex = mz_alloc(r->arena, 2 * sizeof(random) + 1);
	struct pgw_err cause;

	if (!pgw_random(random, sizeof(random), &cause))
		return mz_stepwise_own_failed(r, &cause);
	mz_hex(hex, random, sizeof(random));
	r->key = (struct mz_partial_key){ r->job->table, r->m->tag, hex };
	return true;
}

/* What is finished is the same in the file as it is now. */
static bool begins_alike(struct mz_stepwise *r)
{
	struct mz_sql_statement st = { 0 };
	struct mz_statements list;
	char hex[MZ_HASH_LEN + 1];

	if (r->row.finished == 0)
		return true;
	mz_statements_init(&list, pgw_buf_view(&r->text));
	for (size_t i = 0; i < r->row.finished; i++)
		if (!mz_statements_next(&list, &st))
			return false;
	mz_folder_hash((struct pgw_view){ r->text.data, mz_sql_end_of(&st) },
		       hex);
	return strcmp(hex, r->row.done) == 0;
}

/* Someone has edited the file since: only if that is said, and harmless. */
static bool adopt(struct mz_stepwise *r)
{
	if (strcmp(r->row.hash, r->m->hash) == 0)
		return begins_alike(r) || mz_stepwise_changed(r);
	if (!r->options.allow_modified || !begins_alike(r))
		return mz_stepwise_changed(r);
	r->row.running = 0; /* it is another statement now */
	return mz_stepwise_own(r, r->db,
			       mz_partial_adopt_sql(r->arena, &r->key,
						    r->m->hash,
						    r->survey->statements),
			       NULL, NULL);
}

/* Where the table is, rights on it are enough. */
static const char *create_sql(const struct mz_stepwise *r)
{
	if (r->job->history->has_partials)
		return "";
	return mz_printf(r->arena,
			 "SELECT pg_catalog.set_config("
			 "'client_min_messages', 'warning', true); %s; ",
			 mz_partial_create_sql(r->arena, r->job->table));
}

static bool take_row(struct mz_stepwise *r)
{
	struct taker t = { .r = r };

	if (!make_token(r) ||
	    !mz_stepwise_own(
		    r, r->db,
		    mz_printf(r->arena, "%s%s", create_sql(r),
			      mz_partial_take_sql(r->arena, &r->key, r->m->hash,
						  r->survey->statements)),
		    on_taken, &t))
		return false;
	if (!t.found)
		return mz_stepwise_surprised(r, NULL);
	r->taken = true;
	if (r->row.finished > 0)
		mz_tell(&r->db->listener,
			&(struct mz_event){
				.kind = MZ_EV_REMARK,
				.text = mz_printf(
					r->arena,
					"%s goes on: %zu of %zu statements "
					"were done before",
					r->m->tag, r->row.finished,
					r->row.statements) });
	return adopt(r);
}

/* What holds for all of it, unless the session is not ours alone. */
bool mz_stepwise_prepare(struct mz_stepwise *r)
{
	const char *sql = mz_wanted_sql(r->arena, &r->options, false);

	if (r->pooled)
		return true;
	if (r->options.statement_timeout_ms > 0)
		sql = mz_printf(r->arena,
				"%s; SELECT pg_catalog.set_config("
				"'statement_timeout', '%lld', false)",
				sql,
				(long long)r->options.statement_timeout_ms);
	return !*sql || mz_stepwise_own(r, r->db, sql, NULL, NULL);
}

/* ---- the end */

/* Everything behind it may fail, and the row of the history stays. */
#define TIDY "mizzle_tidy"

static const char *record_sql(const struct mz_stepwise *r)
{
	const struct mz_job *job = r->job;
	const struct mz_new_rows row = { job->shape, job->folder->layout, &r->m,
					 1 };
	struct mz_arena *a = r->arena;

	return mz_printf(a, "%s; %s; %s; SAVEPOINT " TIDY "; %s",
			 mz_guard_history_sql(a, job->table,
					      job->history->count, false),
			 mz_history_keep_sql(a, job->table, &row),
			 mz_partial_delete_sql(a, job->table, r->m->tag),
			 mz_partial_empty_sql(a, job->table));
}

/* Somebody reads the table, or will not have it dropped: then it stays. */
static bool leave_table(struct mz_stepwise *r, const struct pgw_err *cause)
{
	struct pgw_err ignored;

	return (cause->code == PGW_E_SERVER &&
		mz_db_query(&r->holder, "ROLLBACK TO SAVEPOINT " TIDY, NULL,
			    NULL, &ignored)) ||
	       mz_stepwise_own_failed(r, cause);
}

/* The history's row, and ours away, in the transaction that holds the lock. */
static bool record(struct mz_stepwise *r)
{
	struct mz_db *db = &r->holder;
	struct pgw_err cause;
	bool empty = false;

	r->recording = true;
	if (!mz_db_query(db, record_sql(r), mz_db_on_boolean, &empty, &cause)) {
		if (!leave_table(r, &cause))
			return false;
	} else if (empty &&
		   !mz_db_query(db,
				mz_partial_drop_sql(r->arena, r->job->table),
				NULL, NULL, &cause) &&
		   !leave_table(r, &cause)) {
		return false;
	}
	r->committing = true;
	return mz_stepwise_long(r, db, "COMMIT");
}

static void tell(struct mz_stepwise *r, enum mz_event_kind kind)
{
	mz_tell(&r->db->listener,
		&(struct mz_event){
			.kind = kind,
			.tag = r->m->tag,
			.hash = r->m->hash,
			.file = r->m->path,
			.k = r->job->before + 1,
			.n = r->job->total,
			.statements = r->survey->statements,
			.us = (uint64_t)(pgw_clock_us() - r->start_us),
		});
}

/* What it SET must not reach what comes after. */
static void reset_session(struct mz_stepwise *r)
{
	struct pgw_err ignored;

	if (pgw_conn_alive(r->db->conn) && !mz_db_is_given_up(r->db) &&
	    pgw_conn_txn(r->db->conn) == 'I')
		(void)!mz_db_query(r->db, MZ_RESET_SQL, NULL, NULL, &ignored);
}

static bool read_script(struct mz_stepwise *r)
{
	if (mz_folder_read(r->job->folder, r->m, &r->text, r->err))
		return true;
	r->out->ending = MZ_END_FAILED;
	return false;
}

void mz_stepwise(struct mz_applied *out, const struct mz_job *job,
		 struct mz_arena *a, struct mz_db *db, struct mz_err *err)
{
	struct mz_stepwise r = {
		.job = job,
		.m = job->todo[0],
		.survey = &job->surveys[0],
		.options = mz_job_options(job, 0),
		.arena = a,
		.db = db,
		.pooled = job->pooled,
		.out = out,
		.err = err,
		.start_us = pgw_clock_us(),
	};

	*out = (struct mz_applied){ .ending = MZ_END_DONE };
	pgw_buf_init(&r.text, MZ_FILE_MAX);
	db->tag = r.m->tag;
	tell(&r, MZ_EV_BEGIN);
	if (read_script(&r) && hold(&r) && take_row(&r) &&
	    mz_stepwise_prepare(&r) && mz_stepwise_statements(&r) &&
	    record(&r)) {
		out->count = 1;
		tell(&r, MZ_EV_APPLIED);
	}
	mz_db_hooks(db, NULL, NULL, NULL);
	let_go(&r); /* first: in a small pool db may wait for its place */
	reset_session(&r);
	pgw_buf_release(&r.text);
	db->tag = NULL;
}
