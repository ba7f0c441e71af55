/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "crypto.h"
#include "dial.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

bool pgw_dial_addresses(struct pgw_addrs *out, const struct pgw_host *host,
			int interrupt_fd, int64_t deadline, struct pgw_err *err)
{
	const struct pgw_sock limits = { -1, interrupt_fd, deadline };

	out->n = 1;
	if (host->hostaddr)
		return pgw_addr_numeric(&out->a[0], host->hostaddr,
					host->port) ?
			       true :
			       pgw_fail(err, PGW_E_CONFIG,
					"hostaddr=%s is not an IP address",
					host->hostaddr);
	if (host->local)
		return pgw_addr_unix(&out->a[0], host->host, host->port, err);
	return pgw_resolve(out, host->host, host->port, &limits, err);
}

bool pgw_dial(struct pgw_sock *k, const struct pgw_addr *addr, size_t left,
	      const struct pgw_config *cfg, struct pgw_err *err)
{
	const struct pgw_tcp tcp = {
		.keepalives = cfg->keepalives,
		.idle_s = cfg->keepalives_idle_s,
		.interval_s = cfg->keepalives_interval_s,
		.count = cfg->keepalives_count,
		.user_timeout_ms = cfg->tcp_user_timeout_ms,
	};
	int64_t whole = k->deadline, now = pgw_clock_ms();
	bool ok;

	if (whole != PGW_FOREVER && whole > now)
		k->deadline = now + (whole - now) / (int64_t)left;
	ok = pgw_sock_open(k, addr, &tcp, err);
	k->deadline = whole;
	return ok;
}

bool pgw_shuffle(size_t *order, size_t n, struct pgw_err *err)
{
	for (; n > 1; n--) {
		uint64_t random;
		size_t other, last = order[n - 1];

		if (!pgw_random(&random, sizeof(random), err))
			return false;
		other = (size_t)(random % n); /* the bias is nothing */
		order[n - 1] = order[other];
		order[other] = last;
	}
	return true;
}

bool pgw_addr_private(const struct pgw_addr *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (a->sa.ss_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		memcpy(&v4, &a->sa, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		memcpy(&v6, &a->sa, sizeof(v6));
		return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
		       (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) &&
			v6.sin6_addr.s6_addr[12] == 127);
	default:
		return false;
	}
}
