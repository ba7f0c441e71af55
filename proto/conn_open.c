/* SPDX-License-Identifier: MIT */
/* Finding a server among the hosts. */
#include <config.h>

#include "conn_inner.h"
#include "dial.h"
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

	if (cfg->channel_binding == PGW_BINDING_REQUIRE) {
		needs_tls("channel_binding=", "require", err);
		return pgw_hint(err, "say channel_binding=prefer if nobody "
				     "else can be on the way to the server");
	}
	if (host->local || cfg->sslmode == PGW_SSL_DISABLE)
		return true;
	if (cfg->sslmode >= PGW_SSL_REQUIRE)
		return needs_tls("sslmode=", names[cfg->sslmode], err);
	return without_certificates(cfg, err);
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
	if (pgw_target_check(&role, target, err))
		return TAKEN;
	if (!c->cfg->target_given)
		pgw_hint(err, "of several hosts one is looked for that can be "
			      "written to; target_session_attrs=any takes any");
	return UNWANTED;
}

static enum attempt use_socket(struct pgw_conn *c, enum pgw_target target,
			       struct pgw_err *err)
{
	int64_t start = pgw_clock_us();
	enum attempt result = FAILED;

	c->round_trips++; /* TCP's own */
	if (pgw_conn_is_peer(c, &c->sock, err) && pgw_conn_log_in(c, err)) {
		c->timing.auth_us = pgw_clock_us() - start;
		result = check_target(c, target, err);
	}
	if (result == TAKEN)
		return TAKEN;
	if (err->code != PGW_E_SERVER || c->cfg->nhosts > 1)
		pgw_wrap(err, "%s", c->address);
	pgw_conn_reset(c);
	return result;
}

/* What was wrong with each one; the last one's code, state and hint stay. */
static void put_all(struct pgw_err *err, char all[PGW_ERR_MAX])
{
	size_t used = strlen(all), room = PGW_ERR_MAX - 3 - used;

	if (used < PGW_ERR_MAX - 3)
		snprintf(all + used, room + 3, "%s%.*s", used ? "; " : "",
			 (int)room, err->msg);
	memcpy(err->msg, all, PGW_ERR_MAX);
}

/* The one that answers first, of those that have not been tried. */
static enum attempt try_address(struct pgw_conn *c, struct pgw_race *race,
				enum pgw_target target, struct pgw_err *err)
{
	int64_t start = pgw_clock_us();
	enum attempt result;

	if (!pgw_race_run(race, &c->sock, &c->addr, err))
		return FAILED;
	pgw_addr_text(&c->addr, c->address, sizeof(c->address));
	c->timing.dial_us = pgw_clock_us() - start;
	result = use_socket(c, target, err);
	if (result == FAILED && err->code == PGW_E_TIMEOUT && !err->hint[0])
		pgw_hint(err, "it takes the connection, but lets nobody in: a "
			      "pooler does so when its server is down");
	return result;
}

static bool try_addresses(struct pgw_conn *c, struct pgw_addrs *addrs,
			  enum pgw_target target, struct pgw_err *err)
{
	char all[PGW_ERR_MAX] = "";
	struct pgw_race race;

	if (!pgw_dial_race(&race, addrs, c->host, c->cfg, err))
		return false;
	do {
		enum attempt result = try_address(c, &race, target, err);

		if (result == TAKEN)
			return true;
		put_all(err, all);
		if (result == UNWANTED || !pgw_err_passes(err))
			return false;
	} while (pgw_race_goes_on(&race) && pgw_clock_ms() < c->sock.deadline);
	return false;
}

static bool try_host(struct pgw_conn *c, enum pgw_target target,
		     struct pgw_err *err)
{
	uint32_t timeout = c->cfg->connect_timeout_ms;
	int64_t start = pgw_clock_us();
	struct pgw_addrs addrs = { .n = 0 };

	c->sock.deadline = timeout ? pgw_clock_ms() + timeout : PGW_FOREVER;
	if (c->sock.deadline > c->limit)
		c->sock.deadline = c->limit;
	if (!possible_without_tls(c->cfg, c->host, err) ||
	    !pgw_dial_addresses(&addrs, c->host, c->sock.interrupt_fd,
				c->sock.deadline, err))
		return false;
	c->timing.resolve_us = pgw_clock_us() - start;
	return try_addresses(c, &addrs, target, err);
}

static bool make_order(const struct pgw_config *cfg, size_t *order, size_t n,
		       struct pgw_err *err)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	return !cfg->load_balance || pgw_shuffle(order, n, err);
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
		if (pgw_clock_ms() >= c->limit)
			return false;
	}
	return false;
}

static bool find_server(struct pgw_conn *c, struct pgw_err *err)
{
	size_t *order = calloc(c->cfg->nhosts, sizeof(*order));
	bool ok;

	if (!order)
		return pgw_fail(err, PGW_E_NOMEM, "no memory to connect");
	ok = make_order(c->cfg, order, c->cfg->nhosts, err) &&
	     try_hosts(c, order, c->cfg->target, err);
	if (!ok && pgw_err_passes(err) && pgw_clock_ms() < c->limit &&
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
	c->limit = options->deadline ? options->deadline : PGW_FOREVER;
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
