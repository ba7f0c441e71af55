/* SPDX-License-Identifier: MIT */
/*
 * Look, apply, and look again, until nothing is left to do: waits for others,
 * tries again what met a lock, finds out what a lost COMMIT did.
 */
#ifndef MZ_RUN_H
#define MZ_RUN_H

#include "apply.h"
#include "command.h"

/*
 * Apply what the options ask for; or write its rows, all in one transaction,
 * and run none of it; or roll back.  Fills c->result.
 */
bool mz_run(struct mz_context *c, enum mz_doing doing,
	    struct mz_err *err) PGW_MUST_CHECK;

#endif
