/* SPDX-License-Identifier: MIT */
/*
 * Exactly once.  Who migrates holds, in the transaction that applies, an
 * advisory lock that every mizzle takes, and the history table itself, which
 * also holds off a Drizzle of any version.  Neither is ever waited for in a
 * transaction: a blocked waiter and CREATE INDEX CONCURRENTLY deadlock.
 */
#ifndef MZ_GUARD_H
#define MZ_GUARD_H

#include "db.h"
#include "history.h"

/* Begin a transaction that fails unless the advisory lock is to be had. */
const char *mz_guard_begin_sql(struct mz_arena *a, const struct mz_table *t);

/*
 * Go on with it: fail unless the table is ours alone and has just so many
 * rows.  Without the right to lock it, the advisory lock must do.
 */
const char *mz_guard_history_sql(struct mz_arena *a, const struct mz_table *t,
				 size_t rows, bool may_lock);

/* Whether a failed guard says that someone else was faster. */
bool mz_guard_contended(const struct pgw_diag *diag);

/* Whether nobody holds the lock or the table; else status locked, and who. */
bool mz_guard_free(struct mz_db *db, struct mz_arena *a,
		   const struct mz_table *t, struct mz_err *err) PGW_MUST_CHECK;

/*
 * Wait, with growing pauses, until nobody holds the lock or the table; tells
 * who does.  Fails with status locked after wait_ms.
 */
bool mz_guard_wait(struct mz_db *db, struct mz_arena *a,
		   const struct mz_table *t, int64_t deadline_ms,
		   struct mz_err *err) PGW_MUST_CHECK;

#endif
