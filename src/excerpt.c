/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "excerpt.h"
#include "sanitise.h"

#include <stdio.h>
#include <string.h>

#define TAB_WIDTH 4
#define ELLIPSIS "\xE2\x80\xA6"

size_t mz_excerpt_gutter(size_t line)
{
	size_t n = 1;

	for (; line >= 10; line /= 10)
		n++;
	return n;
}

static void put_blanks(struct pgw_buf *out, size_t n)
{
	while (n-- > 0)
		pgw_buf_put_text(out, " ");
}

/* One character as it is shown. */
static void put_shown(struct pgw_buf *out, uint32_t cp)
{
	if (cp == '\t')
		put_blanks(out, TAB_WIDTH);
	else
		mz_put_char(out, cp == '\n' ? ' ' : cp);
}

static size_t shown_width(uint32_t cp)
{
	if (cp == '\t')
		return TAB_WIDTH;
	return cp == '\n' ? 1 : mz_char_width(cp);
}

/* The columns of the first n characters; all of them with SIZE_MAX. */
static size_t width_of(struct pgw_view text, size_t n)
{
	size_t width = 0;
	uint32_t cp;

	while (n-- > 0 && mz_next_char(&text, &cp))
		width += shown_width(cp);
	return width;
}

/* What of a long line is shown: the columns from first up to before end. */
struct window {
	size_t first, end;
	bool cut_left, cut_right;
};

static struct window find_window(size_t total, size_t caret, size_t room)
{
	struct window w = { 0, total, false, false };

	if (room == 0 || total <= room)
		return w;
	if (caret > room / 2)
		w.first = caret - room / 2;
	if (w.first > total - room)
		w.first = total - room;
	w.end = w.first + room;
	w.cut_left = w.first > 0;
	w.cut_right = w.end < total;
	return w;
}

/* Append the window; *shift is how far left the text moved by it. */
static void put_window(struct pgw_buf *out, struct pgw_view text,
		       const struct window *w, size_t *shift)
{
	size_t at = 0;
	bool begun = false;
	uint32_t cp;

	*shift = 0;
	for (; mz_next_char(&text, &cp); at += shown_width(cp)) {
		if (at < w->first || at + shown_width(cp) > w->end)
			continue;
		if (!begun && w->cut_left) {
			pgw_buf_put_text(out, ELLIPSIS);
			*shift = at - 1;
		}
		begun = true;
		put_shown(out, cp);
	}
	if (w->cut_right)
		pgw_buf_put_text(out, ELLIPSIS);
}

static struct pgw_view without_end(struct pgw_view line)
{
	while (line.n > 0 &&
	       (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	return line;
}

static void put_source(struct pgw_buf *out, const struct mz_excerpt *e)
{
	struct pgw_view text = without_end(e->source);
	size_t gutter = mz_excerpt_gutter(e->line);
	size_t caret = e->column > 0 ? width_of(text, e->column - 1) : 0;
	struct window w = find_window(width_of(text, SIZE_MAX), caret,
				      e->width);
	char number[32];
	size_t shift;

	put_blanks(out, gutter);
	pgw_buf_put_text(out, " |\n");
	snprintf(number, sizeof(number), "%zu | ", e->line);
	pgw_buf_put_text(out, number);
	put_window(out, text, &w, &shift);
	pgw_buf_put_text(out, "\n");
	if (e->column == 0)
		return;
	put_blanks(out, gutter);
	pgw_buf_put_text(out, " | ");
	put_blanks(out, caret - shift);
	pgw_buf_put_text(out, e->mark);
	pgw_buf_put_text(out, "^");
	pgw_buf_put_text(out, e->unmark);
	pgw_buf_put_text(out, "\n");
}

void mz_excerpt(struct pgw_buf *out, const struct mz_excerpt *e)
{
	size_t gutter = mz_excerpt_gutter(e->line);
	char place[64] = "";

	put_blanks(out, gutter > 1 ? gutter - 1 : 1);
	pgw_buf_put_text(out, "--> ");
	mz_sanitise(out, pgw_view_of(e->file), NULL);
	if (e->line > 0 && e->column > 0)
		snprintf(place, sizeof(place), ":%zu:%zu", e->line, e->column);
	else if (e->line > 0)
		snprintf(place, sizeof(place), ":%zu", e->line);
	pgw_buf_put_text(out, place);
	pgw_buf_put_text(out, "\n");
	if (e->line > 0 && e->source.p)
		put_source(out, e);
}
