/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "run.h"

bool cmd_migrate(struct mz_context *c, struct mz_err *err)
{
	return c->opt.dry_run ? cmd_plan(c, err) : mz_run(c, MZ_APPLY, err);
}
