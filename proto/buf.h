/* SPDX-License-Identifier: MIT */
/*
 * Bytes.  struct pgw_buf is written at its end and owns its memory; struct
 * pgw_cur reads memory that someone else owns.  Both remember the first
 * failure and turn every later call into a no-op, so that code which packs or
 * unpacks a message is a straight line with one check at the end.
 */
#ifndef PGW_BUF_H
#define PGW_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: valid as long as what they were taken from. */
struct pgw_view {
	const unsigned char *p;
	size_t n;
};

struct pgw_buf {
	unsigned char *data; /* the first byte that was not dropped */
	size_t len;
	size_t head; /* dropped bytes before data, reused when it grows */
	size_t cap;  /* head included */
	size_t max;  /* len never grows past this */
	bool failed; /* out of memory, or past max */
};

void pgw_buf_init(struct pgw_buf *b, size_t max);
void pgw_buf_release(struct pgw_buf *b); /* wipes: it may hold a password */

void pgw_buf_put(struct pgw_buf *b, const void *src, size_t n);
void pgw_buf_put_u8(struct pgw_buf *b, uint8_t v);
void pgw_buf_put_u16(struct pgw_buf *b, uint16_t v);
void pgw_buf_put_u32(struct pgw_buf *b, uint32_t v);
void pgw_buf_put_str(struct pgw_buf *b, const char *s);	 /* with its NUL */
void pgw_buf_put_text(struct pgw_buf *b, const char *s); /* without */

/* Overwrite the four bytes at offset at. */
void pgw_buf_set_u32(struct pgw_buf *b, size_t at, uint32_t v);

/* Forget the first n bytes; cheap however large the rest is. */
void pgw_buf_drop(struct pgw_buf *b, size_t n);

struct pgw_view pgw_buf_view(const struct pgw_buf *b);
struct pgw_view pgw_view_of(const char *s); /* without its NUL */
bool pgw_view_is(struct pgw_view v, const char *s);

struct pgw_cur {
	const unsigned char *p, *end;
	bool bad; /* something was read past the end */
};

struct pgw_cur pgw_cur_of(struct pgw_view v);
uint8_t pgw_cur_u8(struct pgw_cur *c);
uint16_t pgw_cur_u16(struct pgw_cur *c);
uint32_t pgw_cur_u32(struct pgw_cur *c);
const char *pgw_cur_str(struct pgw_cur *c); /* "" when bad; never NULL */
struct pgw_view pgw_cur_take(struct pgw_cur *c, size_t n);
struct pgw_view pgw_cur_rest(struct pgw_cur *c);

/* Everything was there, and nothing is left over. */
bool pgw_cur_done(const struct pgw_cur *c);

#endif
