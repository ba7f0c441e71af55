/* SPDX-License-Identifier: MIT */
/*
 * The little cryptography that logging in and hashing files needs.  Without
 * TLS nothing of OpenSSL is initialised: the low-level digests are used.
 */
#ifndef PGW_CRYPTO_H
#define PGW_CRYPTO_H

#include "buf.h"
#include "err.h"

#define PGW_SHA256_LEN 32
#define PGW_MD5_PASSWORD 36 /* "md5", 32 hex digits, NUL */

/* A hash under way.  Copying it forks the hash; wipe it if it saw a secret. */
struct pgw_sha256 {
	uint32_t state[32]; /* OpenSSL's, which only crypto.c knows */
};

void pgw_sha256_init(struct pgw_sha256 *h);
void pgw_sha256_update(struct pgw_sha256 *h, const void *data, size_t n);
void pgw_sha256_final(struct pgw_sha256 *h, unsigned char out[PGW_SHA256_LEN]);

/*
 * HMAC with a fixed key: the two padded blocks are hashed only once.  Wipe it
 * when it is no longer needed: it is as good as the key.
 */
struct pgw_hmac {
	struct pgw_sha256 inner, outer;
};

void pgw_hmac_init(struct pgw_hmac *h, struct pgw_view key);
void pgw_hmac(const struct pgw_hmac *h, struct pgw_view data,
	      unsigned char out[PGW_SHA256_LEN]);

/* "md5" and 32 hex digits, as PostgreSQL wants them. */
bool pgw_md5_password(const char *password, const char *user,
		      const unsigned char salt[4], char out[PGW_MD5_PASSWORD],
		      struct pgw_err *err) PGW_MUST_CHECK;

/* True random bytes from the kernel. */
bool pgw_random(void *out, size_t n, struct pgw_err *err) PGW_MUST_CHECK;

/* True when the n bytes are equal; takes the same time wherever they differ. */
bool pgw_same(const void *a, const void *b, size_t n);

/*
 * Where all of OpenSSL gets its memory in this process; for a program, before
 * it does anything else with it.  False when it is too late.
 */
bool pgw_crypto_memory(void *(*get)(size_t n, const char *file, int line),
		       void *(*resize)(void *p, size_t n, const char *file,
				       int line),
		       void (*give)(void *p, const char *file, int line));

/* Wipe; the compiler cannot leave it out. */
void pgw_wipe(void *p, size_t n);

#endif
