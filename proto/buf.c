/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "buf.h"

#include <stdlib.h>
#include <string.h>

void pgw_buf_init(struct pgw_buf *b, size_t max)
{
	*b = (struct pgw_buf){ .max = max };
}

void pgw_buf_release(struct pgw_buf *b)
{
	unsigned char *start = b->data ? b->data - b->head : NULL;

	if (start)
		explicit_bzero(start, b->cap);
	free(start);
	pgw_buf_init(b, b->max);
}

/* Make what is left start at the allocation's first byte again. */
static void compact(struct pgw_buf *b)
{
	if (b->head == 0)
		return;
	memmove(b->data - b->head, b->data, b->len);
	b->data -= b->head;
	b->head = 0;
}

/* realloc would leave a copy of the old bytes behind; this one wipes it. */
static bool grow(struct pgw_buf *b, size_t need)
{
	size_t cap = b->cap > 32 ? b->cap : 32;
	unsigned char *data;

	do
		cap = cap > b->max / 2 ? b->max : cap * 2;
	while (cap < need);
	data = malloc(cap);
	if (!data)
		return false;
	if (b->data) {
		memcpy(data, b->data, b->len);
		explicit_bzero(b->data - b->head, b->cap);
		free(b->data - b->head);
	}
	b->data = data;
	b->head = 0;
	b->cap = cap;
	return true;
}

/* Moving pays only when more than half of the room is dropped bytes. */
static bool make_room(struct pgw_buf *b, size_t n)
{
	if (n <= b->cap - b->head - b->len)
		return true;
	if (b->head >= b->cap / 2 && n <= b->cap - b->len) {
		compact(b);
		return true;
	}
	return grow(b, b->len + n);
}

static unsigned char *reserve(struct pgw_buf *b, size_t n)
{
	unsigned char *at;

	if (b->failed)
		return NULL;
	if (n > b->max - b->len || !make_room(b, n)) {
		b->failed = true;
		return NULL;
	}
	at = b->data + b->len;
	b->len += n;
	return at;
}

static void store(unsigned char *at, uint32_t v, size_t n)
{
	while (n-- > 0) {
		at[n] = (unsigned char)(v & 0xff);
		v >>= 8;
	}
}

static void put_be(struct pgw_buf *b, uint32_t v, size_t n)
{
	unsigned char *at = reserve(b, n);

	if (at)
		store(at, v, n);
}

void pgw_buf_put(struct pgw_buf *b, const void *src, size_t n)
{
	unsigned char *at;

	if (n == 0)
		return;
	at = reserve(b, n);
	if (at)
		memcpy(at, src, n);
}

void pgw_buf_put_u8(struct pgw_buf *b, uint8_t v)
{
	put_be(b, v, 1);
}

void pgw_buf_put_u16(struct pgw_buf *b, uint16_t v)
{
	put_be(b, v, 2);
}

void pgw_buf_put_u32(struct pgw_buf *b, uint32_t v)
{
	put_be(b, v, 4);
}

void pgw_buf_put_str(struct pgw_buf *b, const char *s)
{
	pgw_buf_put(b, s, strlen(s) + 1);
}

void pgw_buf_put_text(struct pgw_buf *b, const char *s)
{
	pgw_buf_put(b, s, strlen(s));
}

void pgw_buf_set_u32(struct pgw_buf *b, size_t at, uint32_t v)
{
	if (!b->failed)
		store(b->data + at, v, 4);
}

void pgw_buf_drop(struct pgw_buf *b, size_t n)
{
	if (n == 0)
		return;
	b->data += n;
	b->head += n;
	b->len -= n;
	if (b->len == 0)
		compact(b);
}

struct pgw_view pgw_buf_view(const struct pgw_buf *b)
{
	return (struct pgw_view){ b->data, b->len };
}

struct pgw_view pgw_view_of(const char *s)
{
	return (struct pgw_view){ (const unsigned char *)s, strlen(s) };
}

bool pgw_view_is(struct pgw_view v, const char *s)
{
	return v.n == strlen(s) && (v.n == 0 || memcmp(v.p, s, v.n) == 0);
}

struct pgw_cur pgw_cur_of(struct pgw_view v)
{
	/* An empty view may have no address, and NULL + 0 is not C. */
	return (struct pgw_cur){ .p = v.p, .end = v.n ? v.p + v.n : v.p };
}

struct pgw_view pgw_cur_take(struct pgw_cur *c, size_t n)
{
	struct pgw_view v = { .p = c->p, .n = n };

	if (c->bad || n > (size_t)(c->end - c->p)) {
		c->bad = true;
		v.n = 0;
		return v;
	}
	c->p += n;
	return v;
}

struct pgw_view pgw_cur_rest(struct pgw_cur *c)
{
	return pgw_cur_take(c, (size_t)(c->end - c->p));
}

static uint32_t get_be(struct pgw_cur *c, size_t n)
{
	struct pgw_view v = pgw_cur_take(c, n);
	uint32_t x = 0;

	for (size_t i = 0; i < v.n; i++)
		x = x << 8 | v.p[i];
	return x;
}

uint8_t pgw_cur_u8(struct pgw_cur *c)
{
	return (uint8_t)get_be(c, 1);
}

uint16_t pgw_cur_u16(struct pgw_cur *c)
{
	return (uint16_t)get_be(c, 2);
}

uint32_t pgw_cur_u32(struct pgw_cur *c)
{
	return get_be(c, 4);
}

const char *pgw_cur_str(struct pgw_cur *c)
{
	const unsigned char *start = c->p;
	const unsigned char *nul = NULL;

	if (!c->bad && start != c->end)
		nul = memchr(start, 0, (size_t)(c->end - start));
	if (!nul) {
		c->bad = true;
		return "";
	}
	c->p = nul + 1;
	return (const char *)start;
}

bool pgw_cur_done(const struct pgw_cur *c)
{
	return !c->bad && c->p == c->end;
}
