/* SPDX-License-Identifier: MIT */
/* The part of a large file that a failure is about, read again. */
#ifndef MZ_CULPRIT_H
#define MZ_CULPRIT_H

#include "failure.h"
#include "scroll.h"

/*
 * c counts bytes of the file, which s has just opened, and has no text: give
 * it as much as there must be to explain diag, counted from there.  It lives
 * as long as s and the arena.  Fails when the file is not what was hashed.
 */
bool mz_culprit_read(struct mz_culprit *c, struct mz_scroll *s,
		     struct mz_arena *a, const struct pgw_diag *diag,
		     struct mz_err *err) PGW_MUST_CHECK;

#endif
