/* SPDX-License-Identifier: MIT */
/* Making a connection. */
#include <config.h>

#include "sock.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MS 10 /* between two tries at a Unix socket that is busy */

static bool set_tcp_options(int fd, const struct pgw_tcp *tcp,
			    struct pgw_err *err)
{
	const struct {
		int level, option;
		uint32_t value;
		const char *name; /* the keyword */
	} rows[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY" },
		{ SOL_SOCKET, SO_KEEPALIVE, tcp->keepalives, "keepalives" },
		{ IPPROTO_TCP, TCP_KEEPIDLE, tcp->idle_s, "keepalives_idle" },
		{ IPPROTO_TCP, TCP_KEEPINTVL, tcp->interval_s,
		  "keepalives_interval" },
		{ IPPROTO_TCP, TCP_KEEPCNT, tcp->count, "keepalives_count" },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, tcp->user_timeout_ms,
		  "tcp_user_timeout" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t value = rows[i].value;
		int v = value > INT_MAX ? INT_MAX : (int)value;

		if (v != 0 && setsockopt(fd, rows[i].level, rows[i].option, &v,
					 sizeof(v)) != 0)
			return pgw_fail(err, PGW_E_CONFIG, "%s=%d: %s",
					rows[i].name, v, strerror(errno));
	}
	return true;
}

/*
 * A port of this machine that the kernel may give to clients can be given to
 * the very socket that tries to reach it, which then talks to itself.
 */
static bool is_to_itself(int fd, const struct pgw_addr *a)
{
	struct pgw_addr mine = { .len = sizeof(mine.sa) };

	return a->sa.ss_family != AF_UNIX &&
	       getsockname(fd, (struct sockaddr *)&mine.sa, &mine.len) == 0 &&
	       mine.len == a->len && memcmp(&mine.sa, &a->sa, a->len) == 0;
}

static int start(int fd, const struct pgw_addr *a)
{
	if (connect(fd, (const struct sockaddr *)&a->sa, a->len) == 0)
		return is_to_itself(fd, a) ? ECONNREFUSED : 0;
	return errno == EINTR ? EINPROGRESS : errno;
}

int pgw_sock_outcome(int fd, const struct pgw_addr *a)
{
	int problem = 0;
	socklen_t size = sizeof(problem);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) < 0)
		return errno;
	return problem == 0 && is_to_itself(fd, a) ? ECONNREFUSED : problem;
}

/* A Unix socket whose queue is full has nothing to poll for. */
static bool is_busy(int problem, int family)
{
	return problem == EAGAIN && family == AF_UNIX;
}

bool pgw_sock_begin(int *fd, const struct pgw_addr *a,
		    const struct pgw_tcp *tcp, int *problem,
		    struct pgw_err *err)
{
	int family = a->sa.ss_family;
	bool ok;

	*fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	*problem = *fd < 0 ? errno : 0;
	if (*fd < 0)
		return true;
	ok = family == AF_UNIX || set_tcp_options(*fd, tcp, err);
	if (ok)
		*problem = start(*fd, a);
	if (!ok || (*problem != 0 && *problem != EINPROGRESS &&
		    !is_busy(*problem, family))) {
		close(*fd);
		*fd = -1;
	}
	return ok;
}

static enum pgw_code code_of(int problem)
{
	switch (problem) {
	case ECONNREFUSED:
	case ECONNRESET:
	case ENOENT:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return PGW_E_REFUSED;
	case ETIMEDOUT:
		return PGW_E_TIMEOUT;
	default:
		return PGW_E_IO;
	}
}

static const char *hint_for(int problem, int family)
{
	bool nowhere = problem == ENETUNREACH || problem == EADDRNOTAVAIL ||
		       problem == EAFNOSUPPORT;

	if (problem == ENOENT)
		return "a running server makes this socket: is it running, and "
		       "are its directory (host) and port the right ones?";
	if (problem == ECONNREFUSED)
		return "is the server running, and does it listen there?";
	if (problem == EACCES && family == AF_UNIX)
		return "this user may not write to the socket";
	if (problem == EINVAL && family == AF_INET6)
		return "an address that begins with fe80: needs its interface "
		       "behind it, as in fe80::1%eth0";
	if (nowhere && family == AF_INET6)
		return "this machine has no way to the IPv6 network; is there "
		       "an IPv4 address, or a pooler that has one?";
	return NULL;
}

bool pgw_sock_refuse(int problem, int family, struct pgw_err *err)
{
	const char *hint = hint_for(problem, family);

	pgw_fail(err, code_of(problem), "%s",
		 problem == ETIMEDOUT ? "timed out" : strerror(problem));
	return hint ? pgw_hint(err, "%s", hint) : false;
}

/* What became of the try; false when waiting for that failed. */
static bool settle(const struct pgw_sock *k, const struct pgw_addr *a,
		   int *problem, struct pgw_err *err)
{
	struct pollfd fds[2];

	while (is_busy(*problem, a->sa.ss_family)) {
		if (!pgw_sock_poll(k, fds, 1, RETRY_MS, err))
			return false;
		*problem = start(k->fd, a);
	}
	if (*problem != EINPROGRESS)
		return true;
	fds[1] = (struct pollfd){ .fd = k->fd, .events = POLLOUT };
	if (!pgw_sock_poll(k, fds, 2, -1, err))
		return false;
	*problem = pgw_sock_outcome(k->fd, a);
	return true;
}

bool pgw_sock_open(struct pgw_sock *k, const struct pgw_addr *a,
		   const struct pgw_tcp *tcp, struct pgw_err *err)
{
	char text[PGW_ADDR_TEXT];
	int problem;

	if (pgw_sock_begin(&k->fd, a, tcp, &problem, err) &&
	    settle(k, a, &problem, err) &&
	    (problem == 0 || pgw_sock_refuse(problem, a->sa.ss_family, err)))
		return true;
	pgw_sock_close(k);
	pgw_addr_text(a, text, sizeof(text));
	return pgw_wrap(err, "connect to %s", text);
}
