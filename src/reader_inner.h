/* SPDX-License-Identifier: MIT */
/* A reader as reader_rows.c sees it; reader.h is for everyone else. */
#ifndef MZ_READER_INNER_H
#define MZ_READER_INNER_H

#include "reader.h"

/* Forget the first n bytes of the window, and count their lines. */
void mz_reader_drop(struct mz_reader *r, size_t n);

/* Read more; r->eof when there is none. */
bool mz_reader_fill(struct mz_reader *r, struct mz_err *err) PGW_MUST_CHECK;

/* Look for statements from the window's first byte on. */
void mz_reader_restart(struct mz_reader *r);

/* The line of the file that a byte of the window is in. */
size_t mz_reader_line_of(const struct mz_reader *r, size_t at);

/* Tell err what r->sql.problem is, and where; false. */
bool mz_reader_fail(const struct mz_reader *r, struct mz_err *err);

#endif
