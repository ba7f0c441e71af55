/* SPDX-License-Identifier: MIT */
/* From what the server said of a statement to its place in a file. */
#ifndef MZ_FAILURE_H
#define MZ_FAILURE_H

#include "arena.h"
#include "error.h"

/* A statement that failed: bytes start to end of text, which is file's. */
struct mz_culprit {
	const char *tag;
	const char *file;
	struct pgw_view text;
	size_t start, end;
	size_t data_start, data_end; /* the rows of a COPY; 0 = none */

	/* What is left out of a large file */
	size_t lines_before; /* text; ... */
	size_t rows_before;  /* ... data_start */
};

/*
 * Which line of a COPY's rows the server means, from 1; 0 when it names none.
 * *value is what it found wrong there, or empty; borrowed.
 */
size_t mz_failure_row(const struct pgw_diag *diag, struct pgw_view *value);

/* What the server said, for longer than the call that tells it. */
struct pgw_diag mz_failure_keep(struct mz_arena *a,
				const struct pgw_diag *diag);

/*
 * A lock that was not to be had, a deadlock, a serialization failure: another
 * try of what was rolled back may get what this one did not.
 */
bool mz_failure_passes(const struct pgw_diag *diag);

/* Where in the text: positions, inner positions and DO blocks considered. */
size_t mz_failure_offset(const struct mz_culprit *c,
			 const struct pgw_diag *diag);

/* Fill the SQL part and the place of err; its message is the caller's. */
void mz_failure_explain(struct mz_err *err, struct mz_arena *a,
			const struct mz_culprit *c,
			const struct pgw_diag *diag);

/* The SQL part only, for a failure that is not at a place. */
void mz_failure_describe(struct mz_err *err, struct mz_arena *a,
			 const char *tag, const struct pgw_diag *diag);

#endif
