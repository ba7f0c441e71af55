/* SPDX-License-Identifier: MIT */
/*
 * The surroundings: the environment, then the .env file, then drizzle.config.*.
 * A file is read when something is first looked for in it, and once.
 */
#ifndef MZ_SETTINGS_H
#define MZ_SETTINGS_H

#include "arena.h"
#include "error.h"

struct mz_settings {
	struct mz_arena *arena;
	const char *(*env)(const char *name); /* of the process */
	const char *env_file;	 /* what --env-file names, or NULL */
	const char *config_file; /* what --config names, or NULL */
};

#endif
