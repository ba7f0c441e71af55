/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "conn.h"

#include "base64.h"
#include "dial.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (64u << 10)      /* bytes read at once */
#define SEND_AHEAD (16u << 10) /* queued bytes before they are sent */
#define ADDRESS_TEXT 160

struct pgw_conn {
	const struct pgw_config *cfg;
	struct pgw_hooks hooks; /* notice and trace of the user */
	void (*row)(void *ctx, const struct pgw_row *row);
	void (*done)(void *ctx, const struct pgw_outcome *outcome);
	void *answers_ctx;
	struct pgw_session session;
	struct pgw_sock sock;
	struct pgw_addr addr;
	const struct pgw_host *host;
	struct pgw_timing timing;
	char address[ADDRESS_TEXT];
	char nonce[PGW_SCRAM_NONCE_LEN + 1];
	size_t round_trips;
	bool asked; /* something was sent since the last wait for an answer */
	struct pgw_err *failed; /* of pgw_conn_query: where its error goes */
	unsigned char chunk[CHUNK];
};

/* ---- hooks */

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct pgw_conn *c = ctx;

	c->row(c->answers_ctx, row);
}

static void on_notice(void *ctx, const struct pgw_diag *diag)
{
	struct pgw_conn *c = ctx;

	c->hooks.notice(c->hooks.ctx, diag);
}

static void on_trace(void *ctx, const char *line)
{
	struct pgw_conn *c = ctx;

	c->hooks.trace(c->hooks.ctx, line);
}

static void on_done(void *ctx, const struct pgw_outcome *outcome)
{
	struct pgw_conn *c = ctx;

	if (c->failed && c->failed->code == PGW_OK && !outcome->ok)
		pgw_diag_to_err(&outcome->diag, c->failed);
	if (c->done)
		c->done(c->answers_ctx, outcome);
}

static void set_hooks(struct pgw_conn *c)
{
	c->session.hooks = (struct pgw_hooks){
		.row = c->row ? on_row : NULL,
		.done = on_done,
		.notice = c->hooks.notice ? on_notice : NULL,
		.trace = c->hooks.trace ? on_trace : NULL,
		.ctx = c,
	};
}

void pgw_conn_answers(
	struct pgw_conn *c, void (*row)(void *ctx, const struct pgw_row *row),
	void (*done)(void *ctx, const struct pgw_outcome *outcome), void *ctx)
{
	c->row = row;
	c->done = done;
	c->answers_ctx = ctx;
	set_hooks(c);
}

/* ---- the pump */

static bool lost(struct pgw_conn *c, struct pgw_err *err)
{
	c->session.state = PGW_DEAD;
	pgw_fail(err, PGW_E_CLOSED,
		 c->session.outstanding > 0 ?
			 "the server closed the connection while it worked" :
			 "the server closed the connection");
	return false;
}

/* Wait until something can be moved, and move it. */
static bool move(struct pgw_conn *c, struct pgw_err *err)
{
	struct pgw_view out = pgw_session_out(&c->session);
	struct pgw_move m = { .in = c->chunk,
			      .room = sizeof(c->chunk),
			      .out = out.p,
			      .pending = out.n };

	if (c->asked && out.n == 0) {
		c->round_trips++;
		c->asked = false;
	}
	if (!pgw_sock_move(&c->sock, &m, err)) {
		if (err->code != PGW_E_TIMEOUT &&
		    err->code != PGW_E_INTERRUPTED)
			c->session.state = PGW_DEAD;
		return false;
	}
	if (m.put > 0) {
		pgw_session_sent(&c->session, m.put);
		c->asked = true;
	}
	if (m.got > 0 && !pgw_session_feed(&c->session, c->chunk, m.got, err))
		return false;
	return m.eof ? lost(c, err) : true;
}

/* Send what is queued until at most rest bytes of it are left. */
static bool flush(struct pgw_conn *c, size_t rest, struct pgw_err *err)
{
	while (pgw_session_out(&c->session).n > rest)
		if (!move(c, err))
			return false;
	return true;
}

bool pgw_conn_send(struct pgw_conn *c, struct pgw_view sql, struct pgw_err *err)
{
	return pgw_session_query(&c->session, sql, err) &&
	       flush(c, SEND_AHEAD, err);
}

bool pgw_conn_wait(struct pgw_conn *c, size_t unanswered, struct pgw_err *err)
{
	if (c->session.state == PGW_DEAD)
		return pgw_fail(err, PGW_E_CLOSED, "the connection is closed");
	while (c->session.outstanding > unanswered ||
	       pgw_session_out(&c->session).n > 0)
		if (!move(c, err))
			return false;
	return true;
}

bool pgw_conn_query(struct pgw_conn *c, const char *sql, struct pgw_err *err)
{
	bool ok;

	*err = (struct pgw_err){ 0 };
	c->failed = err;
	ok = pgw_session_query(&c->session, pgw_view_of(sql), err) &&
	     pgw_conn_wait(c, 0, err);
	c->failed = NULL;
	return ok && err->code == PGW_OK;
}

/* ---- connecting */

static bool go_on(void *ctx, struct pgw_err *err)
{
	const struct pgw_conn *c = ctx;

	if (pgw_clock_ms() < c->sock.deadline)
		return true;
	return pgw_fail(err, PGW_E_TIMEOUT, "timed out");
}

static bool make_nonce(struct pgw_conn *c, struct pgw_err *err)
{
	unsigned char random[PGW_SCRAM_NONCE_LEN / 4 * 3];
	struct pgw_buf text;
	bool ok;

	if (!pgw_random(random, sizeof(random), err))
		return false;
	pgw_buf_init(&text, sizeof(c->nonce));
	pgw_base64_encode(&text, (struct pgw_view){ random, sizeof(random) });
	pgw_buf_put_u8(&text, 0);
	ok = !text.failed && text.len == sizeof(c->nonce);
	if (ok)
		memcpy(c->nonce, text.data, sizeof(c->nonce));
	else
		pgw_fail(err, PGW_E_NOMEM, "no memory to log in");
	pgw_buf_release(&text);
	return ok;
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

static bool log_in(struct pgw_conn *c, struct pgw_err *err)
{
	const char *params[STARTUP_PARAMS_MAX];
	const struct pgw_login login = {
		.user = c->cfg->user,
		.database = c->cfg->dbname,
		.params = params,
		.password = c->host->password,
		.nonce = c->nonce,
		.protocol = PGW_PROTOCOL_3_0,
		.require_auth = c->cfg->require_auth,
		.cleartext_allowed = cleartext_allowed(c),
		.max_iterations = c->cfg->max_iterations,
		.go_on = go_on,
		.ctx = c,
	};

	startup_params(c->cfg, params);
	if (!make_nonce(c, err) || !pgw_session_start(&c->session, &login, err))
		return false;
	while (c->session.state != PGW_IDLE)
		if (!move(c, err))
			return false;
	return true;
}

static bool not_without_tls(const struct pgw_conn *c, struct pgw_err *err)
{
	static const char *const names[] = { "disable",	  "allow",
					     "prefer",	  "require",
					     "verify-ca", "verify-full" };

	if (c->host->local || c->cfg->sslmode < PGW_SSL_REQUIRE)
		return true;
	pgw_fail(err, PGW_E_UNSUPPORTED,
		 "sslmode=%s needs TLS, which this version does not have yet",
		 names[c->cfg->sslmode]);
	return pgw_hint(err, "connect through a Unix socket or a local tunnel, "
			     "with sslmode=disable");
}

static bool is_expected_peer(const struct pgw_conn *c, struct pgw_err *err)
{
	unsigned uid;
	char text[16];

	if (!c->cfg->requirepeer || !c->host->local)
		return true;
	if (!pgw_sock_peer_uid(&c->sock, &uid, err))
		return false;
	snprintf(text, sizeof(text), "%u", uid);
	if (strcmp(text, c->cfg->requirepeer) == 0)
		return true;
	return pgw_fail(err, PGW_E_AUTH,
			"requirepeer asks for %s, but the server runs as uid "
			"%s",
			c->cfg->requirepeer, text);
}

static void reset(struct pgw_conn *c)
{
	pgw_session_release(&c->session);
	pgw_session_init(&c->session, NULL);
	set_hooks(c);
	pgw_sock_close(&c->sock);
}

static bool try_address(struct pgw_conn *c, const struct pgw_addrs *addrs,
			size_t i, struct pgw_err *err)
{
	int64_t start = pgw_clock_us();

	c->addr = addrs->a[i];
	pgw_addr_text(&c->addr, c->address, sizeof(c->address));
	if (!pgw_dial(&c->sock, addrs, i, c->cfg, err))
		return false;
	c->timing.dial_us = pgw_clock_us() - start;
	start = pgw_clock_us();
	c->round_trips++; /* TCP's own */
	if (is_expected_peer(c, err) && log_in(c, err)) {
		c->timing.auth_us = pgw_clock_us() - start;
		return true;
	}
	if (err->code != PGW_E_SERVER)
		pgw_wrap(err, "%s", c->address);
	reset(c);
	return false;
}

static bool try_host(struct pgw_conn *c, const struct pgw_host *host,
		     struct pgw_err *err)
{
	uint32_t timeout = c->cfg->connect_timeout_ms;
	int64_t start = pgw_clock_us();
	struct pgw_addrs addrs = { .n = 0 };

	c->host = host;
	c->sock.deadline = timeout ? pgw_clock_ms() + timeout : PGW_FOREVER;
	if (!not_without_tls(c, err) ||
	    !pgw_dial_addresses(&addrs, host, c->sock.interrupt_fd,
				c->sock.deadline, err))
		return false;
	c->timing.resolve_us = pgw_clock_us() - start;
	for (size_t i = 0; i < addrs.n; i++) {
		if (try_address(c, &addrs, i, err))
			return true;
		if (!pgw_err_passes(err))
			return false;
	}
	if (addrs.n == 0)
		return pgw_fail(err, PGW_E_RESOLVE, "%s has no address",
				host->host);
	return false;
}

static bool try_hosts(struct pgw_conn *c, struct pgw_err *err)
{
	for (size_t i = 0; i < c->cfg->nhosts; i++) {
		if (try_host(c, &c->cfg->hosts[i], err)) {
			c->sock.deadline = PGW_FOREVER;
			return true;
		}
		if (!pgw_err_passes(err))
			return false;
	}
	return false;
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
	if (!try_hosts(c, err)) {
		pgw_conn_close(c);
		return false;
	}
	*out = c;
	return true;
}

static bool write_all(struct pgw_sock *k, struct pgw_view v,
		      struct pgw_err *err)
{
	while (v.n > 0) {
		ssize_t n = pgw_sock_write(k, v.p, v.n, err);

		if (n < 0)
			return false;
		v.p += n;
		v.n -= (size_t)n;
	}
	return true;
}

void pgw_conn_close(struct pgw_conn *c)
{
	struct pgw_err ignored;

	if (!c)
		return;
	c->sock.deadline = 0; /* say goodbye only if that takes no time */
	if (c->session.state == PGW_IDLE &&
	    pgw_session_terminate(&c->session, &ignored))
		(void)!write_all(&c->sock, pgw_session_out(&c->session),
				 &ignored);
	pgw_session_release(&c->session);
	pgw_sock_close(&c->sock);
	pgw_wipe(c->chunk, sizeof(c->chunk));
	free(c);
}

/* ---- cancelling */

static bool wait_for_eof(struct pgw_sock *k, struct pgw_err *err)
{
	char unused[64];
	ssize_t n;

	do
		n = pgw_sock_read(k, unused, sizeof(unused), err);
	while (n > 0);
	return n == 0;
}

bool pgw_conn_cancel(const struct pgw_conn *c, uint32_t timeout_ms,
		     struct pgw_err *err)
{
	struct pgw_sock k = { .fd = -1,
			      .interrupt_fd = -1,
			      .deadline = pgw_clock_ms() + timeout_ms };
	const struct pgw_tcp tcp = { 0 };
	struct pgw_buf request;
	bool ok;

	if (c->session.key.n == 0)
		return pgw_fail(err, PGW_E_UNSUPPORTED,
				"the server gave no key to cancel with");
	if (!pgw_sock_open(&k, &c->addr, &tcp, err))
		return false;
	pgw_buf_init(&request, 512);
	pgw_cancel_request(&request, &c->session.key);
	ok = !request.failed ? write_all(&k, pgw_buf_view(&request), err) :
			       pgw_fail(err, PGW_E_NOMEM, "no memory");
	ok = ok && wait_for_eof(&k, err);
	pgw_buf_release(&request);
	pgw_sock_close(&k);
	return ok;
}

/* ---- what can be asked */

void pgw_conn_deadline(struct pgw_conn *c, int64_t deadline)
{
	c->sock.deadline = deadline;
}

void pgw_conn_ignore_interrupt(struct pgw_conn *c)
{
	c->sock.interrupt_fd = -1;
}

bool pgw_conn_alive(const struct pgw_conn *c)
{
	return c->session.state == PGW_IDLE || c->session.state == PGW_BUSY;
}

size_t pgw_conn_outstanding(const struct pgw_conn *c)
{
	return c->session.outstanding;
}

char pgw_conn_txn(const struct pgw_conn *c)
{
	return c->session.txn;
}

size_t pgw_conn_round_trips(const struct pgw_conn *c)
{
	return c->round_trips;
}

const struct pgw_server *pgw_conn_server(const struct pgw_conn *c)
{
	return &c->session.server;
}

const struct pgw_host *pgw_conn_host(const struct pgw_conn *c)
{
	return c->host;
}

const char *pgw_conn_address(const struct pgw_conn *c)
{
	return c->address;
}

const struct pgw_timing *pgw_conn_timing(const struct pgw_conn *c)
{
	return &c->timing;
}

uint32_t pgw_conn_pid(const struct pgw_conn *c)
{
	return c->session.key.n ? c->session.key.pid : 0;
}

unsigned pgw_conn_auth(const struct pgw_conn *c)
{
	return c->session.method;
}
