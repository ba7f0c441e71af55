/* SPDX-License-Identifier: MIT */
/* Where a server listens: ADDR:PORT, [ADDR]:PORT, :PORT, PORT or unix:PATH. */
#ifndef MZ_LISTEN_H
#define MZ_LISTEN_H

#include "arena.h"
#include "error.h"

struct mz_listen {
	bool is_unix;
	bool is_loopback;  /* nobody else reaches it */
	const char *path;  /* of a socket that was made; to be removed */
	const char *shown; /* "http://127.0.0.1:8080" without its scheme */
	int fd;
};

/* Read where; listens to nothing yet. */
bool mz_listen_parse(struct mz_listen *l, struct mz_arena *a, const char *where,
		     struct mz_err *err) PGW_MUST_CHECK;

/* Fill l->fd, and l->shown with the port that was got for port 0. */
bool mz_listen_open(struct mz_listen *l, struct mz_arena *a, const char *where,
		    struct mz_err *err) PGW_MUST_CHECK;

/* Remove the socket from the file system. */
void mz_listen_remove(const struct mz_listen *l);

#endif
