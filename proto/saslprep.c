/* SPDX-License-Identifier: MIT */
/*
 * What PostgreSQL does, on both sides of a login, and what RFC 4013 would
 * have it do, differ: the checks are made before the normalisation, not after
 * it; the normalisation is that of the current Unicode and not of 3.2; spaces
 * are mapped before U+200B can be dropped; and whatever fails a check is used
 * as it is instead of being refused.  The client must follow PostgreSQL to
 * the letter, or a password with the wrong character in it never logs in.
 */
#include <config.h>

#include "saslprep.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum kind {
	PLAIN,
	SPACE,	 /* becomes U+0020 */
	NOTHING, /* is left out */
	REFUSED, /* the whole password is taken as it is */
	RIGHT,	 /* written from right to left */
	LEFT,
};

/* Each row holds up to the next one's code point. */
static const struct {
	uint32_t first : 24, kind : 8;
} rows[] = {

#define ROW(first, kind) { first, kind },
#include "saslprep_table.h"
#undef ROW
};

static enum kind kind_of(uint32_t cp)
{
	size_t low = 0, high = sizeof(rows) / sizeof(rows[0]);

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (rows[middle].first <= cp)
			low = middle;
		else
			high = middle;
	}
	return (enum kind)rows[low].kind;
}

/* What the check of directions must remember of a string. */
struct seen {
	enum kind first, last;
	bool right, left;
};

static void see(struct seen *s, enum kind kind, bool is_first)
{
	if (is_first)
		s->first = kind;
	s->last = kind;
	s->right |= kind == RIGHT;
	s->left |= kind == LEFT;
}

/* RFC 3454, section 6 */
static bool directions_agree(const struct seen *s)
{
	return !s->right || (!s->left && s->first == RIGHT && s->last == RIGHT);
}

/* Map and check; false when the password must be taken as it is. */
static bool map(struct pgw_buf *mapped, struct pgw_view in)
{
	struct seen seen = { PLAIN, PLAIN, false, false };
	size_t at = 0, n;

	for (; at < in.n; at += n) {
		uint32_t cp;
		enum kind kind;

		n = pgw_utf8_next(in.p + at, in.n - at, &cp);
		if (n == 0)
			return false;
		kind = kind_of(cp);
		if (kind == REFUSED)
			return false;
		if (kind == NOTHING)
			continue;
		see(&seen, kind, mapped->len == 0);
		if (kind == SPACE)
			pgw_buf_put_u8(mapped, ' ');
		else
			pgw_buf_put(mapped, in.p + at, n);
	}
	return mapped->len > 0 && directions_agree(&seen);
}

static const utf8proc_option_t nfkc = UTF8PROC_STABLE | UTF8PROC_COMPAT |
				      UTF8PROC_COMPOSE;

/* The memory is ours, not utf8proc's, so that it can be wiped. */
static void normalise(struct pgw_buf *out, struct pgw_view in)
{
	utf8proc_ssize_t len = (utf8proc_ssize_t)in.n;
	utf8proc_ssize_t room = utf8proc_decompose(in.p, len, NULL, 0, nfkc);
	utf8proc_ssize_t n;
	utf8proc_int32_t *points;
	size_t size;

	if (room <= 0)
		goto fail;
	size = ((size_t)room + 1) * sizeof(*points); /* reencode adds a NUL */
	points = malloc(size);
	if (!points)
		goto fail;
	n = utf8proc_decompose(in.p, len, points, room, nfkc);
	if (n > 0)
		n = utf8proc_reencode(points, n, nfkc);
	if (n > 0)
		pgw_buf_put(out, points, (size_t)n);
	else
		out->failed = true;
	explicit_bzero(points, size);
	free(points);
	return;
fail:
	out->failed = true;
}

static bool is_ascii(struct pgw_view v)
{
	unsigned char all = 0;

	for (size_t i = 0; i < v.n; i++)
		all |= v.p[i];
	return all < 0x80;
}

void pgw_saslprep(struct pgw_buf *out, struct pgw_view password)
{
	struct pgw_buf mapped;
	bool fit;

	if (password.n > PGW_PASSWORD_MAX) {
		out->failed = true;
		return;
	}
	if (is_ascii(password)) {
		pgw_buf_put(out, password.p, password.n);
		return;
	}
	pgw_buf_init(&mapped, PGW_PASSWORD_MAX);
	fit = map(&mapped, password);
	if (mapped.failed)
		out->failed = true;
	else if (fit)
		normalise(out, pgw_buf_view(&mapped));
	else
		pgw_buf_put(out, password.p, password.n);
	pgw_buf_release(&mapped);
}
