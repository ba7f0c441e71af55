/* SPDX-License-Identifier: MIT */
/* Sockets on the loopback, for tests that connect to them. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "sock.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* A port that is ours, and that nobody listens at. */
static inline int bound(struct pgw_addr *a)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	*a = (struct pgw_addr){ .len = sizeof(a->sa) };
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a->sa, &a->len),
			 0);
	return fd;
}

/* A socket that listens on the loopback, and its address. */
static inline int listener(struct pgw_addr *a, int backlog)
{
	int fd = bound(a);

	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

/* One of ours that is not open yet, and has so much time. */
static inline struct pgw_sock client(int64_t ms)
{
	return (struct pgw_sock){ .fd = -1,
				  .interrupt_fd = -1,
				  .deadline = pgw_clock_ms() + ms };
}

static inline int option(const struct pgw_sock *k, int level, int name)
{
	int v = -1;
	socklen_t n = sizeof(v);

	ck_assert_int_eq(getsockopt(k->fd, level, name, &v, &n), 0);
	return v;
}

/* Send what can be sent: how many bytes, or -1 after filling err. */
static inline ssize_t put(struct pgw_sock *k, const void *bytes, size_t n,
			  struct pgw_err *err)
{
	struct pgw_move m = { .out = bytes, .pending = n };

	return pgw_sock_move(k, &m, err) ? (ssize_t)m.put : -1;
}

#endif
