/* SPDX-License-Identifier: MIT */
/*
 * Who runs a server, as far as its name and port tell, and what that means for
 * people who connect to it.  Nothing that a connection does depends on it:
 * these are guesses, good for hints and remarks.
 */
#ifndef MZ_PROVIDER_H
#define MZ_PROVIDER_H

#include "pgw.h"

/* What stands between us and the server. */
enum mz_pooling {
	MZ_POOLING_NONE,    /* nothing, or nothing that can be noticed */
	MZ_POOLING_PROXY,   /* one server session for each of ours */
	MZ_POOLING_SESSION, /* a pooler that does the same */
	MZ_POOLING_TRANSACTION,
};

struct mz_provider {
	const char *name; /* "Neon's pooler" */

	/*
	 * Of host names, in lower case: * is anything, + is anything without
	 * a dot.  One that begins with / is a directory of sockets.
	 */
	const char *pattern;
	uint16_t port; /* 0 = any */
	enum mz_pooling pooling;

	/* From the pooler's host to that of the server: replace this ... */
	const char *pooled, *direct;
	uint16_t direct_port; /* 0 = the same */

	/* What to do when; NULL = nothing special. */
	const char *ca;		 /* its certificate is not trusted */
	const char *reach;	 /* there is no way to it */
	const char *unsupported; /* it is not what we need; why */
};

/* NULL when nothing is known of it. */
const struct mz_provider *mz_provider_of(const struct pgw_host *host);

#define MZ_HOST_MAX 256

/*
 * Where the server itself is, when host is a pooler's and that can be told:
 * "host" or "host:port", which leads around the pooler.
 */
bool mz_provider_direct(const struct mz_provider *p,
			const struct pgw_host *host, char out[MZ_HOST_MAX]);

/* What a mode is called: "transaction"; NULL for none. */
const char *mz_pooling_name(enum mz_pooling pooling);

/* Where connecting failed: a better hint, if there is one; returns false. */
bool mz_provider_explain(const struct pgw_config *cfg, struct pgw_err *err);

#endif
