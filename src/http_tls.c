/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "http_tls.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

static void *cannot(SSL_CTX *ctx, const char *what, const char *file,
		    const char *hint, struct mz_err *err)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	SSL_CTX_free(ctx);
	mz_fail(err, MZ_usage, "%s %s cannot be used: %s", what, file,
		why ? why : "it cannot be read");
	mz_hint(err, "%s", hint);
	mz_at(err, file, 0, 0);
	return NULL;
}

void *mz_tls_new(const char *cert, const char *key, struct mz_err *err)
{
	SSL_CTX *ctx;

	/* what a host's openssl.cnf says is of other programs */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx) {
		mz_fail(err, MZ_internal, "TLS cannot be set up");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return cannot(ctx, "the certificate", cert,
			      "it is a PEM file with the server's certificate "
			      "first, then those that issued it",
			      err);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return cannot(ctx, "the key", key,
			      "it is the PEM file with the key of that "
			      "certificate, without a passphrase",
			      err);
	return ctx;
}

void mz_tls_free(void *tls)
{
	SSL_CTX_free(tls);
}

struct bufferevent *mz_tls_bufferevent(struct event_base *base, void *tls)
{
	SSL *ssl = SSL_new(tls);
	struct bufferevent *bev;

	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, -1, ssl,
					     BUFFEREVENT_SSL_ACCEPTING,
					     BEV_OPT_CLOSE_ON_FREE);
	if (bev)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	else
		SSL_free(ssl);
	return bev;
}
