/* SPDX-License-Identifier: MIT */
/* A server of OpenSSL's, and a certificate for who signs it. */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include "fuzz.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

/* Nobody who is asked here looks at the time.  digest is NULL for Ed25519. */
static inline X509 *make_certificate(EVP_PKEY *key, const EVP_MD *digest,
				     const char *name)
{
	X509 *c = X509_new();

	must(X509_set_version(c, 2));
	must(ASN1_INTEGER_set(X509_get_serialNumber(c), 1));
	must(ASN1_TIME_set_string(X509_getm_notBefore(c), "20260101000000Z"));
	must(ASN1_TIME_set_string(X509_getm_notAfter(c), "20460101000000Z"));
	must(X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN",
					MBSTRING_ASC,
					(const unsigned char *)name, -1, -1,
					0));
	must(X509_set_issuer_name(c, X509_get_subject_name(c)));
	must(X509_set_pubkey(c, key));
	must(X509_sign(c, key, digest) > 0);
	return c;
}

/* Of servers with a certificate of that key, which is taken. */
static inline SSL_CTX *make_server_context(EVP_PKEY *key, const EVP_MD *digest,
					   const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509 *cert;

	must(key != NULL);
	cert = make_certificate(key, digest, name);
	must(ctx && SSL_CTX_use_certificate(ctx, cert) == 1 &&
	     SSL_CTX_use_PrivateKey(ctx, key) == 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

/* One that reads and writes in memory: SSL_get_rbio, SSL_get_wbio. */
static inline SSL *make_server(SSL_CTX *ctx, bool old)
{
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL *server = SSL_new(ctx);

	must(server && in && out);
	BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(server, in, out);
	SSL_set_accept_state(server);
	if (old)
		SSL_set_max_proto_version(server, TLS1_2_VERSION);
	return server;
}

#endif
