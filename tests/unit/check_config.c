/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "conninfo.h"
#include "msg.h"
#include "outside_fake.h"
#include "unit.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void settled(struct pgw_config *cfg, const char *text)
{
	struct fake f = { .user = "me", .dir = "/var/run/postgresql" };
	struct pgw_err err;

	ck_assert_msg(fake_settle(cfg, text, &f, &err), "%s: %s", text,
		      err.msg);
}

static const char *notice(const struct pgw_config *cfg)
{
	return cfg->notices.len > 0 ? (const char *)cfg->notices.data : "";
}

START_TEST(what_nobody_said_has_a_value_of_its_own)
{
	struct pgw_config cfg;

	settled(&cfg, "");
	ck_assert_uint_eq(cfg.nhosts, 1);
	ck_assert_str_eq(cfg.hosts[0].host, "/var/run/postgresql");
	ck_assert(cfg.hosts[0].local);
	ck_assert_uint_eq(cfg.hosts[0].port, 5432);
	ck_assert_ptr_null(cfg.hosts[0].hostaddr);
	ck_assert_ptr_null(cfg.hosts[0].password);
	ck_assert_str_eq(cfg.user, "me");
	ck_assert_str_eq(cfg.dbname, "me");
	ck_assert_str_eq(cfg.application_name, "");
	ck_assert_ptr_null(cfg.options);
	ck_assert_int_eq(cfg.sslmode, PGW_SSL_PREFER);
	ck_assert(!cfg.sslmode_given && !cfg.ssl_direct);
	ck_assert_uint_eq(cfg.require_auth, PGW_AUTH_ANY);
	ck_assert(!cfg.require_auth_given);
	ck_assert_int_eq(cfg.target, PGW_TARGET_ANY);
	ck_assert(!cfg.target_given && !cfg.load_balance);
	ck_assert_uint_eq(cfg.connect_timeout_ms, 15000);
	ck_assert(cfg.keepalives);
	ck_assert_uint_eq(cfg.keepalives_idle_s, 30);
	ck_assert_uint_eq(cfg.keepalives_interval_s, 10);
	ck_assert_uint_eq(cfg.keepalives_count, 3);
	ck_assert_uint_eq(cfg.tcp_user_timeout_ms, 0);
	ck_assert_uint_eq(cfg.max_iterations, 1000000);
	ck_assert_int_eq(cfg.channel_binding, PGW_BINDING_PREFER);
	ck_assert_uint_eq(cfg.protocol_min, PGW_PROTOCOL_3_0);
	ck_assert_uint_eq(cfg.protocol_max, PGW_PROTOCOL_3_0);
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(hosts_addresses_and_ports_are_matched_one_to_one)
{
	struct pgw_config cfg;

	settled(&cfg, "host=a,,/d,@x hostaddr=,1.2.3.4,,::1 port=1,,3,4");
	ck_assert_uint_eq(cfg.nhosts, 4);
	ck_assert_str_eq(cfg.hosts[0].host, "a");
	ck_assert_ptr_null(cfg.hosts[0].hostaddr);
	ck_assert_uint_eq(cfg.hosts[0].port, 1);
	ck_assert_str_eq(cfg.hosts[1].host, "");
	ck_assert_str_eq(cfg.hosts[1].hostaddr, "1.2.3.4");
	ck_assert_uint_eq(cfg.hosts[1].port, 5432);
	ck_assert(cfg.hosts[2].local);
	ck_assert_str_eq(cfg.hosts[3].hostaddr, "::1");
	ck_assert(!cfg.hosts[3].local);
	ck_assert_int_eq(cfg.target, PGW_TARGET_READ_WRITE);
	pgw_config_release(&cfg);

	settled(&cfg, "host=a,b,@x port=7 target_session_attrs=any");
	ck_assert_uint_eq(cfg.hosts[2].port, 7);
	ck_assert(cfg.hosts[2].local);
	ck_assert_int_eq(cfg.target, PGW_TARGET_ANY);
	ck_assert(cfg.target_given);
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(without_its_first_directory_the_socket_is_in_tmp)
{
	struct fake f = { .user = "me", .dir = "/tmp" };
	struct pgw_config cfg;
	struct pgw_err err;

	ck_assert(fake_settle(&cfg, "host=h,", &f, &err));
	ck_assert_str_eq(cfg.hosts[1].host, "/tmp");
	ck_assert(cfg.hosts[1].local);
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(numbers_are_read_as_libpq_reads_them)
{
	struct pgw_config cfg;

	settled(&cfg, "connect_timeout=0 keepalives=0 keepalives_idle=-1 "
		      "keepalives_interval=' 7 ' keepalives_count=+2 "
		      "tcp_user_timeout=1234");
	ck_assert_uint_eq(cfg.connect_timeout_ms, 0);
	ck_assert(!cfg.keepalives);
	ck_assert_uint_eq(cfg.keepalives_idle_s, 0);
	ck_assert_uint_eq(cfg.keepalives_interval_s, 7);
	ck_assert_uint_eq(cfg.keepalives_count, 2);
	ck_assert_uint_eq(cfg.tcp_user_timeout_ms, 1234);
	pgw_config_release(&cfg);

	settled(&cfg, "connect_timeout=2147483647 keepalives=-1");
	ck_assert_uint_eq(cfg.connect_timeout_ms, UINT32_MAX);
	ck_assert(cfg.keepalives);
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(require_auth_names_or_excludes_methods)
{
	static const struct {
		const char *value;
		unsigned set;
	} cases[] = {
		{ "scram-sha-256", PGW_AUTH_SCRAM },
		{ "md5,none", PGW_AUTH_MD5 | PGW_AUTH_NONE },
		{ "!password,!md5",
		  PGW_AUTH_ANY & ~(PGW_AUTH_PASSWORD | PGW_AUTH_MD5) },
		{ "!none", PGW_AUTH_ANY & ~PGW_AUTH_NONE },
		{ "gss,sspi,oauth",
		  PGW_AUTH_GSS | PGW_AUTH_SSPI | PGW_AUTH_OAUTH },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[64] = "require_auth=";
		struct pgw_config cfg;

		settled(&cfg, strcat(text, cases[i].value));
		ck_assert_uint_eq(cfg.require_auth, cases[i].set);
		ck_assert(cfg.require_auth_given);
		pgw_config_release(&cfg);
	}
}

END_TEST

START_TEST(encryption_is_settled)
{
	struct pgw_config cfg;

	settled(&cfg, "postgres://h?sslmode=no-verify");
	ck_assert_int_eq(cfg.sslmode, PGW_SSL_REQUIRE);
	ck_assert(cfg.sslmode_given);
	ck_assert_str_eq(notice(&cfg),
			 "sslmode=no-verify was read as sslmode=require");
	pgw_config_release(&cfg);

	settled(&cfg, "host=h sslrootcert=system sslnegotiation=direct "
		      "channel_binding=require min_protocol_version=3.2");
	ck_assert_int_eq(cfg.sslmode, PGW_SSL_VERIFY_FULL);
	ck_assert(!cfg.sslmode_given && cfg.ssl_direct);
	ck_assert_int_eq(cfg.channel_binding, PGW_BINDING_REQUIRE);
	ck_assert_uint_eq(cfg.protocol_max, PGW_PROTOCOL_3_2);
	ck_assert_str_eq(cfg.raw.set[PGW_KW_sslrootcert].value, "system");
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(an_application_name_is_made_printable)
{
	struct pgw_config cfg;

	settled(&cfg, "application_name='' fallback_application_name='a\tb\xc3"
		      "\xa9'");
	ck_assert_str_eq(cfg.application_name, "a?b??");
	pgw_config_release(&cfg);

	settled(&cfg, "fallback_application_name=x application_name="
		      "0123456789012345678901234567890123456789"
		      "0123456789012345678901234567890123456789");
	ck_assert_uint_eq(strlen(cfg.application_name), 63);
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(three_variables_become_settings_of_the_session)
{
	static const char *const env[] = { "PGDATESTYLE", "ISO",    "PGTZ",
					   "UTC",	  "PGGEQO", "DEFAULT",
					   NULL };
	struct fake f = { .env = env, .user = "me" };
	struct pgw_config cfg;
	struct pgw_err err;

	ck_assert(fake_settle(&cfg, "options='-c a=b'", &f, &err));
	ck_assert_str_eq(cfg.datestyle, "ISO");
	ck_assert_str_eq(cfg.timezone, "UTC");
	ck_assert_ptr_null(cfg.geqo);
	ck_assert_str_eq(cfg.options, "-c a=b");
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(what_cannot_be_settled_is_told)
{
	static const struct {
		const char *text, *msg;
	} cases[] = {
		{ "user=''", "no user name is given, and the operating system "
			     "knows none" },
		{ "user=u replication=true",
		  "connection option \"replication\" is not supported" },
		{ "user=u oauth_issuer=x",
		  "connection option \"oauth_issuer\" is not supported" },
		{ "user=u client_encoding=latin1",
		  "client_encoding \"latin1\" is not supported: only UTF8 is" },
		{ "user=u gssencmode=require",
		  "gssencmode value \"require\" invalid when GSSAPI support is "
		  "not compiled in" },
		{ "user=u scram_client_key=AAAA",
		  "invalid SCRAM client key length: 3" },
		{ "user=u scram_server_key=x", "invalid SCRAM server key" },
		{ "postgres://u:@h:secret",
		  "invalid port in the connection string (not shown: it may be "
		  "a part of the password)" },
		{ "postgres://u@h:0",
		  "invalid port in the connection string (not shown: it may be "
		  "a part of the password)" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake f = { .env = NULL };
		struct pgw_config cfg;
		struct pgw_err err;

		ck_assert(!fake_settle(&cfg, cases[i].text, &f, &err));
		ck_assert_str_eq(err.msg, cases[i].msg);
	}
}

END_TEST

START_TEST(names_of_utf8_are_taken)
{
	static const char *const names[] = { "UTF8", "utf-8", "Unicode", "auto",
					     "''" };

	for (size_t i = 0; i < COUNT(names); i++) {
		char text[64] = "client_encoding=";
		struct pgw_config cfg;

		settled(&cfg, strcat(text, names[i]));
		pgw_config_release(&cfg);
	}
}

END_TEST

START_TEST(the_password_file_is_asked_for_each_host)
{
	struct fake f = { .user = "me",
			  .home = "/home/me",
			  .dir = "/var/run/postgresql",
			  .path = "/home/me/.pgpass",
			  .mode = 0600,
			  .text = pgw_view_of("a:1:me:me:pa\n"
					      "b:05432:*:*:pb\n"
					      "9.9.9.9:*:*:*:pc\n"
					      "localhost:*:*:*:pd\n") };
	static const char *const want[] = { "pa", "pb", NULL, "pc", "pd" };
	struct pgw_config cfg;
	struct pgw_err err;

	ck_assert(fake_settle(&cfg,
			      "host=a,b,b,,/var/run/postgresql "
			      "hostaddr=,,,9.9.9.9, port=1,05432,,4,5",
			      &f, &err));
	for (size_t i = 0; i < COUNT(want); i++) {
		ck_assert_pstr_eq(cfg.hosts[i].password, want[i]);
		ck_assert_int_eq(cfg.hosts[i].from_passfile, want[i] != NULL);
	}
	ck_assert_str_eq(cfg.passfile, "/home/me/.pgpass");
	pgw_config_release(&cfg);

	ck_assert(fake_settle(&cfg, "host=a,b password=x", &f, &err));
	ck_assert_str_eq(cfg.hosts[1].password, "x");
	ck_assert(!cfg.hosts[1].from_passfile);
	ck_assert_ptr_null(cfg.passfile);
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(lines_of_a_password_file_may_be_long)
{
	static char text[12000];
	static char password[5001];
	struct fake f = { .user = "u", .path = "f", .mode = 0600 };
	struct pgw_config cfg;
	struct pgw_err err;

	memset(password, 'p', sizeof(password) - 1);
	text[0] = '#';
	memset(text + 1, 'x', 5000);
	strcat(text, "\n*:*:*:*:");
	strcat(text, password);
	f.text = pgw_view_of(text);
	ck_assert(fake_settle(&cfg, "host=h passfile=f", &f, &err));
	ck_assert_str_eq(cfg.hosts[0].password, password);
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(a_password_file_that_is_none_is_left_alone)
{
	struct fake f = { .user = "u",
			  .path = "f",
			  .mode = 0600,
			  .odd = true,
			  .text = pgw_view_of("*:*:*:*:p") };
	struct pgw_config cfg;
	struct pgw_err err;

	ck_assert(fake_settle(&cfg, "host=h passfile=f", &f, &err));
	ck_assert_ptr_null(cfg.hosts[0].password);
	ck_assert_str_eq(notice(&cfg), "password file \"f\" is not a plain "
				       "file");
	pgw_config_release(&cfg);
}

END_TEST

UNIT_MAIN("config", what_nobody_said_has_a_value_of_its_own,
	  hosts_addresses_and_ports_are_matched_one_to_one,
	  without_its_first_directory_the_socket_is_in_tmp,
	  numbers_are_read_as_libpq_reads_them,
	  require_auth_names_or_excludes_methods, encryption_is_settled,
	  an_application_name_is_made_printable,
	  three_variables_become_settings_of_the_session,
	  what_cannot_be_settled_is_told, names_of_utf8_are_taken,
	  the_password_file_is_asked_for_each_host,
	  lines_of_a_password_file_may_be_long,
	  a_password_file_that_is_none_is_left_alone)
