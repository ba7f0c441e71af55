/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tls_der.h"

enum {
	INTEGER = 0x02,
	OID = 0x06,
	UTF8_STRING = 0x0c,
	PRINTABLE_STRING = 0x13,
	T61_STRING = 0x14,
	IA5_STRING = 0x16,
	UNIVERSAL_STRING = 0x1c,
	BMP_STRING = 0x1e,
	EXPLICIT_0 = 0xa0,
};

#define LONG_FORM 0x80u
#define LENGTH_BYTES_MAX 3u

/* ---- values */

static size_t take_length(struct pgw_cur *c)
{
	unsigned first = pgw_cur_u8(c);
	size_t n = 0;

	if (first < LONG_FORM)
		return first;
	if (first == LONG_FORM || first > LONG_FORM + LENGTH_BYTES_MAX) {
		c->bad = true;
		return 0;
	}
	for (; first > LONG_FORM; first--)
		n = n << 8 | pgw_cur_u8(c);
	return n;
}

static struct pgw_view take_any(struct pgw_cur *c, unsigned *tag)
{
	*tag = pgw_cur_u8(c);
	return pgw_cur_take(c, take_length(c));
}

struct pgw_view pgw_der_take(struct pgw_cur *c, unsigned tag)
{
	unsigned found;
	struct pgw_view content = take_any(c, &found);

	if (found != tag)
		c->bad = true;
	return content;
}

struct pgw_view pgw_der_whole(struct pgw_cur *c)
{
	struct pgw_view whole = { .p = c->p };
	unsigned tag;

	take_any(c, &tag);
	whole.n = c->bad ? 0 : (size_t)(c->p - whole.p);
	return whole;
}

/* ---- certificates */

static bool next_is(const struct pgw_cur *c, unsigned tag)
{
	return !c->bad && c->p < c->end && *c->p == tag;
}

bool pgw_der_subject(struct pgw_view cert, struct pgw_view *name)
{
	struct pgw_cur c = pgw_cur_of(cert);

	c = pgw_cur_of(pgw_der_take(&c, PGW_DER_SEQUENCE));
	c = pgw_cur_of(pgw_der_take(&c, PGW_DER_SEQUENCE));
	if (next_is(&c, EXPLICIT_0))
		pgw_der_take(&c, EXPLICIT_0);
	pgw_der_take(&c, INTEGER);	    /* its number */
	pgw_der_take(&c, PGW_DER_SEQUENCE); /* the algorithm */
	pgw_der_take(&c, PGW_DER_SEQUENCE); /* the issuer */
	pgw_der_take(&c, PGW_DER_SEQUENCE); /* from when to when */
	*name = pgw_der_take(&c, PGW_DER_SEQUENCE);
	return !c.bad;
}

/* ---- names */

static uint32_t mix(uint32_t h, uint32_t c)
{
	return (h ^ c) * 16777619u; /* FNV-1a */
}

static uint32_t mix_char(uint32_t h, uint32_t c)
{
	if (c >= 0x80 || c == ' ' || (c >= '\t' && c <= '\r'))
		return h;
	return mix(h, c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* How many bytes a character takes; 0 = not compared as text. */
static size_t width_of(unsigned tag)
{
	switch (tag) {
	case UTF8_STRING:
	case PRINTABLE_STRING:
	case T61_STRING:
	case IA5_STRING:
		return 1;
	case BMP_STRING:
		return 2;
	case UNIVERSAL_STRING:
		return 4;
	default:
		return 0;
	}
}

/* Only what all kinds of strings write alike: ASCII without its blanks. */
static uint32_t mix_string(uint32_t h, struct pgw_view text, size_t width)
{
	struct pgw_cur c = pgw_cur_of(text);

	while (width > 0 && (size_t)(c.end - c.p) >= width) {
		uint32_t one = 0;

		for (size_t i = 0; i < width; i++)
			one = one << 8 | pgw_cur_u8(&c);
		h = mix_char(h, one);
	}
	return h;
}

static uint32_t attribute_print(struct pgw_cur *set)
{
	struct pgw_cur c = pgw_cur_of(pgw_der_take(set, PGW_DER_SEQUENCE));
	struct pgw_view oid = pgw_der_take(&c, OID), value;
	uint32_t h = 2166136261u;
	unsigned tag;

	value = take_any(&c, &tag);
	set->bad |= c.bad;
	for (size_t i = 0; i < oid.n; i++)
		h = mix(h, oid.p[i]);
	return mix_string(h, value, width_of(tag));
}

/* A sum, because the order within a set is not the same in all encodings. */
bool pgw_der_name_print(struct pgw_view name, uint32_t *print)
{
	struct pgw_cur c = pgw_cur_of(name), set;

	*print = 0;
	while (!c.bad && c.p < c.end) {
		set = pgw_cur_of(pgw_der_take(&c, PGW_DER_SET));
		while (!set.bad && set.p < set.end)
			*print += attribute_print(&set);
		c.bad |= set.bad;
	}
	return !c.bad;
}
