/* SPDX-License-Identifier: MIT */
/* How a byte that is no text stands in a table of test data. */
#ifndef UNESCAPE_H
#define UNESCAPE_H

#include <stddef.h>
#include <stdlib.h>

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

#endif
