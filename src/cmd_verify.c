/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "drizzle1.h"

/* A CREATE INDEX CONCURRENTLY that failed leaves one of these behind. */
static const char invalid_indexes_sql[] =
	"SELECT i.indexrelid::pg_catalog.regclass "
	"FROM pg_catalog.pg_index i "
	"JOIN pg_catalog.pg_class c "
	"ON c.oid OPERATOR(pg_catalog.=) i.indexrelid "
	"WHERE NOT i.indisvalid "
	"AND c.relkind OPERATOR(pg_catalog.=) 'i' "
	"AND c.relpersistence OPERATOR(pg_catalog.<>) 't' ORDER BY 1";

struct names {
	struct mz_arena *arena;
	const char *text; /* with commas between */
};

static void on_name(void *ctx, const struct pgw_row *row)
{
	struct names *n = ctx;
	struct pgw_view cols = row->cols;
	const char *name = mz_db_text(n->arena, &cols);

	if (name)
		n->text = mz_printf(n->arena, "%s%s%s", n->text,
				    *n->text ? ", " : "", name);
}

static bool indexes_are_valid(struct mz_work *w, struct mz_err *err)
{
	struct names n = { .arena = &w->c->arena, .text = "" };
	struct pgw_err cause;

	if (!mz_db_query(&w->db, invalid_indexes_sql, on_name, &n, &cause))
		return mz_db_fail(err, &cause);
	if (!*n.text)
		return true;
	mz_fail(err, MZ_history, "invalid indexes: %.500s", n.text);
	return mz_hint(err, "DROP INDEX each and build it again, or REINDEX "
			    "INDEX CONCURRENTLY");
}

static bool nothing_is_pending(const struct mz_plan *p, struct mz_err *err)
{
	size_t pending = mz_plan_pending(p);

	if (pending == 0)
		return true;
	return mz_fail(err, MZ_pending, "%zu migration%s pending", pending,
		       pending == 1 ? " is" : "s are");
}

static bool nothing_is_partial(const struct mz_plan *p, struct mz_err *err)
{
	return mz_plan_is_whole(p, err) || mz_hint(err, "run mizzle migrate");
}

bool cmd_verify(struct mz_context *c, struct mz_err *err)
{
	struct mz_work w;
	bool ok = mz_work_open(&w, c, err) && mz_work_look(&w, err);

	if (ok) {
		mz_report_listed(&c->report, w.plan.list, w.plan.listed);
		mz_drizzle1_tell(&w);
		mz_drizzle1_warn(&w);
		c->result.kind = MZ_RESULT_LISTING;
		mz_result_count(&c->result, w.plan.list, w.plan.listed);
		ok = mz_plan_agrees(&w.plan, &w.wish, err) &&
		     nothing_is_partial(&w.plan, err) &&
		     indexes_are_valid(&w, err) &&
		     nothing_is_pending(&w.plan, err);
	}
	c->result.round_trips = mz_db_round_trips(&w.db);
	mz_work_close(&w);
	return ok;
}
