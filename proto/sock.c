/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

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

bool pgw_sock_has_input(const struct pgw_sock *k)
{
	char byte;

	return recv(k->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
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
