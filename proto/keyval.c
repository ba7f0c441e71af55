/* SPDX-License-Identifier: MIT */
/* libpq's keyword=value strings. */
#include <config.h>

#include "reading.h"

#include <string.h>

static void skip_blanks(const char **p)
{
	while (pgw_is_blank(**p))
		(*p)++;
}

static struct pgw_view read_key(const char **p)
{
	struct pgw_view key = { (const unsigned char *)*p, 0 };

	while (**p != '\0' && **p != '=' && !pgw_is_blank(**p))
		(*p)++;
	key.n = (size_t)(*p - (const char *)key.p);
	skip_blanks(p);
	return key;
}

/* A backslash takes the next byte as it is; at the end it is nothing. */
static void read_byte(const char **p, struct pgw_buf *value)
{
	if (**p == '\\')
		(*p)++;
	if (**p != '\0')
		pgw_buf_put(value, (*p)++, 1);
}

static bool read_value(const char **p, struct pgw_buf *value)
{
	if (**p != '\'') {
		while (**p != '\0' && !pgw_is_blank(**p))
			read_byte(p, value);
		return true;
	}
	(*p)++;
	while (**p != '\0' && **p != '\'')
		read_byte(p, value);
	if (**p == '\0')
		return false;
	(*p)++;
	return true;
}

static bool no_equals(const struct pgw_reading *r, struct pgw_view key,
		      struct pgw_err *err)
{
	if (r->quiet) {
		pgw_fail(err, PGW_E_CONFIG,
			 "missing \"=\" in connection info string (after text "
			 "that is not shown: it may be a part of a password)");
		return pgw_hint(err, "a value with blanks needs quotes: "
				     "password='...'");
	}
	return pgw_fail(err, PGW_E_CONFIG,
			"missing \"=\" after \"%.*s\" in connection info "
			"string",
			(int)key.n, (const char *)key.p);
}

static bool read_pair(struct pgw_reading *r, const char **p,
		      struct pgw_buf *value, struct pgw_err *err)
{
	struct pgw_view key = read_key(p);

	if (**p != '=')
		return no_equals(r, key, err);
	(*p)++;
	skip_blanks(p);
	value->len = 0;
	if (!read_value(p, value))
		return pgw_fail(err, PGW_E_CONFIG,
				"unterminated quoted string in connection "
				"info string");
	if (value->failed)
		return pgw_nomem(err);
	return pgw_reading_store(r, "invalid connection option", key,
				 pgw_buf_view(value), err);
}

bool pgw_keyval_read(struct pgw_reading *r, const char *text,
		     struct pgw_err *err)
{
	const char *p = text;
	struct pgw_buf value;
	bool ok = true;

	/* A URI of another scheme ends up here, with its password. */
	r->quiet = strchr(text, '@') != NULL;
	pgw_buf_init(&value, strlen(text) + 1);
	skip_blanks(&p);
	while (ok && *p != '\0') {
		ok = read_pair(r, &p, &value, err);
		skip_blanks(&p);
	}
	pgw_buf_release(&value);
	return ok;
}
