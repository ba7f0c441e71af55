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

/*
 * Begin a transaction that fails unless the advisory lock is to be had.  On a
 * server that has none the lock of the table, which comes next, must do.
 */
const char *mz_guard_begin_sql(struct mz_arena *a, const struct mz_table *t);

/*
 * Begin one more, on the same connection: it fails also when somebody was noted
 * to whom it must give way.
 */
const char *mz_guard_go_on_sql(struct mz_arena *a, const struct mz_table *t);

/*
 * Go on with one that is to be held for long, without a lock that readers and
 * writers of the table would wait for: "" or what begins with a semicolon.
 */
const char *mz_guard_stay_sql(struct mz_arena *a, const struct mz_table *t);

/*
 * Go on with it: have the table alone, or fail at once; "" or what ends in a
 * semicolon.  Without the right to lock it, the advisory lock must do.
 */
const char *mz_guard_lock_sql(struct mz_arena *a, const struct mz_table *t,
			      bool may_lock);

/* The same, and fail unless it has just so many rows. */
const char *mz_guard_history_sql(struct mz_arena *a, const struct mz_table *t,
				 size_t rows, bool may_lock);

/* Go on with that: fail as contended unless the condition holds. */
const char *mz_guard_that_sql(struct mz_arena *a, const char *condition);

/* What else must be as it was read, or as we have left it since then. */
struct mz_same {
	enum mz_shape shape;
	size_t gone; /* of the rows that were read */
};

/*
 * Go on with that: fail unless all rows of h are there still, but for those
 * that we removed, and the table has the shape.  Their number alone would not
 * tell that some were removed and others added since then.
 */
const char *mz_guard_same_sql(struct mz_arena *a, const struct mz_table *t,
			      const struct mz_history *h,
			      const struct mz_same *same);

/*
 * The same for a transaction that follows one of ours: fail unless the newest
 * row is that of m, which that one wrote, and the table has the shape still.
 */
const char *mz_guard_newest_sql(struct mz_arena *a, const struct mz_table *t,
				const struct mz_migration *m,
				enum mz_shape shape);

/*
 * A foreign migrator that waits for the table gets it at our COMMIT, reads what
 * is recorded so far and goes on from there, while we would, too.  So who waits
 * is noted just before a COMMIT that more is to follow, and the transaction
 * after it begins by giving way.  It must begin with the settings reset.
 * database is the OID of ours.
 */
const char *mz_guard_note_waiters_sql(struct mz_arena *a,
				      const struct mz_table *t,
				      uint32_t database);

/*
 * Whether a failed guard says that someone else was faster.  *waiters gets the
 * pids of those to give way to, with commas, or NULL.
 */
bool mz_guard_contended(struct mz_arena *a, const struct pgw_diag *diag,
			const char **waiters);

/* The same for a guard that was asked on its own, without a table's lock. */
bool mz_guard_is_marked(const struct pgw_err *cause);

/* Whether nobody holds the lock or the table; else status locked, and who. */
bool mz_guard_free(struct mz_db *db, struct mz_arena *a,
		   const struct mz_table *t, struct mz_err *err) PGW_MUST_CHECK;

struct mz_wait {
	const char *waiters; /* pids of foreign migrators, or NULL */
	int64_t deadline_ms;
};

/*
 * Wait, with growing pauses, until nobody holds the lock or the table, and none
 * of the foreign migrators has been in a transaction for a while; tells who it
 * is.  Fails with status locked after the deadline.
 */
bool mz_guard_wait(struct mz_db *db, struct mz_arena *a,
		   const struct mz_table *t, const struct mz_wait *w,
		   struct mz_err *err) PGW_MUST_CHECK;

#endif
