/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "command.h"
#include "inspect.h"

#include <time.h>

int64_t mz_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool is_passed(const struct mz_findings *f, mz_kind_fail_on fail_on)
{
	switch (fail_on) {
	case MZ_FAIL_ON_ERROR:
		return f->errors == 0;
	case MZ_FAIL_ON_WARNING:
		return f->errors + f->warnings == 0;
	case MZ_FAIL_ON_NONE:
		break;
	}
	return true;
}

bool cmd_check(struct mz_context *c, struct mz_err *err)
{
	struct mz_findings findings;
	struct mz_folder folder;

	mz_findings_init(&findings, &c->arena);
	if (!mz_settle_folder(c, err) ||
	    !mz_inspect(&folder, &findings, mz_context_where(c), mz_now_ms(),
			err))
		return false;
	for (const struct mz_finding *f = findings.first; f; f = f->next)
		mz_report_finding(&c->report, f);
	c->result.kind = MZ_RESULT_FINDINGS;
	c->result.checked = folder.count;
	c->result.errors = findings.errors;
	c->result.warnings = findings.warnings;
	if (is_passed(&findings, c->opt.fail_on))
		return true;
	return mz_fail(err, MZ_findings, "%s", "");
}
