/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "resolve.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct pgw_addrs addrs;
static struct pgw_err err;

static bool resolve(const char *host)
{
	const struct pgw_sock limits = { -1, -1, pgw_clock_ms() + 10000 };

	return pgw_resolve(&addrs, host, 5432, &limits, &err);
}

static void expect(size_t i, const char *want)
{
	char text[PGW_ADDR_TEXT];

	ck_assert_uint_lt(i, addrs.n);
	pgw_addr_text(&addrs.a[i], text, sizeof(text));
	ck_assert_str_eq(text, want);
}

START_TEST(numeric_addresses_are_taken_as_they_are)
{
	static const struct {
		const char *host, *text;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1:5432" },
		{ "255.255.255.255", "255.255.255.255:5432" },
		{ "::1", "[::1]:5432" },
		{ "::", "[::]:5432" },
		{ "2001:DB8:0:0::1", "[2001:db8::1]:5432" },
		{ "::ffff:10.0.0.1", "[::ffff:10.0.0.1]:5432" },
		{ "fe80::1%lo", "[fe80::1%lo]:5432" },
		{ "fe80::1%1", "[fe80::1%lo]:5432" },
		{ "fe80::1%4294967295", "[fe80::1%4294967295]:5432" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_addr a;
		char text[PGW_ADDR_TEXT];

		ck_assert_msg(resolve(cases[i].host), "%s", cases[i].host);
		ck_assert_uint_eq(addrs.n, 1);
		expect(0, cases[i].text);
		ck_assert(pgw_addr_numeric(&a, cases[i].host, 5432));
		pgw_addr_text(&a, text, sizeof(text));
		ck_assert_str_eq(text, cases[i].text);
	}
}

END_TEST

START_TEST(localhost_needs_no_file_and_no_server)
{
	static const char *const names[] = { "localhost", "LocalHost",
					     "localhost.", "db.localhost",
					     "a.b.LOCALHOST." };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_msg(resolve(names[i]), "%s", names[i]);
		ck_assert_uint_eq(addrs.n, 2);
		expect(0, "127.0.0.1:5432");
		expect(1, "[::1]:5432");
	}
}

END_TEST

#define FORTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG FORTY "." FORTY "." FORTY "." FORTY "." FORTY "." FORTY

START_TEST(what_can_be_no_name_is_explained_at_once)
{
	static const struct {
		const char *host, *part;
	} cases[] = {
		{ "", "is empty" },
		{ "127.1", "127.1 is not an address" },
		{ "2130706433", "is not an address" },
		{ "0x7f000001", "is not an address" },
		{ "0x7f.0.0.1", "is not an address" },
		{ "10.0.0.0x1", "is not an address" },
		{ "0x", "is not an address" },
		{ "127.0.0.256", "is not an address" },
		{ "127.0.0.1.", "is not an address" },
		{ "127.000.000.001", "is not an address" },
		{ "1.2.3.4.5", "is not an address" },
		{ "::zz", "is neither a name nor an IPv6 address" },
		{ "fe80::1%nosuchinterface", "neither a name nor an IPv6" },
		{ "fe80::1%0", "neither a name nor an IPv6" },
		{ "fe80::1%", "neither a name nor an IPv6" },
		{ "fe80::1%4294967297", "neither a name nor an IPv6" },
		{ "localhost:5432", "neither a name nor an IPv6" },
		{ "[::1]", "neither a name nor an IPv6" },
		{ "a..b", "empty part" },
		{ ".", "empty part" },
		{ ".localhost", "empty part" },
		{ "a b", "no host name has" },
		{ "host\n", "no host name has" },
		{ "m\xc3\xbcnchen.example", "no host name has" },
		{ "127.0.0.1%lo", "no host name has" },
		{ FORTY FORTY ".example", "longer than 63" },
		{ LONG "." FORTY, "longer than 253" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_msg(!resolve(cases[i].host), "%s", cases[i].host);
		ck_assert_int_eq(err.code, PGW_E_CONFIG);
		ck_assert_msg(strstr(err.msg, cases[i].part), "%s: %s",
			      cases[i].host, err.msg);
	}
}

END_TEST

START_TEST(a_piece_of_a_password_is_not_shown)
{
	ck_assert(!resolve("ecret@db.example"));
	ck_assert_ptr_null(strstr(err.msg, "ecret"));
	ck_assert_ptr_null(strstr(err.hint, "ecret"));
	ck_assert_ptr_nonnull(strstr(err.hint, "%40"));
}

END_TEST

START_TEST(a_name_that_nobody_knows_fails_before_the_deadline)
{
	int64_t start = pgw_clock_ms();

	ck_assert(!resolve("nobody.invalid"));
	ck_assert_msg(err.code == PGW_E_RESOLVE || err.code == PGW_E_TIMEOUT,
		      "%s", err.msg);
	ck_assert_ptr_nonnull(strstr(err.msg, "nobody.invalid"));
	ck_assert_int_lt(pgw_clock_ms() - start, 30000);
}

END_TEST

/* The first name of a line of /etc/hosts that is not about localhost. */
static bool own_name(char ip[64], char name[64])
{
	FILE *f = fopen("/etc/hosts", "r");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%63[0-9.] %63s", ip, name) == 2 &&
			!strstr(name, "localhost");
	if (f)
		fclose(f);
	return found;
}

START_TEST(names_of_the_hosts_file_are_found)
{
	char ip[64], name[64], want[80];

	if (!own_name(ip, name)) {
		printf("skipped: no other name than localhost in /etc/hosts\n");
		return;
	}
	ck_assert_msg(resolve(name), "%s", err.msg);
	snprintf(want, sizeof(want), "%s:5432", ip);
	expect(0, want);
}

END_TEST

UNIT_MAIN("resolve", numeric_addresses_are_taken_as_they_are,
	  localhost_needs_no_file_and_no_server,
	  what_can_be_no_name_is_explained_at_once,
	  a_piece_of_a_password_is_not_shown,
	  a_name_that_nobody_knows_fails_before_the_deadline,
	  names_of_the_hosts_file_are_found)
