/* SPDX-License-Identifier: MIT */
/* sslrootcert=system.  Linked with --wrap=open: the test has its own /etc. */
#include <config.h>

#include "tls_bundle.h"
#include "trusting.h"
#include "unit.h"

/* ---- the bundle of this program: what the test has put there */

static unsigned char packed[1 << 20];
static struct pgw_bundle bundle = { .packed = packed };

const struct pgw_bundle *pgw_bundle(void)
{
	return &bundle;
}

static FILE *generator(const char *path)
{
	char command[1100];

	snprintf(command, sizeof(command), "./tools/bundle %s 2>/dev/null",
		 path);
	return popen(command, "r"); /* NOLINT(cert-env33-c): our own program */
}

static void take_bytes(char *line)
{
	char *end;
	unsigned long n = strtoul(line, &end, 10);

	for (; *end == ','; n = strtoul(end + 1, &end, 10))
		packed[bundle.packed_size++] = (unsigned char)n;
}

/* What the generator has written for a file, read back from its C. */
static void build_in(const char *path)
{
	FILE *f = generator(path);
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, f) > 0) {
		if (line[0] == '\t')
			take_bytes(line);
		sscanf(line, " packed, sizeof(packed), %zu, %zu", &bundle.size,
		       &bundle.count);
	}
	free(line);
	ck_assert_int_eq(pclose(f), 0);
	ck_assert_uint_gt(bundle.count, 0);
}

/* ---- the environment */

START_TEST(the_environment_names_a_file)
{
	struct pgw_tls_settings s = { .root_system = true,
				      .system_file = at("system.crt") };

	/* A bundle of the system's may have what only others can read. */
	append_text(s.system_file, "-----BEGIN CERTIFICATE-----\nno\n");
	ck_assert(says(refused(&s), "cannot use SSL_CERT_FILE \""));
	write_many(s.system_file, 20);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	ck_assert_int_eq(parsed, 1);
	free(s.system_file);
}

END_TEST

START_TEST(the_environment_names_directories)
{
	struct pgw_tls_settings s = { .root_system = true };
	struct authority namesake = make_root("Root");
	char dirs[400];

	snprintf(dirs, sizeof(dirs), "%s/none::%s/one:%s/two", t.dir, t.dir,
		 t.dir);
	s.system_dirs = dirs;
	ck_assert(says(refused(&s), "cannot use SSL_CERT_DIR \""));
	put_hashed("one", other.cert, 0);
	put_hashed("two", namesake.cert, 0);
	put_hashed("two", root.cert, 1);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	ck_assert_int_eq(parsed, 2);
	s.system_file = at("none.crt"); /* does no harm beside it */
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	free(s.system_file);
	drop(&namesake);
}

END_TEST

START_TEST(nobody_else_is_trusted_when_the_environment_says_whom)
{
	struct pgw_tls_settings s = { .root_system = true,
				      .system_file = at("none.crt") };
	char *path = at("bundle.crt");

	append_cert(path, root.cert);
	build_in(path);
	ck_assert(says(refused(&s), "cannot use SSL_CERT_FILE \""));
	ck_assert(says(refused(&s), "unset them"));
	append_cert(s.system_file, other.cert);
	ck_assert_int_eq(verify(&s, &leaf),
			 X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	free(s.system_file);
	free(path);
}

END_TEST

/* ---- a machine of the test's own: what is in /etc is in the folder */

static bool elsewhere;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	if (elsewhere && strncmp(path, "/etc/", 5) == 0)
		path = tree_path(&t, path + 1);
	return __real_open(path, flags);
}

START_TEST(the_first_file_of_the_machine_that_has_any_is_taken)
{
	static const char *const files[] = {
		"etc/ssl/cert.pem",
		"etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"etc/pki/tls/cacert.pem",
		"etc/ssl/ca-bundle.pem",
		"etc/pki/tls/certs/ca-bundle.crt",
		"etc/ssl/certs/ca-certificates.crt",
	};
	struct pgw_tls_settings s = { .root_system = true };

	elsewhere = true;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		tree_put(&t, files[i], "");
		append_cert(t.path, root.cert);
		ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
		tree_put(&t, files[i], "");
		append_cert(t.path, other.cert);
	}
	ck_assert_int_eq(verify(&s, &leaf),
			 X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		tree_put(&t, files[i], "it is empty");
	ck_assert(says(refused(&s), "this machine has no certificates"));
}

END_TEST

START_TEST(what_is_built_in_is_for_machines_that_have_none)
{
	struct pgw_tls_settings s = { .root_system = true };
	char *path = at("bundle.crt");

	elsewhere = true;
	ck_assert(says(refused(&s), "none are built in"));
	ck_assert(says(refused(&s), "install ca-certificates"));
	write_many(path, 50);
	build_in(path);
	ck_assert_uint_eq(bundle.count, 51);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	ck_assert_int_eq(parsed, 1);
	tree_put(&t, "etc/ssl/certs/ca-certificates.crt", "");
	append_cert(t.path, other.cert);
	ck_assert_int_eq(verify(&s, &leaf),
			 X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	free(path);
}

END_TEST

START_TEST(a_bundle_that_cannot_be_unpacked_holds_nothing)
{
	struct pgw_tls_settings s = { .root_system = true };
	char *path = at("bundle.crt");

	elsewhere = true;
	append_cert(path, root.cert);
	build_in(path);
	bundle.size++;
	ck_assert_int_eq(verify(&s, &leaf),
			 X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	bundle.size--;
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	packed[bundle.packed_size / 2] ^= 1;
	ck_assert_int_eq(verify(&s, &leaf),
			 X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	free(path);
}

END_TEST

START_TEST(only_certificates_can_be_built_in)
{
	static const char *const texts[] = {
		"", "text", "-----BEGIN CERTIFICATE-----\nMIIB\n"
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		FILE *f;

		tree_put(&t, "bad.crt", texts[i]);
		if (i == 2)
			append_cert(t.path, root.cert);
		f = generator(t.path);
		while (fgetc(f) != EOF)
			continue;
		ck_assert_int_ne(pclose(f), 0);
	}
}

END_TEST

START_TEST(the_list_by_default_is_not_for_the_roots_of_the_system)
{
	struct pgw_tls_settings s = { .root_system = true,
				      .system_file = at("system.crt"),
				      .crl = at("root.crl") };

	append_cert(s.system_file, root.cert);
	put_crl(s.crl, &root, leaf.cert);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	s.crl_given = true;
	ck_assert_int_eq(verify(&s, &leaf), X509_V_ERR_CERT_REVOKED);
	free(s.system_file);
	free(s.crl);
}

END_TEST

/* A root without what it says of itself, as tools/bundle.c writes it. */
static X509 *as_built_in(const X509 *cert)
{
	const ASN1_BIT_STRING *signature;
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	const unsigned char *p = der;
	X509 *blank;

	ck_assert_int_gt(n, 0);
	X509_get0_signature(&signature, NULL, cert);
	memset(der + n - signature->length, 0, (size_t)signature->length);
	blank = d2i_X509(NULL, &p, n);
	ck_assert_ptr_nonnull(blank);
	OPENSSL_free(der);
	return blank;
}

START_TEST(each_authority_of_a_real_machine_is_found)
{
	static const char file[] = "/etc/ssl/certs/ca-certificates.crt";
	struct pgw_tls_settings s = { .root_system = true };
	BIO *in = BIO_new_file(file, "r");
	X509 *cert, *blank;

	if (!in)
		return;
	build_in(file);
	for (size_t i = 0; i < bundle.count; i++) {
		int got;

		cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
		ck_assert_ptr_nonnull(cert);
		elsewhere = i % 2 == 0; /* built in */
		blank = as_built_in(cert);
		got = verify_with(&s, elsewhere ? blank : cert, NULL);
		/* Of two namesakes OpenSSL wants the first. */
		ck_assert_msg(got == X509_V_OK ||
				      got == X509_V_ERR_CERT_HAS_EXPIRED ||
				      parsed == 2,
			      "%zu: %s", i, X509_verify_cert_error_string(got));
		ck_assert_int_ge(parsed, 1);
		ck_assert_int_le(parsed, 2);
		X509_free(blank);
		X509_free(cert);
	}
	BIO_free(in);
}

END_TEST

static void set_up_bare(void)
{
	set_up();
	elsewhere = false;
	bundle = (struct pgw_bundle){ .packed = packed };
}

UNIT_MAIN_WITH("tls_system", set_up_bare, tear_down,
	       the_environment_names_a_file, the_environment_names_directories,
	       nobody_else_is_trusted_when_the_environment_says_whom,
	       the_first_file_of_the_machine_that_has_any_is_taken,
	       what_is_built_in_is_for_machines_that_have_none,
	       a_bundle_that_cannot_be_unpacked_holds_nothing,
	       only_certificates_can_be_built_in,
	       each_authority_of_a_real_machine_is_found,
	       the_list_by_default_is_not_for_the_roots_of_the_system)
