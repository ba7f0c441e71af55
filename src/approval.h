/* SPDX-License-Identifier: MIT */
/*
 * Approving what is going to be destroyed.  plan prints the id of a plan;
 * migrate, given that id, goes on only when it is the plan still: the same
 * scripts in the same order, the same transactions, the same history.
 */
#ifndef MZ_APPROVAL_H
#define MZ_APPROVAL_H

#include "work.h"

#define MZ_PLAN_ID_LEN 12 /* hex digits */

void mz_approval_id(char id[MZ_PLAN_ID_LEN + 1], const struct mz_plan *plan,
		    mz_kind_transaction transaction);

/* What was approved in this run; all zero before that. */
struct mz_approval {
	const struct mz_migration **todo;
	size_t count;
	size_t rows; /* of the history then */
};

/*
 * Whether w's plan, of which the scripts were surveyed, may be applied; else
 * status refused, and the report has told each statement.  A plan that was
 * approved stays so for the run, whoever applies the first ones of it.
 */
bool mz_approval_check(struct mz_approval *approval, struct mz_work *w,
		       struct mz_err *err) PGW_MUST_CHECK;

#endif
