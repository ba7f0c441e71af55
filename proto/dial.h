/* SPDX-License-Identifier: MIT */
/* From a host of the settings to an open socket, all under one deadline. */
#ifndef PGW_DIAL_H
#define PGW_DIAL_H

#include "conninfo.h"
#include "resolve.h"

/* The addresses of a host: its socket, its hostaddr, or what DNS says. */
bool pgw_dial_addresses(struct pgw_addrs *out, const struct pgw_host *host,
			int interrupt_fd, int64_t deadline,
			struct pgw_err *err) PGW_MUST_CHECK;

/*
 * Connect k to an address, the first of as many as are left.  It gets its
 * share of the time, so that a dead one does not eat the others' chance.
 */
bool pgw_dial(struct pgw_sock *k, const struct pgw_addr *addr, size_t left,
	      const struct pgw_config *cfg, struct pgw_err *err) PGW_MUST_CHECK;

/* Bring n numbers into an order that nobody can foresee. */
bool pgw_shuffle(size_t *order, size_t n, struct pgw_err *err) PGW_MUST_CHECK;

/* Nobody else can listen: a Unix socket, or the loopback interface. */
bool pgw_addr_private(const struct pgw_addr *a);

#endif
