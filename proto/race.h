/* SPDX-License-Identifier: MIT */
/*
 * The addresses of one host compete (RFC 8305): the families take turns, the
 * next one starts when those before it have not answered for a while or have
 * failed, and the first that completes the handshake of TCP wins.
 */
#ifndef PGW_RACE_H
#define PGW_RACE_H

#include "resolve.h"

#define PGW_RACE_SOCKETS 16 /* at once; the oldest gives way to a new one */

enum pgw_running {
	PGW_RUN_WAITS, /* for its start */
	PGW_RUN_UNDER_WAY,
	PGW_RUN_FAILED, /* see problem */
	PGW_RUN_WON,	/* and was given away */
};

struct pgw_runner {
	struct pgw_addr addr;
	enum pgw_running state;
	int fd;
	int problem; /* an errno */
};

struct pgw_race {
	struct pgw_tcp tcp;
	const char *name; /* the host's, for errors; NULL = none */
	struct pgw_runner runners[PGW_ADDRS_MAX]; /* in the order to start */
	size_t n;
	int64_t next_ms; /* when the next one may start */
};

/* All of addrs are to run, in an order near to theirs; no tcp, no name. */
void pgw_race_init(struct pgw_race *r, const struct pgw_addrs *addrs);

/*
 * Connect k, whose interrupt_fd and deadline are set, to the one that answers
 * first; *winner is its address.  Called again it goes on with those that
 * neither won nor failed; after a failure there are none, and k is closed.
 * Errors: REFUSED, TIMEOUT, INTERRUPTED, CONFIG, IO.
 */
bool pgw_race_run(struct pgw_race *r, struct pgw_sock *k,
		  struct pgw_addr *winner, struct pgw_err *err) PGW_MUST_CHECK;

/* Whether it makes sense to call it again. */
bool pgw_race_goes_on(const struct pgw_race *r);

#endif
