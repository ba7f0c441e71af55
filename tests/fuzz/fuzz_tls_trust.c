/* SPDX-License-Identifier: MIT */
/*
 * A file of certificates and revocation lists.  Each certificate in it that
 * OpenSSL can read has to be found by its subject, whatever else is there.
 */
#include <config.h>

#include "tls_der.h"
#include "tls_lookup.h"
#include "tls_pem.h"

#include <openssl/x509.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const struct pgw_bundle *pgw_bundle(void)
{
	static const struct pgw_bundle none;

	return &none;
}

static void decode(const uint8_t *data, size_t size, enum pgw_pem_kind kind,
		   struct pgw_buf *out)
{
	struct pgw_pem found;

	pgw_buf_init(out, PGW_PEM_MAX);
	pgw_buf_put(out, data, size);
	if (out->failed)
		abort();
	pgw_pem_decode(out, kind, &found);
	if (out->len > size || (out->len == 0) != (found.count == 0))
		abort();
}

static void look_for(X509_STORE *store, X509_LOOKUP_TYPE type,
		     const X509_NAME *name, bool there)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_OBJECT *found = X509_OBJECT_new();

	if (!ctx || !found || X509_STORE_CTX_init(ctx, store, NULL, NULL) != 1)
		abort();
	if (X509_STORE_CTX_get_by_subject(ctx, type, name, found) != 1 && there)
		abort();
	X509_OBJECT_free(found);
	X509_STORE_CTX_free(ctx);
}

/* A name without any print is not one that a root can have. */
static void look_for_all(X509_STORE *store, struct pgw_view run)
{
	struct pgw_cur c = pgw_cur_of(run);

	while (c.p < c.end) {
		struct pgw_view der = pgw_der_whole(&c);
		const unsigned char *p = der.p;
		X509 *cert;

		if (c.bad)
			abort();
		cert = d2i_X509(NULL, &p, (long)der.n);
		if (cert && p == der.p + der.n) {
			look_for(store, X509_LU_X509,
				 X509_get_subject_name(cert), true);
			look_for(store, X509_LU_CRL, X509_get_issuer_name(cert),
				 false);
		}
		X509_free(cert);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	X509_STORE *store = X509_STORE_new();
	struct pgw_lookup *l = pgw_lookup_new();
	struct pgw_buf crls, certs;
	struct pgw_err err;

	if (!store || !l)
		abort();
	decode(data, size, PGW_PEM_CRL, &crls);
	pgw_buf_release(&crls);
	decode(data, size, PGW_PEM_CERTIFICATE, &certs);
	decode(data, size, PGW_PEM_CERTIFICATE, &l->roots);
	if (!pgw_lookup_give(l, store, &err))
		abort();
	look_for_all(store, pgw_buf_view(&certs));
	pgw_buf_release(&certs);
	X509_STORE_free(store);
	return 0;
}
