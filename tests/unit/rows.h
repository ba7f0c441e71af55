/* SPDX-License-Identifier: MIT */
/* Tables of shared test data: a row a line, columns between tabs. */
#ifndef ROWS_H
#define ROWS_H

#include "shared.h"
#include "unescape.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

enum { COLUMNS = 8, ROW = 1 << 16 };

static inline void split_row(char *row, char *columns[COLUMNS])
{
	size_t n = 0;

	row[strcspn(row, "\n")] = '\0';
	while (n < COLUMNS) {
		size_t end = strcspn(row, "\t");
		bool last = row[end] == '\0';

		columns[n++] = row;
		row[end] = '\0';
		/* What is missing is empty. */
		row += end + (last ? 0 : 1);
	}
}

/* Run act on each row but the first, which names the columns. */
static inline size_t each_row(const char *name,
			      void (*act)(char *columns[], void *), void *ctx)
{
	char *row = malloc(ROW);
	FILE *f = shared_open(name);
	char *columns[COLUMNS] = { NULL };
	size_t n = 0;

	ck_assert_ptr_nonnull(row);
	ck_assert_ptr_nonnull(fgets(row, ROW, f));
	while (fgets(row, ROW, f)) {
		split_row(row, columns);
		act(columns, ctx);
		n++;
	}
	fclose(f);
	free(row);
	return n;
}

#endif
