/* SPDX-License-Identifier: MIT */
/* What the command line left open, in the order in which it is looked for. */
#include <config.h>

#include "command.h"

bool mz_settle_variable(struct mz_context *c, enum mz_option_id id,
			struct mz_err *err)
{
	const char *name = mz_option_rows[id].variable;
	enum mz_from from = MZ_FROM_ENVIRONMENT;
	const char *value;

	if (c->opt.from[id] == MZ_FROM_OPTION)
		return true;
	value = c->settings.env(name);
	if (!value) {
		if (!mz_settings_load(&c->settings, &c->opt, &c->arena, err))
			return false;
		value = mz_settings_env(&c->settings, name);
		from = MZ_FROM_ENV_FILE;
	}
	if (!value || !value[0])
		return true;
	return mz_options_set(&c->opt, id, value, from, err);
}

bool mz_settle_folder(struct mz_context *c, struct mz_err *err)
{
	return mz_settle_variable(c, MZ_OPT_dir, err);
}

bool mz_settle_history(struct mz_context *c, struct mz_err *err)
{
	return mz_settle_variable(c, MZ_OPT_schema, err) &&
	       mz_settle_variable(c, MZ_OPT_table, err);
}
