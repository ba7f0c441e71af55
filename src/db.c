/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "db.h"
#include "provider.h"

#include <stdio.h>
#include <string.h>

/* What is shown of one command. */
#define NOTICES_MAX 1000
#define NOTICE_BYTES_MAX (512u << 10)

/* What is cancelled gets this long to end before we hang up. */
#define CANCEL_MS 15000
#define CANCEL_ROUND_MS 1000

static void on_notice(void *ctx, const struct pgw_diag *diag)
{
	struct mz_db *db = ctx;

	if (db->notices >= NOTICES_MAX ||
	    diag->fields.n > NOTICE_BYTES_MAX - db->notice_bytes) {
		db->unseen++;
		return;
	}
	db->notices++;
	db->notice_bytes += diag->fields.n;
	mz_tell(&db->listener, &(struct mz_event){ .kind = MZ_EV_NOTICE,
						   .tag = db->tag,
						   .diag = diag });
}

static void on_warning(void *ctx, const char *text)
{
	struct mz_db *db = ctx;

	mz_tell(&db->listener,
		&(struct mz_event){ .kind = MZ_EV_WARNING, .text = text });
}

static void on_trace(void *ctx, const char *line)
{
	struct mz_db *db = ctx;

	db->trace(db->trace_ctx, line);
}

static enum mz_status status_of(enum pgw_code code)
{
	if (code == PGW_E_NOMEM || code == PGW_E_USAGE)
		return MZ_internal;
	if (code == PGW_E_CONFIG)
		return MZ_usage;
	return MZ_connect;
}

bool mz_db_fail(struct mz_err *err, const struct pgw_err *cause)
{
	bool state = cause->sqlstate[0] != '\0';

	mz_fail(err, status_of(cause->code), "%s%s%s%s", cause->msg,
		state ? " (" : "", cause->sqlstate, state ? ")" : "");
	if (cause->hint[0])
		mz_hint(err, "%s", cause->hint);
	else if (strcmp(cause->sqlstate, "57014") == 0)
		mz_hint(err, "somebody cancelled it, or a statement_timeout of "
			     "this role or database is too short even for "
			     "that: ALTER ROLE ... RESET statement_timeout, or "
			     "run again when the server is less busy");
	memcpy(err->sqlstate, cause->sqlstate, sizeof(err->sqlstate));
	err->signal = cause->code == PGW_E_INTERRUPTED ? -1 : 0;
	return false;
}

bool mz_db_is_answer(const struct mz_db *db, const struct pgw_err *cause)
{
	return cause->code == PGW_E_SERVER && pgw_conn_alive(db->conn);
}

int64_t mz_pause_next(struct mz_pause *p)
{
	unsigned char random = 0;
	int64_t pause = p->next_ms;
	struct pgw_err ignored;

	p->next_ms = pause * 2 < p->most_ms ? pause * 2 : p->most_ms;
	if (!pgw_random(&random, 1, &ignored))
		random = 128; /* jitter is a courtesy */
	return pause / 2 + pause * random / 256;
}

static void drop(void *conn)
{
	pgw_conn_close(conn);
}

bool mz_db_connect(struct mz_db *db, int64_t deadline, struct pgw_err *cause)
{
	struct pgw_conn_options options = { .interrupt_fd = db->interrupt_fd,
					    .deadline = deadline };

	options.hooks.notice = on_notice;
	options.hooks.warning = on_warning;
	options.hooks.trace = db->trace ? on_trace : NULL;
	options.hooks.ctx = db;
	if (!pgw_connect(&db->conn, db->cfg, &options, cause))
		return mz_provider_explain(db->cfg, cause);
	if (db->arena)
		mz_hold(db->arena, &db->hold, drop, db->conn);
	return true;
}

static void tell_unseen(struct mz_db *db)
{
	char text[64];

	snprintf(text, sizeof(text), "%zu more notices are not shown",
		 db->unseen);
	mz_tell(&db->listener,
		&(struct mz_event){ .kind = MZ_EV_REMARK, .text = text });
	db->unseen = 0;
}

void mz_db_close(struct mz_db *db)
{
	if (db->unseen > 0)
		tell_unseen(db);
	if (!db->conn)
		return;
	db->round_trips += pgw_conn_round_trips(db->conn);
	if (db->arena)
		mz_let_go(db->arena, &db->hold);
	pgw_conn_close(db->conn);
	db->conn = NULL;
	db->cancel_until = 0;
}

void mz_db_hooks(struct mz_db *db,
		 void (*row)(void *ctx, const struct pgw_row *row),
		 void (*done)(void *ctx, const struct pgw_outcome *outcome),
		 void *ctx)
{
	pgw_conn_answers(db->conn, row, done, ctx);
}

bool mz_db_query(struct mz_db *db, const char *sql,
		 void (*row)(void *ctx, const struct pgw_row *row), void *ctx,
		 struct pgw_err *err)
{
	return mz_db_table(db, sql,
			   &(struct mz_db_reader){ .row = row, .ctx = ctx },
			   err);
}

bool mz_db_table(struct mz_db *db, const char *sql,
		 const struct mz_db_reader *reader, struct pgw_err *err)
{
	int64_t timeout = db->cfg->connect_timeout_ms;
	bool ok;

	mz_db_hooks(db, reader->row, NULL, reader->ctx);
	pgw_conn_results(db->conn, reader->columns, NULL);
	if (timeout > 0)
		pgw_conn_deadline(db->conn, pgw_clock_ms() + timeout);
	ok = pgw_conn_query(db->conn, sql, err);
	if (!ok && err->code == PGW_E_TIMEOUT)
		pgw_wrap(err, "the server did not answer in time");
	pgw_conn_deadline(db->conn, PGW_FOREVER);
	mz_db_hooks(db, NULL, NULL, NULL);
	return ok;
}

bool mz_db_is_given_up(const struct mz_db *db)
{
	return db->cancel_until != 0;
}

/* The end of a round: that of all is not passed. */
static int64_t round_end(const struct mz_db *db)
{
	int64_t end = pgw_clock_ms() + CANCEL_ROUND_MS;

	return end < db->cancel_until ? end : db->cancel_until;
}

bool mz_db_cancel(struct mz_db *db, struct pgw_err *why)
{
	struct pgw_conn *c = db->conn;
	struct pgw_err ignored;
	bool done = false;

	pgw_fail(why, PGW_E_TIMEOUT, "it goes on all the same");
	db->tick.call = NULL; /* deadlines are ours from here on */
	pgw_conn_ignore_interrupt(c);
	if (!mz_db_is_given_up(db))
		db->cancel_until = pgw_clock_ms() + CANCEL_MS;
	while (!done && pgw_conn_alive(c) &&
	       pgw_clock_ms() < db->cancel_until) {
		if (pgw_conn_outstanding(c) > 0)
			(void)!pgw_conn_cancel(c, CANCEL_ROUND_MS, why);
		pgw_conn_deadline(c, round_end(db));
		done = pgw_conn_wait(c, 0, &ignored);
	}
	pgw_conn_deadline(c, PGW_FOREVER);
	if (done)
		db->cancel_until = 0;
	return done;
}

const char *mz_db_text(struct mz_arena *a, struct pgw_view *cols)
{
	struct pgw_view v = { 0 };

	if (!pgw_column_next(cols, &v) || !v.p)
		return NULL;
	return mz_strndup(a, (const char *)v.p, v.n);
}

void mz_db_on_boolean(void *ctx, const struct pgw_row *row)
{
	struct pgw_view cols = row->cols, v;

	*(bool *)ctx = pgw_column_next(&cols, &v) && v.p && v.n == 1 &&
		       v.p[0] == 't';
}

size_t mz_db_round_trips(const struct mz_db *db)
{
	return db->round_trips +
	       (db->conn ? pgw_conn_round_trips(db->conn) : 0);
}
