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

void mz_hex(char *out, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

void mz_hasher_final(struct mz_hasher *h, char out[MZ_HASH_LEN + 1])
{
	unsigned char sum[PGW_SHA256_LEN];

	pgw_sha256_final(&h->sha, sum);
	mz_hex(out, sum, sizeof(sum));
}

void mz_folder_hash(struct pgw_view text, char out[MZ_HASH_LEN + 1])
{
	struct mz_hasher h;

	mz_hasher_init(&h);
	mz_hasher_feed(&h, text, true);
	mz_hasher_final(&h, out);
}

void mz_eol_hasher_init(struct mz_eol_hasher *h)
{
	mz_hasher_init(&h->lf);
	mz_hasher_init(&h->crlf);
}

/* No code point, whole or broken, reaches over a line end. */
static void feed_line(struct mz_hasher *h, struct pgw_view line, bool ends,
		      const char *eol)
{
	mz_hasher_feed(h, line, true);
	if (ends)
		mz_hasher_feed(h, pgw_view_of(eol), true);
}

void mz_eol_hasher_feed(struct mz_eol_hasher *h, struct pgw_view lines)
{
	size_t at = 0;

	while (at < lines.n) {
		const unsigned char *lf = memchr(lines.p + at, '\n',
						 lines.n - at);
		size_t n = lf ? (size_t)(lf - lines.p) - at : lines.n - at;
		struct pgw_view line = { lines.p + at, n };

		if (lf && n > 0 && lf[-1] == '\r')
			line.n--;
		feed_line(&h->lf, line, lf, "\n");
		feed_line(&h->crlf, line, lf, "\r\n");
		at += n + (lf ? 1 : 0);
	}
}

bool mz_eol_hasher_is(struct mz_eol_hasher *h, const char *hash)
{
	char lf[MZ_HASH_LEN + 1], crlf[MZ_HASH_LEN + 1];

	mz_hasher_final(&h->lf, lf);
	mz_hasher_final(&h->crlf, crlf);
	return strcmp(lf, hash) == 0 || strcmp(crlf, hash) == 0;
}
