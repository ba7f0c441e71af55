/* SPDX-License-Identifier: MIT */
/* Who is at the other end, and agreeing on TLS, before anything else. */
#include <config.h>

#include "conn_inner.h"
#include "outside.h"

#include <stdio.h>
#include <string.h>

bool pgw_conn_is_peer(const struct pgw_conn *c, const struct pgw_sock *k,
		      struct pgw_err *err)
{
	const char *wanted = c->cfg->requirepeer;
	struct pgw_buf name;
	char number[16];
	unsigned uid;
	bool same;

	if (!wanted || !c->host->local)
		return true;
	if (!pgw_sock_peer_uid(k, &uid, err))
		return false;
	snprintf(number, sizeof(number), "%u", uid);
	pgw_buf_init(&name, 4096);
	pgw_user_name(uid, &name);
	same = strcmp(wanted, number) == 0 ||
	       pgw_view_is(pgw_buf_view(&name), wanted);
	if (!same)
		pgw_fail(err, PGW_E_AUTH,
			 "requirepeer asks for %s, but the server runs as uid "
			 "%s%s%.*s%s",
			 wanted, number, name.len ? " (" : "", (int)name.len,
			 name.len ? (const char *)name.data : "",
			 name.len ? ")" : "");
	pgw_buf_release(&name);
	return same;
}

static void trace(const struct pgw_conn *c, const char *line)
{
	if (c->hooks.trace)
		c->hooks.trace(c->hooks.ctx, line);
}

static void trace_answer(const struct pgw_conn *c, unsigned char answer)
{
	char line[32];

	snprintf(line, sizeof(line), "B ssl_answer 0x%02x", answer);
	trace(c, line);
}

static bool ask(struct pgw_link *l, char *answer, struct pgw_err *err)
{
	struct pgw_buf request;
	ssize_t n = -1;

	pgw_buf_init(&request, 64);
	pgw_ssl_request(&request);
	/* One byte: nothing that was sent before the handshake is ever used. */
	if (request.failed)
		pgw_fail(err, PGW_E_NOMEM, "no memory to connect");
	else if (pgw_link_write(l, pgw_buf_view(&request), err))
		n = pgw_sock_read(&l->sock, answer, 1, err);
	pgw_buf_release(&request);
	l->asked = false;
	l->round_trips++;
	if (n == 0) {
		pgw_fail(err, PGW_E_CLOSED,
			 "the server closed the connection when it was asked "
			 "for TLS");
		pgw_hint(err, "is it a PostgreSQL server, and does it let this "
			      "address in?");
	}
	return n > 0;
}

static bool without(const struct pgw_conn *c, struct pgw_link *l,
		    struct pgw_err *err)
{
	if (c->cfg->sslmode >= PGW_SSL_REQUIRE) {
		pgw_fail(err, PGW_E_TLS,
			 "the server does not have TLS, which sslmode=%s asks "
			 "for",
			 pgw_sslmode_name(c->cfg->sslmode));
		return pgw_hint(err,
				"turn on ssl at the server; over a network "
				"that nobody else can reach "
				"sslmode=disable would do");
	}
	if (c->cfg->channel_binding == PGW_BINDING_REQUIRE)
		return pgw_fail(err, PGW_E_TLS,
				"channel_binding=require needs TLS, and the "
				"server has none");
	return !pgw_sock_has_input(&l->sock) ||
	       pgw_fail(err, PGW_E_PROTOCOL,
			"the server went on talking before it was asked "
			"anything; somebody may be in between");
}

/* What the settings name was read before, or is now. */
static bool shake_hands(struct pgw_conn *c, struct pgw_link *l,
			struct pgw_err *err)
{
	struct pgw_tls *tls = c->prepared;

	c->prepared = NULL;
	return (tls || pgw_tls_new(&tls, c->cfg, c->host, err)) &&
	       pgw_link_secure(l, tls, err);
}

/* What came with the answer was not encrypted, whoever sent it. */
static bool with(struct pgw_conn *c, struct pgw_link *l, struct pgw_err *err)
{
	if (pgw_sock_has_input(&l->sock))
		return pgw_fail(err, PGW_E_PROTOCOL,
				"the server sent data before TLS; somebody may "
				"be in between");
	return shake_hands(c, l, err);
}

/* sslnegotiation=direct */
static bool at_once(struct pgw_conn *c, struct pgw_link *l, struct pgw_err *err)
{
	if (shake_hands(c, l, err))
		return true;
	if (err->code == PGW_E_CLOSED)
		pgw_hint(err, "servers before 17 do not know "
			      "sslnegotiation=direct: say "
			      "sslnegotiation=postgres, or nothing");
	return false;
}

/*
 * A file that cannot be used is a wrong setting, which is said before anything
 * is sent.  Where TLS is a mere wish and no file is named, OpenSSL can wait.
 */
bool pgw_conn_prepare(struct pgw_conn *c, struct pgw_err *err)
{
	const struct pgw_tls_settings *s = &c->cfg->tls;
	bool named = s->root_given || s->crl_given || s->crl_dir ||
		     s->cert_given || s->key_given || s->key_log;

	pgw_tls_free(c->prepared);
	c->prepared = NULL;
	if (c->host->local || c->cfg->sslmode == PGW_SSL_DISABLE ||
	    (c->cfg->sslmode < PGW_SSL_REQUIRE && !named))
		return true;
	return pgw_tls_new(&c->prepared, c->cfg, c->host, err);
}

bool pgw_conn_secure(struct pgw_conn *c, struct pgw_link *l, bool *offered,
		     struct pgw_err *err)
{
	char answer;

	*offered = true;
	if (c->cfg->ssl_direct)
		return at_once(c, l, err);
	trace(c, "F ssl_request");
	if (!ask(l, &answer, err))
		return false;
	trace_answer(c, (unsigned char)answer);
	switch (answer) {
	case 'S':
		return with(c, l, err);
	case 'N':
		*offered = false;
		return without(c, l, err);
	case 'E':
		/* What it says is nobody's word yet: CVE-2024-10977. */
		return pgw_fail(err, PGW_E_PROTOCOL,
				"the server answered with an error when it was "
				"asked for TLS");
	default:
		return pgw_fail(err, PGW_E_PROTOCOL,
				"this is not a PostgreSQL server: it answered "
				"with byte 0x%02x when it was asked for TLS",
				(unsigned char)answer);
	}
}
