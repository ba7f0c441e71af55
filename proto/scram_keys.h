/* SPDX-License-Identifier: MIT */
/* What of SCRAM is computing: for scram.c alone. */
#ifndef PGW_SCRAM_KEYS_H
#define PGW_SCRAM_KEYS_H

#include "scram.h"

/*
 * Turn the password into a key, s->iterations times; appends to salt.  There
 * is nothing to do, and the key is zero, when the keys themselves were given.
 */
bool pgw_scram_salt(const struct pgw_scram *s, struct pgw_buf *salt,
		    unsigned char salted[PGW_SHA256_LEN],
		    struct pgw_err *err) PGW_MUST_CHECK;

/*
 * Our proof for s->auth_message, and in s the signature that the server has to
 * answer with.
 */
void pgw_scram_sign(struct pgw_scram *s,
		    const unsigned char salted[PGW_SHA256_LEN],
		    unsigned char proof[PGW_SHA256_LEN]);

#endif
