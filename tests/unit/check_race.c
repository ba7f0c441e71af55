/* SPDX-License-Identifier: MIT */
/* Addresses that answer, refuse and hang, on the loopback. */
#include <config.h>

#include "loopback.h"
#include "race.h"
#include "unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#define LATER_MS 20000 /* nothing here takes that long but a failure */
#define SOON_MS 200    /* before a second address starts by itself */

static struct pgw_addr numeric(const char *text)
{
	struct pgw_addr a;

	ck_assert(pgw_addr_numeric(&a, text, 5432));
	return a;
}

static struct pgw_addr answers(void)
{
	struct pgw_addr a;

	(void)listener(&a, 64);
	return a;
}

/* The port is ours, so that nobody else begins to listen there. */
static struct pgw_addr refuses(void)
{
	struct pgw_addr a;

	(void)bound(&a);
	return a;
}

/* Nobody accepts, and the queue is full: packets to it are dropped. */
static struct pgw_addr hangs(void)
{
	struct pgw_addr a;
	struct pgw_err err;

	(void)listener(&a, 0);
	for (int i = 0; i < 3; i++) {
		struct pgw_sock k = client(100);

		if (!pgw_sock_open(&k, &a, &(struct pgw_tcp){ 0 }, &err))
			ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	}
	return a;
}

static void add(struct pgw_addrs *addrs, struct pgw_addr a)
{
	addrs->a[addrs->n++] = a;
}

static struct pgw_race race_of(size_t n, const struct pgw_addr *a)
{
	struct pgw_addrs addrs = { .n = 0 };
	struct pgw_race r;

	while (addrs.n < n)
		add(&addrs, a[addrs.n]);
	pgw_race_init(&r, &addrs);
	return r;
}

static bool is(const struct pgw_addr *a, const struct pgw_addr *b)
{
	return a->len == b->len && memcmp(&a->sa, &b->sa, a->len) == 0;
}

static size_t open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

START_TEST(the_families_take_turns)
{
	static const struct {
		const char *given, *run; /* digits below 5 are IPv4 */
	} cases[] = {
		{ "", "" },	      { "1", "1" },	  { "123", "123" },
		{ "12678", "16278" }, { "6712", "6172" }, { "1236", "1623" },
		{ "678", "678" },     { "16", "16" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_addrs addrs = { .n = 0 };
		struct pgw_race r;
		char got[16] = "";

		for (const char *p = cases[i].given; *p; p++) {
			char text[32];

			snprintf(text, sizeof(text),
				 *p < '5' ? "10.0.0.%c" : "2001:db8::%c", *p);
			add(&addrs, numeric(text));
		}
		pgw_race_init(&r, &addrs);
		for (size_t k = 0; k < r.n; k++) {
			char text[PGW_ADDR_TEXT];

			pgw_addr_text(&r.runners[k].addr, text, sizeof(text));
			got[k] = *(strstr(text, text[0] == '[' ? "]:" : ":5") -
				   1);
		}
		ck_assert_str_eq(got, cases[i].run);
	}
}

END_TEST

START_TEST(after_one_that_refuses_the_next_starts_at_once)
{
	struct pgw_addr refused = refuses(), last = answers(), winner;
	struct pgw_addrs addrs = { .n = 0 };
	struct pgw_sock k = client(LATER_MS);
	int64_t start = pgw_clock_ms();
	struct pgw_err err = { 0 };
	struct pgw_race r;

	while (addrs.n < 60)
		add(&addrs, refused);
	add(&addrs, last);
	pgw_race_init(&r, &addrs);
	ck_assert_msg(pgw_race_run(&r, &k, &winner, &err), "%s", err.msg);
	ck_assert(is(&winner, &last));
	ck_assert_int_lt(pgw_clock_ms() - start, LATER_MS / 4);
	ck_assert(!pgw_race_goes_on(&r));
	pgw_sock_close(&k);
}

END_TEST

START_TEST(one_that_hangs_is_overtaken)
{
	struct pgw_addr list[] = { hangs(), answers(), answers() }, winner;
	struct pgw_race r = race_of(3, list);
	struct pgw_sock k = client(LATER_MS);
	size_t files = open_files();
	int64_t start = pgw_clock_ms();
	struct pgw_err err = { 0 };

	ck_assert_msg(pgw_race_run(&r, &k, &winner, &err), "%s", err.msg);
	ck_assert(is(&winner, &list[1]));
	ck_assert_int_ge(pgw_clock_ms() - start, SOON_MS);
	ck_assert_int_lt(pgw_clock_ms() - start, LATER_MS / 2);
	ck_assert_uint_eq(open_files(), files + 1);
	pgw_sock_close(&k);
}

END_TEST

START_TEST(the_first_of_two_that_answer_wins_then_the_second)
{
	struct pgw_addr list[] = { answers(), answers() }, winner;
	struct pgw_race r = race_of(2, list);
	struct pgw_sock k = client(LATER_MS);
	struct pgw_err err = { 0 };

	for (size_t i = 0; i < 2; i++) {
		ck_assert(pgw_race_goes_on(&r));
		ck_assert(pgw_race_run(&r, &k, &winner, &err));
		ck_assert(is(&winner, &list[i]));
		pgw_sock_close(&k);
	}
	ck_assert(!pgw_race_goes_on(&r));
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	ck_assert_int_eq(k.fd, -1);
}

END_TEST

/* Who was overtaken may still be the one that lets us in. */
START_TEST(who_was_overtaken_runs_again)
{
	struct pgw_addr list[] = { hangs(), answers() }, winner;
	struct pgw_race r = race_of(2, list);
	struct pgw_sock k = client(LATER_MS);
	struct pgw_err err = { 0 };

	ck_assert(pgw_race_run(&r, &k, &winner, &err));
	pgw_sock_close(&k);
	ck_assert(pgw_race_goes_on(&r));
	k = client(100);
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	ck_assert(!pgw_race_goes_on(&r));
}

END_TEST

START_TEST(the_winner_has_the_options_of_tcp)
{
	struct pgw_addr list[] = { refuses(), answers() }, winner;
	struct pgw_race r = race_of(2, list);
	struct pgw_sock k = client(LATER_MS);
	struct pgw_err err = { 0 };
	int v = 0;
	socklen_t n = sizeof(v);

	r.tcp = (struct pgw_tcp){ .keepalives = true, .idle_s = 33 };
	ck_assert(pgw_race_run(&r, &k, &winner, &err));
	ck_assert_int_eq(getsockopt(k.fd, IPPROTO_TCP, TCP_KEEPIDLE, &v, &n),
			 0);
	ck_assert_int_eq(v, 33);
	pgw_sock_close(&k);

	/* what cannot be set is wrong for every address */
	r = race_of(2, list);
	r.tcp = (struct pgw_tcp){ .keepalives = true, .idle_s = UINT32_MAX };
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	ck_assert_int_eq(err.code, PGW_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "keepalives_idle"));
	ck_assert_int_eq(k.fd, -1);
	ck_assert(!pgw_race_goes_on(&r));
}

END_TEST

START_TEST(many_that_hang_end_at_the_deadline)
{
	struct pgw_addr hanging = hangs(), winner;
	struct pgw_addrs addrs = { .n = 0 };
	struct pgw_sock k = client(700);
	size_t files = open_files();
	int64_t start = pgw_clock_ms();
	struct pgw_race r;
	struct pgw_err err;

	while (addrs.n < 100)
		add(&addrs, hanging);
	pgw_race_init(&r, &addrs);
	r.name = "db.example";
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	ck_assert_int_ge(pgw_clock_ms() - start, 699);
	ck_assert_int_lt(pgw_clock_ms() - start, LATER_MS / 2);
	ck_assert_uint_eq(open_files(), files);
	ck_assert_uint_lt(strlen(err.msg), 150);
	ck_assert_ptr_nonnull(strstr(err.msg, "connect to db.example: "
					      "127.0.0.1:"));
	ck_assert_ptr_nonnull(strstr(err.msg, " and 97 more: timed out"));
}

END_TEST

/* The last of many has its chance in the first half of the time. */
START_TEST(the_last_of_many_is_found)
{
	struct pgw_addr hanging = hangs(), last = answers(), winner;
	struct pgw_addrs addrs = { .n = 0 };
	struct pgw_sock k = client(6000);
	struct pgw_err err = { 0 };
	struct pgw_race r;

	while (addrs.n < 40)
		add(&addrs, hanging);
	add(&addrs, last);
	pgw_race_init(&r, &addrs);
	ck_assert_msg(pgw_race_run(&r, &k, &winner, &err), "%s", err.msg);
	ck_assert(is(&winner, &last));
	pgw_sock_close(&k);
}

END_TEST

START_TEST(an_interrupt_ends_the_race)
{
	struct pgw_addr list[] = { hangs(), hangs() }, winner;
	struct pgw_race r = race_of(2, list);
	struct pgw_sock k = client(LATER_MS);
	size_t files;
	struct pgw_err err;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "", 1), 1);
	k.interrupt_fd = ends[0];
	files = open_files();
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	ck_assert_int_eq(err.code, PGW_E_INTERRUPTED);
	ck_assert_uint_eq(open_files(), files);
}

END_TEST

START_TEST(each_reason_is_told_once_with_its_addresses)
{
	struct pgw_addr list[] = { refuses(), hangs(), refuses() }, winner;
	struct pgw_race r = race_of(3, list);
	struct pgw_sock k = client(2000);
	char text[3][PGW_ADDR_TEXT], want[500];
	struct pgw_err err;

	for (size_t i = 0; i < 3; i++)
		pgw_addr_text(&list[i], text[i], sizeof(text[i]));
	r.name = "db";
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	snprintf(want, sizeof(want),
		 "connect to db: %s, %s: Connection refused; %s: timed out",
		 text[0], text[2], text[1]);
	ck_assert_str_eq(err.msg, want);
	ck_assert_int_eq(err.code, PGW_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.hint, "is the server running"));
}

END_TEST

START_TEST(an_address_alone_needs_no_name)
{
	struct pgw_addr a = refuses(), winner;
	struct pgw_race r = race_of(1, &a);
	struct pgw_sock k = client(LATER_MS);
	char text[PGW_ADDR_TEXT], want[300];
	struct pgw_err err;

	pgw_addr_text(&a, text, sizeof(text));
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	snprintf(want, sizeof(want), "connect to %s: Connection refused", text);
	ck_assert_str_eq(err.msg, want);
}

END_TEST

START_TEST(a_unix_socket_runs_alone)
{
	struct pgw_addrs addrs = { .n = 1 };
	struct pgw_sock k = client(LATER_MS);
	struct pgw_race r;
	struct pgw_addr winner;
	struct pgw_err err;
	char name[60];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(name, sizeof(name), "@race-%d", (int)getpid());
	ck_assert(pgw_addr_unix(&addrs.a[0], name, 5432, &err));
	pgw_race_init(&r, &addrs);
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	ck_assert_int_eq(err.code, PGW_E_REFUSED);
	ck_assert(!pgw_race_goes_on(&r));

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addrs.a[0].sa,
			      addrs.a[0].len),
			 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	pgw_race_init(&r, &addrs);
	ck_assert(pgw_race_run(&r, &k, &winner, &err));
	pgw_sock_close(&k);
	close(fd);
}

END_TEST

/* In a network of its own, whose interfaces are all down. */
START_TEST(where_there_is_no_ipv6_a_hint_says_so)
{
	struct pgw_addr list[] = { numeric("2001:db8::1"),
				   numeric("2001:db8::2"),
				   numeric("10.0.0.1") };
	struct pgw_sock k = client(LATER_MS);
	struct pgw_addr winner;
	struct pgw_race r;
	struct pgw_err err;

	if (unshare(CLONE_NEWNET) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return;
	r = race_of(2, list);
	r.name = "six.example";
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	ck_assert_int_eq(err.code, PGW_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.msg, "[2001:db8::1]:5432, "
					      "[2001:db8::2]:5432: "));
	ck_assert_ptr_nonnull(strstr(err.hint, "IPv6"));

	/* it is not IPv6 that is missing when nothing is there */
	r = race_of(3, list);
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	ck_assert_int_eq(err.code, PGW_E_REFUSED);
	ck_assert_ptr_null(strstr(err.hint, "IPv6"));
}

END_TEST

START_TEST(what_can_be_wrong_has_its_code_and_hint)
{
	static const struct {
		int problem, family;
		enum pgw_code code;
		const char *hint;
	} cases[] = {
		{ ECONNREFUSED, AF_INET, PGW_E_REFUSED, "does it listen" },
		{ ENOENT, AF_UNIX, PGW_E_REFUSED, "directory (host)" },
		{ EACCES, AF_UNIX, PGW_E_IO, "may not write" },
		{ EACCES, AF_INET, PGW_E_IO, "" },
		{ EINVAL, AF_INET6, PGW_E_IO, "fe80::1%eth0" },
		{ ENETUNREACH, AF_INET6, PGW_E_REFUSED, "IPv6" },
		{ EAFNOSUPPORT, AF_INET6, PGW_E_REFUSED, "IPv6" },
		{ ENETUNREACH, AF_INET, PGW_E_REFUSED, "" },
		{ EHOSTUNREACH, AF_INET, PGW_E_REFUSED, "" },
		{ ETIMEDOUT, AF_INET, PGW_E_TIMEOUT, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_err err;

		pgw_sock_refuse(cases[i].problem, cases[i].family, &err);
		ck_assert_int_eq(err.code, cases[i].code);
		ck_assert(pgw_err_passes(&err));
		if (cases[i].hint[0])
			ck_assert_ptr_nonnull(strstr(err.hint, cases[i].hint));
		else
			ck_assert_str_eq(err.hint, "");
	}
}

END_TEST

START_TEST(who_may_not_open_sockets_is_told_so)
{
	struct pgw_addr list[] = { numeric("127.0.0.1"), numeric("::1") };
	struct rlimit before, none;
	struct pgw_race r = race_of(2, list);
	struct pgw_sock k = client(LATER_MS);
	struct pgw_addr winner;
	struct pgw_err err;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert(!pgw_race_run(&r, &k, &winner, &err));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(err.code, PGW_E_IO);
	ck_assert_ptr_nonnull(strstr(err.msg, "Too many open files"));
	ck_assert(!pgw_race_goes_on(&r));
}

END_TEST

UNIT_MAIN("race", the_families_take_turns,
	  after_one_that_refuses_the_next_starts_at_once,
	  one_that_hangs_is_overtaken,
	  the_first_of_two_that_answer_wins_then_the_second,
	  who_was_overtaken_runs_again, the_winner_has_the_options_of_tcp,
	  many_that_hang_end_at_the_deadline, the_last_of_many_is_found,
	  an_interrupt_ends_the_race,
	  each_reason_is_told_once_with_its_addresses,
	  an_address_alone_needs_no_name, a_unix_socket_runs_alone,
	  where_there_is_no_ipv6_a_hint_says_so,
	  what_can_be_wrong_has_its_code_and_hint,
	  who_may_not_open_sockets_is_told_so)
