/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tls_peer.h"
#include "unit.h"

#include <openssl/x509v3.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { NAMES = 6 };

/*
 * A certificate that nobody signed: names begin with D (DNS), I (address, its
 * bytes) or E (mail); a | in one is a NUL byte.
 */
static GENERAL_NAME *make_name(const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	int type = text[0] == 'D' ? GEN_DNS :
		   text[0] == 'I' ? GEN_IPADD :
				    GEN_EMAIL;
	ASN1_STRING *s = ASN1_STRING_type_new(
		type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
	unsigned char bytes[64];
	size_t n = strlen(text + 1);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)(text[1 + i] == '|' ? '\0' :
								text[1 + i]);
	ASN1_STRING_set(s, bytes, (int)n);
	GENERAL_NAME_set0_value(name, type, s);
	return name;
}

static X509 *make_cert(const char *cn, const char *const names[NAMES])
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	X509 *cert = X509_new();
	const char *nul = cn ? strchr(cn, '|') : NULL;
	unsigned char bytes[64];

	if (cn) {
		memcpy(bytes, cn, strlen(cn));
		if (nul)
			bytes[nul - cn] = '\0';
		X509_NAME_add_entry_by_NID(X509_get_subject_name(cert),
					   NID_commonName, V_ASN1_UTF8STRING,
					   bytes, (int)strlen(cn), -1, 0);
	}
	for (size_t i = 0; i < NAMES && names[i]; i++)
		sk_GENERAL_NAME_push(all, make_name(names[i]));
	if (names[0])
		X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0);
	GENERAL_NAMES_free(all);
	return cert;
}

#define IP1 "I\x7f||\1" /* 127.0.0.1 */
#define IP6 "I|||||||||||||||\1"

enum verdict { NO, YES, ERROR };

/* libpq's verdict and ours, but for addresses in names of other kinds. */
static const struct name {
	const char *host, *cn, *names[NAMES];
	enum verdict want;
	bool differs; /* from OpenSSL's, without partial wildcards */
} names[] = {
	/* names */
	{ "a.b", NULL, { "Da.b" }, YES, false },
	{ "A.b", NULL, { "Da.B" }, YES, false },
	{ "a.b", NULL, { "Dx", "Email@a.b", IP1, "Da.b" }, YES, false },
	{ "a.b", NULL, { "Da.bc" }, NO, false },
	{ "a.b", NULL, { "Da.b." }, NO, false },
	{ "a.b.", NULL, { "Da.b" }, NO, false },
	{ "a.b", NULL, { "Eme@a.b" }, NO, false },
	{ "", NULL, { "D" }, NO, false },
	{ "a_b.c.d", NULL, { "Da_b.c.d" }, YES, false },
	/* the common name, only where no name is of that kind */
	{ "a.b", "a.b", { NULL }, YES, false },
	{ "a.b", "A.B", { "Eme@x", IP1 }, YES, false },
	{ "a.b", "a.b", { "Dx.y" }, NO, false },
	{ "a.b", "a.bc", { NULL }, NO, false },
	{ "a.b.c", "*.b.c", { NULL }, YES, false },
	{ "a.b", NULL, { NULL }, NO, false },
	{ "", "", { NULL }, NO, false },
	/* wildcards */
	{ "a.b.c", NULL, { "D*.b.c" }, YES, false },
	{ "a.B.c", NULL, { "D*.b.C" }, YES, false },
	{ "a_x.b.c", NULL, { "D*.b.c" }, YES, true },
	{ "a.b", NULL, { "D*.b" }, YES, true },
	{ "x.a.b.c", NULL, { "D*.b.c" }, NO, false },
	{ "b.c", NULL, { "D*.b.c" }, NO, false },
	{ ".b.c", NULL, { "D*.b.c" }, NO, true },
	{ ".b.c", NULL, { "Da.b.c" }, NO, true },
	{ "localhost", NULL, { "Dloc*" }, NO, false },
	{ "localhost", NULL, { "D*host" }, NO, false },
	{ "localhost", NULL, { "Dl*t" }, NO, false },
	{ "localhost", NULL, { "D*" }, NO, false },
	{ "a.", NULL, { "D*." }, NO, false },
	{ "ab.c.d", NULL, { "Da*.c.d" }, NO, false },
	{ "ab.c.d", NULL, { "D*b.c.d" }, NO, false },
	{ "a.b.c", NULL, { "Da.*.c" }, NO, false },
	{ "a.b.c", NULL, { "D*.*.c" }, NO, false },
	{ "*.b.c", NULL, { "D*.b.c" }, YES, false },
	/* addresses */
	{ "127.0.0.1", NULL, { IP1 }, YES, false },
	{ "127.0.0.2", NULL, { IP1 }, NO, false },
	{ "::1", NULL, { "Dx", IP1, IP6 }, YES, false },
	{ "0:0::1", NULL, { IP6 }, YES, false },
	{ "::2", NULL, { IP6 }, NO, false },
	{ "::1", NULL, { IP1 }, NO, false },
	{ "127.0.0.1", "127.0.0.1", { NULL }, YES, true },
	{ "127.0.0.1", "127.0.0.1", { "Dx.y" }, YES, true },
	{ "127.0.0.1", "127.0.0.1", { IP6 }, NO, false },
	{ "127.0.0.1", "*.0.0.1", { NULL }, NO, false },
	{ "127.0.0.1", NULL, { "D127.0.0.1" }, NO, false },
	{ "127.0.0.1", NULL, { "D*.0.0.1" }, NO, false },
	{ "127.1", NULL, { IP1 }, NO, false },
	/* what no certificate should have */
	{ "a.b", NULL, { "Da.b|.evil.org" }, ERROR, false },
	{ "a.b", NULL, { "Da.b", "Dx|" }, ERROR, true },
	{ "a.b", "a.b|.evil.org", { NULL }, ERROR, false },
	{ "a.b", NULL, { "Da.b", "I\1\2\3\4\5" }, ERROR, true },
	{ "127.0.0.1", NULL, { IP1, "I" }, ERROR, true },
	{ "a.b", "a.b|", { "Da.b" }, YES, false },
};

static bool openssl_says(X509 *cert, const char *host)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);

	ASN1_OCTET_STRING_free(address);
	if (address)
		return X509_check_ip_asc(cert, host, 0) == 1;
	return X509_check_host(cert, host, 0,
			       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

START_TEST(a_certificate_is_for_a_host_or_not)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct name *n = &names[i];
		X509 *cert = make_cert(n->cn, n->names);
		struct pgw_err err = { 0 };
		bool ok = pgw_tls_is_for(cert, n->host, &err);

		ck_assert_msg(ok == (n->want == YES), "%s, %s: %s", n->host,
			      n->names[0] ? n->names[0] : n->cn, err.msg);
		ck_assert_msg((openssl_says(cert, n->host) != ok) == n->differs,
			      "%s, %s, OpenSSL", n->host,
			      n->names[0] ? n->names[0] : n->cn);
		if (!ok)
			ck_assert_int_eq(err.code, PGW_E_TLS);
		if (n->want == NO)
			ck_assert_ptr_nonnull(strstr(err.msg, n->host));
		X509_free(cert);
	}
}

END_TEST

static const struct {
	const char *cn, *names[NAMES];
	const char *msg, *hint;
} told[] = {
	{ NULL,
	  { NULL },
	  "the server's certificate has no name in it, so it cannot be for "
	  "\"h\"",
	  "" },
	{ "x",
	  { NULL },
	  "the server's certificate is for \"x\", not for \"h\"",
	  "host must be one of x; where to go may be said apart, with "
	  "hostaddr" },
	{ "cn",
	  { "Da", "D*.b", IP1, IP6 },
	  "the server's certificate is for \"a\" and 3 other names, not for "
	  "\"h\"",
	  "host must be one of a, *.b, 127.0.0.1, 0:0:0:0:0:0:0:1; where to go "
	  "may be said apart, with hostaddr" },
	{ NULL,
	  { "Da", "Db" },
	  "the server's certificate is for \"a\" and 1 other name, not for "
	  "\"h\"",
	  "host must be one of a, b; where to go may be said apart, with "
	  "hostaddr" },
	{ NULL,
	  { "D\x1b[2J\n\xff" },
	  "the server's certificate is for \"?[2J??\", not for \"h\"",
	  "host must be one of ?[2J??; where to go may be said apart, with "
	  "hostaddr" },
	{ NULL,
	  { "Da|b" },
	  "a name in the server's certificate has a NUL byte in it",
	  "" },
	{ NULL,
	  { "I\1\2\3" },
	  "the server's certificate has an IP address of 3 bytes in it",
	  "" },
};

START_TEST(the_names_of_a_certificate_are_told)
{
	for (size_t i = 0; i < COUNT(told); i++) {
		X509 *cert = make_cert(told[i].cn, told[i].names);
		struct pgw_err err = { 0 };

		ck_assert(!pgw_tls_is_for(cert, "h", &err));
		ck_assert_str_eq(err.msg, told[i].msg);
		ck_assert_str_eq(err.hint, told[i].hint);
		X509_free(cert);
	}
}

END_TEST

START_TEST(only_as_many_names_are_told_as_anybody_reads)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	X509 *cert = X509_new();
	struct pgw_err err = { 0 };
	char name[64], host[1001];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "Dhost-%u.example.test", i);
		sk_GENERAL_NAME_push(all, make_name(name));
	}
	X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0);
	GENERAL_NAMES_free(all);
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	ck_assert(!pgw_tls_is_for(cert, host, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "\"host-0.example.test\" and "
					      "999 other names, not for \"h"));
	ck_assert_ptr_nonnull(strstr(err.hint, "host-6.example.test; where"));
	ck_assert_ptr_nonnull(strstr(err.hint, "with hostaddr"));
	ck_assert(pgw_tls_is_for(cert, "host-999.example.test", &err));
	X509_free(cert);
}

END_TEST

START_TEST(names_that_cannot_be_read_are_an_error)
{
	static const unsigned char junk[] = { 0x30, 0x05, 0x82, 0x09, 'h' };
	X509 *cert = make_cert("h", (const char *const[NAMES]){ NULL });
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	struct pgw_err err = { 0 };
	X509_EXTENSION *ext;

	ASN1_OCTET_STRING_set(value, junk, sizeof(junk));
	ext = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0,
					   value);
	X509_add_ext(cert, ext, -1);
	ck_assert(!pgw_tls_is_for(cert, "h", &err));
	ck_assert_str_eq(err.msg, "the names in the server's certificate "
				  "cannot be read");
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	X509_free(cert);

	/* Twice is none. */
	cert = make_cert("h", (const char *const[NAMES]){ "Dh" });
	X509_add_ext(cert, X509_get_ext(cert, 0), -1);
	ck_assert(!pgw_tls_is_for(cert, "h", &err));
	X509_free(cert);
}

END_TEST

START_TEST(a_subject_is_printable_and_bounded)
{
	const unsigned char odd[] = { 'a', 0x1b, '\n', ',', '"', 0xc3, 0xa9 };
	char text[PGW_TLS_NAME_MAX];
	X509_NAME *name = X509_NAME_new();

	pgw_tls_name_text(name, text);
	ck_assert_str_eq(text, "");
	X509_NAME_add_entry_by_NID(name, NID_organizationName,
				   V_ASN1_UTF8STRING,
				   (const unsigned char *)"o", 1, -1, 0);
	X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING, odd,
				   (int)sizeof(odd), -1, 0);
	pgw_tls_name_text(name, text);
	ck_assert_str_eq(text, "CN=a\\1B\\0A\\,\\\"\\C3\\A9,O=o");
	for (int i = 0; i < 100; i++)
		X509_NAME_add_entry_by_NID(name, NID_commonName,
					   V_ASN1_UTF8STRING, odd,
					   (int)sizeof(odd), -1, 0);
	pgw_tls_name_text(name, text);
	ck_assert_uint_eq(strlen(text), PGW_TLS_NAME_MAX - 1);
	ck_assert_str_eq(text + PGW_TLS_NAME_MAX - 4, "...");
	X509_NAME_free(name);
}

END_TEST

UNIT_MAIN("tls_name", a_certificate_is_for_a_host_or_not,
	  the_names_of_a_certificate_are_told,
	  only_as_many_names_are_told_as_anybody_reads,
	  names_that_cannot_be_read_are_an_error,
	  a_subject_is_printable_and_bounded)
