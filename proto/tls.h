/* SPDX-License-Identifier: MIT */
/*
 * One TLS session as a client, without a socket: what came from the server
 * goes in, what is for the server comes out, plaintext on the other side.
 * Only tls*.c know OpenSSL's part of this.
 */
#ifndef PGW_TLS_H
#define PGW_TLS_H

#include "buf.h"
#include "conninfo.h"

#include <sys/types.h>

struct pgw_tls;

/* What was agreed on; for ping, and for those who decide by it. */
struct pgw_tls_facts {
	char version[16], cipher[64];
	char subject[256], issuer[256]; /* of the server's certificate */
	char until[32];			/* when that expires: ISO 8601, UTC */
	bool verified; /* its chain leads to a root that we trust */
	bool named;    /* and it is for the host that we asked for */
	bool alpn;     /* the server has said that it speaks postgresql */
	bool own;      /* it asked for our certificate, and got one */
};

/*
 * A session with host, as cfg wants it: reads the files that it names.  cfg
 * and host must outlive it.  Errors: TLS, NOMEM.
 */
bool pgw_tls_new(struct pgw_tls **out, const struct pgw_config *cfg,
		 const struct pgw_host *host,
		 struct pgw_err *err) PGW_MUST_CHECK;
void pgw_tls_free(struct pgw_tls *t); /* wipes; t may be NULL */

/*
 * Go on with the handshake as far as what came in allows.  *done when it is
 * over and everything that the settings ask for holds.  Errors: TLS, NOMEM.
 */
bool pgw_tls_handshake(struct pgw_tls *t, bool *done,
		       struct pgw_err *err) PGW_MUST_CHECK;

/* Bytes from and for the server. */
bool pgw_tls_feed(struct pgw_tls *t, const void *data, size_t n,
		  struct pgw_err *err) PGW_MUST_CHECK;
struct pgw_view pgw_tls_out(const struct pgw_tls *t);
void pgw_tls_sent(struct pgw_tls *t, size_t n);

/* Encrypt n bytes for pgw_tls_out. */
bool pgw_tls_put(struct pgw_tls *t, const void *data, size_t n,
		 struct pgw_err *err) PGW_MUST_CHECK;

/* Decrypt up to n bytes: how many, 0 when more must come in first. */
bool pgw_tls_get(struct pgw_tls *t, void *buf, size_t n, size_t *got,
		 struct pgw_err *err) PGW_MUST_CHECK;

/* The server has said that nothing more will come; seen by pgw_tls_get. */
bool pgw_tls_over(const struct pgw_tls *t);

/* Say that nothing more will come from us. */
void pgw_tls_bye(struct pgw_tls *t);

/* tls-server-end-point; empty when the certificate's algorithm has none. */
struct pgw_view pgw_tls_binding(const struct pgw_tls *t);
const struct pgw_tls_facts *pgw_tls_facts(const struct pgw_tls *t);

#endif
