/* SPDX-License-Identifier: MIT */
/*
 * What is left of a run that does not end well is cleaned up as far as that
 * can be done at once; the row of its progress tells the next run of the rest.
 */
#include <config.h>

#include "setting_sql.h"
#include "stepwise_inner.h"

#include <string.h>

/* An index that somebody keeps busy is for the next run. */
#define DROP_MS 2000

/* A question, while somebody waits for our end. */
#define QUESTION_MS 5000

void mz_stepwise_calm(struct mz_db *db)
{
	struct pgw_err ignored;

	if (pgw_conn_alive(db->conn) && pgw_conn_outstanding(db->conn) > 0)
		(void)!mz_db_cancel(db, &ignored);
}

/* A question of ours; whatever comes, nothing of it runs on. */
static bool quietly(struct mz_db *db, const char *sql,
		    void (*row)(void *ctx, const struct pgw_row *row),
		    void *ctx)
{
	struct pgw_err ignored;
	bool ok;

	if (!db->conn || !pgw_conn_alive(db->conn) || mz_db_is_given_up(db))
		return false;
	mz_db_hooks(db, row, NULL, ctx);
	pgw_conn_deadline(db->conn, pgw_clock_ms() + QUESTION_MS);
	ok = pgw_conn_query(db->conn, sql, &ignored);
	pgw_conn_deadline(db->conn, PGW_FOREVER);
	mz_db_hooks(db, NULL, NULL, NULL);
	if (!ok)
		mz_stepwise_calm(db);
	return ok;
}

static bool stop(struct mz_db *db)
{
	struct pgw_err why;

	if (!db->conn || !pgw_conn_alive(db->conn))
		return true;
	return mz_db_cancel(db, &why);
}

bool mz_stepwise_stop(struct mz_stepwise *r)
{
	bool stopped = stop(&r->holder);

	r->db->cancel_until = r->holder.cancel_until; /* the time of both */
	stopped = mz_db_cancel(r->db, &(struct pgw_err){ 0 }) && stopped;
	mz_stepwise_roll_back(r);
	return stopped;
}

void mz_stepwise_roll_back(struct mz_stepwise *r)
{
	r->in_block = false;
	if (pgw_conn_alive(r->db->conn) && pgw_conn_txn(r->db->conn) != 'I')
		(void)!quietly(r->db, "ROLLBACK", NULL, NULL);
}

/* ---- an index */

struct leftovers {
	struct mz_arena *arena;
	const char *name;
};

static void on_leftover(void *ctx, const struct pgw_row *row)
{
	struct leftovers *l = ctx;
	struct pgw_view cols = row->cols;
	const char *name = mz_db_text(l->arena, &cols);

	if (name && !l->name)
		l->name = name;
}

static bool drop(struct mz_stepwise *r, const char *name)
{
	struct pgw_conn *c = r->db->conn;
	struct pgw_err err;
	bool ok;

	mz_db_hooks(r->db, NULL, NULL, NULL);
	pgw_conn_deadline(c, pgw_clock_ms() + DROP_MS);
	ok = pgw_conn_query(c, mz_alone_drop_sql(r->arena, name), &err);
	pgw_conn_deadline(c, PGW_FOREVER);
	mz_stepwise_calm(r->db);
	return ok;
}

static void clean(struct mz_stepwise *r)
{
	const char *sql = mz_alone_leftovers_sql(r->arena, &r->alone,
						 r->row.before);
	struct leftovers l;

	do {
		l = (struct leftovers){ .arena = r->arena };
		if (!sql || !quietly(r->db, sql, on_leftover, &l))
			return;
	} while (l.name && drop(r, l.name));
	r->left = l.name;
}

/* ---- the row */

/* Nothing was kept: as if it had never begun. */
static void forget(struct mz_stepwise *r)
{
	struct mz_arena *a = r->arena;
	const struct mz_table *t = r->job->table;
	struct mz_db *db = &r->holder;
	bool empty = false;

	if (quietly(db, mz_partial_delete_sql(a, t, r->m->tag), NULL, NULL) &&
	    quietly(db, "COMMIT; BEGIN", NULL, NULL) &&
	    quietly(db, mz_partial_empty_sql(a, t), mz_db_on_boolean, &empty) &&
	    empty && quietly(db, mz_partial_drop_sql(a, t), NULL, NULL))
		(void)!quietly(db, "COMMIT", NULL, NULL);
}

static bool finish(struct mz_stepwise *r, size_t n, const char *done)
{
	return quietly(r->db,
		       mz_printf(r->arena, MZ_AS_OURSELVES_SQL "; %s",
				 mz_partial_finish_sql(r->arena, &r->key, n,
						       done)),
		       NULL, NULL);
}

struct looker {
	struct mz_stepwise *r;
	bool found;
};

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct looker *l = ctx;

	mz_partial_of_row(&l->r->row, l->r->arena, row);
	l->found = true;
}

/* A COMMIT whose answer is not known to us may have gone through. */
static bool look(struct mz_stepwise *r)
{
	struct looker l = { .r = r };

	return r->taken &&
	       quietly(r->db,
		       mz_printf(r->arena, MZ_AS_OURSELVES_SQL "; %s",
				 mz_partial_look_sql(r->arena, &r->key)),
		       on_row, &l) &&
	       l.found;
}

/* The server was faster than the wish to end it. */
static bool was_done(const struct mz_stepwise *r)
{
	return r->is_alone && r->reply.came && r->reply.ok;
}

void mz_stepwise_settle(struct mz_stepwise *r)
{
	if (r->is_alone)
		clean(r);
	if (r->recording || !look(r))
		return;
	if (was_done(r)) {
		if (!r->left && finish(r, r->present.count,
				       mz_stepwise_hash(r, r->present.end)))
			r->row.finished = r->present.count;
	} else if (r->left || (!r->is_alone && r->row.running > 0)) {
		return; /* the next run looks what became of it */
	} else if (r->row.finished == 0) {
		forget(r);
	} else if (r->row.running > 0) {
		(void)!finish(r, r->row.finished, r->row.done);
	}
}
