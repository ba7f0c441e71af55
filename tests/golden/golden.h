/* SPDX-License-Identifier: MIT */
/*
 * Conversations with real servers, recorded once (record.sh) and replayed for
 * ever.  golden.c says what is said; whoever carries the bytes is an argument.
 *
 *   VERSION/NAME.wire   both sides, "> hex" from us, "< hex" from the server;
 *                       "= hex" is what a login was bound to, within TLS
 *   VERSION/NAME.trace  the same for people, and what our hooks were told
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "session.h"

#include <sys/types.h>

struct golden {
	const char *name, *user, *database, *password;
	uint32_t protocol;  /* 0 = 3.0 */
	bool pipelined;	    /* all of sql is sent before anything is read */
	bool bound;	    /* within TLS, and the login is bound to it */
	const char *sql[8]; /* up to the first NULL */
};

extern const struct golden goldens[];
extern const size_t golden_count;

#define GOLDEN_PASSWORD "secret"

struct golden_io {
	/* Both false or -1 when err is filled; read gives 0 at the end. */
	bool (*write)(void *ctx, struct pgw_view bytes, struct pgw_err *err);
	ssize_t (*read)(void *ctx, void *buf, size_t n, struct pgw_err *err);
	struct pgw_view binding; /* of its TLS; empty = there is none */
	void *ctx;
};

/*
 * Hold one conversation.  What is seen of it is appended to trace, which may
 * be NULL.  False as soon as the session fails.
 */
bool golden_run(const struct golden *g, const struct golden_io *io,
		struct pgw_buf *trace, struct pgw_err *err);

#endif
