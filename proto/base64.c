/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";

void pgw_base64_encode(struct pgw_buf *out, struct pgw_view in)
{
	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t bits = (uint32_t)in.p[i] << 16;
		char four[4];

		if (left > 1)
			bits |= (uint32_t)in.p[i + 1] << 8;
		if (left > 2)
			bits |= in.p[i + 2];
		four[0] = alphabet[bits >> 18];
		four[1] = alphabet[bits >> 12 & 63];
		four[2] = '=';
		four[3] = '=';
		if (left > 1)
			four[2] = alphabet[bits >> 6 & 63];
		if (left > 2)
			four[3] = alphabet[bits & 63];
		pgw_buf_put(out, four, sizeof(four));
	}
}

/* Without a table, so that a key's bytes leave no trace in the cache. */
static uint32_t value_of(uint32_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : UINT32_MAX;
}

/* Of four characters, the last pad of which are '='. */
static bool decode_four(struct pgw_buf *out, const unsigned char *p, size_t pad)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		uint32_t v = i < 4 - pad ? value_of(p[i]) : 0;

		if (v == UINT32_MAX)
			return false;
		bits = bits << 6 | v;
	}
	/* Bits that no byte takes must be 0: one text for each sequence. */
	if (pad > 0 && (bits & (pad == 1 ? 0xff : 0xffff)) != 0)
		return false;
	pgw_buf_put_u8(out, (uint8_t)(bits >> 16));
	if (pad < 2)
		pgw_buf_put_u8(out, (uint8_t)(bits >> 8 & 0xff));
	if (pad < 1)
		pgw_buf_put_u8(out, (uint8_t)(bits & 0xff));
	return true;
}

bool pgw_base64_decode(struct pgw_buf *out, struct pgw_view in)
{
	if (in.n % 4 != 0)
		return false;
	for (size_t i = 0; i < in.n; i += 4) {
		const unsigned char *p = in.p + i;
		size_t pad = 0;

		if (i + 4 == in.n && p[3] == '=')
			pad = p[2] == '=' ? 2 : 1;
		if (!decode_four(out, p, pad))
			return false;
	}
	return true;
}
