/* SPDX-License-Identifier: MIT */
/* Password files: host:port:database:user:password, a line each. */
#include <config.h>

#include "reading.h"

#include <string.h>

#define FILE_MAX (1u << 20)

/* Permission bits of everyone but the owner. */
#define OTHERS 077u

static void forget(struct pgw_passfile *f)
{
	pgw_buf_release(&f->text);
}

bool pgw_passfile_read(struct pgw_passfile *f, const struct pgw_outside *o,
		       struct pgw_buf *notices, struct pgw_err *err)
{
	unsigned mode = 0;
	bool regular = false;
	enum pgw_found found = PGW_FOUND_NOT;

	pgw_buf_init(&f->text, FILE_MAX);
	if (o->file)
		found = o->file(o->ctx, f->path, &f->text, &mode, &regular);
	if (found == PGW_FOUND_NOMEM)
		return pgw_nomem(err);
	if (found == PGW_FOUND_TOO_LARGE)
		return pgw_fail(err, PGW_E_LIMIT,
				"password file \"%s\" is larger than %u bytes",
				f->path, FILE_MAX);
	if (found == PGW_FOUND_NOT) {
		forget(f);
	} else if (!regular) {
		pgw_notice(notices, "password file \"%s\" is not a plain file",
			   f->path);
		forget(f);
	} else if (mode & OTHERS) {
		pgw_notice(notices,
			   "password file \"%s\" has group or world access; "
			   "permissions should be u=rw (0600) or less",
			   f->path);
		forget(f);
	}
	return true;
}

void pgw_passfile_release(struct pgw_passfile *f)
{
	pgw_buf_release(&f->text);
}

/*
 * Take the field that must be wanted off the front of line.  A backslash
 * takes the next byte as it is; a colon that is part of what is wanted needs
 * none, so that ::1 can stand as it is.
 */
static bool take_field(struct pgw_view *line, const char *wanted)
{
	const unsigned char *p = line->p, *end = p + line->n;

	if (line->n >= 2 && p[0] == '*' && p[1] == ':') {
		p += 2;
		*line = (struct pgw_view){ p, (size_t)(end - p) };
		return true;
	}
	while (p < end) {
		bool escaped = *p == '\\';

		if (escaped && ++p == end)
			return false;
		if (*wanted == '\0') {
			if (escaped || *p != ':')
				return false;
			p++;
			*line = (struct pgw_view){ p, (size_t)(end - p) };
			return true;
		}
		if (*p++ != (unsigned char)*wanted++)
			return false;
	}
	return false;
}

static bool fits(struct pgw_view *line,
		 const char *const wanted[PGW_PASSFILE_FIELDS])
{
	/* A NUL ends what a C string can hold: no line of ours has one. */
	if (line->n == 0 || line->p[0] == '#' || memchr(line->p, '\0', line->n))
		return false;
	for (size_t i = 0; i < PGW_PASSFILE_FIELDS; i++)
		if (!take_field(line, wanted[i]))
			return false;
	return true;
}

/* Up to the first colon; a backslash at the very end stands for itself. */
static bool take_password(struct pgw_view rest, char **password,
			  struct pgw_err *err)
{
	struct pgw_buf b;
	bool ok;

	pgw_buf_init(&b, rest.n + 1);
	for (size_t i = 0; i < rest.n && rest.p[i] != ':'; i++) {
		if (rest.p[i] == '\\' && i + 1 < rest.n)
			i++;
		pgw_buf_put_u8(&b, rest.p[i]);
	}
	ok = b.failed ? pgw_nomem(err) :
			pgw_text_set(password, pgw_buf_view(&b), err);
	pgw_buf_release(&b);
	return ok;
}

bool pgw_passfile_find(const struct pgw_passfile *f,
		       const char *const wanted[PGW_PASSFILE_FIELDS],
		       char **password, struct pgw_err *err)
{
	struct pgw_view text = pgw_buf_view(&f->text), line;

	while (pgw_line_next(&text, &line)) {
		while (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (fits(&line, wanted))
			return take_password(line, password, err);
	}
	return true;
}
