/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "connect.h"
#include "db.h"

#include <inttypes.h>

#define PRESET_MS 60000 /* the help tells it, too */

static void report(struct mz_context *c, const struct pgw_conn *conn,
		   int64_t ms)
{
	const struct mz_fact facts[] = {
		{ .name = "address",
		  .key = "address",
		  .text = pgw_conn_address(conn) },
		{ .name = "server",
		  .key = "server",
		  .text = pgw_conn_server(conn)->version },
		{ .name = "after",
		  .key = "ms",
		  .kind = MZ_FACT_NUMBER,
		  .text = mz_printf(&c->arena, "%" PRId64 " ms", ms),
		  .number = ms },
	};

	mz_report_facts(&c->report, "ready", facts,
			sizeof(facts) / sizeof(facts[0]));
}

bool cmd_wait(struct mz_context *c, struct mz_err *err)
{
	int64_t start = pgw_clock_ms();
	struct pgw_config cfg;
	struct mz_db db;
	bool ok;

	if (!mz_connect_config(c, &cfg, err))
		return false;
	db = mz_connect_db(c, &cfg);
	if (c->opt.from[MZ_OPT_wait] == MZ_FROM_PRESET)
		c->opt.wait = PRESET_MS;
	ok = mz_db_open(&db, c->opt.wait, err);
	if (ok)
		report(c, db.conn, pgw_clock_ms() - start);
	mz_db_close(&db);
	pgw_config_release(&cfg);
	return ok;
}
