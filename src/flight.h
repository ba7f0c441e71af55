/* SPDX-License-Identifier: MIT */
/*
 * The Query messages that are on their way: what each was for, in the order in
 * which the server answers.  Few are sent ahead at first: should one fail, the
 * rest only fills the server's log.  Whoever has to wait for room has had good
 * answers, and may send more ahead from then on, so that far servers are waited
 * for seldom.
 */
#ifndef MZ_FLIGHT_H
#define MZ_FLIGHT_H

#include "arena.h"

#include <stdbool.h>
#include <stddef.h>

#define MZ_FLIGHT_FIRST 256
#define MZ_FLIGHT_MAX 1024

enum mz_purpose {
	MZ_FOR_CREATE,	  /* of the history table */
	MZ_FOR_OPEN,	  /* BEGIN and the guard */
	MZ_FOR_STATEMENT, /* of a migration */
	MZ_FOR_RECORD,	  /* its row, or those of all in the transaction */
	MZ_FOR_COMMIT,
	MZ_FOR_ROLLBACK,
};

struct mz_sent {
	enum mz_purpose purpose;
	size_t migration;  /* index of todo */
	bool creates;	   /* COMMIT: of the history, not of a migration */
	size_t start, end; /* STATEMENT: bytes of the file */
	size_t data_start, data_end; /* of it, the rows for COPY */
	size_t line;
	char head[64]; /* how it begins: mz_first_line */
};

struct mz_flight {
	struct mz_sent *ring; /* of size: few, later the arena's */
	size_t size, first, count;
	struct mz_sent few[MZ_FLIGHT_FIRST];
};

/* It is not to be moved from then on. */
void mz_flight_init(struct mz_flight *f);

/* Room for twice as many, up to MZ_FLIGHT_MAX. */
void mz_flight_grow(struct mz_flight *f, struct mz_arena *a);

/* There must be room: count < size. */
void mz_flight_push(struct mz_flight *f, const struct mz_sent *sent);
struct mz_sent mz_flight_pop(struct mz_flight *f);
bool mz_flight_has(const struct mz_flight *f, enum mz_purpose purpose);

#endif
