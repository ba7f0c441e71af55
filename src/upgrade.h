/* SPDX-License-Identifier: MIT */
/*
 * What Drizzle 1.x makes of a history.  One of 0.x, with 3 columns, it upgrades
 * when it first meets it, and so do we, in the layout that is of 1.x.  In one
 * with 5 columns it knows a migration by the name in its row and by nothing
 * else: what is recorded without it, it would run again.
 */
#ifndef MZ_UPGRADE_H
#define MZ_UPGRADE_H

#include "plan.h"

struct mz_upgrade {
	const struct mz_migration **of; /* of each row; NULL = none */
	size_t unmatched;
};

/* Whether Drizzle 1.x would upgrade this history before anything else. */
bool mz_upgrade_is_due(const struct mz_folder *f, const struct mz_history *h);

/* Its rules: the second of created_at, the hash where that does not decide. */
void mz_upgrade_match(struct mz_upgrade *u, struct mz_arena *a,
		      const struct mz_folder *f, const struct mz_history *h);

/* Whether every row is one of the folder's: else it cannot be upgraded. */
bool mz_upgrade_agrees(const struct mz_upgrade *u, struct mz_arena *a,
		       const struct mz_history *h,
		       struct mz_err *err) PGW_MUST_CHECK;

/* The columns, and the name of each row: what Drizzle sends. */
const char *mz_upgrade_sql(const struct mz_upgrade *u, struct mz_arena *a,
			   const struct mz_table *t,
			   const struct mz_history *h);

/*
 * The name that a row of migration i is to have so that Drizzle 1.x knows it
 * and it has not; NULL when all is well.
 */
const char *mz_upgrade_name(const struct mz_plan *p, struct mz_arena *a,
			    size_t i);

/* Note in the list what Drizzle 1.x would run again, and count it. */
void mz_upgrade_note(struct mz_plan *p, struct mz_arena *a);

#endif
