/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "dangers.h"

#include "hazard.h"

static struct mz_hazard *add(struct mz_dangers_taker *c)
{
	struct mz_dangers *d = c->d;

	d->list = mz_grow(c->arena, d->list, d->count, &c->room,
			  sizeof(*d->list));
	return &d->list[d->count++];
}

static void found(void *ctx, const struct mz_danger *danger)
{
	struct mz_dangers_taker *c = ctx;
	struct mz_hazard *h = add(c);

	h->what = danger->what;
	h->why = danger->why;
	h->destructive = danger->destructive;
	c->d->destructive += danger->destructive;
	mz_statements_place(c->text, c->st, c->st->start + danger->at, &h->line,
			    &h->column);
}

void mz_dangers_take(struct mz_dangers_taker *t,
		     const struct mz_statements *list,
		     const struct mz_sql_statement *st)
{
	struct mz_danger_sink sink = { found, t };

	t->text = list->text;
	t->st = st;
	mz_hazard_find((struct pgw_view){ t->text.p + st->start,
					  st->end - st->start },
		       !list->sql.standard_conforming_strings, &sink);
}
