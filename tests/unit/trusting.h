/* SPDX-License-Identifier: MIT */
/*
 * A folder with certificates, and chains against what pgw_tls_trust makes of
 * them.  For programs linked with --wrap=d2i_X509, to count what is parsed.
 */
#ifndef TRUSTING_H
#define TRUSTING_H

#include "authority.h"
#include "tls_trust.h"
#include "tree.h"

/* ---- counting */

static int parsed;

X509 *__real_d2i_X509(X509 **to, const unsigned char **in, long n);
X509 *__wrap_d2i_X509(X509 **to, const unsigned char **in, long n);

X509 *__wrap_d2i_X509(X509 **to, const unsigned char **in, long n)
{
	parsed++;
	return __real_d2i_X509(to, in, n);
}

/* ---- asking */

/* What a handshake would say of a leaf that comes with an intermediate. */
static inline int verify_with(const struct pgw_tls_settings *s, X509 *leaf,
			      X509 *intermediate)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	X509_STORE_CTX *chain = X509_STORE_CTX_new();
	STACK_OF(X509) *sent = sk_X509_new_null();
	struct pgw_err err = { 0 };
	bool roots = false;
	int reason;

	if (intermediate)
		sk_X509_push(sent, intermediate);
	ck_assert_msg(pgw_tls_trust(ctx, s, &roots, &err), "%s", err.msg);
	ck_assert(roots);
	X509_STORE_CTX_init(chain, SSL_CTX_get_cert_store(ctx), leaf, sent);
	parsed = 0;
	X509_verify_cert(chain);
	reason = X509_STORE_CTX_get_error(chain);
	X509_STORE_CTX_free(chain);
	sk_X509_free(sent);
	SSL_CTX_free(ctx);
	return reason;
}

static inline int verify(const struct pgw_tls_settings *s,
			 const struct authority *a)
{
	return verify_with(s, a->cert, NULL);
}

/* The message of a failure, with its hint. */
static inline const char *refused(const struct pgw_tls_settings *s)
{
	static char text[PGW_ERR_MAX + PGW_HINT_MAX + 2];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct pgw_err err = { 0 };
	bool roots = true;

	ck_assert(!pgw_tls_trust(ctx, s, &roots, &err));
	ck_assert_int_eq(err.code, PGW_E_TLS);
	ck_assert(!roots);
	snprintf(text, sizeof(text), "%s; %s", err.msg, err.hint);
	SSL_CTX_free(ctx);
	return text;
}

static inline bool says(const char *text, const char *part)
{
	if (strstr(text, part))
		return true;
	fprintf(stderr, "\"%s\" is not in: %s\n", part, text);
	return false;
}

/* ---- files */

static struct tree t;
static struct authority root, other, leaf;

static inline void set_up(void)
{
	tree_init(&t);
	root = make_root("Root");
	other = make_root("Other");
	leaf = make_leaf(&root);
}

static inline void tear_down(void)
{
	drop(&root);
	drop(&other);
	drop(&leaf);
	tree_release(&t);
}

/* A path in the folder, to be freed. */
static inline char *at(const char *name)
{
	return strdup(tree_path(&t, name));
}

/* Many authorities that nobody asks for, and root somewhere among them. */
static inline void write_many(const char *path, int n)
{
	for (int i = 0; i < n; i++) {
		char name[32];
		struct authority a;

		if (i == n / 2)
			append_cert(path, root.cert);
		snprintf(name, sizeof(name), "Authority %d", i);
		a = make_root(name);
		append_cert(path, a.cert);
		drop(&a);
	}
}

/* Named as openssl rehash names it. */
static inline void put_hashed(const char *dir, X509 *cert, int number)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/%08lx.%d", dir,
		 X509_subject_name_hash(cert), number);
	tree_put(&t, name, "");
	append_cert(t.path, cert);
}

static inline void put_crl(const char *path, const struct authority *by,
			   const X509 *revoked)
{
	X509_CRL *crl = make_crl(by, revoked);

	append_crl(path, crl);
	X509_CRL_free(crl);
}

#endif
