/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "file.h"
#include "settings.h"

#define DOTENV_MAX (1u << 20)

static const char *not_set(const char *name)
{
	(void)name;
	return NULL;
}

void mz_settings_none(struct mz_settings *s)
{
	*s = (struct mz_settings){
		.env = not_set, .homeless = true, .loaded = true, .sought = true
	};
}

bool mz_settings_load(struct mz_settings *s, const struct mz_options *o,
		      struct mz_arena *a, struct mz_err *err)
{
	struct pgw_buf text;
	struct mz_file f;

	if (s->loaded)
		return true;
	pgw_buf_init(&text, DOTENV_MAX);
	if (mz_file_read(&f, o->env_file ? o->env_file : ".env", &text)) {
		mz_dotenv_init(&s->dotenv, a, pgw_buf_view(&text));
		s->loaded = true;
	} else if (!o->env_file && (f.problem == MZ_FILE_MISSING ||
				    f.problem == MZ_FILE_IS_DIR)) {
		s->loaded = true; /* nobody asked for one */
	} else {
		mz_file_fail(&f, err);
		mz_hint(err, "variables are read from there; --env-file names "
			     "another file");
	}
	pgw_buf_release(&text);
	return s->loaded;
}

const char *mz_settings_env(struct mz_settings *s, const char *name)
{
	const char *value = s->env(name);

	if (value || !s->dotenv.arena)
		return value;
	return mz_dotenv_get(&s->dotenv, name);
}

bool mz_settings_config(struct mz_settings *s, const struct mz_options *o,
			struct mz_arena *a, struct mz_err *err)
{
	const char *path = o->config;

	if (s->sought)
		return true;
	if (!path)
		path = mz_drizzle_config_find();
	if (path) {
		s->config = mz_alloc(a, sizeof(*s->config));
		/* it may name variables */
		if (!mz_drizzle_config_load(s->config, a, path, err) ||
		    !mz_settings_load(s, o, a, err))
			return false;
	}
	s->sought = true;
	return true;
}

static const char *config_env(void *ctx, const char *name)
{
	return mz_settings_env(ctx, name);
}

struct mz_config_env mz_settings_config_env(struct mz_settings *s)
{
	return (struct mz_config_env){ config_env, s };
}
