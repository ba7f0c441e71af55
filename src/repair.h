/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with the rows of a history, seen from the folder, and how it is
 * set right.  Pure; nothing here touches the schema.
 */
#ifndef MZ_REPAIR_H
#define MZ_REPAIR_H

#include "plan.h"
#include "report.h"

struct mz_repairs {
	struct mz_repair *list; /* by the order of the plan */
	size_t count;
};

/* p is of a history that could be read. */
void mz_repairs_find(struct mz_repairs *r, struct mz_arena *a,
		     const struct mz_plan *p);

/* What sets all of them right; "" when there are none. */
const char *mz_repairs_sql(const struct mz_repairs *r, struct mz_arena *a,
			   const struct mz_table *t);

#endif
