/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "connect.h"
#include "facts.h"
#include "pooler.h"

#include <inttypes.h>
#include <time.h>

#define LINE_MAX_BYTES (1u << 20)

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

/* Who may not read the history still wants to know of the rest. */
static bool read_history(struct mz_glimpse *g, struct mz_history *h,
			 struct mz_context *c, struct mz_db *db,
			 struct mz_err *err)
{
	int64_t start = pgw_clock_us();
	bool ok = mz_history_read(h, &c->arena, db, g->table, err) &&
		  mz_history_rights(h, &c->arena, db, g->table, err);

	g->history = h;
	g->us = pgw_clock_us() - start;
	if (ok)
		return true;
	if (err->status != MZ_refused && err->status != MZ_history)
		return false;
	g->problem = mz_strdup(&c->arena, err->msg);
	return true;
}

/* Early enough for somebody to renew it. */
#define FEW_DAYS 14

static void warn_of_expiry(struct mz_context *c, const struct pgw_conn *conn)
{
	const struct pgw_tls_facts *t = pgw_conn_tls(conn);
	int64_t days;

	if (!t || !mz_facts_days_left(t->until, (int64_t)time(NULL), &days) ||
	    days >= FEW_DAYS)
		return;
	if (days < 0)
		mz_report_warning(&c->report,
				  "the server's certificate has expired (%s)",
				  t->until);
	else
		mz_report_warning(&c->report,
				  "the server's certificate expires in %" PRId64
				  " day%s (%s)",
				  days, days == 1 ? "" : "s", t->until);
}

static bool look(struct mz_context *c, struct mz_db *db, struct mz_err *err)
{
	struct mz_facts f = { .arena = &c->arena };
	struct mz_glimpse g = { .problem = NULL };
	struct mz_history h;
	struct mz_table t;

	if (!mz_db_open(db, c->opt.wait, err) ||
	    !mz_pooler_reaches(db->conn, err) ||
	    !mz_table_init(&t, &c->arena, c->opt.schema, c->opt.table, err))
		return false;
	g.table = &t;
	if (!read_history(&g, &h, c, db, err))
		return false;
	mz_facts_gather(&f, db, &g);
	mz_report_facts(&c->report, "ping", f.list, f.n);
	warn_of_expiry(c, db->conn);
	return true;
}

bool cmd_ping(struct mz_context *c, struct mz_err *err)
{
	if (c->opt.print_config)
		return print_config(c, err);
	return mz_connect_look(c, look, err);
}
