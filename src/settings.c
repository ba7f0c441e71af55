/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "command.h"
#include "settings.h"

const char *mz_settings_env(const struct mz_settings *s, const char *name)
{
	return s->env(name);
}

bool mz_settings_option(struct mz_settings *s, struct mz_options *o,
			enum mz_option_id id, struct mz_err *err)
{
	const char *value;

	if (o->from[id] == MZ_FROM_OPTION)
		return true;
	value = mz_settings_env(s, mz_option_rows[id].variable);
	if (!value || !value[0])
		return true;
	return mz_options_set(o, id, value, MZ_FROM_ENVIRONMENT, err);
}

bool mz_settle_folder(struct mz_context *c, struct mz_err *err)
{
	return mz_settings_option(&c->settings, &c->opt, MZ_OPT_dir, err);
}

bool mz_settle_history(struct mz_context *c, struct mz_err *err)
{
	return mz_settings_option(&c->settings, &c->opt, MZ_OPT_schema, err) &&
	       mz_settings_option(&c->settings, &c->opt, MZ_OPT_table, err);
}
