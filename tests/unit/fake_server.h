/* SPDX-License-Identifier: MIT */
/*
 * A server in a process of its own, on the loopback, that does what no real
 * one would.  What it finds wrong ends it with a status that fails the test.
 */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include "pgw.h"
#include "unit.h"
#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct fake {
	pid_t pid;
	uint16_t port;
};

typedef void fake_role(int listener, const void *arg);

/* ---- in the server's process */

#define FAKE_MUST(what)                                                 \
	do {                                                            \
		if (!(what)) {                                          \
			fprintf(stderr, "server: not so: %s\n", #what); \
			_exit(9);                                       \
		}                                                       \
	} while (0)

static inline void fake_take(int fd, void *buf, size_t n)
{
	for (char *p = buf; n > 0;) {
		ssize_t got = read(fd, p, n);

		FAKE_MUST(got > 0);
		p += got;
		n -= (size_t)got;
	}
}

static inline void fake_send(int fd, const void *bytes, size_t n)
{
	for (const char *p = bytes; n > 0;) {
		ssize_t put = send(fd, p, n, MSG_NOSIGNAL);

		FAKE_MUST(put > 0);
		p += put;
		n -= (size_t)put;
	}
}

#define FAKE_SEND(fd, literal) fake_send(fd, literal, sizeof(literal) - 1)

static inline uint32_t fake_u32(const unsigned char b[4])
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

/* Take a message and forget its body; gives its length. */
static inline size_t fake_message(int fd, char tag)
{
	unsigned char head[5], body[4096];
	size_t n;

	fake_take(fd, head, sizeof(head));
	FAKE_MUST(head[0] == (unsigned char)tag);
	n = fake_u32(head + 1) - 4;
	for (size_t left = n; left > 0;) {
		size_t part = left < sizeof(body) ? left : sizeof(body);

		fake_take(fd, body, part);
		left -= part;
	}
	return n;
}

/* Take the startup message, and give the version. */
static inline void fake_startup(int fd, uint32_t *version)
{
	unsigned char head[8], rest[10000];

	fake_take(fd, head, sizeof(head));
	FAKE_MUST(fake_u32(head) < sizeof(rest));
	fake_take(fd, rest, fake_u32(head) - 8);
	if (version)
		*version = fake_u32(head + 4);
}

/* Accept, and take the startup message. */
static inline int fake_accept(int listener, uint32_t *version)
{
	int fd = accept(listener, NULL, NULL);

	FAKE_MUST(fd >= 0);
	fake_startup(fd, version);
	return fd;
}

static inline int fake_login(int listener)
{
	int fd = fake_accept(listener, NULL);

	FAKE_SEND(fd, AUTH_OK KEY READY);
	return fd;
}

/* ---- roles */

/* It lets one in, who then says goodbye. */
static inline void fake_welcome(int listener, const void *arg)
{
	int fd = fake_login(listener);

	(void)arg;
	fake_message(fd, 'X');
}

/* It answers one startup message with arg, a struct bytes. */
static inline void fake_turn_away(int listener, const void *arg)
{
	const struct bytes *b = arg;
	int fd = fake_accept(listener, NULL);

	fake_send(fd, b->p, b->n);
}

/* ---- in the test's */

static inline int fake_bound(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static inline int fake_listen(uint16_t *port)
{
	int fd = fake_bound(port);

	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static inline struct fake fake_start_on(int listener, fake_role *role,
					const void *arg)
{
	struct fake f = { .pid = fork() };

	ck_assert_int_ge(f.pid, 0);
	if (f.pid == 0) {
		alarm(100);
		role(listener, arg);
		_exit(0);
	}
	close(listener);
	return f;
}

static inline struct fake fake_start(fake_role *role, const void *arg)
{
	uint16_t port;
	struct fake f = fake_start_on(fake_listen(&port), role, arg);

	f.port = port;
	return f;
}

/* The server was content. */
static inline void fake_end(struct fake f)
{
	int status = 0;

	ck_assert_int_eq(waitpid(f.pid, &status, 0), f.pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "the server ended with status %d", status);
}

/* It need not have been reached. */
static inline void fake_kill(struct fake f)
{
	kill(f.pid, SIGKILL);
	waitpid(f.pid, NULL, 0);
}

/* A port that nobody listens at: it is ours until the test ends. */
static inline uint16_t fake_no_port(void)
{
	uint16_t port;

	(void)fake_bound(&port);
	return port;
}

static inline struct pgw_config fake_settings(const char *text)
{
	struct pgw_outside outside = { .env = NULL };
	struct pgw_conninfo info;
	struct pgw_config cfg;
	struct pgw_err err = { 0 };

	pgw_conninfo_init(&info);
	ck_assert_msg(pgw_conninfo_parse(&info, text, &err), "%s", err.msg);
	ck_assert_msg(pgw_conninfo_complete(&info, &outside, &err), "%s",
		      err.msg);
	ck_assert_msg(pgw_config_settle(&cfg, &info, &outside, &err), "%s",
		      err.msg);
	pgw_conninfo_release(&info);
	return cfg;
}

/* "host=127.0.0.1 port=... user=u dbname=d password=secret MORE" */
static inline struct pgw_config fake_config(uint16_t port, const char *more)
{
	char text[400];

	snprintf(text, sizeof(text),
		 "host=127.0.0.1 port=%u user=u dbname=d "
		 "sslmode=disable password=secret %s",
		 (unsigned)port, more);
	return fake_settings(text);
}

#endif
