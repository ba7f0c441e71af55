/* SPDX-License-Identifier: MIT */
/* A result as psql's aligned table.  A value may have several lines. */
#include <config.h>

#include "line.h"
#include "report_rows.h"
#include "sanitise.h"

#include <inttypes.h>
#include <stdio.h>

/* So much is held back to see how wide columns are; the rest has to fit. */
#define HELD_ROWS 1000
#define HELD_BYTES ((size_t)1 << 20)
#define TEXT_MAX ((size_t)1 << 30)
#define TAB 8

/* One line of a value, and whether more follow. */
struct piece {
	struct pgw_view text;
	size_t width;
	bool more;
	bool none; /* the value has no such line */
};

/*
 * Take one character, which is no line end, off the front of v, and append it
 * to out unless that is NULL: what cannot be shown as psql shows it.  Gives the
 * columns that it takes at column at.
 */
static size_t take_char(struct pgw_view *v, size_t at, struct pgw_buf *out)
{
	unsigned char c = v->p[0];
	char text[TAB + 1];
	uint32_t cp = 0;
	int n;

	if (c >= ' ' && c != 0x7f) {
		mz_next_char(v, &cp);
		if (out)
			mz_put_char(out, cp);
		return mz_char_width(cp);
	}
	v->p++;
	v->n--;
	if (c == '\t')
		n = snprintf(text, sizeof(text), "%*s", (int)(TAB - at % TAB),
			     "");
	else
		n = snprintf(text, sizeof(text), c == '\r' ? "\\r" : "\\x%02X",
			     c);
	if (out)
		pgw_buf_put_text(out, text);
	return (size_t)n;
}

/* Take a line off the front of v. */
static struct piece take_line(struct pgw_view *v)
{
	struct piece p = { .text = { v->p, 0 } };
	const unsigned char *start = v->p;

	while (v->n > 0 && v->p[0] != '\n')
		p.width += take_char(v, p.width, NULL);
	p.text.n = (size_t)(v->p - start);
	p.more = v->n > 0;
	if (p.more) {
		v->p++;
		v->n--;
	}
	return p;
}

static void put_piece(struct mz_line *l, const struct piece *p)
{
	struct pgw_view v = p->text;
	size_t at = 0;

	while (v.n > 0)
		at += take_char(&v, at, &l->text);
}

static void measure(struct mz_column *c, struct pgw_view v)
{
	struct piece p;

	do {
		p = take_line(&v);
		if (p.width > c->width)
			c->width = p.width;
	} while (p.more);
}

/* ---- lines */

enum align { ALIGN_LEFT, ALIGN_RIGHT, ALIGN_CENTRE };

static void put_cell(struct mz_line *l, const struct mz_column *c,
		     const struct piece *p, enum align align, bool last)
{
	size_t room = p->width < c->width ? c->width - p->width : 0;
	size_t left = align == ALIGN_RIGHT  ? room :
		      align == ALIGN_CENTRE ? room / 2 :
					      0;

	mz_line_put(l, " ");
	if (p->none && last && align != ALIGN_CENTRE)
		return;
	mz_line_blanks(l, left);
	put_piece(l, p);
	if (!last || p->more || align == ALIGN_CENTRE)
		mz_line_blanks(l, room - left);
	if (p->more)
		mz_line_put(l, "+");
	else if (!last || align == ALIGN_CENTRE)
		mz_line_put(l, " ");
}

static enum align align_of(const struct mz_column *c, bool header)
{
	if (header)
		return ALIGN_CENTRE;
	return c->right ? ALIGN_RIGHT : ALIGN_LEFT;
}

/* One line of all columns; true when any has more of them. */
static bool put_line(struct mz_line *l, struct mz_rows *t, bool header,
		     bool first)
{
	bool more = false;

	for (size_t i = 0; i < t->n; i++) {
		struct pgw_view *value = &t->values[i];
		bool none = !first && !value->p;
		struct piece p = take_line(value);

		p.none = none;
		more |= p.more;
		if (!p.more)
			value->p = NULL;
		if (i > 0)
			mz_line_put(l, "|");
		put_cell(l, &t->list[i], &p, align_of(&t->list[i], header),
			 i + 1 == t->n);
	}
	mz_line_put(l, "\n");
	return more;
}

/* Line by line, until each of t->values is used up. */
static void put_values(struct mz_rows *t, bool header)
{
	struct mz_line l;
	bool first = true;

	mz_line_init(&l, false);
	while (put_line(&l, t, header, first))
		first = false;
	mz_rows_write(t, &l.text);
}

static void put_rule(struct mz_rows *t)
{
	struct mz_line l;

	mz_line_init(&l, false);
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0)
			mz_line_put(&l, "+");
		for (size_t k = 0; k < t->list[i].width + 2; k++)
			mz_line_put(&l, "-");
	}
	mz_line_put(&l, t->n == 0 ? "--\n" : "\n");
	mz_rows_write(t, &l.text);
}

/* ---- rows */

static void put_row(struct mz_rows *t, struct pgw_view cols)
{
	for (size_t i = 0; i < t->n; i++)
		if (!pgw_column_next(&cols, &t->values[i]))
			return;
	if (t->n > 0)
		put_values(t, false);
}

static void put_header(struct mz_rows *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->values[i] = pgw_view_of(t->list[i].name);
	if (t->n > 0)
		put_values(t, true);
	put_rule(t);
}

static void measure_row(struct mz_rows *t, struct pgw_view cols)
{
	struct pgw_view value;

	for (size_t i = 0; i < t->n && pgw_column_next(&cols, &value); i++)
		measure(&t->list[i], value);
}

/* From now on the widths are those that were seen. */
static void let_go(struct mz_rows *t)
{
	struct pgw_cur c = pgw_cur_of(pgw_buf_view(&t->held));

	for (size_t i = 0; i < t->n; i++)
		measure(&t->list[i], pgw_view_of(t->list[i].name));
	put_header(t);
	while (t->nheld > 0 && !c.bad) {
		struct pgw_view cols = pgw_cur_take(&c, pgw_cur_u32(&c));

		put_row(t, cols);
		t->nheld--;
	}
	pgw_buf_release(&t->held);
	t->measured = true;
}

void mz_table_add(struct mz_rows *t, const struct pgw_row *row)
{
	if (t->measured) {
		put_row(t, row->cols);
		return;
	}
	measure_row(t, row->cols);
	pgw_buf_put_u32(&t->held, (uint32_t)row->cols.n);
	pgw_buf_put(&t->held, row->cols.p, row->cols.n);
	t->nheld++;
	if (t->nheld >= HELD_ROWS || t->held.len >= HELD_BYTES)
		let_go(t);
}

void mz_table_end(struct mz_rows *t)
{
	struct mz_line l;

	if (!t->measured)
		let_go(t);
	mz_line_init(&l, false);
	mz_line_printf(&l, "(%" PRIu64 " row%s)\n\n", t->count,
		       t->count == 1 ? "" : "s");
	mz_rows_write(t, &l.text);
}
