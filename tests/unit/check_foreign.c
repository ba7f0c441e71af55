/* SPDX-License-Identifier: MIT */
/* Keys of other programs in a connection string: each that is known of. */
#include <config.h>

#include "conninfo.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool read_key(struct pgw_conninfo *c, const char *key, const char *value,
		     bool uri, struct pgw_err *err)
{
	char text[256];

	snprintf(text, sizeof(text),
		 uri ? "postgres://h/d?%s=%s" : "host=h dbname=d %s=%s", key,
		 value);
	pgw_conninfo_init(c);
	return pgw_conninfo_parse(c, text, err);
}

/* what is there, and what the notice calls it (NULL: the same) */
static const struct {
	const char *key, *shown;
} ignored[] = {
	{ "schema", "schema (search_path is not changed)" },
	{ "connection_limit", NULL },
	{ "pool_timeout", NULL },
	{ "pgbouncer", NULL },
	{ "socket_timeout", NULL },
	{ "statement_cache_size", NULL },
	{ "single_use_connections", NULL },
	{ "supa", NULL },
	{ "workaround", NULL },
	{ "uselibpqcompat", NULL },
	{ "encoding", NULL },
	{ "query_timeout", NULL },
	{ "keepAlive", NULL },
	{ "max", NULL },
	{ "min", NULL },
	{ "idleTimeoutMillis", NULL },
	{ "idle_timeout", NULL },
	{ "max_lifetime", NULL },
	{ "prepare", NULL },
	{ "fetch_types", NULL },
	{ "backoff", NULL },
	{ "debug", NULL },
	{ "keep_alive", NULL },
	{ "publications", NULL },
	{ "pool_max_conns", NULL },
	{ "pool_min_conns", NULL },
	{ "pool_max_conn_lifetime", NULL },
	{ "pool_max_conn_lifetime_jitter", NULL },
	{ "pool_max_conn_idle_time", NULL },
	{ "pool_health_check_period", NULL },
	{ "default_query_exec_mode", NULL },
	{ "statement_cache_capacity", NULL },
	{ "description_cache_capacity", NULL },
	{ "currentSchema", "currentSchema (search_path is not changed)" },
	{ "ApplicationName", NULL },
	{ "prepareThreshold", NULL },
	{ "loginTimeout", NULL },
	{ "socketTimeout", NULL },
	{ "sslfactory", NULL },
	{ "tcpKeepAlive", NULL },
	{ "stringtype", NULL },
	{ "pool", NULL },
	{ "prepared_statements", NULL },
	{ "advisory_locks", NULL },
	{ "statement_limit", NULL },
	{ "reconnect", NULL },
	{ "pool_size", NULL },
	{ "statement-cache-capacity", NULL },
	{ "options[search_path]", "options[*" },
	{ "x-migrations-table", "x-*" },
	{ "conn_max_age", NULL },
};

START_TEST(keys_of_other_programs_are_ignored_and_named)
{
	for (size_t i = 0; i < 2 * COUNT(ignored); i++) {
		const char *key = ignored[i / 2].key;
		const char *shown = ignored[i / 2].shown;
		struct pgw_conninfo c;
		struct pgw_err err;
		char notice[256];

		ck_assert_msg(read_key(&c, key, "1", i % 2, &err), "%s: %s",
			      key, err.msg);
		snprintf(notice, sizeof(notice),
			 "ignored in the connection string, because it is "
			 "meant for other programs: %s",
			 shown ? shown : key);
		ck_assert_uint_eq(c.notices.len, strlen(notice) + 1);
		ck_assert_str_eq((const char *)c.notices.data, notice);
		ck_assert_uint_eq(c.local.len, 0);
		for (size_t k = 0; k < PGW_KEYWORDS; k++)
			ck_assert(k == PGW_KW_host || k == PGW_KW_dbname ||
				  !c.set[k].value);
		pgw_conninfo_release(&c);
	}
}

END_TEST

START_TEST(all_of_a_string_are_told_in_one_notice)
{
	struct pgw_conninfo c;
	struct pgw_err err;

	pgw_conninfo_init(&c);
	ck_assert(pgw_conninfo_parse(&c,
				     "postgres://h/d?pgbouncer=true&pool=5&"
				     "supa=base-pooler.x&sslmode=require",
				     &err));
	ck_assert_uint_eq(strlen((const char *)c.notices.data) + 1,
			  c.notices.len);
	ck_assert(strstr((const char *)c.notices.data,
			 ": pgbouncer, pool, supa"));
	pgw_conninfo_release(&c);
}

END_TEST

/* NULL: it is refused */
static const struct {
	const char *key, *value, *sslmode;
} encryption[] = {
	{ "ssl", "true", "require" },
	{ "ssl", "1", "require" },
	{ "ssl", "no-verify", "require" },
	{ "ssl", "require", "require" },
	{ "ssl", "allow", "allow" },
	{ "ssl", "prefer", "prefer" },
	{ "ssl", "verify-full", "verify-full" },
	{ "ssl", "0", "disable" },
	{ "ssl", "false", "disable" },
	{ "ssl", "TRUE", NULL },
	{ "ssl", "verify-ca", NULL },
	{ "ssl", "", NULL },
	{ "sslaccept", "strict", "verify-full" },
	{ "sslaccept", "accept_invalid_certs", "require" },
	{ "sslaccept", "maybe", NULL },
	{ "sslidentity", "x", NULL },
};

START_TEST(what_is_said_of_encryption_is_obeyed_or_refused)
{
	for (size_t i = 0; i < 2 * COUNT(encryption); i++) {
		const char *want = encryption[i / 2].sslmode;
		struct pgw_conninfo c;
		struct pgw_err err;
		bool ok = read_key(&c, encryption[i / 2].key,
				   encryption[i / 2].value, i % 2, &err);

		ck_assert_msg(ok == (want != NULL), "%s=%s",
			      encryption[i / 2].key, encryption[i / 2].value);
		if (ok)
			ck_assert_str_eq(c.set[PGW_KW_sslmode].value, want);
		else
			ck_assert_str_ne(err.hint, "");
		pgw_conninfo_release(&c);
	}
}

END_TEST

/* what is near to what */
static const struct {
	const char *key, *meant; /* NULL: to nothing */
} near[] = {
	{ "sslmod", "sslmode" },
	{ "ssl_mode", "sslmode" },
	{ "sslMode", "sslmode" },
	{ "SSLMODE", "sslmode" },
	{ "Require_Auth", "require_auth" },
	{ "sslrootcrt", "sslrootcert" },
	{ "sslroot", NULL },
	{ "ssl_cert", "sslcert" },
	{ "sslkeys", "sslkey" },
	{ "sslnegotation", "sslnegotiation" },
	{ "chanel_binding", "channel_binding" },
	{ "channelbinding", "channel_binding" },
	{ "requireauth", "require_auth" },
	{ "require_ath", "require_auth" },
	{ "passwd", "password" },
	{ "usr", "user" },
	{ "hots", NULL }, /* two letters of four are too many */
	{ "whatever", NULL },
	{ "a_key_that_is_longer_than_any_of_them", NULL },
};

START_TEST(near_misses_are_refused_with_what_was_meant)
{
	for (size_t i = 0; i < 2 * COUNT(near); i++) {
		const char *meant = near[i / 2].meant;
		char hint[64] = "";
		struct pgw_conninfo c;
		struct pgw_err err;

		ck_assert_msg(!read_key(&c, near[i / 2].key, "1", i % 2, &err),
			      "%s", near[i / 2].key);
		ck_assert(strstr(err.msg, near[i / 2].key));
		if (meant)
			snprintf(hint, sizeof(hint), "did you mean \"%s\"?",
				 meant);
		ck_assert_msg(strcmp(err.hint, hint) == 0, "%s: %s",
			      near[i / 2].key, err.hint);
		pgw_conninfo_release(&c);
	}
}

END_TEST

START_TEST(nothing_is_known_of_them_when_libpq_is_to_be_followed)
{
	for (size_t i = 0; i < COUNT(ignored); i++) {
		char text[256];
		struct pgw_conninfo c;
		struct pgw_err err;

		snprintf(text, sizeof(text), "postgres://h/d?%s=1",
			 ignored[i].key);
		pgw_conninfo_init(&c);
		c.repair = false;
		ck_assert(!pgw_conninfo_parse(&c, text, &err));
		pgw_conninfo_release(&c);
	}
}

END_TEST

UNIT_MAIN("foreign", keys_of_other_programs_are_ignored_and_named,
	  all_of_a_string_are_told_in_one_notice,
	  what_is_said_of_encryption_is_obeyed_or_refused,
	  near_misses_are_refused_with_what_was_meant,
	  nothing_is_known_of_them_when_libpq_is_to_be_followed)
