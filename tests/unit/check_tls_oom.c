/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of ours and of OpenSSL's is made to fail in turn: what was
 * not looked at is never taken for good.  Linked with --wrap=malloc; OpenSSL
 * has a door of its own.
 */
#include <config.h>

#include "tls_own.h"
#include "tls_pair.h"
#include "tls_peer.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

/* OpenSSL asks thousands of times to read a key: some are enough. */
#define STEP 37

static long countdown = -1;
static bool failed, once; /* once: the next one works again */

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

static bool may_not(void)
{
	if (countdown != 0) {
		countdown -= countdown > 0;
		return false;
	}
	failed = true;
	if (once)
		countdown = -1;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return may_not() ? NULL : __real_malloc(n);
}

static void *crypto_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return may_not() ? NULL : __real_malloc(n);
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return may_not() ? NULL : realloc(p, n);
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* ---- */

static X509 *read_cert(const char *name)
{
	FILE *f = fopen(certs_path(name).text, "r");
	X509 *cert;

	ck_assert_ptr_nonnull(f);
	cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	ck_assert_ptr_nonnull(cert);
	return cert;
}

/* What is tried, and whether it went well; a failure says why. */
typedef bool trial(const void *ctx, struct pgw_err *err);

static void without_each(trial *try, const void *ctx, bool want, long step)
{
	struct pgw_err err = { 0 };
	long n = 0;

	do {
		bool ok;

		failed = false;
		countdown = n;
		n += step;
		ok = try(ctx, &err);
		countdown = -1; /* Check allocates, too */
		ERR_clear_error();
		ck_assert_msg(!ok || want, "without allocation %ld", n);
		ck_assert_msg(ok || err.code == PGW_E_NOMEM ||
				      err.code == PGW_E_TLS,
			      "%d: %s", (int)err.code, err.msg);
	} while (failed);
	ck_assert_int_gt(n, 1);
}

/*
 * With everything there, without one allocation in step, and without all from
 * there on.
 */
static void check_each(trial *try, const void *ctx, bool want, long step)
{
	struct pgw_err err = { 0 };

	ck_assert_msg(try(ctx, &err) == want, "%s", err.msg);
	once = true;
	without_each(try, ctx, want, step);
	once = false;
	without_each(try, ctx, want, step);
}

struct named {
	X509 *cert;
	const char *host;
};

static bool is_for(const void *ctx, struct pgw_err *err)
{
	const struct named *n = ctx;

	return pgw_tls_is_for(n->cert, n->host, err);
}

START_TEST(a_name_that_was_not_seen_is_not_the_one)
{
	static const struct {
		const char *file, *host;
		bool want;
	} cases[] = {
		{ "server.crt", "localhost", true },
		{ "server.crt", "::1", true },
		{ "server.crt", "elsewhere", false },
		{ "wrong.crt", "localhost", false },
		{ "cn.crt", "localhost", true },
		{ "cn-ip.crt", "127.0.0.1", true },
		{ "ip-cn.crt", "127.0.0.1", false },
		{ "odd-ip.crt", "127.0.0.1", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct named n = { read_cert(cases[i].file), cases[i].host };

		check_each(is_for, &n, cases[i].want, 1);
		X509_free(n.cert);
	}
}

END_TEST

/* The right digest, or an error, or nothing to bind to. */
static bool binds(const void *ctx, struct pgw_err *err)
{
	const struct named *n = ctx;
	struct pgw_buf out;
	bool ok;

	pgw_buf_init(&out, EVP_MAX_MD_SIZE);
	ok = pgw_tls_end_point(n->cert, &out, err);
	if (ok && out.len != 0 && out.len != 48)
		abort();
	pgw_buf_release(&out);
	return ok;
}

static bool has_text(const void *ctx, struct pgw_err *err)
{
	const struct named *n = ctx;
	char text[PGW_TLS_NAME_MAX];

	(void)err;
	pgw_tls_name_text(X509_get_subject_name(n->cert), text);
	return text[0] == '\0' || strcmp(text, "CN=localhost,OU="
					       "self-ec384-sha384") == 0;
}

START_TEST(a_digest_is_whole_or_none)
{
	struct named n = { read_cert("self-ec384-sha384.crt"), NULL };

	check_each(binds, &n, true, 1);
	check_each(has_text, &n, true, 1);
	X509_free(n.cert);
}

END_TEST

/* A certificate without its key must not stay. */
static bool owns(const void *ctx, struct pgw_err *err)
{
	const struct pgw_tls_settings *s = ctx;
	long armed = countdown;
	SSL_CTX *ssl;
	bool own, ok;

	countdown = -1;
	ssl = SSL_CTX_new(TLS_client_method());
	countdown = armed;
	ok = pgw_tls_own(ssl, s, &own, err);
	countdown = -1;
	if (ok != own || (ok && SSL_CTX_check_private_key(ssl) != 1))
		abort();
	SSL_CTX_free(ssl);
	return ok;
}

static void check_own(const char *cert, const char *key, const char *password)
{
	char text[64];
	struct certs_path c = certs_path(cert), k = certs_path(key);
	const struct pgw_tls_settings s = {
		.cert = c.text,
		.key = k.text,
		.cert_given = true,
		.key_given = true,
		.key_password = password ? text : NULL,
		.certmode = PGW_CERT_ALLOW,
	};

	snprintf(text, sizeof(text), "%s", password ? password : "");
	check_each(owns, &s, true, STEP);
}

START_TEST(a_certificate_is_ours_with_its_key_or_not_at_all)
{
	check_own("client-chain.crt", "client-chain.key", NULL);
	check_own("client.der", "client.key.der", NULL);
	check_own("client-locked-old.crt", "client-locked-old.key",
		  "open sesame");
}

END_TEST

/* ---- a whole session: what the server allocates is always there */

static long armed;

static void client_begins(void)
{
	countdown = armed;
}

static void client_ends(void)
{
	armed = countdown;
	countdown = -1;
}

/* One step of the client, and what the server says to it. */
static bool step(struct pair *p)
{
	unsigned char chunk[4096];
	bool ok;
	int n;

	client_begins();
	ok = pgw_tls_handshake(p->client, &p->done, &p->err);
	client_ends();
	if (!ok)
		return false;
	pair_to_server(p);
	(void)SSL_do_handshake(p->server);
	n = BIO_read(p->to_client, chunk, sizeof(chunk));
	if (n <= 0)
		return true;
	client_begins();
	ok = pgw_tls_feed(p->client, chunk, (size_t)n, &p->err);
	client_ends();
	return ok;
}

static bool connects(const void *ctx, struct pgw_err *err)
{
	const struct server s = { .asks = true };
	struct pair p;
	bool ok;

	armed = countdown;
	countdown = -1;
	pair_serve(&p, ctx, &s);
	client_begins();
	ok = pgw_tls_new(&p.client, &p.cfg, &p.cfg.hosts[0], &p.err);
	client_ends();
	while (ok && !p.done)
		ok = step(&p);
	*err = p.err;
	if (ok &&
	    (!pgw_tls_facts(p.client)->named || !pgw_tls_facts(p.client)->own))
		abort();
	pair_end(&p);
	return ok;
}

START_TEST(a_session_is_safe_or_none)
{
	static const char settings[] =
		"host=localhost sslmode=verify-full sslrootcert=%/root.crt "
		"sslcert=%/client.crt sslkey=%/client.key sslcertmode=require";

	check_each(connects, settings, true, STEP);
}

END_TEST

int main(void)
{
	const TTest *tests[] = {
		a_name_that_was_not_seen_is_not_the_one,
		a_digest_is_whole_or_none,
		a_certificate_is_ours_with_its_key_or_not_at_all,
		a_session_is_safe_or_none,
	};
	int status;

	if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc,
				      crypto_free))
		return EXIT_FAILURE;
	certs_make();
	status = unit_main("tls_oom", tests, sizeof(tests) / sizeof(tests[0]));
	certs_remove();
	return status;
}
