/* SPDX-License-Identifier: MIT */
/* What the statements of a whole migration destroy, and where. */
#ifndef MZ_DANGERS_H
#define MZ_DANGERS_H

#include "arena.h"
#include "report.h"

struct mz_dangers {
	struct mz_hazard *list; /* in the order of the text */
	size_t count;
	size_t destructive; /* how many of them are */
};

/* text is that of the file, and sound; memory comes from a. */
void mz_dangers_find(struct mz_dangers *d, struct mz_arena *a,
		     struct pgw_view text);

#endif
