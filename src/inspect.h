/* SPDX-License-Identifier: MIT */
/*
 * The folder alone, without a database: what will fail, what will not do what
 * it looks like, what Drizzle would do in silence.  Prints nothing.
 */
#ifndef MZ_INSPECT_H
#define MZ_INSPECT_H

#include "folder.h"

/*
 * Look at all of it; now_ms is the time, in ms since 1970.  Fails only where
 * there is no folder to look at.
 */
bool mz_inspect(struct mz_folder *f, struct mz_findings *findings,
		struct mz_where where, int64_t now_ms,
		struct mz_err *err) PGW_MUST_CHECK;

/* ---- the parts of it */

/* The order and the times of what is there, and files that are left over. */
void mz_inspect_order(const struct mz_folder *f, struct mz_findings *findings,
		      int64_t now_ms);
void mz_inspect_strays(const struct mz_folder *f, struct mz_findings *findings);

/* The text of one migration. */
void mz_inspect_script(const struct mz_migration *m, struct pgw_view text,
		       struct mz_findings *findings);

#endif
