/* SPDX-License-Identifier: MIT */
/* Logging in over an open socket. */
#include <config.h>

#include "base64.h"
#include "conn_inner.h"
#include "dial.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What a login borrows. */
struct secrets {
	char nonce[PGW_SCRAM_NONCE_SIZE];
	unsigned char client_key[PGW_SHA256_LEN], server_key[PGW_SHA256_LEN];
};

static bool go_on(void *ctx, struct pgw_err *err)
{
	const struct pgw_conn *c = ctx;

	if (pgw_clock_ms() < c->link.sock.deadline)
		return true;
	return pgw_fail(err, PGW_E_TIMEOUT, "timed out");
}

#define STARTUP_PARAMS_MAX 16

static void startup_params(const struct pgw_config *cfg,
			   const char *out[STARTUP_PARAMS_MAX])
{
	const struct {
		const char *name, *value;
	} all[] = {
		{ "client_encoding", "UTF8" },
		{ "application_name", cfg->application_name },
		{ "options", cfg->options },
		{ "datestyle", cfg->datestyle },
		{ "timezone", cfg->timezone },
		{ "geqo", cfg->geqo },
	};

	size_t n = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!all[i].value || !all[i].value[0])
			continue;
		out[n++] = all[i].name;
		out[n++] = all[i].value;
	}
	out[n] = NULL;
}

/* Nobody can overhear it, or the user said that it does not matter. */
static bool cleartext_allowed(const struct pgw_conn *c)
{
	const struct pgw_config *cfg = c->cfg;

	if (c->link.tls || pgw_addr_private(&c->addr))
		return true;
	if (cfg->require_auth_given && (cfg->require_auth & PGW_AUTH_PASSWORD))
		return true;
	return cfg->sslmode_given && cfg->sslmode <= PGW_SSL_ALLOW;
}

/* The settings were checked before: a key that is there has its size. */
static bool read_key(const struct pgw_setting *set,
		     unsigned char out[PGW_SHA256_LEN], bool *given,
		     struct pgw_err *err)
{
	struct pgw_buf key;
	bool ok;

	*given = set->value != NULL;
	if (!*given)
		return true;
	pgw_buf_init(&key, PGW_SHA256_LEN);
	ok = pgw_base64_decode(&key, pgw_view_of(set->value)) &&
	     key.len == PGW_SHA256_LEN;
	if (ok)
		memcpy(out, key.data, PGW_SHA256_LEN);
	else
		pgw_fail(err, PGW_E_NOMEM, "no memory to log in");
	pgw_buf_release(&key);
	return ok;
}

static bool read_secrets(const struct pgw_config *cfg, struct secrets *own,
			 struct pgw_login *login, struct pgw_err *err)
{
	const struct pgw_setting *set = cfg->raw.set;
	bool client, server;

	if (!pgw_scram_nonce(own->nonce, err) ||
	    !read_key(&set[PGW_KW_scram_client_key], own->client_key, &client,
		      err) ||
	    !read_key(&set[PGW_KW_scram_server_key], own->server_key, &server,
		      err))
		return false;
	login->nonce = own->nonce;
	login->client_key = client ? own->client_key : NULL;
	login->server_key = server ? own->server_key : NULL;
	return true;
}

/* All that we send is UTF-8, whatever the server makes of our wish. */
static bool speaks_utf8(const struct pgw_server *server)
{
	static const char *const names[] = { "", "UTF8", "UTF-8", "UNICODE" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(server->encoding, names[i]) == 0)
			return true;
	return false;
}

bool pgw_conn_agrees(const struct pgw_conn *c, struct pgw_err *err)
{
	const struct pgw_server *server = &c->session.server;

	if (!speaks_utf8(server))
		return pgw_fail(err, PGW_E_UNSUPPORTED,
				"the server insists on client_encoding %s",
				server->encoding);
	if (strcmp(server->conforming, "off") != 0)
		return true;
	pgw_fail(err, PGW_E_UNSUPPORTED,
		 "standard_conforming_strings is off at the server: it would "
		 "read strings with backslashes in another way");
	return pgw_hint(err, "ALTER ROLE ... RESET standard_conforming_strings "
			     "(or ALTER DATABASE) makes it what it is by "
			     "default");
}

static bool exchange(struct pgw_conn *c, const struct pgw_login *login,
		     struct pgw_err *err)
{
	if (!pgw_session_start(&c->session, login, err))
		return false;
	while (c->session.state != PGW_IDLE)
		if (!pgw_conn_move(c, err))
			return false;
	return pgw_conn_agrees(c, err);
}

static bool is_state(const struct pgw_err *err, const char *state)
{
	return strcmp(err->sqlstate, state) == 0;
}

static void explain_login(const struct pgw_conn *c, struct pgw_err *err)
{
	if (is_state(err, "28P01") && c->host->from_passfile &&
	    c->cfg->passfile)
		pgw_hint(err, "the password is the one in %s",
			 c->cfg->passfile);
	else if (is_state(err, "28000") && c->link.tls &&
		 c->cfg->sslmode <= PGW_SSL_PREFER)
		pgw_hint(err, "that was with TLS, and it is not tried again "
			      "without; if the server wants none, say "
			      "sslmode=disable");
	else if (is_state(err, "28000") && !c->link.tls && !c->host->local)
		pgw_hint(err, "that was without TLS; if the server wants it, "
			      "say sslmode=require or verify-full");
}

bool pgw_conn_log_in(struct pgw_conn *c, struct pgw_err *err)
{
	const char *params[STARTUP_PARAMS_MAX];
	struct secrets own = { 0 };
	struct pgw_login login = {
		.user = c->cfg->user,
		.database = c->cfg->dbname,
		.params = params,
		.password = c->host->password,
		.protocol = c->cfg->protocol_max,
		.protocol_min = c->cfg->protocol_min,
		.require_auth = c->cfg->require_auth,
		.cleartext_allowed = cleartext_allowed(c),
		.strict = c->cfg->sslmode >= PGW_SSL_REQUIRE ||
			  c->cfg->channel_binding == PGW_BINDING_REQUIRE ||
			  c->cfg->require_auth == PGW_AUTH_SCRAM,
		.encrypted = c->link.tls != NULL,
		.channel_binding = c->cfg->channel_binding,
		.max_iterations = c->cfg->max_iterations,
		.go_on = go_on,
		.ctx = c,
	};
	bool ok;

	if (c->link.tls) {
		login.verified = pgw_tls_facts(c->link.tls)->named;
		login.binding = pgw_tls_binding(c->link.tls);
	}
	startup_params(c->cfg, params);
	ok = read_secrets(c->cfg, &own, &login, err) &&
	     exchange(c, &login, err);
	pgw_wipe(&own, sizeof(own));
	if (!ok)
		explain_login(c, err);
	return ok;
}
