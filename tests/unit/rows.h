/* SPDX-License-Identifier: MIT */
/* Tables of shared test data: a row a line, columns between tabs. */
#ifndef ROWS_H
#define ROWS_H

#include "shared.h"

#include <check.h>
#include <string.h>

enum { COLUMNS = 8, ROW = 1 << 16 };

static inline unsigned char unescape_byte(const char **p)
{
	char c = *(*p)++;

	if (c == 'x') {
		const char digits[3] = { (*p)[0], (*p)[1], '\0' };

		*p += 2;
		return (unsigned char)strtoul(digits, NULL, 16);
	}
	if (c == 'n')
		return '\n';
	if (c == 't')
		return '\t';
	return c == 'r' ? '\r' : (unsigned char)c;
}

/* Undo \n \t \r \\ \xNN in place; gives the length. */
static inline size_t unescape(char *text)
{
	const char *p = text;
	unsigned char *start = (unsigned char *)text, *to = start;

	while (*p != '\0') {
		char c = *p++;

		*to++ = c == '\\' ? unescape_byte(&p) : (unsigned char)c;
	}
	*to = '\0';
	return (size_t)(to - start);
}

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
