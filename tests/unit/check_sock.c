/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "loopback.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOON_MS 100
#define LATER_MS 20000 /* nothing here takes that long but a failure */

static const struct pgw_tcp plain = { .keepalives = true };

/* A connected pair: ours, and the plain descriptor of the other side. */
static struct pgw_sock connected(int *server)
{
	struct pgw_sock k = client(LATER_MS);
	struct pgw_addr a;
	struct pgw_err err = { 0 };
	int fd = listener(&a, 1);

	ck_assert_msg(pgw_sock_open(&k, &a, &plain, &err), "%s", err.msg);
	*server = accept(fd, NULL, NULL);
	ck_assert_int_ge(*server, 0);
	close(fd);
	return k;
}

START_TEST(addresses_have_a_text)
{
	static const struct {
		const char *ip;
		unsigned scope;
		const char *text;
	} cases[] = {
		{ "::1", 0, "[::1]:5432" },
		{ "fe80::1", 1, "[fe80::1%lo]:5432" },
		{ "fe80::1", 4000000000, "[fe80::1%4000000000]:5432" },
	};
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(5432) };
	struct pgw_addr a = { .len = sizeof(in) };
	char text[PGW_ADDR_TEXT];

	in.sin_addr.s_addr = htonl(0x7f000001);
	memcpy(&a.sa, &in, sizeof(in));
	pgw_addr_text(&a, text, sizeof(text));
	ck_assert_str_eq(text, "127.0.0.1:5432");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
					    .sin6_port = htons(5432),
					    .sin6_scope_id = cases[i].scope };

		inet_pton(AF_INET6, cases[i].ip, &in6.sin6_addr);
		a.len = sizeof(in6);
		memcpy(&a.sa, &in6, sizeof(in6));
		pgw_addr_text(&a, text, sizeof(text));
		ck_assert_str_eq(text, cases[i].text);
	}
}

END_TEST

START_TEST(the_path_of_a_unix_socket_has_a_limit)
{
	char host[200], text[PGW_ADDR_TEXT];
	struct pgw_addr a;
	struct pgw_err err;

	ck_assert(pgw_addr_unix(&a, "/tmp", 5432, &err));
	pgw_addr_text(&a, text, sizeof(text));
	ck_assert_str_eq(text, "/tmp/.s.PGSQL.5432");

	memset(host, 'x', sizeof(host));
	host[0] = '/';
	host[107 - strlen("/.s.PGSQL.5432")] = '\0';
	ck_assert(pgw_addr_unix(&a, host, 5432, &err));
	pgw_addr_text(&a, text, sizeof(text));
	ck_assert_uint_eq(strlen(text), 107);
	ck_assert(!pgw_addr_unix(&a, host, 54321, &err));
	ck_assert_int_eq(err.code, PGW_E_CONFIG);
	host[0] = '@';
	ck_assert(pgw_addr_unix(&a, host, 5432, &err));
	pgw_addr_text(&a, text, sizeof(text));
	ck_assert_uint_eq(strlen(text), 107);
}

END_TEST

START_TEST(a_tcp_connection_has_its_options)
{
	const struct pgw_tcp tcp = { .keepalives = true,
				     .idle_s = 31,
				     .interval_s = 11,
				     .count = 4,
				     .user_timeout_ms = 12345 };
	struct pgw_sock k = client(LATER_MS);
	struct pgw_addr a;
	struct pgw_err err;
	int fd = listener(&a, 1);

	ck_assert(pgw_sock_open(&k, &a, &tcp, &err));
	ck_assert_int_eq(option(&k, IPPROTO_TCP, TCP_NODELAY), 1);
	ck_assert_int_eq(option(&k, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(option(&k, IPPROTO_TCP, TCP_KEEPIDLE), 31);
	ck_assert_int_eq(option(&k, IPPROTO_TCP, TCP_KEEPINTVL), 11);
	ck_assert_int_eq(option(&k, IPPROTO_TCP, TCP_KEEPCNT), 4);
	ck_assert_int_eq(option(&k, IPPROTO_TCP, TCP_USER_TIMEOUT), 12345);
	pgw_sock_close(&k);
	pgw_sock_close(&k);

	ck_assert(pgw_sock_open(&k, &a, &(struct pgw_tcp){ .count = 0 }, &err));
	ck_assert_int_eq(option(&k, SOL_SOCKET, SO_KEEPALIVE), 0);
	pgw_sock_close(&k);

	ck_assert(!pgw_sock_open(&k, &a,
				 &(struct pgw_tcp){ .keepalives = true,
						    .count = UINT32_MAX },
				 &err));
	ck_assert_int_eq(err.code, PGW_E_CONFIG);
	ck_assert_int_eq(k.fd, -1);
	close(fd);
}

END_TEST

START_TEST(a_closed_port_is_refused)
{
	struct pgw_sock k = client(LATER_MS);
	struct pgw_addr a;
	struct pgw_err err;
	char text[PGW_ADDR_TEXT], want[200];
	int fd = bound(&a);

	ck_assert(!pgw_sock_open(&k, &a, &plain, &err));
	ck_assert_int_eq(err.code, PGW_E_REFUSED);
	pgw_addr_text(&a, text, sizeof(text));
	snprintf(want, sizeof(want), "connect to %s: Connection refused", text);
	ck_assert_str_eq(err.msg, want);
	ck_assert_str_ne(err.hint, "");
	ck_assert_int_eq(k.fd, -1);
	close(fd);
}

END_TEST

/* Fill the queue of a listener that accepts nobody. */
static void fill_queue(const struct pgw_addr *a, struct pgw_sock *others,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct pgw_err err;

		others[i] = client(SOON_MS);
		if (!pgw_sock_open(&others[i], a, &plain, &err))
			ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	}
}

START_TEST(connecting_ends_at_the_deadline)
{
	struct pgw_sock others[4], k;
	struct pgw_addr a;
	struct pgw_err err;
	int64_t start;
	int fd = listener(&a, 0);

	fill_queue(&a, others, 4);
	start = pgw_clock_ms();
	k = client(SOON_MS);
	ck_assert(!pgw_sock_open(&k, &a, &plain, &err));
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(err.msg, ": timed out"));
	ck_assert_int_ge(pgw_clock_ms() - start, SOON_MS);
	ck_assert_int_lt(pgw_clock_ms() - start, LATER_MS / 2);
	for (int i = 0; i < 4; i++)
		pgw_sock_close(&others[i]);
	close(fd);
}

END_TEST

START_TEST(connecting_can_be_interrupted)
{
	struct pgw_sock others[4], k;
	struct pgw_addr a;
	struct pgw_err err;
	int fd = listener(&a, 0), p[2];

	fill_queue(&a, others, 4);
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	k = client(LATER_MS);
	k.interrupt_fd = p[0];
	ck_assert(!pgw_sock_open(&k, &a, &plain, &err));
	ck_assert_int_eq(err.code, PGW_E_INTERRUPTED);
	ck_assert_int_eq(k.fd, -1);
	for (int i = 0; i < 4; i++)
		pgw_sock_close(&others[i]);
	close(fd);
	close(p[0]);
	close(p[1]);
}

END_TEST

/* The path of a Unix socket of this process alone. */
static int unix_listener(struct pgw_addr *a, const char *host, int backlog)
{
	struct pgw_err err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert(pgw_addr_unix(a, host, 5432, &err));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a->sa, a->len), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

static void check_unix(const char *host)
{
	struct pgw_sock k = client(LATER_MS);
	struct pgw_addr a;
	struct pgw_err err = { 0 };
	unsigned uid = 12345;
	char text[PGW_ADDR_TEXT];
	int fd = unix_listener(&a, host, 5);

	ck_assert_msg(pgw_sock_open(&k, &a, NULL, &err), "%s", err.msg);
	ck_assert(pgw_sock_peer_uid(&k, &uid, &err));
	ck_assert_uint_eq(uid, geteuid());
	pgw_sock_close(&k);
	close(fd);
	pgw_addr_text(&a, text, sizeof(text));
	ck_assert_int_eq(strncmp(text, host, strlen(host)), 0);
	ck_assert(!pgw_sock_open(&k, &a, NULL, &err));
	ck_assert_int_eq(err.code, PGW_E_REFUSED);
}

START_TEST(unix_sockets_live_in_directories_and_in_the_abstract)
{
	char dir[] = "/tmp/pgw-sock-XXXXXX", host[64], path[128];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	check_unix(dir);
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	snprintf(host, sizeof(host), "@pgw-sock-%ld", (long)getpid());
	check_unix(host);
}

END_TEST

START_TEST(a_unix_socket_that_is_not_there_is_explained)
{
	struct pgw_sock k = client(LATER_MS);
	struct pgw_addr a;
	struct pgw_err err;

	ck_assert(pgw_addr_unix(&a, "/nonexistent", 5432, &err));
	ck_assert(!pgw_sock_open(&k, &a, NULL, &err));
	ck_assert_int_eq(err.code, PGW_E_REFUSED);
	ck_assert_str_eq(err.msg, "connect to /nonexistent/.s.PGSQL.5432: No "
				  "such file or directory");
	ck_assert_ptr_nonnull(strstr(err.hint, "is it running"));
}

END_TEST

START_TEST(a_busy_unix_socket_is_tried_until_the_deadline)
{
	struct pgw_sock k[3];
	struct pgw_addr a;
	struct pgw_err err;
	char host[64];
	int fd;

	snprintf(host, sizeof(host), "@pgw-busy-%ld", (long)getpid());
	fd = unix_listener(&a, host, 0);
	k[0] = client(LATER_MS);
	ck_assert(pgw_sock_open(&k[0], &a, NULL, &err));
	k[1] = client(SOON_MS);
	ck_assert(!pgw_sock_open(&k[1], &a, NULL, &err));
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	close(accept(fd, NULL, NULL));
	k[2] = client(LATER_MS);
	ck_assert(pgw_sock_open(&k[2], &a, NULL, &err));
	pgw_sock_close(&k[0]);
	pgw_sock_close(&k[2]);
	close(fd);
}

END_TEST

START_TEST(a_tcp_socket_does_not_tell_who_is_there)
{
	struct pgw_err err;
	unsigned uid;
	int server;
	struct pgw_sock k = connected(&server);

	ck_assert(!pgw_sock_peer_uid(&k, &uid, &err));
	ck_assert_int_eq(err.code, PGW_E_UNSUPPORTED);
	pgw_sock_close(&k);
	close(server);
}

END_TEST

START_TEST(bytes_are_read_and_written)
{
	char buf[16];
	struct pgw_err err;
	int server;
	struct pgw_sock k = connected(&server);

	ck_assert_int_eq(put(&k, "hello", 5, &err), 5);
	ck_assert_int_eq(recv(server, buf, sizeof(buf), 0), 5);
	ck_assert_int_eq(send(server, "hi", 2, 0), 2);
	ck_assert_int_eq(pgw_sock_read(&k, buf, sizeof(buf), &err), 2);
	close(server);
	ck_assert_int_eq(pgw_sock_read(&k, buf, sizeof(buf), &err), 0);
	pgw_sock_close(&k);
	ck_assert_int_eq(pgw_sock_read(&k, buf, sizeof(buf), &err), -1);
	ck_assert_int_eq(err.code, PGW_E_USAGE);
}

END_TEST

START_TEST(reading_ends_at_the_deadline)
{
	char buf[16];
	struct pgw_err err;
	int server;
	struct pgw_sock k = connected(&server);
	int64_t start = pgw_clock_ms();

	k.deadline = start + SOON_MS;
	ck_assert_int_eq(pgw_sock_read(&k, buf, sizeof(buf), &err), -1);
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	ck_assert_int_ge(pgw_clock_ms() - start, SOON_MS);
	pgw_sock_close(&k);
	close(server);
}

END_TEST

START_TEST(writing_ends_at_the_deadline)
{
	static char big[1 << 16];
	struct pgw_err err;
	int server;
	struct pgw_sock k = connected(&server);

	k.deadline = pgw_clock_ms() + SOON_MS;
	while (put(&k, big, sizeof(big), &err) > 0)
		;
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	pgw_sock_close(&k);
	close(server);
}

END_TEST

START_TEST(a_stream_that_never_pauses_still_ends_at_the_deadline)
{
	char buf[16];
	struct pgw_err err;
	int server;
	struct pgw_sock k = connected(&server);

	ck_assert_int_eq(send(server, "hi", 2, 0), 2);
	k.deadline = pgw_clock_ms();
	ck_assert_int_eq(pgw_sock_read(&k, buf, 1, &err), -1);
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	pgw_sock_close(&k);
	close(server);
}

END_TEST

static void ignore(int number)
{
	(void)number;
}

START_TEST(a_signal_does_not_end_a_wait)
{
	struct sigaction act = { .sa_handler = ignore };
	char buf[16];
	struct pgw_err err;
	int server;
	struct pgw_sock k = connected(&server);
	pid_t child;

	ck_assert_int_eq(sigaction(SIGUSR1, &act, NULL), 0);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 5; i++) {
			usleep(20000);
			kill(getppid(), SIGUSR1);
		}
		_exit(send(server, "x", 1, 0) == 1 ? 0 : 1);
	}
	ck_assert_int_eq(pgw_sock_read(&k, buf, sizeof(buf), &err), 1);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	pgw_sock_close(&k);
	close(server);
}

END_TEST

START_TEST(an_interrupt_ends_a_wait_even_if_there_is_data)
{
	char buf[16];
	struct pgw_move m = { .in = buf, .room = sizeof(buf) };
	struct pgw_err err;
	int server, p[2];
	struct pgw_sock k = connected(&server);

	ck_assert_int_eq(pipe(p), 0);
	k.interrupt_fd = p[0];
	ck_assert_int_eq(send(server, "hi", 2, 0), 2);
	ck_assert(pgw_sock_move(&k, &m, &err));
	ck_assert_uint_eq(m.got, 2);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	ck_assert_int_eq(send(server, "hi", 2, 0), 2);
	ck_assert(!pgw_sock_move(&k, &m, &err));
	ck_assert_int_eq(err.code, PGW_E_INTERRUPTED);
	k.interrupt_fd = -1;
	ck_assert(pgw_sock_move(&k, &m, &err));
	ck_assert_uint_eq(m.got, 2);
	pgw_sock_close(&k);
	close(server);
	close(p[0]);
	close(p[1]);
}

END_TEST

#define FLOOD ((size_t)4 << 20)

/* Write more than any buffer holds before reading anything. */
static int echo_late(int fd)
{
	static char buf[1 << 16];
	size_t left = FLOOD;
	ssize_t n;

	memset(buf, 's', sizeof(buf));
	while (left > 0) {
		n = send(fd, buf, left < sizeof(buf) ? left : sizeof(buf), 0);
		if (n <= 0)
			return 1;
		left -= (size_t)n;
	}
	for (left = FLOOD; left > 0; left -= (size_t)n) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n <= 0)
			return 2;
	}
	return 0;
}

START_TEST(both_ways_move_when_both_buffers_are_full)
{
	static char in[5000], out[1 << 16];
	struct pgw_err err = { 0 };
	size_t got = 0, put = 0;
	int server, status;
	struct pgw_sock k = connected(&server);
	pid_t child = fork();

	if (child == 0)
		_exit(echo_late(server));
	close(server);
	while (got < FLOOD || put < FLOOD) {
		size_t left = FLOOD - put;
		struct pgw_move m = {
			.in = in,
			.room = got < FLOOD ? sizeof(in) : 0,
			.out = out,
			.pending = left < sizeof(out) ? left : sizeof(out),
		};

		ck_assert_msg(pgw_sock_move(&k, &m, &err), "%s", err.msg);
		ck_assert(m.got > 0 || m.put > 0);
		ck_assert(!m.eof);
		got += m.got;
		put += m.put;
	}
	ck_assert_uint_eq(got, FLOOD);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	pgw_sock_close(&k);
}

END_TEST

/* Until the kernel has something to tell of it. */
static void await(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	ck_assert_int_eq(poll(&p, 1, LATER_MS), 1);
	ck_assert_int_ne(p.revents & (what ? what : POLLERR), 0);
}

/* Say something and cut the connection with a reset. */
static void die_with(const struct pgw_sock *k, int server,
		     const char *last_words)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	ck_assert_int_eq(send(server, last_words, strlen(last_words), 0),
			 (ssize_t)strlen(last_words));
	if (*last_words)
		await(k->fd, POLLIN);
	ck_assert_int_eq(setsockopt(server, SOL_SOCKET, SO_LINGER, &now,
				    sizeof(now)),
			 0);
	close(server);
	await(k->fd, 0);
}

START_TEST(last_words_are_heard_before_the_connection_is_lost)
{
	char in[16];
	struct pgw_move m = {
		.in = in, .room = sizeof(in), .out = "query", .pending = 5
	};
	struct pgw_err err;
	int server;
	struct pgw_sock k = connected(&server);

	die_with(&k, server, "FATAL");
	ck_assert(pgw_sock_move(&k, &m, &err));
	ck_assert_uint_eq(m.got, 5);
	ck_assert_mem_eq(in, "FATAL", 5);
	ck_assert(!pgw_sock_move(&k, &m, &err) || m.eof);
	pgw_sock_close(&k);
}

END_TEST

START_TEST(a_reset_is_a_closed_connection_and_no_signal)
{
	struct pgw_move m = { .out = "query", .pending = 5 };
	struct pgw_err err;
	int server;
	struct pgw_sock k = connected(&server);

	die_with(&k, server, "");
	ck_assert(!pgw_sock_move(&k, &m, &err));
	ck_assert_int_eq(err.code, PGW_E_CLOSED);
	ck_assert_int_eq(put(&k, "x", 1, &err), -1);
	ck_assert_int_eq(err.code, PGW_E_CLOSED);
	pgw_sock_close(&k);
}

END_TEST

START_TEST(the_end_of_the_stream_is_told)
{
	char in[16];
	struct pgw_move m = { .in = in, .room = sizeof(in) };
	struct pgw_err err;
	int server;
	struct pgw_sock k = connected(&server);

	close(server);
	ck_assert(pgw_sock_move(&k, &m, &err));
	ck_assert(m.eof);
	ck_assert_uint_eq(m.got, 0);
	ck_assert(!pgw_sock_move(&k, &(struct pgw_move){ .room = 0 }, &err));
	ck_assert_int_eq(err.code, PGW_E_USAGE);
	pgw_sock_close(&k);
}

END_TEST

UNIT_MAIN("sock", addresses_have_a_text, the_path_of_a_unix_socket_has_a_limit,
	  a_tcp_connection_has_its_options, a_closed_port_is_refused,
	  connecting_ends_at_the_deadline, connecting_can_be_interrupted,
	  unix_sockets_live_in_directories_and_in_the_abstract,
	  a_unix_socket_that_is_not_there_is_explained,
	  a_busy_unix_socket_is_tried_until_the_deadline,
	  a_tcp_socket_does_not_tell_who_is_there, bytes_are_read_and_written,
	  reading_ends_at_the_deadline, writing_ends_at_the_deadline,
	  a_stream_that_never_pauses_still_ends_at_the_deadline,
	  a_signal_does_not_end_a_wait,
	  an_interrupt_ends_a_wait_even_if_there_is_data,
	  both_ways_move_when_both_buffers_are_full,
	  last_words_are_heard_before_the_connection_is_lost,
	  a_reset_is_a_closed_connection_and_no_signal,
	  the_end_of_the_stream_is_told)
