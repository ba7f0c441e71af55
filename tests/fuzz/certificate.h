/* SPDX-License-Identifier: MIT */
/* A certificate for who signs it. */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>

static inline void must_sign(bool ok)
{
	if (!ok)
		abort();
}

/* Nobody who is asked here looks at the time.  digest is NULL for Ed25519. */
static inline X509 *make_certificate(EVP_PKEY *key, const EVP_MD *digest,
				     const char *name)
{
	X509 *c = X509_new();

	must_sign(X509_set_version(c, 2));
	must_sign(ASN1_INTEGER_set(X509_get_serialNumber(c), 1));
	must_sign(ASN1_TIME_set_string(X509_getm_notBefore(c),
				       "20260101000000Z"));
	must_sign(
		ASN1_TIME_set_string(X509_getm_notAfter(c), "20460101000000Z"));
	must_sign(X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN",
					     MBSTRING_ASC,
					     (const unsigned char *)name, -1,
					     -1, 0));
	must_sign(X509_set_issuer_name(c, X509_get_subject_name(c)));
	must_sign(X509_set_pubkey(c, key));
	must_sign(X509_sign(c, key, digest) > 0);
	return c;
}

#endif
