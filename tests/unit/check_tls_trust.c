/* SPDX-License-Identifier: MIT */
/*
 * Chains against what pgw_tls_trust has put into a store.  Linked with
 * --wrap=d2i_X509, to count what is parsed, and --wrap=open.
 */
#include <config.h>

#include "authority.h"
#include "tls_bundle.h"
#include "tls_trust.h"
#include "tree.h"
#include "unit.h"

/* ---- the bundle of this program: what the test has put there */

static unsigned char packed[1 << 16];
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

/* ---- counting */

static int parsed;

X509 *__real_d2i_X509(X509 **to, const unsigned char **in, long n);
X509 *__wrap_d2i_X509(X509 **to, const unsigned char **in, long n);

X509 *__wrap_d2i_X509(X509 **to, const unsigned char **in, long n)
{
	parsed++;
	return __real_d2i_X509(to, in, n);
}

/* ---- asking */

/* What a handshake would say of a leaf that comes with an intermediate. */
static int verify_with(const struct pgw_tls_settings *s, X509 *leaf,
		       X509 *intermediate)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	X509_STORE_CTX *chain = X509_STORE_CTX_new();
	STACK_OF(X509) *sent = sk_X509_new_null();
	struct pgw_err err = { 0 };
	bool roots = false;
	int reason;

	if (intermediate)
		sk_X509_push(sent, intermediate);
	ck_assert_msg(pgw_tls_trust(ctx, s, &roots, &err), "%s", err.msg);
	ck_assert(roots);
	X509_STORE_CTX_init(chain, SSL_CTX_get_cert_store(ctx), leaf, sent);
	parsed = 0;
	X509_verify_cert(chain);
	reason = X509_STORE_CTX_get_error(chain);
	X509_STORE_CTX_free(chain);
	sk_X509_free(sent);
	SSL_CTX_free(ctx);
	return reason;
}

static int verify(const struct pgw_tls_settings *s, const struct authority *a)
{
	return verify_with(s, a->cert, NULL);
}

/* The message of a failure, with its hint. */
static const char *refused(const struct pgw_tls_settings *s)
{
	static char text[PGW_ERR_MAX + PGW_HINT_MAX + 2];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct pgw_err err = { 0 };
	bool roots = true;

	ck_assert(!pgw_tls_trust(ctx, s, &roots, &err));
	ck_assert_int_eq(err.code, PGW_E_TLS);
	ck_assert(!roots);
	snprintf(text, sizeof(text), "%s; %s", err.msg, err.hint);
	SSL_CTX_free(ctx);
	return text;
}

static bool says(const char *text, const char *part)
{
	if (strstr(text, part))
		return true;
	fprintf(stderr, "\"%s\" is not in: %s\n", part, text);
	return false;
}

/* ---- files */

static struct tree t;
static struct authority root, other, leaf;

static void set_up(void)
{
	tree_init(&t);
	root = make_root("Root");
	other = make_root("Other");
	leaf = make_leaf(&root);
}

static void tear_down(void)
{
	drop(&root);
	drop(&other);
	drop(&leaf);
	tree_release(&t);
}

/* A path in the folder, to be freed. */
static char *at(const char *name)
{
	return strdup(tree_path(&t, name));
}

/* Many authorities that nobody asks for, and root somewhere among them. */
static void write_many(const char *path, int n)
{
	for (int i = 0; i < n; i++) {
		char name[32];
		struct authority a;

		if (i == n / 2)
			append_cert(path, root.cert);
		snprintf(name, sizeof(name), "Authority %d", i);
		a = make_root(name);
		append_cert(path, a.cert);
		drop(&a);
	}
}

START_TEST(a_chain_to_a_root_of_the_file_is_good)
{
	struct pgw_tls_settings s = { .root = at("root.crt"),
				      .root_given = true };
	struct authority lonely = make_leaf(&other);

	append_text(s.root, "Comments are fine.\r\n");
	append_cert(s.root, root.cert);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	ck_assert_int_eq(parsed, 1);
	ck_assert_int_eq(verify(&s, &lonely),
			 X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	ck_assert_int_eq(parsed, 0);
	drop(&lonely);
	free(s.root);
}

END_TEST

START_TEST(only_the_root_that_is_asked_for_is_parsed)
{
	struct pgw_tls_settings s = { .root = at("root.crt"),
				      .root_given = true };
	struct authority middle =
		make(&root, (struct wish){ .name = name_of(V_ASN1_UTF8STRING,
							   "Middle", -1) });
	struct authority end = make_leaf(&middle);

	write_many(s.root, 150);
	ck_assert_int_eq(verify_with(&s, end.cert, middle.cert), X509_V_OK);
	ck_assert_int_eq(parsed, 1);
	drop(&middle);
	drop(&end);
	free(s.root);
}

END_TEST

START_TEST(a_self_signed_certificate_may_be_its_own_root)
{
	struct pgw_tls_settings s = { .root = at("root.crt"),
				      .root_given = true };
	struct authority self =
		make(NULL, (struct wish){
				   .name = name_of(V_ASN1_UTF8STRING, "Me", -1),
				   .leaf = true });

	append_cert(s.root, root.cert);
	ck_assert_int_eq(verify(&s, &self),
			 X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
	append_cert(s.root, self.cert);
	ck_assert_int_eq(verify(&s, &self), X509_V_OK);
	drop(&self);
	free(s.root);
}

END_TEST

START_TEST(a_namesake_does_not_hide_a_root)
{
	/* Another key; out of date; in either order. */
	static const struct {
		long from, until;
		bool first;
	} cases[] = { { 0, 0, true },
		      { 0, 0, false },
		      { -2 * DAY, -DAY, true },
		      { -2 * DAY, -DAY, false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_tls_settings s = { .root = at("root.crt"),
					      .root_given = true };
		struct authority namesake =
			make(NULL,
			     (struct wish){ .name = name_of(V_ASN1_UTF8STRING,
							    "Root", -1),
					    .from = cases[i].from,
					    .until = cases[i].until });

		append_cert(s.root, cases[i].first ? namesake.cert : root.cert);
		append_cert(s.root, cases[i].first ? root.cert : namesake.cert);
		ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
		ck_assert_int_eq(parsed, 2);
		drop(&namesake);
		remove(s.root);
		free(s.root);
	}
}

END_TEST

START_TEST(an_expired_twin_does_not_hide_a_root)
{
	struct pgw_tls_settings s = { .root = at("root.crt"),
				      .root_given = true };
	X509 *old = X509_dup(root.cert);

	/* The same key: only the dates tell which of the two will do. */
	X509_gmtime_adj(X509_getm_notBefore(old), -9 * DAY);
	X509_gmtime_adj(X509_getm_notAfter(old), -8 * DAY);
	ck_assert_int_gt(X509_sign(old, root.key, EVP_sha256()), 0);
	append_cert(s.root, old);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_ERR_CERT_HAS_EXPIRED);
	append_cert(s.root, root.cert);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	X509_free(old);
	free(s.root);
}

END_TEST

START_TEST(a_cross_signed_authority_is_trusted_by_either_root)
{
	struct pgw_tls_settings s = { .root = at("root.crt"),
				      .root_given = true };

	/* What a server sends whose root is too new for many clients. */
	struct authority crossed =
		make(&other, (struct wish){ .name = name_of(V_ASN1_UTF8STRING,
							    "Root", -1),
					    .key = root.key });

	append_cert(s.root, root.cert);
	ck_assert_int_eq(verify_with(&s, leaf.cert, crossed.cert), X509_V_OK);
	remove(s.root);
	append_cert(s.root, other.cert);
	ck_assert_int_eq(verify_with(&s, leaf.cert, crossed.cert), X509_V_OK);
	drop(&crossed);
	free(s.root);
}

END_TEST

START_TEST(names_are_compared_as_openssl_does)
{
	static const struct {
		int kind;
		const char *text;
		int n;
	} cases[] = {
		{ V_ASN1_PRINTABLESTRING, "ROOT", -1 },
		{ V_ASN1_T61STRING, "  root ", -1 },
		{ V_ASN1_BMPSTRING, "\0R\0o\0o\0t", 8 },
		{ V_ASN1_UNIVERSALSTRING, "\0\0\0r\0\0\0o\0\0\0o\0\0\0t", 16 },
	};
	struct pgw_tls_settings s = { .root = at("root.crt"),
				      .root_given = true };

	append_cert(s.root, root.cert);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct authority written = { .key = root.key,
					     .cert = X509_dup(root.cert) };
		X509_NAME *name = name_of(cases[i].kind, cases[i].text,
					  cases[i].n);
		struct authority end;

		X509_set_subject_name(written.cert, name);
		end = make_leaf(&written);
		ck_assert_int_eq(verify(&s, &end), X509_V_OK);
		X509_NAME_free(name);
		X509_free(written.cert);
		drop(&end);
	}
	free(s.root);
}

END_TEST

START_TEST(a_root_by_default_need_not_be_there)
{
	struct pgw_tls_settings s = { .root = at("none.crt"),
				      .crl = at("none.crl") };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct pgw_err err = { 0 };
	bool roots = true;

	ck_assert(pgw_tls_trust(ctx, &s, &roots, &err));
	ck_assert(!roots);
	SSL_CTX_free(ctx);
	append_text(s.root, "but what is there has to be good");
	ck_assert(says(refused(&s), "there is no certificate in it"));
	free(s.root);
	free(s.crl);
}

END_TEST

START_TEST(a_root_that_cannot_be_used_is_refused)
{
	struct pgw_tls_settings s = { .root = at("a.crt"), .root_given = true };

	ck_assert(says(refused(&s), "cannot use sslrootcert \"/"));
	ck_assert(says(refused(&s), "a.crt\": No such file"));
	ck_assert(says(refused(&s), "PEM file"));
	append_cert(s.root, root.cert);
	append_text(s.root, "-----BEGIN CERTIFICATE-----\nMIIB");
	ck_assert(says(refused(&s), "certificate 2 in it is damaged"));
	remove(s.root);
	mkdir(s.root, 0700);
	ck_assert(says(refused(&s), "it is not a plain file"));
	rmdir(s.root);
	ck_assert_int_eq(mkfifo(s.root, 0600), 0);
	ck_assert(says(refused(&s), "it is not a plain file"));
	remove(s.root);
	append_text(s.root, "x");
	ck_assert_int_eq(truncate(s.root, 100L << 20), 0);
	ck_assert(says(refused(&s), "it is larger than 8 MiB"));
	free(s.root);
}

END_TEST

/* ---- the system's */

/* Named as openssl rehash names it. */
static void put_hashed(const char *dir, X509 *cert, int number)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/%08lx.%d", dir,
		 X509_subject_name_hash(cert), number);
	tree_put(&t, name, "");
	append_cert(t.path, cert);
}

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

/* ---- revocation lists */

static void put_crl(const char *path, const struct authority *by,
		    const X509 *revoked)
{
	X509_CRL *crl = make_crl(by, revoked);

	append_crl(path, crl);
	X509_CRL_free(crl);
}

START_TEST(revocation_lists_cover_the_whole_chain)
{
	struct pgw_tls_settings s = { .root = at("root.crt"),
				      .root_given = true,
				      .crl = at("root.crl"),
				      .crl_given = true };
	struct authority middle =
		make(&root, (struct wish){ .name = name_of(V_ASN1_UTF8STRING,
							   "Middle", -1) });
	struct authority end = make_leaf(&middle);

	append_cert(s.root, root.cert);
	put_crl(s.crl, &middle, NULL);
	ck_assert_int_eq(verify_with(&s, end.cert, middle.cert),
			 X509_V_ERR_UNABLE_TO_GET_CRL);
	put_crl(s.crl, &root, NULL);
	ck_assert_int_eq(verify_with(&s, end.cert, middle.cert), X509_V_OK);
	remove(s.crl);
	put_crl(s.crl, &root, middle.cert);
	put_crl(s.crl, &middle, NULL);
	ck_assert_int_eq(verify_with(&s, end.cert, middle.cert),
			 X509_V_ERR_CERT_REVOKED);
	drop(&middle);
	drop(&end);
	free(s.root);
	free(s.crl);
}

END_TEST

START_TEST(revocation_lists_are_found_in_a_directory)
{
	struct pgw_tls_settings s = { .root = at("root.crt"),
				      .root_given = true };
	char name[64];
	char *dir = at("crls");

	s.crl_dir = dir;
	append_cert(s.root, root.cert);
	ck_assert(says(refused(&s), "cannot use sslcrldir \""));
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert(says(refused(&s), "openssl rehash /"));
	put_hashed("crls", root.cert, 0);
	ck_assert(says(refused(&s), "no revocation list by hash"));
	snprintf(name, sizeof(name), "crls/%08lx.r0",
		 X509_subject_name_hash(other.cert));
	put_crl(tree_path(&t, name), &other, NULL);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_ERR_UNABLE_TO_GET_CRL);
	snprintf(name, sizeof(name), "crls/%08lx.r0",
		 X509_subject_name_hash(root.cert));
	put_crl(tree_path(&t, name), &root, NULL);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	remove(tree_path(&t, name));
	put_crl(tree_path(&t, name), &root, leaf.cert);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_ERR_CERT_REVOKED);
	free(dir);
	free(s.root);
}

END_TEST

START_TEST(a_directory_of_revocation_lists_makes_no_root)
{
	struct pgw_tls_settings s = { .root = at("root.crt"),
				      .root_given = true };
	struct authority end = make_leaf(&other);
	char name[64];
	char *dir = at("crls");

	s.crl_dir = dir;
	append_cert(s.root, root.cert);
	put_hashed("crls", other.cert, 0);
	snprintf(name, sizeof(name), "crls/%08lx.r0",
		 X509_subject_name_hash(other.cert));
	put_crl(tree_path(&t, name), &other, NULL);
	append_cert(t.path, other.cert);
	ck_assert_int_eq(verify(&s, &end),
			 X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	drop(&end);
	free(dir);
	free(s.root);
}

END_TEST

START_TEST(a_revocation_list_that_cannot_be_used_is_refused)
{
	struct pgw_tls_settings s = { .root = at("root.crt"),
				      .root_given = true,
				      .crl = at("root.crl"),
				      .crl_given = true };

	append_cert(s.root, root.cert);
	ck_assert(says(refused(&s), "cannot use sslcrl \"/"));
	append_cert(s.crl, root.cert);
	ck_assert(says(refused(&s), "there is no revocation list in it"));
	append_text(s.crl, "-----BEGIN X509 CRL-----\nMAA=\n"
			   "-----END X509 CRL-----\n");
	ck_assert(says(refused(&s), "revocation list 1 in it is damaged"));
	remove(s.crl);
	s.crl_given = false;
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	put_crl(s.crl, &root, leaf.cert);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_ERR_CERT_REVOKED);
	free(s.root);
	free(s.crl);
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

UNIT_MAIN_WITH("tls_trust", set_up, tear_down,
	       a_chain_to_a_root_of_the_file_is_good,
	       only_the_root_that_is_asked_for_is_parsed,
	       a_self_signed_certificate_may_be_its_own_root,
	       a_namesake_does_not_hide_a_root,
	       an_expired_twin_does_not_hide_a_root,
	       a_cross_signed_authority_is_trusted_by_either_root,
	       names_are_compared_as_openssl_does,
	       a_root_by_default_need_not_be_there,
	       a_root_that_cannot_be_used_is_refused,
	       the_environment_names_a_file, the_environment_names_directories,
	       nobody_else_is_trusted_when_the_environment_says_whom,
	       the_first_file_of_the_machine_that_has_any_is_taken,
	       what_is_built_in_is_for_machines_that_have_none,
	       a_bundle_that_cannot_be_unpacked_holds_nothing,
	       only_certificates_can_be_built_in,
	       revocation_lists_cover_the_whole_chain,
	       revocation_lists_are_found_in_a_directory,
	       a_directory_of_revocation_lists_makes_no_root,
	       a_revocation_list_that_cannot_be_used_is_refused,
	       the_list_by_default_is_not_for_the_roots_of_the_system)
