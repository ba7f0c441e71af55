/* SPDX-License-Identifier: MIT */
/*
 * Roots and revocation lists that an X509_STORE asks for by name when a chain
 * needs them.  Only what has that name is parsed.
 */
#ifndef PGW_TLS_LOOKUP_H
#define PGW_TLS_LOOKUP_H

#include "buf.h"
#include "err.h"
#include "tls_bundle.h"

#include <openssl/x509_vfy.h>

struct pgw_lookup {
	struct pgw_buf roots;		 /* DER, one after the other */
	const struct pgw_bundle *bundle; /* for when they are asked for */
	unsigned char *unpacked;	 /* that bundle */

	/*
	 * Directories in the form of openssl rehash, separated by colons.
	 * Borrowed; NULL = none.
	 */
	const char *root_dirs;
	const char *crl_dir;
	X509_LOOKUP_METHOD *method;
};

struct pgw_lookup *pgw_lookup_new(void); /* NULL: out of memory */
void pgw_lookup_free(struct pgw_lookup *l);

bool pgw_lookup_has_roots(const struct pgw_lookup *l);

/* l is the store's from then on, except after a failure.  Errors: NOMEM. */
bool pgw_lookup_give(struct pgw_lookup *l, X509_STORE *store,
		     struct pgw_err *err) PGW_MUST_CHECK;

/* The next of a list of directories; false after the last. */
bool pgw_lookup_dir(const char **dirs, struct pgw_view *dir);

#endif
