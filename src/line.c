/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "line.h"
#include "sanitise.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define LINES_MAX ((size_t)1 << 30)

void mz_line_init(struct mz_line *l, bool color)
{
	pgw_buf_init(&l->text, LINES_MAX);
	l->color = color;
}

void mz_line_put(struct mz_line *l, const char *ours)
{
	pgw_buf_put_text(&l->text, ours);
}

void mz_line_printf(struct mz_line *l, const char *fmt, ...)
{
	char text[512]; /* numbers and our own words */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mz_line_put(l, text);
}

void mz_line_blanks(struct mz_line *l, size_t n)
{
	while (n-- > 0)
		mz_line_put(l, " ");
}

const char *mz_paint_on(const struct mz_line *l, enum mz_paint paint)
{
	if (!l->color)
		return "";
	switch (paint) {
	case MZ_PAINT_BOLD:
		return "\033[1m";
	case MZ_PAINT_DIM:
		return "\033[2m";
	case MZ_PAINT_RED:
		return "\033[1;31m";
	case MZ_PAINT_GREEN:
		return "\033[32m";
	case MZ_PAINT_YELLOW:
		return "\033[33m";
	case MZ_PAINT_CYAN:
		return "\033[36m";
	}
	return "";
}

const char *mz_paint_off(const struct mz_line *l)
{
	return l->color ? "\033[0m" : "";
}

void mz_line_paint(struct mz_line *l, enum mz_paint paint, const char *ours)
{
	mz_line_put(l, mz_paint_on(l, paint));
	mz_line_put(l, ours);
	mz_line_put(l, mz_paint_off(l));
}

void mz_line_foreign(struct mz_line *l, const char *text, const char *prefix)
{
	mz_sanitise(&l->text, pgw_view_of(text), prefix);
}

void mz_line_time(struct mz_line *l, uint64_t us)
{
	uint64_t s = us / 1000000;

	if (us < 9950)
		mz_line_printf(l, "%" PRIu64 ".%" PRIu64 " ms", us / 1000,
			       us % 1000 / 100);
	else if (us < 999500)
		mz_line_printf(l, "%" PRIu64 " ms", (us + 500) / 1000);
	else if (s < 60)
		mz_line_printf(l, "%" PRIu64 ".%" PRIu64 " s", s,
			       us % 1000000 / 100000);
	else
		mz_line_printf(l, "%" PRIu64 " min %" PRIu64 " s", s / 60,
			       s % 60);
}

/* ---- writing */

void mz_write(struct mz_report *r, FILE *to, struct pgw_view bytes)
{
	errno = 0;
	if (bytes.n == 0 || fwrite(bytes.p, 1, bytes.n, to) == bytes.n)
		return;
	if (r->write_errno == 0)
		r->write_errno = errno ? errno : EIO;
}

static void write_line(struct mz_line *l, struct mz_report *r, FILE *to)
{
	if (l->text.failed && r->write_errno == 0)
		r->write_errno = ENOMEM;
	mz_write(r, to, pgw_buf_view(&l->text));
	pgw_buf_release(&l->text);
}

void mz_line_out(struct mz_line *l, struct mz_report *r)
{
	if (r->out_is_terminal)
		mz_progress_clear(r);
	write_line(l, r, r->out);
	/* what happened is told when it happened, also through a pipe */
	if (fflush(r->out) != 0 && r->write_errno == 0)
		r->write_errno = errno;
}

void mz_line_err(struct mz_line *l, struct mz_report *r)
{
	mz_progress_clear(r);
	write_line(l, r, r->err);
}
