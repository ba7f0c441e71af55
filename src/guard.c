/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "guard.h"

#include "holders.h"
#include "sqltext.h"

#include <inttypes.h>
#include <string.h>

#define FIRST_PAUSE_MS 20
#define MOST_PAUSE_MS 1000
#define TELL_AGAIN_MS 30000

#define BEGIN "BEGIN ISOLATION LEVEL READ COMMITTED"

/* These words come back as the value that is no integer. */
#define MARKER "mizzle: "
#define GIVE_WAY MARKER "another migrator waits, with pid "

/* A foreign migrator that is idle for so long has done what it came for. */
#define QUIET_MS 2000

/* The table as an OID. */
static const char *relation(struct mz_arena *a, const struct mz_table *t)
{
	return mz_printf(a, "%s::pg_catalog.regclass::pg_catalog.oid",
			 mz_quote_literal(a, t->quoted));
}

/* cases come before that of the lock; each ends in a blank. */
static const char *try_lock(struct mz_arena *a, const struct mz_table *t,
			    const char *cases)
{
	const char *lock =
		t->no_advisory ?
			"true" :
			mz_printf(a,
				  "pg_catalog.pg_try_advisory_xact_lock("
				  "%" PRId64 ")",
				  t->lock_key);

	return mz_printf(a,
			 BEGIN "; SELECT CAST(CASE %sWHEN %s THEN '1' "
			       "ELSE '" MARKER
			       "another migrator holds the lock' "
			       "END AS pg_catalog.int4)",
			 cases, lock);
}

const char *mz_guard_begin_sql(struct mz_arena *a, const struct mz_table *t)
{
	return t->no_advisory ? BEGIN : try_lock(a, t, "");
}

const char *mz_guard_go_on_sql(struct mz_arena *a, const struct mz_table *t)
{
	return try_lock(
		a, t,
		"WHEN COALESCE(pg_catalog.current_setting('mizzle.waiters', "
		"true), '') OPERATOR(pg_catalog.<>) '' THEN '" GIVE_WAY "' "
		"OPERATOR(pg_catalog.||) "
		"pg_catalog.current_setting('mizzle.waiters') ");
}

const char *mz_guard_stay_sql(struct mz_arena *a, const struct mz_table *t)
{
	if (!t->no_advisory)
		return "";
	return mz_printf(
		a, "; LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE NOWAIT",
		t->quoted);
}

const char *mz_guard_that_sql(struct mz_arena *a, const char *condition)
{
	return mz_printf(a,
			 "SELECT CAST(CASE WHEN %s THEN '1' "
			 "ELSE '" MARKER "the history has changed' END "
			 "AS pg_catalog.int4)",
			 condition);
}

const char *mz_guard_lock_sql(struct mz_arena *a, const struct mz_table *t,
			      bool may_lock)
{
	if (!may_lock)
		return "";
	return mz_printf(a, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT; ",
			 t->quoted);
}

const char *mz_guard_history_sql(struct mz_arena *a, const struct mz_table *t,
				 size_t rows, bool may_lock)
{
	const char *count = mz_printf(a,
				      "(SELECT pg_catalog.count(*) FROM %s) "
				      "OPERATOR(pg_catalog.=) %zu",
				      t->quoted, rows);

	return mz_printf(a, "%s%s", mz_guard_lock_sql(a, t, may_lock),
			 mz_guard_that_sql(a, count));
}

const char *mz_guard_same_sql(struct mz_arena *a, const struct mz_table *t,
			      const struct mz_history *h,
			      const struct mz_same *same)
{
	/* ids only grow: who adds a row adds one above the newest */
	int64_t newest = h->count > 0 ? h->rows[h->count - 1].id : 0;
	const char *rows = mz_printf(a,
				     "(SELECT pg_catalog.count(*) FROM %s "
				     "WHERE id OPERATOR(pg_catalog.<=) "
				     "%" PRId64 ") OPERATOR(pg_catalog.=) %zu",
				     t->quoted, newest, h->count - same->gone);

	return mz_guard_that_sql(
		a, mz_printf(a,
			     "%s AND (SELECT pg_catalog.count(*) "
			     "FROM pg_catalog.pg_attribute a "
			     "WHERE a.attrelid OPERATOR(pg_catalog.=) %s "
			     "AND a.attname OPERATOR(pg_catalog.=) 'name' "
			     "AND NOT a.attisdropped) "
			     "OPERATOR(pg_catalog.=) %d",
			     rows, relation(a, t),
			     same->shape == MZ_SHAPE_COLUMNS_5));
}

/*
 * One row is read, whatever the history's size.  An upgrade adds the column
 * name: where there is none, it is the one around that is compared.
 */
const char *mz_guard_newest_sql(struct mz_arena *a, const struct mz_table *t,
				const struct mz_migration *m,
				enum mz_shape shape)
{
	bool named = shape == MZ_SHAPE_COLUMNS_5;
	const char *newest =
		mz_printf(a,
			  "(SELECT h.hash OPERATOR(pg_catalog.=) '%s' "
			  "AND h.created_at OPERATOR(pg_catalog.=) %" PRId64
			  "%s "
			  "FROM %s h ORDER BY h.id DESC LIMIT 1)",
			  m->hash, m->when,
			  named ? "" :
				  " AND name OPERATOR(pg_catalog.=) 'none'",
			  t->quoted);
	const char *around =
		named ? "" : " FROM (SELECT 'none'::pg_catalog.text AS name) o";

	return mz_printf(a, "%s%s", mz_guard_that_sql(a, newest), around);
}

/*
 * Not everyone who waits is a migrator: our own readers are known by their
 * name, others by a query that is not Drizzle's, as far as we may see it.
 */
#define HARMLESS                                                        \
	"s.application_name OPERATOR(pg_catalog.=) '" PACKAGE_NAME "' " \
	"OR (s.query OPERATOR(pg_catalog.!~~) '%%hash%%created_at%%' "  \
	"AND s.query OPERATOR(pg_catalog.<>) '' "                       \
	"AND s.query OPERATOR(pg_catalog.<>) '<insufficient privilege>')"

/* The functions behind the views: those would take four times as long. */
const char *mz_guard_note_waiters_sql(struct mz_arena *a,
				      const struct mz_table *t,
				      uint32_t database)
{
	return mz_printf(
		a,
		"SELECT pg_catalog.set_config('mizzle.waiters', "
		"pg_catalog.concat_ws(',', NULLIF(pg_catalog.current_setting("
		"'mizzle.waiters', true), ''), l.pid), false) "
		"FROM pg_catalog.pg_lock_status() l, "
		"pg_catalog.pg_stat_get_activity(l.pid) s "
		"WHERE NOT l.granted AND l.relation OPERATOR(pg_catalog.=) %s "
		"AND l.database OPERATOR(pg_catalog.=) "
		"%" PRIu32 "::pg_catalog.oid AND NOT COALESCE(" HARMLESS
		", false)",
		relation(a, t), database);
}

/* The pids after GIVE_WAY: nothing but digits and commas is believed. */
static const char *waiters_in(struct mz_arena *a, const char *message)
{
	const char *from = strstr(message, GIVE_WAY);
	size_t n;

	if (!from)
		return NULL;
	from += strlen(GIVE_WAY);
	n = strspn(from, "0123456789,");
	return n > 0 && from[n - 1] != ',' ? mz_strndup(a, from, n) : NULL;
}

bool mz_guard_contended(struct mz_arena *a, const struct pgw_diag *diag,
			const char **waiters)
{
	static const char *const states[] = {
		"55P03",		   /* the table is locked */
		"42P06", "42P07", "42710", /* created meanwhile */
		"23505",		   /* being created just now */
		"40P01", "40001",
	};
	const char *state = pgw_diag_sqlstate(diag);
	const char *message = pgw_diag_get(diag, PGW_DIAG_MESSAGE);

	*waiters = NULL;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(state, states[i]) == 0)
			return true;
	if (strcmp(state, "22P02") != 0 || !message)
		return false;
	*waiters = waiters_in(a, message);
	return strstr(message, MARKER) != NULL;
}

bool mz_guard_is_marked(const struct pgw_err *cause)
{
	return strcmp(cause->sqlstate, "22P02") == 0 &&
	       strstr(cause->msg, MARKER);
}

/* ---- waiting */

struct told {
	int64_t pid, ms;
};

struct holder {
	struct mz_arena *arena;
	bool found;
	struct mz_backend backend;
	const char *text;
};

static void on_holder(void *ctx, const struct pgw_row *row)
{
	struct holder *h = ctx;
	struct pgw_view cols = row->cols;

	if (h->found)
		return; /* one was asked for */
	mz_backend_read(&h->backend, h->arena, &cols);
	h->found = true;
	h->text = mz_backend_text(h->arena, &h->backend);
}

static bool find_holder(struct mz_db *db, const char *sql, struct holder *h,
			struct mz_err *err)
{
	struct pgw_err cause;

	h->found = false;
	return mz_db_query(db, sql, on_holder, h, &cause) ||
	       mz_db_fail(err, &cause);
}

static bool held(struct mz_err *err, const char *who, const char *advice)
{
	mz_fail(err, MZ_locked, "another migrator holds the lock: %s", who);
	return mz_hint(err, "%s", advice);
}

bool mz_guard_free(struct mz_db *db, struct mz_arena *a,
		   const struct mz_table *t, struct mz_err *err)
{
	struct holder h = { .arena = a, .text = "just now" };

	if (!find_holder(db, mz_holder_sql(a, t, NULL), &h, err))
		return false;
	return !h.found || held(err, h.text,
				"try again when it is done; mizzle locks "
				"shows more");
}

/* Sleep, but not past the deadline. */
static bool pause_once(struct mz_db *db, struct mz_pause *pause, int64_t left,
		       struct mz_err *err)
{
	int64_t ms = mz_pause_next(pause);

	return left <= 0 || mz_db_sleep(db, ms < left ? ms : left, err);
}

/*
 * A line when it is another who is in the way, and now and then; who draws a
 * line again and again has every look.
 */
static void tell_holder(struct mz_db *db, const struct holder *h,
			struct told *told)
{
	int64_t now = pgw_clock_ms();
	bool news = told->pid != h->backend.pid ||
		    now - told->ms >= TELL_AGAIN_MS;

	mz_tell(&db->listener,
		&(struct mz_event){ .kind = news ? MZ_EV_WAITING : MZ_EV_STILL,
				    .text = h->text,
				    .backend = &h->backend });
	if (news)
		*told = (struct told){ h->backend.pid, now };
}

bool mz_guard_wait(struct mz_db *db, struct mz_arena *a,
		   const struct mz_table *t, const struct mz_wait *w,
		   struct mz_err *err)
{
	struct mz_pause pause = { FIRST_PAUSE_MS, MOST_PAUSE_MS };
	const char *sql = mz_holder_sql(a, t, w->waiters);
	int64_t quiet = w->waiters ? QUIET_MS : 0;
	int64_t free_at = pgw_clock_ms() + quiet;
	struct holder h = { .arena = a, .text = "just now" };
	struct told told = { -1, 0 };

	for (;;) {
		int64_t left = w->deadline_ms - pgw_clock_ms();

		if (!pause_once(db, &pause, left, err) ||
		    !find_holder(db, sql, &h, err))
			return false;
		if (!h.found && pgw_clock_ms() >= free_at)
			return true;
		if (left <= 0)
			return held(err, h.text,
				    "wait longer with --lock-wait, or see "
				    "mizzle locks: it names who is in the "
				    "way, and how to end it");
		if (h.found) {
			free_at = pgw_clock_ms() + quiet;
			tell_holder(db, &h, &told);
		}
	}
}
