/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "repair.h"

#include "guard.h"
#include "sqltext.h"
#include "upgrade.h"

#include <inttypes.h>
#include <string.h>

#define SQL_MAX ((size_t)256 << 20)

/* ---- finding */

static struct mz_repair *add(struct mz_repairs *r, const struct mz_plan *p,
			     size_t i, const char *what)
{
	struct mz_repair *one = &r->list[r->count++];

	one->what = what;
	one->row = p->rows[i]->id;
	one->tag = p->list[i].tag;
	return one;
}

static void find_hash(struct mz_repairs *r, const struct mz_plan *p, size_t i)
{
	enum mz_state state = p->list[i].state;
	struct mz_repair *one;

	if (state != MZ_MODIFIED && state != MZ_EOL)
		return;
	one = add(r, p, i, "hash");
	one->why = state == MZ_EOL ? "its line ends were changed" :
				     "the file was edited after it was "
				     "applied";
	one->from = p->rows[i]->hash;
	one->to = p->folder->migrations[i].hash;
}

static void find_name(struct mz_repairs *r, struct mz_arena *a,
		      const struct mz_plan *p, size_t i)
{
	const char *name = mz_upgrade_name(p, a, i);
	struct mz_repair *one;

	if (!name)
		return;
	one = add(r, p, i, "name");
	one->why = "Drizzle 1.x would run it again";
	one->from = p->rows[i]->name;
	one->to = name;
}

/*
 * Drizzle 0.x runs again what is newer than the newest row: one without a time
 * hides all others, and one of whole seconds is older than its own migration.
 */
static void find_time(struct mz_repairs *r, struct mz_arena *a,
		      const struct mz_plan *p, size_t i)
{
	const struct mz_migration *m = &p->folder->migrations[i];
	const struct mz_row *row = p->rows[i];
	bool whole = row->has_when && row->when % 1000 == 0 &&
		     row->when < m->when && m->when - row->when < 1000;
	struct mz_repair *one;

	if (p->folder->layout != MZ_LAYOUT_JOURNAL || (row->has_when && !whole))
		return;
	one = add(r, p, i, "created_at");
	one->why = "Drizzle 0.x would run migrations again";
	if (row->has_when)
		one->from = mz_printf(a, "%" PRId64, row->when);
	one->to = mz_printf(a, "%" PRId64, m->when);
}

static void find_removals(struct mz_repairs *r, struct mz_arena *a,
			  const struct mz_plan *p)
{
	for (size_t i = p->folder->count; i < p->listed; i++)
		add(r, p, i, "row")->why =
			"it is not in the folder; if it comes back it counts as pending";
	for (size_t k = 0; k < p->duplicates; k++) {
		const struct mz_row *row = p->duplicated[k];

		r->list[r->count++] = (struct mz_repair){
			.what = "row",
			.row = row->id,
			.tag = row->name ?
				       row->name :
				       mz_printf(a, "row %" PRId64, row->id),
			.why = "another row records the same",
		};
	}
}

/* What is recorded would be in the way of a rollback, and of what is gone
 * nobody knows what it did. */
static void find_progress(struct mz_repairs *r, const struct mz_plan *p)
{
	const struct mz_partials *partials = &p->history->partials;

	for (size_t k = 0; k < partials->count; k++) {
		const char *tag = partials->rows[k].tag;
		const char *why = "the progress of what is not in the folder, "
				  "in " MZ_PARTIAL_TABLE
				  "; if it comes back it begins anew";

		for (size_t i = 0; why && i < p->folder->count; i++)
			if (strcmp(p->folder->migrations[i].tag, tag) == 0)
				why = p->rows[i] ?
					      "the progress of what is "
					      "recorded, in " MZ_PARTIAL_TABLE :
					      NULL;
		if (why)
			r->list[r->count++] = (struct mz_repair){
				.what = "progress", .tag = tag, .why = why
			};
	}
}

void mz_repairs_find(struct mz_repairs *r, struct mz_arena *a,
		     const struct mz_plan *p)
{
	r->count = 0;
	r->list = mz_alloc_array(a,
				 3 * p->listed + p->duplicates +
					 p->history->partials.count + 1,
				 sizeof(*r->list));
	for (size_t i = 0; i < p->folder->count; i++) {
		if (!p->rows[i])
			continue;
		find_hash(r, p, i);
		find_name(r, a, p, i);
		find_time(r, a, p, i);
	}
	find_removals(r, a, p);
	find_progress(r, p);
}

size_t mz_repairs_newer(const struct mz_plan *p)
{
	size_t n = 0;
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < p->folder->count; i++)
		if (p->folder->migrations[i].when > newest)
			newest = p->folder->migrations[i].when;
	for (size_t i = p->folder->count; i < p->listed; i++)
		n += p->rows[i]->has_when && p->rows[i]->when > newest;
	return n;
}

/* ---- setting right */

/* Somebody else may have changed it meanwhile, and better. */
static const char *is_as_shown(const struct mz_repair *one, struct mz_arena *a,
			       const struct mz_table *t)
{
	return mz_printf(a,
			 "EXISTS (SELECT 1 FROM %s WHERE id "
			 "OPERATOR(pg_catalog.=) %" PRId64
			 " AND COALESCE(CAST(%s AS pg_catalog.text), '') "
			 "OPERATOR(pg_catalog.=) %s)",
			 t->quoted, one->row, mz_quote_name(a, one->what),
			 mz_quote_literal(a, one->from ? one->from : ""));
}

static const char *one_sql(const struct mz_repair *one, struct mz_arena *a,
			   const struct mz_table *t)
{
	const struct mz_row row = { .id = one->row };

	if (strcmp(one->what, "progress") == 0)
		return mz_partial_delete_sql(a, t, one->tag);
	if (!one->to)
		return mz_history_remove_sql(a, t, &row);
	return mz_printf(a,
			 "%s; UPDATE %s SET %s = %s WHERE id "
			 "OPERATOR(pg_catalog.=) %" PRId64,
			 mz_guard_that_sql(a, is_as_shown(one, a, t)),
			 t->quoted, mz_quote_name(a, one->what),
			 mz_quote_literal(a, one->to), one->row);
}

const char *mz_repairs_sql(const struct mz_repairs *r, struct mz_arena *a,
			   const struct mz_table *t)
{
	struct pgw_buf buf;
	const char *sql;

	pgw_buf_init(&buf, SQL_MAX);
	for (size_t i = 0; i < r->count; i++) {
		pgw_buf_put_text(&buf, i ? "; " : "");
		pgw_buf_put_text(&buf, one_sql(&r->list[i], a, t));
	}
	sql = buf.failed ? NULL :
			   mz_strndup(a, (const char *)buf.data, buf.len);
	pgw_buf_release(&buf);
	return sql ? sql : "";
}
