/* SPDX-License-Identifier: MIT */
/*
 * Our own certificate and its key, and a server that asks for it.  The first
 * byte chooses which files there are; then come two changes in them, of three
 * bytes each: where, and by what.  Up to the end of the line it is sslpassword,
 * and the rest may be a file of its own.  What was not changed is used, and
 * nothing that does not belong together is.
 */
#include <config.h>

#include "tls_server.h"

#include "conninfo.h"
#include "tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <sys/stat.h>

#define OPEN "open sesame"
#define ROUNDS 20
#define PASSWORD_MAX 2000 /* OpenSSL takes 1024 bytes */

enum {
	ENCRYPTED = 1,
	KEY_DER = 2,
	CERT_DER = 4,
	CHAIN = 8, /* of certificates, if it is PEM */
	RAW_CERT = 16,
	RAW_KEY = 32,
	OTHERS_KEY = 64,
	OLD = 128, /* TLS 1.2 */
};

enum { CERT, KEY };

struct files {
	uint8_t flags;
	struct pgw_buf text[2]; /* of the certificate, and of the key */
	bool changed[2];
	char password[PASSWORD_MAX + 1]; /* "" = none */
};

/* ---- what we have: the same each time, so that a place is a place */

static EVP_PKEY *make_key(unsigned char seed)
{
	unsigned char secret[32] = { seed };
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
						     secret, sizeof(secret));

	must(key != NULL);
	return key;
}

/* One round of hashing: a change in the file cannot make it many. */
static X509_SIG *encrypt(EVP_PKEY *key)
{
	unsigned char salt[8] = { 2 }, iv[16] = { 1 };
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
	X509_ALGOR *how = PKCS5_pbe2_set_iv(EVP_aes_128_cbc(), 1, salt,
					    sizeof(salt), iv,
					    NID_hmacWithSHA256);
	X509_SIG *sealed;

	must(plain && how);
	sealed = PKCS8_set0_pbe(OPEN, (int)strlen(OPEN), plain, how);
	must(sealed != NULL);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return sealed;
}

static void take_bio(struct pgw_buf *out, BIO *bio)
{
	char *data;
	long n = BIO_get_mem_data(bio, &data);

	pgw_buf_put(out, data, (size_t)n);
	must(!out->failed);
	BIO_free(bio);
}

static void put_key(struct pgw_buf *out, EVP_PKEY *key, uint8_t flags)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (flags & ENCRYPTED) {
		X509_SIG *sealed = encrypt(key);

		must(flags & KEY_DER ? i2d_PKCS8_bio(bio, sealed) :
				       PEM_write_bio_PKCS8(bio, sealed));
		X509_SIG_free(sealed);
	} else if (flags & KEY_DER) {
		must(i2d_PrivateKey_bio(bio, key));
	} else {
		must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
					      NULL));
	}
	take_bio(out, bio);
}

static void put_certificates(struct pgw_buf *out, EVP_PKEY *key,
			     EVP_PKEY *above, uint8_t flags)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *leaf = make_certificate(key, NULL, "quick");
	X509 *next = make_certificate(above, NULL, "authority");

	must(flags & CERT_DER ? i2d_X509_bio(bio, leaf) :
				PEM_write_bio_X509(bio, leaf));
	if (flags & CHAIN && !(flags & CERT_DER))
		must(PEM_write_bio_X509(bio, next));
	X509_free(leaf);
	X509_free(next);
	take_bio(out, bio);
}

static void make_files(struct files *f, struct pgw_view rest)
{
	EVP_PKEY *key = make_key(1), *other = make_key(2);

	for (int i = CERT; i <= KEY; i++)
		pgw_buf_init(&f->text[i], 1 << 20);
	if (f->flags & RAW_CERT)
		pgw_buf_put(&f->text[CERT], rest.p, rest.n);
	else
		put_certificates(&f->text[CERT], key, other, f->flags);
	if (f->flags & RAW_KEY)
		pgw_buf_put(&f->text[KEY], rest.p, rest.n);
	else
		put_key(&f->text[KEY], f->flags & OTHERS_KEY ? other : key,
			f->flags);
	f->changed[CERT] = f->flags & RAW_CERT;
	f->changed[KEY] = f->flags & RAW_KEY;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* The highest bit says in which of the two. */
static void change(struct files *f, struct pgw_view *in)
{
	size_t at = (size_t)take_byte(in) << 8;
	int which = at & 0x8000 ? KEY : CERT;
	struct pgw_buf *text = &f->text[which];
	uint8_t by;

	at = (at & 0x7f00) | take_byte(in);
	by = take_byte(in);
	if (at >= text->len || by == 0)
		return;
	text->data[at] ^= by;
	f->changed[which] = true;
}

/* A key of its own is not decrypted: that could take as long as it says. */
static void read_password(struct files *f, struct pgw_view line)
{
	size_t n = line.n < PASSWORD_MAX ? line.n : PASSWORD_MAX;

	if (f->flags & RAW_KEY)
		n = 0;
	if (n > 0)
		memcpy(f->password, line.p, n);
	f->password[n] = '\0';
}

/* ---- who asks for it */

static int trust_all(X509_STORE_CTX *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
	return 1;
}

static SSL_CTX *server_context(void)
{
	static SSL_CTX *ctx;

	if (ctx)
		return ctx;
	ctx = make_server_context(make_key(3), NULL, "server");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, trust_all, NULL);
	return ctx;
}

static void carry(struct pgw_tls *client, SSL *server)
{
	struct pgw_view v = pgw_tls_out(client);
	unsigned char chunk[4096];
	struct pgw_err err;
	int n;

	if (v.n > 0)
		must(BIO_write(SSL_get_rbio(server), v.p, (int)v.n) ==
		     (int)v.n);
	pgw_tls_sent(client, v.n);
	(void)SSL_do_handshake(server);
	while ((n = BIO_read(SSL_get_wbio(server), chunk, sizeof(chunk))) > 0)
		must(pgw_tls_feed(client, chunk, (size_t)n, &err));
}

/* Whether the server has seen it, and that the key is ours. */
static bool show(struct pgw_tls *client, uint8_t flags, struct pgw_err *err)
{
	SSL *server = make_server(server_context(), flags & OLD);
	bool done = false, ok = true;
	X509 *seen;

	for (int i = 0; i < ROUNDS && ok && !done; i++) {
		ok = pgw_tls_handshake(client, &done, err);
		carry(client, server);
	}
	seen = SSL_get1_peer_certificate(server);
	ok = done && SSL_is_init_finished(server) && seen;
	must(!ok || pgw_tls_facts(client)->own);
	X509_free(seen);
	SSL_free(server);
	return ok;
}

/* ---- */

static bool use(struct files *f, struct pgw_err *err)
{
	char host[] = "localhost";
	struct memory_file cert, key;
	struct pgw_host where = { .host = host };
	struct pgw_config cfg = { .sslmode = PGW_SSL_REQUIRE };
	struct pgw_tls *client;
	bool ok;

	memory_file_open(&cert, pgw_buf_view(&f->text[CERT]));
	memory_file_open(&key, pgw_buf_view(&f->text[KEY]));
	must(fchmod(key.fd, 0600) == 0);
	cfg.tls.cert = cert.path;
	cfg.tls.key = key.path;
	cfg.tls.cert_given = cfg.tls.key_given = true;
	cfg.tls.certmode = PGW_CERT_REQUIRE;
	cfg.tls.version_min = TLS1_2_VERSION;
	cfg.tls.key_password = f->password[0] ? f->password : NULL;
	ok = pgw_tls_new(&client, &cfg, &where, err) &&
	     show(client, f->flags, err);
	pgw_tls_free(client);
	close(cert.fd);
	close(key.fd);
	return ok;
}

static void check(const struct files *f, bool ok, const struct pgw_err *err)
{
	bool opens = !(f->flags & ENCRYPTED) || strcmp(f->password, OPEN) == 0;
	bool fits = !(f->flags & OTHERS_KEY);

	if (!f->changed[CERT] && !f->changed[KEY])
		must(ok == (opens && fits));
	if (!f->changed[KEY] && !opens)
		must(!ok);
	if (ok || err->code != PGW_E_TLS)
		return;
	for (const char *p = err->msg; *p; p++)
		must(*p >= ' ' && *p <= '~');
	must(!strstr(err->msg, OPEN) && !strstr(err->hint, OPEN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view in = { data, size }, changes, line;
	struct files f = { .flags = take_byte(&in) };
	struct pgw_err err = { 0 };

	changes = in;
	for (int i = 0; i < 6; i++)
		(void)take_byte(&in);
	line = take_part(&in, '\n');
	make_files(&f, in);
	read_password(&f, line);
	change(&f, &changes);
	change(&f, &changes);
	check(&f, use(&f, &err), &err);
	for (int i = CERT; i <= KEY; i++)
		pgw_buf_release(&f.text[i]);
	ERR_clear_error();
	return 0;
}
