/* SPDX-License-Identifier: MIT */
/*
 * Who holds what a migrator needs: SQL over pg_locks, for those who wait, for
 * the monitor, and for the command locks.
 */
#ifndef MZ_HOLDERS_H
#define MZ_HOLDERS_H

#include "backend.h"
#include "history.h"

#define MZ_THIS_DATABASE                               \
	"(SELECT d.oid FROM pg_catalog.pg_database d " \
	"WHERE d.datname OPERATOR(pg_catalog.=) "      \
	"pg_catalog.current_database())"

/* Conditions on a row l of pg_locks: it is of the advisory lock; ... */
const char *mz_lock_is_advisory(struct mz_arena *a, const struct mz_table *t);

/* ... it is of the history table, and no reader's. */
const char *mz_lock_is_history(struct mz_arena *a, const struct mz_table *t);

/*
 * One other session that holds either, or is one of the foreign migrators that
 * are in a transaction: pids with commas, or NULL.  MZ_BACKEND_COLUMNS.
 */
const char *mz_holder_sql(struct mz_arena *a, const struct mz_table *t,
			  const char *migrators);

/*
 * All that hold it, that wait for the table, and that are in the way of a
 * migration: the role, of whom, what it holds, MZ_BACKEND_COLUMNS.
 */
const char *mz_locks_sql(struct mz_arena *a, const struct mz_table *t);

#endif
