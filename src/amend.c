/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "amend.h"

#include "failure.h"
#include "guard.h"

#include <string.h>

struct answer {
	struct mz_arena *arena;
	bool committed;
	struct pgw_diag diag; /* of a failure */
};

static void on_done(void *ctx, const struct pgw_outcome *o)
{
	struct answer *answer = ctx;

	answer->committed = o->ok && o->txn == 'I' &&
			    strcmp(o->tag, "COMMIT") == 0;
	answer->diag = mz_failure_keep(answer->arena, &o->diag);
}

static const char *whole_sql(struct mz_work *w, const char *sql)
{
	struct mz_arena *a = &w->c->arena;
	const struct mz_history *h = &w->history;
	const struct mz_same same = { h->shape, 0 };

	return mz_printf(a, "%s; %s; %s; %s; COMMIT",
			 mz_guard_begin_sql(a, &w->table),
			 mz_guard_history_sql(a, &w->table, h->count,
					      h->may_lock),
			 mz_guard_same_sql(a, &w->table, h, &same), sql);
}

/* What the server said of it. */
static enum mz_amended judge(struct mz_work *w, const struct answer *answer,
			     struct mz_err *err)
{
	const char *waiters;

	if (mz_guard_contended(answer->arena, &answer->diag, &waiters))
		return MZ_AMEND_CONTENDED;
	mz_fail(err, MZ_sql,
		"the history %s could not be changed; it is as "
		"it was",
		w->table.quoted);
	mz_failure_describe(err, answer->arena, NULL, &answer->diag);
	return strcmp(pgw_diag_sqlstate(&answer->diag), "42501") == 0 ?
		       MZ_AMEND_DENIED :
		       MZ_AMEND_FAILED;
}

static enum mz_amended lost(const struct pgw_err *cause, struct mz_err *err)
{
	mz_db_fail(err, cause);
	mz_hint(err, "the history was changed as a whole or not at all: look "
		     "with mizzle status");
	return MZ_AMEND_FAILED;
}

enum mz_amended mz_amend(struct mz_work *w, const char *sql, struct mz_err *err)
{
	struct answer answer = { .arena = &w->c->arena }, undone = answer;
	struct pgw_err cause;
	bool ok;

	mz_db_hooks(&w->db, NULL, on_done, &answer);
	ok = pgw_conn_query(w->db.conn, whole_sql(w, sql), &cause);
	mz_db_hooks(&w->db, NULL, on_done, &undone);
	if (!ok && !mz_db_is_answer(&w->db, &cause))
		return lost(&cause, err);
	if (!ok && pgw_conn_txn(w->db.conn) != 'I' &&
	    !pgw_conn_query(w->db.conn, "ROLLBACK", &cause))
		return lost(&cause, err);
	mz_db_hooks(&w->db, NULL, NULL, NULL);
	if (!ok)
		return judge(w, &answer, err);
	if (answer.committed)
		return MZ_AMENDED;
	mz_fail(err, MZ_internal, "the server answered, but not to COMMIT");
	return MZ_AMEND_FAILED;
}
