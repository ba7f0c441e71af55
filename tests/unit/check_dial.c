/* SPDX-License-Identifier: MIT */
/* From the settings of a host to its addresses, and from one to the next. */
#include <config.h>

#include "dial.h"
#include "fake_server.h"
#include "loopback.h"

#include <netinet/tcp.h>

#define LATER_MS 20000 /* nothing here takes that long but a failure */

/* ---- what the settings ask of the kernel */

START_TEST(a_socket_has_the_options_of_the_settings)
{
	static const struct {
		const char *more;
		int on, idle, interval, count, timeout; /* 0 = the system's */
	} cases[] = {
		{ "", 1, 30, 10, 3, 0 },
		{ "keepalives_idle=77 keepalives_interval=7 "
		  "keepalives_count=5 tcp_user_timeout=4321",
		  1, 77, 7, 5, 4321 },
		{ "keepalives=0", 0, 0, 0, 0, 0 },
		{ "keepalives_idle=0", 1, 0, 10, 3, 0 },
		{ "tcp_user_timeout=-1", 1, 30, 10, 3, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_sock k = { .fd = -1,
				      .interrupt_fd = -1,
				      .deadline = pgw_clock_ms() + LATER_MS };
		struct pgw_addrs addrs;
		struct pgw_addr winner;
		struct pgw_race race;
		struct pgw_config cfg;
		struct pgw_err err = { 0 };
		uint16_t port;
		int fd = fake_listen(&port);

		cfg = fake_config(port, cases[i].more);
		ck_assert(pgw_dial_addresses(&addrs, &cfg.hosts[0], -1,
					     k.deadline, &err));
		ck_assert(pgw_dial_race(&race, &addrs, &cfg.hosts[0], &cfg,
					&err));
		ck_assert(pgw_race_run(&race, &k, &winner, &err));
		ck_assert_int_eq(option(&k, SOL_SOCKET, SO_KEEPALIVE),
				 cases[i].on);
		ck_assert_int_eq(option(&k, IPPROTO_TCP, TCP_USER_TIMEOUT),
				 cases[i].timeout);
		if (cases[i].idle)
			ck_assert_int_eq(option(&k, IPPROTO_TCP, TCP_KEEPIDLE),
					 cases[i].idle);
		if (cases[i].interval)
			ck_assert_int_eq(option(&k, IPPROTO_TCP, TCP_KEEPINTVL),
					 cases[i].interval);
		if (cases[i].count)
			ck_assert_int_eq(option(&k, IPPROTO_TCP, TCP_KEEPCNT),
					 cases[i].count);
		pgw_sock_close(&k);
		close(fd);
		pgw_config_release(&cfg);
	}
}

END_TEST

START_TEST(what_no_kernel_takes_is_refused_by_its_name)
{
	static const char *const cases[] = { "keepalives_idle",
					     "keepalives_interval",
					     "keepalives_count" };
	struct pgw_outside outside = { .env = NULL };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_conninfo info;
		struct pgw_config cfg;
		struct pgw_err err;
		char text[80];

		snprintf(text, sizeof(text), "host=h user=u %s=40000",
			 cases[i]);
		pgw_conninfo_init(&info);
		ck_assert(pgw_conninfo_parse(&info, text, &err));
		ck_assert(pgw_conninfo_complete(&info, &outside, &err));
		ck_assert(!pgw_config_settle(&cfg, &info, &outside, &err));
		ck_assert_int_eq(err.code, PGW_E_CONFIG);
		ck_assert_ptr_nonnull(strstr(err.msg, cases[i]));
		ck_assert_ptr_nonnull(strstr(err.msg, "at most"));
		pgw_conninfo_release(&info);
	}
}

END_TEST

/* ---- addresses of a host */

START_TEST(a_host_has_the_addresses_that_are_given)
{
	static const struct {
		const char *host;
		const char *text; /* NULL = there is none */
	} cases[] = {
		{ "host=h.invalid hostaddr=127.0.0.1", "127.0.0.1:5432" },
		{ "hostaddr=::1", "[::1]:5432" },
		{ "host=/tmp", "/tmp/.s.PGSQL.5432" },
		{ "host=@name", "@name/.s.PGSQL.5432" },
		{ "host=h hostaddr=localhost", NULL },
		{ "hostaddr=127.1", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[PGW_ADDR_TEXT];
		struct pgw_addrs addrs = { .n = 0 };
		struct pgw_config cfg;
		struct pgw_err err = { 0 };
		bool ok;

		snprintf(text, sizeof(text), "user=u %s", cases[i].host);
		cfg = fake_settings(text);
		ok = pgw_dial_addresses(&addrs, &cfg.hosts[0], -1,
					pgw_clock_ms() + LATER_MS, &err);
		ck_assert(ok == (cases[i].text != NULL));
		if (ok) {
			ck_assert_uint_eq(addrs.n, 1);
			pgw_addr_text(&addrs.a[0], text, sizeof(text));
			ck_assert_str_eq(text, cases[i].text);
		} else {
			ck_assert_int_eq(err.code, PGW_E_CONFIG);
			ck_assert_ptr_nonnull(strstr(err.msg, "hostaddr="));
		}
		pgw_config_release(&cfg);
	}
}

END_TEST

/* ---- which address is first */

static unsigned firsts_of_four(const char *more)
{
	struct pgw_config cfg = fake_config(5432, more);
	unsigned seen = 0;
	struct pgw_err err;

	for (int i = 0; i < 200; i++) {
		struct pgw_addrs addrs = { .n = 4 };
		struct pgw_race race;
		char text[PGW_ADDR_TEXT];

		for (size_t k = 0; k < 4; k++) {
			snprintf(text, sizeof(text), "10.0.0.%zu", k);
			ck_assert(pgw_addr_numeric(&addrs.a[k], text, 5432));
		}
		ck_assert(pgw_dial_race(&race, &addrs, &cfg.hosts[0], &cfg,
					&err));
		ck_assert_uint_eq(race.n, 4);
		pgw_addr_text(&race.runners[0].addr, text, sizeof(text));
		seen |= 1u << (text[strlen("10.0.0.")] - '0');
	}
	pgw_config_release(&cfg);
	return seen;
}

START_TEST(addresses_are_shuffled_on_request)
{
	ck_assert_uint_eq(firsts_of_four(""), 1);
	ck_assert_uint_eq(firsts_of_four("load_balance_hosts=disable"), 1);
	ck_assert_uint_eq(firsts_of_four("load_balance_hosts=random"), 15);
}

END_TEST

/* ---- two addresses of one host: 127.0.0.1 and ::1 */

static int listen_v6(uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_port = htons(port),
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    listen(fd, 8) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool connect_to(const char *host, uint16_t port, const char *more,
		       size_t *trips, struct pgw_err *err)
{
	const struct pgw_conn_options options = {
		.interrupt_fd = -1, .deadline = pgw_clock_ms() + LATER_MS
	};
	struct pgw_config cfg;
	struct pgw_conn *c;
	char text[200];
	bool ok;

	snprintf(text, sizeof(text),
		 "host=%s port=%u user=u dbname=d sslmode=disable %s", host,
		 (unsigned)port, more);
	cfg = fake_settings(text);
	ok = pgw_connect(&c, &cfg, &options, err);
	if (ok && trips)
		*trips = pgw_conn_round_trips(c);
	pgw_conn_close(c);
	pgw_config_release(&cfg);
	return ok;
}

START_TEST(after_an_address_that_starts_up_the_next_is_tried)
{
	struct bytes starting = BYTES("E\0\0\0\x18SFATAL\0C57P03\0Mbad\0\0");
	struct bytes wrong = BYTES("E\0\0\0\x18SFATAL\0C28P01\0Mbad\0\0");
	struct fake busy = fake_start(fake_turn_away, &starting), f;
	int v6 = listen_v6(busy.port);
	struct pgw_err err = { 0 };

	if (v6 < 0) {
		fake_kill(busy);
		return; /* no IPv6 here */
	}
	f = fake_start_on(v6, fake_welcome, NULL);
	ck_assert_msg(connect_to("localhost", busy.port, "", NULL, &err), "%s",
		      err.msg);
	fake_end(busy);
	fake_end(f);

	/* but what does not pass is the end */
	busy = fake_start(fake_turn_away, &wrong);
	v6 = listen_v6(busy.port);
	ck_assert_int_ge(v6, 0);
	f = fake_start_on(v6, fake_welcome, NULL);
	ck_assert(!connect_to("localhost", busy.port, "", NULL, &err));
	ck_assert_str_eq(err.sqlstate, "28P01");
	fake_end(busy);
	fake_kill(f);
}

END_TEST

START_TEST(what_was_wrong_with_each_address_is_told)
{
	struct bytes starting = BYTES("E\0\0\0\x18SFATAL\0C57P03\0Mbad\0\0");
	struct fake busy = fake_start(fake_turn_away, &starting);
	struct pgw_err err = { 0 };

	ck_assert(!connect_to("localhost", busy.port, "", NULL, &err));
	ck_assert_msg(strstr(err.msg, "bad; connect to localhost: [::1]:") !=
			      NULL,
		      "%s", err.msg);
	ck_assert(pgw_err_passes(&err));
	fake_end(busy);
}

END_TEST

START_TEST(who_takes_any_server_is_not_asked_more)
{
	struct fake f = fake_start(fake_welcome, NULL);
	struct pgw_err err = { 0 };
	size_t trips = 0;

	ck_assert_msg(connect_to("127.0.0.1", f.port, "", &trips, &err), "%s",
		      err.msg);
	ck_assert_uint_eq(trips, 2); /* TCP's, and the login */
	fake_end(f);
}

END_TEST

/* ---- one deadline */

static void silent(int listener, const void *arg)
{
	char c;

	(void)arg;
	FAKE_MUST(read(fake_accept(listener, NULL), &c, 1) == 0);
}

START_TEST(all_hosts_together_have_a_deadline)
{
	struct fake f[2] = { fake_start(silent, NULL),
			     fake_start(silent, NULL) };
	struct pgw_conn_options options = { .interrupt_fd = -1,
					    .deadline = pgw_clock_ms() + 1000 };
	int64_t start = pgw_clock_ms();
	struct pgw_config cfg;
	struct pgw_conn *c;
	struct pgw_err err;
	char text[200];

	snprintf(text, sizeof(text),
		 "host=127.0.0.1,127.0.0.1 port=%u,%u user=u dbname=d "
		 "sslmode=disable target_session_attrs=prefer-standby",
		 (unsigned)f[0].port, (unsigned)f[1].port);
	cfg = fake_settings(text);
	ck_assert(!pgw_connect(&c, &cfg, &options, &err));
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	ck_assert_int_ge(pgw_clock_ms() - start, 999);
	ck_assert_int_lt(pgw_clock_ms() - start, LATER_MS / 2);
	pgw_config_release(&cfg);
	fake_end(f[0]);
	fake_kill(f[1]);
}

END_TEST

/* ---- what passes */

START_TEST(some_errors_of_servers_pass)
{
	static const struct {
		const char *state, *text;
		bool passes;
	} cases[] = {
		{ "57P03", "the database system is starting up", true },
		{ "57P03", "the database system is shutting down", true },
		{ "57P01", "terminating connection", true },
		{ "53300", "sorry, too many clients already", true },
		{ "08P01", "no more connections allowed (max_client_conn)",
		  true },
		{ "08P01", "client_login_timeout (server down)", true },
		{ "08P01",
		  "server login has been failing, try again later "
		  "(server_login_retry)",
		  true },
		{ "XX000", "Max client connections reached", true },
		{ "08P01", "no such database: d", false },
		{ "08P01", "unsupported startup parameter: jit", false },
		{ "28P01", "password authentication failed", false },
		{ "28000", "no pg_hba.conf entry", false },
		{ "3D000", "database \"d\" does not exist", false },
		{ "42501", "permission denied", false },
		{ "XX000", "it failed", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_err err;

		pgw_fail(&err, PGW_E_SERVER, "FATAL: %s", cases[i].text);
		snprintf(err.sqlstate, sizeof(err.sqlstate), "%s",
			 cases[i].state);
		ck_assert_msg(pgw_err_passes(&err) == cases[i].passes, "%s",
			      cases[i].text);
	}
}

END_TEST

/* Waiting for these is in vain, for those it is not: the manual says so. */
START_TEST(some_errors_of_our_own_pass)
{
	static const struct {
		enum pgw_code code;
		bool passes;
	} cases[] = {
		{ PGW_E_RESOLVE, true },      { PGW_E_REFUSED, true },
		{ PGW_E_TIMEOUT, true },      { PGW_E_CLOSED, true },
		{ PGW_E_TLS, false },	      { PGW_E_AUTH, false },
		{ PGW_E_CONFIG, false },      { PGW_E_PROTOCOL, false },
		{ PGW_E_NOMEM, false },	      { PGW_E_UNSUPPORTED, false },
		{ PGW_E_INTERRUPTED, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_err err;

		pgw_fail(&err, cases[i].code, "no more connections allowed");
		ck_assert_int_eq(pgw_err_passes(&err), cases[i].passes);
	}
}

END_TEST

UNIT_MAIN("dial", a_socket_has_the_options_of_the_settings,
	  what_no_kernel_takes_is_refused_by_its_name,
	  a_host_has_the_addresses_that_are_given,
	  addresses_are_shuffled_on_request,
	  after_an_address_that_starts_up_the_next_is_tried,
	  what_was_wrong_with_each_address_is_told,
	  who_takes_any_server_is_not_asked_more,
	  all_hosts_together_have_a_deadline, some_errors_of_servers_pass,
	  some_errors_of_our_own_pass)
