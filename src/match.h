/* SPDX-License-Identifier: MIT */
/*
 * Which row of the history records which migration.  The time is linear in
 * both: what does not stand at its place is looked up, not looked for.
 */
#ifndef MZ_MATCH_H
#define MZ_MATCH_H

#include "history.h"

#define MZ_UNMATCHED SIZE_MAX

struct mz_match {
	const struct mz_folder *folder;
	const struct mz_history *history;
	struct mz_arena *arena;
	size_t *row_of;		  /* of each migration, or MZ_UNMATCHED */
	size_t *migration_of;	  /* of each row, or MZ_UNMATCHED */
	const char **names;	  /* what a row would call each migration; NULL
				     where no row has a name */
	struct mz_index *indexes; /* of the rows, one for each kind of key */
};

/* All of it is of the arena. */
void mz_match_make(struct mz_match *m, struct mz_arena *a,
		   const struct mz_folder *f, const struct mz_history *h);

/* A row that records once more what another one already does. */
bool mz_match_is_duplicate(struct mz_match *m, const struct mz_row *row);

#endif
