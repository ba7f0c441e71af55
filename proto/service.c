/* SPDX-License-Identifier: MIT */
/* Connection service files. */
#include <config.h>

#include "reading.h"

#include <string.h>

/* libpq reads lines into 1024 bytes; with their line feed they must be shorter.
 */
enum { LINE_MAX_BYTES = 1021 };

#define FILE_MAX (1u << 20)
#define SYSTEM_DIR "/etc/postgresql-common"

struct service {
	const char *name, *path;
	struct pgw_setting *set;
	size_t line;
	bool inside, done;
};

static struct pgw_view trim(struct pgw_view v)
{
	const unsigned char *nul = v.n ? memchr(v.p, '\0', v.n) : NULL;

	if (nul)
		v.n = (size_t)(nul - v.p);
	while (v.n > 0 && pgw_is_blank((char)v.p[v.n - 1]))
		v.n--;
	while (v.n > 0 && pgw_is_blank((char)v.p[0])) {
		v.p++;
		v.n--;
	}
	return v;
}

static bool is_our_section(const struct service *s, struct pgw_view line)
{
	size_t n = strlen(s->name);

	return line.n >= n + 2 && memcmp(line.p + 1, s->name, n) == 0 &&
	       line.p[n + 1] == ']';
}

static bool bad_line(const struct service *s, const char *what,
		     struct pgw_err *err)
{
	return pgw_fail(err, PGW_E_CONFIG, "%s service file \"%s\", line %zu",
			what, s->path, s->line);
}

static bool read_setting(struct service *s, struct pgw_view line,
			 struct pgw_err *err)
{
	const unsigned char *equals = memchr(line.p, '=', line.n);
	struct pgw_view key = line, value = line;
	enum pgw_keyword k;

	if (!equals)
		return bad_line(s, "syntax error in", err);
	key.n = (size_t)(equals - line.p);
	value.p = equals + 1;
	value.n = line.n - key.n - 1;
	k = pgw_keyword_of(key);
	if (k == PGW_KEYWORDS)
		return bad_line(s, "syntax error in", err);
	if (k == PGW_KW_service)
		return bad_line(s,
				"nested service specifications not supported "
				"in",
				err);
	if (s->set[k].value)
		return true;
	if (!pgw_text_set(&s->set[k].value, value, err))
		return false;
	s->set[k].source = PGW_FROM_SERVICE;
	return true;
}

static bool read_line(struct service *s, struct pgw_view line,
		      struct pgw_err *err)
{
	s->line++;
	if (line.n > LINE_MAX_BYTES)
		return pgw_fail(err, PGW_E_CONFIG,
				"line %zu too long in service file \"%s\"",
				s->line, s->path);
	line = trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return true;
	if (line.p[0] == '[') {
		s->done = s->inside;
		s->inside = is_our_section(s, line);
		return true;
	}
	return !s->inside || read_setting(s, line, err);
}

static bool read_text(struct service *s, struct pgw_view text,
		      struct pgw_err *err)
{
	struct pgw_view line;
	bool found = false;

	while (!s->done && pgw_line_next(&text, &line)) {
		if (!read_line(s, line, err))
			return false;
		found = found || s->inside;
	}
	s->done = found;
	return true;
}

enum want {
	MUST_EXIST,
	MAY_EXIST,
};

/* s->done says whether the section was there. */
static bool read_file(struct service *s, enum want want,
		      const struct pgw_outside *o, struct pgw_err *err)
{
	struct pgw_buf text;
	unsigned mode = 0;
	bool regular = false, ok = true;
	enum pgw_found found = PGW_FOUND_NOT;

	s->line = 0;
	pgw_buf_init(&text, FILE_MAX);
	if (o->file)
		found = o->file(o->ctx, s->path, &text, &mode, &regular);
	if (found == PGW_FOUND_NOMEM)
		ok = pgw_nomem(err);
	else if (found == PGW_FOUND_TOO_LARGE)
		ok = pgw_fail(err, PGW_E_LIMIT,
			      "service file \"%s\" is larger than %u bytes",
			      s->path, FILE_MAX);
	else if (found == PGW_FOUND && regular)
		ok = read_text(s, pgw_buf_view(&text), err);
	else if (want == MUST_EXIST)
		ok = pgw_fail(err, PGW_E_CONFIG,
			      "service file \"%s\" not found", s->path);
	pgw_buf_release(&text); /* service files hold passwords */
	return ok;
}

static bool read_in_dir(struct service *s, const char *dir, const char *name,
			const struct pgw_outside *o, struct pgw_err *err)
{
	struct pgw_buf path;
	bool ok;

	pgw_buf_init(&path, strlen(dir) + strlen(name) + 2);
	pgw_buf_put_text(&path, dir);
	pgw_buf_put_text(&path, "/");
	pgw_buf_put_str(&path, name);
	s->path = (const char *)path.data;
	ok = path.failed ? pgw_nomem(err) : read_file(s, MAY_EXIST, o, err);
	pgw_buf_release(&path);
	return ok;
}

bool pgw_service_fill(struct pgw_setting set[PGW_KEYWORDS], const char *name,
		      const struct pgw_outside *o, struct pgw_err *err)
{
	struct service s = { .name = name, .set = set };
	const char *home = o->home ? o->home(o->ctx) : "";
	const char *dir = o->env ? o->env(o->ctx, "PGSYSCONFDIR") : NULL;
	bool ok = true;

	s.path = o->env ? o->env(o->ctx, "PGSERVICEFILE") : NULL;
	if (s.path)
		ok = read_file(&s, MUST_EXIST, o, err);
	else if (home[0] != '\0')
		ok = read_in_dir(&s, home, ".pg_service.conf", o, err);
	if (!ok || s.done)
		return ok;
	if (!read_in_dir(&s, dir ? dir : SYSTEM_DIR, "pg_service.conf", o, err))
		return false;
	if (!s.done)
		return pgw_fail(err, PGW_E_CONFIG,
				"definition of service \"%s\" not found", name);
	return true;
}
