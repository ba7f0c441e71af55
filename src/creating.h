/* SPDX-License-Identifier: MIT */
/* What the files that make a migration share; create.h is for all others. */
#ifndef MZ_CREATING_H
#define MZ_CREATING_H

#include "create.h"
#include "json_kit.h"
#include "outfile.h"

struct mz_creating {
	const struct mz_create *c;
	struct mz_created *made;
	struct mz_arena *arena;
	struct mz_err *err;
	struct mz_folder folder; /* as it is */
	const char *name;	 /* what was typed, made fit for a file */
	struct mz_making files;
};

/* The newest snapshot that the new migration goes on from. */
struct mz_ancestor {
	bool found;
	struct mz_snapshot snapshot;
};

/*
 * By the layout.  A journal's is the last by name, as for drizzle-kit 0.x; of
 * folders it is the one that no other names as its parent, and, when there are
 * several that can be joined, all of those.
 */
bool mz_ancestor_of_journal(struct mz_creating *w,
			    struct mz_ancestor *out) PGW_MUST_CHECK;
bool mz_ancestor_of_folders(struct mz_creating *w,
			    struct mz_ancestor *out) PGW_MUST_CHECK;

#endif
