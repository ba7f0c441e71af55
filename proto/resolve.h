/* SPDX-License-Identifier: MIT */
/*
 * Names to addresses, under a deadline, without the host's NSS: numeric first,
 * then localhost as RFC 6761 has it, then /etc/hosts and DNS by c-ares.
 */
#ifndef PGW_RESOLVE_H
#define PGW_RESOLVE_H

#include "sock.h"

#define PGW_ADDRS_MAX 128

struct pgw_addrs {
	struct pgw_addr a[PGW_ADDRS_MAX];
	size_t n;
};

/*
 * The addresses of host, in the order in which to try them; the first
 * PGW_ADDRS_MAX if there are more.  Of limits, which need not be open, only
 * the deadline and the interrupt count.  Errors: RESOLVE, which may pass;
 * CONFIG when no server will ever know such a name; TIMEOUT, INTERRUPTED,
 * NOMEM, IO.
 */
bool pgw_resolve(struct pgw_addrs *out, const char *host, uint16_t port,
		 const struct pgw_sock *limits,
		 struct pgw_err *err) PGW_MUST_CHECK;

#endif
