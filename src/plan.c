/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "plan.h"

#include "match.h"

#include <stdio.h>
#include <string.h>

/* ---- listing */

static void list_row(struct mz_listed *l, const struct mz_row *row)
{
	l->recorded_hash = row->hash;
	l->recorded_at = row->applied_at;
	l->has_recorded_when = row->has_when;
	l->recorded_when = row->when;
}

static struct mz_listed *list(struct mz_plan *p, enum mz_state state,
			      const struct mz_row *row)
{
	struct mz_listed *l = &p->list[p->listed];

	p->counts[state]++;
	p->rows[p->listed++] = row;
	l->state = state;
	if (row)
		list_row(l, row);
	return l;
}

static void list_missing(struct mz_plan *p, struct mz_arena *a,
			 struct mz_match *m)
{
	for (size_t j = 0; j < m->history->count; j++) {
		const struct mz_row *row = &m->history->rows[j];
		struct mz_listed *l;

		if (m->migration_of[j] != MZ_UNMATCHED)
			continue;
		if (mz_match_is_duplicate(m, row)) {
			p->duplicated[p->duplicates++] = row;
			continue;
		}
		l = list(p, MZ_MISSING, row);
		l->tag = row->name ?
				 row->name :
				 mz_printf(a, "row %lld", (long long)row->id);
		l->when = row->when;
	}
}

static size_t last_matched(const struct mz_match *m)
{
	size_t last = 0;

	for (size_t i = 0; i < m->folder->count; i++)
		if (m->row_of[i] != MZ_UNMATCHED)
			last = i;
	return last;
}

static const char *how_far(struct mz_arena *a, const struct mz_migration *m,
			   const struct mz_partial *p)
{
	return mz_printf(a, "%zu of %zu statements are done%s", p->finished,
			 p->statements,
			 strcmp(p->hash, m->hash) == 0 ?
				 "; migrate goes on from there" :
				 ", but the file has been edited since");
}

static void list_pending(struct mz_plan *p, struct mz_arena *a, size_t i,
			 enum mz_state state)
{
	const struct mz_migration *m = &p->folder->migrations[i];
	const struct mz_partial *part = mz_partials_find(&p->history->partials,
							 m->tag);
	struct mz_listed *l = list(p, part ? MZ_PARTIAL : state, NULL);

	l->tag = m->tag;
	l->hash = m->hash;
	l->when = m->when;
	if (part)
		l->note = how_far(a, m, part);
}

static void list_recorded(struct mz_plan *p, size_t i, const struct mz_row *row,
			  const struct mz_eol *eol)
{
	const struct mz_migration *m = &p->folder->migrations[i];
	enum mz_state state = MZ_APPLIED;
	struct mz_listed *l;

	if (strcmp(row->hash, m->hash) != 0)
		state = eol->is(eol->ctx, i, row->hash) ? MZ_EOL : MZ_MODIFIED;
	l = list(p, state, row);
	l->tag = m->tag;
	l->hash = m->hash;
	l->when = m->when;
}

void mz_plan_make(struct mz_plan *p, struct mz_arena *a,
		  const struct mz_folder *f, const struct mz_history *h,
		  const struct mz_eol *eol)
{
	struct mz_match m;
	size_t last;

	*p = (struct mz_plan){ .folder = f, .history = h };
	p->list = mz_alloc_array(a, f->count + h->count + 1, sizeof(*p->list));
	p->rows = mz_alloc_array(a, f->count + h->count + 1, sizeof(*p->rows));
	p->duplicated = mz_alloc_array(a, h->count, sizeof(*p->duplicated));
	mz_match_make(&m, a, f, h);
	last = last_matched(&m);
	for (size_t i = 0; i < f->count; i++) {
		if (m.row_of[i] != MZ_UNMATCHED)
			list_recorded(p, i, &h->rows[m.row_of[i]], eol);
		else
			list_pending(p, a, i,
				     i < last ? MZ_OUT_OF_ORDER : MZ_PENDING);
	}
	list_missing(p, a, &m);
}

bool mz_plan_is_pending(enum mz_state state)
{
	return state == MZ_PENDING || state == MZ_OUT_OF_ORDER ||
	       state == MZ_PARTIAL;
}

size_t mz_plan_pending(const struct mz_plan *p)
{
	return p->counts[MZ_PENDING] + p->counts[MZ_OUT_OF_ORDER] +
	       p->counts[MZ_PARTIAL];
}

/* ---- choosing */

static const struct mz_listed *first_of(const struct mz_plan *p,
					enum mz_state state)
{
	for (size_t i = 0; i < p->listed; i++)
		if (p->list[i].state == state)
			return &p->list[i];
	return NULL;
}

#define MORE_MAX 48

/* " (and 3 more)", or nothing. */
static const char *more(char text[MORE_MAX], size_t count)
{
	text[0] = '\0';
	if (count > 1)
		snprintf(text, MORE_MAX, " (and %zu more)", count - 1);
	return text;
}

bool mz_plan_is_whole(const struct mz_plan *p, struct mz_err *err)
{
	const struct mz_listed *partial = first_of(p, MZ_PARTIAL);

	return !partial || mz_fail(err, MZ_partial, "%s stopped midway: %s",
				   partial->tag, partial->note);
}

bool mz_plan_agrees(const struct mz_plan *p, const struct mz_wish *wish,
		    struct mz_err *err)
{
	const struct mz_listed *modified = first_of(p, MZ_MODIFIED);
	const struct mz_listed *missing = first_of(p, MZ_MISSING);
	char text[MORE_MAX];

	if (modified && !wish->allow_modified) {
		mz_fail(err, MZ_history,
			"%s was edited after it was applied: recorded with "
			"hash %.12s, the file has %.12s%s",
			modified->tag, modified->recorded_hash, modified->hash,
			more(text, p->counts[MZ_MODIFIED]));
		return mz_hint(err, "restore the file and put the change into "
				    "a new migration; --allow-modified goes "
				    "on all the same, mizzle repair records "
				    "the file as it is now");
	}
	if (missing && !wish->allow_missing) {
		mz_fail(err, MZ_history,
			"%s is recorded as applied (hash %.12s), but is not in "
			"the folder%s",
			missing->tag, missing->recorded_hash,
			more(text, p->counts[MZ_MISSING]));
		return mz_hint(err,
			       "is this folder older than the database, or of "
			       "another application? else go on with "
			       "--allow-missing, or have mizzle repair remove "
			       "the row");
	}
	return true;
}

static bool unknown_tag(const struct mz_folder *f, struct mz_arena *a,
			const char *tag, struct mz_err *err)
{
	const char **tags = mz_alloc_array(a, f->count + 1, sizeof(*tags));
	const char *meant;

	for (size_t i = 0; i < f->count; i++)
		tags[i] = f->migrations[i].tag;
	meant = mz_nearest(tag, tags, f->count);
	mz_fail(err, MZ_usage, "there is no migration %s in %s", tag, f->dir);
	if (meant)
		return mz_hint(err, "did you mean %s?", meant);
	return mz_hint(err, "the newest one there is %s",
		       f->count ? f->migrations[f->count - 1].tag : "none");
}

bool mz_plan_end(const struct mz_folder *f, struct mz_arena *a, const char *to,
		 size_t *end, struct mz_err *err)
{
	*end = f->count;
	if (!to)
		return true;
	for (size_t i = 0; i < f->count; i++) {
		if (strcmp(f->migrations[i].tag, to) == 0) {
			*end = i + 1;
			return true;
		}
	}
	return unknown_tag(f, a, to, err);
}

static mz_kind_order settle_order(const struct mz_history *h,
				  mz_kind_order order)
{
	if (order != MZ_ORDER_AUTO)
		return order;
	return h->shape == MZ_SHAPE_COLUMNS_5 ? MZ_ORDER_APPLY :
						MZ_ORDER_REFUSE;
}

static bool refuse_order(const struct mz_plan *p, size_t i, struct mz_err *err)
{
	const struct mz_migration *m = p->folder->migrations;
	size_t later = i;
	char text[MORE_MAX];

	while (mz_plan_is_pending(p->list[later].state))
		later++;
	mz_fail(err, MZ_history,
		"%s is not applied, but %s, which comes after it, is%s",
		m[i].tag, m[later].tag, more(text, p->counts[MZ_OUT_OF_ORDER]));
	return mz_hint(err, "it may have been skipped long ago: look, then use "
			    "--out-of-order=apply to run it now or "
			    "--out-of-order=skip to leave it out");
}

/* NOLINTNEXTLINE(readability-function-size) */
bool mz_plan_choose(struct mz_plan *p, struct mz_arena *a,
		    const struct mz_wish *wish, struct mz_err *err)
{
	const struct mz_folder *f = p->folder;
	mz_kind_order order = settle_order(p->history, wish->order);
	size_t end;

	p->todo = mz_alloc_array(a, f->count + 1,
				 sizeof(struct mz_migration *));
	p->todo_count = p->skipped = 0;
	if (!mz_plan_agrees(p, wish, err) ||
	    !mz_plan_end(f, a, wish->to, &end, err))
		return false;
	for (size_t i = 0; i < end; i++) {
		enum mz_state state = p->list[i].state;

		if (state == MZ_OUT_OF_ORDER && order == MZ_ORDER_REFUSE)
			return refuse_order(p, i, err);
		if (state == MZ_OUT_OF_ORDER && order == MZ_ORDER_SKIP)
			p->skipped++;
		else if (mz_plan_is_pending(state))
			p->todo[p->todo_count++] = &f->migrations[i];
	}
	return true;
}
