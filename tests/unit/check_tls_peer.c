/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "handshake.h"
#include "tls_peer.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- chains */

static const struct chain {
	const char *server, *root, *crl;
	int reason, depth;
	const char *msg, *hint; /* parts of them */
} chains[] = {
	{ "server", "root", NULL, X509_V_OK, 0, NULL, NULL },
	{ "direct", "root", NULL, X509_V_OK, 0, NULL, NULL },
	{ "rsa", "root", NULL, X509_V_OK, 0, NULL, NULL },
	{ "pss", "root", NULL, X509_V_OK, 0, NULL, NULL },
	{ "ed25519", "root", NULL, X509_V_OK, 0, NULL, NULL },
	{ "self-ed25519", "self-ed25519", NULL, X509_V_OK, 0, NULL, NULL },
	{ "wrong", "root", NULL, X509_V_OK, 0, NULL, NULL },
	{ "server", "root", "all", X509_V_OK, 0, NULL, NULL },
	{ "server", "other", NULL, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	  1,
	  "the chain of the server's certificate is not accepted: unable to "
	  "get local issuer certificate (depth 1, subject CN=mizzle test "
	  "intermediate, issuer CN=mizzle test root)",
	  "sslrootcert=FILE" },
	{ "alone", "root", NULL, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	  0,
	  "(depth 0, subject CN=localhost,OU=server, issuer CN=mizzle test "
	  "intermediate)",
	  "sslrootcert=system" },
	{ "self-ec256-sha256", "root", NULL,
	  X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, 0,
	  "the server's certificate is not accepted: self-signed certificate",
	  "a copy of it" },
	{ "expired", "root", NULL, X509_V_ERR_CERT_HAS_EXPIRED, 0,
	  "certificate has expired", "it was valid until 20" },
	{ "future", "root", NULL, X509_V_ERR_CERT_NOT_YET_VALID, 0,
	  "certificate is not yet valid", "look at the clock" },
	{ "client-use", "root", NULL, X509_V_ERR_INVALID_PURPOSE, 0,
	  "unsuitable certificate purpose", "extended key usage" },
	{ "forged", "root", NULL, X509_V_ERR_INVALID_CA, 1,
	  "invalid CA certificate", "no authority" },
	{ "revoked", "root", "root", X509_V_ERR_CERT_REVOKED, 0,
	  "certificate revoked", "took it back" },
	{ "direct", "root", "intermediate", X509_V_ERR_UNABLE_TO_GET_CRL, 0,
	  "unable to get certificate CRL", "this one's is missing" },
	{ "direct", "root", "stale", X509_V_ERR_CRL_HAS_EXPIRED, 0,
	  "CRL has expired",
	  "the revocation list was valid until 2020-01-02T00:00:00Z: fetch" },
	{ "odd-name", "other", NULL,
	  X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 0,
	  "subject CN=a\\1B[31m\\0A::set b\\\"c,OU=odd-name", "sslrootcert" },
};

static SSL_CTX *verifying(const struct chain *c,
			  struct pgw_tls_verdict *verdict)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	char file[64];

	snprintf(file, sizeof(file), "%s.crt", c->root);
	ck_assert_int_eq(X509_STORE_load_file(store, certs_path(file).text), 1);
	if (c->crl) {
		snprintf(file, sizeof(file), "%s.crl", c->crl);
		ck_assert_int_gt(X509_load_crl_file(X509_STORE_add_lookup(
							    store,
							    X509_LOOKUP_file()),
						    certs_path(file).text,
						    X509_FILETYPE_PEM),
				 0);
		X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK |
						    X509_V_FLAG_CRL_CHECK_ALL);
	}
	pgw_tls_verify(ctx, verdict);
	return ctx;
}

START_TEST(a_chain_is_good_or_the_reason_is_told)
{
	for (size_t i = 0; i < COUNT(chains); i++) {
		const struct chain *c = &chains[i];
		struct pgw_tls_verdict v;
		struct pgw_err err = { 0 };
		bool ok = shake_hands(verifying(c, &v),
				      server_context(c->server), NULL);

		ck_assert_msg(v.reason == c->reason, "%s: %d", c->server,
			      v.reason);
		ck_assert_int_eq(ok, c->reason == X509_V_OK);
		if (ok)
			continue;
		ck_assert_int_eq(v.depth, c->depth);
		ck_assert(!pgw_tls_verdict_fail(&v, &err));
		ck_assert_int_eq(err.code, PGW_E_TLS);
		ck_assert_msg(strstr(err.msg, c->msg) != NULL, "%s", err.msg);
		ck_assert_msg(strstr(err.hint, c->hint) != NULL, "%s",
			      err.hint);
	}
}

END_TEST

START_TEST(a_verdict_needs_no_names_and_no_memory)
{
	struct pgw_tls_verdict v = { .reason = X509_V_ERR_UNSPECIFIED,
				     .depth = 3 };
	struct pgw_err err = { 0 };

	ck_assert(!pgw_tls_verdict_fail(&v, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "(depth 3, subject without a "
					      "name, issuer without"));
	ck_assert_str_eq(err.hint, "");
	v.reason = X509_V_ERR_OUT_OF_MEM;
	ck_assert(!pgw_tls_verdict_fail(&v, &err));
	ck_assert_int_eq(err.code, PGW_E_NOMEM);
	v.reason = X509_V_ERR_CRL_NOT_YET_VALID;
	ck_assert(!pgw_tls_verdict_fail(&v, &err));
	ck_assert_ptr_nonnull(strstr(err.hint, "a time that is no time on"));
	/* As long as they can be. */
	v.reason = X509_V_ERR_CERT_HAS_EXPIRED;
	memset(v.subject, 's', sizeof(v.subject) - 1);
	memset(v.issuer, 'i', sizeof(v.issuer) - 1);
	ck_assert(!pgw_tls_verdict_fail(&v, &err));
	ck_assert_uint_eq(strlen(strrchr(err.msg, ' ')), 1 + 150 + 1);
}

END_TEST

/* ---- what binds a login */

static X509 *read_cert(const char *path)
{
	FILE *f = fopen(path, "r");
	X509 *cert;

	ck_assert_msg(f != NULL, "%s", path);
	cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	ck_assert_msg(cert != NULL, "%s", path);
	return cert;
}

static const struct {
	const char *name, *digest;
} bindings[] = {
	{ "self-rsa-md5", "SHA256" },
	{ "self-rsa-sha1", "SHA256" },
	{ "self-rsa-sha224", "SHA224" },
	{ "self-rsa-sha256", "SHA256" },
	{ "self-rsa-sha384", "SHA384" },
	{ "self-rsa-sha512", "SHA512" },
	{ "self-rsa-sha3-256", "SHA3-256" },
	{ "self-rsa-pss-sha384", "SHA384" },
	{ "self-rsapss-sha256", "SHA256" },
	{ "self-rsapss-sha512", "SHA512" },
	{ "self-ec256-sha1", "SHA256" },
	{ "self-ec256-sha256", "SHA256" },
	{ "self-ec384-sha384", "SHA384" },
	{ "self-ec521-sha512", "SHA512" },
	{ "self-ed25519", NULL },
	{ "self-ed448", NULL },
};

START_TEST(the_digest_of_the_signature_binds)
{
	for (size_t i = 0; i < COUNT(bindings); i++) {
		unsigned char want[EVP_MAX_MD_SIZE];
		struct pgw_err err = { 0 };
		struct pgw_buf got;
		unsigned n = 0;
		char file[64];
		X509 *cert;

		snprintf(file, sizeof(file), "%s.crt", bindings[i].name);
		cert = read_cert(certs_path(file).text);
		if (bindings[i].digest)
			X509_digest(cert,
				    EVP_get_digestbyname(bindings[i].digest),
				    want, &n);
		pgw_buf_init(&got, EVP_MAX_MD_SIZE);
		ck_assert(pgw_tls_end_point(cert, &got, &err));
		ck_assert_msg(got.len == n, "%s: %zu", file, got.len);
		if (n > 0)
			ck_assert_mem_eq(got.data, want, n);
		pgw_buf_release(&got);
		X509_free(cert);
	}
}

END_TEST

UNIT_MAIN_WITH_CERTS("tls_peer", a_chain_is_good_or_the_reason_is_told,
		     a_verdict_needs_no_names_and_no_memory,
		     the_digest_of_the_signature_binds)
