/* SPDX-License-Identifier: MIT */
/* Authorities and what they sign, made while a test runs, in its folder. */
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include <check.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400L

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

/* Kinds of strings: V_ASN1_PRINTABLESTRING, ... */
static inline X509_NAME *name_of(int kind, const char *text, int n)
{
	X509_NAME *name = X509_NAME_new();

	ck_assert_int_eq(X509_NAME_add_entry_by_NID(name, NID_organizationName,
						    V_ASN1_PRINTABLESTRING,
						    (const unsigned char
							     *)"Test",
						    -1, -1, 0),
			 1);
	ck_assert_int_eq(X509_NAME_add_entry_by_NID(name, NID_commonName, kind,
						    (const unsigned char *)text,
						    n, -1, 0),
			 1);
	return name;
}

static inline void add_extension(X509 *cert, X509 *issuer, int nid,
				 const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

struct wish {
	X509_NAME *name;  /* taken over */
	EVP_PKEY *key;	  /* NULL = a new one */
	long from, until; /* seconds from now; both 0 = a day around it */
	bool leaf;
};

/* Signed by an authority, or by itself when there is none. */
static inline struct authority make(const struct authority *by,
				    struct wish wish)
{
	static long serial = 100;
	struct authority a = { wish.key, X509_new() };
	X509 *c = a.cert;

	if (a.key)
		EVP_PKEY_up_ref(a.key);
	else
		a.key = EVP_EC_gen("P-256");
	X509_set_version(c, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c), serial++);
	X509_gmtime_adj(X509_getm_notBefore(c), wish.until ? wish.from : -DAY);
	X509_gmtime_adj(X509_getm_notAfter(c), wish.until ? wish.until : DAY);
	X509_set_subject_name(c, wish.name);
	X509_set_issuer_name(c,
			     by ? X509_get_subject_name(by->cert) : wish.name);
	X509_NAME_free(wish.name);
	X509_set_pubkey(c, a.key);
	if (!wish.leaf)
		add_extension(c, c, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(c, c, NID_subject_key_identifier, "hash");
	add_extension(c, by ? by->cert : c, NID_authority_key_identifier,
		      "keyid:always");
	ck_assert_int_gt(X509_sign(c, by ? by->key : a.key, EVP_sha256()), 0);
	return a;
}

static inline struct authority make_root(const char *name)
{
	return make(NULL, (struct wish){
				  .name = name_of(V_ASN1_UTF8STRING, name, -1),
			  });
}

static inline struct authority make_leaf(const struct authority *by)
{
	return make(by, (struct wish){
				.name = name_of(V_ASN1_UTF8STRING, "leaf", -1),
				.leaf = true,
			});
}

/* Without what it revokes, when that is NULL. */
static inline X509_CRL *make_crl(const struct authority *by,
				 const X509 *revoked)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, -DAY);
	ASN1_TIME *next = X509_gmtime_adj(NULL, DAY);

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->cert));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, next);
	if (revoked) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER *n =
			ASN1_INTEGER_dup(X509_get0_serialNumber(revoked));

		X509_REVOKED_set_serialNumber(r, n);
		X509_REVOKED_set_revocationDate(r, now);
		X509_CRL_add0_revoked(crl, r);
		ASN1_INTEGER_free(n);
	}
	ck_assert_int_gt(X509_CRL_sign(crl, by->key, EVP_sha256()), 0);
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	return crl;
}

static inline void drop(struct authority *a)
{
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
}

/* ---- files */

static inline void append_cert(const char *path, X509 *cert)
{
	BIO *out = BIO_new_file(path, "a");

	ck_assert_int_eq(PEM_write_bio_X509(out, cert), 1);
	BIO_free(out);
}

static inline void append_crl(const char *path, X509_CRL *crl)
{
	BIO *out = BIO_new_file(path, "a");

	ck_assert_int_eq(PEM_write_bio_X509_CRL(out, crl), 1);
	BIO_free(out);
}

static inline void append_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "ae");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

#endif
