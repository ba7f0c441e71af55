/* SPDX-License-Identifier: MIT */
/* The one line that is drawn again and again, on terminals only. */
#include <config.h>

#include "line.h"
#include "sanitise.h"

#include <sys/ioctl.h>
#include <time.h>

#define REDRAW_MS 50

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t terminal_columns(FILE *f)
{
	struct winsize size;

	if (ioctl(fileno(f), TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

void mz_progress_clear(struct mz_report *r)
{
	if (!r->drawn)
		return;
	r->drawn = false;
	mz_write(r, r->err, pgw_view_of("\r\033[K"));
}

/* The first columns of text: a line that wraps could not be taken away. */
static void put_cut(struct mz_line *l, struct pgw_view text, size_t columns)
{
	uint32_t cp;

	while (mz_next_char(&text, &cp)) {
		size_t width = mz_char_width(cp);

		if (width > columns)
			break;
		columns -= width;
		mz_put_char(&l->text, cp);
	}
}

static void draw(struct mz_report *r)
{
	int64_t now = now_ms();
	struct mz_line l, tail;

	r->drawn_ms = now;
	mz_line_init(&l, r->color_err);
	mz_line_init(&tail, false);
	pgw_buf_put(&tail.text, r->label.data, r->label.len);
	if (r->statement > 0)
		mz_line_printf(&tail, "  %llu done",
			       (unsigned long long)r->statement);
	if (now - r->begun_ms >= 100) {
		mz_line_put(&tail, "  ");
		mz_line_time(&tail, (uint64_t)(now - r->begun_ms) * 1000);
	}
	mz_line_put(&l, mz_paint_on(&l, MZ_PAINT_CYAN));
	put_cut(&l, pgw_buf_view(&tail.text), terminal_columns(r->err) - 1);
	mz_line_put(&l, mz_paint_off(&l));
	pgw_buf_release(&tail.text);
	mz_line_err(&l, r);
	r->drawn = true;
}

static void set_label(struct mz_report *r, const struct mz_event *e)
{
	struct mz_line l;

	mz_line_init(&l, false);
	if (e->kind == MZ_EV_WAITING)
		mz_line_put(&l, "waiting: ");
	else
		mz_line_printf(&l, "[%zu/%zu] ", e->k, e->n);
	mz_line_foreign(&l, e->kind == MZ_EV_WAITING ? e->text : e->tag, NULL);
	pgw_buf_release(&r->label);
	r->label = l.text;
	r->statement = 0;
}

void mz_progress_event(struct mz_report *r, const struct mz_event *e)
{
	if (!r->live)
		return;
	if (e->kind == MZ_EV_BEGIN || e->kind == MZ_EV_WAITING) {
		if (e->kind == MZ_EV_BEGIN || r->label.len == 0)
			r->begun_ms = now_ms();
		set_label(r, e);
		draw(r);
	} else if (e->kind == MZ_EV_STATEMENT && r->label.len > 0) {
		r->statement++;
		if (!r->drawn || now_ms() - r->drawn_ms >= REDRAW_MS)
			draw(r);
	}
}
