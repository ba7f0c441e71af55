/* SPDX-License-Identifier: MIT */
/* The way to a server: a socket, and TLS over it once that was agreed on. */
#ifndef PGW_LINK_H
#define PGW_LINK_H

#include "sock.h"
#include "tls.h"

#define PGW_LINK_CHUNK (32u << 10)

struct pgw_link {
	struct pgw_sock sock;
	struct pgw_tls *tls; /* NULL = plaintext */
	size_t owed; /* plaintext bytes whose ciphertext is not all sent */
	size_t round_trips;
	bool asked; /* something was sent since the last wait for an answer */
	unsigned char
		*chunk; /* ciphertext as it comes in, while there is TLS */
};

/* Wipe and close; it can be dialled again. */
void pgw_link_close(struct pgw_link *l);

/* Shake hands, and keep tls; on failure the link is of no more use. */
bool pgw_link_secure(struct pgw_link *l, struct pgw_tls *tls,
		     struct pgw_err *err) PGW_MUST_CHECK;

/* As pgw_sock_move; what is counted in put has left us as ciphertext. */
bool pgw_link_move(struct pgw_link *l, struct pgw_move *m,
		   struct pgw_err *err) PGW_MUST_CHECK;

/* Send all of v. */
bool pgw_link_write(struct pgw_link *l, struct pgw_view v,
		    struct pgw_err *err) PGW_MUST_CHECK;

/* Read and forget until the other side hangs up. */
bool pgw_link_drain(struct pgw_link *l, struct pgw_err *err) PGW_MUST_CHECK;

/*
 * Say farewell, and by TLS that this was all, as far as that needs no waiting:
 * neither the deadline nor an interrupt counts.
 */
void pgw_link_bye(struct pgw_link *l, struct pgw_view farewell);

#endif
