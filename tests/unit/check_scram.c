/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "scram.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* RFC 7677, section 3 */
#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define BOTH NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SALT "W22ZaJ0SNY7soEsUEjb6gQ=="
#define CHALLENGE "r=" BOTH ",s=" SALT ",i=4096"
#define SIGNATURE "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static struct pgw_scram s;
static struct pgw_buf out;
static struct pgw_err err;
static struct pgw_scram_params params;

static void set_up(void)
{
	params = (struct pgw_scram_params){
		.password = pgw_view_of("pencil"),
		.user = "user",
		.nonce = NONCE,
		.gs2 = "n,,",
	};
	pgw_buf_init(&out, 1 << 16);
}

static void tear_down(void)
{
	pgw_scram_release(&s);
	pgw_buf_release(&out);
}

static void begin(void)
{
	pgw_scram_init(&s, &params);
	ck_assert(pgw_scram_first(&s, &out, &err));
	pgw_buf_drop(&out, out.len);
}

START_TEST(the_exchange_of_rfc_7677_succeeds)
{
	set_up();
	pgw_scram_init(&s, &params);
	ck_assert(pgw_scram_first(&s, &out, &err));
	ck_assert(pgw_view_is(pgw_buf_view(&out), "n,,n=user,r=" NONCE));
	pgw_buf_drop(&out, out.len);
	ck_assert(pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out, &err));
	ck_assert(
		pgw_view_is(pgw_buf_view(&out),
			    "c=biws,r=" BOTH
			    ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
	ck_assert_uint_eq(s.iterations, 4096);
	ck_assert(!s.verified);
	ck_assert(pgw_scram_verify(&s, pgw_view_of(SIGNATURE), &err));
	ck_assert(s.verified);
	tear_down();
}

END_TEST

START_TEST(the_name_of_the_user_is_escaped_and_may_be_empty)
{
	set_up();
	params.user = "a=b,c";
	pgw_scram_init(&s, &params);
	ck_assert(pgw_scram_first(&s, &out, &err));
	ck_assert(pgw_view_is(pgw_buf_view(&out), "n,,n=a=3Db=2Cc,r=" NONCE));
	tear_down();

	set_up();
	params.user = NULL;
	params.gs2 = "y,,";
	pgw_scram_init(&s, &params);
	ck_assert(pgw_scram_first(&s, &out, &err));
	ck_assert(pgw_view_is(pgw_buf_view(&out), "y,,n=,r=" NONCE));
	tear_down();
}

END_TEST

START_TEST(the_channel_binding_is_part_of_the_answer)
{
	set_up();
	params.gs2 = "p=tls-server-end-point,,";
	params.cbind = pgw_view_of("\x01\x02\x03");
	begin();
	ck_assert(pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out, &err));
	ck_assert_mem_eq(out.data,
			 "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAQID,r=", 41);
	tear_down();
}

END_TEST

#define BAD PGW_E_PROTOCOL, "the server's SCRAM message is wrong: "

START_TEST(a_wrong_challenge_is_refused)
{
	static const struct {
		const char *message;
		enum pgw_code code;
		const char *prefix, *why;
	} cases[] = {
		{ "", BAD, "no nonce" },
		{ "r", BAD, "no nonce" },
		{ "r=", BAD, "no nonce" },
		{ "x", BAD, "no nonce" },
		{ "e=other-error", BAD, "no nonce" },
		{ "R=" BOTH ",s=" SALT ",i=4096", BAD, "no nonce" },
		{ "r=" BOTH, BAD, "no nonce" },
		{ "r=" BOTH ",", BAD, "no salt" },
		{ "r=" BOTH ",i=4096,s=" SALT, BAD, "no salt" },
		{ "r=" BOTH ",s=" SALT, BAD, "no salt" },
		{ "r=" BOTH ",s=" SALT ",", BAD, "no iteration count" },
		{ "r=" BOTH ",m=x,s=" SALT ",i=4096", BAD, "no salt" },
		{ "m=x,r=" BOTH ",s=" SALT ",i=4096", PGW_E_UNSUPPORTED,
		  "the server demands a SCRAM extension (m=)", "" },
		/* nonces */
		{ "r=,s=" SALT ",i=4096", BAD,
		  "its nonce does not begin with ours" },
		{ "r=" NONCE ",s=" SALT ",i=4096", BAD,
		  "it adds nothing to our nonce" },
		{ "r=sOprNGfwEbeRWgbNEkqOabcdef,s=" SALT ",i=4096", BAD,
		  "its nonce does not begin with ours" },
		{ "r=rOprNGfwEbeRWgbNEkq,s=" SALT ",i=4096", BAD,
		  "its nonce does not begin with ours" },
		{ "r=xyz" NONCE "abc,s=" SALT ",i=4096", BAD,
		  "its nonce does not begin with ours" },
		{ "r=" NONCE " x,s=" SALT ",i=4096", BAD,
		  "its nonce is not printable" },
		{ "r=" NONCE "\x7f,s=" SALT ",i=4096", BAD,
		  "its nonce is not printable" },
		{ "r=" NONCE "\xc3\xa9,s=" SALT ",i=4096", BAD,
		  "its nonce is not printable" },
		/* salts */
		{ "r=" BOTH ",s=,i=4096", BAD, "its salt is empty" },
		{ "r=" BOTH ",s=W22Z=,i=4096", BAD, "its salt is not base64" },
		{ "r=" BOTH ",s=!!!!,i=4096", BAD, "its salt is not base64" },
		{ "r=" BOTH ",s=W22ZaJ0,i=4096", BAD,
		  "its salt is not base64" },
		/* counts */
		{ "r=" BOTH ",s=" SALT ",i=", BAD,
		  "the iteration count is not positive" },
		{ "r=" BOTH ",s=" SALT ",i=0", BAD,
		  "the iteration count is not positive" },
		{ "r=" BOTH ",s=" SALT ",i=04096", BAD,
		  "the iteration count is not positive" },
		{ "r=" BOTH ",s=" SALT ",i=-1", BAD,
		  "the iteration count is no number" },
		{ "r=" BOTH ",s=" SALT ",i=+4096", BAD,
		  "the iteration count is no number" },
		{ "r=" BOTH ",s=" SALT ",i= 4096", BAD,
		  "the iteration count is no number" },
		{ "r=" BOTH ",s=" SALT ",i=4096x", BAD,
		  "the iteration count is no number" },
		{ "r=" BOTH ",s=" SALT ",i=4096 ", BAD,
		  "the iteration count is no number" },
		{ "r=" BOTH ",s=" SALT ",i=0x1000", BAD,
		  "the iteration count is not positive" },
		{ "r=" BOTH ",s=" SALT ",i=1e3", BAD,
		  "the iteration count is no number" },
		{ "r=" BOTH ",s=" SALT ",i=4096,", BAD,
		  "something follows the iteration count" },
		{ "r=" BOTH ",s=" SALT ",i=4096,x=y", BAD,
		  "something follows the iteration count" },
		{ "r=" BOTH ",s=" SALT ",i=1000001", PGW_E_LIMIT,
		  "the server asks for more than 1000000 SCRAM iterations",
		  "" },
		{ "r=" BOTH ",s=" SALT ",i=2147483647", PGW_E_LIMIT,
		  "the server asks for more than 1000000 SCRAM iterations",
		  "" },
		{ "r=" BOTH ",s=" SALT ",i=4294967297", PGW_E_LIMIT,
		  "the server asks for more than 1000000 SCRAM iterations",
		  "" },
		{ "r=" BOTH ",s=" SALT ",i=18446744073709551617", PGW_E_LIMIT,
		  "the server asks for more than 1000000 SCRAM iterations",
		  "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[200];

		set_up();
		begin();
		ck_assert_msg(!pgw_scram_final(&s,
					       pgw_view_of(cases[i].message),
					       &out, &err),
			      "took \"%s\"", cases[i].message);
		snprintf(want, sizeof(want), "%s%s", cases[i].prefix,
			 cases[i].why);
		ck_assert_str_eq(err.msg, want);
		ck_assert_int_eq(err.code, cases[i].code);
		ck_assert_uint_eq(out.len, 0);
		/* and that is the end of it */
		ck_assert(!pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out,
					   &err));
		ck_assert(!pgw_scram_verify(&s, pgw_view_of(SIGNATURE), &err));
		tear_down();
	}
}

END_TEST

START_TEST(a_nul_has_no_place_in_a_challenge)
{
	const size_t n = strlen(CHALLENGE);

	for (size_t at = 0; at <= n; at++) {
		unsigned char message[200] = CHALLENGE;

		memmove(message + at + 1, message + at, n - at);
		message[at] = 0;
		set_up();
		begin();
		ck_assert(!pgw_scram_final(&s,
					   (struct pgw_view){ message, n + 1 },
					   &out, &err));
		tear_down();
	}
}

END_TEST

/* A challenge with a nonce of so many characters and a salt of so many. */
static bool takes(size_t nonce, size_t salt)
{
	char filler[4096], message[8192];
	int more = (int)(nonce - strlen(NONCE));
	bool ok;

	set_up();
	begin();
	memset(filler, 'A', sizeof(filler));
	snprintf(message, sizeof(message), "r=" NONCE "%.*s,s=%.*s,i=1", more,
		 filler, (int)salt, filler);
	ok = pgw_scram_final(&s, pgw_view_of(message), &out, &err);
	if (!ok)
		ck_assert_int_eq(err.code, PGW_E_PROTOCOL);
	tear_down();
	return ok;
}

START_TEST(nonce_and_salt_have_limits)
{
	ck_assert(takes(21, 4));
	ck_assert(takes(1024, 1364));
	ck_assert(!takes(1025, 4));
	ck_assert(!takes(4000, 4));
	ck_assert(!takes(24, 1368)); /* 1026 bytes */
	ck_assert(!takes(24, 1372));
	ck_assert(!takes(24, 4000));
}

END_TEST

START_TEST(few_iterations_are_taken_and_told)
{
	set_up();
	begin();
	ck_assert(pgw_scram_final(&s, pgw_view_of("r=" BOTH ",s=" SALT ",i=1"),
				  &out, &err));
	ck_assert_uint_eq(s.iterations, 1);
	tear_down();
}

END_TEST

START_TEST(the_limit_of_iterations_can_be_set)
{
	set_up();
	params.max_iterations = 4095;
	begin();
	ck_assert(!pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out, &err));
	ck_assert_int_eq(err.code, PGW_E_LIMIT);
	ck_assert_str_ne(err.hint, "");
	tear_down();

	set_up();
	params.max_iterations = 4096;
	begin();
	ck_assert(pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out, &err));
	tear_down();
}

END_TEST

static bool go_on_for(void *ctx, struct pgw_err *e)
{
	int *left = ctx;

	return --*left > 0 ? true : pgw_fail(e, PGW_E_TIMEOUT, "timed out");
}

START_TEST(hashing_can_be_given_up)
{
	int left = 3;

	set_up();
	params.go_on = go_on_for;
	params.ctx = &left;
	begin();
	ck_assert(
		!pgw_scram_final(&s,
				 pgw_view_of("r=" BOTH ",s=" SALT ",i=1000000"),
				 &out, &err));
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	ck_assert_int_eq(left, 0);
	ck_assert_uint_eq(out.len, 0);
	tear_down();
}

END_TEST

START_TEST(a_wrong_proof_of_the_server_is_refused)
{
	static const struct {
		const char *message;
		enum pgw_code code;
		const char *text;
	} cases[] = {
		{ "", PGW_E_PROTOCOL,
		  "the server's SCRAM message is wrong: no signature" },
		{ "v", PGW_E_PROTOCOL,
		  "the server's SCRAM message is wrong: no signature" },
		{ "v=", PGW_E_PROTOCOL,
		  "the server's SCRAM message is wrong: its signature is not "
		  "32 bytes in base64" },
		{ "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4",
		  PGW_E_PROTOCOL,
		  "the server's SCRAM message is wrong: its signature is not "
		  "32 bytes in base64" },
		{ "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl9", PGW_E_PROTOCOL,
		  "the server's SCRAM message is wrong: its signature is not "
		  "32 bytes in base64" },
		{ "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4A",
		  PGW_E_PROTOCOL,
		  "the server's SCRAM message is wrong: its signature is not "
		  "32 bytes in base64" },
		{ "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95A==",
		  PGW_E_PROTOCOL,
		  "the server's SCRAM message is wrong: its signature is not "
		  "32 bytes in base64" },
		{ SIGNATURE ",", PGW_E_PROTOCOL,
		  "the server's SCRAM message is wrong: something follows the "
		  "signature" },
		{ SIGNATURE ",x=y", PGW_E_PROTOCOL,
		  "the server's SCRAM message is wrong: something follows the "
		  "signature" },
		{ SIGNATURE "\n", PGW_E_PROTOCOL,
		  "the server's SCRAM message is wrong: its signature is not "
		  "32 bytes in base64" },
		{ "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", PGW_E_AUTH,
		  "the server could not prove that it knows us" },
		{ "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", PGW_E_AUTH,
		  "the server could not prove that it knows us" },
		{ "e=invalid-proof", PGW_E_AUTH,
		  "the server refused our proof: invalid-proof" },
		{ "e=\x1b[31m\n", PGW_E_AUTH,
		  "the server refused our proof: ?[31m?" },
		{ "e=0123456789012345678901234567890123456789012345678901234567"
		  "89012345678901234567890123456789",
		  PGW_E_AUTH,
		  "the server refused our proof: 0123456789012345678901234567"
		  "890123456789012345678901234567890123456789012345678"
		  "9" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_up();
		begin();
		ck_assert(pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out,
					  &err));
		ck_assert(!pgw_scram_verify(&s, pgw_view_of(cases[i].message),
					    &err));
		ck_assert_str_eq(err.msg, cases[i].text);
		ck_assert_int_eq(err.code, cases[i].code);
		ck_assert(!s.verified);
		/* a second try does not help */
		ck_assert(!pgw_scram_verify(&s, pgw_view_of(SIGNATURE), &err));
		ck_assert(!s.verified);
		tear_down();
	}
}

END_TEST

START_TEST(steps_out_of_turn_are_refused)
{
	set_up();
	pgw_scram_init(&s, &params);
	ck_assert(!pgw_scram_verify(&s, pgw_view_of(SIGNATURE), &err));
	ck_assert_int_eq(err.code, PGW_E_PROTOCOL);
	tear_down();

	set_up();
	pgw_scram_init(&s, &params);
	ck_assert(!pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out, &err));
	tear_down();

	set_up();
	begin();
	ck_assert(!pgw_scram_verify(&s, pgw_view_of(SIGNATURE), &err));
	tear_down();

	set_up();
	begin();
	ck_assert(pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out, &err));
	ck_assert(!pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out, &err));
	ck_assert(!pgw_scram_verify(&s, pgw_view_of(SIGNATURE), &err));
	tear_down();
}

END_TEST

START_TEST(a_password_that_is_too_long_is_refused)
{
	static unsigned char password[65537];

	set_up();
	memset(password, 'x', sizeof(password));
	params.password = (struct pgw_view){ password, sizeof(password) };
	begin();
	ck_assert(!pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out, &err));
	ck_assert_int_eq(err.code, PGW_E_LIMIT);
	tear_down();
}

END_TEST

START_TEST(one_key_alone_is_refused)
{
	static const unsigned char key[PGW_SHA256_LEN];

	for (int i = 0; i < 2; i++) {
		set_up();
		params.client_key = i == 0 ? key : NULL;
		params.server_key = i == 1 ? key : NULL;
		pgw_scram_init(&s, &params);
		ck_assert(!pgw_scram_first(&s, &out, &err));
		ck_assert_int_eq(err.code, PGW_E_CONFIG);
		tear_down();
	}
}

END_TEST

START_TEST(nothing_is_left_after_release)
{
	static const struct pgw_scram nothing;

	set_up();
	begin();
	ck_assert(pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out, &err));
	tear_down();
	ck_assert_mem_eq(&s, &nothing, sizeof(s));
	pgw_scram_release(&s);
}

END_TEST

START_TEST(a_nonce_is_printable_and_new_each_time)
{
	char a[PGW_SCRAM_NONCE_SIZE], b[PGW_SCRAM_NONCE_SIZE];

	ck_assert(pgw_scram_nonce(a, &err));
	ck_assert(pgw_scram_nonce(b, &err));
	ck_assert_uint_eq(strlen(a), PGW_SCRAM_NONCE_LEN);
	ck_assert_uint_eq(strcspn(a, ",= "), PGW_SCRAM_NONCE_LEN);
	ck_assert_str_ne(a, b);
}

END_TEST

UNIT_MAIN("scram", the_exchange_of_rfc_7677_succeeds,
	  the_name_of_the_user_is_escaped_and_may_be_empty,
	  the_channel_binding_is_part_of_the_answer,
	  a_wrong_challenge_is_refused, a_nul_has_no_place_in_a_challenge,
	  nonce_and_salt_have_limits, few_iterations_are_taken_and_told,
	  the_limit_of_iterations_can_be_set, hashing_can_be_given_up,
	  a_wrong_proof_of_the_server_is_refused, steps_out_of_turn_are_refused,
	  a_password_that_is_too_long_is_refused, one_key_alone_is_refused,
	  nothing_is_left_after_release, a_nonce_is_printable_and_new_each_time)
