/* SPDX-License-Identifier: MIT */
/* The log of the server: a line a request. */
#include <config.h>

#include "line.h"
#include "report_json.h"

static void json(struct mz_report *r, const struct mz_served *s)
{
	json_t *o = mz_json_event_of("request");

	mz_json_put_text(o, "address", s->address);
	mz_json_put_text(o, "method", s->method);
	mz_json_put_text(o, "path", s->path);
	mz_json_put_int(o, "status", s->status);
	mz_json_put_ms(o, s->us);
	mz_json_say(r, o);
}

static void text(struct mz_report *r, const struct mz_served *s)
{
	struct mz_line l;

	if (r->quiet)
		return;
	mz_line_init(&l, r->color_err);
	mz_line_foreign(&l, s->address, NULL);
	mz_line_printf(&l, " %s ", s->method);
	mz_line_foreign(&l, s->path, NULL);
	mz_line_put(&l, " ");
	mz_line_put(&l, mz_paint_on(&l, s->status < 400 ? MZ_PAINT_GREEN :
							  MZ_PAINT_RED));
	mz_line_printf(&l, "%d", s->status);
	mz_line_put(&l, mz_paint_off(&l));
	mz_line_put(&l, " ");
	mz_line_time(&l, s->us);
	mz_line_put(&l, "\n");
	mz_line_err(&l, r);
}

void mz_report_request(struct mz_report *r, const struct mz_served *s)
{
	if (r->json)
		json(r, s);
	else
		text(r, s);
}
