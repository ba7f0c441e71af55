/* SPDX-License-Identifier: MIT */
/* What a connection is made of: for conn.c and conn_*.c alone. */
#ifndef PGW_CONN_INNER_H
#define PGW_CONN_INNER_H

#include "conn.h"
#include "link.h"
#include "session.h"

#define PGW_CONN_CHUNK (64u << 10) /* bytes read at once */

struct pgw_conn {
	const struct pgw_config *cfg;
	int64_t limit; /* when connecting has to end, whatever host is next */
	struct pgw_hooks hooks; /* of the user, as given at first */
	void (*row)(void *ctx, const struct pgw_row *row);
	void (*done)(void *ctx, const struct pgw_outcome *outcome);
	void (*columns)(void *ctx, const struct pgw_columns *columns);
	void (*copy)(void *ctx, struct pgw_view data);
	void *answers_ctx;
	struct pgw_session session;
	struct pgw_link link;
	struct pgw_addr addr;
	const struct pgw_host *host;
	struct pgw_timing timing;
	char address[PGW_ADDR_TEXT];
	struct pgw_tls *prepared; /* for the next handshake, or NULL */
	bool with_tls;		  /* this try asks for TLS */
	size_t dials;		  /* each costs a round trip of its own */
	struct pgw_err *failed;	  /* of pgw_conn_query: where its error goes */
	struct pgw_err why;	  /* it ended; PGW_OK while it has not */
	unsigned char chunk[PGW_CONN_CHUNK];
};

/* Wait until something can be moved either way, and move it. */
bool pgw_conn_move(struct pgw_conn *c, struct pgw_err *err) PGW_MUST_CHECK;

/* Close it and forget the session; it can be used for another one. */
void pgw_conn_reset(struct pgw_conn *c);

/* Read what TLS needs for c's host, if it is sure to be needed. */
bool pgw_conn_prepare(struct pgw_conn *c, struct pgw_err *err) PGW_MUST_CHECK;

/*
 * Agree on TLS over the link l as the settings say, and shake hands.  *offered
 * is false when the server has none and the settings let us go on without.
 */
bool pgw_conn_secure(struct pgw_conn *c, struct pgw_link *l, bool *offered,
		     struct pgw_err *err) PGW_MUST_CHECK;

/* The server is the user's that requirepeer asks for, if it does. */
bool pgw_conn_is_peer(const struct pgw_conn *c, const struct pgw_sock *k,
		      struct pgw_err *err) PGW_MUST_CHECK;

/* Log in to c's host over its socket, as the settings say. */
bool pgw_conn_log_in(struct pgw_conn *c, struct pgw_err *err) PGW_MUST_CHECK;

#endif
