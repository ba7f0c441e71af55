/* SPDX-License-Identifier: MIT */
/* From a host of the settings to an open socket, all under one deadline. */
#ifndef PGW_DIAL_H
#define PGW_DIAL_H

#include "conninfo.h"
#include "race.h"

/* The addresses of a host: its socket, its hostaddr, or what DNS says. */
bool pgw_dial_addresses(struct pgw_addrs *out, const struct pgw_host *host,
			int interrupt_fd, int64_t deadline,
			struct pgw_err *err) PGW_MUST_CHECK;

/* They compete, as far as chance has not to decide, and as cfg says. */
bool pgw_dial_race(struct pgw_race *r, struct pgw_addrs *addrs,
		   const struct pgw_host *host, const struct pgw_config *cfg,
		   struct pgw_err *err) PGW_MUST_CHECK;

/* Bring n numbers into an order that nobody can foresee. */
bool pgw_shuffle(size_t *order, size_t n, struct pgw_err *err) PGW_MUST_CHECK;

/* Nobody else can listen: a Unix socket, or the loopback interface. */
bool pgw_addr_private(const struct pgw_addr *a);

#endif
