/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "rollback.h"

#include "file.h"
#include "script.h"

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

static const char *path_of(struct mz_arena *a, const struct mz_folder *f,
			   const struct mz_migration *m)
{
	return mz_printf(a,
			 f->layout == MZ_LAYOUT_FOLDERS ? "%s/%s/down.sql" :
							  "%s/%s.down.sql",
			 f->dir, m->tag);
}

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

static const char *why_not(enum mz_sql_kind kind)
{
	if (kind == MZ_SQL_COPY_STDIN)
		return "needs data, which a script cannot give";
	if (kind == MZ_SQL_ALONE)
		return "cannot run inside a transaction, which every rollback "
		       "is";
	return "would leave the transaction that rolls it back";
}

/* All of it is to run in the transaction that removes the row. */
static bool stays_inside(const struct mz_migration *down, struct pgw_view text,
			 struct mz_err *err)
{
	struct mz_sql_statement st;
	struct mz_statements list;
	size_t line, column;

	mz_statements_init(&list, text);
	while (mz_statements_next(&list, &st)) {
		if (st.kind == MZ_SQL_PLAIN || st.kind == MZ_SQL_SAVEPOINT)
			continue;
		mz_fail(err, MZ_refused, "%s down: %s %s; nothing was sent",
			down->tag, st.what ? st.what : "a statement",
			why_not(st.kind));
		mz_hint(err, "take it out of the script, or run the script by "
			     "hand and then remove the row");
		mz_sql_place(text, st.start, &line, &column);
		return mz_at(err, down->path, line, column);
	}
	return true;
}

/* It may ask for other timeouts, but for no other way to be run. */
static bool asks_for_no_more(const struct mz_migration *down,
			     struct pgw_view text, struct mz_err *err)
{
	struct mz_directives d;

	mz_directives_read(&d, text);
	if (!d.unknown.p && !d.no_transaction)
		return true;
	mz_fail(err, d.unknown.p ? MZ_usage : MZ_refused,
		"%s down asks to be run in another way; nothing was "
		"sent",
		down->tag);
	mz_hint(err, "it runs in a transaction; a comment \"-- mizzle:\" may "
		     "ask for timeouts");
	return mz_at(err, down->path, 0, 0);
}

static bool survey(struct mz_work *w, struct mz_migration *down,
		   struct mz_survey *s, struct mz_err *err)
{
	struct mz_file file;
	struct pgw_buf buf;
	struct pgw_view text;
	bool ok;

	pgw_buf_init(&buf, MZ_FILE_MAX);
	ok = mz_file_read(&file, down->path, &buf) ||
	     no_script(down, &file, err);
	text = pgw_buf_view(&buf);
	ok = ok && mz_folder_sendable(&w->folder, down, text, err) &&
	     asks_for_no_more(down, text, err) && stays_inside(down, text, err);
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

		*down = (struct mz_migration){
			.tag = m->tag,
			.path = path_of(a, &w->folder, m),
			.when = m->when,
			.utf8 = true,
			.present = true,
		};
		b->scripts[i] = down;
		if (!survey(w, down, &w->surveys[i], err))
			return false;
	}
	return true;
}
