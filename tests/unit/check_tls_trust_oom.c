/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of a verification is made to fail in turn, those of OpenSSL
 * too.  Linked with --wrap=malloc.
 */
#include <config.h>

#include "tls_bundle.h"
#include "trusting.h"
#include "unit.h"

static int countdown = -1;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

static bool fails(void)
{
	if (countdown > 0)
		countdown--;
	return countdown == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : __real_malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Whether nothing failed; *trusted whether the chain was accepted. */
static bool attempt(const struct pgw_tls_settings *s, int n, bool *trusted)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	X509_STORE_CTX *chain = X509_STORE_CTX_new();
	struct pgw_err err = { 0 };
	bool roots = false, ok, known;

	*trusted = false;
	countdown = n;
	ok = pgw_tls_trust(ctx, s, &roots, &err);
	known = ok || err.code == PGW_E_NOMEM;
	if (ok && X509_STORE_CTX_init(chain, SSL_CTX_get_cert_store(ctx),
				      leaf.cert, NULL) == 1)
		*trusted = X509_verify_cert(chain) == 1;
	ok = countdown != 0;
	countdown = -1;
	X509_STORE_CTX_free(chain);
	SSL_CTX_free(ctx);
	ck_assert_msg(known, "%s", err.msg);
	return ok;
}

const struct pgw_bundle *pgw_bundle(void)
{
	static const struct pgw_bundle none;

	return &none;
}

static void put_chain(struct pgw_tls_settings *s, char *root_path, char *crls)
{
	char name[64];

	snprintf(name, sizeof(name), "crls/%08lx.r0",
		 X509_subject_name_hash(root.cert));
	tree_put(&t, name, "");
	s->root = root_path;
	s->root_given = true;
	s->crl_dir = crls;
	append_cert(s->root, other.cert);
	append_cert(s->root, root.cert);
}

START_TEST(each_allocation_of_a_verification_may_fail)
{
	struct pgw_tls_settings s = { 0 };
	bool trusted = false;
	int n;

	put_chain(&s, at("root.crt"), at("crls"));
	put_crl(t.path, &root, NULL);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	for (n = 1; n < 5000 && !attempt(&s, n, &trusted); n++)
		continue;
	ck_assert_int_gt(n, 100);
	ck_assert_int_lt(n, 5000);
	ck_assert(trusted);
	free(s.root);
	free(s.crl_dir);
}

END_TEST

START_TEST(each_allocation_for_the_roots_of_the_system_may_fail)
{
	struct pgw_tls_settings s = { .root_system = true,
				      .system_file = at("system.crt"),
				      .crl = at("root.crl"),
				      .crl_given = true };
	char dirs[200];
	bool trusted = false;
	int n;

	snprintf(dirs, sizeof(dirs), "%s/none:%s/hashed", t.dir, t.dir);
	s.system_dirs = dirs;
	put_hashed("hashed", root.cert, 0);
	append_cert(s.system_file, other.cert);
	put_crl(s.crl, &root, NULL);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_OK);
	for (n = 1; n < 5000 && !attempt(&s, n, &trusted); n++)
		continue;
	ck_assert_int_gt(n, 100);
	ck_assert_int_lt(n, 5000);
	ck_assert(trusted);
	free(s.system_file);
	free(s.crl);
}

END_TEST

START_TEST(want_of_memory_makes_nobody_trusted)
{
	struct pgw_tls_settings s = { 0 };
	struct authority namesake = make_root("Root"), stranger;
	bool trusted = true;

	stranger = make_leaf(&namesake);
	put_chain(&s, at("root.crt"), at("crls"));
	put_crl(t.path, &root, leaf.cert);
	ck_assert_int_eq(verify(&s, &leaf), X509_V_ERR_CERT_REVOKED);
	for (int n = 1; !attempt(&s, n, &trusted); n++)
		ck_assert(!trusted);
	ck_assert(!trusted);
	drop(&leaf);
	leaf = stranger;
	for (int n = 1; !attempt(&s, n, &trusted); n++)
		ck_assert(!trusted);
	ck_assert(!trusted);
	drop(&namesake);
	free(s.root);
	free(s.crl_dir);
}

END_TEST

/* OpenSSL takes these only before its first allocation. */
int main(void)
{
	const TTest *tests[] = {
		each_allocation_of_a_verification_may_fail,
		each_allocation_for_the_roots_of_the_system_may_fail,
		want_of_memory_makes_nobody_trusted
	};

	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
				     openssl_free) != 1)
		return EXIT_FAILURE;
	return unit_main_with("tls_trust_oom", set_up, tear_down, tests,
			      sizeof(tests) / sizeof(tests[0]));
}
