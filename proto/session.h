/* SPDX-License-Identifier: MIT */
/*
 * One session with the server, without a socket: bytes from the server go in,
 * bytes for the server come out, and hooks are called in between.
 *
 *   NEW -> STARTUP -+-------------- trust ---------------+-> SETTLING -> IDLE
 *                   +-> PASSWORD ------------------------+               ^ |
 *                   +-> SASL_FIRST -> SASL_FINAL -> SASL_DONE            | v
 *                                                                       BUSY
 *
 * A Query that brings data for COPY ... FROM STDIN goes its own way:
 *
 *   IDLE -> OFFERING -> COPYING -> BUSY -> IDLE
 *
 * Any state may end in DEAD.  The table of rules in session.c is the whole
 * truth: what no row allows is a protocol error.
 */
#ifndef PGW_SESSION_H
#define PGW_SESSION_H

#include "answer.h"
#include "conninfo.h"
#include "msg.h"
#include "scram.h"

enum pgw_state {
	PGW_NEW,
	PGW_STARTUP,	/* the startup message is sent */
	PGW_PASSWORD,	/* a password in clear or by MD5 is sent */
	PGW_SASL_FIRST, /* client-first is sent */
	PGW_SASL_FINAL, /* client-final is sent */
	PGW_SASL_DONE,	/* the server has proved that it knows us */
	PGW_SETTLING,	/* authenticated, but not yet ready */
	PGW_IDLE,
	PGW_BUSY,     /* Queries are sent that are not yet answered */
	PGW_OFFERING, /* one is, and there is data for it */
	PGW_COPYING,  /* the server takes that data */
	PGW_DEAD,
};

/* How to log in.  Borrowed: valid until the session is IDLE or DEAD. */
struct pgw_login {
	const char *user, *database;
	const char *const *params; /* name, value, ..., NULL; more of startup */
	const char *password;	   /* NULL or "" = none */

	/* For SCRAM instead of the password, as in scram.h; or NULL. */
	const unsigned char *client_key, *server_key;
	const char *nonce;	/* PGW_SCRAM_NONCE_LEN printable bytes */
	uint32_t protocol;	/* what to ask for */
	uint32_t protocol_min;	/* what to take at least */
	unsigned require_auth;	/* a set of PGW_AUTH_* */
	bool cleartext_allowed; /* the way there is private, or was asked for */
	bool encrypted;		/* there is TLS */
	bool verified;		/* and it has shown who the server is */
	bool strict;		/* give nobody a cheap guess at the password */
	enum pgw_channel_binding channel_binding;
	struct pgw_view
		binding; /* tls-server-end-point; empty = there is none */
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
	uint32_t protocol;	  /* that both sides speak */
	bool bound;		  /* the login holds for this TLS alone */
	bool negotiated;	  /* NegotiateProtocolVersion was seen */
	size_t startup_bytes;	  /* received before the first ReadyForQuery */
	size_t settling_messages; /* of these, after we were let in */
	struct pgw_key key;
	struct pgw_server server;

	size_t outstanding; /* Queries that no ReadyForQuery answered yet */
	size_t skip;	    /* bytes of a message that nobody wants */
	char txn;	    /* 'I' idle, 'T' in a transaction, 'E' failed */

	/* The Query that is being answered. */
	struct pgw_query_state {
		bool answered; /* it had a result or an error */
		bool failed;
		bool in_result, in_copy_out;
		uint16_t ncols; /* of the result that is coming in */
		char tag[64];	/* of its last command */
	} query;
	struct pgw_buf error; /* the fields of its first error */
};

void pgw_session_init(struct pgw_session *s, const struct pgw_hooks *hooks);
void pgw_session_release(struct pgw_session *s); /* wipes */

bool pgw_session_start(struct pgw_session *s, const struct pgw_login *login,
		       struct pgw_err *err) PGW_MUST_CHECK;

/* Queue a Query.  Others may be unanswered: they are answered in order. */
bool pgw_session_query(struct pgw_session *s, struct pgw_view sql,
		       struct pgw_err *err) PGW_MUST_CHECK;

/*
 * Queue a Query for which there is text or CSV, should it ask for that.  The
 * session is IDLE before.  Once it is COPYING the data is given in pieces of
 * any size, then ended, or given up for a reason.  The server may end that
 * state by an error at any time; what is not given then, nobody gets.
 */
bool pgw_session_offer(struct pgw_session *s, struct pgw_view sql,
		       struct pgw_err *err) PGW_MUST_CHECK;
bool pgw_session_give(struct pgw_session *s, struct pgw_view data,
		      struct pgw_err *err) PGW_MUST_CHECK;
bool pgw_session_give_end(struct pgw_session *s,
			  struct pgw_err *err) PGW_MUST_CHECK;
bool pgw_session_give_up(struct pgw_session *s, const char *reason,
			 struct pgw_err *err) PGW_MUST_CHECK;

/* Logged in, and not at its end. */
bool pgw_session_is_open(const struct pgw_session *s);

/* Queue the farewell. */
bool pgw_session_terminate(struct pgw_session *s,
			   struct pgw_err *err) PGW_MUST_CHECK;

/*
 * Bytes came from the server: act on every whole message among them.  After a
 * failure the session is DEAD.
 */
bool pgw_session_feed(struct pgw_session *s, const void *data, size_t n,
		      struct pgw_err *err) PGW_MUST_CHECK;

/* The bytes that wait to be sent; report how many went with _sent. */
struct pgw_view pgw_session_out(const struct pgw_session *s);
void pgw_session_sent(struct pgw_session *s, size_t n);

/* Append the request for TLS, which comes before everything else. */
void pgw_ssl_request(struct pgw_buf *out);

/* Append the CancelRequest that ends what a session with this key runs. */
void pgw_cancel_request(struct pgw_buf *out, const struct pgw_key *key);

#endif
