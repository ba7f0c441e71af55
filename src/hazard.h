/* SPDX-License-Identifier: MIT */
/*
 * What a statement destroys: tables, columns, types, rows.  Told from its
 * words alone, so it errs on the side of telling; what a function does that
 * it calls is not seen.  No I/O, no allocation, no recursion.
 */
#ifndef MZ_HAZARD_H
#define MZ_HAZARD_H

#include "sql.h"

struct mz_danger {
	size_t at;	  /* the byte of the statement where it stands */
	const char *what; /* "DROP TABLE" */
	const char *why;  /* in a few words */
	bool destructive; /* false: worth a look, but nothing is lost for sure
			   */
};

struct mz_danger_sink {
	void (*found)(void *ctx, const struct mz_danger *d);
	void *ctx;
};

/*
 * Every danger of one statement, in the order of the text.  What DO runs is
 * looked through, and what it puts together for EXECUTE, as far as that can be
 * read.  backslashes: plain strings know them (standard_conforming_strings is
 * off).
 */
void mz_hazard_find(struct pgw_view statement, bool backslashes,
		    const struct mz_danger_sink *sink);

#endif
