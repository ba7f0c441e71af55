/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "utf8.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Table 3-7 of the Unicode standard: which bytes may follow which. */
static const struct {
	unsigned char first, last; /* of the leading byte */
	unsigned char low, high;   /* of the second byte */
	unsigned char length, mask;
} rows[] = {
	{ 0x00, 0x7f, 0x00, 0x00, 1, 0x7f },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f },
	{ 0xe1, 0xec, 0x80, 0xbf, 3, 0x0f },
	{ 0xed, 0xed, 0x80, 0x9f, 3, 0x0f },
	{ 0xee, 0xef, 0x80, 0xbf, 3, 0x0f },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4, 0x07 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4, 0x07 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4, 0x07 },
};

/* How many bytes at p are as they must be; *want is how many there must be. */
static size_t well_formed(const unsigned char *p, size_t n, size_t *want,
			  uint32_t *cp)
{
	size_t row = 0, i;

	while (row < sizeof(rows) / sizeof(rows[0]) &&
	       (p[0] < rows[row].first || p[0] > rows[row].last))
		row++;
	*want = SIZE_MAX;
	if (row == sizeof(rows) / sizeof(rows[0]))
		return 0;
	*want = rows[row].length;
	*cp = p[0] & rows[row].mask;
	for (i = 1; i < *want && i < n; i++) {
		if (p[i] < (i == 1 ? rows[row].low : 0x80) ||
		    p[i] > (i == 1 ? rows[row].high : 0xbf))
			break;
		*cp = *cp << 6 | (p[i] & 0x3f);
	}
	return i;
}

size_t pgw_utf8_next(const unsigned char *p, size_t n, uint32_t *cp)
{
	uint32_t unused;
	size_t want;

	if (n == 0 || well_formed(p, n, &want, cp ? cp : &unused) != want)
		return 0;
	return want;
}

/* Behind the ASCII bytes from at on, which are most of most texts. */
static size_t skip_ascii(struct pgw_view v, size_t at)
{
	uint64_t words[4];

	while (v.n - at >= sizeof(words)) {
		memcpy(words, v.p + at, sizeof(words));
		if ((words[0] | words[1] | words[2] | words[3]) & HIGH_BITS)
			break;
		at += sizeof(words);
	}
	while (at < v.n && v.p[at] < 0x80)
		at++;
	return at;
}

bool pgw_utf8_valid(struct pgw_view v, size_t *bad)
{
	size_t at = 0;

	while ((at = skip_ascii(v, at)) < v.n) {
		size_t n = pgw_utf8_next(v.p + at, v.n - at, NULL);

		if (n == 0) {
			*bad = at;
			return false;
		}
		at += n;
	}
	return true;
}

size_t pgw_utf8_bad_length(const unsigned char *p, size_t n)
{
	uint32_t cp;
	size_t want, good = well_formed(p, n, &want, &cp);

	return good > 0 ? good : 1;
}
