/* SPDX-License-Identifier: MIT */
/*
 * Waiting in slices.  The deadline of the connection is the next tick: when it
 * has passed, nothing of the conversation is lost, and waiting goes on.  What
 * is answered before costs no more than without.
 */
#include <config.h>

#include "db.h"

void mz_db_running(struct mz_db *db,
		   bool (*running)(void *ctx, struct mz_running *r), void *ctx)
{
	db->running = running;
	db->running_ctx = ctx;
}

static bool is_due(struct mz_db *db, const struct pgw_err *err)
{
	return err->code == PGW_E_TIMEOUT && pgw_conn_alive(db->conn);
}

static void tick(struct mz_db *db)
{
	db->tick.call(db->tick.ctx);
	db->tick.next_ms = pgw_clock_ms() + db->tick.every_ms;
}

bool mz_db_wait(struct mz_db *db, size_t unanswered, struct pgw_err *err)
{
	bool ok;

	if (!db->tick.call)
		return pgw_conn_wait(db->conn, unanswered, err);
	for (;;) {
		pgw_conn_deadline(db->conn, db->tick.next_ms);
		ok = pgw_conn_wait(db->conn, unanswered, err);
		if (ok || !is_due(db, err))
			break;
		*err = (struct pgw_err){ 0 };
		tick(db);
	}
	pgw_conn_deadline(db->conn, PGW_FOREVER);
	return ok;
}

bool mz_db_send(struct mz_db *db, struct pgw_view sql, struct pgw_err *err)
{
	bool ok;

	if (!db->tick.call)
		return pgw_conn_send(db->conn, sql, err);
	pgw_conn_deadline(db->conn, db->tick.next_ms);
	ok = pgw_conn_send(db->conn, sql, err);
	pgw_conn_deadline(db->conn, PGW_FOREVER);
	if (ok || !is_due(db, err))
		return ok;
	/* It is queued: what is left is to get rid of it. */
	*err = (struct pgw_err){ 0 };
	tick(db);
	return mz_db_wait(db, SIZE_MAX, err);
}

static void on_outcome(void *ctx, const struct pgw_outcome *o)
{
	struct pgw_err *failure = ctx;

	if (!o->ok)
		pgw_diag_to_err(&o->diag, failure);
}

bool mz_db_run(struct mz_db *db, const char *sql, struct pgw_err *err)
{
	struct pgw_err failure = { 0 };
	bool ok;

	*err = (struct pgw_err){ 0 };
	mz_db_hooks(db, NULL, on_outcome, &failure);
	ok = pgw_conn_agrees(db->conn, err) &&
	     mz_db_send(db, pgw_view_of(sql), err) && mz_db_wait(db, 0, err);
	mz_db_hooks(db, NULL, NULL, NULL);
	if (ok && failure.code != PGW_OK)
		*err = failure;
	return err->code == PGW_OK;
}

bool mz_db_sleep(struct mz_db *db, int64_t ms, struct mz_err *err)
{
	int64_t end = pgw_clock_ms() + ms;
	struct pgw_err cause;

	while (db->tick.call && ms > db->tick.every_ms) {
		if (!pgw_sleep(db->tick.every_ms, db->interrupt_fd, &cause))
			return mz_db_fail(err, &cause);
		tick(db);
		ms = end - pgw_clock_ms();
	}
	return ms <= 0 || pgw_sleep(ms, db->interrupt_fd, &cause) ||
	       mz_db_fail(err, &cause);
}
