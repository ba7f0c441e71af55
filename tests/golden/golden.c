/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "golden.h"

#include "conninfo.h"

#include <stdio.h>
#include <string.h>

#define TRUSTED .user = "trusted", .database = "postgres"

/* The roles are made by record.sh. */
const struct golden goldens[] = {
	{ .name = "trust", TRUSTED },
	{ .name = "cleartext",
	  .user = "clear",
	  .database = "postgres",
	  .password = GOLDEN_PASSWORD },
	{ .name = "md5",
	  .user = "hashed",
	  .database = "postgres",
	  .password = GOLDEN_PASSWORD },
	{ .name = "scram",
	  .user = "salted",
	  .database = "postgres",
	  .password = GOLDEN_PASSWORD,
	  .sql = { "SELECT 1" } },
	{ .name = "scram-once", /* one iteration: for those who try often */
	  .user = "quick",
	  .database = "postgres",
	  .password = GOLDEN_PASSWORD,
	  .sql = { "SELECT 1", "SELECT 1/0",
		   "DO $$ BEGIN RAISE NOTICE 'hello'; END $$" } },
	{ .name = "scram-plus",
	  .user = "quick",
	  .database = "postgres",
	  .password = GOLDEN_PASSWORD,
	  .bound = true,
	  .sql = { "SELECT ssl FROM pg_stat_ssl WHERE pid = "
		   "pg_backend_pid()" } },
	{ .name = "wrong-password",
	  .user = "quick",
	  .database = "postgres",
	  .password = "wrong" },
	{ .name = "unknown-database",
	  .user = "trusted",
	  .database = "nowhere" },
	{ .name = "unknown-role", .user = "nobody", .database = "postgres" },
	{ .name = "protocol-3-2", TRUSTED, .protocol = PGW_PROTOCOL_3_2 },
	{ .name = "select",
	  TRUSTED,
	  .sql = { "SELECT 1, NULL, 'two'; SELECT '' WHERE false" } },
	{ .name = "statements",
	  TRUSTED,
	  .sql = { "CREATE TEMP TABLE t (n int); INSERT INTO t VALUES (1), "
		   "(2); SELECT 1/0; SELECT 2",
		   "SELECT '\xc3\xa9\xe2\x82\xac' FRM t" } },
	{ .name = "pipeline",
	  TRUSTED,
	  .pipelined = true,
	  .sql = { "BEGIN", "CREATE TEMP TABLE t (n int)", "SELECT 1/0",
		   "INSERT INTO t VALUES (1)", "COMMIT", "SELECT 'later'" } },
	{ .name = "notices",
	  TRUSTED,
	  .sql = { "DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two' USING "
		   "DETAIL = 'a detail', HINT = 'a hint', ERRCODE = 'XX123'; "
		   "END $$" } },
	{ .name = "copy-in",
	  TRUSTED,
	  .sql = { "CREATE TEMP TABLE t (n int)", "COPY t FROM STDIN",
		   "SELECT 'still here'" } },
	{ .name = "copy-out",
	  TRUSTED,
	  .sql = { "COPY (SELECT generate_series(1, 3), NULL) TO STDOUT" } },
	{ .name = "empty", TRUSTED, .sql = { "", " -- nothing", ";;" } },
	{ .name = "listen",
	  TRUSTED,
	  .sql = { "LISTEN channel", "NOTIFY channel, 'payload'" } },
	{ .name = "parameter",
	  TRUSTED,
	  .sql = { "SET TimeZone = 'Asia/Tokyo'" } },
	{ .name = "shutdown",
	  TRUSTED,
	  .sql = { "SELECT pg_terminate_backend(pg_backend_pid()), "
		   "pg_sleep(10)" } },
};
const size_t golden_count = sizeof(goldens) / sizeof(goldens[0]);

/* ---- what is seen */

static void put_quoted(struct pgw_buf *b, struct pgw_view v)
{
	pgw_buf_put_text(b, " \"");
	pgw_buf_put(b, v.p, v.n);
	pgw_buf_put_text(b, "\"");
}

static void put_diag(struct pgw_buf *b, const struct pgw_diag *d)
{
	const char *message = pgw_diag_get(d, PGW_DIAG_MESSAGE);

	pgw_buf_put_text(b, " ");
	pgw_buf_put_text(b, pgw_diag_sqlstate(d));
	put_quoted(b, pgw_view_of(message ? message : ""));
}

static void on_trace(void *ctx, const char *line)
{
	pgw_buf_put_text(ctx, line);
	pgw_buf_put_text(ctx, "\n");
}

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct pgw_view cols = row->cols, value;

	pgw_buf_put_text(ctx, "  row");
	for (uint16_t i = 0; i < row->ncols; i++) {
		if (!pgw_column_next(&cols, &value))
			pgw_buf_put_text(ctx, " BAD");
		else if (!value.p)
			pgw_buf_put_text(ctx, " NULL");
		else
			put_quoted(ctx, value);
	}
	pgw_buf_put_text(ctx, "\n");
}

static void on_notice(void *ctx, const struct pgw_diag *diag)
{
	pgw_buf_put_text(ctx, "  notice");
	put_diag(ctx, diag);
	pgw_buf_put_text(ctx, "\n");
}

static void on_done(void *ctx, const struct pgw_outcome *outcome)
{
	const char *tag = outcome->tag[0] ? outcome->tag : "nothing";
	char line[100];

	snprintf(line, sizeof(line), "  done in %c: %s", outcome->txn,
		 outcome->ok ? tag : "failed");
	pgw_buf_put_text(ctx, line);
	if (!outcome->ok)
		put_diag(ctx, &outcome->diag);
	pgw_buf_put_text(ctx, "\n");
}

static void put_failure(struct pgw_buf *b, const struct pgw_err *err)
{
	pgw_buf_put_text(b, "  failed: ");
	pgw_buf_put_text(b, err->msg);
	pgw_buf_put_text(b, " [");
	pgw_buf_put_text(b, err->sqlstate);
	pgw_buf_put_text(b, "]\n");
}

/* ---- what is said */

static bool pump(struct pgw_session *s, const struct golden_io *io,
		 struct pgw_err *err)
{
	char chunk[4096];
	ssize_t n;

	for (;;) {
		struct pgw_view out = pgw_session_out(s);

		if (out.n > 0 && !io->write(io->ctx, out, err))
			return false;
		pgw_session_sent(s, out.n);
		if (s->state == PGW_IDLE)
			return true;
		n = io->read(io->ctx, chunk, sizeof(chunk), err);
		if (n < 0)
			return false;
		if (n == 0)
			return pgw_fail(err, PGW_E_CLOSED, "closed");
		if (!pgw_session_feed(s, chunk, (size_t)n, err))
			return false;
	}
}

static bool converse(const struct golden *g, struct pgw_session *s,
		     const struct golden_io *io, struct pgw_err *err)
{
	static const char *const params[] = { "client_encoding", "UTF8",
					      "application_name", "golden",
					      NULL };
	const struct pgw_login login = {
		.user = g->user,
		.database = g->database,
		.params = params,
		.password = g->password,
		.nonce = "rOprNGfwEbeRWgbNEkqOgold",
		.protocol = g->protocol ? g->protocol : PGW_PROTOCOL_3_0,
		.require_auth = PGW_AUTH_ANY,
		.cleartext_allowed = true,
		.encrypted = g->bound,
		.channel_binding = g->bound ? PGW_BINDING_REQUIRE :
					      PGW_BINDING_DISABLE,
		.binding = io->binding,
	};

	if (!pgw_session_start(s, &login, err) || !pump(s, io, err))
		return false;
	for (size_t i = 0; g->sql[i]; i++)
		if (!pgw_session_query(s, pgw_view_of(g->sql[i]), err) ||
		    (!g->pipelined && !pump(s, io, err)))
			return false;
	return pump(s, io, err) && pgw_session_terminate(s, err) &&
	       pump(s, io, err);
}

bool golden_run(const struct golden *g, const struct golden_io *io,
		struct pgw_buf *trace, struct pgw_err *err)
{
	const struct pgw_hooks hooks = { .row = on_row,
					 .done = on_done,
					 .notice = on_notice,
					 .trace = on_trace,
					 .ctx = trace };
	struct pgw_session s;
	bool ok;

	pgw_session_init(&s, trace ? &hooks : NULL);
	ok = converse(g, &s, io, err);
	if (!ok && trace)
		put_failure(trace, err);
	pgw_session_release(&s);
	return ok;
}
