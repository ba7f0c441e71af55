/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "reading.h"
#include "tls_der.h"
#include "tls_lookup.h"
#include "tls_pem.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define DIR_MAX 4000
#define SAME_HASH_MAX 100u

/* ---- what is found goes to the store, which keeps it */

struct wanted {
	X509_STORE *store;
	X509_LOOKUP_TYPE type;
	const X509_NAME *name;
};

/* All of a name, not only the first: OpenSSL takes the one that fits. */
static void offer_root(const struct wanted *w, struct pgw_view der)
{
	const unsigned char *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);

	if (cert && p == der.p + der.n &&
	    X509_NAME_cmp(X509_get_subject_name(cert), w->name) == 0)
		X509_STORE_add_cert(w->store, cert);
	X509_free(cert);
}

static void offer_crl(const struct wanted *w, struct pgw_view der)
{
	const unsigned char *p = der.p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.n);

	if (crl && p == der.p + der.n &&
	    X509_NAME_cmp(X509_CRL_get_issuer(crl), w->name) == 0)
		X509_STORE_add_crl(w->store, crl);
	X509_CRL_free(crl);
}

/*
 * Answer with what the store has of that name now.  Who asked takes a
 * reference of its own, so that the one of out is given back at once.
 */
static bool answer(const struct wanted *w, X509_OBJECT *out)
{
	X509_OBJECT *found;
	bool ok = false;

	X509_STORE_lock(w->store);
	found = X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(
							w->store),
						w->type, w->name);
	if (found && w->type == X509_LU_X509) {
		X509 *cert = X509_OBJECT_get0_X509(found);

		ok = X509_OBJECT_set1_X509(out, cert) == 1;
		if (ok)
			X509_free(cert);
	} else if (found) {
		X509_CRL *crl = X509_OBJECT_get0_X509_CRL(found);

		ok = X509_OBJECT_set1_X509_CRL(out, crl) == 1;
		if (ok)
			X509_CRL_free(crl);
	}
	X509_STORE_unlock(w->store);
	return ok;
}

/* ---- where it is looked for */

static bool print_of(const X509_NAME *name, uint32_t *print)
{
	struct pgw_view der;
	struct pgw_cur c;

	if (X509_NAME_get0_der(name, &der.p, &der.n) != 1)
		return false;
	c = pgw_cur_of(der);
	return pgw_der_name_print(pgw_der_take(&c, PGW_DER_SEQUENCE), print);
}

static void find_roots(const struct wanted *w, struct pgw_view certs)
{
	struct pgw_cur c = pgw_cur_of(certs);
	uint32_t print, other;
	struct pgw_view name;

	if (!print_of(w->name, &print))
		return;
	while (c.p < c.end) {
		struct pgw_view der = pgw_der_whole(&c);

		if (c.bad)
			break;
		if (pgw_der_subject(der, &name) &&
		    pgw_der_name_print(name, &other) && other == print)
			offer_root(w, der);
	}
}

static void find_crls(const struct wanted *w, struct pgw_view crls)
{
	struct pgw_cur c = pgw_cur_of(crls);

	while (c.p < c.end) {
		struct pgw_view der = pgw_der_whole(&c);

		if (c.bad)
			break;
		offer_crl(w, der);
	}
}

bool pgw_lookup_dir(const char **dirs, struct pgw_view *dir)
{
	while (*dirs) {
		*dir = (struct pgw_view){ .p = (const unsigned char *)*dirs,
					  .n = strcspn(*dirs, ":") };
		*dirs = (*dirs)[dir->n] == ':' ? *dirs + dir->n + 1 : NULL;
		if (dir->n > 0)
			return true;
	}
	return false;
}

/* HASH.0, HASH.1, ...; of revocation lists HASH.r0, ... */
static void find_in_dir(const struct wanted *w, struct pgw_view dir,
			enum pgw_pem_kind kind)
{
	bool crl = kind == PGW_PEM_CRL;
	int ok = 0;
	unsigned long hash = X509_NAME_hash_ex(w->name, NULL, NULL, &ok);
	char path[DIR_MAX + 32];

	if (!ok || dir.n > DIR_MAX)
		return;
	for (unsigned i = 0; i < SAME_HASH_MAX; i++) {
		struct pgw_buf text;
		struct pgw_pem found;
		struct pgw_err err;

		snprintf(path, sizeof(path), "%.*s/%08lx.%s%u", (int)dir.n,
			 (const char *)dir.p, hash, crl ? "r" : "", i);
		if (!pgw_pem_file(path, kind, &text, &found, &err))
			break;
		if (crl)
			find_crls(w, pgw_buf_view(&text));
		else
			find_roots(w, pgw_buf_view(&text));
		pgw_buf_release(&text);
	}
}

static struct pgw_view certs_of(struct pgw_lookup *l)
{
	uLongf size;

	if (!l->bundle)
		return pgw_buf_view(&l->roots);
	size = (uLongf)l->bundle->size;
	if (!l->unpacked) {
		l->unpacked = malloc(size);
		if (l->unpacked &&
		    (uncompress(l->unpacked, &size, l->bundle->packed,
				(uLong)l->bundle->packed_size) != Z_OK ||
		     size != l->bundle->size)) {
			free(l->unpacked);
			l->unpacked = NULL;
		}
	}
	return (struct pgw_view){ l->unpacked, l->unpacked ? size : 0 };
}

/* ---- as OpenSSL's method */

/* What goes wrong is as if there were nothing: the chain is not accepted. */
static int by_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type,
		      const X509_NAME *name, X509_OBJECT *out)
{
	struct pgw_lookup *l = X509_LOOKUP_get_method_data(lookup);
	struct wanted w = { .store = X509_LOOKUP_get_store(lookup),
			    .type = type,
			    .name = name };
	enum pgw_pem_kind kind = type == X509_LU_CRL ? PGW_PEM_CRL :
						       PGW_PEM_CERTIFICATE;
	const char *dirs = type == X509_LU_CRL ? l->crl_dir : l->root_dirs;
	struct pgw_view dir;
	bool ok;

	if (type != X509_LU_CRL && type != X509_LU_X509)
		return 0;
	ERR_set_mark();
	if (type == X509_LU_X509)
		find_roots(&w, certs_of(l));
	while (pgw_lookup_dir(&dirs, &dir))
		find_in_dir(&w, dir, kind);
	ok = answer(&w, out);
	ERR_pop_to_mark();
	return ok;
}

/* The method goes with its only user: OpenSSL is done with it by then. */
static void free_lookup(X509_LOOKUP *lookup)
{
	pgw_lookup_free(X509_LOOKUP_get_method_data(lookup));
}

struct pgw_lookup *pgw_lookup_new(void)
{
	struct pgw_lookup *l = malloc(sizeof(*l));

	if (!l)
		return NULL;
	*l = (struct pgw_lookup){ .method = X509_LOOKUP_meth_new("mizzle") };
	pgw_buf_init(&l->roots, PGW_PEM_MAX);
	if (l->method &&
	    X509_LOOKUP_meth_set_get_by_subject(l->method, by_subject) == 1 &&
	    X509_LOOKUP_meth_set_free(l->method, free_lookup) == 1)
		return l;
	pgw_lookup_free(l);
	return NULL;
}

void pgw_lookup_free(struct pgw_lookup *l)
{
	if (!l)
		return;
	X509_LOOKUP_meth_free(l->method);
	pgw_buf_release(&l->roots);
	free(l->unpacked);
	free(l);
}

bool pgw_lookup_has_roots(const struct pgw_lookup *l)
{
	return l->roots.len > 0 || l->bundle || l->root_dirs;
}

bool pgw_lookup_give(struct pgw_lookup *l, X509_STORE *store,
		     struct pgw_err *err)
{
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, l->method);

	if (!lookup)
		return pgw_nomem(err);
	X509_LOOKUP_set_method_data(lookup, l);
	return true;
}
