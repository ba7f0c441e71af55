/* SPDX-License-Identifier: MIT */
/* Files of certificates as they are found, and as nobody should write them. */
#include <config.h>

#include "authority.h"
#include "tls_der.h"
#include "tls_pem.h"
#include "unit.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

static struct authority root;
static unsigned char *der; /* of it */
static size_t der_size;
static char *base64; /* of that, in one line */

static void set_up(void)
{
	int n;

	root = make_root("Root");
	n = i2d_X509(root.cert, &der);
	ck_assert_int_gt(n, 0);
	der_size = (size_t)n;
	base64 = malloc(2 * der_size);
	EVP_EncodeBlock((unsigned char *)base64, der, n);
}

static void tear_down(void)
{
	drop(&root);
	OPENSSL_free(der);
	free(base64);
}

/* In memory of just that size, so that an overrun is seen. */
static struct pgw_pem decode(const void *text, size_t n, struct pgw_buf *out)
{
	struct pgw_pem found;

	pgw_buf_init(out, n ? n : 1);
	pgw_buf_put(out, text, n);
	ck_assert(!out->failed);
	pgw_pem_decode(out, PGW_PEM_CERTIFICATE, &found);
	return found;
}

/* In text, @ stands for the base64 of root, and % for its first half. */
static struct pgw_buf expand(const char *text)
{
	struct pgw_buf out;

	pgw_buf_init(&out, 1 << 20);
	for (; *text; text++) {
		if (*text == '@')
			pgw_buf_put(&out, base64, strlen(base64));
		else if (*text == '%')
			pgw_buf_put(&out, base64, strlen(base64) / 8 * 4);
		else if (*text == '#') /* in lines of 10 */
			for (size_t i = 0; i < strlen(base64); i += 10) {
				pgw_buf_put_text(&out, i == 0 ? "" : " \r\n\t");
				pgw_buf_put(&out, base64 + i,
					    strnlen(base64 + i, 10));
			}
		else
			pgw_buf_put_u8(&out, (uint8_t)*text);
	}
	return out;
}

START_TEST(certificates_are_found_among_all_sorts_of_text)
{
	static const struct {
		const char *text;
		size_t count, bad;
	} cases[] = {
		{ "", 0, 0 },
		{ "\n", 0, 0 },
		{ "-----BEGIN ", 0, 0 },
		{ BEGIN, 0, 1 },
		{ BEGIN "\n" END, 0, 1 },
		{ BEGIN "\n@\n" END "\n", 1, 0 },
		{ BEGIN "\n@\n" END, 1, 0 },
		{ BEGIN "@" END, 1, 0 },
		{ BEGIN "\r\n#\r\n" END "\r\n", 1, 0 },
		{ BEGIN "\r@\r" END "\r", 1, 0 },
		{ "\xef\xbb\xbf" BEGIN "\n@\n" END, 1, 0 },
		{ "  " BEGIN "\n  #\n  " END, 1, 0 },
		{ "# Root - of -----all\n" BEGIN "\n@\n" END "\nend", 1, 0 },
		{ BEGIN "\n@\n" END BEGIN "\n@\n" END, 2, 0 },

		/* other things beside it */
		{ "-----BEGIN PRIVATE KEY-----\n@\n-----END PRIVATE KEY-----\n",
		  0, 0 },
		{ "-----BEGIN X509 CRL-----\n@\n-----END X509 CRL-----\n" BEGIN
		  "@" END,
		  1, 0 },
		{ "-----BEGIN TRUSTED CERTIFICATE-----\n@\n"
		  "-----END TRUSTED CERTIFICATE-----\n",
		  0, 0 },
		{ "-----BEGIN CERTIFICATES-----\n@\n" END, 0, 0 },

		/* damaged: the rest can be read all the same */
		{ BEGIN "\n@", 0, 1 },
		{ BEGIN "\n%", 0, 1 },
		{ BEGIN "\n%\n" END, 0, 1 },
		{ BEGIN "\n%%\n" END, 0, 1 },
		{ BEGIN "\n@\n-----END", 0, 1 },
		{ BEGIN "\n@\n-----END X509 CRL-----", 0, 1 },
		{ BEGIN "\n%" BEGIN "\n@\n" END, 1, 1 },
		{ BEGIN "\n@\n" END BEGIN "\n%\n" END BEGIN "@" END, 2, 2 },
		{ BEGIN "\n=@\n" END, 0, 1 },
		{ BEGIN "\n@=\n" END, 0, 1 },
		{ BEGIN "\n@====\n" END, 0, 1 },
		{ BEGIN "\n@AAAA\n" END, 0, 1 },
		{ BEGIN "\n@A\n" END, 0, 1 },
		{ BEGIN "\n%\x01@\n" END, 0, 1 },
		{ BEGIN "\n%\xff\n" END, 0, 1 },
		{ BEGIN "\nProc-Type: 4,ENCRYPTED\n\n@\n" END, 0, 1 },
		{ BEGIN "\n====\n" END, 0, 1 },
		{ BEGIN "\nMAA=\n" END, 0, 1 },
		{ BEGIN "\nMIQAAAAA\n" END, 0, 1 },
		{ BEGIN "\nMIAAAA==\n" END, 0, 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_buf text = expand(cases[i].text), out;
		struct pgw_pem found = decode(text.data, text.len, &out);

		ck_assert_msg(found.count == cases[i].count &&
				      found.bad == cases[i].bad,
			      "case %zu: %zu %zu", i, found.count, found.bad);
		ck_assert_uint_eq(out.len, found.count * der_size);
		for (size_t k = 0; k < found.count; k++)
			ck_assert_mem_eq(out.data + k * der_size, der,
					 der_size);
		pgw_buf_release(&text);
		pgw_buf_release(&out);
	}
}

END_TEST

START_TEST(a_nul_ends_nothing)
{
	struct pgw_buf text = expand(BEGIN "\n@\n" END "~" BEGIN "@~" END);
	struct pgw_buf out;
	struct pgw_pem found;

	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '~')
			text.data[i] = '\0';
	found = decode(text.data, text.len, &out);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_uint_eq(found.bad, 2);
	pgw_buf_release(&text);
	pgw_buf_release(&out);
}

END_TEST

START_TEST(each_cut_of_a_file_is_noticed)
{
	struct pgw_buf text = expand(BEGIN "\n@\n" END);

	for (size_t n = strlen(BEGIN); n < text.len; n++) {
		struct pgw_buf out;
		struct pgw_pem found = decode(text.data, n, &out);

		ck_assert_uint_eq(found.count, 0);
		ck_assert_uint_eq(found.bad, 1);
		ck_assert_uint_eq(out.len, 0);
		pgw_buf_release(&out);
	}
	pgw_buf_release(&text);
}

END_TEST

START_TEST(a_certificate_may_be_der)
{
	struct pgw_buf out, two;

	ck_assert_uint_eq(decode(der, der_size, &out).count, 1);
	ck_assert_mem_eq(out.data, der, der_size);
	pgw_buf_release(&out);
	for (size_t n = 0; n < der_size; n++) {
		ck_assert_uint_eq(decode(der, n, &out).count, 0);
		pgw_buf_release(&out);
	}
	pgw_buf_init(&two, 1 << 20);
	pgw_buf_put(&two, der, der_size);
	pgw_buf_put_u8(&two, 0);
	ck_assert_uint_eq(decode(two.data, two.len, &out).count, 0);
	pgw_buf_release(&two);
	pgw_buf_release(&out);
}

END_TEST

/* ---- names */

static uint32_t print_of(const X509_NAME *name)
{
	struct pgw_view all;
	struct pgw_cur c;
	uint32_t print;

	ck_assert_int_eq(X509_NAME_get0_der(name, &all.p, &all.n), 1);
	c = pgw_cur_of(all);
	ck_assert(
		pgw_der_name_print(pgw_der_take(&c, PGW_DER_SEQUENCE), &print));
	ck_assert(pgw_cur_done(&c));
	return print;
}

static const int kinds[] = { V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING,
			     V_ASN1_T61STRING,	V_ASN1_IA5STRING,
			     V_ASN1_BMPSTRING,	V_ASN1_UNIVERSALSTRING };

/* Text in the bytes that a kind takes for it. */
static X509_NAME *name_as(int kind, const char *text)
{
	char wide[400];
	int step = kind == V_ASN1_BMPSTRING	  ? 2 :
		   kind == V_ASN1_UNIVERSALSTRING ? 4 :
						    1;
	int n = 0;

	for (; *text; text++) {
		memset(wide + n, 0, (size_t)step);
		n += step;
		wide[n - 1] = *text;
	}
	return name_of(kind, wide, n);
}

START_TEST(equal_names_have_the_same_print)
{
	static const char *const texts[] = { "Some Authority R3",
					     " some  authority r3",
					     "SOME AUTHORITY\tR3  ",
					     "some authority r4",
					     "R",
					     "" };
	X509_NAME *names[64];
	size_t n = 0, equal = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			names[n++] = name_as(kinds[k], texts[i]);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			bool same = X509_NAME_cmp(names[i], names[k]) == 0;

			ck_assert_int_eq(print_of(names[i]) ==
						 print_of(names[k]),
					 same);
			equal += same;
		}
	ck_assert_uint_eq(equal, 6 * 6 * (9 + 3));
	while (n > 0)
		X509_NAME_free(names[--n]);
}

END_TEST

START_TEST(letters_beyond_ascii_do_not_tell_kinds_apart)
{
	X509_NAME *utf8 = name_of(V_ASN1_UTF8STRING, "M\xc3\xbcller", -1);
	X509_NAME *latin = name_of(V_ASN1_T61STRING, "M\xfcller", -1);
	X509_NAME *wide = name_of(V_ASN1_BMPSTRING, "\0m\0\xfc\0l\0l\0e\0r",
				  12);

	ck_assert_int_eq(X509_NAME_cmp(utf8, latin), 0);
	ck_assert_int_eq(X509_NAME_cmp(utf8, wide), 0);
	ck_assert_uint_eq(print_of(utf8), print_of(latin));
	ck_assert_uint_eq(print_of(utf8), print_of(wide));
	X509_NAME_free(utf8);
	X509_NAME_free(latin);
	X509_NAME_free(wide);
}

END_TEST

START_TEST(what_is_no_name_has_no_print)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = { { "x", 1 },
		      { "\x31", 1 },
		      { "\x31\x02\x30", 3 },
		      { "\x31\x02\x05\x00", 4 },
		      { "\x31\x05\x30\x03\x06\x01\x55", 7 },
		      { "\x31\x80\x00\x00", 4 },
		      { "\x31\x84\x00\x00\x00\x00", 6 } };

	uint32_t print;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_view v = { (const unsigned char *)cases[i].bytes,
				      cases[i].n };

		ck_assert_msg(!pgw_der_name_print(v, &print), "case %zu", i);
	}
	ck_assert(pgw_der_name_print(pgw_view_of(""), &print));
}

END_TEST

UNIT_MAIN_WITH("tls_pem", set_up, tear_down,
	       certificates_are_found_among_all_sorts_of_text,
	       a_nul_ends_nothing, each_cut_of_a_file_is_noticed,
	       a_certificate_may_be_der, equal_names_have_the_same_print,
	       letters_beyond_ascii_do_not_tell_kinds_apart,
	       what_is_no_name_has_no_print)
