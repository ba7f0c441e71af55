/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "work.h"

#include "connect.h"
#include "guard.h"
#include "pooler.h"
#include "sift.h"
#include "upgrade.h"

#include <string.h>

static void drop_config(void *cfg)
{
	pgw_config_release(cfg);
}

bool mz_work_open(struct mz_work *w, struct mz_context *c, struct mz_err *err)
{
	size_t end;

	*w = (struct mz_work){ .c = c };
	w->wish = (struct mz_wish){ .to = c->opt.to,
				    .allow_modified = c->opt.allow_modified,
				    .allow_missing = c->opt.allow_missing,
				    .order = c->opt.out_of_order };
	if (!mz_settle_folder(c, err) || !mz_settle_history(c, err) ||
	    !mz_table_init(&w->table, &c->arena, c->opt.schema, c->opt.table,
			   err) ||
	    !mz_folder_load(&w->folder, &c->arena, mz_context_where(c), err) ||
	    !mz_plan_end(&w->folder, &c->arena, c->opt.to, &end, err) ||
	    !mz_connect_config(c, &w->cfg, err))
		return false;
	mz_hold(&c->arena, &w->hold, drop_config, &w->cfg);
	w->stepwise = mz_alloc_array(&c->arena, w->folder.count + 1,
				     sizeof(*w->stepwise));
	w->db = mz_connect_db(c, &w->cfg);
	return mz_db_open(&w->db, c->opt.wait, err) &&
	       mz_pooler_usable(w->db.conn, err);
}

void mz_work_close(struct mz_work *w)
{
	mz_db_close(&w->db);
	mz_let_go(&w->c->arena, &w->hold);
	pgw_config_release(&w->cfg);
}

static bool is_eol(void *ctx, size_t migration, const char *hash)
{
	const struct mz_work *w = ctx;
	struct mz_eol_hasher h;
	struct mz_err ignored;
	struct mz_scroll s;
	struct pgw_view lines = { 0 };
	bool ok;

	mz_eol_hasher_init(&h);
	ok = mz_scroll_open(&s, &w->folder.migrations[migration], 0, &ignored);
	do {
		ok = ok && mz_scroll_lines(&s, &lines, &ignored);
		if (ok)
			mz_eol_hasher_feed(&h, lines);
	} while (ok && lines.n > 0);
	mz_scroll_close(&s);
	return ok && mz_eol_hasher_is(&h, hash);
}

static void make_plan(struct mz_work *w)
{
	mz_plan_make(&w->plan, &w->c->arena, &w->folder, &w->history,
		     &(struct mz_eol){ is_eol, w });
	mz_upgrade_note(&w->plan, &w->c->arena);
}

bool mz_work_rights(struct mz_work *w, struct mz_err *err)
{
	struct mz_history *h = &w->history;
	struct mz_arena *a = &w->c->arena;

	if (!mz_history_rights(h, a, &w->db, &w->table, err))
		return false;
	w->table.no_advisory = !h->has_advisory;
	return !h->has_partials || h->partials.known ||
	       mz_partials_read(&h->partials, a, &w->db, &w->table, err);
}

/* Only what is pending can have stopped midway. */
bool mz_work_read(struct mz_work *w, struct mz_err *err)
{
	if (!mz_history_read(&w->history, &w->c->arena, &w->db, &w->table, err))
		return false;
	if (w->history.busy)
		return true;
	make_plan(w);
	if (mz_plan_pending(&w->plan) == 0)
		return true;
	if (!mz_work_rights(w, err))
		return false;
	if (w->history.partials.count > 0)
		make_plan(w);
	return true;
}

bool mz_work_writable(struct mz_work *w, struct mz_err *err)
{
	return mz_work_rights(w, err) &&
	       mz_history_writable(&w->history, &w->table, err);
}

bool mz_work_look(struct mz_work *w, struct mz_err *err)
{
	do {
		if (!mz_work_read(w, err))
			return false;
	} while (w->history.busy &&
		 mz_guard_free(&w->db, &w->c->arena, &w->table, err));
	return !w->history.busy;
}

bool mz_work_choose(struct mz_work *w, struct mz_err *err)
{
	struct mz_report *r = &w->c->report;

	if (!mz_plan_choose(&w->plan, &w->c->arena, &w->wish, err))
		return false;
	if (w->plan.duplicates)
		mz_report_remark(r,
				 "the history records %zu migration%s twice, "
				 "as runners without a lock do; mizzle repair "
				 "removes such rows",
				 w->plan.duplicates,
				 w->plan.duplicates == 1 ? "" : "s");
	if (w->plan.skipped)
		mz_report_warning(r, "%zu migrations are left out (skip)",
				  w->plan.skipped);
	return true;
}

/* Without a breakpoint in it the comment of drizzle-kit pull is sound SQL. */
static void tell_pulled(struct mz_work *w, const struct mz_migration *m)
{
	mz_report_warning(&w->c->report,
			  "%s is one comment, as drizzle-kit pull wrote it: "
			  "it is recorded and nothing is run; where the "
			  "database has these objects that is right (and what "
			  "mizzle baseline does), elsewhere remove /* and */",
			  m->tag);
}

static bool refuse_directive(const struct mz_migration *m,
			     const struct mz_sifted *s, struct mz_err *err)
{
	struct pgw_view unknown = s->survey.directives.unknown;

	mz_fail(err, MZ_usage, "%s asks for \"%.*s\", which is not known",
		m->tag, (int)(unknown.n < 80 ? unknown.n : 80),
		(const char *)unknown.p);
	mz_hint(err, "a comment \"-- mizzle:\" may ask for: %s",
		mz_directives_known);
	return mz_at(err, m->path, s->line, s->column);
}

static bool survey_one(struct mz_work *w, size_t i, struct mz_err *err)
{
	const struct mz_migration *m = w->plan.todo[i];
	struct mz_survey *s = &w->surveys[i];
	struct mz_sifted sifted;

	if (!mz_sift(&sifted, &w->c->arena, m, 0, err))
		return false;
	*s = sifted.survey;
	w->dangers[i] = sifted.dangers;
	if (s->statements == 0 && sifted.introspection)
		tell_pulled(w, m);
	if (s->directives.unknown.p)
		return refuse_directive(m, &sifted, err);
	if (w->stepwise[m - w->folder.migrations])
		s->stepwise = s->calls_alone = true;
	if (mz_partials_find(&w->history.partials, m->tag))
		s->stepwise = true; /* however it has been edited since */
	return true;
}

bool mz_work_survey(struct mz_work *w, struct mz_err *err)
{
	w->surveys = mz_alloc_array(&w->c->arena, w->plan.todo_count + 1,
				    sizeof(*w->surveys));
	w->dangers = mz_alloc_array(&w->c->arena, w->plan.todo_count + 1,
				    sizeof(*w->dangers));
	for (size_t i = 0; i < w->plan.todo_count; i++)
		if (!survey_one(w, i, err))
			return false;
	return true;
}

static const char *why_not(const struct mz_cause *cause)
{
	if (!cause->what)
		return "it asks for none";
	return cause->kind == MZ_SQL_ALONE ?
		       " runs in none" :
	       cause->kind == MZ_SQL_PLAIN ?
		       " needs what one before it commits" :
		       " leaves it";
}

static bool refuse_all(const struct mz_migration *m,
		       const struct mz_cause *cause, struct mz_err *err)
{
	mz_fail(err, MZ_refused,
		"%s cannot be in one transaction with the others: %s%s", m->tag,
		cause->what ? cause->what : "", why_not(cause));
	mz_hint(err, "use --transaction each, or --to up to the one before it; "
		     "nothing was sent");
	return mz_at(err, m->path, cause->line, cause->column);
}

bool mz_work_runs(struct mz_work *w, struct mz_err *err)
{
	bool all = w->c->opt.transaction == MZ_TRANSACTION_ALL;

	for (size_t i = 0; all && i < w->plan.todo_count; i++)
		if (w->surveys[i].stepwise)
			return refuse_all(w->plan.todo[i], &w->surveys[i].cause,
					  err);
	return true;
}
