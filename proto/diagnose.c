/* SPDX-License-Identifier: MIT */
/*
 * What people really paste: a URI with quotes or a line end around it, with a
 * raw @ or / in its password, with a #fragment.  What libpq reads sensibly is
 * left to libpq's grammar.
 */
#include <config.h>

#include "reading.h"

#include <string.h>

/* ---- around it */

static struct pgw_view trim(struct pgw_view v)
{
	while (v.n > 0 && pgw_is_blank((char)v.p[0])) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && pgw_is_blank((char)v.p[v.n - 1]))
		v.n--;
	return v;
}

/* Take one pair of quotes off v, if there is something between them. */
static bool unquote(struct pgw_view *v)
{
	struct pgw_view inner = *v;

	if (v->n < 2 || (v->p[0] != '"' && v->p[0] != '\'') ||
	    v->p[0] != v->p[v->n - 1])
		return false;
	inner.p++;
	inner.n -= 2;
	inner = trim(inner);
	if (inner.n == 0)
		return false;
	*v = inner;
	return true;
}

/* libpq forgives spaces behind a URI, but nothing else. */
static bool ends_in_spaces(struct pgw_view v, struct pgw_view all)
{
	const unsigned char *end = v.p + v.n;

	for (size_t n = (size_t)(all.p + all.n - end); n > 0; n--)
		if (end[n - 1] != ' ')
			return false;
	return v.p == all.p;
}

struct pgw_view pgw_diagnose_trim(struct pgw_reading *r, const char *text)
{
	struct pgw_view all = pgw_view_of(text), v = trim(all);

	if (unquote(&v)) {
		pgw_notice(&r->notices, "the quotes around the connection "
					"string were dropped");
		return v;
	}
	if (v.n == 0 || pgw_uri_prefix((const char *)v.p) == 0 ||
	    ends_in_spaces(v, all))
		return all;
	pgw_notice(&r->notices, "the blanks and line ends around the "
				"connection string were dropped");
	return v;
}

/* ---- inside it */

struct sight {
	struct pgw_view
		hosts;	  /* between the user's part and the first / or ? */
	const char *path; /* the rest */
};

static struct sight look(const char *text, const char *at)
{
	const char *p = at ? at + 1 : text + pgw_uri_prefix(text);
	size_t n = strcspn(p, "/?");

	return (struct sight){ { (const unsigned char *)p, n }, p + n };
}

/* The port of the list that is no number, as libpq splits it. */
static bool has_bad_port(struct pgw_view hosts)
{
	bool port = false, bracket = false;

	for (size_t i = 0; i < hosts.n; i++) {
		char c = (char)hosts.p[i];

		if (c == '[' || c == ']')
			bracket = c == '[';
		else if (c == ',')
			port = false;
		else if (c == ':' && !port)
			port = !bracket;
		else if (port && !pgw_is_one_of(c, "0123456789 +-%"))
			return true;
	}
	return false;
}

static bool host_has_at(struct pgw_view hosts)
{
	bool port = false;

	for (size_t i = 0; i < hosts.n; i++) {
		if (hosts.p[i] == ',')
			port = false;
		else if (hosts.p[i] == ':')
			port = true;
		else if (hosts.p[i] == '@' && !port)
			return true;
	}
	return false;
}

static bool fragment(struct pgw_err *err)
{
	pgw_fail(err, PGW_E_CONFIG,
		 "a \"#\" is not allowed in the host or database name of the "
		 "connection string");
	return pgw_hint(err, "remove the \"#\" and what follows; if it belongs "
			     "to the name or password, write %%23");
}

/* Values that are free text may hold a #; libpq takes it as it is. */
static bool has_fragment(const struct sight *s)
{
	size_t n = strcspn(s->path, "?");

	return (s->hosts.n > 0 && memchr(s->hosts.p, '#', s->hosts.n)) ||
	       memchr(s->path, '#', n);
}

/* The last @ before the path, as Node's drivers read it. */
static const char *last_at(const char *at)
{
	size_t n = strcspn(at, "/?#");

	while (at[n - 1] != '@')
		n--;
	return at + n - 1;
}

bool pgw_diagnose_uri(struct pgw_reading *r, const char *text, const char **at,
		      struct pgw_err *err)
{
	struct sight s = look(text, *at);

	if (*at && host_has_at(s.hosts)) {
		*at = last_at(*at);
		s = look(text, *at);
		pgw_notice(&r->notices,
			   "the user or password of the connection string "
			   "holds an \"@\"; the last one was taken as its end; "
			   "write the others as %%40: "
			   "postgresql://user:***@%.*s",
			   strchr(s.path, '@') ? 0 : (int)s.hosts.n,
			   (const char *)s.hosts.p);
	}
	if (!*at && strchr(s.path, '@') && has_bad_port(s.hosts)) {
		pgw_fail(err, PGW_E_CONFIG,
			 "the password of the connection "
			 "string contains \"/\"");
		return pgw_hint(err, "write %%2F for each \"/\" in it");
	}
	if (has_fragment(&s))
		return fragment(err);
	return true;
}

/* psql postgres://..., DATABASE_URL=postgres://... */
static bool holds_uri(const char *text)
{
	for (; *text != '\0'; text++)
		if (pgw_uri_prefix(text) > 0)
			return true;
	return false;
}

void pgw_diagnose_scheme(const char *text, struct pgw_err *err)
{
	size_t n = strcspn(text, ":= \t\r\n'");

	if (text[n] == ':')
		pgw_hint(err, "a connection URI begins with postgresql:// or "
			      "postgres://, in lower case and without "
			      "\"+driver\" or \"jdbc:\"");
	else if (text[0] == '$')
		pgw_hint(err, "this names a variable; its value is what is "
			      "needed");
	else if (holds_uri(text))
		pgw_hint(err, "a connection URI stands alone: remove what is "
			      "before it, such as a command or the name of a "
			      "variable");
}
