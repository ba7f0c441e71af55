/* SPDX-License-Identifier: MIT */
/* Which SCRAM is chosen, what the server is told of channel binding. */
#include <config.h>

#include "unit.h"
#include "wire.h"

#include <stdio.h>

#define PLAIN "SCRAM-SHA-256\0"
#define PLUS "SCRAM-SHA-256-PLUS\0"
#define HASH "0123456789abcdef0123456789abcdef"

enum way { PLAINTEXT, TLS, TLS_WITHOUT_HASH };

static const struct {
	struct bytes offer;
	enum way way;
	enum pgw_channel_binding wish;
	const char *expected; /* of the first message; or the error's text */
	const char *warning;
} choices[] = {
	{ BYTES(PLAIN), PLAINTEXT, PGW_BINDING_PREFER, "n,,n=,r=", "" },
	{ BYTES(PLAIN), PLAINTEXT, PGW_BINDING_DISABLE, "n,,n=,r=", "" },
	{ BYTES(PLAIN), PLAINTEXT, PGW_BINDING_REQUIRE, "!needs TLS", "" },
	{ BYTES(PLUS PLAIN), PLAINTEXT, PGW_BINDING_PREFER, "!non-SSL", "" },
	{ BYTES(PLUS PLAIN), TLS, PGW_BINDING_PREFER,
	  "p=tls-server-end-point,,n=,r=", "" },
	{ BYTES(PLAIN PLUS), TLS, PGW_BINDING_REQUIRE,
	  "p=tls-server-end-point,,n=,r=", "" },
	{ BYTES(PLUS), TLS, PGW_BINDING_REQUIRE,
	  "p=tls-server-end-point,,n=,r=", "" },
	{ BYTES(PLUS PLAIN), TLS, PGW_BINDING_DISABLE, "n,,n=,r=", "" },
	{ BYTES(PLUS), TLS, PGW_BINDING_DISABLE, "!none of our", "" },
	{ BYTES(PLAIN), TLS, PGW_BINDING_PREFER, "y,,n=,r=", "" },
	{ BYTES(PLAIN), TLS, PGW_BINDING_DISABLE, "n,,n=,r=", "" },
	{ BYTES(PLAIN), TLS, PGW_BINDING_REQUIRE, "!does not offer", "" },
	{ BYTES(PLUS PLAIN), TLS_WITHOUT_HASH, PGW_BINDING_PREFER,
	  "n,,n=,r=", "without a hash" },
	{ BYTES(PLUS PLAIN), TLS_WITHOUT_HASH, PGW_BINDING_DISABLE,
	  "n,,n=,r=", "" },
	{ BYTES(PLUS PLAIN), TLS_WITHOUT_HASH, PGW_BINDING_REQUIRE, "!Ed25519",
	  "" },
	{ BYTES(PLUS), TLS_WITHOUT_HASH, PGW_BINDING_PREFER, "!none of our",
	  "" },
	{ BYTES(PLAIN), TLS_WITHOUT_HASH, PGW_BINDING_PREFER, "n,,n=,r=", "" },
	{ BYTES("OAUTHBEARER\0"), TLS, PGW_BINDING_PREFER, "!OAUTHBEARER", "" },
};

static char warnings[512];

static void on_warning(void *ctx, const char *text)
{
	(void)ctx;
	snprintf(warnings, sizeof(warnings), "%s", text);
}

static const struct pgw_hooks hooks = { .warning = on_warning };

static struct pgw_login login_by(enum way way, enum pgw_channel_binding wish)
{
	struct pgw_login login = wire_login();

	login.encrypted = way != PLAINTEXT;
	if (way == TLS)
		login.binding = pgw_view_of(HASH);
	login.channel_binding = wish;
	return login;
}

/* Start a session, and drop what it says first. */
static void begin(struct pgw_session *s, const struct pgw_login *login)
{
	struct pgw_err err = { 0 };

	warnings[0] = '\0';
	pgw_session_init(s, &hooks);
	ck_assert(pgw_session_start(s, login, &err));
	pgw_session_sent(s, pgw_session_out(s).n);
}

static bool offer(struct pgw_session *s, struct bytes names,
		  struct pgw_err *err)
{
	unsigned char msg[128] = { 'R', 0, 0, 0, 0, 0, 0, 0, 10 };

	msg[4] = (unsigned char)(9 + names.n);
	memcpy(msg + 9, names.p, names.n);
	return wire_feed(s, (struct bytes){ (char *)msg, 10 + names.n }, err);
}

/* In bytes that have a NUL behind the mechanism's name. */
static bool says(struct pgw_view out, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i + n <= out.n; i++)
		if (memcmp(out.p + i, text, n) == 0)
			return true;
	return false;
}

START_TEST(the_strongest_that_both_sides_can_is_chosen)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const char *expected = choices[i].expected;
		struct pgw_login login = login_by(choices[i].way,
						  choices[i].wish);
		struct pgw_err err = { 0 };
		struct pgw_session s;
		bool ok;

		begin(&s, &login);
		ok = offer(&s, choices[i].offer, &err);
		ck_assert_msg(ok == (*expected != '!'), "row %zu: %s", i,
			      err.msg);
		ck_assert_msg(ok ? says(pgw_session_out(&s), expected) :
				   strstr(err.msg, expected + 1) != NULL,
			      "row %zu: %s", i, err.msg);
		ck_assert_msg(s.bound == (*expected == 'p'), "row %zu", i);
		ck_assert_msg(choices[i].warning[0] ?
				      strstr(warnings, choices[i].warning) !=
					      NULL :
				      warnings[0] == '\0',
			      "row %zu: warned of \"%s\"", i, warnings);
		pgw_session_release(&s);
	}
}

END_TEST

static const struct bytes unbound[] = { BYTES(AUTH_OK), BYTES(AUTH_CLEAR),
					BYTES(AUTH_MD5) };

START_TEST(nothing_but_scram_does_where_binding_is_required)
{
	for (size_t i = 0; i < sizeof(unbound) / sizeof(unbound[0]); i++) {
		struct pgw_login login = login_by(TLS, PGW_BINDING_REQUIRE);
		struct pgw_err err = { 0 };
		struct pgw_session s;

		begin(&s, &login);
		ck_assert(!wire_feed(&s, unbound[i], &err));
		ck_assert_msg(strstr(err.msg, "without channel binding"),
			      "row %zu: %s", i, err.msg);
		ck_assert_uint_eq(pgw_session_out(&s).n, 0);
		pgw_session_release(&s);
	}
}

END_TEST

static const struct {
	bool strict, verified;
	const char *error, *warning;
} few[] = {
	{ false, false, NULL, "only 1 times" },
	{ false, true, NULL, "only 1 times" },
	{ true, true, NULL, "only 1 times" },
	{ true, false, "only 1 times", NULL },
};

START_TEST(few_iterations_are_a_warning_or_more)
{
	for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++) {
		struct pgw_login login = login_by(TLS, PGW_BINDING_PREFER);
		struct pgw_err err = { 0 };
		struct pgw_session s;

		login.strict = few[i].strict;
		login.verified = few[i].verified;
		begin(&s, &login);
		ck_assert(offer(&s, (struct bytes)BYTES(PLAIN), &err));
		pgw_session_sent(&s, pgw_session_out(&s).n);
		ck_assert(wire_feed(&s, (struct bytes)BYTES(AUTH_FIRST),
				    &err) == (few[i].error == NULL));
		ck_assert((pgw_session_out(&s).n > 0) ==
			  (few[i].error == NULL));
		ck_assert(!few[i].error || strstr(err.msg, few[i].error));
		ck_assert(!few[i].warning || strstr(warnings, few[i].warning));
		pgw_session_release(&s);
	}
}

END_TEST

START_TEST(a_password_hashed_by_md5_over_a_public_way_is_warned_of)
{
	struct pgw_login login = wire_login();
	struct pgw_err err = { 0 };
	struct pgw_session s;

	login.cleartext_allowed = false;
	begin(&s, &login);
	ck_assert(wire_feed(&s, (struct bytes)BYTES(AUTH_MD5), &err));
	ck_assert_ptr_nonnull(strstr(warnings, "MD5"));
	pgw_session_release(&s);
}

END_TEST

UNIT_MAIN("session_sasl", the_strongest_that_both_sides_can_is_chosen,
	  nothing_but_scram_does_where_binding_is_required,
	  few_iterations_are_a_warning_or_more,
	  a_password_hashed_by_md5_over_a_public_way_is_warned_of)
