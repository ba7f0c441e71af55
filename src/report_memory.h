/* SPDX-License-Identifier: MIT */
/*
 * What the program says when there is no memory.  Libraries that cannot have
 * any go on as they see fit, and say what is not so: OpenSSL, that a key is
 * too weak or a certificate unknown; jansson, that text is not JSON.  In the
 * program they end it.
 */
#ifndef MZ_REPORT_MEMORY_H
#define MZ_REPORT_MEMORY_H

#include "report.h"

/*
 * From here on; r is remembered, until NULL is: what is left is cleaning up.
 * Not where many threads have work to do.
 */
void mz_memory_or_end(const struct mz_report *r);

/* Say so, as r would, and end the program: the server rolls back. */
_Noreturn void mz_memory_gone(const struct mz_report *r);

/*
 * Have a stack that is large enough, where a small one may be made larger; or
 * say so, and return false: without it the program would crash somewhere.
 */
bool mz_memory_has_stack(FILE *err);

#endif
