/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "rollback.h"

#include "down.h"
#include "file.h"

/* ---- which */

size_t mz_rollback_steps(const struct mz_options *o, size_t done)
{
	if (o->to)
		return SIZE_MAX;
	return o->steps > done ? o->steps - done : 0;
}

static bool no_duplicates(const struct mz_plan *p, struct mz_err *err)
{
	if (p->duplicates == 0)
		return true;
	mz_fail(err, MZ_history,
		"the history records %zu migration%s twice, as runners "
		"without a lock do",
		p->duplicates, p->duplicates == 1 ? "" : "s");
	return mz_hint(err, "a row that stays behind would still count as "
			    "applied: remove it first with mizzle repair");
}

/* What is done of it may need what would be undone. */
static bool nothing_midway(const struct mz_plan *p, struct mz_err *err)
{
	return mz_plan_is_whole(p, err) ||
	       mz_hint(err, "finish it first with mizzle migrate; if what "
			    "is done of it was undone by hand, delete its "
			    "row of " MZ_PARTIAL_TABLE);
}

bool mz_rollback_choose(struct mz_rollback *b, struct mz_plan *p,
			struct mz_arena *a, const struct mz_wish *wish,
			struct mz_err *err)
{
	const struct mz_folder *f = p->folder;
	size_t first = 0;

	p->todo = mz_alloc_array(a, f->count + 1, sizeof(*p->todo));
	p->todo_count = p->skipped = 0;
	b->rows = mz_alloc_array(a, f->count + 1, sizeof(struct mz_row *));
	if (!mz_plan_agrees(p, wish, err) || !no_duplicates(p, err) ||
	    !nothing_midway(p, err) ||
	    (wish->to && !mz_plan_end(f, a, wish->to, &first, err)))
		return false;
	for (size_t i = f->count; i > first && p->todo_count < b->steps; i--) {
		if (!p->rows[i - 1])
			continue;
		b->rows[p->todo_count] = p->rows[i - 1];
		p->todo[p->todo_count++] = &f->migrations[i - 1];
	}
	return true;
}

/* ---- by which scripts */

static bool no_script(const struct mz_migration *down,
		      const struct mz_file *file, struct mz_err *err)
{
	if (file->problem != MZ_FILE_MISSING)
		return mz_file_fail(file, err);
	mz_fail(err, MZ_refused,
		"%s cannot be rolled back: there is no %s; nothing was sent",
		down->tag, down->path);
	return mz_hint(err, "write there what undoes it, or an empty file "
			    "where there is nothing to undo");
}

static bool survey(struct mz_work *w, struct mz_migration *down,
		   struct mz_survey *s, struct mz_err *err)
{
	struct mz_file file;
	struct pgw_buf buf;
	struct pgw_view text;
	bool ok;

	pgw_buf_init(&buf, MZ_FILE_MAX);
	ok = mz_file_read_in(&file, down->bundle, down->path, &buf) ||
	     no_script(down, &file, err);
	text = pgw_buf_view(&buf);
	ok = ok && mz_down_sound(&w->folder, down, text, err);
	if (ok) {
		mz_folder_hash(text, down->hash);
		mz_statements_survey(text, s);
	}
	pgw_buf_release(&buf);
	return ok;
}

static bool may_remove(const struct mz_work *w, struct mz_err *err)
{
	if (w->history.may_lock)
		return true;
	mz_fail(err, MZ_refused, "role %s may not remove rows of %s",
		w->history.user, w->table.quoted);
	return mz_hint(err, "run as the owner, or have DELETE granted");
}

bool mz_rollback_survey(struct mz_rollback *b, struct mz_work *w,
			struct mz_err *err)
{
	struct mz_arena *a = &w->c->arena;
	size_t n = w->plan.todo_count;

	b->scripts = mz_alloc_array(a, n + 1, sizeof(struct mz_migration *));
	w->surveys = mz_alloc_array(a, n + 1, sizeof(*w->surveys));
	if (!may_remove(w, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct mz_migration *m = w->plan.todo[i];
		struct mz_migration *down = mz_alloc(a, sizeof(*down));

		*down = mz_down_of(a, &w->folder, m);
		b->scripts[i] = down;
		if (!survey(w, down, &w->surveys[i], err))
			return false;
	}
	return true;
}
