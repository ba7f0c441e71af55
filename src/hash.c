/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "hash.h"

#include <string.h>

void mz_hasher_init(struct mz_hasher *h)
{
	pgw_sha256_init(&h->sha);
	h->utf8 = true;
}

size_t mz_hasher_feed(struct mz_hasher *h, struct pgw_view v, bool last)
{
	size_t at = 0;

	while (at < v.n) {
		struct pgw_view rest = { v.p + at, v.n - at };
		size_t good, bad;

		if (pgw_utf8_valid(rest, &good))
			good = rest.n;
		pgw_sha256_update(&h->sha, rest.p, good);
		at += good;
		if (at == v.n)
			break;
		bad = pgw_utf8_bad_length(v.p + at, v.n - at);
		if (!last && bad == v.n - at)
			break;
		h->utf8 = false;
		pgw_sha256_update(&h->sha, "\xef\xbf\xbd", 3);
		at += bad;
	}
	return at;
}

void mz_hasher_final(struct mz_hasher *h, char out[MZ_HASH_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[PGW_SHA256_LEN];

	pgw_sha256_final(&h->sha, sum);
	for (size_t i = 0; i < sizeof(sum); i++) {
		out[2 * i] = digits[sum[i] >> 4];
		out[2 * i + 1] = digits[sum[i] & 15];
	}
	out[MZ_HASH_LEN] = '\0';
}

void mz_folder_hash(struct pgw_view text, char out[MZ_HASH_LEN + 1])
{
	struct mz_hasher h;

	mz_hasher_init(&h);
	mz_hasher_feed(&h, text, true);
	mz_hasher_final(&h, out);
}

/* No code point, whole or broken, reaches over a line end. */
static void hash_with_eol(struct pgw_view text, const char *eol,
			  char out[MZ_HASH_LEN + 1])
{
	struct mz_hasher h;
	size_t at = 0;

	mz_hasher_init(&h);
	while (at < text.n) {
		const unsigned char *lf = memchr(text.p + at, '\n',
						 text.n - at);
		size_t n = lf ? (size_t)(lf - text.p) - at : text.n - at;
		size_t line = n;

		if (lf && lf > text.p + at && lf[-1] == '\r')
			line--;
		mz_hasher_feed(&h, (struct pgw_view){ text.p + at, line },
			       true);
		if (lf)
			mz_hasher_feed(&h, pgw_view_of(eol), true);
		at += n + (lf ? 1 : 0);
	}
	mz_hasher_final(&h, out);
}

bool mz_folder_hash_is_eol(struct pgw_view text, const char *hash)
{
	char other[MZ_HASH_LEN + 1];

	hash_with_eol(text, "\n", other);
	if (strcmp(other, hash) == 0)
		return true;
	hash_with_eol(text, "\r\n", other);
	return strcmp(other, hash) == 0;
}
