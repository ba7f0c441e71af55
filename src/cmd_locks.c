/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "connect.h"
#include "holders.h"
#include "pooler.h"

#include <stdlib.h>
#include <string.h>

#define LOCKERS_MAX 1000
#define LOCKER_NCOLS (3 + MZ_BACKEND_NCOLS)

struct lockers {
	struct mz_arena *arena;
	struct mz_locker *list;
	size_t n;
};

static enum mz_role role_of(const char *name)
{
	for (int i = 0; name && i < MZ_ROLES; i++)
		if (strcmp(name, mz_role_name((enum mz_role)i)) == 0)
			return (enum mz_role)i;
	return MZ_ROLES;
}

static void on_locker(void *ctx, const struct pgw_row *row)
{
	struct lockers *k = ctx;
	struct pgw_view cols = row->cols;
	struct mz_locker *l = &k->list[k->n];
	struct mz_remedy remedy;
	const char *of;

	if (k->n == LOCKERS_MAX || row->ncols != LOCKER_NCOLS)
		return;
	l->role = role_of(mz_db_text(k->arena, &cols));
	of = mz_db_text(k->arena, &cols);
	l->of = of ? strtoll(of, NULL, 10) : 0;
	l->what = mz_db_text(k->arena, &cols);
	mz_backend_read(&l->backend, k->arena, &cols);
	l->text = mz_backend_text(k->arena, &l->backend);
	remedy = mz_backend_remedy(k->arena, &l->backend);
	l->remedy = remedy.sql;
	l->effect = remedy.effect;
	k->n += l->role != MZ_ROLES;
}

/*
 * A migration outside of a transaction is two sessions: whoever wants to stop
 * it stops the one that works, and the other notices.
 */
static void advise(struct lockers *k, size_t workers)
{
	for (size_t i = 0; i < k->n; i++) {
		struct mz_locker *l = &k->list[i];

		if (l->role == MZ_ROLE_WORKER)
			l->effect = "cancels its statement; what was done "
				    "before it is kept";
		else if (l->role == MZ_ROLE_HOLDER && workers > 0)
			l->effect = "ends the connection that holds the lock; "
				    "better cancel the one that works for it";
	}
}

static int in_order(const void *a, const void *b)
{
	const struct mz_locker *x = a, *y = b;

	if (x->role != y->role)
		return (x->role > y->role) - (x->role < y->role);
	return (x->backend.pid > y->backend.pid) -
	       (x->backend.pid < y->backend.pid);
}

static bool look(struct mz_context *c, struct mz_db *db, struct mz_err *err)
{
	struct lockers k = { .arena = &c->arena };
	struct mz_table t;
	struct pgw_err cause;

	if (!mz_table_init(&t, &c->arena, c->opt.schema, c->opt.table, err) ||
	    !mz_db_open(db, c->opt.wait, err) ||
	    !mz_pooler_reaches(db->conn, err))
		return false;
	k.list = mz_alloc_array(&c->arena, LOCKERS_MAX + 1, sizeof(*k.list));
	if (!mz_db_query(db, mz_locks_sql(&c->arena, &t), on_locker, &k,
			 &cause))
		return mz_db_fail(err, &cause);
	qsort(k.list, k.n, sizeof(*k.list), in_order);
	for (size_t i = 0; i < k.n; i++)
		c->result.roles[k.list[i].role]++;
	advise(&k, c->result.roles[MZ_ROLE_WORKER]);
	c->result.kind = MZ_RESULT_LOCKS;
	mz_report_lockers(&c->report, k.list, k.n);
	return true;
}

bool cmd_locks(struct mz_context *c, struct mz_err *err)
{
	return mz_connect_look(c, look, err);
}
