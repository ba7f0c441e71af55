/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "work.h"

#include "connect.h"
#include "file.h"
#include "guard.h"
#include "pooler.h"
#include "script.h"

#include <string.h>

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
	    !mz_folder_load(&w->folder, &c->arena, c->opt.dir, err) ||
	    !mz_plan_end(&w->folder, &c->arena, c->opt.to, &end, err) ||
	    !mz_connect_config(c, &w->cfg, err))
		return false;
	w->db = mz_connect_db(c, &w->cfg);
	return mz_db_open(&w->db, c->opt.wait, err) &&
	       mz_pooler_usable(w->db.conn, err);
}

void mz_work_close(struct mz_work *w)
{
	mz_db_close(&w->db);
	pgw_config_release(&w->cfg);
}

static bool is_eol(void *ctx, size_t migration, const char *hash)
{
	struct mz_work *w = ctx;
	struct mz_err ignored;
	struct pgw_buf text;
	bool is;

	pgw_buf_init(&text, MZ_FILE_MAX);
	is = mz_folder_read(&w->folder, &w->folder.migrations[migration], &text,
			    &ignored) &&
	     mz_folder_hash_is_eol(pgw_buf_view(&text), hash);
	pgw_buf_release(&text);
	return is;
}

bool mz_work_read(struct mz_work *w, struct mz_err *err)
{
	if (!mz_history_read(&w->history, &w->c->arena, &w->db, &w->table, err))
		return false;
	if (!w->history.busy)
		mz_plan_make(&w->plan, &w->c->arena, &w->folder, &w->history,
			     &(struct mz_eol){ is_eol, w });
	return true;
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
				 "the history records %zu migrations twice, "
				 "as runners without a lock do",
				 w->plan.duplicates);
	if (w->plan.skipped)
		mz_report_warning(r, "%zu migrations are left out (skip)",
				  w->plan.skipped);
	return true;
}

static bool survey_one(struct mz_work *w, size_t i, struct mz_err *err)
{
	const struct mz_migration *m = w->plan.todo[i];
	struct pgw_buf text;
	bool ok;

	pgw_buf_init(&text, MZ_FILE_MAX);
	ok = mz_folder_read(&w->folder, m, &text, err) &&
	     mz_folder_sendable(&w->folder, m, pgw_buf_view(&text), err);
	if (ok)
		mz_statements_survey(pgw_buf_view(&text), &w->surveys[i]);
	pgw_buf_release(&text);
	return ok;
}

bool mz_work_survey(struct mz_work *w, struct mz_err *err)
{
	w->surveys = mz_alloc_array(&w->c->arena, w->plan.todo_count + 1,
				    sizeof(*w->surveys));
	for (size_t i = 0; i < w->plan.todo_count; i++)
		if (!survey_one(w, i, err))
			return false;
	return true;
}

static bool refuse(const struct mz_migration *m, const struct mz_survey *survey,
		   struct mz_err *err)
{
	const struct mz_sql_statement *st = &survey->refused;
	const char *what = st->what ? st->what : "a statement";

	if (st->kind == MZ_SQL_ALONE) {
		mz_fail(err, MZ_refused,
			"%s: %s cannot run inside a transaction", m->tag, what);
		mz_hint(err, "such migrations are not supported yet; nothing "
			     "was sent");
	} else {
		mz_fail(err, MZ_refused,
			"%s: %s would leave the transaction that applies it",
			m->tag, what);
		mz_hint(err, "remove it: every migration runs in a "
			     "transaction; nothing was sent");
	}
	return mz_at(err, m->path, st->line, survey->column);
}

static bool refuse_directive(const struct mz_migration *m,
			     const struct mz_survey *survey, struct mz_err *err)
{
	mz_fail(err, MZ_refused,
		"%s asks to be run in another way, which is not supported yet",
		m->tag);
	mz_hint(err, "nothing was sent; without the comment it runs in a "
		     "transaction, like every other");
	return mz_at(err, m->path, survey->directive_line, 1);
}

bool mz_work_runs_inside(struct mz_work *w, struct mz_err *err)
{
	for (size_t i = 0; i < w->plan.todo_count; i++) {
		if (w->surveys[i].directive_line)
			return refuse_directive(w->plan.todo[i], &w->surveys[i],
						err);
		if (w->surveys[i].has_refused)
			return refuse(w->plan.todo[i], &w->surveys[i], err);
	}
	return true;
}
