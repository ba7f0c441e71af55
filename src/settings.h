/* SPDX-License-Identifier: MIT */
/*
 * The surroundings: the environment of the process, then the .env file, which
 * is read when something is first looked for that the process has not, then
 * drizzle.config.*, which is read when something of it is needed.
 */
#ifndef MZ_SETTINGS_H
#define MZ_SETTINGS_H

#include "dotenv.h"
#include "drizzle_config.h"
#include "options.h"

struct mz_settings {
	const char *(*env)(const char *name); /* of the process */
	bool homeless;			      /* nothing of the home counts */
	bool loaded;			  /* .env was read, or is not there */
	struct mz_dotenv dotenv;	  /* no arena: there is none */
	bool sought;			  /* the configuration was */
	struct mz_drizzle_config *config; /* NULL: there is none */
};

/* There are none: what the options leave open stays so. */
void mz_settings_none(struct mz_settings *s);

/*
 * Read the file that o->env_file names, or .env if there.  Does nothing the
 * second time.
 */
bool mz_settings_load(struct mz_settings *s, const struct mz_options *o,
		      struct mz_arena *a, struct mz_err *err) PGW_MUST_CHECK;

/*
 * What a variable is; NULL when nobody sets it.  The file never overrides, and
 * is asked only once it is loaded.
 */
const char *mz_settings_env(struct mz_settings *s, const char *name);

/*
 * Read what o->config names, or drizzle.config.* if there, into s->config.
 * Does nothing the second time.
 */
bool mz_settings_config(struct mz_settings *s, const struct mz_options *o,
			struct mz_arena *a, struct mz_err *err) PGW_MUST_CHECK;

/* The same variables for the configuration. */
struct mz_config_env mz_settings_config_env(struct mz_settings *s);

#endif
