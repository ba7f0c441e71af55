/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "report_rows.h"

#include "line.h"
#include "sanitise.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX ((size_t)64 << 20)
#define TEXT_MAX ((size_t)1 << 30)

void mz_rows_init(struct mz_rows *t, struct mz_report *r, bool csv)
{
	*t = (struct mz_rows){ .r = r, .csv = csv };
	pgw_buf_init(&t->names, NAMES_MAX);
	pgw_buf_init(&t->held, TEXT_MAX);
}

void mz_rows_release(struct mz_rows *t)
{
	free(t->list);
	free(t->values);
	t->list = NULL;
	t->values = NULL;
	pgw_buf_release(&t->names);
	pgw_buf_release(&t->held);
}

/* A terminal gets nothing that could confuse it, others what there is. */
void mz_rows_write(struct mz_rows *t, struct pgw_buf *text)
{
	if (text->failed && t->r->write_errno == 0)
		t->r->write_errno = ENOMEM;
	if (t->r->out_is_terminal)
		mz_progress_clear(t->r);
	if (t->r->write_errno == 0)
		mz_write(t->r, t->r->out, pgw_buf_view(text));
	pgw_buf_release(text);
}

static void write_raw(struct mz_rows *t, struct pgw_view v)
{
	struct pgw_buf text;
	bool ends = v.n > 0 && v.p[v.n - 1] == '\n';

	pgw_buf_init(&text, TEXT_MAX);
	if (t->r->out_is_terminal)
		mz_sanitise(&text, v, "");
	else
		pgw_buf_put(&text, v.p, v.n);
	if (t->r->out_is_terminal && ends)
		pgw_buf_put_u8(&text, '\n');
	mz_rows_write(t, &text);
}

/* ---- columns */

/* psql's choice: integers, floats, numeric, oid, xid, cid, money. */
static bool is_number(uint32_t type)
{
	static const uint32_t types[] = { 20,  21,  23,	 26,   28,  29,
					  700, 701, 790, 1700, 5069 };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i] == type)
			return true;
	return false;
}

/* In two steps: while names are added they may move. */
static void take_columns(struct mz_rows *t, const struct pgw_columns *columns)
{
	struct pgw_view fields = columns->fields;
	struct pgw_field field;
	struct pgw_cur cur;
	size_t n = 0;

	while (n < columns->n && pgw_field_next(&fields, &field)) {
		pgw_buf_put_str(&t->names, field.name);
		t->list[n++] = (struct mz_column){
			.type = field.type,
			.right = is_number(field.type),
		};
	}
	if (t->names.failed)
		n = 0;
	cur = pgw_cur_of(pgw_buf_view(&t->names));
	for (size_t i = 0; i < n; i++)
		t->list[i].name = pgw_cur_str(&cur);
	t->n = n;
}

/* ---- CSV, as RFC 4180 and psql have it, with the line ends of the latter */

static bool needs_quotes(struct pgw_view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] == ',' || v.p[i] == '"' || v.p[i] == '\n' ||
		    v.p[i] == '\r')
			return true;
	return pgw_view_is(v, "\\.");
}

static void put_csv(struct pgw_buf *b, struct pgw_view v)
{
	if (!needs_quotes(v)) {
		pgw_buf_put(b, v.p, v.n);
		return;
	}
	pgw_buf_put_u8(b, '"');
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '"')
			pgw_buf_put_u8(b, '"');
		pgw_buf_put_u8(b, v.p[i]);
	}
	pgw_buf_put_u8(b, '"');
}

static void write_csv(struct mz_rows *t, struct pgw_buf *line)
{
	pgw_buf_put_u8(line, '\n');
	write_raw(t, pgw_buf_view(line));
	pgw_buf_release(line);
}

static void csv_columns(struct mz_rows *t)
{
	struct pgw_buf line;

	pgw_buf_init(&line, TEXT_MAX);
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0)
			pgw_buf_put_u8(&line, ',');
		put_csv(&line, pgw_view_of(t->list[i].name));
	}
	write_csv(t, &line);
}

static void csv_row(struct mz_rows *t, const struct pgw_row *row)
{
	struct pgw_view cols = row->cols, value;
	struct pgw_buf line;

	if (row->ncols == 0)
		return;
	pgw_buf_init(&line, TEXT_MAX);
	for (uint16_t i = 0; i < row->ncols; i++) {
		if (!pgw_column_next(&cols, &value))
			break;
		if (i > 0)
			pgw_buf_put_u8(&line, ',');
		put_csv(&line, value);
	}
	write_csv(t, &line);
}

/* ---- all of them */

void mz_rows_begin(struct mz_rows *t, const struct pgw_columns *columns)
{
	mz_rows_end(t);
	t->list = calloc((size_t)columns->n + 1, sizeof(*t->list));
	t->values = calloc((size_t)columns->n + 1, sizeof(*t->values));
	if (!t->list || !t->values) {
		t->r->write_errno = ENOMEM;
		return;
	}
	t->open = true;
	take_columns(t, columns);
	if (t->r->json)
		mz_json_columns(t);
	else if (t->csv)
		csv_columns(t);
}

void mz_rows_add(struct mz_rows *t, const struct pgw_row *row)
{
	if (!t->open || row->ncols != t->n)
		return;
	t->count++;
	if (t->r->json)
		mz_json_row(t, row);
	else if (t->csv)
		csv_row(t, row);
	else
		mz_table_add(t, row);
}

void mz_rows_drop(struct mz_rows *t)
{
	struct mz_report *r = t->r;

	if (t->open && fflush(r->out) != 0 && r->write_errno == 0)
		r->write_errno = errno;
	mz_rows_release(t);
	mz_rows_init(t, r, t->csv);
}

void mz_rows_end(struct mz_rows *t)
{
	if (t->open && !t->r->json && !t->csv)
		mz_table_end(t);
	mz_rows_drop(t);
}

void mz_rows_copy(struct mz_rows *t, struct pgw_view data)
{
	if (t->r->json)
		mz_json_copy(t, data);
	else
		write_raw(t, data);
}
