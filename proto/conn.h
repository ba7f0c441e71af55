/* SPDX-License-Identifier: MIT */
/*
 * A connection: dials, logs in, sends SQL while it reads the answers.  Every
 * call blocks until it is done, the deadline has passed, or the interrupt
 * descriptor has become readable.
 */
#ifndef PGW_CONN_H
#define PGW_CONN_H

#include "answer.h"
#include "clock.h"
#include "conninfo.h"
#include "tls.h"

struct pgw_conn;

/* How long each phase of connecting took; ping shows it. */
struct pgw_timing {
	int64_t resolve_us, dial_us, tls_us, auth_us;
};

struct pgw_conn_options {
	/* notice, warning and trace hold as long as the connection lives */
	struct pgw_hooks hooks;
	int interrupt_fd; /* -1 = none; readable = stop waiting */
	int64_t deadline; /* of connecting, besides connect_timeout; 0 = none */
};

/*
 * Try the hosts of cfg in their order and log in to the first that takes us.
 * cfg must outlive the connection.  On failure *out is NULL.
 */
bool pgw_connect(struct pgw_conn **out, const struct pgw_config *cfg,
		 const struct pgw_conn_options *options,
		 struct pgw_err *err) PGW_MUST_CHECK;

/* Say goodbye if that does not wait, then close; c may be NULL. */
void pgw_conn_close(struct pgw_conn *c);

/* Where rows and outcomes go from now on; either may be NULL. */
void pgw_conn_answers(
	struct pgw_conn *c, void (*row)(void *ctx, const struct pgw_row *row),
	void (*done)(void *ctx, const struct pgw_outcome *outcome), void *ctx);

/*
 * The names of columns, and COPY TO STDOUT, too, until that is called again.
 * With copy rows and data may be of any size, else up to PGW_BODY_MAX.
 */
void pgw_conn_results(struct pgw_conn *c,
		      void (*columns)(void *ctx,
				      const struct pgw_columns *columns),
		      void (*copy)(void *ctx, struct pgw_view data));

/* On pgw_clock_ms(), or PGW_FOREVER, which it is after connecting. */
void pgw_conn_deadline(struct pgw_conn *c, int64_t deadline);

/* Stop listening to the interrupt descriptor: for cleaning up after it. */
void pgw_conn_ignore_interrupt(struct pgw_conn *c);

/*
 * Queue one Query message and move bytes both ways until not much is waiting
 * to be sent.  Answers come to the hooks, in order, now or later.
 */
bool pgw_conn_send(struct pgw_conn *c, struct pgw_view sql,
		   struct pgw_err *err) PGW_MUST_CHECK;

/* Send everything, and wait until at most so many Queries are unanswered. */
bool pgw_conn_wait(struct pgw_conn *c, size_t unanswered,
		   struct pgw_err *err) PGW_MUST_CHECK;

/*
 * Send one Query and wait for its end.  A server error fails the call:
 * PGW_E_SERVER.  So does a server that does not agree any more.
 */
bool pgw_conn_query(struct pgw_conn *c, const char *sql,
		    struct pgw_err *err) PGW_MUST_CHECK;

/*
 * What COPY ... FROM STDIN reads, as text or CSV.  pull gives the next bytes,
 * valid until it is called again; none are the end.  When it fails, the COPY
 * does so, too, for the reason in err.
 */
struct pgw_copy_source {
	bool (*pull)(void *ctx, struct pgw_view *data, struct pgw_err *err);
	void *ctx;
};

/* A pull whose ctx is a struct pgw_view: gives that once, then the end. */
bool pgw_copy_view(void *ctx, struct pgw_view *data, struct pgw_err *err);

/*
 * Send one Query with data, should it ask for that, and wait for its end.  The
 * answer goes to the hooks, an error too.  Nothing is pulled before the server
 * asks for it, and not much more than it takes.
 */
bool pgw_conn_copy(struct pgw_conn *c, struct pgw_view sql,
		   const struct pgw_copy_source *from,
		   struct pgw_err *err) PGW_MUST_CHECK;

/*
 * Ask the server, over a connection of its own to the same address, to cancel
 * what c runs.  Returns when the server has taken the request or timeout_ms
 * have passed; the answer to the cancelled query is still to be drained.
 */
bool pgw_conn_cancel(struct pgw_conn *c, uint32_t timeout_ms,
		     struct pgw_err *err) PGW_MUST_CHECK;

/*
 * The server still reads what we send as was agreed on: UTF-8, and strings
 * without escapes.  A pooler may have given us what others changed.  Errors:
 * UNSUPPORTED.
 */
bool pgw_conn_agrees(const struct pgw_conn *c,
		     struct pgw_err *err) PGW_MUST_CHECK;

bool pgw_conn_alive(const struct pgw_conn *c);
size_t pgw_conn_outstanding(const struct pgw_conn *c);
char pgw_conn_txn(const struct pgw_conn *c); /* 'I', 'T' or 'E' */
size_t pgw_conn_round_trips(const struct pgw_conn *c);
const struct pgw_server *pgw_conn_server(const struct pgw_conn *c);
const struct pgw_host *pgw_conn_host(const struct pgw_conn *c);
const char *pgw_conn_address(const struct pgw_conn *c); /* as text */
const struct pgw_timing *pgw_conn_timing(const struct pgw_conn *c);
uint32_t pgw_conn_pid(const struct pgw_conn *c);  /* 0 = not told */
unsigned pgw_conn_auth(const struct pgw_conn *c); /* a PGW_AUTH_* */

/* What TLS agreed on; NULL without TLS. */
const struct pgw_tls_facts *pgw_conn_tls(const struct pgw_conn *c);

/* Whether the login holds for this very server alone (SCRAM-SHA-256-PLUS). */
bool pgw_conn_bound(const struct pgw_conn *c);

#endif
