/* SPDX-License-Identifier: MIT */
/*
 * A DNS server that misbehaves, in a network of its own: this process leaves
 * the machine's network and puts its own /etc/resolv.conf in place, which
 * nobody else can see.  Skipped where the system does not allow that.
 */
#include <config.h>

#include "buf.h"
#include "resolve.h"
#include "unit.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER 0x7f000035 /* 127.0.0.53 */

enum {
	A = 1,
	CNAME = 5,
	AAAA = 28,
	SERVFAIL = 2,
	NXDOMAIN = 3,
	REFUSED = 5,
	QUESTION = 12, /* where its name stands */
	UDP_MAX = 512,
	TRUNCATED = 0x0200,
};

static pid_t server;

static bool raise_loopback(void)
{
	struct ifreq r = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "lo");
	ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &r) == 0;
	close(fd);
	return ok;
}

static bool replace_resolv_conf(void)
{
	static const char text[] = "nameserver 127.0.0.53\nsearch corp.test\n";
	char path[] = "/tmp/pgw-dns-XXXXXX";
	int fd = mkstemp(path);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0 &&
		  mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;

	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	return ok;
}

static bool leave_the_network(void)
{
	int space = CLONE_NEWNET | CLONE_NEWNS;

	return (unshare(space) == 0 || unshare(space | CLONE_NEWUSER) == 0) &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       raise_loopback() && replace_resolv_conf();
}

/* The name that is asked for, with a dot behind each label, and the type. */
static size_t question(const unsigned char *q, char name[256], unsigned *type)
{
	size_t at = QUESTION;

	name[0] = '\0';
	for (; q[at]; at += q[at] + 1u)
		snprintf(name + at - QUESTION, 256 + QUESTION - at, "%.*s.",
			 (int)q[at], (const char *)q + at + 1);
	*type = q[at + 2];
	return at + 5;
}

/* A chain of names, each for the one before; gives where the last stands. */
static size_t put_aliases(struct pgw_buf *out, unsigned count)
{
	size_t owner = QUESTION;

	for (unsigned i = 0; i < count; i++) {
		const char name[] = { 1, (char)('a' + i), 0 };

		pgw_buf_put_u16(out, (uint16_t)(0xc000 | owner));
		pgw_buf_put_u16(out, CNAME);
		pgw_buf_put_u16(out, 1);
		pgw_buf_put_u32(out, 5);
		pgw_buf_put_u16(out, sizeof(name));
		owner = out->len;
		pgw_buf_put(out, name, sizeof(name));
	}
	return owner;
}

static void put_records(struct pgw_buf *out, size_t owner, unsigned type,
			unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		pgw_buf_put_u16(out, (uint16_t)(0xc000 | owner));
		pgw_buf_put_u16(out, (uint16_t)type);
		pgw_buf_put_u16(out, 1);
		pgw_buf_put_u32(out, 5);
		pgw_buf_put_u16(out, type == A ? 4 : 16);
		pgw_buf_put_u32(out, type == A ? 0x0a000001 + i : 0x20010db8);
		for (unsigned k = 4; type == AAAA && k < 16; k += 4)
			pgw_buf_put_u32(out, k == 12 ? i + 1 : 0);
	}
}

struct reply {
	unsigned code, v4, v6, aliases;
	bool silent;
	bool half;    /* about IPv6 */
	bool in_corp; /* only there */
};

static struct reply reply_for(const char *name)
{
	static const struct {
		const char *label;
		struct reply reply;
	} rows[] = {
		{ "both", { .v4 = 2, .v6 = 1 } },
		{ "four", { .v4 = 1 } },
		{ "six", { .v6 = 1 } },
		{ "many", { .v4 = 20, .v6 = 14 } },
		{ "hundred", { .v4 = 100 } },
		{ "crowd", { .v4 = 300, .v6 = 20 } },
		{ "alias", { .v4 = 1, .aliases = 1 } },
		{ "chain", { .v4 = 2, .v6 = 1, .aliases = 8 } },
		{ "loose", { .aliases = 2 } },
		{ "half", { .v4 = 1, .half = true } },
		{ "inner", { .v4 = 1, .in_corp = true } },
		{ "pair", { .v4 = 2, .in_corp = true } },
		{ "pair", { .v4 = 1 } },
		{ "nothing", { .code = 0 } },
		{ "broken", { .code = SERVFAIL } },
		{ "refused", { .code = REFUSED } },
		{ "silent", { .silent = true } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].label);

		if (strncmp(rows[i].label, name, n) == 0 && name[n] == '.' &&
		    (!rows[i].reply.in_corp || strstr(name, ".corp.test.")))
			return rows[i].reply;
	}
	return (struct reply){ .code = NXDOMAIN };
}

/* False when nothing is said. */
static bool make_answer(struct pgw_buf *out, const unsigned char *q, size_t max)
{
	char name[256];
	unsigned type, count;
	size_t n = question(q, name, &type);
	struct reply reply = reply_for(name);

	if (reply.silent || (reply.half && type == AAAA))
		return false;
	count = type == A ? reply.v4 : reply.v6;
	pgw_buf_put(out, q, 2);
	pgw_buf_put_u16(out, (uint16_t)(0x8180 | reply.code));
	pgw_buf_put_u16(out, 1);
	pgw_buf_put_u16(out, (uint16_t)(count + reply.aliases));
	pgw_buf_put_u32(out, 0);
	pgw_buf_put(out, q + 12, n - 12);
	put_records(out, put_aliases(out, reply.aliases), type, count);
	if (out->len > max) {
		out->len = n;
		out->data[2] |= TRUNCATED >> 8;
		memset(out->data + 6, 0, 2);
	}
	return true;
}

static void answer(int fd, const unsigned char *q,
		   const struct sockaddr_in *from)
{
	struct pgw_buf out;

	pgw_buf_init(&out, 1 << 16);
	if (make_answer(&out, q, UDP_MAX))
		sendto(fd, out.data, out.len, 0, (const struct sockaddr *)from,
		       sizeof(*from));
	pgw_buf_release(&out);
}

/* One question over TCP: a length goes before each message. */
static void answer_tcp(int listener)
{
	int fd = accept(listener, NULL, NULL);
	unsigned char q[512] = { 0 }, length[2];
	struct pgw_buf out;

	pgw_buf_init(&out, 1 << 16);
	while (read(fd, length, 2) == 2 && read(fd, q, sizeof(q) - 64) > 12) {
		out.len = 0;
		if (!make_answer(&out, q, 1 << 16))
			continue;
		length[0] = (unsigned char)(out.len >> 8);
		length[1] = (unsigned char)out.len;
		if (send(fd, length, 2, MSG_NOSIGNAL | MSG_MORE) != 2 ||
		    send(fd, out.data, out.len, MSG_NOSIGNAL) < 0)
			break;
	}
	pgw_buf_release(&out);
	close(fd);
}

static void serve(int udp, int tcp)
{
	struct pollfd fds[] = { { .fd = udp, .events = POLLIN },
				{ .fd = tcp, .events = POLLIN } };

	while (poll(fds, 2, -1) > 0) {
		unsigned char q[512] = { 0 };
		struct sockaddr_in from;
		socklen_t len = sizeof(from);

		if (fds[1].revents && fork() == 0) {
			answer_tcp(tcp);
			_exit(0);
		} else if (fds[1].revents) {
			wait(NULL);
		}
		if (fds[0].revents &&
		    recvfrom(udp, q, sizeof(q) - 64, 0,
			     (struct sockaddr *)&from, &len) > 12)
			answer(udp, q, &from);
	}
}

static int listener(int type)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(53) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(SERVER);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 8) < 0))
		exit(77);
	return fd;
}

static void start_server(void)
{
	int udp = listener(SOCK_DGRAM), tcp = listener(SOCK_STREAM);

	server = fork();
	if (server == 0)
		serve(udp, tcp);
	close(udp);
	close(tcp);
}

static struct pgw_addrs addrs;
static struct pgw_err err;

static bool resolve(const char *host, int64_t ms)
{
	const struct pgw_sock limits = { -1, -1, pgw_clock_ms() + ms };

	return pgw_resolve(&addrs, host, 5432, &limits, &err);
}

START_TEST(names_have_the_addresses_that_dns_tells)
{
	static const struct {
		const char *host;
		size_t n;
		const char *first;
	} cases[] = {
		{ "both.example", 3, NULL },
		{ "four.example", 1, "10.0.0.1:5432" },
		{ "six.example.", 1, "[2001:db8::1]:5432" },
		{ "four", 1, "10.0.0.1:5432" }, /* four.corp.test */
		{ "many.example", 34, NULL },	/* by TCP, as those: */
		{ "hundred.example", 100, NULL },
		{ "crowd.example", PGW_ADDRS_MAX, NULL },
		{ "alias.example", 1, "10.0.0.1:5432" },
		{ "chain.example", 3, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[PGW_ADDR_TEXT];

		ck_assert_msg(resolve(cases[i].host, 60000), "%s", err.msg);
		ck_assert_uint_eq(addrs.n, cases[i].n);
		pgw_addr_text(&addrs.a[0], text, sizeof(text));
		if (cases[i].first)
			ck_assert_str_eq(text, cases[i].first);
	}
}

END_TEST

START_TEST(what_dns_cannot_tell_is_explained)
{
	static const struct {
		const char *host, *text;
	} cases[] = {
		{ "absent.example", "host absent.example: neither DNS nor "
				    "/etc/hosts knows that name" },
		{ "nothing.example",
		  "host nothing.example: the name exists, but it has no "
		  "address" },
		{ "loose.example", /* an alias of nothing */
		  "host loose.example: the name exists, but it has no "
		  "address" },
		{ "broken.example",
		  "host broken.example: no DNS server could tell its address" },
		{ "refused.example",
		  "host refused.example: no DNS server could tell its "
		  "address" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert(!resolve(cases[i].host, 60000));
		ck_assert_int_eq(err.code, PGW_E_RESOLVE);
		ck_assert(pgw_err_passes(&err));
		ck_assert_msg(strncmp(err.msg, cases[i].text,
				      strlen(cases[i].text)) == 0,
			      "%s", err.msg);
	}
}

END_TEST

START_TEST(a_silent_server_does_not_eat_all_the_time)
{
	int64_t start = pgw_clock_ms();

	ck_assert(!resolve("silent.example", 60000));
	ck_assert_int_eq(err.code, PGW_E_RESOLVE);
	ck_assert_int_lt(pgw_clock_ms() - start, 40000);

	start = pgw_clock_ms();
	ck_assert(!resolve("silent.example", 300));
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	ck_assert(pgw_err_passes(&err));
	ck_assert_int_ge(pgw_clock_ms() - start, 300);
	ck_assert_int_lt(pgw_clock_ms() - start, 20000);
}

END_TEST

START_TEST(looking_up_ends_at_the_deadline_and_at_an_interrupt)
{
	struct pgw_sock limits = { -1, -1, pgw_clock_ms() };
	int p[2];

	ck_assert(!pgw_resolve(&addrs, "silent.example", 5432, &limits, &err));
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	ck_assert_str_eq(err.msg, "looking up host silent.example: timed out");

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	limits.interrupt_fd = p[0];
	limits.deadline = PGW_FOREVER;
	ck_assert(!pgw_resolve(&addrs, "silent.example", 5432, &limits, &err));
	ck_assert_int_eq(err.code, PGW_E_INTERRUPTED);
	ck_assert_uint_eq(addrs.n, 0);
	close(p[0]);
	close(p[1]);
}

END_TEST

/* Some home routers do not answer questions about IPv6. */
START_TEST(half_an_answer_is_enough)
{
	int64_t start = pgw_clock_ms();

	ck_assert_msg(resolve("half.example", 60000), "%s", err.msg);
	ck_assert_uint_eq(addrs.n, 1);
	ck_assert_int_lt(pgw_clock_ms() - start, 30000);
}

END_TEST

/* Kubernetes lives on it: with ndots:2 a dot does not make a name whole. */
START_TEST(the_options_of_the_resolver_count)
{
	ck_assert(!resolve("inner.team.", 60000));
	ck_assert_msg(resolve("inner.team", 60000), "%s", err.msg);
	ck_assert(resolve("pair.team", 60000));
	ck_assert_uint_eq(addrs.n, 1);
	ck_assert_int_eq(setenv("RES_OPTIONS", "ndots:2", 1), 0);
	ck_assert(resolve("pair.team", 60000));
	ck_assert_uint_eq(addrs.n, 2);
	ck_assert_int_eq(setenv("LOCALDOMAIN", "elsewhere.test", 1), 0);
	ck_assert(!resolve("inner.team", 60000));
}

END_TEST

int main(void)
{
	const TTest *tests[] = {
		names_have_the_addresses_that_dns_tells,
		what_dns_cannot_tell_is_explained,
		a_silent_server_does_not_eat_all_the_time,
		looking_up_ends_at_the_deadline_and_at_an_interrupt,
		half_an_answer_is_enough,
		the_options_of_the_resolver_count
	};
	int status;

	unsetenv("RES_OPTIONS");
	unsetenv("LOCALDOMAIN");
	unsetenv("HOSTALIASES");
	if (!leave_the_network()) {
		printf("skipped: this user may not have a network of its "
		       "own\n");
		return 77;
	}
	start_server();
	status = unit_main("dns", tests, sizeof(tests) / sizeof(tests[0]));
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return status;
}
