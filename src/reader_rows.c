/* SPDX-License-Identifier: MIT */
/* The rows of a COPY, taken out of the script as they are read. */
#include <config.h>

#include "file.h"
#include "reader_inner.h"

#include <string.h>

/* From the statement's line up to the rows; false when there cannot be any. */
static bool cut_head(struct mz_reader *r, struct mz_sql_statement *st)
{
	size_t at = r->sql.at, from = r->line_start;
	const unsigned char *lf = memchr(r->text.p + at, '\n', r->text.n - at);
	size_t end = lf ? (size_t)(lf - r->text.p) + 1 : r->text.n;

	pgw_buf_drop(&r->head, r->head.len);
	pgw_buf_drop(&r->rest, r->rest.len);
	pgw_buf_put(&r->head, r->text.p + from, end - from);
	pgw_buf_put(&r->rest, r->text.p + at, end - at);
	r->head_line = mz_reader_line_of(r, from);
	r->rest_line = mz_reader_line_of(r, at);
	if (!lf || !st->ended)
		return false;
	st->start -= from;
	st->end -= from;
	mz_reader_drop(r, end);
	return true;
}

bool mz_reader_rows_begin(struct mz_reader *r, struct mz_sql_statement *st,
			  struct mz_err *err)
{
	r->given = 0;
	r->rows_over = false;
	if (r->raw)
		return true;
	if (!cut_head(r, st)) {
		r->sql.problem = MZ_SQL_UNTERMINATED_COPY;
		r->sql.problem_at = st->start;
		return mz_reader_fail(r, err);
	}
	if (r->head.failed || r->rest.failed)
		return mz_fail(err, MZ_internal, "out of memory");
	return true;
}

static bool no_end(const struct mz_reader *r, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "%s ends inside of the rows of a COPY", r->name);
	mz_hint(err, "a line with \\. alone ends them; was the file cut off?");
	return mz_at(err, r->name, r->rest_line + 1, 0);
}

/* What can be given of the window: rows, or nothing yet, or nothing more. */
static bool look(struct mz_reader *r, struct mz_err *err)
{
	size_t end, behind;

	if (mz_sql_rows_end(r->text, 0, &end, &behind)) {
		r->given = end;
		r->rows_over = end == 0;
		if (end == 0)
			mz_reader_drop(r, behind);
		return true;
	}
	if (r->eof && !r->raw)
		return no_end(r, err);
	r->given = r->text.n;
	r->rows_over = r->eof && r->given == 0;
	return true;
}

bool mz_reader_rows(struct mz_reader *r, struct pgw_view *rows,
		    struct mz_err *err)
{
	mz_reader_drop(r, r->given);
	r->given = 0;
	while (!r->rows_over && r->given == 0)
		if (!look(r, err) ||
		    (!r->rows_over && r->given == 0 && !mz_reader_fill(r, err)))
			return false;
	*rows = (struct pgw_view){ r->text.p, r->given };
	return true;
}

static bool is_blank(const struct pgw_buf *b)
{
	size_t n = 0;

	while (n < b->len && strchr(" \t\r\n", b->data[n]) && b->data[n])
		n++;
	return n == b->len;
}

/* What stood behind the COPY comes before what follows the rows. */
static bool put_rest_before(struct mz_reader *r)
{
	struct pgw_buf b;

	pgw_buf_init(&b, MZ_FILE_MAX);
	pgw_buf_put(&b, r->rest.data, r->rest.len);
	pgw_buf_put(&b, r->window.data, r->window.len);
	pgw_buf_release(&r->window);
	r->window = b;
	r->cut_at = r->rest.len;
	r->cut_lines = r->line - r->rest_line - 1;
	r->line = r->rest_line;
	return !b.failed;
}

bool mz_reader_rows_end(struct mz_reader *r, struct mz_err *err)
{
	struct pgw_view rows;

	do
		if (!mz_reader_rows(r, &rows, err))
			return false;
	while (rows.n > 0);
	if (r->raw)
		return true;
	if (!is_blank(&r->rest) && !put_rest_before(r))
		return mz_fail(err, MZ_internal, "out of memory");
	mz_reader_restart(r);
	return true;
}
