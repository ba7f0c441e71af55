/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "options.h"

#include <string.h>

#define WORD_MAX 100 /* what is longer is no near miss */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many insertions, deletions, replacements and swaps of neighbours make b
 * of a (optimal string alignment).  Three rows of the table are enough.
 */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > WORD_MAX || nb > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		const size_t *before = rows[(i + 1) % 3];
		const size_t *above = rows[(i - 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t d = above[j - 1] + (a[i - 1] != b[j - 1]);

			d = least(d, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d = least(d, before[j - 2] + 1);
			row[j] = d;
		}
	}
	return rows[na % 3][nb];
}

const char *mz_nearest(const char *word, const char *const *names, size_t n)
{
	size_t len = strlen(word);
	size_t limit = 1 + len / 4;
	size_t best = SIZE_MAX;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d;

		if (!names[i])
			continue;
		d = distance(word, names[i]);
		if (len >= 3 && strncmp(word, names[i], len) == 0)
			d = least(d, 1); /* the beginning of a name */
		if (d <= limit && d < best && d < strlen(names[i])) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
