/* SPDX-License-Identifier: MIT */
/* A line of a file with a caret under the place that is meant. */
#ifndef MZ_EXCERPT_H
#define MZ_EXCERPT_H

#include "pgw.h"

struct mz_excerpt {
	const char *file;
	size_t line, column;	   /* from 1; 0 = unknown */
	struct pgw_view source;	   /* that line; p NULL = unknown */
	size_t width;		   /* columns that the text may take; 0 = any */
	const char *mark, *unmark; /* around the caret: colours, or "" */
};

/* The columns of the gutter, before " |". */
size_t mz_excerpt_gutter(size_t line);

/*
 * Append
 *	 --> FILE:12:34
 *	   |
 *	12 | the source
 *	   |     ^
 * or as much of it as is known, each line with its end.
 */
void mz_excerpt(struct pgw_buf *out, const struct mz_excerpt *e);

#endif
