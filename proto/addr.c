/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* A copy, because sockaddr_storage must not be read through another type. */
static struct sockaddr_in6 in6_of(const struct pgw_addr *a)
{
	struct sockaddr_in6 in6;

	memcpy(&in6, &a->sa, sizeof(in6));
	return in6;
}

static struct sockaddr_in in_of(const struct pgw_addr *a)
{
	struct sockaddr_in in;

	memcpy(&in, &a->sa, sizeof(in));
	return in;
}

static struct sockaddr_un un_of(const struct pgw_addr *a)
{
	struct sockaddr_un un;

	memcpy(&un, &a->sa, sizeof(un));
	return un;
}

static void in6_text(const struct sockaddr_in6 *in6, char *out, size_t size)
{
	char ip[INET6_ADDRSTRLEN] = "", scope[IF_NAMESIZE] = "";

	inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
	if (in6->sin6_scope_id && !if_indextoname(in6->sin6_scope_id, scope))
		snprintf(scope, sizeof(scope), "%u",
			 (unsigned)in6->sin6_scope_id);
	snprintf(out, size, "[%s%s%s]:%u", ip, *scope ? "%" : "", scope,
		 (unsigned)ntohs(in6->sin6_port));
}

static void in_text(const struct sockaddr_in *in, char *out, size_t size)
{
	char ip[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
	snprintf(out, size, "%s:%u", ip, (unsigned)ntohs(in->sin_port));
}

static void un_text(const struct sockaddr_un *un, socklen_t len, char *out,
		    size_t size)
{
	size_t n = len - offsetof(struct sockaddr_un, sun_path);

	if (n > 0 && un->sun_path[0] == '\0')
		snprintf(out, size, "@%.*s", (int)(n - 1), un->sun_path + 1);
	else
		snprintf(out, size, "%.*s", (int)n, un->sun_path);
}

void pgw_addr_text(const struct pgw_addr *a, char *out, size_t size)
{
	if (a->sa.ss_family == AF_INET6) {
		struct sockaddr_in6 in6 = in6_of(a);

		in6_text(&in6, out, size);
	} else if (a->sa.ss_family == AF_INET) {
		struct sockaddr_in in = in_of(a);

		in_text(&in, out, size);
	} else {
		struct sockaddr_un un = un_of(a);

		un_text(&un, a->len, out, size);
	}
}

bool pgw_addr_unix(struct pgw_addr *a, const char *host, uint16_t port,
		   struct pgw_err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int n = snprintf(un.sun_path, sizeof(un.sun_path), "%s/.s.PGSQL.%u",
			 host, (unsigned)port);

	if (n < 0 || (size_t)n >= sizeof(un.sun_path))
		return pgw_fail(err, PGW_E_CONFIG,
				"the path of the Unix socket is longer than "
				"%zu bytes: %s/.s.PGSQL.%u",
				sizeof(un.sun_path) - 1, host, (unsigned)port);
	*a = (struct pgw_addr){ .len = sizeof(un) };
	if (host[0] == '@') {
		/* The name of an abstract socket is all its bytes, no NUL. */
		un.sun_path[0] = '\0';
		a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				     (size_t)n);
	}
	memcpy(&a->sa, &un, sizeof(un));
	return true;
}

static bool scope_of(const char *text, uint32_t *scope)
{
	uint64_t n = 0;

	*scope = if_nametoindex(text);
	if (*scope != 0)
		return true;
	for (; *text >= '0' && *text <= '9' && n <= UINT32_MAX; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	*scope = (uint32_t)n;
	return *text == '\0' && n > 0 && n <= UINT32_MAX;
}

static bool numeric6(struct pgw_addr *a, const char *text, uint16_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };
	size_t n = strcspn(text, "%");
	char ip[INET6_ADDRSTRLEN];
	uint32_t scope;

	if (n >= sizeof(ip))
		return false;
	memcpy(ip, text, n);
	ip[n] = '\0';
	if (inet_pton(AF_INET6, ip, &in6.sin6_addr) != 1)
		return false;
	if (text[n] == '%') {
		if (!scope_of(text + n + 1, &scope))
			return false;
		in6.sin6_scope_id = scope;
	}
	*a = (struct pgw_addr){ .len = sizeof(in6) };
	memcpy(&a->sa, &in6, sizeof(in6));
	return true;
}

bool pgw_addr_numeric(struct pgw_addr *a, const char *text, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &in.sin_addr) != 1)
		return numeric6(a, text, port);
	*a = (struct pgw_addr){ .len = sizeof(in) };
	memcpy(&a->sa, &in, sizeof(in));
	return true;
}
