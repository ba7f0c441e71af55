/* SPDX-License-Identifier: MIT */
/*
 * What is looked for in a script before it is sent, found in a large file
 * through a window: the same as in the text of a small one, with the same
 * words and places.  Only of a conflict and another problem, which a small one
 * has in this order, either may be told.
 */
#ifndef MZ_SIFT_H
#define MZ_SIFT_H

#include "dangers.h"
#include "scroll.h"

struct mz_sifted {
	struct mz_survey survey; /* directives.unknown is in the arena */
	struct mz_dangers dangers;
	bool introspection;  /* see script.h */
	size_t line, column; /* of directives.unknown */
};

/*
 * Fails when the file is not sound, as mz_folder_sendable does.  A window of 0
 * is that of scroll.h.
 */
bool mz_sift(struct mz_sifted *out, struct mz_arena *a,
	     const struct mz_migration *m, size_t window,
	     struct mz_err *err) PGW_MUST_CHECK;

#endif
