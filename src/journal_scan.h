/* SPDX-License-Identifier: MIT */
/*
 * Where the entries of a journal are, which JSON libraries do not tell.  The
 * text may be anything; of what is no JSON something is found that makes no
 * sense, and no more.
 */
#ifndef MZ_JOURNAL_SCAN_H
#define MZ_JOURNAL_SCAN_H

#include "arena.h"

struct mz_journal_span {
	size_t start, end;   /* of its bytes */
	size_t line, column; /* from 1; columns count characters */
};

/* The objects and arrays in the last array of the root called "entries". */
struct mz_journal_scan {
	struct mz_journal_span *spans;
	size_t count;
	bool escapes; /* in the root's own strings: one may be that name */
};

void mz_journal_scan(struct mz_journal_scan *out, struct mz_arena *a,
		     struct pgw_view text);

/*
 * The text with null in place of each of these: JSON, if they are, just where
 * the text is.  A large journal is read with little memory in this way.
 */
struct pgw_view mz_journal_frame(const struct mz_journal_scan *s,
				 struct mz_arena *a, struct pgw_view text);

#endif
