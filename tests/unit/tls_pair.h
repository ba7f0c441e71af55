/* SPDX-License-Identifier: MIT */
/* Our side of TLS and a server's by OpenSSL, with the bytes between them. */
#ifndef TLS_PAIR_H
#define TLS_PAIR_H

#include "conninfo.h"
#include "handshake.h"
#include "outside_fake.h"
#include "tls.h"

#define WORD 256 /* what the sides say to each other in most tests */

/* What the server is like; all zero is a careless one of today. */
struct server {
	const char *cert; /* NULL = server */
	int min, max;	  /* versions; 0 = any */
	bool asks;	  /* for a certificate of ours */
	bool insists;	  /* on having one that root or intermediate signed */
	const char *alpn; /* NULL = it knows no such thing */
};

struct pair {
	struct pgw_config cfg;
	struct pgw_tls *client; /* NULL when it could not be made */
	SSL_CTX *ctx;
	SSL *server;
	BIO *to_server, *to_client; /* the server's */
	size_t step;		    /* how many bytes come at a time; 0 = all */
	bool done, refused;	    /* refused: the client's err */
	struct pgw_err err;
};

/* %s is the folder of certificates. */
static inline struct pgw_config pair_config(const char *settings)
{
	struct fake f = { .user = "u" };
	struct pgw_outside o = fake_outside(&f);
	struct pgw_conninfo c;
	struct pgw_config cfg;
	struct pgw_err err = { 0 };
	char text[1024] = "";
	size_t n = 0;

	for (const char *p = settings; *p != '\0' && n < sizeof(text) - 80; p++)
		if (*p == '%')
			n += (size_t)sprintf(text + n, "%s", certs_dir);
		else
			text[n++] = *p;
	text[n] = '\0';
	pgw_conninfo_init(&c);
	ck_assert_msg(pgw_conninfo_parse(&c, text, &err) &&
			      pgw_conninfo_complete(&c, &o, &err) &&
			      pgw_config_settle(&cfg, &c, &o, &err),
		      "%s: %s", text, err.msg);
	pgw_conninfo_release(&c);
	return cfg;
}

/* NOLINTNEXTLINE(readability-function-size): the type is OpenSSL's */
static inline int pair_alpn(SSL *ssl, const unsigned char **out,
			    unsigned char *n, const unsigned char *in,
			    unsigned in_n, void *arg)
{
	const char *name = arg;

	(void)ssl;
	if (name[0] == '\0')
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	/* Whatever it was asked. */
	(void)in;
	(void)in_n;
	*out = (const unsigned char *)name;
	*n = (unsigned char)strlen(name);
	return SSL_TLSEXT_ERR_OK;
}

static inline int pair_any(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 1;
}

static inline SSL_CTX *pair_context(const struct server *s)
{
	SSL_CTX *ctx = server_context(s->cert ? s->cert : "server");

	union {
		const char *in;
		void *out;
	} alpn = { s->alpn };

	SSL_CTX_set_min_proto_version(ctx, s->min);
	SSL_CTX_set_max_proto_version(ctx, s->max);
	if (s->asks)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, pair_any);
	if (s->insists)
		SSL_CTX_set_verify(ctx,
				   SSL_VERIFY_PEER |
					   SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	ck_assert_int_eq(SSL_CTX_load_verify_file(ctx,
						  certs_path("root.crt").text),
			 1);
	if (s->alpn)
		SSL_CTX_set_alpn_select_cb(ctx, pair_alpn, alpn.out);
	return ctx;
}

/* The server's side alone. */
static inline void pair_serve(struct pair *p, const char *settings,
			      const struct server *s)
{
	*p = (struct pair){ .cfg = pair_config(settings) };
	p->ctx = pair_context(s);
	p->server = SSL_new(p->ctx);
	p->to_server = BIO_new(BIO_s_mem());
	p->to_client = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(p->to_server, -1);
	SSL_set_bio(p->server, p->to_server, p->to_client);
	SSL_set_accept_state(p->server);
}

/* In place: the session keeps where the configuration is. */
static inline void pair_start(struct pair *p, const char *settings,
			      const struct server *s)
{
	pair_serve(p, settings, s);
	p->refused = !pgw_tls_new(&p->client, &p->cfg, &p->cfg.hosts[0],
				  &p->err);
	ck_assert_int_eq(p->refused, p->client == NULL);
}

static inline void pair_end(struct pair *p)
{
	pgw_tls_free(p->client);
	SSL_free(p->server);
	SSL_CTX_free(p->ctx);
	pgw_config_release(&p->cfg);
	ERR_clear_error();
}

static inline void pair_to_server(struct pair *p)
{
	struct pgw_view v = pgw_tls_out(p->client);

	if (v.n == 0)
		return;
	ck_assert_int_eq(BIO_write(p->to_server, v.p, (int)v.n), (int)v.n);
	pgw_tls_sent(p->client, v.n);
}

/* Some of what the server has said; false when there is nothing. */
static inline bool pair_to_client(struct pair *p)
{
	unsigned char chunk[4096];
	size_t want = p->step > 0 && p->step < sizeof(chunk) ? p->step :
							       sizeof(chunk);
	int n = BIO_read(p->to_client, chunk, (int)want);

	if (n <= 0)
		return false;
	if (!pgw_tls_feed(p->client, chunk, (size_t)n, &p->err))
		p->refused = true;
	return true;
}

/* As far as it goes; p->done when both are content. */
static inline void pair_handshake(struct pair *p)
{
	bool moved = true, ok = false;

	while (moved && !p->refused) {
		if (!p->done &&
		    !pgw_tls_handshake(p->client, &p->done, &p->err))
			p->refused = true;
		moved = pgw_tls_out(p->client).n > 0;
		pair_to_server(p);
		ok = SSL_do_handshake(p->server) == 1;
		if (!p->refused)
			moved = pair_to_client(p) || moved;
	}
	ERR_clear_error();
	p->done = p->done && ok;
}

/* What the client gets of what the server has sent. */
static inline size_t pair_get(struct pair *p, char *out, size_t size)
{
	size_t n = 0, got = 1;

	while (!p->refused && (got > 0 || pair_to_client(p))) {
		if (!pgw_tls_get(p->client, out + n, size - n, &got, &p->err))
			p->refused = true;
		n += p->refused ? 0 : got;
		if (n == size || pgw_tls_over(p->client))
			break;
	}
	return n;
}

/* Whether both sides understand each other. */
static inline bool pair_talks(struct pair *p)
{
	char said[WORD], heard[WORD];
	size_t n = 0;

	memset(said, 'x', sizeof(said));
	if (!pgw_tls_put(p->client, said, sizeof(said), &p->err))
		return false;
	pair_to_server(p);
	if (SSL_read_ex(p->server, heard, sizeof(heard), &n) != 1 ||
	    n != sizeof(heard) || memcmp(said, heard, n) != 0)
		return false;
	memset(heard, 0, sizeof(heard));
	return SSL_write_ex(p->server, said, sizeof(said), &n) == 1 &&
	       pair_get(p, heard, sizeof(heard)) == sizeof(heard) &&
	       memcmp(said, heard, sizeof(said)) == 0;
}

#endif
