/* SPDX-License-Identifier: MIT */
/*
 * One session with the server, without a socket: bytes from the server go in,
 * bytes for the server come out, and hooks are called in between.
 *
 *   NEW --start--> STARTUP --auth request--> AUTH --auth ok--> SETTLING
 *                     |                                            |
 *                     +--------------- auth ok ------------------->+--ready--> IDLE <--> BUSY
 *
 * Any state may end in DEAD.  The table of rules in session.c is the whole
 * truth: what no row allows is a protocol error.
 */
#ifndef PGW_SESSION_H
#define PGW_SESSION_H

#include "answer.h"
#include "msg.h"
#include "scram.h"

enum pgw_state {
	PGW_NEW,
	PGW_STARTUP,  /* the startup message is sent */
	PGW_AUTH,     /* an authentication exchange goes on */
	PGW_SETTLING, /* authenticated, but not yet ready */
	PGW_IDLE,
	PGW_BUSY, /* Queries are sent that are not yet answered */
	PGW_DEAD,
};

/* How to log in.  Borrowed: valid until the session is IDLE or DEAD. */
struct pgw_login {
	const char *user, *database;
	const char *const *params; /* name, value, ..., NULL; more of startup */
	const char *password;	   /* NULL or "" = none */
	const char *nonce;	   /* PGW_SCRAM_NONCE_LEN printable bytes */
	unsigned require_auth;	   /* a set of PGW_AUTH_* */
	bool cleartext_allowed; /* the way there is private, or was asked for */
	uint32_t max_iterations;
	bool (*go_on)(void *ctx, struct pgw_err *err); /* as in scram.h */
	void *ctx;
};

struct pgw_key {
	uint32_t pid;
	unsigned char secret[256];
	size_t n; /* bytes of secret; 0 = the server gave no key */
};

struct pgw_session {
	enum pgw_state state;
	struct pgw_buf in, out;
	struct pgw_hooks hooks;
	struct pgw_login login;
	struct pgw_scram scram;
	unsigned method;	  /* the PGW_AUTH_* in use, once it is known */
	bool negotiated;	  /* NegotiateProtocolVersion was seen */
	size_t startup_bytes;	  /* received before the first ReadyForQuery */
	struct pgw_buf first_error; /* fields of the current query's error */
	char tag[64];		  /* of the last command of the current query */
	bool answered; /* the current query had a result or an error */
	uint16_t ncols; /* of the result that is coming in */
	bool in_result, in_copy_out;
	size_t outstanding; /* Queries that no ReadyForQuery answered yet */
	char txn;
	struct pgw_key key;
	struct pgw_server server;
};

void pgw_session_init(struct pgw_session *s, const struct pgw_hooks *hooks);
void pgw_session_release(struct pgw_session *s); /* wipes */

bool pgw_session_start(struct pgw_session *s, const struct pgw_login *login,
		       struct pgw_err *err) PGW_MUST_CHECK;

/* Queue a Query.  Others may be unanswered: they are answered in order. */
bool pgw_session_query(struct pgw_session *s, struct pgw_view sql,
		       struct pgw_err *err) PGW_MUST_CHECK;

/* Queue the farewell. */
void pgw_session_terminate(struct pgw_session *s);

/* Bytes came from the server: act on every whole message among them. */
bool pgw_session_feed(struct pgw_session *s, const void *data, size_t n,
		      struct pgw_err *err) PGW_MUST_CHECK;

/* The bytes that wait to be sent; report how many went with _sent. */
struct pgw_view pgw_session_out(const struct pgw_session *s);
void pgw_session_sent(struct pgw_session *s, size_t n);

#endif
