/* SPDX-License-Identifier: MIT */
/* Both sides of TLS by OpenSSL, in memory. */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "certs.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>

/* A server that shows NAME.crt. */
static inline SSL_CTX *server_context(const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char file[64];

	ck_assert_ptr_nonnull(ctx);
	SSL_CTX_set_security_level(ctx, 0); /* as careless as it can be */
	snprintf(file, sizeof(file), "%s.crt", name);
	ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(ctx,
							    certs_path(file)
								    .text),
			 1);
	/* That of another file has the same key. */
	snprintf(file, sizeof(file), "%s.key",
		 strcmp(name, "alone") == 0 ? "server" : name);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(ctx, certs_path(file).text,
						     SSL_FILETYPE_PEM),
			 1);
	return ctx;
}

/* Whether both sides are content; neither context is kept. */
static inline bool shake_hands(SSL_CTX *client_ctx, SSL_CTX *server_ctx,
			       X509 **shown)
{
	SSL *client = SSL_new(client_ctx), *server = SSL_new(server_ctx);
	BIO *near, *far;
	int a = -1, b = -1;

	ck_assert_int_eq(BIO_new_bio_pair(&near, 0, &far, 0), 1);
	SSL_set_bio(client, near, near);
	SSL_set_bio(server, far, far);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 10 && (a != 1 || b != 1); i++) {
		a = SSL_do_handshake(client);
		b = SSL_do_handshake(server);
	}
	if (shown)
		*shown = SSL_get1_peer_certificate(server);
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(client_ctx);
	SSL_CTX_free(server_ctx);
	ERR_clear_error();
	return a == 1 && b == 1;
}

#endif
