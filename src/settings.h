/* SPDX-License-Identifier: MIT */
/* The surroundings: the environment of the process. */
#ifndef MZ_SETTINGS_H
#define MZ_SETTINGS_H

#include "options.h"

struct mz_settings {
	const char *(*env)(const char *name); /* of the process */
};

/* What a variable is; NULL when nobody sets it. */
const char *mz_settings_env(const struct mz_settings *s, const char *name);

/*
 * Fill one option from its variable, unless the command line has it.  An
 * empty variable says nothing.
 */
bool mz_settings_option(struct mz_settings *s, struct mz_options *o,
			enum mz_option_id id,
			struct mz_err *err) PGW_MUST_CHECK;

#endif
