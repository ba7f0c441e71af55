/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "monitor.h"

#include "holders.h"
#include "sqltext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MS 2000  /* the statement's end waits as long, once */
#define GLANCE_MS 20  /* an answer is there by then, or later */
#define FIRST_MS 500  /* between the first looks at a statement, ... */
#define LATER_MS 2000 /* ... and between the others */
#define FIRST_LOOKS 4

/* ---- what it asks */

/*
 * Views of a later version are left out.  Each gives pid, phase, done, total;
 * what counts depends on the phase.
 */
static const struct {
	int version; /* the first that has it */
	const char *sql;
} progress[] = {
	{ 0, "SELECT pid, phase, CASE "
	     "WHEN phase OPERATOR(pg_catalog.~~) 'waiting%' THEN lockers_done "
	     "WHEN phase OPERATOR(pg_catalog.~~) '%tuples%' THEN tuples_done "
	     "ELSE blocks_done END, CASE "
	     "WHEN phase OPERATOR(pg_catalog.~~) 'waiting%' THEN lockers_total "
	     "WHEN phase OPERATOR(pg_catalog.~~) '%tuples%' THEN tuples_total "
	     "ELSE blocks_total END "
	     "FROM pg_catalog.pg_stat_progress_create_index" },
	{ 0, " UNION ALL SELECT pid, pg_catalog.concat(command, ': ', phase), "
	     "heap_blks_scanned, heap_blks_total "
	     "FROM pg_catalog.pg_stat_progress_cluster" },
	{ 0, " UNION ALL SELECT pid, pg_catalog.concat('VACUUM: ', phase), "
	     "heap_blks_scanned, heap_blks_total "
	     "FROM pg_catalog.pg_stat_progress_vacuum" },
	{ 0, " UNION ALL SELECT pid, pg_catalog.concat('ANALYZE: ', phase), "
	     "sample_blks_scanned, sample_blks_total "
	     "FROM pg_catalog.pg_stat_progress_analyze" },
	{ 140000, " UNION ALL SELECT pid, command, bytes_processed, "
		  "bytes_total FROM pg_catalog.pg_stat_progress_copy" },
};

#define PROGRESS_NCOLS 3

static const char *progress_sql(struct mz_arena *a, int version)
{
	const char *sql = "";

	for (size_t i = 0; i < sizeof(progress) / sizeof(progress[0]); i++)
		if (version >= progress[i].version)
			sql = mz_printf(a, "%s%s", sql, progress[i].sql);
	return sql;
}

/*
 * The processes that work for us.  Outside of a transaction the lock is held
 * by another connection, and a pooler may change ours from one statement to
 * the next: what runs is known by its text.
 */
static const char *ours(const struct mz_monitor *m, struct mz_arena *a,
			const struct mz_running *r)
{
	if (!r->outside || !r->head)
		return mz_printf(a,
				 "SELECT l.pid FROM pg_catalog.pg_locks l "
				 "WHERE l.granted AND %s",
				 mz_lock_is_advisory(a, m->table));
	return mz_printf(
		a,
		"SELECT w.pid FROM pg_catalog.pg_stat_activity w "
		"WHERE w.datname OPERATOR(pg_catalog.=) "
		"pg_catalog.current_database() "
		"AND w.usename OPERATOR(pg_catalog.=) session_user "
		"AND w.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() "
		"AND w.state OPERATOR(pg_catalog.=) 'active' "
		"AND pg_catalog.starts_with(w.query, %s)",
		mz_quote_literal(a, mz_without_mark(a, r->head)));
}

/* Two questions in one message, whose rows differ in their width. */
static const char *question(const struct mz_monitor *m, struct mz_arena *a,
			    const struct mz_running *r)
{
	const char *us = ours(m, a, r);

	return mz_printf(a,
			 "SELECT " MZ_BACKEND_COLUMNS
			 " FROM (SELECT DISTINCT x.pid "
			 "FROM (%s) o, LATERAL pg_catalog.unnest("
			 "pg_catalog.pg_blocking_pids(o.pid)) x(pid) "
			 "ORDER BY x.pid LIMIT %d) b " MZ_BACKEND_JOIN
			 " ORDER BY b.pid; "
			 "SELECT p.phase, p.done, p.total "
			 "FROM (%s) p(pid, phase, done, total) "
			 "WHERE p.pid OPERATOR(pg_catalog.=) ANY (%s)",
			 us, MZ_BLOCKERS_MAX, progress_sql(a, m->version), us);
}

/* ---- what it is answered */

int mz_percent(int64_t done, int64_t total)
{
	if (total <= 0 || done < 0)
		return -1;
	return done >= total ? 100 : (int)((double)done * 100 / (double)total);
}

static int64_t take_count(struct mz_arena *a, struct pgw_view *cols)
{
	const char *text = mz_db_text(a, cols);

	return text ? strtoll(text, NULL, 10) : -1;
}

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct mz_monitor *m = ctx;
	struct pgw_view cols = row->cols;

	if (row->ncols == MZ_BACKEND_NCOLS && m->nblockers < MZ_BLOCKERS_MAX) {
		mz_backend_read(&m->blockers[m->nblockers++], &m->seen, &cols);
	} else if (row->ncols == PROGRESS_NCOLS && !m->phase) {
		int64_t done;

		m->phase = mz_db_text(&m->seen, &cols);
		done = take_count(&m->seen, &cols);
		m->percent = mz_percent(done, take_count(&m->seen, &cols));
	}
}

static void on_done(void *ctx, const struct pgw_outcome *o)
{
	struct mz_monitor *m = ctx;

	m->failed = !o->ok;
}

/* ---- asking */

static void remark(const struct mz_monitor *m, const struct pgw_err *cause)
{
	char text[256];

	if (cause->code == PGW_E_INTERRUPTED)
		return;
	snprintf(text, sizeof(text),
		 "who is in the way is not known: no second connection: "
		 "%.160s",
		 cause->msg);
	mz_tell(&m->main->listener,
		&(struct mz_event){ .kind = MZ_EV_REMARK, .text = text });
}

/* Of several hosts it may be another that takes us this time. */
static bool is_same_server(const struct pgw_conn *x, const struct pgw_conn *y)
{
	return strcmp(pgw_conn_address(x), pgw_conn_address(y)) == 0 &&
	       pgw_conn_host(x) == pgw_conn_host(y);
}

static void give_up(struct mz_monitor *m)
{
	mz_db_close(&m->db);
	m->state = MZ_MONITOR_GIVEN_UP;
}

static bool open_it(struct mz_monitor *m)
{
	struct pgw_err cause = { 0 };

	m->db = (struct mz_db){ .cfg = m->main->cfg,
				.arena = m->main->arena,
				.interrupt_fd = m->main->interrupt_fd };
	if (!mz_db_connect(&m->db, pgw_clock_ms() + OPEN_MS, &cause)) {
		remark(m, &cause);
		give_up(m);
		return false;
	}
	if (!is_same_server(m->db.conn, m->main->conn) ||
	    !pgw_conn_agrees(m->db.conn, &cause)) {
		give_up(m);
		return false;
	}
	mz_db_hooks(&m->db, on_row, on_done, m);
	m->state = MZ_MONITOR_READY;
	return true;
}

static void forget(struct mz_monitor *m)
{
	mz_arena_release(&m->seen);
	m->nblockers = 0;
	m->phase = NULL;
	m->percent = -1;
	m->failed = false;
}

/* True once all that was asked is answered. */
static bool glance(struct mz_monitor *m)
{
	struct pgw_err err = { 0 };

	pgw_conn_deadline(m->db.conn, pgw_clock_ms() + GLANCE_MS);
	if (pgw_conn_wait(m->db.conn, 0, &err)) {
		m->state = MZ_MONITOR_READY;
		if (m->failed)
			give_up(m);
		return !m->failed;
	}
	if (err.code != PGW_E_TIMEOUT)
		give_up(m);
	return false;
}

static void ask(struct mz_monitor *m, const struct mz_running *r)
{
	struct pgw_err err = { 0 };
	const char *sql;

	forget(m);
	sql = question(m, &m->seen, r);
	m->looks++;
	m->next_ms = pgw_clock_ms() +
		     (m->looks < FIRST_LOOKS ? FIRST_MS : LATER_MS);
	pgw_conn_deadline(m->db.conn, pgw_clock_ms() + GLANCE_MS);
	if (!pgw_conn_send(m->db.conn, pgw_view_of(sql), &err) &&
	    err.code != PGW_E_TIMEOUT)
		give_up(m);
	else
		m->state = MZ_MONITOR_ASKED;
}

/* ---- telling */

/* A statement that is tried again meets the same session: that is no news. */
static bool is_news(struct mz_monitor *m, const struct mz_running *r)
{
	if (m->told_tag != r->tag || m->told_line != r->line)
		m->ntold = 0;
	m->told_tag = r->tag;
	m->told_line = r->line;
	if (m->ntold != m->nblockers)
		return true;
	for (size_t i = 0; i < m->ntold; i++)
		if (m->told[i] != m->blockers[i].pid)
			return true;
	return false;
}

static void tell(struct mz_monitor *m, const struct mz_running *r)
{
	const struct mz_listener *l = &m->main->listener;

	if (!is_news(m, r))
		return;
	for (size_t i = 0; i < m->nblockers; i++) {
		const struct mz_backend *b = &m->blockers[i];

		mz_tell(l, &(struct mz_event){
				   .kind = MZ_EV_BLOCKED,
				   .tag = r->tag,
				   .text = mz_backend_text(&m->seen, b),
				   .backend = b });
		m->told[i] = b->pid;
	}
	if (m->nblockers == 0)
		mz_tell(l, &(struct mz_event){ .kind = MZ_EV_UNBLOCKED,
					       .tag = r->tag });
	m->ntold = m->nblockers;
}

/* ---- what others call */

void mz_monitor_init(struct mz_monitor *m, const struct mz_db *main,
		     const struct mz_table *t, int version)
{
	*m = (struct mz_monitor){
		.main = main, .table = t, .version = version, .percent = -1
	};
	mz_arena_init(&m->seen);
	if (main->arena)
		m->seen.escape = main->arena->escape;
}

void mz_monitor_close(struct mz_monitor *m)
{
	mz_db_close(&m->db);
	mz_arena_release(&m->seen);
	m->state = MZ_MONITOR_GIVEN_UP;
}

void mz_monitor_look(struct mz_monitor *m, struct mz_running *r)
{
	bool answered = false;

	if (m->state == MZ_MONITOR_GIVEN_UP ||
	    (m->state == MZ_MONITOR_CLOSED && !open_it(m)))
		return;
	if (m->state == MZ_MONITOR_READY && pgw_clock_ms() >= m->next_ms)
		ask(m, r);
	if (m->state == MZ_MONITOR_ASKED)
		answered = glance(m);
	if (answered)
		tell(m, r);
	if (m->state != MZ_MONITOR_READY)
		return;
	r->phase = m->phase;
	r->percent = m->percent;
	r->blocker = m->nblockers > 0 ? m->blockers[0].pid : 0;
}

void mz_monitor_rest(struct mz_monitor *m)
{
	if (m->looks == 0)
		return;
	m->looks = 0;
	m->next_ms = 0;
	if (m->state == MZ_MONITOR_READY)
		forget(m);
}
