/* SPDX-License-Identifier: MIT */
/*
 * Memory that is freed all at once.  One arena lives as long as a command;
 * nothing in it is freed on its own.  When memory runs out the program says so
 * and ends: the server rolls an open transaction back.  A library must not end
 * its program: it gives the arena an escape, and goes on there.
 */
#ifndef MZ_ARENA_H
#define MZ_ARENA_H

#include "pgw.h"

#include <setjmp.h>

/* What must not outlive a jump: a connection, a descriptor. */
struct mz_hold {
	struct mz_hold *next;
	void (*drop)(void *what);
	void *what;
};

/*
 * Where to go when memory has run out, by way of all drops, newest first; or
 * what says so and ends the program, without any.
 */
struct mz_escape {
	void (*end)(void *ctx); /* does not return; NULL = jump */
	void *ctx;
	jmp_buf to;
	struct mz_hold *holds;
};

struct mz_arena {
	struct mz_block *blocks;
	struct mz_escape *escape; /* NULL = the program ends */
};

void mz_arena_init(struct mz_arena *a);
void mz_arena_release(struct mz_arena *a);
void mz_arena_drop(void *arena); /* the same, for mz_hold */

/* All that is in it is gone, and its room is used again. */
void mz_arena_clear(struct mz_arena *a);

/* With an escape h is dropped there, unless it is let go of before. */
void mz_hold(const struct mz_arena *a, struct mz_hold *h,
	     void (*drop)(void *what), void *what);
void mz_let_go(const struct mz_arena *a, struct mz_hold *h);

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
