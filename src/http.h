/* SPDX-License-Identifier: MIT */
/*
 * HTTP for a few people and machines, over libevent, in one thread: requests
 * with their bodies come in, bounded in size, number and time; answers go out
 * whole, or piece by piece.  http.c alone knows libevent.
 */
#ifndef MZ_HTTP_H
#define MZ_HTTP_H

#include "arena.h"
#include "error.h"

struct mz_http;
struct mz_exchange; /* a request, until it was answered or its client left */

enum mz_method { MZ_GET, MZ_HEAD, MZ_POST, MZ_OTHER };

struct mz_request {
	enum mz_method method;
	const char *why_none; /* it is no proper request; NULL = it is one */
	const char *path;     /* decoded; NULL when it was no path */
	const char *query;    /* as it came, or NULL */
	struct pgw_view body;
	const char *address; /* who asks: "127.0.0.1", or "unix" */
	int64_t began_us;
};

struct mz_http_hooks {
	/* Answer it now or later; r is valid during the call. */
	void (*request)(void *ctx, struct mz_exchange *x,
			const struct mz_request *r);

	/* x is gone, answered or not, and must not be used any more. */
	void (*gone)(void *ctx, struct mz_exchange *x);

	/* One that was answered: for the log. */
	void (*answered)(void *ctx, struct mz_exchange *x, int status);

	void (*woken)(void *ctx);	/* wake is readable */
	void (*interrupted)(void *ctx); /* interrupt_fd is readable */
	void (*tick)(void *ctx);	/* every second */
	void *ctx;
};

struct mz_http_setup {
	int listener; /* a listening socket; ours from now on */
	bool is_unix;
	void *tls;	  /* an SSL_CTX, or NULL; see http_tls.h */
	int wake;	  /* -1 = none */
	int interrupt_fd; /* -1 = none */
	size_t connections_max;
	struct mz_http_hooks hooks;
};

/* NULL and err when it cannot be set up. */
struct mz_http *mz_http_new(const struct mz_http_setup *setup,
			    struct mz_err *err);
void mz_http_free(struct mz_http *h);

/* Until mz_http_end. */
bool mz_http_run(struct mz_http *h);

/* No new connections, and those that wait for nothing are closed. */
void mz_http_stop_accepting(struct mz_http *h);
void mz_http_end(struct mz_http *h);

/* ---- exchanges */

/* For its user. */
void mz_exchange_set(struct mz_exchange *x, void *user);
void *mz_exchange_get(const struct mz_exchange *x);

/* A header of the request; NULL when it has none. */
const char *mz_exchange_header(const struct mz_exchange *x, const char *name);

/* All headers of that name, with commas between them; NULL = none. */
const char *mz_exchange_list(const struct mz_exchange *x, struct mz_arena *a,
			     const char *name);

/* A header of the answer, before it is begun. */
void mz_exchange_put_header(struct mz_exchange *x, const char *name,
			    const char *value);

/* The whole answer; x is gone then. */
void mz_exchange_answer(struct mz_exchange *x, int status, const char *type,
			struct pgw_view body);

/* An answer piece by piece; false when the client does not keep up. */
void mz_exchange_begin(struct mz_exchange *x, int status, const char *type);
bool mz_exchange_send(struct mz_exchange *x, struct pgw_view piece);
void mz_exchange_end(struct mz_exchange *x); /* x is gone then */

/* One parameter of a query, decoded, from a; NULL when it is not there. */
const char *mz_http_parameter(struct mz_arena *a, const char *query,
			      const char *name);

#endif
