/* SPDX-License-Identifier: MIT */
/*
 * Certificates of public authorities inside of the program, for machines that
 * have none: tools/bundle.c packs them when it is built.
 */
#ifndef PGW_TLS_BUNDLE_H
#define PGW_TLS_BUNDLE_H

#include <stddef.h>

struct pgw_bundle {
	const unsigned char *packed; /* by zlib */
	size_t packed_size;
	size_t size;  /* unpacked: DER, one after the other */
	size_t count; /* 0 = built without */
};

const struct pgw_bundle *pgw_bundle(void);

#endif
