/* SPDX-License-Identifier: MIT */
/*
 * As much of DER as it takes to tell whose certificate it is without having
 * OpenSSL parse it, which costs a hundred times as much.
 */
#ifndef PGW_TLS_DER_H
#define PGW_TLS_DER_H

#include "buf.h"

enum {
	PGW_DER_SEQUENCE = 0x30,
	PGW_DER_SET = 0x31,
};

/* The content of the next value, which has to have that tag; else c is bad. */
struct pgw_view pgw_der_take(struct pgw_cur *c, unsigned tag);

/* The next value with its tag and length; else c is bad. */
struct pgw_view pgw_der_whole(struct pgw_cur *c);

/* The name that a certificate is for: what is in that SEQUENCE. */
bool pgw_der_subject(struct pgw_view cert, struct pgw_view *name);

/*
 * A number that is the same for names that X509_NAME_cmp takes for equal,
 * whatever their case, blanks and kinds of strings, and seldom for others.
 * False for what is no name.
 */
bool pgw_der_name_print(struct pgw_view name, uint32_t *print);

#endif
