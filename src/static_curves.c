/* SPDX-License-Identifier: MIT */
/*
 * For a static program only.  libcrypto has two ways to compute with P-256: one
 * for each processor, with a table of 150 kB that nothing compresses, and one
 * that needs none.  A handshake takes 0.6 ms longer by the second, and the
 * program stays below what it may weigh; see docs/size.md.  These stand in the
 * place of the first, which the linker then leaves out.
 */
#include <config.h>

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>

/* Debian's libcrypto for arm64 has the first only. */
#ifndef OPENSSL_NO_EC_NISTP_64_GCC_128

const EC_METHOD *EC_GFp_nistz256_method(void);
void *EC_nistz256_pre_comp_dup(void *table);
void EC_nistz256_pre_comp_free(void *table);

const EC_METHOD *EC_GFp_nistz256_method(void)
{
	return EC_GFp_nistp256_method();
}

/* There is no such table: they are called with NULL, if at all. */
void *EC_nistz256_pre_comp_dup(void *table)
{
	return table;
}

void EC_nistz256_pre_comp_free(void *table)
{
	(void)table;
}

#endif
