/* SPDX-License-Identifier: MIT */
/*
 * Applying a migration that does not fit in one transaction: what can run in
 * a transaction does, and each step is recorded together with what it did, or
 * else right behind it.  A second connection holds the lock, in an open
 * transaction that sees nothing and so blocks no CREATE INDEX CONCURRENTLY,
 * and writes the migration's row when all is done.
 */
#ifndef MZ_STEPWISE_H
#define MZ_STEPWISE_H

#include "apply.h"

/*
 * Apply job->todo[0] alone, or go on with it.  The history table is there.
 * When it fails what is finished is kept, and a later run goes on behind it;
 * err tells so.  No transaction is open when this returns, unless LOST.
 */
void mz_stepwise(struct mz_applied *out, const struct mz_job *job,
		 struct mz_arena *a, struct mz_db *db, struct mz_err *err);

#endif
