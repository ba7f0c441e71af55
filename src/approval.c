/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "approval.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Told one by one; then only how many more there are. */
#define MOST_TOLD 20

/* ---- the id */

/* With its NUL, so that what follows cannot be taken for a part of it. */
static void put(struct pgw_sha256 *h, const char *text)
{
	if (text)
		pgw_sha256_update(h, text, strlen(text) + 1);
	else
		pgw_sha256_update(h, "\1", 1);
}

static void put_row(struct pgw_sha256 *h, const struct mz_row *row)
{
	char when[32] = "";

	if (row->has_when)
		snprintf(when, sizeof(when), "%" PRId64, row->when);
	put(h, row->hash);
	put(h, when);
	put(h, row->name);
}

void mz_approval_id(char id[MZ_PLAN_ID_LEN + 1], const struct mz_plan *plan,
		    mz_kind_transaction transaction)
{
	unsigned char digest[PGW_SHA256_LEN];
	struct pgw_sha256 h;

	pgw_sha256_init(&h);
	put(&h, transaction == MZ_TRANSACTION_ALL ? "all" : "each");
	for (size_t i = 0; i < plan->todo_count; i++) {
		put(&h, plan->todo[i]->tag);
		put(&h, plan->todo[i]->hash);
	}
	put(&h, "history");
	for (size_t i = 0; i < plan->history->count; i++)
		put_row(&h, &plan->history->rows[i]);
	pgw_sha256_final(&h, digest);
	for (size_t i = 0; i < MZ_PLAN_ID_LEN / 2; i++)
		snprintf(id + 2 * i, 3, "%02x", digest[i]);
}

/* ---- the check */

static void approve(struct mz_approval *a, const struct mz_work *w)
{
	a->count = w->plan.todo_count;
	a->rows = w->history.count;
	a->todo = mz_alloc_array(&w->c->arena, a->count + 1, sizeof(*a->todo));
	memcpy(a->todo, w->plan.todo, a->count * sizeof(*a->todo));
}

/*
 * Of what was approved the first ones were applied, by this run or by another
 * one with the same approval, and nothing else has changed.
 */
static bool is_rest_of(const struct mz_approval *a, const struct mz_work *w)
{
	const struct mz_plan *plan = &w->plan;
	struct mz_history before = w->history;
	struct mz_plan then = { .todo = a->todo, .todo_count = a->count };
	char id[MZ_PLAN_ID_LEN + 1];
	size_t done;

	if (plan->todo_count > a->count)
		return false;
	done = a->count - plan->todo_count;
	if (w->history.count != a->rows + done)
		return false;
	for (size_t i = 0; i < plan->todo_count; i++)
		if (plan->todo[i] != a->todo[done + i])
			return false;
	before.count = a->rows;
	then.history = &before;
	mz_approval_id(id, &then, w->c->opt.transaction);
	return strcasecmp(w->c->opt.approve, id) == 0;
}

static bool other_plan(const struct mz_work *w, const char *id,
		       struct mz_err *err)
{
	mz_fail(err, MZ_refused,
		"the plan '%.40s' that --approve names is not that of now, "
		"which is %s; nothing was sent",
		w->c->opt.approve, id);
	return mz_hint(err, "the scripts, the history or the options are not "
			    "what they were: read what mizzle plan prints, and "
			    "approve that");
}

/* Another run changed the history while this one was under way. */
static bool overtaken(struct mz_err *err)
{
	mz_fail(err, MZ_refused,
		"the history was changed by another during this run, so the "
		"rest is not what was approved");
	return mz_hint(err, "read what mizzle plan prints now, and approve "
			    "that");
}

/* Each statement that is destructive, up to a number that can be read. */
static void tell_all(const struct mz_work *w, size_t total)
{
	size_t told = 0;

	for (size_t i = 0; i < w->plan.todo_count; i++)
		for (size_t k = 0; k < w->dangers[i].count; k++) {
			const struct mz_hazard *h = &w->dangers[i].list[k];

			if (h->destructive && told++ < MOST_TOLD)
				mz_report_warning(&w->c->report,
						  "%s:%zu: %s: %s",
						  w->plan.todo[i]->path,
						  h->line, h->what, h->why);
		}
	if (total > MOST_TOLD)
		mz_report_warning(&w->c->report, "and %zu more",
				  total - MOST_TOLD);
}

/* The first one; d has one. */
static const struct mz_hazard *first_of(const struct mz_dangers *d)
{
	const struct mz_hazard *h = d->list;

	while (!h->destructive)
		h++;
	return h;
}

static bool not_approved(const struct mz_work *w, const char *id, size_t total,
			 struct mz_err *err)
{
	const struct mz_migration *m;
	const struct mz_hazard *h;
	size_t i = 0;

	while (w->dangers[i].destructive == 0)
		i++;
	m = w->plan.todo[i];
	h = first_of(&w->dangers[i]);
	tell_all(w, total);
	mz_fail(err, MZ_refused,
		"%zu destructive statement%s not approved, the first of them "
		"in %s; nothing was sent",
		total, total == 1 ? " is" : "s are", m->tag);
	mz_hint(err,
		"read what mizzle plan prints; if all of it is wanted, run "
		"again with --approve %s",
		id);
	return mz_at(err, m->path, h->line, h->column);
}

bool mz_approval_check(struct mz_approval *approval, struct mz_work *w,
		       struct mz_err *err)
{
	const struct mz_options *o = &w->c->opt;
	char id[MZ_PLAN_ID_LEN + 1];
	size_t total = 0;

	if (w->plan.todo_count == 0 || (!o->approve && !o->require_approval))
		return true;
	mz_approval_id(id, &w->plan, o->transaction);
	if (o->approve && approval->todo)
		return is_rest_of(approval, w) || overtaken(err);
	if (o->approve) {
		if (strcasecmp(o->approve, id) != 0)
			return other_plan(w, id, err);
		approve(approval, w);
		return true;
	}
	for (size_t i = 0; i < w->plan.todo_count; i++)
		total += w->dangers[i].destructive;
	return total == 0 || not_approved(w, id, total, err);
}
