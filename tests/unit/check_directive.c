/* SPDX-License-Identifier: MIT */
/* "-- mizzle: ..." at the head of a file. */
#include <config.h>

#include "directive.h"
#include "unit.h"

#include <stdio.h>

#define ASKS "-- mizzle: "

/* As the file would have to say it, in one line. */
static void describe(const struct mz_directives *d, char out[200])
{
	snprintf(out, 200, "%s%s%lld%s%lld?%.*s",
		 d->no_transaction ? "none " : "",
		 d->has_lock_timeout ? "lock=" : "-",
		 (long long)d->lock_timeout_ms,
		 d->has_statement_timeout ? " statement=" : " -",
		 (long long)d->statement_timeout_ms, (int)d->unknown.n,
		 d->unknown.p ? (const char *)d->unknown.p : "");
}

START_TEST(the_head_of_a_file_is_read)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		/* clang-format off */
		{ "", "-0 -0?" },
		{ "select 1", "-0 -0?" },
		{ ASKS "no-transaction", "none -0 -0?" },
		{ "--mizzle:no-transaction\r\nselect 1", "none -0 -0?" },
		{ "--\tmizzle:\tno-transaction \r\n", "none -0 -0?" },
		{ "\n\n  -- a word\n\n" ASKS "no-transaction\nvacuum", "none -0 -0?" },
		{ "-- Custom SQL migration file, put your code below! --\n" ASKS "lock-timeout=5s\n", "lock=5000 -0?" },
		{ ASKS "lock-timeout = 500ms, statement-timeout=1h", "lock=500 statement=3600000?" },
		{ ASKS "lock-timeout=2\n" ASKS "statement-timeout=0", "lock=2000 statement=0?" },
		{ ASKS "lock-timeout=0,no-transaction", "none lock=0 -0?" },
		/* behind the first statement it is only a comment */
		{ "select 1;\n" ASKS "no-transaction", "-0 -0?" },
		{ "/* x */\n" ASKS "no-transaction", "-0 -0?" },
		{ "-- see mizzle: no-transaction", "-0 -0?" },
		{ "-- Mizzle: no-transaction", "-0 -0?" },
		/* what is not known */
		{ ASKS "no-transactions", "-0 -0?no-transactions" },
		{ ASKS "no transaction", "-0 -0?no transaction" },
		{ ASKS "No-Transaction", "-0 -0?No-Transaction" },
		{ ASKS, "-0 -0?" },
		{ ASKS "lock-timeout", "-0 -0?lock-timeout" },
		{ ASKS "lock-timeout=", "-0 -0?lock-timeout=" },
		{ ASKS "lock-timeout=soon", "-0 -0?lock-timeout=soon" },
		{ ASKS "lock-timeout=99999999999999999999999999999999999s", "-0 -0?lock-timeout=99999999999999999999999999999999999s" },
		{ ASKS "a, b\n" ASKS "c", "-0 -0?a" },
		{ ASKS "no-transaction, x, lock-timeout=1s", "none lock=1000 -0?x" },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mz_directives d;
		char got[200];

		mz_directives_read(&d, pgw_view_of(cases[i].text));
		describe(&d, got);
		ck_assert_msg(strcmp(got, cases[i].want) == 0, "%s: %s, not %s",
			      cases[i].text, got, cases[i].want);
	}
}

END_TEST

START_TEST(asking_for_nothing_is_not_known)
{
	struct mz_directives d;

	mz_directives_read(&d, pgw_view_of(ASKS "\n"));
	ck_assert_ptr_nonnull(d.unknown.p);
	mz_directives_read(&d, pgw_view_of(ASKS "no-transaction,"));
	ck_assert_ptr_nonnull(d.unknown.p);
}

END_TEST

UNIT_MAIN("directive", the_head_of_a_file_is_read,
	  asking_for_nothing_is_not_known)
