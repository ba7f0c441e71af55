/* SPDX-License-Identifier: MIT */
/*
 * The Query messages that are on their way: what each was for, in the order in
 * which the server answers.  As many as fit are sent ahead; more would only
 * fill the server's log should one of the first fail.
 */
#ifndef MZ_FLIGHT_H
#define MZ_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MZ_FLIGHT_MAX 256

enum mz_purpose {
	MZ_FOR_CREATE,	  /* of the history table */
	MZ_FOR_OPEN,	  /* BEGIN and the guard */
	MZ_FOR_STATEMENT, /* of a migration */
	MZ_FOR_RECORD,	  /* its row */
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
	struct mz_sent ring[MZ_FLIGHT_MAX];
	size_t first, count;
};

void mz_flight_push(struct mz_flight *f, const struct mz_sent *sent);
struct mz_sent mz_flight_pop(struct mz_flight *f);
bool mz_flight_has(const struct mz_flight *f, enum mz_purpose purpose);

#endif
