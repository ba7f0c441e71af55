/* SPDX-License-Identifier: MIT */
/*
 * The script that undoes a migration.  It stands beside it: TAG.down.sql, or
 * NAME/down.sql in the layout of folders.  Drizzle knows nothing of it.
 */
#ifndef MZ_DOWN_H
#define MZ_DOWN_H

#include "folder.h"

/* Where that of m is, if it is there at all; its hash is still to be filled. */
struct mz_migration mz_down_of(struct mz_arena *a, const struct mz_folder *f,
			       const struct mz_migration *m);

/*
 * Whether its text can be sent, and all of it runs in the transaction that
 * removes the row.
 */
bool mz_down_sound(const struct mz_folder *f, const struct mz_migration *down,
		   struct pgw_view text, struct mz_err *err) PGW_MUST_CHECK;

#endif
