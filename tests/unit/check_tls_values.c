/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "conninfo.h"
#include "outside_fake.h"
#include "unit.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void settled(struct pgw_config *cfg, const char *text, const char *home)
{
	struct fake f = { .user = "me", .home = home };
	struct pgw_err err;

	ck_assert_msg(fake_settle(cfg, text, &f, &err), "%s: %s", text,
		      err.msg);
}

START_TEST(what_nobody_named_stands_in_the_home_directory)
{
	struct pgw_config cfg;
	const struct pgw_tls_settings *t = &cfg.tls;

	settled(&cfg, "", "/h");
	ck_assert_str_eq(t->root, "/h/.postgresql/root.crt");
	ck_assert_str_eq(t->crl, "/h/.postgresql/root.crl");
	ck_assert_str_eq(t->cert, "/h/.postgresql/postgresql.crt");
	ck_assert_str_eq(t->key, "/h/.postgresql/postgresql.key");
	ck_assert(!t->root_given && !t->crl_given && !t->cert_given);
	ck_assert(!t->key_given && !t->root_system && t->sni);
	ck_assert_ptr_null(t->crl_dir);
	ck_assert_ptr_null(t->key_password);
	ck_assert_ptr_null(t->key_log);
	ck_assert_int_eq(t->certmode, PGW_CERT_ALLOW);
	ck_assert_uint_eq(t->version_min, 0x0303);
	ck_assert_uint_eq(t->version_max, 0);
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(without_a_home_directory_nothing_stands_there)
{
	struct pgw_config cfg;

	settled(&cfg,
		"sslcert='' sslkey='' sslrootcert='' sslcrl='' sslcrldir=''",
		"");
	ck_assert_ptr_null(cfg.tls.root);
	ck_assert_ptr_null(cfg.tls.crl);
	ck_assert_ptr_null(cfg.tls.crl_dir);
	ck_assert_ptr_null(cfg.tls.cert);
	ck_assert_ptr_null(cfg.tls.key);
	ck_assert(!cfg.tls.cert_given && !cfg.tls.key_given);
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(what_is_named_is_taken)
{
	struct pgw_config cfg;
	const struct pgw_tls_settings *t = &cfg.tls;

	settled(&cfg,
		"sslmode=verify-ca host=h sslcert=c sslkey=./a:k "
		"sslpassword=p sslrootcert=r sslcrl=l sslcrldir=d "
		"sslcertmode=require sslsni=0 sslkeylogfile=f "
		"ssl_max_protocol_version=tlsv1.2",
		"/h");
	ck_assert_str_eq(t->root, "r");
	ck_assert_str_eq(t->crl, "l");
	ck_assert_str_eq(t->crl_dir, "d");
	ck_assert_str_eq(t->cert, "c");
	ck_assert_str_eq(t->key, "./a:k");
	ck_assert_str_eq(t->key_password, "p");
	ck_assert_str_eq(t->key_log, "f");
	ck_assert(t->root_given && t->crl_given && t->cert_given);
	ck_assert(t->key_given && !t->root_system && !t->sni);
	ck_assert_int_eq(t->certmode, PGW_CERT_REQUIRE);
	ck_assert_uint_eq(t->version_max, 0x0303);
	pgw_config_release(&cfg);

	settled(&cfg, "sslcrldir=d sslcertmode=disable", "/h");
	ck_assert_ptr_null(t->crl); /* one that is named is enough */
	ck_assert_int_eq(t->certmode, PGW_CERT_DISABLE);
	pgw_config_release(&cfg);

	settled(&cfg, "sslrootcert=system host=h", "/h");
	ck_assert(t->root_system && t->root_given);
	ck_assert_ptr_null(t->root);
	ck_assert_int_eq(cfg.sslmode, PGW_SSL_VERIFY_FULL);
	pgw_config_release(&cfg);
}

END_TEST

START_TEST(nothing_below_tls_1_2_is_spoken)
{
	static const struct {
		const char *text;
		unsigned min, max;
	} cases[] = {
		{ "ssl_min_protocol_version=", 0x0303, 0 },
		{ "ssl_min_protocol_version=TLSv1", 0x0303, 0 },
		{ "ssl_min_protocol_version=tlsv1.1", 0x0303, 0 },
		{ "ssl_min_protocol_version=TLSv1.2", 0x0303, 0 },
		{ "ssl_min_protocol_version=TLSv1.3", 0x0304, 0 },
		{ "ssl_min_protocol_version=TLSv1 "
		  "ssl_max_protocol_version=TLSv1.2",
		  0x0303, 0x0303 },
		{ "ssl_max_protocol_version=TLSV1.3", 0x0303, 0x0304 },
		{ "ssl_max_protocol_version=", 0x0303, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pgw_config cfg;

		settled(&cfg, cases[i].text, "");
		ck_assert_uint_eq(cfg.tls.version_min, cases[i].min);
		ck_assert_uint_eq(cfg.tls.version_max, cases[i].max);
		pgw_config_release(&cfg);
	}
}

END_TEST

START_TEST(what_is_not_used_may_be_incomplete)
{
	static const char *const texts[] = {
		"sslcert=c sslmode=disable",
		"sslcert=c sslcertmode=disable",
		"sslcert=c sslkey=k",
		"sslmode=verify-full host=/tmp",
		"sslmode=verify-full host=h hostaddr=1.2.3.4",
		"sslmode=verify-ca hostaddr=1.2.3.4",
		"channel_binding=require host=/tmp,h",
		"channel_binding=require host=h require_auth=!md5",
		"sslcertmode=require host=/tmp hostaddr=::1",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct pgw_config cfg;

		settled(&cfg, texts[i], "");
		pgw_config_release(&cfg);
	}
}

END_TEST

#define NO_TLS(what) what "=require cannot be had with sslmode=disable"
#define LOCAL(what)                                                       \
	what "=require cannot be had over a Unix socket, where there is " \
	     "no TLS"
#define HOSTADDR "host name must be specified for a verified SSL connection"

static const struct refused {
	const char *text, *msg, *hint;
} refused[] = {
	{ "sslmode=on", "invalid sslmode value: \"on\"",
	  "sslmode is set by --url; it may be disable, allow, prefer, "
	  "require, verify-ca or verify-full" },
	{ "sslcertmode=on", "invalid sslcertmode value: \"on\"",
	  "sslcertmode is set by --url; it may be allow, disable or "
	  "require" },
	{ "ssl_min_protocol_version=2",
	  "invalid \"ssl_min_protocol_version\" value: \"2\"",
	  "ssl_min_protocol_version is set by --url; it may be TLSv1.2 or "
	  "TLSv1.3" },
	{ "ssl_min_protocol_version=TLSv1 ssl_max_protocol_version=TLSv1.1",
	  "ssl_max_protocol_version \"TLSv1.1\" is too old: nothing below "
	  "TLSv1.2 is secure",
	  "ssl_max_protocol_version is set by --url; it may be TLSv1.2 or "
	  "TLSv1.3" },
	{ "ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
	  "invalid SSL protocol version range",
	  "--url sets both ssl_min_protocol_version and ssl_max_protocol_version: change one" },
	{ "sslnegotiation=direct",
	  "weak sslmode \"prefer\" may not be used with "
	  "sslnegotiation=direct (use \"require\", \"verify-ca\", or "
	  "\"verify-full\")",
	  "sslmode is set by default, sslnegotiation by --url: change one" },
	{ "sslrootcert=system sslmode=require",
	  "weak sslmode \"require\" may not be used with "
	  "sslrootcert=system (use \"verify-full\")",
	  "--url sets both sslmode and sslrootcert: change one" },
	{ "host=h channel_binding=require sslmode=disable",
	  NO_TLS("channel_binding"),
	  "--url sets both channel_binding and sslmode: change one" },
	{ "host=h sslcertmode=require sslmode=disable", NO_TLS("sslcertmode"),
	  "--url sets both sslcertmode and sslmode: change one" },
	{ "channel_binding=require", LOCAL("channel_binding"),
	  "channel_binding is set by --url, host by default: change one" },
	{ "host=@x,/tmp sslcertmode=require", LOCAL("sslcertmode"),
	  "--url sets both sslcertmode and host: change one" },
	{ "host=h channel_binding=require require_auth=md5",
	  "channel_binding=require needs scram-sha-256, which require_auth "
	  "excludes",
	  "--url sets both channel_binding and require_auth: change one" },
	{ "host=h, hostaddr=1.2.3.4,::1 sslmode=verify-full", HOSTADDR,
	  "hostaddr says where to go, host whose certificate to expect: add "
	  "host=NAME" },
	{ "sslcert=c",
	  "sslcert is given, but sslkey is not, and without a home directory "
	  "there is none by default",
	  "sslcert is set by --url; it may be left out, or sslkey be added" },
	{ "sslcert=c sslkey=pkcs11:secret",
	  "sslkey \"pkcs11:secret\" names a key of an OpenSSL engine, which "
	  "is not supported",
	  "sslkey is set by --url; it may be a file (with a colon in its "
	  "name: ./NAME)" },
};

START_TEST(what_does_not_go_together_is_refused)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		const struct refused *r = &refused[i];
		struct fake f = { .user = "me" };
		struct pgw_config cfg;
		struct pgw_err err;

		ck_assert_msg(!fake_settle(&cfg, r->text, &f, &err), "%s",
			      r->text);
		ck_assert_str_eq(err.msg, r->msg);
		ck_assert_str_eq(err.hint, r->hint);
	}
}

END_TEST

/* The same wrong value from each place that it can come from. */
static void check_origin(const char *const *env, const char *text,
			 const char *hint)
{
	struct fake f = { .env = env,
			  .user = "me",
			  .home = "/h",
			  .path = "/h/.pg_service.conf",
			  .mode = 0600,
			  .text = pgw_view_of("[s]\nsslmode=require\n"
					      "host=h\n") };
	struct pgw_config cfg;
	struct pgw_err err;

	ck_assert_msg(!fake_settle(&cfg, text, &f, &err), "%s", hint);
	ck_assert_str_eq(err.hint, hint);
}

START_TEST(an_error_says_where_a_setting_came_from)
{
	static const char *const mode[] = { "PGSSLMODE", "allow", NULL };
	static const char *const old[] = { "PGREQUIRESSL", "1", NULL };
	static const char *const root[] = { "PGSERVICE", "s", "PGSSLROOTCERT",
					    "system", NULL };
	static const char *const port[] = { "PGPORT", "x", NULL };

	check_origin(
		mode, "sslrootcert=system",
		"sslmode is set by PGSSLMODE, sslrootcert by --url: change one");
	check_origin(
		old, "sslrootcert=system",
		"sslmode is set by PGREQUIRESSL, sslrootcert by --url: change one");
	check_origin(root, "",
		     "sslmode is set by service \"s\", sslrootcert by "
		     "PGSSLROOTCERT: change one");
	check_origin(
		NULL, "service=s sslrootcert=system",
		"sslmode is set by service \"s\", sslrootcert by --url: change one");
	check_origin(port, "postgres://u:p@h/d",
		     "port is set by PGPORT; it may be 1 to 65535");
}

END_TEST

START_TEST(no_error_shows_a_secret)
{
	static const char *const texts[] = {
		"scram_client_key=s3cr3t password=s3cr3t sslpassword=s3cr3t",
		"sslpassword=s3cr3t sslcert=c",
		"password=s3cr3t sslpassword=s3cr3t sslmode=x",
		"postgres://u:x@h:s3cr3t/d",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct fake f = { .user = "me" };
		struct pgw_config cfg;
		struct pgw_err err;

		ck_assert(!fake_settle(&cfg, texts[i], &f, &err));
		ck_assert_ptr_null(strstr(err.msg, "s3cr3t"));
		ck_assert_ptr_null(strstr(err.hint, "s3cr3t"));
	}
}

END_TEST

UNIT_MAIN("tls_values", what_nobody_named_stands_in_the_home_directory,
	  without_a_home_directory_nothing_stands_there, what_is_named_is_taken,
	  nothing_below_tls_1_2_is_spoken, what_is_not_used_may_be_incomplete,
	  what_does_not_go_together_is_refused,
	  an_error_says_where_a_setting_came_from, no_error_shows_a_secret)
