/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "dotenv.h"

#include <string.h>

static int byte_at(const struct mz_dotenv *d, size_t at)
{
	return at < d->text.n ? d->text.p[at] : -1;
}

/* The bytes of the white space at at, 0 = none; JavaScript's \s. */
static size_t blank_length(const struct mz_dotenv *d, size_t at)
{
	static const char *const wide[] = { "\xc2\xa0", "\xef\xbb\xbf",
					    "\xe3\x80\x80" };
	int c = byte_at(d, at);

	if (c == ' ' || (c >= '\t' && c <= '\r'))
		return 1;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		size_t n = strlen(wide[i]);

		if (d->text.n - at >= n &&
		    memcmp(d->text.p + at, wide[i], n) == 0)
			return n;
	}
	return 0;
}

static size_t skip_blanks(const struct mz_dotenv *d, size_t at, bool lines)
{
	size_t n;

	while (at < d->text.n && (lines || d->text.p[at] != '\n') &&
	       (n = blank_length(d, at)) > 0)
		at += n;
	return at;
}

static size_t line_end(const struct mz_dotenv *d, size_t at)
{
	while (at < d->text.n && d->text.p[at] != '\n')
		at++;
	return at;
}

static bool is_name(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

/* Behind a value nothing may stand on its line but a comment. */
static bool ends_well(const struct mz_dotenv *d, size_t at)
{
	int c = byte_at(d, skip_blanks(d, at, false));

	return c == -1 || c == '\n' || c == '#';
}

/*
 * The quote that closes the one at open, or 0.  A backslash protects a quote,
 * unless there is no other way to end the value.
 */
static size_t closing_quote(const struct mz_dotenv *d, size_t open)
{
	int quote = byte_at(d, open);
	size_t at = open + 1;

	while (at < d->text.n &&
	       (byte_at(d, at) != quote || byte_at(d, at - 1) == '\\'))
		at++;
	if (at < d->text.n && ends_well(d, at + 1))
		return at;
	while (--at > open) {
		if (byte_at(d, at) == quote && ends_well(d, at + 1))
			return at;
	}
	return 0;
}

/* NAME and what stands before its value; *at is moved there. */
static bool read_name(const struct mz_dotenv *d, size_t *at,
		      struct pgw_view *name)
{
	size_t start = *at, end = start;

	while (is_name(byte_at(d, end)))
		end++;
	if (end == start)
		return false;
	*name = (struct pgw_view){ d->text.p + start, end - start };
	if (byte_at(d, end) == ':' && blank_length(d, end + 1) > 0) {
		*at = end + 1 + blank_length(d, end + 1);
		return true;
	}
	end = skip_blanks(d, end, true);
	*at = end + 1;
	return byte_at(d, end) == '=';
}

/* The line that begins at at, with or without export in front. */
static bool read_start(const struct mz_dotenv *d, size_t *at,
		       struct pgw_view *name)
{
	static const char word[] = "export";
	size_t start = skip_blanks(d, *at, true);
	size_t n = strlen(word);

	if (d->text.n - start > n && memcmp(d->text.p + start, word, n) == 0 &&
	    blank_length(d, start + n) > 0) {
		*at = skip_blanks(d, start + n, true);
		if (read_name(d, at, name))
			return true;
	}
	*at = start;
	return read_name(d, at, name);
}

/* In double quotes \n and \r are line ends; nothing else is special. */
static char *unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (in[0] == '\\' && (in[1] == 'n' || in[1] == 'r'))
			*out++ = *++in == 'n' ? '\n' : '\r';
		else
			*out++ = *in;
	}
	*out = '\0';
	return text;
}

static struct pgw_view trim(const struct mz_dotenv *d, size_t start, size_t end)
{
	size_t last, at = skip_blanks(d, start, true);

	start = at < end ? at : end;
	last = start;
	for (at = start; at < end; at++) {
		size_t n = blank_length(d, at);

		if (n == 0)
			last = at + 1;
		else
			at += n - 1;
	}
	return (struct pgw_view){ d->text.p + start, last - start };
}

/* The value at at, which is moved behind it. */
static const char *read_value(const struct mz_dotenv *d, size_t *at)
{
	size_t open = skip_blanks(d, *at, true), close = 0, end = *at;
	struct pgw_view v;
	char *text;
	int first = byte_at(d, open);

	if (first == '\'' || first == '"' || first == '`')
		close = closing_quote(d, open);
	if (close > 0) {
		v = (struct pgw_view){ d->text.p + open, close + 1 - open };
		*at = close + 1;
	} else {
		while (end < d->text.n && d->text.p[end] != '\n' &&
		       d->text.p[end] != '#')
			end++;
		v = trim(d, *at, end);
		*at = end;
		first = v.n > 0 ? v.p[0] : -1;
	}
	if (v.n >= 2 && v.p[v.n - 1] == v.p[0] && first != -1 &&
	    strchr("'\"`", first)) {
		v.p++;
		v.n -= 2;
	}
	text = mz_strndup(d->arena, (const char *)v.p, v.n);
	return first == '"' ? unescape(text) : text;
}

void mz_dotenv_init(struct mz_dotenv *d, struct mz_arena *a,
		    struct pgw_view text)
{
	unsigned char *copy = mz_alloc(a, text.n + 1);
	size_t n = 0;

	*d = (struct mz_dotenv){ .arena = a };
	if (text.n > 0 && memchr(text.p, '\0', text.n))
		return;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\r' && i + 1 < text.n &&
		    text.p[i + 1] == '\n')
			continue;
		copy[n++] = text.p[i] == '\r' ? '\n' : text.p[i];
	}
	d->text = (struct pgw_view){ copy, n };
}

bool mz_dotenv_next(struct mz_dotenv *d, const char **name, const char **value)
{
	while (d->at < d->text.n) {
		size_t at = d->at;
		struct pgw_view key;

		if (read_start(d, &at, &key)) {
			*name = mz_strndup(d->arena, (const char *)key.p,
					   key.n);
			*value = read_value(d, &at);
			d->at = line_end(d, at);
			return true;
		}
		d->at = line_end(d, skip_blanks(d, d->at, true));
	}
	return false;
}

const char *mz_dotenv_get(struct mz_dotenv *d, const char *name)
{
	const char *key, *value, *found = NULL;

	d->at = 0;
	while (mz_dotenv_next(d, &key, &value)) {
		if (strcmp(key, name) == 0)
			found = value;
	}
	return found;
}
