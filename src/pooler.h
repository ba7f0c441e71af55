/* SPDX-License-Identifier: MIT */
/* What stands between us and the server, and what follows from it. */
#ifndef MZ_POOLER_H
#define MZ_POOLER_H

#include "arena.h"
#include "error.h"
#include "provider.h"

struct mz_pooler {
	bool suspected;
	const char *name; /* "Neon's pooler"; NULL = unknown */
	const char *mode; /* "transaction"; NULL = unknown */
	const char *why;  /* how we know, or why there is none */
	const char
		*around; /* host or host:port that leads around it; or NULL */
};

/* backend_pid is what the server says of itself: pg_backend_pid(). */
void mz_pooler_look(struct mz_pooler *p, struct mz_arena *a,
		    const struct pgw_config *cfg, const struct pgw_conn *conn,
		    int64_t backend_pid);

/* Whether migrations sit behind such a pooler: "transaction". */
bool mz_pooler_shares(const struct mz_pooler *p);

/* Fails where no database answers: refused. */
bool mz_pooler_reaches(const struct pgw_conn *conn,
		       struct mz_err *err) PGW_MUST_CHECK;

/* Fails where migrations cannot work at all: refused. */
bool mz_pooler_usable(const struct pgw_conn *conn,
		      struct mz_err *err) PGW_MUST_CHECK;

#endif
