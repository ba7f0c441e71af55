/* SPDX-License-Identifier: MIT */
/* Getting on with Drizzle 1.x, as upgrade.h says it: done, and told. */
#ifndef MZ_DRIZZLE1_H
#define MZ_DRIZZLE1_H

#include "amend.h"

/*
 * Whether the history is to be upgraded before anything else, which fails where
 * one of its rows is of no migration.  With --allow-missing that is a warning.
 */
bool mz_drizzle1_due(struct mz_work *w, bool *due,
		     struct mz_err *err) PGW_MUST_CHECK;

/* Upgrade it, and say so. */
enum mz_amended mz_drizzle1_upgrade(struct mz_work *w, struct mz_err *err);

/* The role may not: err says why, and things go on without it. */
void mz_drizzle1_denied(struct mz_work *w, const struct mz_err *err);

/* For those who only look: that migrate would upgrade it. */
void mz_drizzle1_tell(struct mz_work *w);

/* What Drizzle 1.x would run again. */
void mz_drizzle1_warn(struct mz_work *w);

#endif
