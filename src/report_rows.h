/* SPDX-License-Identifier: MIT */
/*
 * Results of queries on stdout, as they come: an aligned table as psql prints
 * it, CSV, or with --json one object a row.  Values are the server's text.
 */
#ifndef MZ_REPORT_ROWS_H
#define MZ_REPORT_ROWS_H

#include "report.h"

struct mz_column {
	const char *name; /* of names */
	uint32_t type;
	bool right;   /* numbers are aligned to the right */
	size_t width; /* in columns of the terminal */
};

struct mz_rows {
	struct mz_report *r;
	bool csv;
	bool open;		 /* a result is coming in */
	struct mz_column *list;	 /* NULL when there are no columns */
	struct pgw_view *values; /* as many: of the row that is printed */
	size_t n;
	struct pgw_buf names; /* what list points into */
	struct pgw_buf held;  /* rows that wait until widths are known */
	size_t nheld;
	bool measured;	/* the widths are settled */
	uint64_t count; /* of rows */
};

void mz_rows_init(struct mz_rows *t, struct mz_report *r, bool csv);
void mz_rows_release(struct mz_rows *t);

/* A result begins, goes on, and ends. */
void mz_rows_begin(struct mz_rows *t, const struct pgw_columns *columns);
void mz_rows_add(struct mz_rows *t, const struct pgw_row *row);
void mz_rows_end(struct mz_rows *t);

/* It fails: what is not printed by then never is. */
void mz_rows_drop(struct mz_rows *t);

/* Data of COPY TO STDOUT: as it is. */
void mz_rows_copy(struct mz_rows *t, struct pgw_view data);

/* ---- for report_*.c alone */

/* Bytes to stdout, which is not flushed. */
void mz_rows_write(struct mz_rows *t, struct pgw_buf *text);

void mz_table_add(struct mz_rows *t, const struct pgw_row *row);
void mz_table_end(struct mz_rows *t);
void mz_json_columns(struct mz_rows *t);
void mz_json_row(struct mz_rows *t, const struct pgw_row *row);
void mz_json_copy(struct mz_rows *t, struct pgw_view data);

#endif
