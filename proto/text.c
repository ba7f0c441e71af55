/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pgw_nomem(struct pgw_err *err)
{
	return pgw_fail(err, PGW_E_NOMEM, "out of memory");
}

char *pgw_text(struct pgw_view v)
{
	char *text = malloc(v.n + 1);

	if (!text)
		return NULL;
	if (v.n > 0)
		memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	return text;
}

void pgw_text_free(char *text)
{
	if (!text)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}

bool pgw_text_set(char **to, struct pgw_view v, struct pgw_err *err)
{
	char *text = pgw_text(v);

	if (!text)
		return pgw_nomem(err);
	pgw_text_free(*to);
	*to = text;
	return true;
}

bool pgw_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool pgw_is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool pgw_same_name(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

bool pgw_list_next(struct pgw_list *l, struct pgw_view *item)
{
	size_t n;

	if (!l->at)
		return false;
	n = strcspn(l->at, ",");
	*item = (struct pgw_view){ (const unsigned char *)l->at, n };
	l->at = l->at[n] == ',' ? l->at + n + 1 : NULL;
	return true;
}

size_t pgw_list_count(const char *list)
{
	struct pgw_list l = { list };
	struct pgw_view item;
	size_t n = 0;

	while (pgw_list_next(&l, &item))
		n++;
	return n;
}

bool pgw_line_next(struct pgw_view *text, struct pgw_view *line)
{
	const unsigned char *end;

	if (text->n == 0)
		return false;
	end = memchr(text->p, '\n', text->n);
	*line = *text;
	if (end)
		line->n = (size_t)(end - text->p);
	text->p += line->n + (end ? 1 : 0);
	text->n -= line->n + (end ? 1 : 0);
	return true;
}

void pgw_notice(struct pgw_buf *notices, const char *fmt, ...)
{
	char text[PGW_ERR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pgw_buf_put_str(notices, text);
}
