/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of a login is made to fail in turn.  Linked with
 * --wrap=malloc, so that only our own allocations are counted.
 */
#include <config.h>

#include "saslprep.h"
#include "scram.h"
#include "unit.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define CHALLENGE "r=" NONCE "more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2"

static int countdown = -1;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

void *__wrap_malloc(size_t n)
{
	if (countdown == 0)
		return NULL;
	if (countdown > 0)
		countdown--;
	return __real_malloc(n);
}

/* True when it ran to its end: the signature is not the server's. */
static bool whole_exchange(struct pgw_err *err)
{
	const struct pgw_scram_params params = {
		.password = pgw_view_of("pe\xcc\x81ncil"),
		.nonce = NONCE,
		.gs2 = "n,,",
	};
	struct pgw_scram s;
	struct pgw_buf out;
	bool ok;

	pgw_buf_init(&out, 1000);
	pgw_scram_init(&s, &params);
	ok = pgw_scram_first(&s, &out, err) &&
	     pgw_scram_final(&s, pgw_view_of(CHALLENGE), &out, err) &&
	     (pgw_scram_verify(
		      &s,
		      pgw_view_of(
			      "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
		      err) ||
	      err->code == PGW_E_AUTH);
	pgw_scram_release(&s);
	pgw_buf_release(&out);
	return ok;
}

START_TEST(each_allocation_of_a_login_may_fail)
{
	struct pgw_err err = { 0 };
	int n;

	for (n = 0; n < 100; n++) {
		bool ok;

		countdown = n;
		ok = whole_exchange(&err);
		countdown = -1; /* Check allocates too */
		if (ok)
			break;
		ck_assert_int_eq(err.code, PGW_E_NOMEM);
	}
	ck_assert_int_gt(n, 8);
	ck_assert_int_lt(n, 100);
}

END_TEST

START_TEST(a_password_is_never_half_prepared)
{
	int n;

	for (n = 0; n < 20; n++) {
		struct pgw_buf out;
		bool ok;

		pgw_buf_init(&out, 1000);
		countdown = n;
		pgw_saslprep(&out, pgw_view_of("pe\xcc\x81"));
		countdown = -1;
		ok = !out.failed;
		if (ok)
			ck_assert(pgw_view_is(pgw_buf_view(&out), "p\xc3\xa9"));
		pgw_buf_release(&out);
		if (ok)
			break;
	}
	ck_assert_int_eq(n, 3);
}

END_TEST

START_TEST(each_allocation_of_a_nonce_may_fail)
{
	char nonce[PGW_SCRAM_NONCE_SIZE];
	struct pgw_err err = { 0 };
	bool ok;

	countdown = 0;
	ok = pgw_scram_nonce(nonce, &err);
	countdown = -1;
	ck_assert(!ok);
	ck_assert_int_eq(err.code, PGW_E_NOMEM);
}

END_TEST

UNIT_MAIN("scram_oom", each_allocation_of_a_login_may_fail,
	  a_password_is_never_half_prepared,
	  each_allocation_of_a_nonce_may_fail)
