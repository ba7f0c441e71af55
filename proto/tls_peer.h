/* SPDX-License-Identifier: MIT */
/* Who the server is: its chain, its name, and what binds a login to it. */
#ifndef PGW_TLS_PEER_H
#define PGW_TLS_PEER_H

#include "buf.h"
#include "err.h"

#include <openssl/ssl.h>

#define PGW_TLS_NAME_MAX 256

/* Why a chain was not accepted; reason is X509_V_OK while nothing is wrong. */
struct pgw_tls_verdict {
	int reason; /* an X509_V_ERR_* */
	int depth;  /* 0 = the server's own certificate */
	char subject[PGW_TLS_NAME_MAX], issuer[PGW_TLS_NAME_MAX];
	char until[32]; /* not after (or before), for reasons of time */
};

/* Have the handshakes of ctx fail on a bad chain, and say why in *verdict. */
void pgw_tls_verify(SSL_CTX *ctx, struct pgw_tls_verdict *verdict);

/* Fill err: depth, subject, reason, and in the hint the likely remedy. */
bool pgw_tls_verdict_fail(const struct pgw_tls_verdict *verdict,
			  struct pgw_err *err);

/*
 * Whether the certificate is for host, by libpq's rules: an IP address matches
 * iPAddress names or, without any, the common name; a host name matches
 * dNSName names or, without any, the common name.  Errors: TLS, naming what
 * the certificate is for; NOMEM.
 */
bool pgw_tls_is_for(X509 *cert, const char *host,
		    struct pgw_err *err) PGW_MUST_CHECK;

/*
 * tls-server-end-point (RFC 5929) of a certificate.  out stays empty when its
 * signature algorithm has no hash: then there is no such channel binding.
 */
bool pgw_tls_end_point(X509 *cert, struct pgw_buf *out,
		       struct pgw_err *err) PGW_MUST_CHECK;

/* A name as people write it (RFC 2253), in printable ASCII, NUL-terminated. */
void pgw_tls_name_text(const X509_NAME *name, char out[PGW_TLS_NAME_MAX]);

/* Whether the first failure in OpenSSL's queue was one of memory. */
bool pgw_tls_nomem(void);

#endif
