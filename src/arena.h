/* SPDX-License-Identifier: MIT */
/*
 * Memory that is freed all at once.  One arena lives as long as a command;
 * nothing in it is freed on its own.  When memory runs out the program says so
 * and ends: the server rolls an open transaction back.
 */
#ifndef MZ_ARENA_H
#define MZ_ARENA_H

#include "pgw.h"

struct mz_arena {
	struct mz_block *blocks;
};

void mz_arena_init(struct mz_arena *a);
void mz_arena_release(struct mz_arena *a);

/* n zeroed bytes, aligned for anything; never NULL. */
void *mz_alloc(struct mz_arena *a, size_t n);

/* An array of count elements of size bytes; the product is checked. */
void *mz_alloc_array(struct mz_arena *a, size_t count, size_t size);

/*
 * An array with room for one element more than the count that it has: array
 * itself, or a copy that is larger.  *room is how many it can hold.
 */
void *mz_grow(struct mz_arena *a, void *array, size_t count, size_t *room,
	      size_t size);

char *mz_strdup(struct mz_arena *a, const char *s);
char *mz_strndup(struct mz_arena *a, const char *s, size_t n);
char *mz_printf(struct mz_arena *a, const char *fmt, ...) PGW_PRINTF(2, 3);

#endif
