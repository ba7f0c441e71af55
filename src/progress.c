/* SPDX-License-Identifier: MIT */
/*
 * The one line that is drawn again and again, on terminals only:
 * [k/n] TAG  statement i of m  12.3 s  building index: scanning table 43 %
 */
#include <config.h>

#include "line.h"
#include "sanitise.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <time.h>

#define REDRAW_MS 50

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t terminal_columns(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
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

static void put_statement(struct mz_line *l, const struct mz_report *r)
{
	uint64_t at = r->statement + 1;

	if (r->statements < 2)
		return;
	mz_line_printf(l, "  statement %" PRIu64 " of %" PRIu64,
		       at < r->statements ? at : r->statements, r->statements);
}

static void draw(struct mz_report *r)
{
	int64_t now = now_ms();
	struct mz_line l, tail;

	r->drawn_ms = now;
	mz_line_init(&l, r->color_err);
	mz_line_init(&tail, false);
	pgw_buf_put(&tail.text, r->label.data, r->label.len);
	put_statement(&tail, r);
	if (now - r->begun_ms >= 100) {
		mz_line_put(&tail, "  ");
		mz_line_time(&tail, (uint64_t)(now - r->begun_ms) * 1000);
	}
	pgw_buf_put(&tail.text, r->detail.data, r->detail.len);
	mz_line_put(&l, mz_paint_on(&l, MZ_PAINT_CYAN));
	put_cut(&l, pgw_buf_view(&tail.text), terminal_columns(r->err_fd) - 1);
	mz_line_put(&l, mz_paint_off(&l));
	pgw_buf_release(&tail.text);
	mz_line_err(&l, r);
	r->drawn = true;
}

/* Who is in the way has a line of its own above; here it must be short. */
static void put_wait(struct mz_line *l, const struct mz_event *e)
{
	const struct mz_backend *b = e->backend;

	if (!b || b->pid <= 0) {
		mz_line_put(l, "waiting: ");
		mz_line_foreign(l, e->text, NULL);
		return;
	}
	mz_line_printf(l, "waiting for pid %" PRId64, b->pid);
	if (b->blocked_by) {
		mz_line_put(l, ", which is blocked by pid ");
		mz_line_foreign(l, b->blocked_by, NULL);
	}
}

/* A wait that goes on keeps its beginning. */
static void set_label(struct mz_report *r, const struct mz_event *e)
{
	bool waits = e->kind != MZ_EV_BEGIN;
	struct mz_line l;

	if (!waits || !r->waits)
		r->begun_ms = now_ms();
	r->waits = waits;
	mz_line_init(&l, false);
	if (waits) {
		put_wait(&l, e);
	} else {
		mz_line_printf(&l, "[%zu/%zu] ", e->k, e->n);
		mz_line_foreign(&l, e->tag, NULL);
	}
	if (e->undone)
		mz_line_put(&l, " down");
	pgw_buf_release(&r->label);
	r->label = l.text;
	r->statement = 0;
	r->statements = waits ? 0 : e->statements;
	r->detail.len = 0;
}

/* What the monitor knows of the statement that runs. */
static void set_detail(struct mz_report *r, const struct mz_running *run)
{
	struct mz_line l;

	mz_line_init(&l, false);
	if (run->blocker > 0)
		mz_line_printf(&l, "  blocked by pid %" PRId64, run->blocker);
	if (run->phase) {
		mz_line_put(&l, "  ");
		mz_line_foreign(&l, run->phase, NULL);
	}
	if (run->percent >= 0)
		mz_line_printf(&l, " %d %%", run->percent);
	pgw_buf_release(&r->detail);
	r->detail = l.text;
	if (run->statement > 0)
		r->statement = run->statement - 1;
}

void mz_progress_event(struct mz_report *r, const struct mz_event *e)
{
	if (!r->live)
		return;
	switch (e->kind) {
	case MZ_EV_BEGIN:
	case MZ_EV_WAITING:
	case MZ_EV_STILL:
		set_label(r, e);
		draw(r);
		break;
	case MZ_EV_STATEMENT:
		if (r->label.len == 0)
			break; /* of exec */
		r->statement++;
		r->detail.len = 0;
		if (!r->drawn || now_ms() - r->drawn_ms >= REDRAW_MS)
			draw(r);
		break;
	case MZ_EV_PROGRESS:
		set_detail(r, e->running);
		if (r->label.len > 0)
			draw(r);
		break;
	case MZ_EV_START:
	case MZ_EV_BLOCKED:
	case MZ_EV_UNBLOCKED:
	case MZ_EV_APPLIED:
	case MZ_EV_NOTICE:
	case MZ_EV_REMARK:
	case MZ_EV_WARNING:
		break;
	}
}
