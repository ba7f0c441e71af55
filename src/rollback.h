/* SPDX-License-Identifier: MIT */
/*
 * Going back: which migrations, by which scripts.  That of a migration stands
 * beside its own: TAG.down.sql, or NAME/down.sql in the layout of folders.
 */
#ifndef MZ_ROLLBACK_H
#define MZ_ROLLBACK_H

#include "work.h"

struct mz_rollback {
	size_t steps; /* at most so many of the newest; SIZE_MAX = all */

	/* Of each of plan.todo, which is the newest first. */
	const struct mz_row **rows;
	const struct mz_migration **scripts; /* its down script */
};

/* The steps that are left of what the options ask for. */
size_t mz_rollback_steps(const struct mz_options *o, size_t done);

/*
 * Choose what to roll back, into p->todo and b->rows: of what is applied the
 * newest steps, or all after wish->to.  Refuses where history and folder
 * disagree.  Pure.
 */
bool mz_rollback_choose(struct mz_rollback *b, struct mz_plan *p,
			struct mz_arena *a, const struct mz_wish *wish,
			struct mz_err *err) PGW_MUST_CHECK;

/*
 * Find and check all that is to be run, before any of it is sent: fills
 * b->scripts and w->surveys.
 */
bool mz_rollback_survey(struct mz_rollback *b, struct mz_work *w,
			struct mz_err *err) PGW_MUST_CHECK;

#endif
