/* SPDX-License-Identifier: MIT */
/* Finding a server among the hosts. */
#include <config.h>

#include "conn_inner.h"
#include "dial.h"
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Who is at the other end, as far as the settings want to know. */
static bool secure(struct pgw_conn *c, struct pgw_err *err)
{
	int64_t start = pgw_clock_us();
	bool offered = true;

	if (!pgw_conn_is_peer(c, &c->link.sock, err))
		return false;
	if (!c->with_tls)
		return true;
	if (!pgw_conn_secure(c, &c->link, &offered, err))
		return false;
	c->timing.tls_us = pgw_clock_us() - start;
	return true;
}

/* Encrypted, but to whom?  Whoever asked for TLS may think that it tells. */
static void warn_of_strangers(const struct pgw_conn *c)
{
	if (c->hooks.warning && c->link.tls && !pgw_conn_bound(c) &&
	    !pgw_tls_facts(c->link.tls)->verified && c->cfg->sslmode_given)
		c->hooks.warning(c->hooks.ctx,
				 "the connection is encrypted, but nobody has "
				 "checked who the server is; "
				 "sslmode=verify-full does");
}

static enum attempt use_socket(struct pgw_conn *c, enum pgw_target target,
			       struct pgw_err *err)
{
	enum attempt result = FAILED;
	int64_t start;

	c->dials++;
	if (secure(c, err)) {
		start = pgw_clock_us();
		if (pgw_conn_log_in(c, err)) {
			c->timing.auth_us = pgw_clock_us() - start;
			result = check_target(c, target, err);
		}
	}
	if (result == TAKEN) {
		warn_of_strangers(c);
		return TAKEN;
	}
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

/* A server that takes nobody without TLS may take us with it. */
static bool worth_tls(const struct pgw_conn *c, const struct pgw_err *err)
{
	return !c->with_tls && !c->host->local &&
	       c->cfg->sslmode == PGW_SSL_ALLOW && err->code == PGW_E_SERVER &&
	       !pgw_err_passes(err);
}

/*
 * The one that answers first, of those that have not been tried.  TLS is never
 * used over a Unix socket.  Only sslmode=allow has a second try, with TLS
 * after one without.  The other way round, whoever can make TLS fail could
 * have the password.
 */
static enum attempt try_address(struct pgw_conn *c, struct pgw_race *race,
				enum pgw_target target, struct pgw_err *err)
{
	int64_t start = pgw_clock_us();
	enum attempt result;

	if (!pgw_race_run(race, &c->link.sock, &c->addr, err))
		return FAILED;
	pgw_addr_text(&c->addr, c->address, sizeof(c->address));
	c->timing.dial_us = pgw_clock_us() - start;
	c->with_tls = !c->host->local && c->cfg->sslmode >= PGW_SSL_PREFER;
	result = use_socket(c, target, err);
	if (result == FAILED && worth_tls(c, err)) {
		c->with_tls = true;
		if (!pgw_sock_open(&c->link.sock, &c->addr, &race->tcp, err))
			return FAILED;
		result = use_socket(c, target, err);
	}
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
	} while (pgw_race_goes_on(&race) &&
		 pgw_clock_ms() < c->link.sock.deadline);
	return false;
}

static bool try_host(struct pgw_conn *c, enum pgw_target target,
		     struct pgw_err *err)
{
	uint32_t timeout = c->cfg->connect_timeout_ms;
	int64_t start = pgw_clock_us();
	struct pgw_addrs addrs = { .n = 0 };

	c->link.sock.deadline = timeout ? pgw_clock_ms() + timeout :
					  PGW_FOREVER;
	if (c->link.sock.deadline > c->limit)
		c->link.sock.deadline = c->limit;
	if (!pgw_conn_prepare(c, err) ||
	    !pgw_dial_addresses(&addrs, c->host, c->link.sock.interrupt_fd,
				c->link.sock.deadline, err))
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
			c->link.sock.deadline = PGW_FOREVER;
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
	c->link.sock = (struct pgw_sock){
		.fd = -1,
		.interrupt_fd = options->interrupt_fd,
	};
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
