/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "handshake.h"
#include "tls_own.h"

#include <openssl/ui.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define OPEN "open sesame"

struct own {
	SSL_CTX *ctx;
	bool ok, own;
	struct pgw_err err;
};

/* Whoever would ask on a terminal comes here. */
static int on_terminal(UI *ui)
{
	(void)ui;
	abort();
}

static struct own use(const struct pgw_tls_settings *s)
{
	struct own o = { .ctx = SSL_CTX_new(TLS_client_method()) };
	UI_METHOD *nobody = UI_create_method("nobody");

	ck_assert_ptr_nonnull(o.ctx);
	UI_method_set_opener(nobody, on_terminal);
	UI_set_default_method(nobody);
	ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR); /* of somebody else */
	o.ok = pgw_tls_own(o.ctx, s, &o.own, &o.err);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	UI_set_default_method(UI_OpenSSL());
	UI_destroy_method(nobody);
	return o;
}

/* Files in the folder of certificates; NULL stays NULL. */
static struct own use_files(const char *cert, const char *key,
			    const char *password)
{
	struct certs_path c = certs_path(cert ? cert : "");
	struct certs_path k = certs_path(key ? key : "");
	char text[2048] = "";
	struct pgw_tls_settings s = {
		.cert = cert ? c.text : NULL,
		.key = key ? k.text : NULL,
		.cert_given = cert != NULL,
		.key_given = key != NULL,
		.key_password = password ? text : NULL,
		.certmode = PGW_CERT_ALLOW,
	};

	if (password)
		strcat(text, password);
	return use(&s);
}

static int of_any(X509_STORE_CTX *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
	return 1;
}

/* The name in the certificate that a server is shown; "" for none. */
static void show(struct own *o, char *cn, size_t size)
{
	SSL_CTX *server = server_context("server");
	X509 *shown = NULL;

	SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(server, of_any, NULL);
	cn[0] = '\0';
	ck_assert(shake_hands(o->ctx, server, &shown));
	o->ctx = NULL;
	if (shown)
		X509_NAME_get_text_by_NID(X509_get_subject_name(shown),
					  NID_commonName, cn, (int)size);
	X509_free(shown);
}

static const struct {
	const char *cert, *key, *password;
} good[] = {
	{ "client.crt", "client.key", NULL },
	{ "client.crt", "client.key", "not needed" },
	{ "client.der", "client.key.der", NULL },
	{ "client.crt", "client.key.der", NULL },
	{ "client.der", "client.key", NULL },
	{ "client-locked.crt", "client-locked.key", OPEN },
	{ "client-locked.crt", "client-locked.key.der", OPEN },
	{ "client-locked-old.crt", "client-locked-old.key", OPEN },
	{ "client-rsa.crt", "client-rsa.key", NULL },
	{ "client-rsa.crt", "client-rsa-1.key", NULL },
	{ "client-ed25519.crt", "client-ed25519.key", NULL },
	{ "client-chain.crt", "client-chain.key", NULL },
	{ "both-in-one.key", "both-in-one.key", NULL },
};

static void write_file(const char *name, const void *data, size_t n,
		       mode_t mode)
{
	struct certs_path path = certs_path(name);
	FILE *f;

	unlink(path.text);
	f = fopen(path.text, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, n, f), n);
	fclose(f);
	ck_assert_int_eq(chmod(path.text, mode), 0);
}

static size_t read_file(const char *name, char *out, size_t size)
{
	FILE *f = fopen(certs_path(name).text, "r");
	size_t n;

	ck_assert_msg(f != NULL, "%s", name);
	n = fread(out, 1, size, f);
	fclose(f);
	return n;
}

/* A file of several others, with some text in between. */
static void join(const char *name, const char *const *parts)
{
	char all[16384] = "";
	size_t n = 0;

	for (; *parts; parts++) {
		n += (size_t)snprintf(all + n, sizeof(all) - n,
				      "subject=/CN=%s\n\n", *parts);
		n += read_file(*parts, all + n, sizeof(all) - n);
	}
	write_file(name, all, n, 0600);
}

START_TEST(certificates_and_keys_of_every_kind_are_used)
{
	static const char *const one[] = { "client.key", "client.crt", NULL };

	join("both-in-one.key", one);
	for (size_t i = 0; i < COUNT(good); i++) {
		struct own o = use_files(good[i].cert, good[i].key,
					 good[i].password);
		char cn[64];

		ck_assert_msg(o.ok && o.own, "%s, %s: %s", good[i].cert,
			      good[i].key, o.err.msg);
		show(&o, cn, sizeof(cn));
		ck_assert_str_eq(cn, "tester");
	}
}

END_TEST

START_TEST(the_chain_behind_a_certificate_is_shown)
{
	static const char *const many[] = { "client.crt", "intermediate.crt",
					    "client.key", "root.crt", NULL };
	STACK_OF(X509) *chain = NULL;
	struct own o = use_files("client-chain.crt", "client-chain.key", NULL);

	SSL_CTX_get0_chain_certs(o.ctx, &chain);
	ck_assert_int_eq(sk_X509_num(chain), 1);
	SSL_CTX_free(o.ctx);

	join("many.crt", many);
	o = use_files("many.crt", "client.key", NULL);
	ck_assert_msg(o.ok, "%s", o.err.msg);
	SSL_CTX_get0_chain_certs(o.ctx, &chain);
	ck_assert_int_eq(sk_X509_num(chain), 2);
	SSL_CTX_free(o.ctx);
}

END_TEST

#define NO_KEY "there is no private key in it that can be read"
#define WRONG "it cannot be decrypted with sslpassword"
#define ENCRYPTED "it is encrypted, and no sslpassword is given"

static const struct {
	const char *cert, *key, *password;
	const char *msg, *hint; /* parts of them */
} bad[] = {
	{ "missing", "client.key", NULL, "cannot use sslcert \"", "" },
	{ "missing", "client.key", NULL, "missing\": No such file", "" },
	{ "client.crt", "missing", NULL, "missing\": No such file", "" },
	{ "client.crt/x", "client.key", NULL, "Not a directory", "" },
	{ "client.crt", NULL, NULL, "sslkey is not given", "" },
	{ NULL, "client.key", NULL, "there is no certificate for it",
	  "sslcert=FILE" },
	{ "crls", "client.key", NULL, "it is not a plain file", "" },
	{ "client.crt", "crls", NULL, "it is not a plain file", "" },
	{ "pipe", "client.key", NULL, "it is not a plain file", "" },
	{ "client.crt", "pipe", NULL, "it is not a plain file", "" },
	{ "empty", "client.key", NULL, "there is no certificate in it", "" },
	{ "client.crt", "empty", NULL, NO_KEY, "" },
	{ "junk", "client.key", NULL, "there is no certificate in it", "" },
	{ "client.crt", "junk", NULL, NO_KEY, "" },
	{ "large", "client.key", NULL, "it is larger than 1 MiB", "" },
	{ "client.key", "client.key", NULL, "there is no certificate in it",
	  "no start line" },
	{ "client.crt", "root.crl.key", NULL, NO_KEY, "" },
	{ "root.crl", "client.key", NULL, "there is no certificate in it", "" },
	{ "half.crt", "client.key", NULL, "a certificate in it is damaged",
	  "" },
	{ "half.der", "client.key", NULL, "there is no certificate in it", "" },
	{ "client.crt", "half.key", NULL, NO_KEY, "" },
	{ "client.crt", "client-rsa.key", NULL, "is not the key of sslcert",
	  "" },
	{ "client.crt", "client-somebody.key", NULL,
	  "is not the key of sslcert", "" },
	{ "client-locked.crt", "client-locked.key", NULL, ENCRYPTED,
	  "sslpassword" },
	{ "client-locked.crt", "client-locked.key.der", NULL, ENCRYPTED,
	  "sslpassword" },
	{ "client-locked-old.crt", "client-locked-old.key", NULL, ENCRYPTED,
	  "sslpassword" },
	{ "client-locked.crt", "client-locked.key", "s3cr3t", WRONG, "aes256" },
	{ "client-locked.crt", "client-locked.key.der", "s3cr3t", WRONG,
	  "aes256" },
	{ "client-locked-old.crt", "client-locked-old.key", "s3cr3t", WRONG,
	  "aes256" },
};

static void make_bad_files(void)
{
	static const char *const half[] = { "client.crt", "half.pem", NULL };
	static char large[(1 << 20) + 1];
	char text[16384];
	size_t n;

	write_file("empty", "", 0, 0600);
	write_file("junk", "-----BEGIN junk\xff\0\x01", 18, 0600);
	memset(large, '0', sizeof(large));
	write_file("large", large, sizeof(large), 0600);
	n = read_file("root.crl", text, sizeof(text));
	write_file("root.crl.key", text, n, 0600);
	n = read_file("root.crt", text, sizeof(text));
	write_file("half.pem", text, n / 2, 0600);
	join("half.crt", half);
	n = read_file("client.der", text, sizeof(text));
	write_file("half.der", text, n - 1, 0600);
	n = read_file("client.key", text, sizeof(text));
	write_file("half.key", text, n / 2, 0600);
	unlink(certs_path("pipe").text);
	ck_assert_int_eq(mkfifo(certs_path("pipe").text, 0600), 0);
}

START_TEST(what_cannot_be_used_is_told)
{
	make_bad_files();
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct own o = use_files(bad[i].cert, bad[i].key,
					 bad[i].password);

		ck_assert_msg(!o.ok && !o.own, "%s, %s", bad[i].cert,
			      bad[i].key);
		ck_assert_msg(o.err.code == PGW_E_TLS &&
				      strstr(o.err.msg, bad[i].msg) != NULL,
			      "%s, %s: %s", bad[i].cert, bad[i].key, o.err.msg);
		ck_assert_msg(strstr(o.err.hint, bad[i].hint) != NULL, "%s",
			      o.err.hint);
		ck_assert_ptr_null(strstr(o.err.msg, "s3cr3t"));
		ck_assert_ptr_null(strstr(o.err.hint, "s3cr3t"));
		SSL_CTX_free(o.ctx);
	}
}

END_TEST

START_TEST(a_passphrase_that_is_too_long_is_told)
{
	char password[2001];
	struct own o;

	memset(password, 'p', sizeof(password) - 1);
	password[sizeof(password) - 1] = '\0';
	o = use_files("client-locked.crt", "client-locked.key", password);
	ck_assert(!o.ok);
	ck_assert_ptr_nonnull(strstr(o.err.msg, "sslpassword is too long"));
	SSL_CTX_free(o.ctx);
}

END_TEST

/* What stands in the home directory, and whether it was named. */
static const struct {
	const char *cert, *key;
	bool cert_given, key_given;
	enum pgw_certmode mode;
	bool ok, own;
} defaults[] = {
	{ "missing", "missing", false, false, PGW_CERT_ALLOW, true, false },
	{ "missing", "client.key", false, false, PGW_CERT_ALLOW, true, false },
	{ "missing", "missing", false, false, PGW_CERT_REQUIRE, true, false },
	{ NULL, NULL, false, false, PGW_CERT_ALLOW, true, false },
	{ "client.crt", "client.key", false, false, PGW_CERT_ALLOW, true,
	  true },
	{ "client.crt", "client.key", false, false, PGW_CERT_DISABLE, true,
	  false },
	{ "missing", "missing", true, true, PGW_CERT_DISABLE, true, false },
	{ "missing", "client.key", true, false, PGW_CERT_ALLOW, false, false },
	{ "missing", "client.key", false, true, PGW_CERT_ALLOW, false, false },
	{ "client.crt", "missing", false, false, PGW_CERT_ALLOW, false, false },
};

START_TEST(what_nobody_named_need_not_be_there)
{
	for (size_t i = 0; i < COUNT(defaults); i++) {
		struct certs_path cert, key;
		struct pgw_tls_settings s = {
			.cert_given = defaults[i].cert_given,
			.key_given = defaults[i].key_given,
			.certmode = defaults[i].mode,
		};
		struct own o;

		if (defaults[i].cert) {
			cert = certs_path(defaults[i].cert);
			key = certs_path(defaults[i].key);
			s.cert = cert.text;
			s.key = key.text;
		}
		o = use(&s);
		ck_assert_msg(o.ok == defaults[i].ok, "%zu: %s", i, o.err.msg);
		ck_assert_int_eq(o.own, defaults[i].own);
		if (o.ok)
			ck_assert_int_eq(o.err.code, PGW_OK);
		SSL_CTX_free(o.ctx);
	}
}

END_TEST

enum owner { ME, ROOT, OTHER };

static const struct {
	enum owner owner;
	mode_t mode;
	bool ok;
} modes[] = {
	{ ME, 0600, true },	{ ME, 0400, true },	{ ROOT, 0640, true },
	{ ROOT, 0440, true },	{ ROOT, 0600, true },	{ ROOT, 0660, false },
	{ ROOT, 0650, false },	{ ROOT, 0644, false },	{ ROOT, 0604, false },
	{ ROOT, 0602, false },	{ ROOT, 0601, false },	{ OTHER, 0600, true },
	{ OTHER, 0640, false }, { OTHER, 0620, false }, { OTHER, 0610, false },
	{ OTHER, 0604, false }, { OTHER, 0644, false },
};

/* Only root can give a file away; to others, all files are their own. */
static bool give(const char *path, enum owner owner)
{
	static const uid_t nobody = 65534;

	if (geteuid() != 0)
		return owner != ROOT;
	return owner != OTHER || chown(path, nobody, nobody) == 0;
}

START_TEST(a_key_is_for_its_owner_alone)
{
	char text[4096];
	size_t n = read_file("client.key", text, sizeof(text));

	for (size_t i = 0; i < COUNT(modes); i++) {
		struct certs_path path = certs_path("mode.key");
		struct own o;

		write_file("mode.key", text, n, modes[i].mode);
		if (!give(path.text, modes[i].owner))
			continue;
		o = use_files("client.crt", "mode.key", NULL);
		ck_assert_msg(o.ok == modes[i].ok, "%o: %s",
			      (unsigned)modes[i].mode, o.err.msg);
		if (!o.ok)
			ck_assert_ptr_nonnull(strstr(o.err.hint, "chmod 0600"));
		SSL_CTX_free(o.ctx);
	}
}

END_TEST

UNIT_MAIN_WITH_CERTS("tls_own", certificates_and_keys_of_every_kind_are_used,
		     the_chain_behind_a_certificate_is_shown,
		     what_cannot_be_used_is_told,
		     a_passphrase_that_is_too_long_is_told,
		     what_nobody_named_need_not_be_there,
		     a_key_is_for_its_owner_alone)
