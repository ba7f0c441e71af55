/* SPDX-License-Identifier: MIT */
/*
 * .env files as dotenv 16 reads them, which is what drizzle-kit uses: export in
 * front, = or ": ", three kinds of quotes over several lines, \n and \r inside
 * double quotes, comments behind values; nothing is expanded.  A later value
 * replaces an earlier one of that name.
 */
#ifndef MZ_DOTENV_H
#define MZ_DOTENV_H

#include "arena.h"

struct mz_dotenv {
	struct mz_arena *arena;
	struct pgw_view text; /* with LF line ends */
	size_t at;
};

/* Copies text.  One with a NUL byte is no .env file and has no variables. */
void mz_dotenv_init(struct mz_dotenv *d, struct mz_arena *a,
		    struct pgw_view text);

/* The next variable; false when there is none left. */
bool mz_dotenv_next(struct mz_dotenv *d, const char **name, const char **value);

/* The value of a variable, or NULL; starts from the beginning. */
const char *mz_dotenv_get(struct mz_dotenv *d, const char *name);

#endif
