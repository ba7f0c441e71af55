/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "work.h"

/* What a survey noted, as a hazard that is shown with its migration. */
static const struct mz_hazard *hazard_of(struct mz_arena *a,
					 const struct mz_survey *s)
{
	struct mz_hazard *h;

	if (!s->has_refused)
		return NULL;
	h = mz_alloc(a, sizeof(*h));
	h->line = s->refused.line;
	h->column = s->column;
	h->what = s->refused.what;
	h->why = s->refused.kind == MZ_SQL_ALONE ?
			 "cannot run inside a transaction" :
			 "would leave the transaction";
	return h;
}

static void show(struct mz_work *w)
{
	struct mz_context *c = w->c;
	size_t n = w->plan.todo_count;
	struct mz_planned *list = mz_alloc_array(&c->arena, n + 1,
						 sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		const struct mz_migration *m = w->plan.todo[i];
		size_t at = (size_t)(m - w->folder.migrations);

		list[i] = (struct mz_planned){
			.tag = m->tag,
			.hash = m->hash,
			.path = m->path,
			.state = w->plan.list[at].state,
			.transaction = c->opt.transaction ==
						       MZ_TRANSACTION_ALL ?
					       MZ_PLANNED_SHARED :
					       MZ_PLANNED_OWN,
			.statements = w->surveys[i].statements,
			.hazards = hazard_of(&c->arena, &w->surveys[i]),
			.nhazards = w->surveys[i].has_refused,
		};
	}
	mz_report_planned(&c->report, list, n);
}

bool cmd_plan(struct mz_context *c, struct mz_err *err)
{
	struct mz_work w;
	bool ok = mz_work_open(&w, c, err) && mz_work_look(&w, err) &&
		  mz_work_choose(&w, err) && mz_work_survey(&w, err);

	if (ok) {
		show(&w);
		c->result.kind = MZ_RESULT_PLAN;
		c->result.pending = w.plan.todo_count;
		ok = w.plan.todo_count == 0 ||
		     (mz_history_writable(&w.history, &w.table, err) &&
		      mz_work_runs_inside(&w, err));
	}
	c->result.round_trips = mz_db_round_trips(&w.db);
	mz_work_close(&w);
	return ok;
}
