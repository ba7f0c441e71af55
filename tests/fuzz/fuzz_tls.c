/* SPDX-License-Identifier: MIT */
/*
 * A hostile server behind TLS: the first byte chooses how it goes about it.
 * Either the rest is what comes instead of TLS, or there is a server of
 * OpenSSL's: then two bytes say which of its bytes on the wire is changed, by
 * the third, and the rest is what it says to our session.  What is read must
 * be what was said, up to the change.  Or it logs us in, by SCRAM: a fourth
 * byte says what it does not know or hides, and the rest comes behind that.
 */
#include <config.h>

#include "tls_server.h"

#include "conninfo.h"
#include "session.h"
#include "tls.h"

#include <openssl/err.h>
#include <openssl/hmac.h>

#define ROUNDS 40
#define SAID_MAX 100000u /* by us, on the wire */
#define WORDS_MAX (1u << 24)
#define NONCE "rOprNGfwEbeRWgbNEkqOgold"
#define CHALLENGE "r=" NONCE "server,s=c2FsdA==,i=4"

enum {
	RAW = 1,      /* no TLS at the other end */
	OLD = 2,      /* TLS 1.2 */
	UPDATES = 4,  /* new keys, or another handshake, in between */
	FAREWELL = 8, /* it says that it ends */
	PIECES = 16,
	BOUND = 32,  /* the login wants channel binding */
	DIRECT = 64, /* ALPN must be answered, and is not */
	LETS_IN = 128,
};

/* Who lets us in, but is not who he says that he is. */
enum {
	OTHER_PASSWORD = 1,
	OTHER_TLS = 2, /* the login is bound to: he is in between */
	NO_PLUS = 4,   /* is offered */
};

struct world {
	uint8_t flags, hides;
	struct pgw_config cfg;
	struct pgw_host host;
	struct pgw_tls *client;
	struct pgw_session session;
	SSL *server; /* NULL = RAW */
	BIO *to_server, *to_client;
	size_t change_at, passed; /* bytes of the server on the wire */
	uint8_t change;
	struct pgw_view said; /* what the session may read, still */
	struct pgw_err err;
};

/* ---- the server */

/* Made once: a key takes longer than a handshake. */
static SSL_CTX *server_context(void)
{
	static SSL_CTX *ctx;

	if (!ctx)
		ctx = make_server_context(EVP_EC_gen("P-256"), EVP_sha256(),
					  "h\x1b[31m");
	return ctx;
}

static void start_server(struct world *w)
{
	w->server = make_server(server_context(), w->flags & OLD);
	w->to_server = SSL_get_rbio(w->server);
	w->to_client = SSL_get_wbio(w->server);
}

/* ---- between them */

static void to_server(struct world *w)
{
	struct pgw_view v = pgw_tls_out(w->client);

	must(v.n < SAID_MAX);
	/* Whatever goes wrong, the password is not seen. */
	must(v.n == 0 || !memmem(v.p, v.n, "secret", 6));
	if (w->server && v.n > 0)
		must(BIO_write(w->to_server, v.p, (int)v.n) == (int)v.n);
	pgw_tls_sent(w->client, v.n);
}

/* false when nothing came, or what came was refused */
static bool to_client(struct world *w)
{
	unsigned char chunk[700];
	int n = BIO_read(w->to_client, chunk, w->flags & PIECES ? 7 : 700);

	if (n <= 0)
		return false;
	if (w->change_at >= w->passed && w->change_at < w->passed + (size_t)n)
		chunk[w->change_at - w->passed] ^= w->change;
	w->passed += (size_t)n;
	return pgw_tls_feed(w->client, chunk, (size_t)n, &w->err);
}

static bool handshake(struct world *w)
{
	bool done = false;

	for (int i = 0; i < 10 * ROUNDS && !done; i++) {
		if (!pgw_tls_handshake(w->client, &done, &w->err))
			return false;
		to_server(w);
		(void)SSL_do_handshake(w->server);
		if (!done && !to_client(w))
			return false;
	}
	return done;
}

/* What the session gets is what the server said, in its order. */
static bool take(struct world *w, const unsigned char *got, size_t n)
{
	must(n <= w->said.n && memcmp(got, w->said.p, n) == 0);
	w->said.p += n;
	w->said.n -= n;
	if (!pgw_session_feed(&w->session, got, n, &w->err))
		return false;
	return w->session.state != PGW_IDLE ||
	       pgw_session_query(&w->session, pgw_view_of("select 'secret'"),
				 &w->err);
}

static bool speak(struct world *w)
{
	struct pgw_view v = pgw_session_out(&w->session);
	bool ok = pgw_tls_put(w->client, v.p, v.n, &w->err);

	pgw_session_sent(&w->session, v.n);
	to_server(w);
	return ok;
}

static bool listen_to(struct world *w)
{
	unsigned char got[512];
	size_t n = 1;

	while (n > 0 || to_client(w)) {
		if (!pgw_tls_get(w->client, got, sizeof(got), &n, &w->err) ||
		    !take(w, got, n) || !speak(w))
			return false;
		if (pgw_tls_over(w->client))
			return false;
	}
	return true;
}

/* ---- one conversation */

static void surprise(struct world *w)
{
	char unread[512];

	/* What we said goes the way of all bytes. */
	while (SSL_read(w->server, unread, sizeof(unread)) > 0)
		;
	if (!(w->flags & UPDATES))
		return;
	if (w->flags & OLD)
		(void)SSL_renegotiate(w->server);
	else
		(void)SSL_key_update(w->server, SSL_KEY_UPDATE_REQUESTED);
	(void)SSL_do_handshake(w->server);
}

static struct pgw_login login_for(const struct world *w)
{
	return (struct pgw_login){
		.user = "quick",
		.database = "postgres",
		.password = "secret",
		.nonce = NONCE,
		.protocol = PGW_PROTOCOL_3_0,
		.require_auth = PGW_AUTH_ANY,
		.cleartext_allowed = true,
		.encrypted = true,
		.channel_binding = w->flags & BOUND ? PGW_BINDING_REQUIRE :
						      PGW_BINDING_DISABLE,
		.binding = pgw_tls_binding(w->client),
		.max_iterations = 8,
	};
}

static void converse(struct world *w, struct pgw_view words)
{
	struct pgw_login login = login_for(w);
	size_t piece = w->flags & PIECES ? 61 : 4096;

	must(login.binding.n == 32);
	must(pgw_session_start(&w->session, &login, &w->err));
	if (!speak(w))
		return;
	w->said = words;
	for (size_t i = 0; i < ROUNDS && words.n > 0; i++) {
		size_t n = words.n < piece ? words.n : piece;

		surprise(w);
		(void)SSL_write(w->server, words.p, (int)n);
		words.p += n;
		words.n -= n;
		if (!listen_to(w))
			return;
	}
	if (w->flags & FAREWELL)
		(void)SSL_shutdown(w->server);
	(void)listen_to(w);
}

/* ---- a login */

static void put_auth(struct pgw_buf *out, uint32_t kind, const void *data,
		     size_t n)
{
	pgw_buf_put_u8(out, 'R');
	pgw_buf_put_u32(out, (uint32_t)(8 + n));
	pgw_buf_put_u32(out, kind);
	pgw_buf_put(out, data, n);
}

/* What the login is bound to, as it must come from us. */
static void put_binding(const struct world *w, struct pgw_buf *out)
{
	static const char bound[] = "p=tls-server-end-point,,";
	unsigned char data[128], text[200];
	struct pgw_view end = pgw_tls_binding(w->client);
	size_t n = sizeof(bound) - 1;

	if (!(w->flags & BOUND)) {
		pgw_buf_put_text(out, "biws"); /* n,, */
		return;
	}
	memcpy(data, bound, n);
	memcpy(data + n, end.p, end.n);
	if (w->hides & OTHER_TLS)
		data[n] ^= 1;
	n = (size_t)EVP_EncodeBlock(text, data, (int)(n + end.n));
	pgw_buf_put(out, text, n);
}

static void hmac(const void *key, size_t n, struct pgw_view data,
		 unsigned char out[32])
{
	must(HMAC(EVP_sha256(), key, (int)n, data.p, data.n, out, NULL));
}

/* "v=" and the signature of one who knows the password, or another. */
static void put_signature(const struct world *w, struct pgw_buf *out)
{
	const char *password = w->hides & OTHER_PASSWORD ? "other" : "secret";
	unsigned char key[32], text[64];
	struct pgw_buf all;

	pgw_buf_init(&all, WORDS_MAX);
	pgw_buf_put_text(&all, "n=,r=" NONCE "," CHALLENGE ",c=");
	put_binding(w, &all);
	pgw_buf_put_text(&all, ",r=" NONCE "server");
	must(PKCS5_PBKDF2_HMAC(password, -1, (const unsigned char *)"salt", 4,
			       4, EVP_sha256(), 32, key) == 1);
	hmac(key, 32, pgw_view_of("Server Key"), key);
	hmac(key, 32, pgw_buf_view(&all), key);
	pgw_buf_release(&all);
	pgw_buf_put_text(out, "v=");
	pgw_buf_put(out, text, (size_t)EVP_EncodeBlock(text, key, 32));
}

static void put_login(const struct world *w, struct pgw_buf *out)
{
	static const char offer[] = "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0";
	size_t skipped = w->hides & NO_PLUS ? strlen(offer) + 1 : 0;
	struct pgw_buf final;

	pgw_buf_init(&final, WORDS_MAX);
	put_signature(w, &final);
	put_auth(out, 10, offer + skipped, sizeof(offer) - skipped);
	put_auth(out, 11, CHALLENGE, strlen(CHALLENGE));
	put_auth(out, 12, final.data, final.len);
	put_auth(out, 0, "", 0);
	pgw_buf_release(&final);
}

/* Who does not know all is not believed; and who does is. */
static void check_login(const struct world *w)
{
	bool bound = w->flags & BOUND;
	bool true_one = !(w->hides & OTHER_PASSWORD) &&
			!(bound && w->hides & (OTHER_TLS | NO_PLUS));

	must(true_one || !w->session.scram.verified);
	if (!true_one || w->change != 0 || w->flags & UPDATES)
		return;
	must(w->session.scram.verified && w->session.bound == bound);
	must(w->session.method == PGW_AUTH_SCRAM);
}

static void log_in(struct world *w, struct pgw_view behind)
{
	struct pgw_buf words;

	pgw_buf_init(&words, WORDS_MAX);
	if (behind.n > 0) {
		w->hides = *behind.p++;
		behind.n--;
	}
	put_login(w, &words);
	pgw_buf_put(&words, behind.p, behind.n);
	must(!words.failed);
	converse(w, pgw_buf_view(&words));
	check_login(w);
	pgw_buf_release(&words);
}

static void instead_of_tls(struct world *w, struct pgw_view bytes)
{
	size_t piece = w->flags & PIECES ? 3 : 4096;
	bool done = false, ok = true;

	while (ok && bytes.n > 0) {
		size_t n = bytes.n < piece ? bytes.n : piece;

		ok = pgw_tls_handshake(w->client, &done, &w->err);
		to_server(w);
		ok = ok && pgw_tls_feed(w->client, bytes.p, n, &w->err);
		bytes.p += n;
		bytes.n -= n;
	}
	if (ok)
		(void)!pgw_tls_handshake(w->client, &done, &w->err);
	/* Nobody finds by chance what a server must sign. */
	must(!done);
	to_server(w);
}

/* An error of TLS is made of our words and of names in certificates. */
static void check_error(const struct pgw_err *err)
{
	if (err->code != PGW_E_TLS)
		return;
	for (const char *p = err->msg; *p; p++)
		must(*p >= ' ' && *p <= '~');
}

static void play(struct world *w, const uint8_t *data, size_t size)
{
	if (w->flags & RAW) {
		instead_of_tls(w, (struct pgw_view){ data, size });
		return;
	}
	start_server(w);
	if (size < 3)
		return;
	w->change_at = (size_t)data[0] << 8 | data[1];
	w->change = data[2];
	if (handshake(w)) {
		struct pgw_view words = { data + 3, size - 3 };

		must(!(w->flags & DIRECT));
		if (w->flags & LETS_IN)
			log_in(w, words);
		else
			converse(w, words);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char host[] = "localhost";
	struct world w = { .flags = 0 };

	if (size == 0)
		return 0;
	w.host.host = host;
	w.flags = data[0];
	w.host.host = host;
	w.cfg.sslmode = PGW_SSL_REQUIRE;
	w.cfg.ssl_direct = w.flags & DIRECT;
	w.cfg.tls.version_min = TLS1_2_VERSION;
	w.cfg.tls.sni = true;
	must(pgw_tls_new(&w.client, &w.cfg, &w.host, &w.err));
	pgw_session_init(&w.session, NULL);
	play(&w, data + 1, size - 1);
	check_error(&w.err);
	pgw_tls_bye(w.client);
	pgw_session_release(&w.session);
	pgw_tls_free(w.client);
	SSL_free(w.server);
	ERR_clear_error();
	return 0;
}
