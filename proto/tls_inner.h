/* SPDX-License-Identifier: MIT */
/* What a TLS session is made of: for tls.c and tls_*.c alone. */
#ifndef PGW_TLS_INNER_H
#define PGW_TLS_INNER_H

#include "tls.h"
#include "tls_peer.h"

struct pgw_tls {
	const struct pgw_config *cfg;
	const struct pgw_host *host;
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out; /* owned by ssl */
	size_t sent;   /* bytes of out that are on their way */
	bool roots;    /* there is something to verify with */
	bool own;      /* there is a certificate of ours */
	bool over;     /* nothing more will come */
	bool asked;    /* the server wants to see it */
	struct pgw_tls_verdict verdict;
	struct pgw_tls_facts facts;
	struct pgw_buf binding;
	int key_log_fd; /* -1 = none */
};

/*
 * Fill err after OpenSSL failed: "what: why", with the verdict on the server's
 * chain first, and a hint where the cause is known.  Always false.
 */
bool pgw_tls_fail(const struct pgw_tls *t, const char *what,
		  struct pgw_err *err);

/* sslkeylogfile, for those who look into a capture with tshark. */
bool pgw_tls_open_key_log(struct pgw_tls *t,
			  struct pgw_err *err) PGW_MUST_CHECK;
void pgw_tls_log_keys(struct pgw_tls *t, const char *line);
void pgw_tls_close_key_log(struct pgw_tls *t);

#endif
