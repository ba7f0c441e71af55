/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tls.h"

#include "tls_inner.h"
#include "tls_own.h"
#include "tls_trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

/*
 * Servers up to 17 know P-256 alone by default: with its key share first, no
 * server has to ask for another one, which would cost a round trip.
 */
#define GROUPS "P-256:X25519:P-384:P-521"

/* What the server may make us queue: answers to its key updates, alerts. */
#define OUT_MAX (1u << 20)

static const unsigned char alpn[] = "\x0apostgresql";
#define ALPN_LEN (sizeof(alpn) - 1)

/* ---- making one */

static bool no_memory(struct pgw_err *err)
{
	return pgw_fail(err, PGW_E_NOMEM, "no memory for TLS");
}

/* The server asks for a certificate of ours: remember it, change nothing. */
static int on_asked(SSL *ssl, void *arg)
{
	struct pgw_tls *t = arg;

	(void)ssl;
	t->asked = true;
	return 1;
}

static void on_key_log(const SSL *ssl, const char *line)
{
	pgw_tls_log_keys(SSL_get_app_data(ssl), line);
}

/* Whether the settings want more than there are roots for. */
static bool settle_trust(struct pgw_tls *t, struct pgw_err *err)
{
	const struct pgw_tls_settings *s = &t->cfg->tls;

	if (t->cfg->sslmode < PGW_SSL_VERIFY_CA || t->roots)
		return true;
	pgw_fail(err, PGW_E_TLS, "sslmode=%s needs root certificates, and %s%s",
		 pgw_sslmode_name(t->cfg->sslmode),
		 s->root ? s->root : "there are none",
		 s->root ? " does not exist" : "");
	return pgw_hint(err, "name a file with sslrootcert=FILE, or take those "
			     "of the system with sslrootcert=system");
}

static bool make_context(struct pgw_tls *t, struct pgw_err *err)
{
	const struct pgw_tls_settings *s = &t->cfg->tls;
	char groups[] = GROUPS;
	SSL_CTX *ctx;

	if (!OPENSSL_init_ssl(s->shared ? 0 : OPENSSL_INIT_NO_LOAD_CONFIG,
			      NULL))
		return no_memory(err);
	ctx = t->ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx)
		return no_memory(err);
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_cert_cb(ctx, on_asked, t);
	if (s->key_log)
		SSL_CTX_set_keylog_callback(ctx, on_key_log);
	if (!SSL_CTX_set_min_proto_version(ctx, s->version_min) ||
	    !SSL_CTX_set_max_proto_version(ctx, s->version_max) ||
	    !SSL_CTX_set1_groups_list(ctx, groups) ||
	    SSL_CTX_set_alpn_protos(ctx, alpn, ALPN_LEN) != 0)
		return pgw_tls_fail(t, "TLS could not be set up", err);
	if (!pgw_tls_trust(ctx, s, &t->roots, err) || !settle_trust(t, err) ||
	    !pgw_tls_own(ctx, s, &t->own, err))
		return false;
	if (t->roots)
		pgw_tls_verify(ctx, &t->verdict);
	return true;
}

/* As libpq: anything of digits and dots, or with a colon, is no name. */
static bool is_name(const char *host)
{
	return host[0] != '\0' && strchr(host, ':') == NULL &&
	       host[strspn(host, "0123456789.")] != '\0';
}

static bool make_session(struct pgw_tls *t, struct pgw_err *err)
{
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	t->ssl = SSL_new(t->ctx);
	if (!t->ssl || !in || !out) {
		BIO_free(in);
		BIO_free(out);
		return no_memory(err);
	}
	BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(t->ssl, in, out);
	t->in = in;
	t->out = out;
	SSL_set_connect_state(t->ssl);
	if (!SSL_set_app_data(t->ssl, t))
		return no_memory(err);
	if (t->cfg->tls.sni && is_name(t->host->host) &&
	    !SSL_set_tlsext_host_name(t->ssl, t->host->host))
		return pgw_tls_fail(t,
				    "the name of the host cannot be asked "
				    "for (sslsni)",
				    err);
	return true;
}

bool pgw_tls_new(struct pgw_tls **out, const struct pgw_config *cfg,
		 const struct pgw_host *host, struct pgw_err *err)
{
	struct pgw_tls *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (!t)
		return no_memory(err);
	t->cfg = cfg;
	t->host = host;
	t->key_log_fd = -1;
	pgw_buf_init(&t->binding, EVP_MAX_MD_SIZE);
	ERR_clear_error();
	if (!pgw_tls_open_key_log(t, err) || !make_context(t, err) ||
	    !make_session(t, err)) {
		pgw_tls_free(t);
		return false;
	}
	*out = t;
	return true;
}

void pgw_tls_free(struct pgw_tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	pgw_buf_release(&t->binding);
	pgw_tls_close_key_log(t);
	free(t);
}

/* ---- the handshake */

static void note_peer(struct pgw_tls *t, X509 *cert)
{
	struct pgw_tls_facts *f = &t->facts;
	struct tm until;

	snprintf(f->version, sizeof(f->version), "%s", SSL_get_version(t->ssl));
	snprintf(f->cipher, sizeof(f->cipher), "%s",
		 SSL_get_cipher_name(t->ssl));
	pgw_tls_name_text(X509_get_subject_name(cert), f->subject);
	pgw_tls_name_text(X509_get_issuer_name(cert), f->issuer);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &until))
		strftime(f->until, sizeof(f->until), "%Y-%m-%dT%H:%M:%SZ",
			 &until);
	f->verified = t->roots;
	f->own = t->asked && t->own;
}

/* Direct TLS is no guess only when the other side says what it speaks. */
static bool check_alpn(struct pgw_tls *t, struct pgw_err *err)
{
	const unsigned char *name;
	unsigned n;

	SSL_get0_alpn_selected(t->ssl, &name, &n);
	t->facts.alpn = n == ALPN_LEN - 1 && memcmp(name, alpn + 1, n) == 0;
	if (t->facts.alpn || !t->cfg->ssl_direct)
		return true;
	pgw_fail(err, PGW_E_TLS,
		 "the server did not say that it speaks PostgreSQL's protocol "
		 "over TLS (ALPN), as sslnegotiation=direct needs");
	return pgw_hint(err, "is that a PostgreSQL server of version 17 or "
			     "newer? Others need sslnegotiation=postgres");
}

static bool check_own(const struct pgw_tls *t, struct pgw_err *err)
{
	if (t->cfg->tls.certmode != PGW_CERT_REQUIRE || t->facts.own)
		return true;
	if (!t->asked)
		return pgw_fail(err, PGW_E_TLS,
				"the server did not ask for a certificate of "
				"ours, as sslcertmode=require wants");
	pgw_fail(err, PGW_E_TLS,
		 "the server asked for a certificate of ours, and there is "
		 "none (sslcertmode=require)");
	return pgw_hint(err, "name it with sslcert=FILE and sslkey=FILE");
}

static bool check_peer(struct pgw_tls *t, X509 *cert, struct pgw_err *err)
{
	note_peer(t, cert);
	if (t->cfg->sslmode == PGW_SSL_VERIFY_FULL) {
		if (!pgw_tls_is_for(cert, t->host->host, err))
			return false;
		t->facts.named = true;
	}
	return check_alpn(t, err) && check_own(t, err) &&
	       pgw_tls_end_point(cert, &t->binding, err);
}

bool pgw_tls_handshake(struct pgw_tls *t, bool *done, struct pgw_err *err)
{
	X509 *cert;
	int result;
	bool ok;

	*done = false;
	ERR_clear_error();
	result = SSL_do_handshake(t->ssl);
	if (result != 1) {
		int why = SSL_get_error(t->ssl, result);

		return why == SSL_ERROR_WANT_READ ||
		       pgw_tls_fail(t, "the TLS handshake failed", err);
	}
	cert = SSL_get1_peer_certificate(t->ssl);
	if (!cert)
		return pgw_fail(err, PGW_E_TLS,
				"the server showed no certificate");
	ok = check_peer(t, cert, err);
	X509_free(cert);
	*done = ok;
	return ok;
}

/* ---- bytes */

bool pgw_tls_feed(struct pgw_tls *t, const void *data, size_t n,
		  struct pgw_err *err)
{
	size_t written = 0;

	if (pgw_tls_out(t).n > OUT_MAX)
		return pgw_fail(err, PGW_E_TLS,
				"the server wants more answers than it reads");
	return n == 0 ||
	       (BIO_write_ex(t->in, data, n, &written) == 1 && written == n) ||
	       no_memory(err);
}

struct pgw_view pgw_tls_out(const struct pgw_tls *t)
{
	char *data = NULL;
	long n = BIO_get_mem_data(t->out, &data);

	return (struct pgw_view){ data ? (unsigned char *)data + t->sent : NULL,
				  (size_t)n - t->sent };
}

void pgw_tls_sent(struct pgw_tls *t, size_t n)
{
	t->sent += n;
	if (pgw_tls_out(t).n > 0)
		return;
	(void)BIO_reset(t->out);
	t->sent = 0;
}

bool pgw_tls_put(struct pgw_tls *t, const void *data, size_t n,
		 struct pgw_err *err)
{
	size_t written;

	ERR_clear_error();
	return n == 0 || SSL_write_ex(t->ssl, data, n, &written) == 1 ||
	       pgw_tls_fail(t, "TLS could not send", err);
}

bool pgw_tls_get(struct pgw_tls *t, void *buf, size_t n, size_t *got,
		 struct pgw_err *err)
{
	*got = 0;
	ERR_clear_error();
	if (SSL_read_ex(t->ssl, buf, n, got) == 1)
		return true;
	switch (SSL_get_error(t->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
		return true;
	case SSL_ERROR_ZERO_RETURN:
		t->over = true;
		return true;
	default:
		return pgw_tls_fail(t, "the TLS connection broke", err);
	}
}

bool pgw_tls_over(const struct pgw_tls *t)
{
	return t->over;
}

void pgw_tls_bye(struct pgw_tls *t)
{
	ERR_clear_error();
	if (SSL_is_init_finished(t->ssl))
		(void)SSL_shutdown(t->ssl);
}

struct pgw_view pgw_tls_binding(const struct pgw_tls *t)
{
	return pgw_buf_view(&t->binding);
}

const struct pgw_tls_facts *pgw_tls_facts(const struct pgw_tls *t)
{
	return &t->facts;
}
