/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL 3 calls these digests deprecated, yet they are what runs without
 * setting up providers first: that costs a connection without TLS more time
 * than all the hashing of its login.
 */
#include <config.h>

#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/opensslconf.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/random.h>

#ifndef OPENSSL_NO_MD5
#include <openssl/md5.h>
#endif

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct pgw_sha256),
	       "OpenSSL's state does not fit");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct pgw_sha256),
	       "OpenSSL's state needs a stricter alignment");

static SHA256_CTX *ctx_of(struct pgw_sha256 *h)
{
	return (SHA256_CTX *)(void *)h->state;
}

/* None of the three can fail: they only compute. */
void pgw_sha256_init(struct pgw_sha256 *h)
{
	SHA256_Init(ctx_of(h));
}

void pgw_sha256_update(struct pgw_sha256 *h, const void *data, size_t n)
{
	if (n > 0)
		SHA256_Update(ctx_of(h), data, n);
}

void pgw_sha256_final(struct pgw_sha256 *h, unsigned char out[PGW_SHA256_LEN])
{
	SHA256_Final(out, ctx_of(h));
}

static void start_padded(struct pgw_sha256 *h,
			 const unsigned char key[SHA256_CBLOCK],
			 unsigned char pad)
{
	unsigned char block[SHA256_CBLOCK];

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = key[i] ^ pad;
	pgw_sha256_init(h);
	pgw_sha256_update(h, block, sizeof(block));
	pgw_wipe(block, sizeof(block));
}

void pgw_hmac_init(struct pgw_hmac *h, struct pgw_view key)
{
	unsigned char block[SHA256_CBLOCK] = { 0 };

	if (key.n > sizeof(block)) {
		pgw_sha256_init(&h->inner);
		pgw_sha256_update(&h->inner, key.p, key.n);
		pgw_sha256_final(&h->inner, block);
	} else if (key.n > 0) {
		memcpy(block, key.p, key.n);
	}
	start_padded(&h->inner, block, 0x36);
	start_padded(&h->outer, block, 0x5c);
	pgw_wipe(block, sizeof(block));
}

void pgw_hmac(const struct pgw_hmac *h, struct pgw_view data,
	      unsigned char out[PGW_SHA256_LEN])
{
	struct pgw_sha256 fork = h->inner;
	unsigned char digest[PGW_SHA256_LEN];

	pgw_sha256_update(&fork, data.p, data.n);
	pgw_sha256_final(&fork, digest);
	fork = h->outer;
	pgw_sha256_update(&fork, digest, sizeof(digest));
	pgw_sha256_final(&fork, out);
	pgw_wipe(&fork, sizeof(fork));
	pgw_wipe(digest, sizeof(digest));
}

#ifndef OPENSSL_NO_MD5
static bool md5_hex(struct pgw_view a, struct pgw_view b, char out[33])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[MD5_DIGEST_LENGTH];
	MD5_CTX ctx;
	bool ok = MD5_Init(&ctx) && MD5_Update(&ctx, a.p, a.n) &&
		  MD5_Update(&ctx, b.p, b.n) && MD5_Final(digest, &ctx);

	if (ok) {
		for (size_t i = 0; i < sizeof(digest); i++) {
			out[2 * i] = digits[digest[i] >> 4];
			out[2 * i + 1] = digits[digest[i] & 15];
		}
		out[32] = '\0';
	}
	pgw_wipe(&ctx, sizeof(ctx));
	pgw_wipe(digest, sizeof(digest));
	return ok;
}
#else
static bool md5_hex(struct pgw_view a, struct pgw_view b, char out[33])
{
	(void)a;
	(void)b;
	out[0] = '\0';
	return false;
}
#endif

bool pgw_md5_password(const char *password, const char *user,
		      const unsigned char salt[4], char out[PGW_MD5_PASSWORD],
		      struct pgw_err *err)
{
	static const char mark[3] = { 'm', 'd', '5' };
	char stored[33]; /* what the server keeps: as good as the password */
	bool ok = md5_hex(pgw_view_of(password), pgw_view_of(user), stored) &&
		  md5_hex(pgw_view_of(stored), (struct pgw_view){ salt, 4 },
			  out + 3);

	pgw_wipe(stored, sizeof(stored));
	if (!ok) {
		pgw_fail(err, PGW_E_UNSUPPORTED,
			 "the server asks for MD5 authentication, and OpenSSL "
			 "here has no MD5");
		return pgw_hint(err, "have the password stored for "
				     "scram-sha-256 on the server");
	}
	memcpy(out, mark, sizeof(mark));
	return true;
}

bool pgw_random(void *out, size_t n, struct pgw_err *err)
{
	unsigned char *at = out;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno != EINTR)
			return pgw_fail(err, PGW_E_IO,
					"no random bytes from the system: %s",
					strerror(errno));
		if (got > 0) {
			at += got;
			n -= (size_t)got;
		}
	}
	return true;
}

bool pgw_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void pgw_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

bool pgw_crypto_memory(void *(*get)(size_t n, const char *file, int line),
		       void *(*resize)(void *p, size_t n, const char *file,
				       int line),
		       void (*give)(void *p, const char *file, int line))
{
	return CRYPTO_set_mem_functions(get, resize, give) == 1;
}
