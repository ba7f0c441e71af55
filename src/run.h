/* SPDX-License-Identifier: MIT */
/*
 * Look, apply, and look again, until nothing is left to do: waits for others,
 * tries again what met a lock, finds out what a lost COMMIT did.
 */
#ifndef MZ_RUN_H
#define MZ_RUN_H

#include "command.h"

/*
 * Apply what the options ask for; with record_only write its rows, all in one
 * transaction, and run none of it.  Fills c->result.
 */
bool mz_run(struct mz_context *c, bool record_only,
	    struct mz_err *err) PGW_MUST_CHECK;

#endif
