/* SPDX-License-Identifier: MIT */
/*
 * The name of a new migration: what its author calls it, and what the folder
 * puts in front so that it runs after the others.  Nothing here looks at files
 * or at a clock.
 */
#ifndef MZ_NAMING_H
#define MZ_NAMING_H

#include "arena.h"
#include "error.h"

/* drizzle-kit's migrations.prefix; supabase is the same as timestamp. */
enum mz_numbering {
	MZ_NUMBERING_INDEX, /* 0007_ */
	MZ_NUMBERING_TIME,  /* 20261122154053_, UTC */
	MZ_NUMBERING_UNIX,  /* 1795362056_, seconds */
	MZ_NUMBERING_NONE,  /* _ alone */
};

/*
 * What the author typed, with _ for blanks.  Fails when it cannot be part of a
 * file's name everywhere.
 */
bool mz_naming_clean(const char *typed, struct mz_arena *a, const char **name,
		     struct mz_err *err) PGW_MUST_CHECK;

/* How drizzle-kit 0.x numbered tag; index when that cannot be seen. */
enum mz_numbering mz_naming_of(const char *tag);

/* What is known of the place where the new migration goes. */
struct mz_naming {
	enum mz_numbering numbering;
	const char *newest; /* the tag before it, NULL when it is the first */
	int64_t index;
	int64_t now; /* ms since 1970 */
};

/*
 * What stands before the _ of the tag: the index, or the time, which is later
 * than that of the newest.  Fails when time has run out.
 */
bool mz_naming_prefix(const struct mz_naming *n, struct mz_arena *a,
		      const char **prefix, struct mz_err *err) PGW_MUST_CHECK;

/*
 * The tag for a folder without Drizzle, numbered as n->newest is: a number of
 * the same width, or a time.  Fails when it would not sort behind.
 */
bool mz_naming_plain(const struct mz_naming *n, const char *name,
		     struct mz_arena *a, const char **tag,
		     struct mz_err *err) PGW_MUST_CHECK;

#endif
