/* SPDX-License-Identifier: MIT */
/*
 * SASLprep as PostgreSQL does it (not quite RFC 4013): see saslprep.c.  What
 * cannot be prepared is used as it is, so this has no error but memory.
 */
#ifndef PGW_SASLPREP_H
#define PGW_SASLPREP_H

#include "buf.h"

/* The longest password that is looked at, in bytes; the server's own limit. */
#define PGW_PASSWORD_MAX ((size_t)64 << 10)

/*
 * Append to out what both sides feed to PBKDF2.  Fails as out->failed: out of
 * memory, past out->max, or a password longer than PGW_PASSWORD_MAX.
 */
void pgw_saslprep(struct pgw_buf *out, struct pgw_view password);

#endif
