/* SPDX-License-Identifier: MIT */
/* What people read of the rows that repair changes, and are asked. */
#include <config.h>

#include "line.h"
#include "voices.h"

#include <stdio.h>
#include <string.h>

#define HASH_SHOWN 12 /* digits of a hash; the rest says nothing to people */

static void put_value(struct mz_line *l, const char *what, const char *value)
{
	char cut[HASH_SHOWN + 1];

	if (value && strcmp(what, "hash") == 0) {
		snprintf(cut, sizeof(cut), "%s", value);
		value = cut;
	}
	mz_line_foreign(l, value ? value : "none", NULL);
}

void mz_text_repairs(struct mz_report *r, const struct mz_repair *list,
		     size_t n)
{
	struct mz_line l;

	mz_line_init(&l, r->color_out);
	for (size_t i = 0; i < n; i++) {
		const struct mz_repair *one = &list[i];

		mz_line_paint(&l, one->to ? MZ_PAINT_YELLOW : MZ_PAINT_RED,
			      one->to ? "update" : "delete");
		mz_line_put(&l, "  ");
		mz_line_foreign(&l, one->tag, NULL);
		if (one->to) {
			mz_line_printf(&l, ": %s ", one->what);
			put_value(&l, one->what, one->from);
			mz_line_put(&l, " becomes ");
			put_value(&l, one->what, one->to);
		}
		mz_line_printf(&l, "  (%s)\n", one->why);
	}
	mz_line_out(&l, r);
}

void mz_report_question(struct mz_report *r, const char *text)
{
	struct mz_line l;

	mz_line_init(&l, r->color_err);
	mz_line_paint(&l, MZ_PAINT_BOLD, text);
	mz_line_put(&l, " [y/N] ");
	mz_line_err(&l, r);
}
