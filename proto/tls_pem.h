/* SPDX-License-Identifier: MIT */
/*
 * Files of certificates and revocation lists: PEM with any text around the
 * blocks, or one DER.  They become their DER, one after the other.
 */
#ifndef PGW_TLS_PEM_H
#define PGW_TLS_PEM_H

#include "buf.h"
#include "err.h"

#define PGW_PEM_MAX (8u << 20)

enum pgw_pem_kind {
	PGW_PEM_CERTIFICATE,
	PGW_PEM_CRL,
};

struct pgw_pem {
	size_t count; /* blocks of the kind that can be read */
	size_t bad;   /* the number of the first that cannot; 0 = none */
};

/* In place.  Blocks of other kinds and bad ones are left out. */
void pgw_pem_decode(struct pgw_buf *text, enum pgw_pem_kind kind,
		    struct pgw_pem *found);

/*
 * The same for a file.  Errors: TLS (it is not there, cannot be read, is no
 * plain file or larger than PGW_PEM_MAX), NOMEM.
 */
bool pgw_pem_file(const char *path, enum pgw_pem_kind kind, struct pgw_buf *out,
		  struct pgw_pem *found, struct pgw_err *err) PGW_MUST_CHECK;

#endif
