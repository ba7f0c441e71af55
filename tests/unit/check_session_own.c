/* SPDX-License-Identifier: MIT */
/* What we ourselves do not do, whatever a server asks or a caller wants. */
#include <config.h>

#include "unit.h"
#include "wire.h"

static const struct {
	const char *what;
	struct bytes bytes;
	unsigned require_auth; /* 0 = any */
	bool cleartext_allowed;
	const char *password;
	enum pgw_code code;
	const char *text;
} refusals[] = {
	/* clang-format off */
	{ "trust, but SCRAM wanted", BYTES(AUTH_OK), PGW_AUTH_SCRAM, true, "pw", PGW_E_AUTH, "lets everyone in" },
	{ "cleartext, but SCRAM wanted", BYTES(AUTH_CLEAR), PGW_AUTH_SCRAM, true, "pw", PGW_E_AUTH, "require_auth does not allow" },
	{ "md5, but SCRAM wanted", BYTES(AUTH_MD5), PGW_AUTH_SCRAM, true, "pw", PGW_E_AUTH, "require_auth does not allow" },
	{ "SCRAM, but md5 wanted", BYTES(AUTH_SASL), PGW_AUTH_MD5, true, "pw", PGW_E_AUTH, "require_auth does not allow" },
	{ "SCRAM, but none wanted", BYTES(AUTH_SASL), PGW_AUTH_NONE, true, "pw", PGW_E_AUTH, "require_auth does not allow" },
	{ "no password", BYTES(AUTH_SASL), 0, true, NULL, PGW_E_AUTH, "none is given" },
	{ "empty password", BYTES(AUTH_MD5), 0, true, "", PGW_E_AUTH, "none is given" },
	{ "cleartext over a public network", BYTES(AUTH_CLEAR), 0, false, "pw", PGW_E_AUTH, "in clear text" },
	/* clang-format on */
};

START_TEST(a_password_goes_only_where_it_may)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct pgw_login login = wire_login();
		struct pgw_session s;
		struct pgw_err err = { 0 };
		size_t sent;

		login.password = refusals[i].password;
		login.cleartext_allowed = refusals[i].cleartext_allowed;
		if (refusals[i].require_auth)
			login.require_auth = refusals[i].require_auth;
		pgw_session_init(&s, NULL);
		ck_assert(pgw_session_start(&s, &login, &err));
		sent = pgw_session_out(&s).n;
		ck_assert_msg(!wire_feed(&s, refusals[i].bytes, &err), "%s",
			      refusals[i].what);
		ck_assert_msg(err.code == refusals[i].code &&
				      strstr(err.msg, refusals[i].text),
			      "%s: %s", refusals[i].what, err.msg);
		ck_assert_uint_eq(pgw_session_out(&s).n, sent);
		pgw_session_release(&s);
	}
}

END_TEST

START_TEST(less_than_the_least_protocol_is_refused)
{
	struct bytes b = BYTES("v\0\0\0\x0c\0\x03\0\0\0\0\0\0");
	struct pgw_login login = wire_login();
	struct pgw_session s;
	struct pgw_err err = { 0 };

	login.protocol = login.protocol_min = PGW_PROTOCOL_3_2;
	pgw_session_init(&s, NULL);
	ck_assert(pgw_session_start(&s, &login, &err));
	ck_assert(!wire_feed(&s, b, &err));
	ck_assert_int_eq(err.code, PGW_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "3.0, but"));
	pgw_session_release(&s);
}

END_TEST

START_TEST(what_cannot_be_sent_is_not_begun)
{
	static char name[20000];
	struct pgw_login login = wire_login();
	struct pgw_session s;
	struct pgw_err err = { 0 };

	memset(name, 'n', sizeof(name) - 1);
	login.user = name;
	pgw_session_init(&s, NULL);
	ck_assert(!pgw_session_start(&s, &login, &err));
	ck_assert_int_eq(err.code, PGW_E_LIMIT);
	ck_assert_uint_eq(pgw_session_out(&s).n, 0);
	pgw_session_release(&s);

	wire_start_query(&s, NULL);
	ck_assert(!pgw_session_query(&s,
				     (struct pgw_view){
					     (const unsigned char *)"a\0b", 3 },
				     &err));
	ck_assert_int_eq(err.code, PGW_E_USAGE);
	ck_assert(
		!pgw_session_query(&s,
				   (struct pgw_view){ (const unsigned char *)"",
						      PGW_QUERY_MAX },
				   &err));
	ck_assert_int_eq(err.code, PGW_E_LIMIT);
	ck_assert_int_eq(s.state, PGW_BUSY); /* and it goes on */
	pgw_session_release(&s);
}

END_TEST

START_TEST(keys_stand_in_for_the_password)
{
	static const unsigned char client[PGW_SHA256_LEN],
		server[PGW_SHA256_LEN];
	struct bytes sasl = BYTES(AUTH_SASL AUTH_FIRST);
	struct pgw_login login = wire_login();
	struct pgw_session s;
	struct pgw_err err = { 0 };

	login.password = NULL;
	login.client_key = client;
	login.server_key = server;
	pgw_session_init(&s, NULL);
	ck_assert(pgw_session_start(&s, &login, &err));
	ck_assert_msg(wire_feed(&s, sasl, &err), "%s", err.msg);
	ck_assert_int_eq(s.state, PGW_SASL_FINAL);
	pgw_session_release(&s);
}

END_TEST

UNIT_MAIN("session_own", a_password_goes_only_where_it_may,
	  less_than_the_least_protocol_is_refused,
	  what_cannot_be_sent_is_not_begun, keys_stand_in_for_the_password)
