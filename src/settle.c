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

/* An option that nobody has given is what the configuration says, if it does.
 */
static bool settle_config(struct mz_context *c, enum mz_option_id id,
			  enum mz_config_field field, struct mz_err *err)
{
	struct mz_config_env env = mz_settings_config_env(&c->settings);
	const char *value;

	if (c->opt.from[id] > MZ_FROM_CONFIG)
		return true;
	if (!mz_settings_config(&c->settings, &c->opt, &c->arena, err))
		return false;
	if (!c->settings.config)
		return true;
	if (!mz_drizzle_config_get(c->settings.config, field, &env, &value,
				   err))
		return false;
	return !value ||
	       mz_options_set(&c->opt, id, value, MZ_FROM_CONFIG, err);
}

/* A bundle has a folder: another one has to be named. */
bool mz_settle_folder(struct mz_context *c, struct mz_err *err)
{
	if (!mz_settle_variable(c, MZ_OPT_dir, err))
		return false;
	if (c->bundle)
		return mz_options_set(&c->opt, MZ_OPT_dir, c->bundle->dir,
				      MZ_FROM_BUNDLE, err);
	return settle_config(c, MZ_OPT_dir, MZ_CONFIG_OUT, err);
}

struct mz_where mz_context_where(const struct mz_context *c)
{
	bool packed = c->opt.from[MZ_OPT_dir] == MZ_FROM_BUNDLE;

	return (struct mz_where){ c->opt.dir, packed ? c->bundle : NULL };
}

static bool settle(struct mz_context *c, enum mz_option_id id,
		   const char *packed, enum mz_config_field field,
		   struct mz_err *err)
{
	return mz_settle_variable(c, id, err) &&
	       (!packed[0] ||
		mz_options_set(&c->opt, id, packed, MZ_FROM_BUNDLE, err)) &&
	       settle_config(c, id, field, err);
}

bool mz_settle_history(struct mz_context *c, struct mz_err *err)
{
	return settle(c, MZ_OPT_schema, c->bundle ? c->bundle->schema : "",
		      MZ_CONFIG_SCHEMA, err) &&
	       settle(c, MZ_OPT_table, c->bundle ? c->bundle->table : "",
		      MZ_CONFIG_TABLE, err);
}
