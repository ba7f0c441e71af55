/* SPDX-License-Identifier: MIT */
/* Finding a server that takes us, among those that do not. */
#include <config.h>

#include "dial.h"
#include "fake_server.h"

#include <stdlib.h>
#include <sys/un.h>

static const struct pgw_conn_options plain = { .interrupt_fd = -1 };

static bool try_config(struct pgw_config *cfg, uint16_t *port,
		       struct pgw_err *err)
{
	struct pgw_conn *c;
	bool ok = pgw_connect(&c, cfg, &plain, err);

	if (ok && port)
		*port = pgw_conn_host(c)->port;
	ck_assert(ok == (c != NULL));
	pgw_conn_close(c);
	pgw_config_release(cfg);
	return ok;
}

static struct pgw_config two_hosts(uint16_t first, uint16_t second,
				   const char *more)
{
	char text[300];

	snprintf(
		text, sizeof(text),
		"host=127.0.0.1,127.0.0.1 port=%u,%u user=u dbname=d sslmode=disable "
		"password=secret %s",
		(unsigned)first, (unsigned)second, more);
	return fake_settings(text);
}

/* ---- one after the other */

START_TEST(the_second_host_is_tried_when_the_first_refuses)
{
	struct fake f = fake_start(fake_welcome, NULL);
	struct pgw_config cfg = two_hosts(fake_no_port(), f.port,
					  "target_session_attrs=any");
	struct pgw_err err = { 0 };
	uint16_t port = 0;

	ck_assert_msg(try_config(&cfg, &port, &err), "%s", err.msg);
	ck_assert_uint_eq(port, f.port);
	fake_end(f);
}

END_TEST

START_TEST(a_server_that_starts_up_is_passed_by)
{
	struct bytes starting = BYTES("E\0\0\0\x18SFATAL\0C57P03\0Mbad\0\0");
	struct fake busy = fake_start(fake_turn_away, &starting);
	struct fake f = fake_start(fake_welcome, NULL);
	struct pgw_config cfg = two_hosts(busy.port, f.port,
					  "target_session_attrs=any");
	struct pgw_err err = { 0 };
	uint16_t port = 0;

	ck_assert_msg(try_config(&cfg, &port, &err), "%s", err.msg);
	ck_assert_uint_eq(port, f.port);
	fake_end(busy);
	fake_end(f);
}

END_TEST

START_TEST(a_wrong_password_is_not_tried_elsewhere)
{
	struct bytes wrong = BYTES("E\0\0\0\x18SFATAL\0C28P01\0Mbad\0\0");
	struct fake f = fake_start(fake_turn_away, &wrong);
	struct fake other = fake_start(fake_welcome, NULL);
	struct pgw_config cfg = two_hosts(f.port, other.port,
					  "target_session_attrs=any");
	struct pgw_err err = { 0 };

	cfg.hosts[0].from_passfile = true;
	cfg.passfile = strdup("/home/u/.pgpass");
	ck_assert(!try_config(&cfg, NULL, &err));
	ck_assert_int_eq(err.code, PGW_E_SERVER);
	ck_assert_str_eq(err.sqlstate, "28P01");
	ck_assert_ptr_nonnull(strstr(err.hint, "/home/u/.pgpass"));
	ck_assert_ptr_nonnull(strstr(err.msg, "127.0.0.1:"));
	fake_end(f);
	fake_kill(other);
}

END_TEST

START_TEST(every_host_that_failed_is_named)
{
	uint16_t first = fake_no_port(), second = fake_no_port();
	struct pgw_config cfg = two_hosts(first, second, "");
	struct pgw_err err = { 0 };
	char text[30];

	ck_assert(!try_config(&cfg, NULL, &err));
	ck_assert_int_eq(err.code, PGW_E_REFUSED);
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned)first);
	ck_assert_msg(strstr(err.msg, text) != NULL, "%s", err.msg);
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned)second);
	ck_assert_msg(strstr(err.msg, text) != NULL, "%s", err.msg);
}

END_TEST

START_TEST(of_two_addresses_the_one_that_answers_is_found)
{
	struct fake f = fake_start(fake_welcome, NULL);
	struct pgw_err err = { 0 };
	struct pgw_config cfg;
	char text[100];

	snprintf(text, sizeof(text),
		 "host=localhost port=%u user=u dbname=d "
		 "sslmode=disable",
		 (unsigned)f.port);
	cfg = fake_settings(text);
	ck_assert_msg(try_config(&cfg, NULL, &err), "%s", err.msg);
	fake_end(f);
}

END_TEST

/* ---- in time */

static void silent(int listener, const void *arg)
{
	char c;
	int fd = fake_accept(listener, NULL);

	(void)arg;
	FAKE_MUST(read(fd, &c, 1) == 0);
}

/* A byte now and then, and it never ends; nobody may wait for that. */
static void dripping(int listener, const void *arg)
{
	int fd = fake_accept(listener, NULL);

	(void)arg;
	FAKE_SEND(fd, AUTH_OK "S\0\0\x20\0");
	while (send(fd, "x", 1, MSG_NOSIGNAL) == 1)
		usleep(20000);
}

START_TEST(who_does_not_get_on_is_left_in_time)
{
	fake_role *const roles[] = { silent, dripping };

	for (size_t i = 0; i < 2; i++) {
		struct fake f = fake_start(roles[i], NULL);
		struct pgw_config cfg = fake_config(f.port, "");
		struct pgw_err err = { 0 };
		int64_t start = pgw_clock_ms();

		cfg.connect_timeout_ms = 1000;
		ck_assert(!try_config(&cfg, NULL, &err));
		ck_assert_msg(err.code == PGW_E_TIMEOUT, "%s", err.msg);
		ck_assert_ptr_nonnull(strstr(err.msg, "127.0.0.1:"));
		ck_assert_int_ge(pgw_clock_ms() - start, 999);
		ck_assert_int_lt(pgw_clock_ms() - start, 20000);
		fake_end(f);
	}
}

END_TEST

static void gone(int listener, const void *arg)
{
	(void)arg;
	fake_accept(listener, NULL);
}

START_TEST(a_server_that_hangs_up_at_once_is_an_error)
{
	struct fake f = fake_start(gone, NULL);
	struct pgw_config cfg = fake_config(f.port, "");
	struct pgw_err err = { 0 };

	ck_assert(!try_config(&cfg, NULL, &err));
	ck_assert_int_eq(err.code, PGW_E_CLOSED);
	ck_assert_ptr_nonnull(strstr(err.msg, "127.0.0.1:"));
	ck_assert_str_ne(err.hint, "");
	fake_end(f);
}

END_TEST

START_TEST(a_server_with_another_encoding_is_refused)
{
	struct bytes sjis = BYTES(AUTH_OK "S\0\0\0\x19"
					  "client_encoding\0SJIS\0" READY);
	struct fake f = fake_start(fake_turn_away, &sjis);
	struct pgw_config cfg = fake_config(f.port, "");
	struct pgw_err err = { 0 };

	ck_assert(!try_config(&cfg, NULL, &err));
	ck_assert_msg(err.code == PGW_E_UNSUPPORTED, "%s", err.msg);
	ck_assert_ptr_nonnull(strstr(err.msg, "SJIS"));
	fake_end(f);
}

END_TEST

/* It would take a backslash in our files for more than a backslash. */
START_TEST(a_server_that_reads_strings_in_another_way_is_refused)
{
	struct bytes off = BYTES(AUTH_OK
				 "S\0\0\0\x24"
				 "standard_conforming_strings\0off\0" READY);
	struct fake f = fake_start(fake_turn_away, &off);
	struct pgw_config cfg = fake_config(f.port, "");
	struct pgw_err err = { 0 };

	ck_assert(!try_config(&cfg, NULL, &err));
	ck_assert_msg(err.code == PGW_E_UNSUPPORTED, "%s", err.msg);
	ck_assert_ptr_nonnull(strstr(err.msg, "standard_conforming_strings"));
	fake_end(f);
}

END_TEST

/* Asks for a proof, and refuses it. */
static void wants_proof(int listener, const void *arg)
{
	int fd = fake_accept(listener, NULL);

	(void)arg;
	FAKE_SEND(fd, AUTH_SASL);
	fake_message(fd, 'p');
	FAKE_SEND(fd, FATAL);
}

#define KEY_OF_ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

START_TEST(keys_and_an_address_do_instead_of_password_and_name)
{
	struct fake f = fake_start(wants_proof, NULL);
	struct pgw_err err = { 0 };
	struct pgw_config cfg;
	char text[300];

	snprintf(text, sizeof(text),
		 "host=not-looked-up.test hostaddr=127.0.0.1 port=%u user=u "
		 "dbname=d sslmode=disable scram_client_key=" KEY_OF_ZEROS
		 " scram_server_key=" KEY_OF_ZEROS,
		 (unsigned)f.port);
	cfg = fake_settings(text);
	ck_assert(!try_config(&cfg, NULL, &err));
	ck_assert_msg(err.code == PGW_E_SERVER, "%s", err.msg);
	fake_end(f);
}

END_TEST

/* ---- what is asked of the server */

/* 'w' can be written to, 'r' is read-only, 's' a standby, '-' not there. */
static void in_role(int listener, const void *arg)
{
	const char *role = arg;

	for (;;) {
		int fd = fake_login(listener);

		fake_message(fd, 'Q');
		FAKE_SEND(fd,
			  "T\0\0\0\x2e\0\x02n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
			  "\0\0\0\0n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
		if (*role == 'w')
			FAKE_SEND(fd, "D\0\0\0\x12\0\x02\0\0\0\1f\0\0\0\3off");
		else if (*role == 'r')
			FAKE_SEND(fd, "D\0\0\0\x11\0\x02\0\0\0\1f\0\0\0\2on");
		else
			FAKE_SEND(fd, "D\0\0\0\x11\0\x02\0\0\0\1t\0\0\0\2on");
		FAKE_SEND(fd, COMPLETE READY);
		fake_message(fd, 'X');
		close(fd);
	}
}

static const struct {
	const char *target, *roles; /* of the two hosts */
	int taken;		    /* 0 or 1; -1 = none */
	const char *text;	    /* of the error */
} targets[] = {
	{ "read-write", "sw", 1, NULL },
	{ "read-write", "wr", 0, NULL },
	{ "read-write", "-w", 1, NULL },
	{ "read-write", "rs", -1, "a primary that is read-only" },
	{ "read-write", "sr", -1, "a standby, but target_session_attrs is" },
	{ "read-write", "s-", -1, "a standby" },
	{ NULL, "sw", 1, NULL }, /* several hosts: somebody must write */
	{ NULL, "ss", -1, "target_session_attrs is read-write" },
	{ "read-only", "wr", 1, NULL },
	{ "read-only", "ws", 1, NULL },
	{ "read-only", "ww", -1, "a primary that can be written to" },
	{ "primary", "sr", 1, NULL },
	{ "primary", "ss", -1, "target_session_attrs is primary" },
	{ "standby", "rs", 1, NULL },
	{ "standby", "wr", -1, "target_session_attrs is standby" },
	{ "prefer-standby", "ws", 1, NULL },
	{ "prefer-standby", "-s", 1, NULL },
};

static void check_target(size_t i)
{
	struct fake f[2];
	uint16_t ports[2], port = 0;
	struct pgw_config cfg;
	struct pgw_err err = { 0 };
	char more[60] = "";
	bool ok;

	for (size_t k = 0; k < 2; k++) {
		f[k] = fake_start(in_role, &targets[i].roles[k]);
		ports[k] = targets[i].roles[k] == '-' ? fake_no_port() :
							f[k].port;
	}
	if (targets[i].target)
		snprintf(more, sizeof(more), "target_session_attrs=%s",
			 targets[i].target);
	cfg = two_hosts(ports[0], ports[1], more);
	ok = try_config(&cfg, &port, &err);
	if (targets[i].taken >= 0)
		ck_assert_msg(ok && port == ports[targets[i].taken],
			      "row %zu: %s", i, err.msg);
	else
		ck_assert_msg(!ok && strstr(err.msg, targets[i].text) &&
				      pgw_err_passes(&err),
			      "row %zu: %s", i, err.msg);
	fake_kill(f[0]);
	fake_kill(f[1]);
}

START_TEST(the_server_must_be_what_is_asked_for)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		check_target(i);
}

END_TEST

/* The second time around, nobody asks what it is. */
static void writable_twice(int listener, const void *arg)
{
	int fd = fake_login(listener);

	(void)arg;
	fake_message(fd, 'Q');
	FAKE_SEND(fd, "T\0\0\0\x2e\0\x02n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		      "\0\0\0\0n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	FAKE_SEND(fd, "D\0\0\0\x12\0\x02\0\0\0\1f\0\0\0\3off" COMPLETE READY);
	fake_message(fd, 'X');
	fake_welcome(listener, NULL);
}

START_TEST(a_standby_may_be_preferred_without_there_being_one)
{
	struct fake f = fake_start(writable_twice, NULL);
	struct pgw_config cfg =
		fake_config(f.port, "target_session_attrs=prefer-standby");
	struct pgw_err err = { 0 };

	ck_assert_msg(try_config(&cfg, NULL, &err), "%s", err.msg);
	fake_end(f);
}

END_TEST

static void silent_about_itself(int listener, const void *arg)
{
	int fd = fake_login(listener);

	(void)arg;
	fake_message(fd, 'Q');
	FAKE_SEND(fd, COMPLETE READY);
	fake_message(fd, 'X');
}

START_TEST(a_server_that_does_not_tell_its_role_is_refused)
{
	struct fake f = fake_start(silent_about_itself, NULL);
	struct pgw_config cfg = fake_config(f.port,
					    "target_session_attrs=primary");
	struct pgw_err err = { 0 };

	ck_assert(!try_config(&cfg, NULL, &err));
	ck_assert_int_eq(err.code, PGW_E_PROTOCOL);
	fake_end(f);
}

END_TEST

/* ---- what the answer to the request for TLS may be */

struct asked {
	const char *settings;
	struct bytes answer;
	enum pgw_code code; /* OK: it goes on, without TLS */
	const char *text;
};

#define ANSWER(literal)                      \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

static const struct asked asked[] = {
	{ "sslmode=prefer", ANSWER("N"), PGW_OK, "" },
	{ "sslmode=require", ANSWER("N"), PGW_E_TLS, "does not have TLS" },
	{ "sslmode=prefer", ANSWER("NR"), PGW_E_PROTOCOL, "went on talking" },
	{ "sslmode=prefer", ANSWER("E\0\0\0\14Sno\0\0"), PGW_E_PROTOCOL,
	  "answered with an error when it was asked for TLS" },
	{ "sslmode=prefer", ANSWER("X"), PGW_E_PROTOCOL, "byte 0x58" },
	{ "sslmode=prefer", ANSWER(""), PGW_E_CLOSED, "asked for TLS" },
	{ "sslmode=prefer", ANSWER("S"), PGW_E_CLOSED, "handshake" },
	{ "sslmode=prefer", ANSWER("SS"), PGW_E_PROTOCOL, "before TLS" },
	{ "sslmode=prefer", ANSWER("SR\0\0\0\10\0\0\0\0"), PGW_E_PROTOCOL,
	  "before TLS" },
	{ "sslmode=prefer channel_binding=require", ANSWER("N"), PGW_E_TLS,
	  "channel_binding=require needs TLS" },
};

static void answer_request(int listener, const void *arg)
{
	static const unsigned char request[] = { 0, 0, 0, 8, 4, 210, 22, 47 };
	const struct asked *a = arg;
	int fd = accept(listener, NULL, NULL);
	unsigned char got[8];

	fake_take(fd, got, sizeof(got));
	FAKE_MUST(memcmp(got, request, sizeof(got)) == 0);
	fake_send(fd, a->answer.p, a->answer.n);
	if (a->code == PGW_OK) {
		fake_startup(fd, NULL);
		FAKE_SEND(fd, AUTH_OK KEY READY);
		fake_message(fd, 'X');
	} else {
		shutdown(fd, SHUT_WR);
		while (read(fd, got, sizeof(got)) > 0)
			; /* it must hang up by itself */
	}
}

START_TEST(only_a_plain_no_is_an_answer_to_go_on_with)
{
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct fake f = fake_start(answer_request, &asked[i]);
		struct pgw_config cfg = fake_config(f.port, asked[i].settings);
		struct pgw_err err = { 0 };

		cfg.tls.version_min = 0x0303;
		(void)try_config(&cfg, NULL, &err);
		ck_assert_msg(err.code == asked[i].code &&
				      strstr(err.msg, asked[i].text),
			      "row %zu: %d %s", i, (int)err.code, err.msg);
		fake_end(f);
	}
}

END_TEST

static const struct {
	const char *settings, *text;
} unusable[] = {
	{ "sslmode=verify-full", "needs root certificates" },
	{ "sslmode=verify-ca sslrootcert=/nowhere.pem", "sslrootcert" },
	{ "sslmode=prefer sslrootcert=/nowhere.pem", "sslrootcert" },
	{ "sslmode=require sslcert=/nowhere.pem sslkey=/k", "sslcert" },
	{ "sslmode=require sslkeylogfile=/nowhere/log", "sslkeylogfile" },
};

START_TEST(files_that_cannot_be_used_are_an_error_before_dialling)
{
	for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
		struct pgw_config cfg = fake_config(fake_no_port(),
						    unusable[i].settings);
		struct pgw_err err = { 0 };

		ck_assert(!try_config(&cfg, NULL, &err));
		ck_assert_msg(err.code == PGW_E_TLS &&
				      strstr(err.msg, unusable[i].text),
			      "%s: %s", unusable[i].settings, err.msg);
	}
}

END_TEST

START_TEST(certificates_do_not_matter_where_tls_is_disabled)
{
	struct fake f = fake_start(fake_welcome, NULL);
	struct pgw_config cfg = fake_config(
		f.port, "sslmode=disable sslrootcert=/ca.pem sslcert=/c.pem");
	struct pgw_err err = { 0 };

	ck_assert_msg(try_config(&cfg, NULL, &err), "%s", err.msg);
	fake_end(f);
}

END_TEST

START_TEST(only_this_machine_is_private)
{
	static const struct {
		const char *address;
		bool is;
	} cases[] = {
		{ "127.0.0.1", true },
		{ "127.9.9.9", true },
		{ "::1", true },
		{ "::ffff:127.0.0.1", true },
		{ "10.0.0.1", false },
		{ "192.168.1.1", false },
		{ "::ffff:10.1.1.1", false },
		{ "fd00::1", false },
		{ "0.0.0.0", false },
	};
	struct pgw_addr a;
	struct pgw_err err = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert(pgw_addr_numeric(&a, cases[i].address, 5432));
		ck_assert_msg(pgw_addr_private(&a) == cases[i].is, "%s",
			      cases[i].address);
	}
	ck_assert(pgw_addr_unix(&a, "/tmp", 5432, &err));
	ck_assert(pgw_addr_private(&a));
}

END_TEST

/* ---- a Unix socket's other end */

static struct fake start_local(const char *dir)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/.s.PGSQL.5432", dir);
	unlink(a.sun_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fake_start_on(fd, fake_welcome, NULL);
}

static void check_peer(const char *dir, const char *peer, bool wanted)
{
	struct fake f = start_local(dir);
	struct pgw_err err = { 0 };
	struct pgw_config cfg;
	char text[300];

	/* TLS does not matter on a Unix socket, as in libpq. */
	snprintf(text, sizeof(text),
		 "host=%s user=u dbname=d sslmode=require requirepeer=%s", dir,
		 peer);
	cfg = fake_settings(text);
	ck_assert_msg(try_config(&cfg, NULL, &err) == wanted, "%s: %s", peer,
		      err.msg);
	if (wanted) {
		fake_end(f);
	} else {
		ck_assert_int_eq(err.code, PGW_E_AUTH);
		ck_assert_ptr_nonnull(strstr(err.msg, "requirepeer"));
		fake_kill(f);
	}
}

START_TEST(the_server_must_be_run_by_the_user_asked_for)
{
	char dir[] = "/tmp/check_conn_XXXXXX", number[16], path[200];
	struct pgw_buf name;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	pgw_buf_init(&name, 1000);
	pgw_user_name(geteuid(), &name);
	pgw_buf_put_u8(&name, 0);
	snprintf(number, sizeof(number), "%u", (unsigned)geteuid());
	check_peer(dir, number, true);
	if (name.len > 1)
		check_peer(dir, (const char *)name.data, true);
	check_peer(dir, "nosuchuser", false);
	check_peer(dir, "4294967294", false);
	pgw_buf_release(&name);
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", dir);
	unlink(path);
	rmdir(dir);
}

END_TEST

/* ---- any order */

START_TEST(a_shuffle_loses_nothing_and_prefers_nobody)
{
	unsigned first[4] = { 0 };
	struct pgw_err err = { 0 };

	for (int i = 0; i < 4000; i++) {
		size_t order[4] = { 0, 1, 2, 3 };
		unsigned all = 0;

		ck_assert(pgw_shuffle(order, 4, &err));
		for (size_t k = 0; k < 4; k++)
			all |= 1u << order[k];
		ck_assert_uint_eq(all, 15);
		first[order[0]]++;
	}
	for (size_t k = 0; k < 4; k++)
		ck_assert_msg(first[k] > 800 && first[k] < 1200, "%u",
			      first[k]);
}

END_TEST

/* One of the two hosts is not there; with any order, we are let in. */
START_TEST(hosts_may_be_tried_in_any_order)
{
	for (int i = 0; i < 10; i++) {
		struct fake f = fake_start(fake_welcome, NULL);
		struct pgw_config cfg = two_hosts(fake_no_port(), f.port,
						  "load_balance_hosts=random "
						  "target_session_attrs=any");
		struct pgw_err err = { 0 };

		ck_assert_msg(try_config(&cfg, NULL, &err), "%s", err.msg);
		fake_end(f);
	}
}

END_TEST

UNIT_MAIN("conn_open", the_second_host_is_tried_when_the_first_refuses,
	  a_server_that_starts_up_is_passed_by,
	  a_wrong_password_is_not_tried_elsewhere,
	  every_host_that_failed_is_named,
	  of_two_addresses_the_one_that_answers_is_found,
	  who_does_not_get_on_is_left_in_time,
	  a_server_that_hangs_up_at_once_is_an_error,
	  a_server_with_another_encoding_is_refused,
	  a_server_that_reads_strings_in_another_way_is_refused,
	  keys_and_an_address_do_instead_of_password_and_name,
	  the_server_must_be_what_is_asked_for,
	  a_standby_may_be_preferred_without_there_being_one,
	  a_server_that_does_not_tell_its_role_is_refused,
	  only_a_plain_no_is_an_answer_to_go_on_with,
	  files_that_cannot_be_used_are_an_error_before_dialling,
	  certificates_do_not_matter_where_tls_is_disabled,
	  only_this_machine_is_private,
	  the_server_must_be_run_by_the_user_asked_for,
	  a_shuffle_loses_nothing_and_prefers_nobody,
	  hosts_may_be_tried_in_any_order)
