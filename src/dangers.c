/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "dangers.h"

#include "hazard.h"
#include "statements.h"

#include <string.h>

struct collector {
	struct mz_dangers *d;
	struct mz_arena *arena;
	struct pgw_view text;
	const struct mz_sql_statement *st;
	size_t room;
};

static struct mz_hazard *add(struct collector *c)
{
	struct mz_dangers *d = c->d;

	if (d->count == c->room) {
		size_t room = c->room ? c->room * 2 : 8;
		struct mz_hazard *more = mz_alloc_array(c->arena, room,
							sizeof(*more));

		if (d->count > 0)
			memcpy(more, d->list, d->count * sizeof(*more));
		d->list = more;
		c->room = room;
	}
	return &d->list[d->count++];
}

/* Counted from the statement's first line on, whose number is known. */
static void place(const struct collector *c, size_t at, struct mz_hazard *h)
{
	const unsigned char *lf = memrchr(c->text.p, '\n', c->st->start);
	size_t start = lf ? (size_t)(lf - c->text.p) + 1 : 0;
	struct pgw_view lines = { c->text.p + start, c->st->end - start };

	mz_sql_place(lines, c->st->start - start + at, &h->line, &h->column);
	h->line += c->st->line - 1;
}

static void found(void *ctx, const struct mz_danger *danger)
{
	struct collector *c = ctx;
	struct mz_hazard *h = add(c);

	h->what = danger->what;
	h->why = danger->why;
	h->destructive = danger->destructive;
	c->d->destructive += danger->destructive;
	place(c, danger->at, h);
}

void mz_dangers_find(struct mz_dangers *d, struct mz_arena *a,
		     struct pgw_view text)
{
	struct mz_sql_statement st;
	struct collector c = { .d = d, .arena = a, .text = text, .st = &st };
	struct mz_danger_sink sink = { found, &c };
	struct mz_statements s;

	*d = (struct mz_dangers){ 0 };
	mz_statements_init(&s, text);
	while (mz_statements_next(&s, &st))
		mz_hazard_find((struct pgw_view){ text.p + st.start,
						  st.end - st.start },
			       !s.sql.standard_conforming_strings, &sink);
}
