/* SPDX-License-Identifier: MIT */
/* UTF-8 as Unicode defines it: no overlong forms, no surrogates. */
#ifndef PGW_UTF8_H
#define PGW_UTF8_H

#include "buf.h"

/*
 * The length in bytes (1 to 4) of the code point at p, or 0 when the n bytes
 * there do not begin with a well-formed one; cp may be NULL.
 */
size_t pgw_utf8_next(const unsigned char *p, size_t n, uint32_t *cp);

/* True when all of v is well-formed; else *bad is the first offending byte. */
bool pgw_utf8_valid(struct pgw_view v, size_t *bad);

/*
 * The length of the maximal ill-formed subpart at p (Unicode 3.9, table 3-8),
 * which a decoder replaces by one U+FFFD; p must not begin with a well-formed
 * code point, and n must not be 0.
 */
size_t pgw_utf8_bad_length(const unsigned char *p, size_t n);

#endif
