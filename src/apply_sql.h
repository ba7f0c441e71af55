/* SPDX-License-Identifier: MIT */
/* What apply.c sends beside the migrations' own statements. */
#ifndef MZ_APPLY_SQL_H
#define MZ_APPLY_SQL_H

#include "apply.h"

/* Begin a transaction and create the history in it. */
const char *mz_apply_create_sql(struct mz_arena *a, const struct mz_job *job);

/*
 * Begin the transaction of todo[i], under the guard.  The last row of the first
 * answer has the OID of the database, if more than one transaction is to come.
 */
const char *mz_apply_open_sql(struct mz_arena *a, const struct mz_job *job,
			      size_t i);

/* In one transaction around all: todo[i] begins with the settings of all. */
const char *mz_apply_anew_sql(struct mz_arena *a, const struct mz_job *job,
			      size_t i);

/*
 * Record what was done, before COMMIT; "" when that is done at the end of the
 * one transaction around all.
 */
const char *mz_apply_record_sql(struct mz_arena *a, const struct mz_job *job,
				size_t i, uint32_t database);

#endif
