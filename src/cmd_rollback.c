/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "rollback.h"
#include "run.h"

static void show(struct mz_work *w, const struct mz_rollback *b)
{
	struct mz_context *c = w->c;
	size_t n = w->plan.todo_count;
	struct mz_planned *list = mz_alloc_array(&c->arena, n + 1,
						 sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		const struct mz_migration *m = w->plan.todo[i];

		list[i] = (struct mz_planned){
			.tag = m->tag,
			.hash = m->hash,
			.path = b->scripts[i]->path,
			.state = w->plan.list[m - w->folder.migrations].state,
			.statements = w->surveys[i].statements,
			.transaction = MZ_PLANNED_OWN,
		};
	}
	mz_report_planned(&c->report, list, n);
}

static bool choose(struct mz_work *w, struct mz_rollback *b, struct mz_err *err)
{
	struct mz_context *c = w->c;

	b->steps = mz_rollback_steps(&c->opt, 0);
	if (!mz_rollback_choose(b, &w->plan, &c->arena, &w->wish, err))
		return false;
	return w->plan.todo_count == 0 ||
	       (mz_work_writable(w, err) && mz_rollback_survey(b, w, err));
}

static bool dry_run(struct mz_context *c, struct mz_err *err)
{
	struct mz_rollback b = { .steps = 0 };
	struct mz_work w;
	bool ok = mz_work_open(&w, c, err) && mz_work_look(&w, err) &&
		  choose(&w, &b, err);

	if (ok) {
		show(&w, &b);
		c->result.kind = MZ_RESULT_UNDOING;
		c->result.applied = w.plan.todo_count;
	}
	c->result.round_trips = mz_db_round_trips(&w.db);
	mz_work_close(&w);
	return ok;
}

bool cmd_rollback(struct mz_context *c, struct mz_err *err)
{
	if (c->opt.to && c->opt.from[MZ_OPT_steps] == MZ_FROM_OPTION) {
		mz_fail(err, MZ_usage, "--to and --steps exclude each other");
		return mz_hint(err, "--to TAG goes back to TAG, --steps N by "
				    "so many migrations");
	}
	return c->opt.dry_run ? dry_run(c, err) : mz_run(c, MZ_UNDO, err);
}
