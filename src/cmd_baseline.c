/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "run.h"

/*
 * A pending migration before an applied one may have been run by hand, or been
 * forgotten: it is recorded only if that is said.
 */
bool cmd_baseline(struct mz_context *c, struct mz_err *err)
{
	if (c->opt.nargs > 0)
		c->opt.to = c->opt.args[0];
	if (c->opt.out_of_order == MZ_ORDER_AUTO)
		c->opt.out_of_order = MZ_ORDER_REFUSE;
	return mz_run(c, MZ_RECORD, err);
}
