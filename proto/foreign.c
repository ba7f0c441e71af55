/* SPDX-License-Identifier: MIT */
/*
 * Keys of other programs in a connection string.  What is known to be theirs
 * is ignored and never sent to the server; what says something about security
 * is obeyed or refused, never ignored.
 */
#include <config.h>

#include "reading.h"

#include <string.h>

/* A name that ends in * stands for all that begin so. */
static const char *const ignored[] = {
	/* Prisma */
	"connection_limit", "pool_timeout", "pgbouncer", "socket_timeout",
	"statement_cache_size", "single_use_connections",
	/* Vercel, Supabase */
	"supa", "workaround",
	/* node-postgres */
	"uselibpqcompat", "encoding", "statement_timeout", "query_timeout",
	"lock_timeout", "idle_in_transaction_session_timeout", "keepAlive",
	"max", "min", "idleTimeoutMillis",
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
	"x-*", "conn_max_age",
	/* settings of the server, which poolers refuse in a startup message */
	"TimeZone"
};

/* Whoever wrote one of these expects unqualified names to end up there. */
static const struct {
	const char *key, *shown;
} search_paths[] = {
	{ "schema", "schema (search_path is not changed)" },
	{ "currentSchema", "currentSchema (search_path is not changed)" },
	{ "search_path", "search_path (it is not changed)" },
};

static const char *find_search_path(struct pgw_view key)
{
	for (size_t i = 0; i < sizeof(search_paths) / sizeof(search_paths[0]);
	     i++)
		if (pgw_view_is(key, search_paths[i].key))
			return search_paths[i].shown;
	return NULL;
}

static const char *find_ignored(struct pgw_view key)
{
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

static enum pgw_verdict about_encryption(struct pgw_view key,
					 struct pgw_view value,
					 struct pgw_meaning *instead,
					 struct pgw_err *err)
{
	bool known = false;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (!pgw_view_is(key, meanings[i].key))
			continue;
		known = true;
		if (!pgw_view_is(value, meanings[i].value))
			continue;
		*instead = (struct pgw_meaning){ PGW_KW_sslmode,
						 meanings[i].sslmode };
		return PGW_MEANT;
	}
	if (!known && !pgw_view_is(key, "sslidentity"))
		return PGW_UNKNOWN;
	pgw_fail(err, PGW_E_CONFIG,
		 "connection string: this value of \"%.*s\" is not supported",
		 (int)key.n, (const char *)key.p);
	pgw_hint(err, known ? "use sslmode instead: disable, prefer, require, "
			      "verify-ca or verify-full" :
			      "use sslcert and sslkey instead");
	return PGW_WRONG;
}

enum pgw_verdict pgw_diagnose_key(struct pgw_view key, struct pgw_view value,
				  struct pgw_meaning *instead,
				  const char **shown, struct pgw_err *err)
{
	*shown = find_search_path(key);
	if (!*shown)
		*shown = find_ignored(key);
	if (*shown)
		return PGW_IGNORED;
	return about_encryption(key, value, instead, err);
}

/* ---- near misses */

enum { NEAR_MAX = 32 };

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many bytes must be changed, added or taken away. */
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

			row[j + 1] = least(above + 1, row[j] + 1,
					   diagonal + (a.p[i] != b.p[j]));
			diagonal = above;
		}
	}
	return row[b.n];
}

const char *pgw_near_miss(struct pgw_view key)
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
