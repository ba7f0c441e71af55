/* SPDX-License-Identifier: MIT */
/* Base64 of RFC 4648 section 4, strict: padding needed, no line ends. */
#ifndef PGW_BASE64_H
#define PGW_BASE64_H

#include "buf.h"

void pgw_base64_encode(struct pgw_buf *out, struct pgw_view in);

/* False when in is not base64; out is then in an unspecified state. */
bool pgw_base64_decode(struct pgw_buf *out, struct pgw_view in);

#endif
