/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sql.h"

#include <string.h>

/* The bytes of the character at p; one that is not UTF-8 has one. */
static size_t char_length(struct pgw_view text, size_t at)
{
	size_t n = text.p[at] < 0x80 ?
			   1 :
			   pgw_utf8_next(text.p + at, text.n - at, NULL);

	return n > 0 ? n : 1;
}

void mz_sql_place(struct pgw_view text, size_t at, size_t *line, size_t *column)
{
	size_t start = 0, next;

	if (at > text.n)
		at = text.n;
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < at; i++) {
		if (text.p[i] == '\n') {
			(*line)++;
			start = i + 1;
		}
	}
	while (start < at && (next = start + char_length(text, start)) <= at) {
		(*column)++;
		start = next;
	}
}

size_t mz_sql_lines(struct pgw_view text)
{
	const unsigned char *p = text.p, *end = p + text.n;
	size_t n = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		p++;
		n++;
	}
	return n;
}

size_t mz_sql_offset(struct pgw_view text, size_t position)
{
	size_t at = 0;

	while (at < text.n && position > 1) {
		at += char_length(text, at);
		position--;
	}
	return at;
}
