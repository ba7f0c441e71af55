/* SPDX-License-Identifier: MIT */
/*
 * Base64 of RFC 4648 section 4, strict: padding needed, no line ends, unused
 * bits zero; so every sequence of bytes has exactly one text.
 */
#ifndef PGW_BASE64_H
#define PGW_BASE64_H

#include "buf.h"

/* Append the text of in; fails as out->failed. */
void pgw_base64_encode(struct pgw_buf *out, struct pgw_view in);

/*
 * Append the bytes of in.  False when in is not base64; out then has some of
 * them.  Lack of room is told by out->failed, as everywhere.
 */
bool pgw_base64_decode(struct pgw_buf *out, struct pgw_view in);

#endif
