/* SPDX-License-Identifier: MIT */
/*
 * Keys of other programs in a connection string.  What is known to be theirs
 * is ignored and never sent to the server; what says something about security
 * is obeyed or refused, never ignored.
 */
#include <config.h>

#include "reading.h"
#include "utf8.h"

#include <string.h>

/* A name that ends in * stands for all that begin so. */
static const char *const ignored[] = {
	/* Prisma */
	"connection_limit", "pool_timeout", "pgbouncer", "socket_timeout",
	"statement_cache_size", "single_use_connections",
	/* Vercel, Supabase */
	"supa", "workaround",
	/* node-postgres */
	"uselibpqcompat", "encoding", "query_timeout", "keepAlive", "max",
	"min", "idleTimeoutMillis",
	/* postgres.js */
	"idle_timeout", "max_lifetime", "prepare", "fetch_types", "backoff",
	"debug", "keep_alive", "publications",
	/* pgx */
	"pool_max_conns", "pool_min_conns", "pool_max_conn_lifetime",
	"pool_max_conn_lifetime_jitter", "pool_max_conn_idle_time",
	"pool_health_check_period", "default_query_exec_mode",
	"statement_cache_capacity", "description_cache_capacity",
	/* JDBC */
	"ApplicationName", "prepareThreshold", "loginTimeout", "socketTimeout",
	"sslfactory", "tcpKeepAlive", "stringtype",
	/* Rails, Ecto, SQLx, golang-migrate, Django */
	"pool", "prepared_statements", "advisory_locks", "statement_limit",
	"reconnect", "pool_size", "statement-cache-capacity", "options[*",
	"x-*", "conn_max_age"
};

/*
 * Settings of the server that drivers put into their startup message, where
 * poolers refuse them.
 */
static const char *const locals[] = { "search_path", "statement_timeout",
				      "lock_timeout",
				      "idle_in_transaction_session_timeout",
				      "TimeZone" };

static const char *find_local(struct pgw_view key)
{
	for (size_t i = 0; i < sizeof(locals) / sizeof(locals[0]); i++)
		if (pgw_view_is(key, locals[i]))
			return locals[i];
	return pgw_view_is(key, "timezone") ? "TimeZone" : NULL;
}

/* Whoever wrote one of these expects unqualified names to end up there. */
static const struct {
	const char *key, *shown;
} search_paths[] = {
	{ "schema", "schema (search_path is not changed)" },
	{ "currentSchema", "currentSchema (search_path is not changed)" },
};

static const char *find_ignored(struct pgw_view key)
{
	for (size_t i = 0; i < sizeof(search_paths) / sizeof(search_paths[0]);
	     i++)
		if (pgw_view_is(key, search_paths[i].key))
			return search_paths[i].shown;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		size_t n = strcspn(ignored[i], "*");

		if (pgw_view_is(key, ignored[i]) ||
		    (ignored[i][n] == '*' && key.n >= n &&
		     memcmp(key.p, ignored[i], n) == 0))
			return ignored[i];
	}
	return NULL;
}

/* What keys and values about encryption mean in libpq's terms. */
static const struct {
	const char *key, *value, *sslmode;
} meanings[] = {
	{ "ssl", "1", "require" },
	{ "ssl", "no-verify", "require" },
	{ "ssl", "0", "disable" },
	{ "ssl", "false", "disable" },
	{ "ssl", "true", "require" },
	{ "ssl", "allow", "allow" },
	{ "ssl", "prefer", "prefer" },
	{ "ssl", "require", "require" },
	{ "ssl", "verify-full", "verify-full" },
	{ "sslaccept", "strict", "verify-full" },
	{ "sslaccept", "accept_invalid_certs", "require" },
};

static bool is_about_encryption(struct pgw_view key)
{
	return pgw_view_is(key, "ssl") || pgw_view_is(key, "sslaccept") ||
	       pgw_view_is(key, "sslidentity");
}

static bool store_encryption(struct pgw_reading *r, struct pgw_view key,
			     struct pgw_view value, struct pgw_err *err)
{
	struct pgw_setting *s = &r->set[PGW_KW_sslmode];

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (!pgw_view_is(key, meanings[i].key) ||
		    !pgw_view_is(value, meanings[i].value))
			continue;
		s->source = PGW_FROM_STRING;
		return pgw_text_set(&s->value, pgw_view_of(meanings[i].sslmode),
				    err);
	}
	pgw_fail(err, PGW_E_CONFIG,
		 "connection string: this value of \"%.*s\" is not supported",
		 (int)key.n, (const char *)key.p);
	return pgw_hint(err, pgw_view_is(key, "sslidentity") ?
				     "use sslcert and sslkey instead" :
				     "use sslmode instead: disable, prefer, "
				     "require, verify-ca or verify-full");
}

/* ---- near misses */

enum { NEAR_MAX = 32 };

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static unsigned char lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

/* How many bytes of a must be changed, added or taken away; b is lower case. */
static size_t distance(struct pgw_view a, struct pgw_view b)
{
	size_t row[NEAR_MAX + 1];

	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < b.n; j++) {
			size_t above = row[j + 1];

			row[j + 1] =
				least(above + 1, row[j] + 1,
				      diagonal + (lower(a.p[i]) != b.p[j]));
			diagonal = above;
		}
	}
	return row[b.n];
}

/* The keyword that key probably stands for, or NULL. */
static const char *near_miss(struct pgw_view key)
{
	const char *best = NULL;
	size_t best_distance = key.n < 5 ? 2 : 3;

	if (key.n > NEAR_MAX)
		return NULL;
	for (size_t k = 0; k < PGW_KEYWORDS; k++) {
		struct pgw_view name = pgw_view_of(pgw_keyword_rows[k].name);
		size_t d;

		d = distance(key, name);
		if (d < best_distance) {
			best_distance = d;
			best = pgw_keyword_rows[k].name;
		}
	}
	return best;
}

/* ---- what becomes of a key */

static void add_key(struct pgw_buf *keys, struct pgw_view key)
{
	if (keys->len > 0)
		pgw_buf_put_text(keys, ", ");
	pgw_buf_put(keys, key.p, key.n);
}

/* As the server reads a time, which is of milliseconds without a unit. */
static bool is_duration(struct pgw_view v)
{
	static const char *const units[] = { "",    "us", "ms", "s",
					     "min", "h",  "d" };
	size_t digits = 0;

	while (v.n > 0 && pgw_is_one_of((char)v.p[0], "0123456789.")) {
		digits += v.p[0] != '.';
		v.p++;
		v.n--;
	}
	while (v.n > 0 && v.p[0] == ' ') {
		v.p++;
		v.n--;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (pgw_view_is(v, units[i]))
			return digits > 0;
	return false;
}

static bool names_duration(const char *name)
{
	static const char end[] = "_timeout";
	size_t n = strlen(name);

	return n > strlen(end) && strcmp(name + n - strlen(end), end) == 0;
}

static bool is_local_value(const char *name, struct pgw_view value,
			   struct pgw_err *err)
{
	size_t bad;

	if (!pgw_utf8_valid(value, &bad))
		return pgw_fail(err, PGW_E_CONFIG,
				"the value of \"%s\" is not UTF-8", name);
	if (!names_duration(name) || is_duration(value))
		return true;
	pgw_fail(err, PGW_E_CONFIG, "invalid \"%s\" value: \"%.*s\"", name,
		 (int)value.n, (const char *)value.p);
	return pgw_hint(err, "a number of milliseconds, or one with a unit: "
			     "500ms, 30s, 5min, 1h");
}

/* Drivers take an empty value for none at all. */
static bool store_local(struct pgw_reading *r, const char *name,
			struct pgw_view value, struct pgw_err *err)
{
	if (value.n == 0)
		return true;
	if (!is_local_value(name, value, err))
		return false;
	pgw_buf_put_str(&r->local, name);
	pgw_buf_put(&r->local, value.p, value.n);
	pgw_buf_put_u8(&r->local, '\0');
	return true;
}

static bool begins_with_ssl(struct pgw_view key)
{
	return key.n >= 3 && lower(key.p[0]) == 's' && lower(key.p[1]) == 's' &&
	       lower(key.p[2]) == 'l';
}

/* What may say something about security is never passed over. */
static bool refuse(struct pgw_reading *r, const char *what, struct pgw_view key,
		   struct pgw_err *err)
{
	const char *near = near_miss(key);

	if (r->quiet)
		pgw_fail(err, PGW_E_CONFIG,
			 "%s (not shown: it may be a part of a password)",
			 what);
	else if (r->lenient && !near && !begins_with_ssl(key)) {
		add_key(&r->unknown, key);
		return true;
	} else
		pgw_fail(err, PGW_E_CONFIG, "%s \"%.*s\"", what, (int)key.n,
			 (const char *)key.p);
	if (near)
		pgw_hint(err, "did you mean \"%s\"?", near);
	return false;
}

bool pgw_foreign_store(struct pgw_reading *r, const char *what,
		       struct pgw_view key, struct pgw_view value,
		       struct pgw_err *err)
{
	const char *local = find_local(key), *other = find_ignored(key);

	if (!r->repair || (!local && !other && !is_about_encryption(key)))
		return refuse(r, what, key, err);
	if (local)
		return store_local(r, local, value, err);
	if (!other)
		return store_encryption(r, key, value, err);
	r->pooled |= pgw_view_is(key, "pgbouncer") &&
		     pgw_view_is(value, "true");
	add_key(&r->ignored, pgw_view_of(other));
	return true;
}
