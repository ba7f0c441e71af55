/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "saslprep.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define RAW NULL /* comes out as it went in */

static const struct {
	const char *in, *out;
} cases[] = {
	/* RFC 4013, section 3 */
	{ "I\xc2\xadX", "IX" },
	{ "user", RAW },
	{ "USER", RAW },
	{ "\xc2\xaa", "a" },
	{ "\xe2\x85\xa8", "IX" },
	{ "\x07", RAW },	 /* the RFC refuses it */
	{ "\xd8\xa7\x31", RAW }, /* directions do not agree */
	{ "", RAW },
	/* spaces, U+200B among them */
	{ "a\xc2\xa0z", "a z" },
	{ "\xe2\x80\x8b", " " },
	{ "\xe1\x9a\x80", " " },
	{ "a  b ", RAW },
	/* nothing left */
	{ "\xc2\xad", RAW },
	{ "\xc2\xad\xe2\x80\x8d", RAW },
	{ "x\xef\xb8\x8f", "x" },
	/* prohibited: a control character is so only beside other letters */
	{ "\xc3\xa9\x07", RAW },
	{ "e\xcc\x81\x07", RAW },
	{ "e\xcc\x81\x7f", RAW },
	{ "e\xcc\x81\xee\x80\x80", RAW },
	{ "e\xcc\x81\xef\xbf\xbe", RAW },
	{ "e\xcc\x81\xe2\x80\xa8", RAW },
	{ "e\xcc\x81\xcd\x80", RAW }, /* U+0340, though NFKC would map it */
	/* not in Unicode 3.2 */
	{ "e\xcc\x81\xf0\x9f\x98\x80", RAW },
	{ "\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4" },
	/* directions */
	{ "\xd7\x90\xd7\x91", RAW },
	{ "\xef\xac\xa1", "\xd7\x90" }, /* wide alef */
	{ "\xef\xac\xa1\x31", RAW },
	{ "\x31\xef\xac\xa1", RAW },
	{ "\xef\xac\xa1\x31\xef\xac\xa1", "\xd7\x90\x31\xd7\x90" },
	{ "\xef\xac\xa1"
	  "a\xef\xac\xa1",
	  RAW },
	{ "\xef\xac\xa1\xcd\x8f", "\xd7\x90" }, /* ends at what is left */
	/* normalisation */
	{ "pe\xcc\x81", "p\xc3\xa9" },
	{ "q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87" },
	{ "\xef\xac\x81", "fi" },
	{ "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", "\xea\xb0\x81" },
	{ "\xf0\xaf\xa1\xa8", "\xe3\x9b\xbc" }, /* as corrected later */
	{ "\xef\xb7\xba", "\xd8\xb5\xd9\x84\xd9\x89 \xd8\xa7\xd9\x84\xd9\x84"
			  "\xd9\x87 \xd8\xb9\xd9\x84\xd9\x8a\xd9\x87 "
			  "\xd9\x88\xd8\xb3\xd9\x84\xd9\x85" },
	/* not UTF-8 */
	{ "e\xcc\x81\xff", RAW },
	{ "\xc3", RAW },
	{ "e\xcc\x81\xed\xa0\x80", RAW },
	{ "e\xcc\x81\xc0\x80", RAW },
	{ "e\xcc\x81\xf4\x90\x80\x80", RAW },
};

START_TEST(passwords_are_prepared_as_postgresql_does)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *want = cases[i].out ? cases[i].out : cases[i].in;
		struct pgw_buf out;

		pgw_buf_init(&out, 1000);
		pgw_saslprep(&out, pgw_view_of(cases[i].in));
		ck_assert(!out.failed);
		ck_assert_msg(pgw_view_is(pgw_buf_view(&out), want), "case %zu",
			      i);
		pgw_buf_release(&out);
	}
}

END_TEST

static bool prepared_length(const char *unit, size_t count, size_t max,
			    size_t *len)
{
	size_t n = strlen(unit);
	unsigned char *password = malloc(n * count);
	struct pgw_buf out;
	bool ok;

	ck_assert_ptr_nonnull(password);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < n; k++)
			password[i * n + k] = (unsigned char)unit[k];
	pgw_buf_init(&out, max);
	pgw_saslprep(&out, (struct pgw_view){ password, n * count });
	*len = out.len;
	ok = !out.failed;
	pgw_buf_release(&out);
	free(password);
	return ok;
}

START_TEST(a_password_may_be_long_but_not_too_long)
{
	size_t len;

	ck_assert(prepared_length("x", PGW_PASSWORD_MAX, 1 << 20, &len));
	ck_assert_uint_eq(len, PGW_PASSWORD_MAX);
	ck_assert(!prepared_length("x", PGW_PASSWORD_MAX + 1, 1 << 20, &len));
	ck_assert(prepared_length("\xef\xb7\xba", 21845, 1 << 20, &len));
	ck_assert_uint_eq(len, (size_t)21845 * 33);
	ck_assert(!prepared_length("\xef\xb7\xba", 21845,
				   (size_t)21845 * 33 - 1, &len));
}

END_TEST

UNIT_MAIN("saslprep", passwords_are_prepared_as_postgresql_does,
	  a_password_may_be_long_but_not_too_long)
