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
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER 0x7f000035 /* 127.0.0.53 */

enum { A = 1, AAAA = 28, NXDOMAIN = 3, SERVFAIL = 2, REFUSED = 5 };

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

/* The first label of the name that is asked for, and the type. */
static size_t question(const unsigned char *q, char label[64], unsigned *type)
{
	size_t at = 12;

	snprintf(label, 64, "%.*s", (int)q[at], (const char *)q + at + 1);
	while (q[at])
		at += q[at] + 1u;
	*type = q[at + 2];
	return at + 5;
}

static void put_records(struct pgw_buf *out, unsigned type, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		pgw_buf_put_u16(out, 0xc00c); /* the name of the question */
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
	unsigned code, v4, v6;
	bool silent;
};

static struct reply reply_for(const char *label)
{
	static const struct {
		const char *label;
		struct reply reply;
	} rows[] = {
		{ "both", { .v4 = 2, .v6 = 1 } },
		{ "four", { .v4 = 1 } },
		{ "six", { .v6 = 1 } },
		{ "many", { .v4 = 20, .v6 = 14 } },
		{ "nothing", { .code = 0 } },
		{ "broken", { .code = SERVFAIL } },
		{ "refused", { .code = REFUSED } },
		{ "silent", { .silent = true } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].label, label) == 0)
			return rows[i].reply;
	return (struct reply){ .code = NXDOMAIN };
}

static void answer(int fd, const unsigned char *q,
		   const struct sockaddr_in *from)
{
	struct pgw_buf out;
	char label[64];
	unsigned type, count;
	size_t n = question(q, label, &type);
	struct reply reply = reply_for(label);

	if (reply.silent)
		return;
	count = type == A ? reply.v4 : reply.v6;
	pgw_buf_init(&out, 4096);
	pgw_buf_put(&out, q, 2);
	pgw_buf_put_u16(&out, (uint16_t)(0x8180 | reply.code));
	pgw_buf_put_u16(&out, 1);
	pgw_buf_put_u16(&out, (uint16_t)count);
	pgw_buf_put_u32(&out, 0);
	pgw_buf_put(&out, q + 12, n - 12);
	put_records(&out, type, count);
	sendto(fd, out.data, out.len, 0, (const struct sockaddr *)from,
	       sizeof(*from));
	pgw_buf_release(&out);
}

static void serve(int fd)
{
	for (;;) {
		unsigned char q[512] = { 0 };
		struct sockaddr_in from;
		socklen_t len = sizeof(from);

		if (recvfrom(fd, q, sizeof(q) - 64, 0, (struct sockaddr *)&from,
			     &len) > 12)
			answer(fd, q, &from);
	}
}

static void start_server(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(53) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(SERVER);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
		exit(77);
	server = fork();
	if (server == 0)
		serve(fd);
	close(fd);
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
		{ "many.example", 34, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[PGW_ADDR_TEXT];

		ck_assert_msg(resolve(cases[i].host, 10000), "%s", err.msg);
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
		{ "broken.example",
		  "host broken.example: no DNS server could tell its address" },
		{ "refused.example",
		  "host refused.example: no DNS server could tell its "
		  "address" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert(!resolve(cases[i].host, 10000));
		ck_assert_int_eq(err.code, PGW_E_RESOLVE);
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
	ck_assert_int_lt(pgw_clock_ms() - start, 10000);

	start = pgw_clock_ms();
	ck_assert(!resolve("silent.example", 300));
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	ck_assert_int_ge(pgw_clock_ms() - start, 300);
	ck_assert_int_lt(pgw_clock_ms() - start, 2000);
}

END_TEST

int main(void)
{
	const TTest *tests[] = { names_have_the_addresses_that_dns_tells,
				 what_dns_cannot_tell_is_explained,
				 a_silent_server_does_not_eat_all_the_time };
	int status;

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
