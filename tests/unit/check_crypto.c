/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "crypto.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static void hex(const unsigned char *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

START_TEST(sha256_gives_the_values_of_fips_180)
{
	static const struct {
		const char *text, *digest;
	} cases[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
		      "7852b855" },
		{ "abc",
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff"
		  "61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db"
		  "06c1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t cut = 0; cut <= strlen(cases[i].text); cut++) {
			unsigned char digest[PGW_SHA256_LEN];
			char text[2 * PGW_SHA256_LEN + 1];
			struct pgw_sha256 h;

			pgw_sha256_init(&h);
			pgw_sha256_update(&h, cases[i].text, cut);
			pgw_sha256_update(&h, cases[i].text + cut,
					  strlen(cases[i].text) - cut);
			pgw_sha256_final(&h, digest);
			hex(digest, sizeof(digest), text);
			ck_assert_str_eq(text, cases[i].digest);
		}
	}
}

END_TEST

START_TEST(hmac_gives_the_values_of_rfc_4231)
{
	static const struct {
		unsigned char key;
		size_t n;
		const char *data, *mac;
	} cases[] = {
		{ 0x0b, 20, "Hi There",
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32"
		  "cff7" },
		{ 0xaa, 131,
		  "Test Using Larger Than Block-Size Key - Hash Key First",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee3"
		  "7f54" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char key[200], mac[PGW_SHA256_LEN];
		char text[2 * PGW_SHA256_LEN + 1];
		struct pgw_hmac h;

		memset(key, cases[i].key, sizeof(key));
		pgw_hmac_init(&h, (struct pgw_view){ key, cases[i].n });
		for (int again = 0; again < 2; again++) {
			pgw_hmac(&h, pgw_view_of(cases[i].data), mac);
			hex(mac, sizeof(mac), text);
			ck_assert_str_eq(text, cases[i].mac);
		}
	}
}

END_TEST

START_TEST(an_empty_key_has_a_mac_too)
{
	unsigned char mac[PGW_SHA256_LEN];
	char text[2 * PGW_SHA256_LEN + 1];
	struct pgw_hmac h;

	pgw_hmac_init(&h, (struct pgw_view){ NULL, 0 });
	pgw_hmac(&h, (struct pgw_view){ NULL, 0 }, mac);
	hex(mac, sizeof(mac), text);
	ck_assert_str_eq(text,
			 "b613679a0814d9ec772f95d778c35fc5ff1697c493715653"
			 "c6c712144292c5ad");
}

END_TEST

START_TEST(an_md5_password_is_hashed_twice)
{
	static const unsigned char salt[4] = { 1, 2, 0, 0xff };
	char out[PGW_MD5_PASSWORD];
	struct pgw_err err;

	ck_assert(pgw_md5_password("secret", "app", salt, out, &err));
	ck_assert_str_eq(out, "md5d14beac6dea8212668591f09b25a60ca");
	ck_assert(pgw_md5_password("", "", salt, out, &err));
	ck_assert_str_eq(out, "md55c93170daa5c38e186f0e31dcec64a65");
}

END_TEST

START_TEST(random_bytes_differ)
{
	unsigned char a[5000] = { 0 }, b[5000] = { 0 };
	size_t zeros = 0;
	struct pgw_err err;

	ck_assert(pgw_random(a, sizeof(a), &err));
	ck_assert(pgw_random(b, sizeof(b), &err));
	ck_assert(!pgw_same(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++)
		zeros += a[i] == 0;
	ck_assert_uint_lt(zeros, 200); /* 20 are to be expected */
	ck_assert(pgw_random(a, 0, &err));
}

END_TEST

START_TEST(same_is_about_every_byte)
{
	ck_assert(pgw_same("abc", "abc", 3));
	ck_assert(pgw_same("abc", "abd", 2));
	ck_assert(pgw_same("abc", "xyz", 0));
	ck_assert(!pgw_same("abc", "abd", 3));
	ck_assert(!pgw_same("xbc", "abc", 3));
}

END_TEST

START_TEST(wiped_bytes_are_zero)
{
	unsigned char bytes[3] = { 1, 2, 3 };

	pgw_wipe(bytes, 2);
	ck_assert_mem_eq(bytes, "\0\0\3", 3);
	pgw_wipe(NULL, 0);
}

END_TEST

UNIT_MAIN("crypto", sha256_gives_the_values_of_fips_180,
	  hmac_gives_the_values_of_rfc_4231, an_empty_key_has_a_mac_too,
	  an_md5_password_is_hashed_twice, random_bytes_differ,
	  same_is_about_every_byte, wiped_bytes_are_zero)
