/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "command.h"

bool cmd_help(struct mz_context *c, struct mz_err *err)
{
	enum mz_command_id id = MZ_CMD_none;

	if (c->opt.nargs > 0) {
		id = mz_command_find(c->opt.args[0], err);
		if (id == MZ_CMD_none)
			return false;
	}
	mz_report_text(&c->report, mz_help(&c->arena, id));
	return true;
}
