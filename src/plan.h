/* SPDX-License-Identifier: MIT */
/*
 * What is there, what is recorded, and so what follows.  Pure: a folder and a
 * history go in, states and the list of what to apply come out.
 */
#ifndef MZ_PLAN_H
#define MZ_PLAN_H

#include "event.h"
#include "folder.h"
#include "history.h"
#include "options.h"

/* What the user wants of a run. */
struct mz_wish {
	const char *to; /* stop after this tag; NULL = go to the end */
	bool allow_modified, allow_missing;
	mz_kind_order order;
};

struct mz_plan {
	const struct mz_folder *folder;
	const struct mz_history *history;
	struct mz_listed *list; /* the folder's order, then what is missing */
	size_t listed;
	const struct mz_row **rows;	  /* of each in the list; NULL = none */
	const struct mz_row **duplicated; /* see duplicates */
	const struct mz_migration **todo; /* to be applied, in this order */
	size_t todo_count;
	size_t counts[MZ_STATES];
	size_t duplicates; /* rows that record a migration once more */
	size_t unnamed;	   /* rows that Drizzle 1.x does not know: upgrade.h */
	size_t skipped;	   /* pending, but left out because of order = skip */
};

/*
 * Says of a migration (by its index) whether a recorded hash differs from its
 * own in line ends only.
 */
struct mz_eol {
	bool (*is)(void *ctx, size_t migration, const char *hash);
	void *ctx;
};

/*
 * Match rows and migrations one to one, best evidence first.  eol is asked only
 * where hashes differ.  f and h are kept.
 */
void mz_plan_make(struct mz_plan *p, struct mz_arena *a,
		  const struct mz_folder *f, const struct mz_history *h,
		  const struct mz_eol *eol);

/* Whether the folder has what --to names (NULL = its end): *end is behind it.
 */
bool mz_plan_end(const struct mz_folder *f, struct mz_arena *a, const char *to,
		 size_t *end, struct mz_err *err) PGW_MUST_CHECK;

/* Not applied, or not to its end; ... */
bool mz_plan_is_pending(enum mz_state state);

/* ... and how many are. */
size_t mz_plan_pending(const struct mz_plan *p);

/* Choose what to apply; refuse where history and folder disagree. */
bool mz_plan_choose(struct mz_plan *p, struct mz_arena *a,
		    const struct mz_wish *wish,
		    struct mz_err *err) PGW_MUST_CHECK;

/* None stopped midway; else status partial, and the hint is the caller's. */
bool mz_plan_is_whole(const struct mz_plan *p,
		      struct mz_err *err) PGW_MUST_CHECK;

/* A history and a folder that agree; pending ones are no disagreement. */
bool mz_plan_agrees(const struct mz_plan *p, const struct mz_wish *wish,
		    struct mz_err *err) PGW_MUST_CHECK;

#endif
