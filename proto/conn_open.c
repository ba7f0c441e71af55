/* SPDX-License-Identifier: MIT */
/* Finding a server among the hosts, and logging in to it. */
#include <config.h>

#include "base64.h"
#include "conn_inner.h"
#include "dial.h"
#include "outside.h"
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what the settings ask for and we cannot give */

static bool needs_tls(const char *what, const char *value, struct pgw_err *err)
{
	pgw_fail(err, PGW_E_UNSUPPORTED,
		 "%s%s needs TLS, which this version does not have yet", what,
		 value);
	return pgw_hint(err, "connect through a Unix socket or a local tunnel, "
			     "with sslmode=disable");
}

/* Who names a certificate does not expect to go without any. */
static bool without_certificates(const struct pgw_config *cfg,
				 struct pgw_err *err)
{
	static const struct {
		enum pgw_keyword keyword;
		const char *name;
	} rows[] = {
		{ PGW_KW_sslcert, "sslcert" },
		{ PGW_KW_sslkey, "sslkey" },
		{ PGW_KW_sslrootcert, "sslrootcert" },
		{ PGW_KW_sslcrl, "sslcrl" },
		{ PGW_KW_sslcrldir, "sslcrldir" },
	};

	const char *mode = cfg->raw.set[PGW_KW_sslcertmode].value;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *value = cfg->raw.set[rows[i].keyword].value;

		if (value && value[0])
			return needs_tls(rows[i].name, "", err);
	}
	if (mode && strcmp(mode, "require") == 0)
		return needs_tls("sslcertmode=", mode, err);
	return true;
}

static bool possible_without_tls(const struct pgw_config *cfg,
				 const struct pgw_host *host,
				 struct pgw_err *err)
{
	static const char *const names[] = { "disable",	  "allow",
					     "prefer",	  "require",
					     "verify-ca", "verify-full" };

	if (cfg->channel_binding == PGW_BINDING_REQUIRE)
		return needs_tls("channel_binding=", "require", err);
	if (host->local || cfg->sslmode == PGW_SSL_DISABLE)
		return true;
	if (cfg->sslmode >= PGW_SSL_REQUIRE)
		return needs_tls("sslmode=", names[cfg->sslmode], err);
	return without_certificates(cfg, err);
}

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

/* ---- logging in */

/* What a login borrows. */
struct secrets {
	char nonce[PGW_SCRAM_NONCE_SIZE];
	unsigned char client_key[PGW_SHA256_LEN], server_key[PGW_SHA256_LEN];
};

static bool go_on(void *ctx, struct pgw_err *err)
{
	const struct pgw_conn *c = ctx;

	if (pgw_clock_ms() < c->sock.deadline)
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

	if (pgw_addr_private(&c->addr))
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
static bool speaks_utf8(const struct pgw_server *server, struct pgw_err *err)
{
	static const char *const names[] = { "", "UTF8", "UTF-8", "UNICODE" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(server->encoding, names[i]) == 0)
			return true;
	return pgw_fail(err, PGW_E_UNSUPPORTED,
			"the server insists on client_encoding %s",
			server->encoding);
}

static bool exchange(struct pgw_conn *c, const struct pgw_login *login,
		     struct pgw_err *err)
{
	if (!pgw_session_start(&c->session, login, err))
		return false;
	while (c->session.state != PGW_IDLE)
		if (!pgw_conn_move(c, err))
			return false;
	return speaks_utf8(&c->session.server, err);
}

static bool log_in(struct pgw_conn *c, struct pgw_err *err)
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
		.max_iterations = c->cfg->max_iterations,
		.go_on = go_on,
		.ctx = c,
	};
	bool ok;

	startup_params(c->cfg, params);
	ok = read_secrets(c->cfg, &own, &login, err) &&
	     exchange(c, &login, err);
	pgw_wipe(&own, sizeof(own));
	if (!ok && strcmp(err->sqlstate, "28P01") == 0 &&
	    c->host->from_passfile && c->cfg->passfile)
		pgw_hint(err, "the password is the one in %s",
			 c->cfg->passfile);
	return ok;
}

/* ---- one server after the other */

enum attempt {
	TAKEN,
	FAILED,
	UNWANTED, /* it would take us, but is not what we look for */
};

static bool find_role(struct pgw_conn *c, struct pgw_role *role,
		      struct pgw_err *err)
{
	bool ok;

	pgw_conn_answers(c, pgw_target_row, NULL, role);
	ok = pgw_conn_query(c, pgw_target_sql, err);
	pgw_conn_answers(c, c->hooks.row, c->hooks.done, c->hooks.ctx);
	return ok;
}

static enum attempt check_target(struct pgw_conn *c, enum pgw_target target,
				 struct pgw_err *err)
{
	struct pgw_role role = { 0 };

	if (target == PGW_TARGET_ANY)
		return TAKEN;
	if (!find_role(c, &role, err))
		return FAILED;
	return pgw_target_check(&role, target, err) ? TAKEN : UNWANTED;
}

static enum attempt use_socket(struct pgw_conn *c, enum pgw_target target,
			       struct pgw_err *err)
{
	int64_t start = pgw_clock_us();
	enum attempt result = FAILED;

	c->round_trips++; /* TCP's own */
	if (pgw_conn_is_peer(c, &c->sock, err) && log_in(c, err)) {
		c->timing.auth_us = pgw_clock_us() - start;
		result = check_target(c, target, err);
	}
	if (result == TAKEN)
		return TAKEN;
	if (result == UNWANTED)
		pgw_wrap(err, "the server at %s", c->address);
	else if (err->code != PGW_E_SERVER || c->cfg->nhosts > 1)
		pgw_wrap(err, "%s", c->address);
	pgw_conn_reset(c);
	return result;
}

/* left is the number of addresses to try, this one included. */
static enum attempt try_address(struct pgw_conn *c, size_t left,
				enum pgw_target target, struct pgw_err *err)
{
	int64_t start = pgw_clock_us();

	pgw_addr_text(&c->addr, c->address, sizeof(c->address));
	if (!pgw_dial(&c->sock, &c->addr, left, c->cfg, err))
		return FAILED;
	c->timing.dial_us = pgw_clock_us() - start;
	return use_socket(c, target, err);
}

static bool make_order(const struct pgw_config *cfg, size_t *order, size_t n,
		       struct pgw_err *err)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	return !cfg->load_balance || pgw_shuffle(order, n, err);
}

static bool try_addresses(struct pgw_conn *c, const struct pgw_addrs *addrs,
			  enum pgw_target target, struct pgw_err *err)
{
	size_t order[PGW_ADDRS_MAX];

	if (!make_order(c->cfg, order, addrs->n, err))
		return false;
	pgw_fail(err, PGW_E_RESOLVE, "%s has no address", c->host->host);
	for (size_t i = 0; i < addrs->n; i++) {
		enum attempt result;

		c->addr = addrs->a[order[i]];
		result = try_address(c, addrs->n - i, target, err);
		if (result == TAKEN)
			return true;
		if (result == UNWANTED || !pgw_err_passes(err))
			return false;
	}
	return false;
}

static bool try_host(struct pgw_conn *c, enum pgw_target target,
		     struct pgw_err *err)
{
	uint32_t timeout = c->cfg->connect_timeout_ms;
	int64_t start = pgw_clock_us();
	struct pgw_addrs addrs = { .n = 0 };

	c->sock.deadline = timeout ? pgw_clock_ms() + timeout : PGW_FOREVER;
	if (!possible_without_tls(c->cfg, c->host, err) ||
	    !pgw_dial_addresses(&addrs, c->host, c->sock.interrupt_fd,
				c->sock.deadline, err))
		return false;
	c->timing.resolve_us = pgw_clock_us() - start;
	return try_addresses(c, &addrs, target, err);
}

/* What was wrong with each host; the last one's code, state and hint stay. */
static void put_all(struct pgw_err *err, char all[PGW_ERR_MAX])
{
	size_t used = strlen(all), room = PGW_ERR_MAX - 3 - used;

	if (used < PGW_ERR_MAX - 3)
		snprintf(all + used, room + 3, "%s%.*s", used ? "; " : "",
			 (int)room, err->msg);
	memcpy(err->msg, all, PGW_ERR_MAX);
}

static bool try_hosts(struct pgw_conn *c, const size_t *order,
		      enum pgw_target target, struct pgw_err *err)
{
	char all[PGW_ERR_MAX] = "";

	for (size_t i = 0; i < c->cfg->nhosts; i++) {
		c->host = &c->cfg->hosts[order[i]];
		if (try_host(c, target, err)) {
			c->sock.deadline = PGW_FOREVER;
			return true;
		}
		if (!pgw_err_passes(err))
			return false;
		put_all(err, all);
	}
	if (target != PGW_TARGET_ANY && !c->cfg->target_given)
		pgw_hint(err, "of several hosts one is looked for that can be "
			      "written to; target_session_attrs=any takes any");
	return false;
}

static bool find_server(struct pgw_conn *c, struct pgw_err *err)
{
	size_t *order = malloc(c->cfg->nhosts * sizeof(*order));
	bool ok;

	if (!order)
		return pgw_fail(err, PGW_E_NOMEM, "no memory to connect");
	ok = make_order(c->cfg, order, c->cfg->nhosts, err) &&
	     try_hosts(c, order, c->cfg->target, err);
	if (!ok && pgw_err_passes(err) &&
	    c->cfg->target == PGW_TARGET_PREFER_STANDBY)
		ok = try_hosts(c, order, PGW_TARGET_ANY, err);
	free(order);
	return ok;
}

bool pgw_connect(struct pgw_conn **out, const struct pgw_config *cfg,
		 const struct pgw_conn_options *options, struct pgw_err *err)
{
	struct pgw_conn *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return pgw_fail(err, PGW_E_NOMEM, "no memory to connect");
	c->cfg = cfg;
	c->hooks = options->hooks;
	c->sock = (struct pgw_sock){ .fd = -1,
				     .interrupt_fd = options->interrupt_fd };
	pgw_session_init(&c->session, NULL);
	pgw_conn_answers(c, options->hooks.row, options->hooks.done,
			 options->hooks.ctx);
	if (!find_server(c, err)) {
		pgw_conn_close(c);
		return false;
	}
	*out = c;
	return true;
}
