/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sql_name.h"

#include <string.h>

#define NAME_MAX_BYTES ((size_t)1 << 20)

/* ---- U&"...": \XXXX, \+XXXXXX, and the escape itself twice */

static int digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(struct pgw_view *v, size_t n, uint32_t *code)
{
	*code = 0;
	if (v->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int d = digit(v->p[i]);

		if (d < 0)
			return false;
		*code = *code * 16 + (uint32_t)d;
	}
	*v = (struct pgw_view){ v->p + n, v->n - n };
	return true;
}

static bool take_code(struct pgw_view *v, unsigned char escape, uint32_t *code)
{
	if (v->n < 2 || v->p[0] != escape)
		return false;
	if (v->p[1] != '+') {
		*v = (struct pgw_view){ v->p + 1, v->n - 1 };
		return take_hex(v, 4, code);
	}
	*v = (struct pgw_view){ v->p + 2, v->n - 2 };
	return take_hex(v, 6, code);
}

/* One character, of two escapes where it is written as surrogates. */
static bool take_character(struct pgw_view *v, unsigned char escape,
			   uint32_t *code)
{
	uint32_t low;

	if (!take_code(v, escape, code))
		return false;
	if (*code >= 0xd800 && *code <= 0xdbff) {
		if (!take_code(v, escape, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	}
	return *code > 0 && *code <= 0x10ffff &&
	       !(*code >= 0xdc00 && *code <= 0xdfff);
}

static void put_utf8(struct pgw_buf *b, uint32_t c)
{
	unsigned char u[4];
	size_t n = 0;

	if (c < 0x80) {
		u[n++] = (unsigned char)c;
	} else if (c < 0x800) {
		u[n++] = (unsigned char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		u[n++] = (unsigned char)(0xe0 | c >> 12);
		u[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	} else {
		u[n++] = (unsigned char)(0xf0 | c >> 18);
		u[n++] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
		u[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		u[n++] = (unsigned char)(0x80 | (c & 0x3f));
	pgw_buf_put(b, u, n);
}

/* v is what stands between the quotes. */
static bool decode(struct pgw_buf *b, struct pgw_view v, unsigned char escape)
{
	pgw_buf_put(b, "\"", 1);
	while (v.n > 0) {
		size_t n = v.p[0] == escape && v.n > 1 && v.p[1] == escape ? 2 :
									     1;
		uint32_t code;

		if (v.p[0] == escape && n == 1) {
			if (!take_character(&v, escape, &code))
				return false;
			if (code == '"')
				put_utf8(b, code);
			put_utf8(b, code);
			continue;
		}
		pgw_buf_put(b, v.p, 1);
		v = (struct pgw_view){ v.p + n, v.n - n };
	}
	pgw_buf_put(b, "\"", 1);
	return true;
}

/* UESCAPE '!' */
static unsigned char take_escape(struct mz_lex *l)
{
	struct mz_lex ahead = *l;
	struct mz_token t;
	struct pgw_view v;

	if (!mz_lex_next(&ahead, &t) || !mz_lex_is(&ahead, &t, "uescape") ||
	    !mz_lex_next(&ahead, &t))
		return '\\';
	v = mz_lex_view(&ahead, &t);
	if (v.n != 3 || v.p[0] != '\'')
		return '\\';
	*l = ahead;
	return v.p[1];
}

/* ---- the name */

static bool put_part(struct pgw_buf *b, struct mz_lex *l)
{
	struct pgw_view v;
	struct mz_token t;

	if (!mz_lex_next(l, &t) ||
	    (t.kind != MZ_TOKEN_WORD && t.kind != MZ_TOKEN_NAME))
		return false;
	v = mz_lex_view(l, &t);
	if (t.kind == MZ_TOKEN_NAME && v.n > 4 && v.p[0] != '"')
		return decode(b, (struct pgw_view){ v.p + 3, v.n - 4 },
			      take_escape(l));
	pgw_buf_put(b, v.p, v.n);
	return true;
}

static bool take_dot(struct mz_lex *l)
{
	struct mz_lex ahead = *l;
	struct mz_token t;

	if (!mz_lex_next(&ahead, &t) || !mz_lex_is_symbol(&ahead, &t, '.'))
		return false;
	*l = ahead;
	return true;
}

const char *mz_sql_name(struct mz_arena *a, struct mz_lex *l)
{
	const char *name = NULL;
	struct pgw_buf b;
	bool ok;

	pgw_buf_init(&b, NAME_MAX_BYTES);
	while ((ok = put_part(&b, l)) && take_dot(l))
		pgw_buf_put(&b, ".", 1);
	if (ok && !b.failed)
		name = mz_strndup(a, (const char *)b.data, b.len);
	pgw_buf_release(&b);
	return name;
}
