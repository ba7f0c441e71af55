/* SPDX-License-Identifier: MIT */
/* sslrootcert=FILE, sslcrl, sslcrldir. */
#include <config.h>

#include "trusting.h"
#include "unit.h"

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

/* ---- revocation lists */

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
	       revocation_lists_cover_the_whole_chain,
	       revocation_lists_are_found_in_a_directory,
	       a_directory_of_revocation_lists_makes_no_root,
	       a_revocation_list_that_cannot_be_used_is_refused)
