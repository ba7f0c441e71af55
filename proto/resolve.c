/* SPDX-License-Identifier: MIT */
/*
 * Neither getaddrinfo nor any other function of libc that looks something up
 * is used: those load the modules that the host's nsswitch.conf names, which
 * a static program does not survive everywhere; and they block.
 */
#include <config.h>

#include "resolve.h"

#include <ares.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>
#include <unistd.h>

#define NAME_MAX_LEN 253
#define LABEL_MAX_LEN 63

/*
 * A server that does not answer is asked twice, for 1 s and 2 s: slow ones
 * have answered by then, and time for other servers is left.
 */
#define DNS_TIMEOUT_MS 1000
#define DNS_TRIES 2

/* ---- names */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

static bool is_localhost(const char *host)
{
	static const char name[] = "localhost";
	size_t n = strlen(host), len = sizeof(name) - 1;

	if (n > 0 && host[n - 1] == '.')
		n--;
	return n >= len && strncasecmp(host + n - len, name, len) == 0 &&
	       (n == len || host[n - len - 1] == '.');
}

/* Names that end in a number are addresses to old programs: 127.1, 0x7f.1. */
static bool ends_in_number(const char *host)
{
	size_t end = strlen(host), start;

	if (end > 0 && host[end - 1] == '.')
		end--;
	for (start = end; start > 0 && host[start - 1] != '.';)
		start--;
	if (end - start > 1 && host[start] == '0' &&
	    (host[start + 1] == 'x' || host[start + 1] == 'X'))
		return strspn(host + start + 2, "0123456789abcdefABCDEF") >=
		       end - start - 2;
	return end > start && strspn(host + start, "0123456789") >= end - start;
}

/*
 * What is no name is not shown: when a password with special characters was
 * not encoded, a piece of it ends up here.
 */
static bool check_characters(const char *host, struct pgw_err *err)
{
	size_t label = 0;

	for (const char *p = host; *p; p++) {
		if (*p == '.' && label == 0)
			return pgw_fail(err, PGW_E_CONFIG,
					"the host name has an empty part");
		if (*p != '.' && !is_name_char(*p)) {
			pgw_fail(err, PGW_E_CONFIG,
				 "the host has a character in it that no host "
				 "name has");
			return pgw_hint(err,
					"in a password, write @ : / ? # %% as "
					"%%40 %%3A %%2F %%3F %%23 %%25; and "
					"names that are not ASCII as xn--...");
		}
		label = *p == '.' ? 0 : label + 1;
		if (label > LABEL_MAX_LEN)
			return pgw_fail(err, PGW_E_CONFIG,
					"a part of the host name is longer "
					"than %d characters",
					LABEL_MAX_LEN);
	}
	return true;
}

static bool check_name(const char *host, struct pgw_err *err)
{
	if (*host == '\0')
		return pgw_fail(err, PGW_E_CONFIG, "the host name is empty");
	if (strchr(host, ':')) {
		pgw_fail(err, PGW_E_CONFIG,
			 "the host is neither a name nor an IPv6 address of an "
			 "interface that is here");
		return host[0] == '[' ?
			       pgw_hint(err, "the brackets belong into a URL; "
					     "write host=::1") :
			       false;
	}
	if (!check_characters(host, err))
		return false;
	if (strlen(host) > NAME_MAX_LEN)
		return pgw_fail(err, PGW_E_CONFIG,
				"the host name is longer than %d characters",
				NAME_MAX_LEN);
	if (ends_in_number(host)) {
		pgw_fail(err, PGW_E_CONFIG, "%s is not an address", host);
		return pgw_hint(err, "write all four numbers in decimal, as in "
				     "127.0.0.1");
	}
	return true;
}

/* ---- /etc/hosts and DNS */

struct query {
	struct pgw_addrs *out;
	uint16_t port;
	bool done;
	int status;
};

static void take_node(struct query *q, const struct ares_addrinfo_node *node)
{
	struct pgw_addr *a = &q->out->a[q->out->n];
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (q->out->n == PGW_ADDRS_MAX)
		return;
	*a = (struct pgw_addr){ .len = 0 };
	if (node->ai_family == AF_INET) {
		memcpy(&in, node->ai_addr, sizeof(in));
		in.sin_port = htons(q->port);
		memcpy(&a->sa, &in, sizeof(in));
		a->len = sizeof(in);
	} else if (node->ai_family == AF_INET6) {
		memcpy(&in6, node->ai_addr, sizeof(in6));
		in6.sin6_port = htons(q->port);
		memcpy(&a->sa, &in6, sizeof(in6));
		a->len = sizeof(in6);
	}
	if (a->len > 0)
		q->out->n++;
}

static void on_answer(void *ctx, int status, int timeouts,
		      struct ares_addrinfo *all)
{
	struct query *q = ctx;

	(void)timeouts;
	q->done = true;
	q->status = status;
	if (status != ARES_SUCCESS)
		return;
	for (const struct ares_addrinfo_node *n = all->nodes; n; n = n->ai_next)
		take_node(q, n);
	ares_freeaddrinfo(all);
}

static bool explain(int status, const char *host, struct pgw_err *err)
{
	switch (status) {
	case ARES_ENOMEM:
		return pgw_fail(err, PGW_E_NOMEM, "out of memory");
	case ARES_ENOTFOUND:
		pgw_fail(err, PGW_E_RESOLVE,
			 "host %s: neither DNS nor /etc/hosts knows that name",
			 host);
		return pgw_hint(err, "check how it is written, and whether it "
				     "exists in this network");
	case ARES_ENODATA:
	case ARES_SUCCESS:
		return pgw_fail(err, PGW_E_RESOLVE,
				"host %s: the name exists, but it has no "
				"address",
				host);
	case ARES_EBADNAME:
		return pgw_fail(err, PGW_E_CONFIG,
				"host %s: DNS has no such names", host);
	case ARES_ETIMEOUT:
	case ARES_ECONNREFUSED:
	case ARES_ESERVFAIL:
	case ARES_EREFUSED:
		pgw_fail(err, PGW_E_RESOLVE,
			 "host %s: no DNS server could tell its address (%s)",
			 host, ares_strerror(status));
		return pgw_hint(err, "check /etc/resolv.conf, or give the "
				     "address itself as hostaddr");
	default:
		return pgw_fail(err, PGW_E_RESOLVE, "host %s: %s", host,
				ares_strerror(status));
	}
}

/*
 * c-ares' own sockets: these are not left to a program that is started
 * meanwhile, and a server that hangs up does not kill us by a signal.
 */
static ares_socket_t open_socket(int family, int type, int protocol, void *ctx)
{
	(void)ctx;
	return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int close_socket(ares_socket_t fd, void *ctx)
{
	(void)ctx;
	return close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *sa,
			  ares_socklen_t len, void *ctx)
{
	(void)ctx;
	return connect(fd, sa, len);
}

/* NOLINTNEXTLINE(readability-function-size): the type is c-ares' */
static ares_ssize_t receive(ares_socket_t fd, void *buf, size_t n, int flags,
			    struct sockaddr *from, ares_socklen_t *len,
			    void *ctx)
{
	(void)ctx;
	return recvfrom(fd, buf, n, flags, from, len);
}

static ares_ssize_t transmit(ares_socket_t fd, const struct iovec *parts, int n,
			     void *ctx)
{
	struct msghdr m = { .msg_iovlen = (size_t)n };

	(void)ctx;
	/* sendmsg does not write there; its struct serves recvmsg too. */
	memcpy(&m.msg_iov, &parts, sizeof(parts));
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

static const struct ares_socket_functions sockets = {
	open_socket, close_socket, connect_socket, receive, transmit,
};

static int wait_ms(ares_channel channel)
{
	struct timeval most = { .tv_sec = DNS_TIMEOUT_MS / 1000 }, room;
	const struct timeval *t = ares_timeout(channel, &most, &room);

	/* Round up, or the last millisecond would be spent in circles. */
	return (int)(t->tv_sec * 1000 + t->tv_usec / 1000 + 1);
}

/* What c-ares wants to wait for, from fds[1] on; returns the end. */
static size_t gather(ares_channel channel, struct pollfd *fds)
{
	ares_socket_t socks[ARES_GETSOCK_MAXNUM];
	unsigned bits = (unsigned)ares_getsock(channel, socks,
					       ARES_GETSOCK_MAXNUM);
	size_t n = 1;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		/* c-ares' own macros shift into the sign. */
		int in = bits >> i & 1 ? POLLIN : 0;
		int out = bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0;

		if (in | out)
			fds[n++] = (struct pollfd){
				.fd = socks[i], .events = (short)(in | out)
			};
	}
	return n;
}

/* One round: wait, and let c-ares act on what came or did not come. */
static bool turn(ares_channel channel, const struct pgw_sock *limits,
		 struct pgw_err *err)
{
	struct pollfd fds[1 + ARES_GETSOCK_MAXNUM];
	size_t n = gather(channel, fds);

	if (!pgw_sock_poll(limits, fds, n, wait_ms(channel), err))
		return false;
	for (size_t i = 1; i < n; i++) {
		bool in = fds[i].revents & ~POLLOUT;
		bool out = fds[i].revents & ~POLLIN;

		if (in || out)
			ares_process_fd(channel,
					in ? fds[i].fd : ARES_SOCKET_BAD,
					out ? fds[i].fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	return true;
}

static bool look_up(struct query *q, const char *host,
		    const struct pgw_sock *limits, struct pgw_err *err)
{
	static const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	char lookups[] = "fb"; /* /etc/hosts, DNS; whatever nsswitch says */
	struct ares_options options = {
		.timeout = DNS_TIMEOUT_MS,
		.tries = DNS_TRIES,
		.lookups = lookups,
	};
	ares_channel channel;
	bool ok = true;
	int status = ares_init_options(&channel, &options,
				       ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
					       ARES_OPT_LOOKUPS);

	if (status != ARES_SUCCESS)
		return explain(status, host, err);
	ares_set_socket_functions(channel, &sockets, NULL);
	/* A service would make it ask libc for the service's number. */
	ares_getaddrinfo(channel, host, NULL, &hints, on_answer, q);
	while (ok && !q->done)
		ok = turn(channel, limits, err);
	ares_destroy(channel); /* calls on_answer if that has not been yet */
	if (!ok)
		return pgw_wrap(err, "looking up host %s", host);
	if (q->out->n == 0)
		return explain(q->status, host, err);
	return true;
}

bool pgw_resolve(struct pgw_addrs *out, const char *host, uint16_t port,
		 const struct pgw_sock *limits, struct pgw_err *err)
{
	struct query q = { .out = out, .port = port };

	out->n = 0;
	if (pgw_addr_numeric(&out->a[0], host, port)) {
		out->n = 1;
		return true;
	}
	if (!check_name(host, err))
		return false;
	if (is_localhost(host)) {
		out->n = 2;
		return pgw_addr_numeric(&out->a[0], "127.0.0.1", port) &&
		       pgw_addr_numeric(&out->a[1], "::1", port);
	}
	return look_up(&q, host, limits, err);
}
