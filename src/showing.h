/* SPDX-License-Identifier: MIT */
/* The SQL of one migration, with what is to be known of its statements. */
#ifndef MZ_SHOWING_H
#define MZ_SHOWING_H

#include "command.h"

/* Its first bytes are shown, so many at most. */
#define MZ_SHOWN_MAX ((size_t)1 << 20)

/* Status usage when the folder has no such migration. */
bool mz_show_script(struct mz_context *c, const char *tag,
		    struct mz_err *err) PGW_MUST_CHECK;

#endif
