/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "upgrade.h"

#include "sqltext.h"

#include <inttypes.h>
#include <string.h>

#define SQL_MAX ((size_t)256 << 20) /* far more than a history is */

bool mz_upgrade_is_due(const struct mz_folder *f, const struct mz_history *h)
{
	return f->layout == MZ_LAYOUT_FOLDERS && h->shape == MZ_SHAPE_COLUMNS_3;
}

/* ---- matching */

/* Of those of that second the only one, or else the first with the hash. */
static const struct mz_migration *of_second(const struct mz_folder *f,
					    const struct mz_row *row,
					    size_t *candidates)
{
	/* it puts 000 for the last three digits: towards 0, also below 0 */
	int64_t second = row->when - row->when % 1000;
	const struct mz_migration *any = NULL, *same = NULL;

	*candidates = 0;
	for (size_t i = 0; row->has_when && i < f->count; i++) {
		const struct mz_migration *m = &f->migrations[i];

		if (m->when != second)
			continue;
		++*candidates;
		any = m;
		if (!same && strcmp(m->hash, row->hash) == 0)
			same = m;
	}
	return *candidates == 1 ? any : same;
}

/* Of those with the hash the last, by their time. */
static const struct mz_migration *of_hash(const struct mz_folder *f,
					  const struct mz_row *row)
{
	const struct mz_migration *last = NULL;

	for (size_t i = 0; i < f->count; i++) {
		const struct mz_migration *m = &f->migrations[i];

		if (strcmp(m->hash, row->hash) == 0 &&
		    (!last || m->when >= last->when))
			last = m;
	}
	return last;
}

void mz_upgrade_match(struct mz_upgrade *u, struct mz_arena *a,
		      const struct mz_folder *f, const struct mz_history *h)
{
	u->unmatched = 0;
	u->of = mz_alloc_array(a, h->count + 1, sizeof(struct mz_migration *));
	for (size_t j = 0; j < h->count; j++) {
		size_t candidates;

		u->of[j] = of_second(f, &h->rows[j], &candidates);
		if (candidates == 0)
			u->of[j] = of_hash(f, &h->rows[j]);
		if (!u->of[j])
			u->unmatched++;
	}
}

#define IDS_MAX 10 /* as many are named */

bool mz_upgrade_agrees(const struct mz_upgrade *u, struct mz_arena *a,
		       const struct mz_history *h, struct mz_err *err)
{
	const char *ids = "";
	size_t named = 0;

	if (u->unmatched == 0)
		return true;
	for (size_t j = 0; j < h->count && named < IDS_MAX; j++)
		if (!u->of[j])
			ids = mz_printf(a, "%s%s%" PRId64, ids,
					named++ ? ", " : "", h->rows[j].id);
	mz_fail(err, MZ_history,
		"the history is of Drizzle 0.x and cannot become one of 1.x: "
		"of its rows %zu %s no migration of the folder (id %s%s); "
		"nothing was changed",
		u->unmatched, u->unmatched == 1 ? "is" : "are", ids,
		u->unmatched > named ? ", ..." : "");
	return mz_hint(err, "restore the folders that are missing, or remove "
			    "the rows with mizzle repair; --allow-missing "
			    "goes on without the upgrade");
}

const char *mz_upgrade_sql(const struct mz_upgrade *u, struct mz_arena *a,
			   const struct mz_table *t, const struct mz_history *h)
{
	struct pgw_buf buf;
	const char *sql;

	pgw_buf_init(&buf, SQL_MAX);
	pgw_buf_put_text(
		&buf,
		mz_printf(
			a,
			"ALTER TABLE %s ADD COLUMN IF NOT EXISTS \"name\" pg_catalog.text; "
			"ALTER TABLE %s ADD COLUMN IF NOT EXISTS "
			"\"applied_at\" timestamp with time zone DEFAULT "
			"pg_catalog.now()",
			t->quoted, t->quoted));
	for (size_t j = 0; j < h->count; j++)
		pgw_buf_put_text(&buf,
				 mz_printf(a,
					   "; UPDATE %s SET \"name\" = %s, "
					   "\"applied_at\" = NULL WHERE \"id\" "
					   "OPERATOR(pg_catalog.=) %" PRId64,
					   t->quoted,
					   mz_quote_literal(a, u->of[j]->tag),
					   h->rows[j].id));
	sql = buf.failed ? "" : mz_strndup(a, (const char *)buf.data, buf.len);
	pgw_buf_release(&buf);
	return sql;
}

/* ---- names */

const char *mz_upgrade_name(const struct mz_plan *p, struct mz_arena *a,
			    size_t i)
{
	const struct mz_migration *m = &p->folder->migrations[i];
	const struct mz_row *row = p->rows[i];

	if (p->history->shape != MZ_SHAPE_COLUMNS_5 || !row)
		return NULL;
	/* a journal is not of 1.x: what it will be called is not known yet */
	if (row->name && (p->folder->layout != MZ_LAYOUT_FOLDERS ||
			  strcmp(row->name, m->tag) == 0))
		return NULL;
	return mz_history_name(a, p->folder->layout, m);
}

void mz_upgrade_note(struct mz_plan *p, struct mz_arena *a)
{
	p->unnamed = 0;
	for (size_t i = 0; i < p->folder->count; i++) {
		struct mz_listed *l = &p->list[i];

		if (!mz_upgrade_name(p, a, i))
			continue;
		p->unnamed++;
		if (l->state == MZ_APPLIED)
			l->note = p->rows[i]->name ?
					  "Drizzle 1.x knows it by another "
					  "name, and would run it again" :
					  "recorded without a name: Drizzle "
					  "1.x would run it again";
	}
}
