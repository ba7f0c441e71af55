/* SPDX-License-Identifier: MIT */
/*
 * Changing the history itself: in one transaction, under the lock and the guard
 * that applying is under, and only if it is still what was read.
 */
#ifndef MZ_AMEND_H
#define MZ_AMEND_H

#include "work.h"

enum mz_amended {
	MZ_AMENDED,
	MZ_AMEND_CONTENDED, /* someone was faster: wait, read, look again */
	MZ_AMEND_DENIED,    /* the role may not; err tells */
	MZ_AMEND_FAILED,    /* err tells */
};

/* sql is of w->history; it ends without a semicolon. */
enum mz_amended mz_amend(struct mz_work *w, const char *sql,
			 struct mz_err *err);

#endif
