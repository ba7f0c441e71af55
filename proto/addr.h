/* SPDX-License-Identifier: MIT */
/* An address to connect to: its making from text, and its text. */
#ifndef PGW_ADDR_H
#define PGW_ADDR_H

#include "err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct pgw_addr {
	struct sockaddr_storage sa;
	socklen_t len;
};

#define PGW_ADDR_TEXT 128 /* room for any address as text */

/* "127.0.0.1:5432", "[::1]:5432", or the path of a Unix socket. */
void pgw_addr_text(const struct pgw_addr *a, char *out, size_t size);

/*
 * The socket of a server on port in a directory, or in the abstract namespace
 * when host begins with @.  PGW_E_CONFIG when its path is too long.
 */
bool pgw_addr_unix(struct pgw_addr *a, const char *host, uint16_t port,
		   struct pgw_err *err) PGW_MUST_CHECK;

/*
 * A numeric address only, as hostaddr wants it: 127.0.0.1, ::1, fe80::1%eth0.
 * False when it is none, or when there is no such interface.
 */
bool pgw_addr_numeric(struct pgw_addr *a, const char *text, uint16_t port);

#endif
