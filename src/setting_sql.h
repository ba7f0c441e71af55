/* SPDX-License-Identifier: MIT */
/* Settings that a run asks for, as SQL that begins with a semicolon, or "". */
#ifndef MZ_SETTING_SQL_H
#define MZ_SETTING_SQL_H

#include "apply.h"

/*
 * What the connection string wants: for the transaction that was just begun,
 * or for the session.  The command line wins over it.
 */
const char *mz_wanted_sql(struct mz_arena *a, const struct mz_apply_options *o,
			  bool local);

/* The timeouts of the present transaction, as far as there are any. */
const char *mz_timeouts_sql(struct mz_arena *a,
			    const struct mz_apply_options *o);

/* What a migration SET must not reach the next one, nor a pooler's next user */
#define MZ_RESET_SQL "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"

/* In a transaction: whoever a migration has become, the rest is done as us. */
#define MZ_AS_OURSELVES_SQL \
	"SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL ROLE NONE"

#endif
