/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "file.h"
#include "settings.h"

#define DOTENV_MAX (1u << 20)

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
