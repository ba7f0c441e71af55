/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "connect.h"
#include "db.h"
#include "history.h"

#include <inttypes.h>

#define LINE_MAX_BYTES (1u << 20)
#define FACTS_MAX 24

/* ---- --print-config */

static void report_config(struct mz_context *c, struct pgw_buf *line)
{
	struct mz_fact fact = { .name = "config",
				.key = "config",
				.kind = MZ_FACT_TEXT };

	if (!c->opt.json)
		pgw_buf_put_text(line, "\n");
	pgw_buf_put_u8(line, 0);
	if (line->failed)
		return;
	fact.text = (const char *)line->data;
	if (c->opt.json)
		mz_report_facts(&c->report, "config", &fact, 1);
	else
		mz_report_text(&c->report, fact.text);
}

static bool print_config(struct mz_context *c, struct mz_err *err)
{
	struct pgw_conninfo info;
	struct pgw_buf line;
	bool ok;

	if (!mz_connect_understand(c, &info, err))
		return false;
	pgw_buf_init(&line, LINE_MAX_BYTES);
	pgw_conninfo_print(&info, c->opt.show_secrets, &line);
	report_config(c, &line);
	ok = !line.failed;
	pgw_buf_release(&line);
	pgw_conninfo_release(&info);
	return ok || mz_fail(err, MZ_internal, "out of memory");
}

/* ---- what the server is */

struct facts {
	struct mz_arena *arena;
	struct mz_fact list[FACTS_MAX];
	size_t n;
};

/* A name for people; the key of JSON has _ for its blanks and hyphens. */
static struct mz_fact *add(struct facts *f, const char *name)
{
	struct mz_fact *fact = &f->list[f->n++];
	char *key = mz_strdup(f->arena, name);

	*fact = (struct mz_fact){ .name = name, .key = key };
	for (; *key; key++)
		if (*key == ' ' || *key == '-')
			*key = '_';
	return fact;
}

static void add_text(struct facts *f, const char *name, const char *text)
{
	add(f, name)->text = text;
}

static void add_bool(struct facts *f, const char *name, bool value)
{
	struct mz_fact *fact = add(f, name);

	fact->kind = MZ_FACT_BOOL;
	fact->text = value ? "yes" : "no";
	fact->number = value;
}

static void add_number(struct facts *f, const char *name, int64_t n)
{
	struct mz_fact *fact = add(f, name);

	fact->kind = MZ_FACT_NUMBER;
	fact->text = mz_printf(f->arena, "%" PRId64, n);
	fact->number = n;
}

/* Text in ms for people, a number of us for programs. */
static void add_time(struct facts *f, const char *name, int64_t us)
{
	struct mz_fact *fact = add(f, name);

	fact->kind = MZ_FACT_NUMBER;
	fact->key = mz_printf(f->arena, "%s_us", name);
	fact->text = mz_printf(f->arena, "%" PRId64 ".%02" PRId64 " ms",
			       us / 1000, us % 1000 / 10);
	fact->number = us;
}

static const char *auth_name(unsigned method)
{
	switch (method) {
	case PGW_AUTH_NONE:
		return "none";
	case PGW_AUTH_PASSWORD:
		return "password in clear text";
	case PGW_AUTH_MD5:
		return "MD5";
	case PGW_AUTH_SCRAM:
		return "SCRAM-SHA-256";
	default:
		return "none was asked for";
	}
}

static const char *shape_name(enum mz_shape shape)
{
	switch (shape) {
	case MZ_SHAPE_ABSENT:
		return "none yet";
	case MZ_SHAPE_COLUMNS_3:
		return "3 columns (Drizzle 0.x)";
	case MZ_SHAPE_COLUMNS_5:
		return "5 columns (Drizzle 1.x)";
	}
	return NULL;
}

static void add_connection(struct facts *f, const struct pgw_conn *conn)
{
	const struct pgw_timing *t = pgw_conn_timing(conn);

	add_text(f, "server", pgw_conn_server(conn)->version);
	add_text(f, "host", pgw_conn_host(conn)->host);
	add_text(f, "address", pgw_conn_address(conn));
	add_text(f, "authentication", auth_name(pgw_conn_auth(conn)));
	add_time(f, "resolve", t->resolve_us);
	add_time(f, "dial", t->dial_us);
	add_time(f, "login", t->auth_us);
}

static void add_history(struct facts *f, const struct mz_history *h,
			const struct mz_context *c)
{
	add_text(f, "user", h->user);
	add_text(f, "database", h->database);
	add_bool(f, "read-only", h->read_only);
	add_bool(f, "recovery", h->in_recovery);
	add_text(f, "history table",
		 mz_printf(f->arena, "%s.%s", c->opt.schema, c->opt.table));
	add_text(f, "history",
		 h->busy ? "locked: a migration runs" : shape_name(h->shape));
	if (!h->busy && h->shape != MZ_SHAPE_ABSENT)
		add_number(f, "applied", (int64_t)h->count);
}

/* Between us and a server without a pooler, both know the same backend. */
static bool is_pooled(const struct pgw_conn *conn, const struct mz_history *h)
{
	return pgw_conn_pid(conn) != 0 &&
	       (int64_t)pgw_conn_pid(conn) != h->backend_pid;
}

static bool look(struct mz_context *c, struct mz_db *db, struct mz_err *err)
{
	struct facts f = { .arena = &c->arena };
	struct mz_history h;
	struct mz_table t;

	if (!mz_db_open(db, c->opt.wait, err) ||
	    !mz_table_init(&t, &c->arena, c->opt.schema, c->opt.table, err) ||
	    !mz_history_read(&h, &c->arena, db, &t, err))
		return false;
	add_connection(&f, db->conn);
	add_history(&f, &h, c);
	add_bool(&f, "pooler", is_pooled(db->conn, &h));
	add_number(&f, "round trips", (int64_t)mz_db_round_trips(db));
	mz_report_facts(&c->report, "ping", f.list, f.n);
	return true;
}

bool cmd_ping(struct mz_context *c, struct mz_err *err)
{
	struct pgw_config cfg;
	struct mz_db db = {
		.cfg = &cfg,
		.listener = mz_report_listener(&c->report),
		.trace = c->report.trace ? mz_report_trace : NULL,
		.trace_ctx = &c->report,
		.interrupt_fd = c->interrupt_fd,
	};
	bool ok;

	if (c->opt.print_config)
		return print_config(c, err);
	if (!mz_settle_history(c, err) || !mz_connect_config(c, &cfg, err))
		return false;
	ok = look(c, &db, err);
	mz_db_close(&db);
	pgw_config_release(&cfg);
	return ok;
}
