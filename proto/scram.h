/* SPDX-License-Identifier: MIT */
/*
 * SCRAM-SHA-256 (RFC 5802, RFC 7677), the client's side, as three steps over
 * bytes.  Randomness and channel binding are arguments; there is no I/O.
 *
 *   client-first ->            pgw_scram_first
 *   <- server-first
 *   client-final ->            pgw_scram_final
 *   <- server-final            pgw_scram_verify
 *
 * A step that comes out of turn fails, so a server cannot repeat or skip one.
 */
#ifndef PGW_SCRAM_H
#define PGW_SCRAM_H

#include "buf.h"
#include "crypto.h"
#include "err.h"

#define PGW_SCRAM_NONCE_LEN 24 /* base64 of 18 random bytes */
#define PGW_SCRAM_NONCE_SIZE (PGW_SCRAM_NONCE_LEN + 1)
#define PGW_SCRAM_MAX_ITERATIONS 1000000u
#define PGW_SCRAM_FEW_ITERATIONS 4096u /* fewer are worth a warning */

struct pgw_scram_params {
	struct pgw_view password; /* as the user gave it */

	/*
	 * libpq's scram_client_key and scram_server_key, instead of the
	 * password: PGW_SHA256_LEN bytes each; both or none (NULL).
	 */
	const unsigned char *client_key, *server_key;

	const char *user;      /* NULL = empty, as PostgreSQL wants it */
	const char *nonce;     /* printable, no comma */
	const char *gs2;       /* "n,,", "y,," or "p=tls-server-end-point,," */
	struct pgw_view cbind; /* channel binding data; empty without PLUS */
	uint32_t max_iterations; /* 0 = PGW_SCRAM_MAX_ITERATIONS */

	/*
	 * Asked now and then while the password is hashed; false gives up, and
	 * must have filled err.  May be NULL.
	 */
	bool (*go_on)(void *ctx, struct pgw_err *err);
	void *ctx;
};

enum pgw_scram_step {
	PGW_SCRAM_NEW,
	PGW_SCRAM_FIRST_SENT,
	PGW_SCRAM_FINAL_SENT,
	PGW_SCRAM_OVER, /* verified, or failed */
};

struct pgw_scram {
	struct pgw_scram_params params; /* borrowed until _release */
	enum pgw_scram_step step;
	struct pgw_buf auth_message;
	unsigned char server_signature[PGW_SHA256_LEN];
	uint32_t iterations; /* what the server asked for */
	bool verified;	     /* the server has proved that it knows us */
};

/* Make a nonce: printable, with its NUL. */
bool pgw_scram_nonce(char out[PGW_SCRAM_NONCE_SIZE],
		     struct pgw_err *err) PGW_MUST_CHECK;

void pgw_scram_init(struct pgw_scram *s, const struct pgw_scram_params *params);
void pgw_scram_release(struct pgw_scram *s); /* wipes */

/*
 * Each appends its message to out.  Errors: AUTH, LIMIT, NOMEM, PROTOCOL,
 * UNSUPPORTED, and whatever go_on says.
 */
bool pgw_scram_first(struct pgw_scram *s, struct pgw_buf *out,
		     struct pgw_err *err) PGW_MUST_CHECK;
bool pgw_scram_final(struct pgw_scram *s, struct pgw_view server_first,
		     struct pgw_buf *out, struct pgw_err *err) PGW_MUST_CHECK;

/* Check the server's signature; nothing but true means that it holds. */
bool pgw_scram_verify(struct pgw_scram *s, struct pgw_view server_final,
		      struct pgw_err *err) PGW_MUST_CHECK;

#endif
