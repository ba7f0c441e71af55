/* SPDX-License-Identifier: MIT */
/* What takes long, who is in the way, and how to end them: for people. */
#include <config.h>

#include "backend.h"
#include "line.h"
#include "voices.h"

#define STILL_US 30000000

bool mz_still_is_due(struct mz_report *r, const struct mz_running *run)
{
	int64_t periods = run->tag ? run->us / STILL_US : 0;
	bool due = periods > r->still;

	r->still = periods;
	return due;
}

/* "still running: TAG, line 12: CREATE INDEX ..., 1m30s, phase 43 %" */
void mz_text_still(struct mz_report *r, const struct mz_running *run)
{
	char span[MZ_SPAN_MAX];
	struct mz_line l;

	if (r->quiet || r->live) /* the progress line says it */
		return;
	mz_span(span, run->us / 1000000);
	mz_line_init(&l, r->color_err);
	mz_line_put(&l, "still running: ");
	mz_line_foreign(&l, run->tag, NULL);
	if (run->line > 0)
		mz_line_printf(&l, ", line %zu", run->line);
	if (run->head) {
		mz_line_put(&l, ": ");
		mz_line_foreign(&l, run->head, NULL);
	}
	mz_line_printf(&l, ", %s", span);
	if (run->blocker > 0)
		mz_line_printf(&l, ", blocked by pid %lld",
			       (long long)run->blocker);
	if (run->phase) {
		mz_line_put(&l, ", ");
		mz_line_foreign(&l, run->phase, NULL);
	}
	if (run->percent >= 0)
		mz_line_printf(&l, " %d %%", run->percent);
	mz_line_put(&l, "\n");
	mz_line_err(&l, r);
}

void mz_text_blocked(struct mz_report *r, const struct mz_event *e)
{
	struct mz_line l;

	if (r->quiet)
		return;
	mz_line_init(&l, r->color_err);
	if (e->backend) {
		mz_line_paint(&l, MZ_PAINT_YELLOW, "blocked:");
		mz_line_put(&l, " ");
		mz_line_foreign(&l, e->text, MZ_CONTINUED);
	} else {
		mz_line_put(&l, "no longer blocked");
	}
	mz_line_put(&l, "\n");
	mz_line_err(&l, r);
}

/* ---- the command locks */

const char *mz_role_name(enum mz_role role)
{
	static const char *const names[MZ_ROLES] = {
		[MZ_ROLE_HOLDER] = "holder",
		[MZ_ROLE_WORKER] = "worker",
		[MZ_ROLE_BLOCKER] = "blocker",
		[MZ_ROLE_WAITER] = "waiter",
	};

	return role < MZ_ROLES ? names[role] : "unknown";
}

static void put_role(struct mz_line *l, const struct mz_locker *k)
{
	switch (k->role) {
	case MZ_ROLE_HOLDER:
		mz_line_paint(l, MZ_PAINT_BOLD, "migrates:");
		break;
	case MZ_ROLE_WORKER:
		mz_line_paint(l, MZ_PAINT_BOLD, "works for it:");
		break;
	case MZ_ROLE_BLOCKER:
		mz_line_put(l, mz_paint_on(l, MZ_PAINT_YELLOW));
		mz_line_printf(l, "blocks pid %lld:", (long long)k->of);
		mz_line_put(l, mz_paint_off(l));
		break;
	case MZ_ROLE_WAITER:
		mz_line_paint(l, MZ_PAINT_BOLD, "waits for the history:");
		break;
	case MZ_ROLES:
		break;
	}
	mz_line_put(l, " ");
}

static void put_locker(struct mz_line *l, const struct mz_locker *k)
{
	put_role(l, k);
	mz_line_foreign(l, k->text, MZ_CONTINUED);
	mz_line_put(l, "\n");
	if (k->what) {
		mz_line_put(l, "  holds ");
		mz_line_foreign(l, k->what, NULL);
		mz_line_put(l, "\n");
	}
	if (k->remedy) {
		mz_line_put(l, "  ");
		mz_line_put(l, k->remedy);
		mz_line_put(l, "  ");
		mz_line_put(l, mz_paint_on(l, MZ_PAINT_DIM));
		mz_line_printf(l, "-- %s", k->effect);
		mz_line_put(l, mz_paint_off(l));
		mz_line_put(l, "\n");
	} else if (k->effect) {
		mz_line_printf(l, "  %s\n", k->effect);
	}
}

void mz_text_lockers(struct mz_report *r, const struct mz_locker *list,
		     size_t n)
{
	struct mz_line l;

	mz_line_init(&l, r->color_out);
	for (size_t i = 0; i < n; i++)
		put_locker(&l, &list[i]);
	mz_line_out(&l, r);
}
