/* SPDX-License-Identifier: MIT */
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

/* ---- waiting */

static int shorter(int timeout_ms, int64_t left)
{
	if (timeout_ms >= 0 && timeout_ms < left)
		return timeout_ms;
	/* Nobody notices that it wakes up once a day. */
	return left < 86400000 ? (int)left : 86400000;
}

bool pgw_sock_poll(const struct pgw_sock *k, struct pollfd *fds, size_t n,
		   int timeout_ms, struct pgw_err *err)
{
	int ready;

	fds[0] = (struct pollfd){ .fd = k->interrupt_fd, .events = POLLIN };
	do {
		int64_t left = k->deadline - pgw_clock_ms();

		if (left <= 0)
			return pgw_fail(err, PGW_E_TIMEOUT, "timed out");
		ready = poll(fds, n, shorter(timeout_ms, left));
	} while ((ready == 0 && timeout_ms < 0) ||
		 (ready < 0 && errno == EINTR));
	if (ready < 0)
		return pgw_fail(err, PGW_E_IO, "poll: %s", strerror(errno));
	if (fds[0].revents)
		return pgw_fail(err, PGW_E_INTERRUPTED, "interrupted");
	return true;
}

/* Wait for the socket itself; *revents may be NULL. */
static bool wait_for(const struct pgw_sock *k, short events, short *revents,
		     struct pgw_err *err)
{
	struct pollfd fds[2];

	if (k->fd < 0)
		return pgw_fail(err, PGW_E_USAGE, "the connection is closed");
	fds[1] = (struct pollfd){ .fd = k->fd, .events = events };
	if (!pgw_sock_poll(k, fds, 2, -1, err))
		return false;
	if (revents)
		*revents = fds[1].revents;
	return true;
}

/* ---- connecting */

static bool set_option(const struct pgw_sock *k, int level, int option,
		       uint32_t value, struct pgw_err *err)
{
	int v = value > INT_MAX ? INT_MAX : (int)value;

	if (setsockopt(k->fd, level, option, &v, sizeof(v)) == 0)
		return true;
	return pgw_fail(err, PGW_E_IO, "socket option %d.%d = %d: %s", level,
			option, v, strerror(errno));
}

static bool set_tcp_options(const struct pgw_sock *k, const struct pgw_tcp *tcp,
			    struct pgw_err *err)
{
	const struct {
		int level, option;
		uint32_t value;
	} rows[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, tcp->keepalives },
		{ IPPROTO_TCP, TCP_KEEPIDLE, tcp->idle_s },
		{ IPPROTO_TCP, TCP_KEEPINTVL, tcp->interval_s },
		{ IPPROTO_TCP, TCP_KEEPCNT, tcp->count },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, tcp->user_timeout_ms },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value != 0 &&
		    !set_option(k, rows[i].level, rows[i].option, rows[i].value,
				err))
			return false;
	return true;
}

/*
 * A port of this machine that the kernel may give to clients can be given to
 * the very socket that tries to reach it, which then talks to itself.
 */
static bool is_to_itself(const struct pgw_sock *k, const struct pgw_addr *a)
{
	struct pgw_addr mine = { .len = sizeof(mine.sa) };

	return a->sa.ss_family != AF_UNIX &&
	       getsockname(k->fd, (struct sockaddr *)&mine.sa, &mine.len) ==
		       0 &&
	       mine.len == a->len && memcmp(&mine.sa, &a->sa, a->len) == 0;
}

/*
 * One try; *problem is what connect(2) says in the end.  False when waiting
 * for that failed.
 */
static bool try_connect(const struct pgw_sock *k, const struct pgw_addr *a,
			int *problem, struct pgw_err *err)
{
	socklen_t size = sizeof(*problem);

	*problem = 0;
	if (connect(k->fd, (const struct sockaddr *)&a->sa, a->len) < 0)
		*problem = errno;
	if (*problem == EINPROGRESS || *problem == EINTR) {
		if (!wait_for(k, POLLOUT, NULL, err))
			return false;
		if (getsockopt(k->fd, SOL_SOCKET, SO_ERROR, problem, &size) < 0)
			*problem = errno;
	}
	if (*problem == 0 && is_to_itself(k, a))
		*problem = ECONNREFUSED;
	return true;
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
		return PGW_E_REFUSED;
	case ETIMEDOUT:
		return PGW_E_TIMEOUT;
	default:
		return PGW_E_IO;
	}
}

static const char *hint_for(int problem, int family)
{
	if (problem == ENOENT)
		return "a running server makes this socket: is it running, and "
		       "are its directory (host) and port the right ones?";
	if (problem == ECONNREFUSED)
		return "is the server running, and does it listen there?";
	if (problem == EACCES && family == AF_UNIX)
		return "this user may not write to the socket";
	if (problem == ENETUNREACH && family == AF_INET6)
		return "this machine has no way to the IPv6 network; is there "
		       "an IPv4 address, or a pooler that has one?";
	return NULL;
}

static bool refuse(int problem, int family, struct pgw_err *err)
{
	const char *hint = hint_for(problem, family);

	pgw_fail(err, code_of(problem), "%s", strerror(problem));
	return hint ? pgw_hint(err, "%s", hint) : false;
}

static bool dial(struct pgw_sock *k, const struct pgw_addr *a,
		 const struct pgw_tcp *tcp, struct pgw_err *err)
{
	int family = a->sa.ss_family, problem;
	struct pollfd none[1];

	k->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (k->fd < 0)
		return refuse(errno, family, err);
	if (family != AF_UNIX && !set_tcp_options(k, tcp, err))
		return false;
	if (!try_connect(k, a, &problem, err))
		return false;
	/* A Unix socket whose queue is full has nothing to poll for. */
	while (problem == EAGAIN && family == AF_UNIX) {
		if (!pgw_sock_poll(k, none, 1, RETRY_MS, err) ||
		    !try_connect(k, a, &problem, err))
			return false;
	}
	return problem == 0 ? true : refuse(problem, family, err);
}

bool pgw_sock_open(struct pgw_sock *k, const struct pgw_addr *a,
		   const struct pgw_tcp *tcp, struct pgw_err *err)
{
	char text[PGW_ADDR_TEXT];

	if (dial(k, a, tcp, err))
		return true;
	pgw_sock_close(k);
	pgw_addr_text(a, text, sizeof(text));
	return pgw_wrap(err, "connect to %s", text);
}

void pgw_sock_close(struct pgw_sock *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

/* ---- moving bytes */

static bool fail_move(int problem, const char *what, struct pgw_err *err)
{
	bool closed = problem == ECONNRESET || problem == EPIPE;

	return pgw_fail(err, closed ? PGW_E_CLOSED : PGW_E_IO, "%s: %s", what,
			strerror(problem));
}

/* These give what the system call gives, or -EAGAIN, or another -errno. */
static ssize_t receive(const struct pgw_sock *k, void *buf, size_t n)
{
	ssize_t got;

	do
		got = recv(k->fd, buf, n, 0);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static ssize_t transmit(const struct pgw_sock *k, const void *buf, size_t n)
{
	ssize_t put;

	do
		put = send(k->fd, buf, n, MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	return put < 0 ? -errno : put;
}

ssize_t pgw_sock_read(struct pgw_sock *k, void *buf, size_t n,
		      struct pgw_err *err)
{
	ssize_t got;

	do {
		if (!wait_for(k, POLLIN, NULL, err))
			return -1;
		got = receive(k, buf, n);
	} while (got == -EAGAIN);
	if (got < 0) {
		fail_move((int)-got, "receive", err);
		return -1;
	}
	return got;
}

ssize_t pgw_sock_write(struct pgw_sock *k, const void *buf, size_t n,
		       struct pgw_err *err)
{
	ssize_t put;

	do {
		if (!wait_for(k, POLLOUT, NULL, err))
			return -1;
		put = transmit(k, buf, n);
	} while (put == -EAGAIN);
	if (put < 0) {
		fail_move((int)-put, "send", err);
		return -1;
	}
	return put;
}

static bool move_in(const struct pgw_sock *k, struct pgw_move *m,
		    struct pgw_err *err)
{
	ssize_t got = receive(k, m->in, m->room);

	if (got < 0 && got != -EAGAIN)
		return fail_move((int)-got, "receive", err);
	if (got > 0)
		m->got = (size_t)got;
	m->eof = got == 0;
	return true;
}

/*
 * A server that hangs up says why before it does.  That may have come in
 * after we looked: it counts more than that our bytes could not be sent.
 */
static bool move_out(const struct pgw_sock *k, struct pgw_move *m,
		     struct pgw_err *err)
{
	ssize_t put = transmit(k, m->out, m->pending);

	if (put >= 0) {
		m->put = (size_t)put;
		return true;
	}
	if (put == -EAGAIN || m->got > 0)
		return true;
	if (m->room > 0 && move_in(k, m, err) && m->got > 0)
		return true;
	return fail_move((int)-put, "send", err);
}

bool pgw_sock_move(struct pgw_sock *k, struct pgw_move *m, struct pgw_err *err)
{
	int events = (m->room > 0 ? POLLIN : 0) |
		     (m->pending > 0 ? POLLOUT : 0);
	short revents = 0;

	m->got = 0;
	m->put = 0;
	m->eof = false;
	if (events == 0)
		return pgw_fail(err, PGW_E_USAGE, "nothing to move");
	while (m->got == 0 && m->put == 0 && !m->eof) {
		if (!wait_for(k, (short)events, &revents, err))
			return false;
		if (m->room > 0 && (revents & ~POLLOUT) && !move_in(k, m, err))
			return false;
		if (m->pending > 0 && !m->eof && (revents & ~POLLIN) &&
		    !move_out(k, m, err))
			return false;
	}
	return true;
}

bool pgw_sock_peer_uid(const struct pgw_sock *k, unsigned *uid,
		       struct pgw_err *err)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int domain = 0;
	socklen_t domain_size = sizeof(domain);

	if (getsockopt(k->fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) <
		    0 ||
	    getsockopt(k->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return pgw_fail(err, PGW_E_IO,
				"who is at the other end of the socket: %s",
				strerror(errno));
	if (domain != AF_UNIX)
		return pgw_fail(err, PGW_E_UNSUPPORTED,
				"only a Unix socket tells who is at its "
				"other end");
	*uid = peer.uid;
	return true;
}
