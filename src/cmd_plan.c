/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "approval.h"
#include "drizzle1.h"
#include "work.h"

#include <string.h>

static const char *why_of(enum mz_sql_kind kind)
{
	switch (kind) {
	case MZ_SQL_ALONE:
		return "cannot run inside a transaction";
	case MZ_SQL_BEGIN:
		return "begins a transaction of the file's own";
	case MZ_SQL_COMMIT:
	case MZ_SQL_ROLLBACK:
		return "leaves the transaction";
	case MZ_SQL_PLAIN:
	case MZ_SQL_SAVEPOINT:
	case MZ_SQL_COPY_STDIN:
		break;
	}
	return "needs what a statement before it committed";
}

/* What a survey noted, as a hazard that is shown with its migration. */
static void put_survey(struct mz_hazard *h, const struct mz_survey *s)
{
	*h = (struct mz_hazard){ .line = s->cause.line,
				 .column = s->cause.column,
				 .what = s->cause.what,
				 .why = why_of(s->cause.kind) };
}

/* That, and what the statements destroy. */
static void put_hazards(struct mz_planned *p, struct mz_arena *a,
			const struct mz_survey *s, const struct mz_dangers *d)
{
	struct mz_hazard *list = mz_alloc_array(a, d->count + 1, sizeof(*list));
	size_t n = 0;

	if (s->cause.what)
		put_survey(&list[n++], s);
	if (d->count > 0)
		memcpy(list + n, d->list, d->count * sizeof(*list));
	p->hazards = list;
	p->nhazards = n + d->count;
}

static enum mz_planned_transaction transaction_of(const struct mz_work *w,
						  size_t i)
{
	if (w->surveys[i].stepwise)
		return MZ_PLANNED_NONE;
	return w->c->opt.transaction == MZ_TRANSACTION_ALL ? MZ_PLANNED_SHARED :
							     MZ_PLANNED_OWN;
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
			.transaction = transaction_of(w, i),
			.statements = w->surveys[i].statements,
			.note = w->plan.list[at].note,
		};
		put_hazards(&list[i], &c->arena, &w->surveys[i],
			    &w->dangers[i]);
		c->result.destructive += w->dangers[i].destructive;
	}
	mz_report_planned(&c->report, list, n);
}

bool cmd_plan(struct mz_context *c, struct mz_err *err)
{
	struct mz_work w;
	bool due = false;
	bool ok = mz_work_open(&w, c, err) && mz_work_look(&w, err) &&
		  mz_drizzle1_due(&w, &due, err) && mz_work_choose(&w, err) &&
		  mz_work_survey(&w, err);

	if (ok) {
		if (due)
			mz_drizzle1_tell(&w);
		mz_drizzle1_warn(&w);
		show(&w);
		c->result.kind = MZ_RESULT_PLAN;
		c->result.pending = w.plan.todo_count;
		if (w.plan.todo_count > 0)
			mz_approval_id(c->result.plan, &w.plan,
				       c->opt.transaction);
		ok = w.plan.todo_count == 0 ||
		     (mz_work_writable(&w, err) && mz_work_runs(&w, err));
	}
	c->result.round_trips = mz_db_round_trips(&w.db);
	mz_work_close(&w);
	return ok;
}
