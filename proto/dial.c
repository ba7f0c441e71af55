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

static bool mix(struct pgw_addrs *addrs, struct pgw_err *err)
{
	const struct pgw_addrs before = *addrs;
	size_t order[PGW_ADDRS_MAX];

	for (size_t i = 0; i < addrs->n; i++)
		order[i] = i;
	if (!pgw_shuffle(order, addrs->n, err))
		return false;
	for (size_t i = 0; i < addrs->n; i++)
		addrs->a[i] = before.a[order[i]];
	return true;
}

/* An address says it all: a name besides it would say nothing. */
static const char *name_of(const struct pgw_host *host)
{
	struct pgw_addr unused;

	if (host->local || host->hostaddr ||
	    pgw_addr_numeric(&unused, host->host, host->port))
		return NULL;
	return host->host;
}

bool pgw_dial_race(struct pgw_race *r, struct pgw_addrs *addrs,
		   const struct pgw_host *host, const struct pgw_config *cfg,
		   struct pgw_err *err)
{
	if (cfg->load_balance && !mix(addrs, err))
		return false;
	pgw_race_init(r, addrs);
	r->name = name_of(host);
	r->tcp = (struct pgw_tcp){
		.keepalives = cfg->keepalives,
		.idle_s = cfg->keepalives_idle_s,
		.interval_s = cfg->keepalives_interval_s,
		.count = cfg->keepalives_count,
		.user_timeout_ms = cfg->tcp_user_timeout_ms,
	};
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
