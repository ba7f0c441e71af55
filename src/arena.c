/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "arena.h"
#include "error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (64u << 10)
#define ALIGN _Alignof(max_align_t)
#define FIRST_ROOM 16

struct mz_block {
	struct mz_block *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char bytes[];
};

/*
 * An arena cannot fail: the server undoes what was not committed.  All that is
 * held is dropped while the frames that it is in are still there.
 */
static _Noreturn void out_of_memory(const struct mz_arena *a)
{
	struct mz_escape *escape = a->escape;

	if (!escape) {
		fputs("error: out of memory\n", stderr);
		exit(MZ_internal);
	}
	if (escape->end)
		escape->end(escape->ctx);
	while (escape->holds) {
		struct mz_hold *h = escape->holds;

		escape->holds = h->next;
		h->drop(h->what);
	}
	longjmp(escape->to, 1);
}

void mz_hold(const struct mz_arena *a, struct mz_hold *h,
	     void (*drop)(void *what), void *what)
{
	if (!a->escape || a->escape->end)
		return;
	*h = (struct mz_hold){ a->escape->holds, drop, what };
	a->escape->holds = h;
}

void mz_let_go(const struct mz_arena *a, struct mz_hold *h)
{
	struct mz_hold **at;

	if (!a->escape)
		return;
	for (at = &a->escape->holds; *at; at = &(*at)->next) {
		if (*at == h) {
			*at = h->next;
			return;
		}
	}
}

void mz_arena_init(struct mz_arena *a)
{
	*a = (struct mz_arena){ NULL, NULL };
}

void mz_arena_release(struct mz_arena *a)
{
	while (a->blocks) {
		struct mz_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
}

void mz_arena_drop(void *arena)
{
	mz_arena_release(arena);
}

void mz_arena_clear(struct mz_arena *a)
{
	struct mz_block *kept = a->blocks;

	if (!kept)
		return;
	a->blocks = kept->next;
	mz_arena_release(a);
	kept->next = NULL;
	kept->used = 0;
	a->blocks = kept;
}

static void add_block(struct mz_arena *a, size_t n)
{
	size_t size = n > BLOCK_SIZE ? n : BLOCK_SIZE;
	struct mz_block *b;

	if (size > SIZE_MAX - sizeof(*b))
		out_of_memory(a);
	b = malloc(sizeof(*b) + size);
	if (!b)
		out_of_memory(a);
	b->used = 0;
	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
}

void *mz_alloc(struct mz_arena *a, size_t n)
{
	void *p;

	if (n > SIZE_MAX - ALIGN)
		out_of_memory(a);
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (!a->blocks || n > a->blocks->size - a->blocks->used)
		add_block(a, n);
	p = a->blocks->bytes + a->blocks->used;
	a->blocks->used += n;
	return memset(p, 0, n); /* not the block: most of it is never seen */
}

void *mz_alloc_array(struct mz_arena *a, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		out_of_memory(a);
	return mz_alloc(a, count * size);
}

char *mz_strndup(struct mz_arena *a, const char *s, size_t n)
{
	char *copy = mz_alloc(a, n + 1);

	if (n > 0) /* s may be NULL then */
		memcpy(copy, s, n);
	return copy;
}

void *mz_grow(struct mz_arena *a, void *array, size_t count, size_t *room,
	      size_t size)
{
	void *more;

	if (count < *room)
		return array;
	*room = *room ? *room * 2 : FIRST_ROOM;
	more = mz_alloc_array(a, *room, size);
	if (count > 0)
		memcpy(more, array, count * size);
	return more;
}

char *mz_strdup(struct mz_arena *a, const char *s)
{
	return mz_strndup(a, s, strlen(s));
}

/* Measuring costs as much as printing does: what is short is printed once. */
char *mz_printf(struct mz_arena *a, const char *fmt, ...)
{
	char shorter[1024];
	va_list ap, again;
	int n;
	char *s;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(shorter, sizeof(shorter), fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory(a);
	s = mz_alloc(a, (size_t)n + 1);
	if ((size_t)n < sizeof(shorter))
		memcpy(s, shorter, (size_t)n + 1);
	else
		vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}
