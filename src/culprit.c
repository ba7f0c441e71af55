/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "culprit.h"

#include <string.h>

struct search {
	const struct mz_culprit *c;
	struct mz_arena *arena;
	size_t line; /* of the next lines, from 0 */

	size_t begin, end; /* the lines of the statement */
	size_t begin_line;
	bool begun;

	/* The row that the server means, if it means one */
	size_t row, rows; /* so many are before the next lines */
	struct pgw_buf found;
	size_t found_line;
};

/* The next line of *v, with its end; false when there is none. */
static bool next_line(struct pgw_view *v, struct pgw_view *line)
{
	const unsigned char *lf = v->n ? memchr(v->p, '\n', v->n) : NULL;

	*line = *v;
	if (lf)
		line->n = (size_t)(lf - v->p) + 1;
	v->p += line->n;
	v->n -= line->n;
	return line->n > 0;
}

/* One line of the file, which begins with the byte at. */
static void look(struct search *f, struct pgw_view line, size_t at)
{
	const struct mz_culprit *c = f->c;

	if (!f->begun && at + line.n > c->start) {
		f->begun = true;
		f->begin = at;
		f->begin_line = f->line;
	}
	if (f->begun && at < c->end)
		f->end = at + line.n;
	if (f->row > 0 && at >= c->data_start && ++f->rows == f->row) {
		f->found_line = f->line;
		pgw_buf_put_text(&f->found, "\n"); /* no row begins at 0 */
		pgw_buf_put(&f->found, line.p, line.n);
	}
	f->line++;
}

static bool search(struct search *f, struct mz_scroll *s, struct mz_err *err)
{
	struct pgw_view lines, line;

	for (;;) {
		if (!mz_scroll_lines(s, &lines, err))
			return false;
		if (lines.n == 0)
			return true;
		while (next_line(&lines, &line))
			look(f, line, (size_t)(line.p - s->base));
		s->keep_from = f->begin;
		s->keep_to = f->end;
	}
}

/* Only that row is there: those before it are left out. */
static void give_row(struct search *f, struct mz_culprit *c)
{
	const char *copy = mz_strndup(f->arena, (const char *)f->found.data,
				      f->found.len);

	c->text = (struct pgw_view){ (const unsigned char *)copy,
				     f->found.len };
	c->start = c->end = 0;
	c->data_start = 1;
	c->data_end = f->found.len;
	c->rows_before = f->row - 1;
	c->lines_before = f->found_line - 1;
}

static void give_statement(const struct search *f, struct mz_culprit *c,
			   const struct mz_scroll *s)
{
	c->text = (struct pgw_view){ s->base + f->begin, f->end - f->begin };
	c->start -= f->begin;
	c->end -= f->begin;
	c->data_start = c->data_end = 0;
	c->lines_before = f->begin_line;
}

bool mz_culprit_read(struct mz_culprit *c, struct mz_scroll *s,
		     struct mz_arena *a, const struct pgw_diag *diag,
		     struct mz_err *err)
{
	struct search f = { .c = c, .arena = a };
	struct pgw_view unused;
	bool ok;

	pgw_buf_init(&f.found, MZ_FILE_MAX);
	if (c->data_start > 0 && pgw_diag_number(diag, PGW_DIAG_POSITION) == 0)
		f.row = mz_failure_row(diag, &unused);
	ok = search(&f, s, err);
	if (ok && f.found.len > 0 && !f.found.failed)
		give_row(&f, c);
	else if (ok)
		give_statement(&f, c, s);
	pgw_buf_release(&f.found);
	return ok;
}
