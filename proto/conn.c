/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "conn.h"

#include "conn_inner.h"

#include <stdlib.h>

#define SEND_AHEAD (16u << 10) /* queued bytes before they are sent */
#define COPY_PIECE (32u << 10) /* of COPY data in a message */

/* ---- hooks */

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct pgw_conn *c = ctx;

	c->row(c->answers_ctx, row);
}

static void on_columns(void *ctx, const struct pgw_columns *columns)
{
	struct pgw_conn *c = ctx;

	c->columns(c->answers_ctx, columns);
}

static void on_copy(void *ctx, struct pgw_view data)
{
	struct pgw_conn *c = ctx;

	c->copy(c->answers_ctx, data);
}

static void on_notice(void *ctx, const struct pgw_diag *diag)
{
	struct pgw_conn *c = ctx;

	c->hooks.notice(c->hooks.ctx, diag);
}

static void on_warning(void *ctx, const char *text)
{
	struct pgw_conn *c = ctx;

	c->hooks.warning(c->hooks.ctx, text);
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
		.columns = c->columns ? on_columns : NULL,
		.copy = c->copy ? on_copy : NULL,
		.done = on_done,
		.notice = c->hooks.notice ? on_notice : NULL,
		.warning = c->hooks.warning ? on_warning : NULL,
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
	pgw_conn_results(c, NULL, NULL);
}

void pgw_conn_results(struct pgw_conn *c,
		      void (*columns)(void *ctx,
				      const struct pgw_columns *columns),
		      void (*copy)(void *ctx, struct pgw_view data))
{
	c->columns = columns;
	c->copy = copy;
	set_hooks(c);
}

/* ---- the pump */

static bool lost(struct pgw_conn *c, struct pgw_err *err)
{
	enum pgw_state state = c->session.state;

	c->session.state = PGW_DEAD;
	pgw_fail(err, PGW_E_CLOSED,
		 state > PGW_IDLE && state < PGW_DEAD ?
			 "the server closed the connection while it worked" :
			 "the server closed the connection");
	if (state == PGW_STARTUP)
		pgw_hint(err, "it did not say why: check host and port, and "
			      "whether it takes connections without TLS");
	return false;
}

static bool move(struct pgw_conn *c, struct pgw_err *err)
{
	struct pgw_view out = pgw_session_out(&c->session);
	struct pgw_move m = { .in = c->chunk,
			      .room = sizeof(c->chunk),
			      .out = out.p,
			      .pending = out.n };

	if (!pgw_link_move(&c->link, &m, err)) {
		if (err->code != PGW_E_TIMEOUT &&
		    err->code != PGW_E_INTERRUPTED)
			c->session.state = PGW_DEAD;
		return false;
	}
	pgw_session_sent(&c->session, m.put);
	if (m.got > 0 && !pgw_session_feed(&c->session, c->chunk, m.got, err))
		return false;
	return m.eof ? lost(c, err) : true;
}

bool pgw_conn_move(struct pgw_conn *c, struct pgw_err *err)
{
	if (move(c, err))
		return true;
	if (!pgw_conn_alive(c) && c->why.code == PGW_OK)
		c->why = *err;
	return false;
}

/* Send what is queued until at most rest bytes of it are left. */
static bool flush(struct pgw_conn *c, size_t rest, struct pgw_err *err)
{
	while (pgw_session_out(&c->session).n > rest)
		if (!pgw_conn_move(c, err))
			return false;
	return true;
}

static bool usable(const struct pgw_conn *c, struct pgw_err *err)
{
	if (pgw_conn_alive(c))
		return true;
	/* nobody may have heard why */
	return pgw_fail(err, PGW_E_CLOSED, "the connection is closed%s%s",
			c->why.code == PGW_OK ? "" : ": ",
			c->why.code == PGW_OK ? "" : c->why.msg);
}

bool pgw_conn_send(struct pgw_conn *c, struct pgw_view sql, struct pgw_err *err)
{
	return usable(c, err) && pgw_session_query(&c->session, sql, err) &&
	       flush(c, SEND_AHEAD, err);
}

bool pgw_conn_wait(struct pgw_conn *c, size_t unanswered, struct pgw_err *err)
{
	if (!usable(c, err))
		return false;
	while (c->session.outstanding > unanswered ||
	       pgw_session_out(&c->session).n > 0)
		if (!pgw_conn_move(c, err))
			return false;
	return true;
}

bool pgw_conn_query(struct pgw_conn *c, const char *sql, struct pgw_err *err)
{
	bool ok;

	*err = (struct pgw_err){ 0 };
	c->failed = err;
	ok = usable(c, err) && pgw_conn_agrees(c, err) &&
	     pgw_session_query(&c->session, pgw_view_of(sql), err) &&
	     pgw_conn_wait(c, 0, err);
	c->failed = NULL;
	return ok && err->code == PGW_OK;
}

/* Queue the next piece of *rest, pulling more when that is used up. */
static bool give(struct pgw_conn *c, struct pgw_view *rest,
		 const struct pgw_copy_source *from, struct pgw_err *err)
{
	struct pgw_err why = { 0 };
	struct pgw_view piece;

	if (rest->n == 0 && !from->pull(from->ctx, rest, &why))
		return pgw_session_give_up(&c->session, why.msg, err);
	if (rest->n == 0)
		return pgw_session_give_end(&c->session, err);
	piece = (struct pgw_view){ rest->p, rest->n < COPY_PIECE ? rest->n :
								   COPY_PIECE };
	rest->p += piece.n;
	rest->n -= piece.n;
	return pgw_session_give(&c->session, piece, err);
}

bool pgw_copy_view(void *ctx, struct pgw_view *data, struct pgw_err *err)
{
	struct pgw_view *all = ctx;

	(void)err;
	*data = *all;
	all->n = 0;
	return true;
}

bool pgw_conn_copy(struct pgw_conn *c, struct pgw_view sql,
		   const struct pgw_copy_source *from, struct pgw_err *err)
{
	struct pgw_view rest = { NULL, 0 };

	if (!pgw_conn_wait(c, 0, err) ||
	    !pgw_session_offer(&c->session, sql, err))
		return false;
	while (c->session.outstanding > 0 ||
	       pgw_session_out(&c->session).n > 0) {
		while (c->session.state == PGW_COPYING &&
		       pgw_session_out(&c->session).n <= SEND_AHEAD)
			if (!give(c, &rest, from, err))
				return false;
		if (!pgw_conn_move(c, err))
			return false;
	}
	return true;
}

/* ---- closing */

/* Whoever interrupted us does not wait for this. */
static void say_goodbye(struct pgw_conn *c)
{
	struct pgw_err ignored;

	if (c->session.state == PGW_IDLE &&
	    !pgw_session_terminate(&c->session, &ignored))
		return;
	if (c->session.state == PGW_IDLE || c->session.state == PGW_DEAD)
		pgw_link_bye(&c->link, pgw_session_out(&c->session));
}

void pgw_conn_reset(struct pgw_conn *c)
{
	say_goodbye(c);
	c->why.code = PGW_OK;
	pgw_session_release(&c->session);
	pgw_session_init(&c->session, NULL);
	set_hooks(c);
	pgw_link_close(&c->link);
}

void pgw_conn_close(struct pgw_conn *c)
{
	if (!c)
		return;
	pgw_conn_reset(c);
	pgw_tls_free(c->prepared);
	pgw_wipe(c->chunk, sizeof(c->chunk));
	free(c);
}

/* ---- cancelling */

/* The same address, asked in the same way: nobody overhears the key. */
static bool ask_to_cancel(struct pgw_conn *c, struct pgw_link *l,
			  struct pgw_view request, struct pgw_err *err)
{
	const struct pgw_tcp tcp = { 0 };
	bool secured = true;

	return pgw_sock_open(&l->sock, &c->addr, &tcp, err) &&
	       pgw_conn_is_peer(c, &l->sock, err) &&
	       (!c->link.tls || pgw_conn_secure(c, l, &secured, err)) &&
	       (secured ||
		pgw_fail(err, PGW_E_TLS, "the server has no TLS any more")) &&
	       pgw_link_write(l, request, err) && pgw_link_drain(l, err);
}

bool pgw_conn_cancel(struct pgw_conn *c, uint32_t timeout_ms,
		     struct pgw_err *err)
{
	struct pgw_link l = { .sock = { .fd = -1,
					.interrupt_fd = -1,
					.deadline = pgw_clock_ms() +
						    timeout_ms } };
	struct pgw_buf request;
	bool ok;

	if (c->session.key.n == 0)
		return pgw_fail(err, PGW_E_UNSUPPORTED,
				"the server gave no key to cancel with");
	pgw_buf_init(&request, sizeof(c->session.key) + 16);
	pgw_cancel_request(&request, &c->session.key);
	ok = request.failed ? pgw_fail(err, PGW_E_NOMEM, "no memory") :
			      ask_to_cancel(c, &l, pgw_buf_view(&request), err);
	pgw_buf_release(&request);
	pgw_link_close(&l);
	return ok;
}

/* ---- what can be asked */

void pgw_conn_deadline(struct pgw_conn *c, int64_t deadline)
{
	c->link.sock.deadline = deadline;
}

void pgw_conn_ignore_interrupt(struct pgw_conn *c)
{
	c->link.sock.interrupt_fd = -1;
}

bool pgw_conn_alive(const struct pgw_conn *c)
{
	return pgw_session_is_open(&c->session);
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
	return c->dials + c->link.round_trips;
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

const struct pgw_tls_facts *pgw_conn_tls(const struct pgw_conn *c)
{
	return c->link.tls ? pgw_tls_facts(c->link.tls) : NULL;
}

bool pgw_conn_bound(const struct pgw_conn *c)
{
	return c->session.bound;
}

unsigned pgw_conn_auth(const struct pgw_conn *c)
{
	return c->session.method;
}
