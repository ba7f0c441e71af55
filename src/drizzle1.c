/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "drizzle1.h"

#include "upgrade.h"

bool mz_drizzle1_due(struct mz_work *w, bool *due, struct mz_err *err)
{
	struct mz_arena *a = &w->c->arena;
	struct mz_upgrade u;

	*due = mz_upgrade_is_due(&w->folder, &w->history);
	if (!*due)
		return true;
	mz_upgrade_match(&u, a, &w->folder, &w->history);
	if (mz_upgrade_agrees(&u, a, &w->history, err))
		return true;
	if (!w->wish.allow_missing)
		return false;
	mz_report_warning(&w->c->report,
			  "the history stays one of Drizzle 0.x: %zu of its "
			  "rows %s no migration of the folder",
			  u.unmatched, u.unmatched == 1 ? "is" : "are");
	*due = false;
	return true;
}

enum mz_amended mz_drizzle1_upgrade(struct mz_work *w, struct mz_err *err)
{
	struct mz_arena *a = &w->c->arena;
	enum mz_amended amended;
	struct mz_upgrade u;

	if (!mz_work_writable(w, err))
		return MZ_AMEND_DENIED;
	mz_upgrade_match(&u, a, &w->folder, &w->history);
	amended = mz_amend(w, mz_upgrade_sql(&u, a, &w->table, &w->history),
			   err);
	if (amended == MZ_AMENDED)
		mz_report_remark(&w->c->report,
				 "the history %s was upgraded from the 3 "
				 "columns of Drizzle 0.x to the 5 of 1.x, as "
				 "Drizzle 1.x would have done",
				 w->table.quoted);
	return amended;
}

void mz_drizzle1_denied(struct mz_work *w, const struct mz_err *err)
{
	const struct mz_sql_error *sql = err->sql;

	mz_report_warning(&w->c->report,
			  "the history stays one of Drizzle 0.x, until its "
			  "owner upgrades it with mizzle migrate: %s",
			  sql && sql->message ? sql->message : err->msg);
}

void mz_drizzle1_tell(struct mz_work *w)
{
	if (mz_upgrade_is_due(&w->folder, &w->history))
		mz_report_remark(&w->c->report,
				 "the history %s has the 3 columns of Drizzle "
				 "0.x: mizzle migrate upgrades it to the 5 of "
				 "1.x, as Drizzle 1.x does",
				 w->table.quoted);
}

void mz_drizzle1_warn(struct mz_work *w)
{
	size_t n = w->plan.unnamed;

	if (n > 0)
		mz_report_warning(&w->c->report,
				  "%zu applied migration%s not recorded under "
				  "the name of the folder: Drizzle 1.x would "
				  "run %s again; mizzle repair sets that right",
				  n, n == 1 ? " is" : "s are",
				  n == 1 ? "it" : "them");
}
