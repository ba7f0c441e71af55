/* SPDX-License-Identifier: MIT */
/*
 * libpq's connection URIs.  libpq's errors quote what they complain about;
 * here they name the component instead where that may hold a secret.
 */
#include <config.h>

#include "reading.h"

#include <string.h>

size_t pgw_uri_prefix(const char *text)
{
	static const char *const prefixes[] = { "postgresql://",
						"postgres://" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i]);

		if (strncmp(text, prefixes[i], n) == 0)
			return n;
	}
	return 0;
}

const char *pgw_uri_userinfo_end(const char *text)
{
	const char *p = text + pgw_uri_prefix(text);

	p += strcspn(p, "@/");
	return *p == '@' ? p : NULL;
}

/* ---- decoding */

struct part {
	const char *what; /* "password" */
	struct pgw_view raw;
	bool quiet; /* may be, or hold, a piece of a secret */
};

static bool bad_part(const struct part *p, const char *before,
		     const char *after, struct pgw_err *err)
{
	if (p->quiet)
		return pgw_fail(err, PGW_E_CONFIG, "%s the %s%s", before,
				p->what, after);
	return pgw_fail(err, PGW_E_CONFIG, "%s \"%.*s\"%s", before,
			(int)p->raw.n, (const char *)p->raw.p, after);
}

static bool bad_token(const struct part *p, struct pgw_err *err)
{
	bad_part(p,
		 p->quiet ? "invalid percent-encoded token in" :
			    "invalid percent-encoded token:",
		 "", err);
	return pgw_hint(err, "write a \"%%\" itself as %%25");
}

static bool forbidden_zero(const struct part *p, struct pgw_err *err)
{
	return bad_part(p,
			p->quiet ?
				"forbidden value %00 in" :
				"forbidden value %00 in percent-encoded value:",
			"", err);
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static struct pgw_view trim_spaces(struct pgw_view v)
{
	while (v.n > 0 && v.p[0] == ' ') {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && v.p[v.n - 1] == ' ')
		v.n--;
	return v;
}

/* The byte that the token at v[i] stands for; -1 when it is none. */
static int token(struct pgw_view v, size_t i)
{
	int hi, lo;

	if (v.n - i < 3)
		return -1;
	hi = hex_digit(v.p[i + 1]);
	lo = hex_digit(v.p[i + 2]);
	return hi < 0 || lo < 0 ? -1 : hi * 16 + lo;
}

static bool unexpected_spaces(const struct part *p, struct pgw_err *err)
{
	return bad_part(p, "unexpected spaces found in",
			", use percent-encoded spaces (%20) instead", err);
}

/* The first mistake from the left is the one that is told, as in libpq. */
static bool decode(const struct part *part, struct pgw_buf *out,
		   struct pgw_err *err)
{
	struct pgw_view v = trim_spaces(part->raw);
	size_t i = 0;

	out->len = 0;
	while (i < v.n) {
		int byte = v.p[i] == '%' ? token(v, i) : v.p[i];

		if (v.p[i] == ' ')
			return unexpected_spaces(part, err);
		if (byte < 0)
			return bad_token(part, err);
		if (byte == 0)
			return forbidden_zero(part, err);
		pgw_buf_put_u8(out, (uint8_t)byte);
		i += v.p[i] == '%' ? 3 : 1;
	}
	return !out->failed || pgw_nomem(err);
}

static bool store_part(struct pgw_reading *r, enum pgw_keyword key,
		       const struct part *part, struct pgw_err *err)
{
	struct pgw_buf value;
	bool ok;

	if (part->raw.n == 0)
		return true;
	pgw_buf_init(&value, part->raw.n + 1);
	ok = decode(part, &value, err) &&
	     pgw_text_set(&r->set[key].value, pgw_buf_view(&value), err);
	if (ok)
		r->set[key].source = PGW_FROM_STRING;
	pgw_buf_release(&value);
	return ok;
}

struct uri {
	struct pgw_reading *r;
	const char *text; /* all of it */
	const char *p;	  /* what is still to be read */
	struct pgw_buf hosts, ports;
};

static struct pgw_view span(const char *from, const char *to)
{
	return (struct pgw_view){ (const unsigned char *)from,
				  (size_t)(to - from) };
}

/* ---- user:password@ */

static bool read_userinfo(struct uri *u, const char *at, struct pgw_err *err)
{
	const char *colon = memchr(u->p, ':', (size_t)(at - u->p));
	struct part user = { "user name", span(u->p, colon ? colon : at),
			     true };
	struct part password = { "password", { NULL, 0 }, true };

	if (colon)
		password.raw = span(colon + 1, at);
	u->p = at + 1;
	return store_part(u->r, PGW_KW_user, &user, err) &&
	       store_part(u->r, PGW_KW_password, &password, err);
}

/* ---- host:port,... */

static bool quotable(const struct uri *u)
{
	return !u->r->quiet && !strpbrk(u->text, "@?");
}

static bool bad_bracket(const struct uri *u, const char *what,
			struct pgw_err *err)
{
	if (!quotable(u))
		return pgw_fail(err, PGW_E_CONFIG, "%s", what);
	return pgw_fail(err, PGW_E_CONFIG, "%s: \"%s\"", what, u->text);
}

static bool after_bracket(const struct uri *u, struct pgw_err *err)
{
	if (*u->p == '\0' || strchr(":/?,", *u->p))
		return true;
	if (!quotable(u))
		return pgw_fail(err, PGW_E_CONFIG,
				"unexpected character after the IPv6 host "
				"address in URI (expected \":\" or \"/\")");
	return pgw_fail(err, PGW_E_CONFIG,
			"unexpected character \"%c\" at position %zu in URI "
			"(expected \":\" or \"/\"): \"%s\"",
			*u->p, (size_t)(u->p - u->text) + 1, u->text);
}

/* A name, or an address in brackets. */
static bool read_host(struct uri *u, struct pgw_err *err)
{
	size_t n;

	if (*u->p != '[') {
		n = strcspn(u->p, ":/?,");
		pgw_buf_put(&u->hosts, u->p, n);
		u->p += n;
		return true;
	}
	u->p++;
	n = strcspn(u->p, "]");
	if (u->p[n] == '\0')
		return bad_bracket(u,
				   "end of string reached when looking for "
				   "matching \"]\" in IPv6 host address in URI",
				   err);
	if (n == 0)
		return bad_bracket(u,
				   "IPv6 host address may not be empty in URI",
				   err);
	pgw_buf_put(&u->hosts, u->p, n);
	u->p += n + 1;
	return after_bracket(u, err);
}

static void read_port(struct uri *u)
{
	size_t n;

	if (*u->p != ':')
		return;
	u->p++;
	n = strcspn(u->p, "/?,");
	pgw_buf_put(&u->ports, u->p, n);
	u->p += n;
}

/* What stands where a port should be may be half a password. */
static bool is_portlike(const struct pgw_buf *ports)
{
	for (size_t i = 0; i < ports->len; i++)
		if (!pgw_is_one_of((char)ports->data[i], "0123456789, "))
			return false;
	return true;
}

/* The lists are decoded as wholes: an encoded comma splits them, too. */
static bool read_hosts(struct uri *u, struct pgw_err *err)
{
	struct part host = { "host", { NULL, 0 }, u->r->quiet };
	struct part port = { "port", { NULL, 0 }, false };

	for (;;) {
		if (!read_host(u, err))
			return false;
		read_port(u);
		if (*u->p != ',')
			break;
		u->p++;
		pgw_buf_put_u8(&u->hosts, ',');
		pgw_buf_put_u8(&u->ports, ',');
	}
	if (u->hosts.failed || u->ports.failed)
		return pgw_nomem(err);
	host.raw = pgw_buf_view(&u->hosts);
	port.raw = pgw_buf_view(&u->ports);
	port.quiet = !is_portlike(&u->ports);
	return store_part(u->r, PGW_KW_host, &host, err) &&
	       store_part(u->r, PGW_KW_port, &port, err);
}

static bool read_dbname(struct uri *u, struct pgw_err *err)
{
	struct part dbname = { "database name", { NULL, 0 }, u->r->quiet };

	if (*u->p != '/')
		return true;
	u->p++;
	dbname.raw = span(u->p, u->p + strcspn(u->p, "?"));
	u->p += dbname.raw.n;
	return store_part(u->r, PGW_KW_dbname, &dbname, err);
}

/* ---- ?key=value&... */

static bool bad_separator(const struct uri *u, const char *what,
			  struct pgw_view key, struct pgw_err *err)
{
	struct part part = { "URI query", key, u->r->quiet };

	if (part.quiet)
		return pgw_fail(err, PGW_E_CONFIG,
				"%s key/value separator \"=\" in the URI query",
				what);
	return pgw_fail(err, PGW_E_CONFIG,
			"%s key/value separator \"=\" in URI query parameter: "
			"\"%.*s\"",
			what, (int)key.n, (const char *)key.p);
}

/* The value of a key that we do not know may be a secret, too. */
static bool is_harmless(struct pgw_view key)
{
	enum pgw_keyword k = pgw_keyword_of(key);

	return k != PGW_KEYWORDS &&
	       !(pgw_keyword_rows[k].care & PGW_CARE_SECRET);
}

/* ssl=true is what JDBC's users write. */
static bool store_decoded(struct pgw_reading *r, struct pgw_view key,
			  struct pgw_view value, struct pgw_err *err)
{
	if (pgw_view_is(key, "ssl") && pgw_view_is(value, "true")) {
		key = pgw_view_of("sslmode");
		value = pgw_view_of("require");
	}
	return pgw_reading_store(r, "invalid URI query parameter:", key, value,
				 err);
}

static bool store_param(struct uri *u, const struct part *key,
			struct part *value, struct pgw_err *err)
{
	struct pgw_buf k, v;
	bool ok;

	pgw_buf_init(&k, key->raw.n + 1);
	pgw_buf_init(&v, value->raw.n + 1);
	ok = decode(key, &k, err);
	value->quiet |= !is_harmless(pgw_buf_view(&k));
	ok = ok && decode(value, &v, err) &&
	     store_decoded(u->r, pgw_buf_view(&k), pgw_buf_view(&v), err);
	pgw_buf_release(&k);
	pgw_buf_release(&v);
	return ok;
}

static bool read_param(struct uri *u, struct pgw_err *err)
{
	const char *end = u->p + strcspn(u->p, "&");
	const char *equals = memchr(u->p, '=', (size_t)(end - u->p));
	struct part key = { "name of a URI query parameter",
			    span(u->p, equals ? equals : end), u->r->quiet };
	struct part value = { "value of a URI query parameter",
			      { NULL, 0 },
			      u->r->quiet };

	if (!equals)
		return bad_separator(u, "missing", key.raw, err);
	value.raw = span(equals + 1, end);
	if (value.raw.n > 0 && memchr(value.raw.p, '=', value.raw.n)) {
		bad_separator(u, "extra", key.raw, err);
		return pgw_hint(err, "write a \"=\" in a value as %%3D");
	}
	u->p = *end == '&' ? end + 1 : end;
	return store_param(u, &key, &value, err);
}

static bool read_params(struct uri *u, struct pgw_err *err)
{
	if (*u->p == '\0')
		return true;
	u->p++;
	while (*u->p != '\0')
		if (!read_param(u, err))
			return false;
	return true;
}

bool pgw_uri_read(struct pgw_reading *r, const char *text, const char *at,
		  struct pgw_err *err)
{
	struct uri u = { .r = r, .text = text };
	size_t n = strlen(text);
	bool ok;

	pgw_buf_init(&u.hosts, n + 1);
	pgw_buf_init(&u.ports, n + 1);
	u.p = text + pgw_uri_prefix(text);
	/* Another @ means that a piece of the password may be anywhere. */
	r->quiet = strchr(at ? at + 1 : u.p, '@') != NULL;
	ok = (!at || read_userinfo(&u, at, err)) && read_hosts(&u, err) &&
	     read_dbname(&u, err) && read_params(&u, err);
	pgw_buf_release(&u.hosts);
	pgw_buf_release(&u.ports);
	return ok;
}
