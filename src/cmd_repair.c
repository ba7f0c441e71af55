/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "amend.h"
#include "ask.h"
#include "guard.h"
#include "repair.h"

#include <string.h>

struct repairing {
	struct mz_work w;
	struct mz_repairs found;
	const char *sql; /* of what was found */
	const char
		*agreed;  /* what was shown, and may be done; NULL = nothing */
	const char *made; /* what was done last */
	size_t repaired;
	bool done;
};

static bool wait_for_lock(struct repairing *rep, struct mz_err *err)
{
	struct mz_context *c = rep->w.c;
	struct mz_wait wait = { NULL, pgw_clock_ms() + c->opt.lock_wait };

	return mz_guard_wait(&rep->w.db, &c->arena, &rep->w.table, &wait, err);
}

/* To remove what a newer folder has applied is hardly what anybody wants. */
static void warn_of_age(const struct repairing *rep)
{
	size_t n = mz_repairs_newer(&rep->w.plan);

	if (n > 0)
		mz_report_warning(&rep->w.c->report,
				  "%zu of the rows without a file %s newer "
				  "than all that the folder has: is this an "
				  "older folder than the database's?",
				  n, n == 1 ? "is" : "are");
}

/* What was agreed to once is not asked again, unless it has changed. */
static bool agree(struct repairing *rep, struct mz_err *err)
{
	struct mz_context *c = rep->w.c;

	if (rep->agreed && strcmp(rep->agreed, rep->sql) == 0)
		return true;
	mz_report_repairs(&c->report, rep->found.list, rep->found.count);
	warn_of_age(rep);
	rep->agreed = rep->sql;
	return c->opt.dry_run || c->opt.yes ||
	       mz_ask(c,
		      "Change the history like this (tables and data stay as they are)?",
		      err);
}

static bool no_effect(struct mz_err *err)
{
	mz_fail(err, MZ_history,
		"the rows are as they were, although they were changed");
	return mz_hint(err, "look for triggers, rules and policies of the "
			    "history");
}

static bool change(struct repairing *rep, struct mz_err *err)
{
	struct mz_work *w = &rep->w;

	if (!mz_work_writable(w, err))
		return false;
	switch (mz_amend(w, rep->sql, err)) {
	case MZ_AMENDED:
		rep->repaired += rep->found.count;
		rep->made = rep->sql;
		return true; /* and see whether it is so */
	case MZ_AMEND_CONTENDED:
		return wait_for_lock(rep, err);
	case MZ_AMEND_DENIED:
		err->status = MZ_refused;
		return mz_hint(err, "run as the owner of the history, or have "
				    "UPDATE and DELETE granted");
	case MZ_AMEND_FAILED:
		break;
	}
	return false;
}

static bool one_round(struct repairing *rep, struct mz_err *err)
{
	struct mz_work *w = &rep->w;
	struct mz_arena *a = &w->c->arena;

	if (!mz_work_read(w, err))
		return false;
	if (w->history.busy)
		return wait_for_lock(rep, err);
	if (!mz_work_rights(w, err))
		return false;
	mz_repairs_find(&rep->found, a, &w->plan);
	rep->sql = mz_repairs_sql(&rep->found, a, &w->table);
	rep->done = rep->found.count == 0;
	if (rep->done)
		return true;
	if (rep->made && strcmp(rep->made, rep->sql) == 0)
		return no_effect(err);
	if (!agree(rep, err))
		return false;
	if (!w->c->opt.dry_run)
		return change(rep, err);
	rep->repaired = rep->found.count;
	rep->done = true;
	return true;
}

bool cmd_repair(struct mz_context *c, struct mz_err *err)
{
	struct repairing rep = { .repaired = 0 };
	bool ok = mz_work_open(&rep.w, c, err);

	while (ok && !rep.done)
		ok = one_round(&rep, err);
	c->result = (struct mz_result){
		.kind = c->opt.dry_run ? MZ_RESULT_REPAIRING : MZ_RESULT_REPAIR,
		.repaired = rep.repaired,
		.round_trips = mz_db_round_trips(&rep.w.db),
	};
	mz_work_close(&rep.w);
	return ok;
}
