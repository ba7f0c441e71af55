/* SPDX-License-Identifier: MIT */
/* Whole sessions of TLS, in memory. */
#include <config.h>

#include "tls_pair.h"

#include <sys/stat.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define FULL "host=localhost sslmode=verify-full sslrootcert=%/root.crt "
#define REQUIRE "host=localhost sslmode=require "
#define OWN "sslcert=%/client.crt sslkey=%/client.key "

/* ---- who trusts whom */

static const struct trust {
	const char *settings, *cert;
	const char *refused; /* a part of it; NULL: it works */
	bool verified, named;
} trusts[] = {
	{ FULL, "server", NULL, true, true },
	{ FULL "host=127.0.0.1", "server", NULL, true, true },
	{ FULL "host=::1", "ip", NULL, true, true },
	{ FULL "host=DB.example.test hostaddr=127.0.0.9", "wildcard", NULL,
	  true, true },
	{ FULL, "cn", NULL, true, true },
	{ FULL "host=127.0.0.1", "cn-ip-dns", NULL, true, true },
	{ FULL, "wrong", "not for \"localhost\"", false, false },
	{ FULL, "partial", "not for \"localhost\"", false, false },
	{ FULL, "nul", "NUL byte", false, false },
	{ FULL, "nul-too", "NUL byte", false, false },
	{ FULL "host=127.0.0.1", "ip-dns",
	  "has 127.0.0.1 as a host name only, not as an address", false,
	  false },
	{ FULL, "odd-ip", "an IP address of 5 bytes", false, false },
	{ FULL "host=127.0.0.1", "ip-cn", "not for \"127.0.0.1\"", false,
	  false },
	{ FULL, "ip-cn", NULL, true, true },
	{ FULL "sslmode=verify-ca", "wrong", NULL, true, false },
	{ FULL "sslmode=verify-ca", "expired", "certificate has expired", false,
	  false },
	{ FULL "sslmode=require", "future", "not yet valid", false, false },
	{ FULL "sslmode=prefer", "self-ed25519", "self-signed", false, false },
	{ FULL "sslmode=require", "wrong", NULL, true, false },
	{ FULL "sslcrl=%/root.crl", "revoked", "certificate revoked", false,
	  false },
	{ FULL "sslcrl=%/all.crl", "server", NULL, true, true },
	{ FULL, "alone", "unable to get local issuer", false, false },
	{ FULL, "forged", "invalid CA", false, false },
	{ REQUIRE, "wrong", NULL, false, false },
	{ REQUIRE, "expired", NULL, false, false },
	{ REQUIRE, "self-rsa-md5", NULL, false, false },
	{ REQUIRE, "self-ed448", NULL, false, false },
	{ "host=localhost sslmode=verify-ca", "server",
	  "needs root certificates", false, false },
	{ "host=localhost sslmode=verify-ca sslrootcert=%/none", "server",
	  "No such file", false, false },
};

START_TEST(servers_are_trusted_as_the_settings_say)
{
	for (size_t i = 0; i < COUNT(trusts); i++) {
		const struct trust *t = &trusts[i];
		const struct server s = { .cert = t->cert };
		struct pair p;

		pair_start(&p, t->settings, &s);
		pair_handshake(&p);
		ck_assert_msg(p.refused == (t->refused != NULL), "%s, %s: %s",
			      t->settings, t->cert, p.err.msg);
		ck_assert_int_eq(p.done, !p.refused);
		if (t->refused) {
			ck_assert_int_eq(p.err.code, PGW_E_TLS);
			ck_assert_msg(strstr(p.err.msg, t->refused) != NULL,
				      "%s", p.err.msg);
		} else {
			const struct pgw_tls_facts *f = pgw_tls_facts(p.client);

			ck_assert(pair_talks(&p));
			ck_assert_int_eq(f->verified, t->verified);
			ck_assert_int_eq(f->named, t->named);
		}
		pair_end(&p);
	}
}

END_TEST

START_TEST(what_was_agreed_on_is_known)
{
	const struct server s = { .cert = "server", .alpn = "postgresql" };
	const struct pgw_tls_facts *f;
	struct pair p;

	pair_start(&p, FULL, &s);
	pair_handshake(&p);
	ck_assert(p.done);
	f = pgw_tls_facts(p.client);
	ck_assert_str_eq(f->version, "TLSv1.3");
	ck_assert_str_eq(f->cipher, "TLS_AES_256_GCM_SHA384");
	ck_assert_str_eq(f->subject, "CN=localhost,OU=server");
	ck_assert_str_eq(f->issuer, "CN=mizzle test intermediate");
	ck_assert_uint_eq(strlen(f->until), strlen("2036-01-01T00:00:00Z"));
	ck_assert(f->alpn && !f->own);
	ck_assert_uint_eq(pgw_tls_binding(p.client).n, 32);
	pair_end(&p);
}

END_TEST

/* ---- versions */

static const struct {
	const char *settings;
	int min, max; /* the server's */
	const char *version;
} versions[] = {
	{ REQUIRE, 0, 0, "TLSv1.3" },
	{ REQUIRE, 0, TLS1_2_VERSION, "TLSv1.2" },
	{ REQUIRE "ssl_min_protocol_version=TLSv1", 0, TLS1_2_VERSION,
	  "TLSv1.2" },
	{ REQUIRE "ssl_max_protocol_version=TLSv1.2", 0, 0, "TLSv1.2" },
	{ REQUIRE "ssl_min_protocol_version=TLSv1.3", TLS1_3_VERSION, 0,
	  "TLSv1.3" },
	{ REQUIRE "ssl_min_protocol_version=TLSv1.3", 0, TLS1_2_VERSION, NULL },
	{ REQUIRE "ssl_max_protocol_version=TLSv1.2", TLS1_3_VERSION, 0, NULL },
	{ REQUIRE, TLS1_VERSION, TLS1_1_VERSION, NULL },
	{ REQUIRE "ssl_min_protocol_version=TLSv1", TLS1_VERSION, TLS1_VERSION,
	  NULL },
};

START_TEST(versions_are_those_that_both_know)
{
	for (size_t i = 0; i < COUNT(versions); i++) {
		const struct server s = { .min = versions[i].min,
					  .max = versions[i].max };
		struct pair p;

		pair_start(&p, versions[i].settings, &s);
		pair_handshake(&p);
		ck_assert_int_eq(p.done, versions[i].version != NULL);
		ck_assert_int_eq(p.refused, !p.done);
		if (p.done) {
			ck_assert_str_eq(pgw_tls_facts(p.client)->version,
					 versions[i].version);
			ck_assert(pair_talks(&p));
		} else {
			ck_assert_ptr_nonnull(
				strstr(p.err.hint, "ssl_min_protocol_version"));
		}
		pair_end(&p);
	}
}

END_TEST

/* ---- our own certificate */

static const struct {
	const char *settings;
	bool asks, insists;
	const char *refused; /* by us, or NULL */
	bool own;
} owns[] = {
	{ REQUIRE, false, false, NULL, false },
	{ REQUIRE, true, false, NULL, false },
	{ REQUIRE OWN, false, false, NULL, false },
	{ REQUIRE OWN, true, false, NULL, true },
	{ REQUIRE OWN, false, true, NULL, true },
	{ REQUIRE OWN "sslcertmode=disable", true, false, NULL, false },
	{ REQUIRE OWN "sslcertmode=require", true, false, NULL, true },
	{ REQUIRE OWN "sslcertmode=require", false, false, "did not ask",
	  false },
	{ REQUIRE "sslcertmode=require", true, false, "there is none", false },
	{ REQUIRE OWN "sslkey=%/client-rsa.key", true, false,
	  "is not the key of", false },
};

static void check_own(size_t i, int version)
{
	const struct server s = { .asks = owns[i].asks,
				  .insists = owns[i].insists,
				  .max = version };
	struct pair p;

	pair_start(&p, owns[i].settings, &s);
	pair_handshake(&p);
	ck_assert_msg(p.refused == (owns[i].refused != NULL), "%zu: %s", i,
		      p.err.msg);
	if (owns[i].refused) {
		ck_assert_ptr_nonnull(strstr(p.err.msg, owns[i].refused));
	} else {
		ck_assert(p.done && pair_talks(&p));
		ck_assert_int_eq(pgw_tls_facts(p.client)->own, owns[i].own);
		ck_assert_int_eq(SSL_get0_peer_certificate(p.server) != NULL,
				 owns[i].own);
	}
	pair_end(&p);
}

START_TEST(our_certificate_is_shown_as_the_settings_say)
{
	for (size_t i = 0; i < COUNT(owns); i++) {
		check_own(i, TLS1_2_VERSION);
		check_own(i, TLS1_3_VERSION);
	}
}

END_TEST

/* With TLS 1.3 our side is done before the server has seen it. */
static void check_unwanted(const char *settings, int version)
{
	const struct server s = { .insists = true, .max = version };
	char nothing[16];
	struct pair p;

	pair_start(&p, settings, &s);
	pair_handshake(&p);
	ck_assert(!p.done);
	if (!p.refused)
		ck_assert_uint_eq(pair_get(&p, nothing, sizeof(nothing)), 0);
	ck_assert_msg(p.refused, "%s", settings);
	ck_assert_int_eq(p.err.code, PGW_E_TLS);
	ck_assert_msg(strstr(p.err.hint, "sslcert") != NULL, "%s: %s",
		      p.err.msg, p.err.hint);
	pair_end(&p);
}

START_TEST(a_server_that_does_not_want_our_certificate_is_understood)
{
	static const char *const settings[] = {
		REQUIRE,
		REQUIRE "sslcert=%/client-other.crt sslkey=%/client-other.key",
		REQUIRE
		"sslcert=%/client-expired.crt sslkey=%/client-expired.key",
	};

	for (size_t i = 0; i < COUNT(settings); i++) {
		check_unwanted(settings[i], TLS1_2_VERSION);
		check_unwanted(settings[i], TLS1_3_VERSION);
	}
}

END_TEST

/* ---- ALPN and SNI */

static const struct {
	const char *settings, *alpn;
	const char *refused;
	bool agreed;
} protocols[] = {
	{ REQUIRE, NULL, NULL, false },
	{ REQUIRE, "postgresql", NULL, true },
	{ REQUIRE, "", "no application protocol", false },
	{ REQUIRE "sslnegotiation=direct", "postgresql", NULL, true },
	{ REQUIRE "sslnegotiation=direct", NULL, "ALPN", false },
	{ REQUIRE, "http/1.1", "", false },
	{ REQUIRE "sslnegotiation=direct", "postgresq", "", false },
	{ REQUIRE "sslnegotiation=direct", "postgresqlx", "", false },
};

START_TEST(direct_tls_wants_to_hear_the_protocol)
{
	for (size_t i = 0; i < COUNT(protocols); i++) {
		const struct server s = { .alpn = protocols[i].alpn };
		struct pair p;

		pair_start(&p, protocols[i].settings, &s);
		pair_handshake(&p);
		ck_assert_msg(p.refused == (protocols[i].refused != NULL),
			      "%zu: %s", i, p.err.msg);
		if (p.refused)
			ck_assert_ptr_nonnull(
				strstr(p.err.msg, protocols[i].refused));
		else
			ck_assert_int_eq(pgw_tls_facts(p.client)->alpn,
					 protocols[i].agreed);
		pair_end(&p);
	}
}

END_TEST

START_TEST(the_server_is_told_which_name_is_meant)
{
	static const struct {
		const char *settings, *name;
	} cases[] = {
		{ REQUIRE, "localhost" },
		{ REQUIRE "host=db.example.test hostaddr=127.0.0.1",
		  "db.example.test" },
		{ REQUIRE "sslsni=0", NULL },
		{ REQUIRE "host=127.0.0.1", NULL },
		{ REQUIRE "host=::1", NULL },
		{ "hostaddr=127.0.0.1 sslmode=require", NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct server s = { .cert = NULL };
		struct pair p;

		pair_start(&p, cases[i].settings, &s);
		pair_handshake(&p);
		ck_assert(p.done);
		ck_assert_pstr_eq(SSL_get_servername(p.server,
						     TLSEXT_NAMETYPE_host_name),
				  cases[i].name);
		pair_end(&p);
	}
}

END_TEST

/* ---- for those who look into a capture */

START_TEST(the_keys_of_a_session_are_logged_for_who_asks)
{
	const char *first[] = { "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
				"CLIENT_TRAFFIC_SECRET_0 " };
	struct certs_path path = certs_path("keys.log");
	struct stat st;
	char text[8192];
	size_t n = 0, once = 0;
	FILE *f;

	for (int round = 1; round <= 2; round++) {
		struct pair p;

		pair_start(&p, REQUIRE "sslkeylogfile=%/keys.log",
			   &(struct server){ .min = TLS1_3_VERSION });
		pair_handshake(&p);
		ck_assert_msg(p.done, "%s", p.err.msg);
		pair_end(&p);
		f = fopen(path.text, "r");
		ck_assert_ptr_nonnull(f);
		n = fread(text, 1, sizeof(text) - 1, f);
		text[n] = '\0';
		fclose(f);
		for (size_t i = 0; i < COUNT(first); i++)
			ck_assert_ptr_nonnull(strstr(text, first[i]));
		ck_assert_int_eq(text[n - 1], '\n');
		once = round == 1 ? n : once;
	}
	ck_assert_uint_eq(n, 2 * once); /* what was there stays */
	ck_assert_int_eq(stat(path.text, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
}

END_TEST

UNIT_MAIN_WITH_CERTS("tls", servers_are_trusted_as_the_settings_say,
		     what_was_agreed_on_is_known,
		     versions_are_those_that_both_know,
		     our_certificate_is_shown_as_the_settings_say,
		     a_server_that_does_not_want_our_certificate_is_understood,
		     direct_tls_wants_to_hear_the_protocol,
		     the_server_is_told_which_name_is_meant,
		     the_keys_of_a_session_are_logged_for_who_asks)
