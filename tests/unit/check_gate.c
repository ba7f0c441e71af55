/* SPDX-License-Identifier: MIT */
/* Who may ask the server: secrets, guesses, hosts, origins, networks. */
#include <config.h>

#include "gate.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct mz_arena arena;
static struct mz_gate *gate;

static void begin(void)
{
	mz_arena_init(&arena);
	gate = mz_alloc(&arena, sizeof(*gate));
	memset(gate, 0, sizeof(*gate));
}

static void end(void)
{
	mz_arena_release(&arena);
}

static size_t add(const char *text, enum mz_right right)
{
	return mz_gate_add(gate, &arena, pgw_view_of(text), right);
}

/* ---- secrets */

START_TEST(without_secrets_everybody_may_migrate)
{
	ck_assert_int_eq(mz_gate_right(gate, NULL), MZ_RIGHT_MIGRATE);
	ck_assert_int_eq(mz_gate_right(gate, "Bearer x"), MZ_RIGHT_MIGRATE);
	ck_assert_uint_eq(add("", MZ_RIGHT_MIGRATE), 0);
	ck_assert_uint_eq(add(" \t\r\n\n  \n", MZ_RIGHT_MIGRATE), 0);
	ck_assert_int_eq(mz_gate_right(gate, NULL), MZ_RIGHT_MIGRATE);
}

END_TEST

START_TEST(each_line_is_a_secret_without_the_blanks_around_it)
{
	static const struct {
		const char *header;
		enum mz_right right;
	} cases[] = {
		{ "Bearer one", MZ_RIGHT_MIGRATE },
		{ "bearer one", MZ_RIGHT_MIGRATE },
		{ "BEARER   one \t", MZ_RIGHT_MIGRATE },
		{ "Bearer two words", MZ_RIGHT_MIGRATE },
		{ "Bearer last", MZ_RIGHT_MIGRATE },
		{ "Bearer look", MZ_RIGHT_READ },
		{ "Bearer both", MZ_RIGHT_MIGRATE },
		{ "Bearer One", MZ_RIGHT_NONE },
		{ "Bearer on", MZ_RIGHT_NONE },
		{ "Bearer one1", MZ_RIGHT_NONE },
		{ "Bearer one\ntwo words", MZ_RIGHT_NONE },
		{ "Bearer two", MZ_RIGHT_NONE },
		{ "Bearer two  words", MZ_RIGHT_NONE },
		{ "Bearer ", MZ_RIGHT_NONE },
		{ "Bearer", MZ_RIGHT_NONE },
		{ "Bearerone", MZ_RIGHT_NONE },
		{ "Bearer\tone", MZ_RIGHT_NONE },
		{ " Bearer one", MZ_RIGHT_NONE },
		{ "Basic one", MZ_RIGHT_NONE },
		{ "one", MZ_RIGHT_NONE },
		{ "", MZ_RIGHT_NONE },
		{ NULL, MZ_RIGHT_NONE },
	};

	ck_assert_uint_eq(add("one\n\n \t two words\t \r\n \nlast",
			      MZ_RIGHT_MIGRATE),
			  3);
	ck_assert_uint_eq(add("both\nlook\n", MZ_RIGHT_READ), 2);
	ck_assert_uint_eq(add("both\n", MZ_RIGHT_MIGRATE), 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(mz_gate_right(gate, cases[i].header) ==
				      cases[i].right,
			      "case %zu", i);
}

END_TEST

START_TEST(a_secret_may_be_as_long_as_one_likes)
{
	static char header[60000 + 8];

	memset(header, 'x', sizeof(header) - 1);
	memcpy(header, "Bearer ", 7);
	add(header + 7, MZ_RIGHT_READ);
	ck_assert_int_eq(mz_gate_right(gate, header), MZ_RIGHT_READ);
	header[sizeof(header) - 2] = 'y';
	ck_assert_int_eq(mz_gate_right(gate, header), MZ_RIGHT_NONE);
}

END_TEST

START_TEST(many_secrets_are_all_tried)
{
	char text[32];

	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "secret-%d\n", i);
		ck_assert_uint_eq(add(text, MZ_RIGHT_MIGRATE), 1);
	}
	ck_assert_int_eq(mz_gate_right(gate, "Bearer secret-0"),
			 MZ_RIGHT_MIGRATE);
	ck_assert_int_eq(mz_gate_right(gate, "Bearer secret-499"),
			 MZ_RIGHT_MIGRATE);
	ck_assert_int_eq(mz_gate_right(gate, "Bearer secret-500"),
			 MZ_RIGHT_NONE);
}

END_TEST

/* ---- guesses */

#define T0 INT64_C(1000000)

static void fail_times(const char *who, int n, int64_t at)
{
	for (int i = 0; i < n; i++)
		mz_gate_failed(gate, who, at);
}

START_TEST(five_failures_are_free_and_then_the_pause_doubles)
{
	static const int64_t pauses[] = { 1000,	 2000,	4000,  8000,  16000,
					  32000, 60000, 60000, 60000, 60000 };
	const char *who = "192.0.2.1";

	for (int i = 0; i < 4; i++) {
		mz_gate_failed(gate, who, T0);
		ck_assert_int_eq(mz_gate_pause(gate, who, T0), 0);
	}
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		mz_gate_failed(gate, who, T0);
		ck_assert_int_eq(mz_gate_pause(gate, who, T0), pauses[i]);
		ck_assert_int_eq(mz_gate_pause(gate, who, T0 + 600),
				 pauses[i] - 600);
		ck_assert_int_eq(mz_gate_pause(gate, who, T0 + pauses[i]), 0);
	}
}

END_TEST

START_TEST(whoever_passed_begins_anew)
{
	fail_times("192.0.2.1", 9, T0);
	mz_gate_passed(gate, "192.0.2.2");
	ck_assert_int_gt(mz_gate_pause(gate, "192.0.2.1", T0), 0);
	mz_gate_passed(gate, "192.0.2.1");
	ck_assert_int_eq(mz_gate_pause(gate, "192.0.2.1", T0), 0);
	fail_times("192.0.2.1", 4, T0);
	ck_assert_int_eq(mz_gate_pause(gate, "192.0.2.1", T0), 0);
}

END_TEST

START_TEST(what_was_long_ago_is_forgotten)
{
	fail_times("192.0.2.1", 12, T0);
	mz_gate_failed(gate, "192.0.2.1", T0 + 599000);
	ck_assert_int_gt(mz_gate_pause(gate, "192.0.2.1", T0 + 599000), 0);
	mz_gate_failed(gate, "192.0.2.1", T0 + 599000 + 600001);
	ck_assert_int_eq(mz_gate_pause(gate, "192.0.2.1", T0 + 599000 + 600001),
			 0);
}

END_TEST

/* Whether a failure of the left one is one of the right one. */
START_TEST(an_address_is_the_same_in_whichever_way_it_is_written)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "::FFFF:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "::ffff:c000:201", true },
		{ "2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", true },
		{ "2001:db8:1:2::1", "2001:DB8:1:2::ffff", true },
		{ "2001:db8::1", "2001:db8:0:0:1::", true },
		{ "2001:0:0:1::5", "2001::1:2:3:4:5", true },
		{ "unix", "unix", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		{ "::ffff:192.0.2.1", "::1", false },
		{ "2001:db8:1:2::1", "2001:db8:1:3::1", false },
		{ "2001:db8::1", "2001:db9::1", false },
		{ "unix", "", false },
		{ "unknown", "hidden", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(gate, 0, sizeof(*gate));
		fail_times(cases[i].a, 5, T0);
		ck_assert_msg((mz_gate_pause(gate, cases[i].b, T0) > 0) ==
				      cases[i].same,
			      "case %zu", i);
	}
}

END_TEST

/* Two addresses in one slot, found by trying. */
static void find_neighbours(char a[32], char b[32])
{
	snprintf(a, 32, "10.0.0.1");
	fail_times(a, 9, T0);
	for (int i = 0; i < 1 << 20; i++) {
		size_t used = 0;

		snprintf(b, 32, "11.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		mz_gate_failed(gate, b, T0);
		for (size_t k = 0; k < MZ_GATE_SLOTS; k++)
			used += gate->slots[k].failures > 0;
		if (used == 1)
			return;
		memset(gate, 0, sizeof(*gate));
		fail_times(a, 9, T0);
	}
	ck_abort_msg("there are no neighbours");
}

START_TEST(a_neighbour_takes_a_slot_over_when_it_is_old_only)
{
	char a[32], b[32];

	find_neighbours(a, b);
	ck_assert_int_gt(mz_gate_pause(gate, a, T0), 0);
	ck_assert_int_eq(mz_gate_pause(gate, b, T0), 0);
	mz_gate_passed(gate, b);
	ck_assert_int_gt(mz_gate_pause(gate, a, T0), 0);
	fail_times(b, 5, T0 + 700000);
	ck_assert_int_gt(mz_gate_pause(gate, b, T0 + 700000), 0);
	ck_assert_int_eq(mz_gate_pause(gate, a, T0 + 700000), 0);
}

END_TEST

START_TEST(thousands_who_guess_are_no_trouble)
{
	char who[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(who, sizeof(who), "10.%d.%d.1", i / 256, i % 256);
		fail_times(who, 6, T0);
		mz_gate_passed(gate, who);
	}
	ck_assert_int_eq(mz_gate_pause(gate, "192.0.2.77", T0), 0);
}

END_TEST

/* ---- hosts and origins */

START_TEST(a_host_is_this_machine_or_one_that_is_allowed)
{
	static const char *const allowed[] = { "db.example.org", "Other" };

	static const struct {
		const char *host;
		bool own, more;
	} cases[] = {
		{ "localhost", true, true },
		{ "LocalHost:8080", true, true },
		{ "127.0.0.1", true, true },
		{ "127.0.0.1:1", true, true },
		{ "[::1]", true, true },
		{ "[::1]:8080", true, true },
		{ "db.example.org", false, true },
		{ "DB.EXAMPLE.ORG:443", false, true },
		{ "other", false, true },
		{ "example.org", false, false },
		{ "db.example.org.evil.example", false, false },
		{ "localhost.evil.example", false, false },
		{ "127.0.0.1.nip.io", false, false },
		{ "127.0.0.2", false, false },
		{ "::1", false, false },
		{ "[::2]", false, false },
		{ "[::1", false, false },
		{ "[::1]x", false, false },
		{ "[::1]:x", false, false },
		{ "localhost:80x", false, false },
		{ "localhost:80:80", false, false },
		{ ":8080", false, false },
		{ "", false, false },
		{ NULL, false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gate->nhosts = 0;
		gate->any_host = false;
		ck_assert_msg(mz_gate_host(gate, cases[i].host) == cases[i].own,
			      "case %zu", i);
		gate->hosts = allowed;
		gate->nhosts = 2;
		ck_assert_msg(mz_gate_host(gate, cases[i].host) ==
				      cases[i].more,
			      "case %zu, more", i);
		gate->any_host = true;
		ck_assert(mz_gate_host(gate, cases[i].host));
	}
}

END_TEST

START_TEST(a_page_of_another_origin_is_told_from_ours)
{
	static const struct {
		const char *host, *origin, *site;
		bool ours;
	} cases[] = {
		{ "h", NULL, NULL, true }, /* what is no browser */
		{ NULL, NULL, NULL, true },
		{ "h", NULL, "same-origin", true },
		{ "h", NULL, "none", true },
		{ "h", NULL, "same-site", false },
		{ "h", NULL, "cross-site", false },
		{ "h", NULL, "", false },
		{ "h", "http://h", "cross-site", false },
		{ "h:8080", "http://h:8080", NULL, true },
		{ "h:8080", "https://H:8080", NULL, true },
		{ "h:8080", "http://h", NULL, false },
		{ "h:8080", "http://h:80", NULL, false },
		{ "h", "http://h.evil.example", NULL, false },
		{ "h", "http://evil.example", NULL, false },
		{ "h", "http://h/", NULL, false },
		{ "h", "null", NULL, false },
		{ "h", "h", NULL, false },
		{ "h", "", NULL, false },
		{ NULL, "http://h", NULL, false },
		{ "", "http://", NULL, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(mz_gate_origin(cases[i].host, cases[i].origin,
					     cases[i].site) == cases[i].ours,
			      "case %zu", i);
}

END_TEST

/* ---- networks */

START_TEST(an_address_is_within_a_network)
{
	static const struct {
		const char *network, *address;
		bool within;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.1.2", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "10.0.0.0/8", "::ffff:10.1.2.3", true },
		{ "10.1.2.3", "10.1.2.3", true },
		{ "10.1.2.3", "10.1.2.4", false },
		{ "10.1.2.3/32", "10.1.2.3", true },
		{ "10.1.2.3/31", "10.1.2.2", true },
		{ "10.1.2.3/31", "10.1.2.4", false },
		{ "192.168.128.0/17", "192.168.255.1", true },
		{ "192.168.128.0/17", "192.168.127.1", false },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::1", "::1", true },
		{ "::1", "0:0:0:0:0:0:0:1", true },
		{ "::1", "::2", false },
		{ "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "2001:DB8::/32", "2001:db8::", true },
		{ "2001:db8::/32", "2001:db9::1", false },
		{ "fe80::/10", "febf::1", true },
		{ "fe80::/10", "fec0::1", false },
		{ "::ffff:0:0/96", "198.51.100.1", true },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", true },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", true },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(mz_gate_within(cases[i].network,
					     cases[i].address) ==
				      cases[i].within,
			      "case %zu", i);
}

END_TEST

START_TEST(what_is_no_network_or_address_is_within_nothing)
{
	static const char *const bad[] = {
		"",
		"x",
		"10",
		"10.0.0",
		"10.0.0.0.0",
		"10.0.0.256",
		"10.0.0.",
		".10.0.0",
		"10..0.0",
		"10.0.0.0 ",
		" 10.0.0.0",
		"1000.0.0.0",
		":",
		":::",
		"1:2",
		"1::2::3",
		"12345::",
		"::g",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7:8::",
		"::1:",
		":1::",
		"::1%lo",
		"[::1]",
		"\x11::",
		"::ffff:10.0.0",
		"::ffff:10.0.0.1.2",
	};
	static const char *const bits[] = {
		"10.0.0.0/",   "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/-1",
		"10.0.0.0/8/", "10.0.0.0/8 ", "/8",	    "::/129",
		"::/1000",     "::/",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(!mz_gate_within(bad[i], bad[i]), "case %zu", i);
		ck_assert_msg(!mz_gate_within("::/0", bad[i]), "address %zu",
			      i);
		ck_assert_msg(!mz_gate_within(bad[i], "10.0.0.0"),
			      "network %zu", i);
	}
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		ck_assert_msg(!mz_gate_within(bits[i], "10.0.0.0") &&
				      !mz_gate_within(bits[i], "::"),
			      "bits %zu", i);
}

END_TEST

START_TEST(one_of_several_networks_or_the_socket)
{
	static const char *const list[] = { "unix", "10.0.0.0/8", "bad/8" };

	ck_assert(mz_gate_is_one(list, 3, "unix"));
	ck_assert(mz_gate_is_one(list, 3, "10.9.9.9"));
	ck_assert(!mz_gate_is_one(list, 3, "192.0.2.1"));
	ck_assert(!mz_gate_is_one(list, 3, ""));
	ck_assert(!mz_gate_is_one(list, 0, "unix"));
	ck_assert(!mz_gate_is_one(list + 1, 2, "unix"));
}

END_TEST

START_TEST(a_part_of_a_list_has_no_blanks_around_it)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "::1", "::1" },
		{ "  a\t", "a" },
		{ "", "" },
		{ " \t ", "" },
		{ "1234567", "1234567" },
		{ "12345678", "" },
		{ "  1234567  ", "1234567" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[8];

		mz_gate_trim(out, sizeof(out), cases[i].in,
			     strlen(cases[i].in));
		ck_assert_str_eq(out, cases[i].out);
	}
}

END_TEST

UNIT_MAIN_WITH("gate", begin, end, without_secrets_everybody_may_migrate,
	       each_line_is_a_secret_without_the_blanks_around_it,
	       a_secret_may_be_as_long_as_one_likes, many_secrets_are_all_tried,
	       five_failures_are_free_and_then_the_pause_doubles,
	       whoever_passed_begins_anew, what_was_long_ago_is_forgotten,
	       an_address_is_the_same_in_whichever_way_it_is_written,
	       a_neighbour_takes_a_slot_over_when_it_is_old_only,
	       thousands_who_guess_are_no_trouble,
	       a_host_is_this_machine_or_one_that_is_allowed,
	       a_page_of_another_origin_is_told_from_ours,
	       an_address_is_within_a_network,
	       what_is_no_network_or_address_is_within_nothing,
	       one_of_several_networks_or_the_socket,
	       a_part_of_a_list_has_no_blanks_around_it)
