/* SPDX-License-Identifier: MIT */
/*
 * Streams that lose nothing.  A stdio stream forgets what it holds when a
 * write is interrupted, or when what it writes to is full and does not block:
 * whoever shares a pipe may have made it so.
 */
#ifndef MZ_STEADY_H
#define MZ_STEADY_H

#include <stdio.h>

/*
 * Another stream to the descriptor of f, which must be in *fd as long as it is
 * used; f itself when that is -1, or without memory.  buffering is that of
 * setvbuf(3).
 */
FILE *mz_steady(FILE *f, int *fd, int buffering);

#endif
