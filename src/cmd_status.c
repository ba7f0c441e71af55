/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "drizzle1.h"

bool cmd_status(struct mz_context *c, struct mz_err *err)
{
	struct mz_work w;
	bool ok = mz_work_open(&w, c, err) && mz_work_look(&w, err);

	if (ok) {
		mz_report_listed(&c->report, w.plan.list, w.plan.listed);
		mz_drizzle1_tell(&w);
		c->result.kind = MZ_RESULT_LISTING;
		mz_result_count(&c->result, w.plan.list, w.plan.listed);
	}
	c->result.round_trips = mz_db_round_trips(&w.db);
	mz_work_close(&w);
	if (ok && c->opt.exit_code && mz_plan_pending(&w.plan) > 0)
		return mz_fail(err, MZ_pending, "%s", "");
	return ok;
}
