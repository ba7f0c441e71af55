/* SPDX-License-Identifier: MIT */
/*
 * A file that is written in pieces, and takes its place when it is complete:
 * what was there until then stays whole.  The first write that fails is kept;
 * those behind it do nothing.
 */
#ifndef MZ_FRESH_H
#define MZ_FRESH_H

#include "arena.h"
#include "error.h"

struct mz_fresh {
	const char *path;
	const char *unfinished; /* its name until then */
	int fd;			/* -1 = closed */
	int error;		/* errno of the first failure */
	uint64_t size;		/* bytes so far */
};

/* mode is what the umask then takes from.  Abandon it unless it is placed. */
bool mz_fresh_open(struct mz_fresh *f, struct mz_arena *a, const char *path,
		   unsigned mode, struct mz_err *err) PGW_MUST_CHECK;

void mz_fresh_put(struct mz_fresh *f, const void *data, size_t n);

/* Over bytes that were written. */
void mz_fresh_put_at(struct mz_fresh *f, uint64_t at, const void *data,
		     size_t n);

/* All of it is on the disk, under its name. */
bool mz_fresh_place(struct mz_fresh *f, struct mz_err *err) PGW_MUST_CHECK;

/* Nothing of it stays; nothing when it was placed. */
void mz_fresh_abandon(struct mz_fresh *f);

#endif
