/* SPDX-License-Identifier: MIT */
/* Why providers and poolers turn people away, and what to change. */
#include <config.h>

#include "provider.h"

#include <string.h>

/* What is known when connecting has failed. */
struct sight {
	const struct pgw_config *cfg;
	const struct pgw_host *host;
	const struct mz_provider *provider; /* NULL = unknown */
	struct pgw_err *err;
};

static bool says(const struct sight *s, const char *text)
{
	return strcasestr(s->err->msg, text) != NULL;
}

static bool is_state(const struct sight *s, const char *state)
{
	return strcmp(s->err->sqlstate, state) == 0;
}

static bool is_named(const struct sight *s, const char *name)
{
	return s->provider &&
	       strncmp(s->provider->name, name, strlen(name)) == 0;
}

static bool has(const char *text, char c)
{
	return text && strchr(text, c);
}

/* ---- certificates */

static const char *about_roots(const struct sight *s)
{
	static const char *const reasons[] = { "issuer certificate",
					       "self-signed", "self signed",
					       "verify the first certificate",
					       "needs root certificates" };

	/* The public ones were not enough: something else is wrong. */
	if (s->err->code != PGW_E_TLS || !s->provider || !s->provider->ca ||
	    (s->cfg->tls.root_system && strstr(s->provider->ca, "public")))
		return NULL;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (says(s, reasons[i]))
			return s->provider->ca;
	return NULL;
}

/* ---- no way */

/* db.REF.supabase.co: the pooler wants the same REF in the user's name. */
static const char *about_supabase(const struct sight *s)
{
	const char *ref = strchr(s->host->host, '.');
	int n = ref ? (int)strcspn(ref + 1, ".") : 0;

	pgw_hint(s->err,
		 "Supabase's direct hosts have IPv6 addresses only; from an "
		 "IPv4 network use the session pooler: host "
		 "aws-N-REGION.pooler.supabase.com (see the dashboard), port "
		 "5432, user %s.%.*s",
		 has(s->cfg->user, '.') ? "postgres" : s->cfg->user, n,
		 ref ? ref + 1 : "");
	return s->err->hint;
}

/* Who says no, or is not what we look for, was reached. */
static bool is_out_of_reach(const struct sight *s)
{
	enum pgw_code code = s->err->code;

	if (code == PGW_E_REFUSED)
		return !says(s, "Connection refused") &&
		       !says(s, "target_session_attrs");
	return code == PGW_E_RESOLVE || code == PGW_E_TIMEOUT;
}

static const char *about_reach(const struct sight *s)
{
	if (!s->provider || !is_out_of_reach(s))
		return NULL;
	if (strcmp(s->provider->pattern, "db.+.supabase.co") == 0)
		return about_supabase(s);
	/* Who sleeps has a name all the same. */
	if ((is_named(s, "Neon") || is_named(s, "Vercel")) &&
	    s->err->code != PGW_E_TIMEOUT)
		return NULL;
	return s->provider->reach;
}

/* ---- who we are */

/* Tokens in place of passwords are long, and say what they are. */
static bool is_token(const struct sight *s, const char *mark)
{
	const char *password = s->host->password;

	return password && strlen(password) > 200 && strstr(password, mark);
}

static const char *about_tenant(const struct sight *s)
{
	if (!has(s->cfg->user, '.'))
		return "behind Supabase's pooler the user is named "
		       "USER.PROJECT, such as postgres.abcdefghij: copy the "
		       "whole URL from the dashboard";
	return "Supabase's pooler does not know this project: copy host and "
	       "user from the dashboard, for aws-0 and aws-1 are not the same";
}

static const char *about_password(const struct sight *s)
{
	const char *user = s->cfg->user;

	if (strstr(s->provider->pattern, "pooler.supabase.com"))
		return has(user, '.') ? NULL : about_tenant(s);
	if (strcmp(s->provider->pattern, "db.+.supabase.co") == 0)
		return has(user, '.') ? "the user of Supabase's own host is "
					"the bare name (postgres); only its "
					"shared pooler wants USER.PROJECT" :
					NULL;
	if (is_named(s, "Azure") && has(user, '@'))
		return "Flexible Server wants the bare user name, without "
		       "\"@server\"";
	if (is_named(s, "Azure") && is_token(s, "eyJ"))
		return "tokens of Entra are good for an hour or so: fetch a "
		       "new one; the user is the name of the principal";
	if (is_token(s, "X-Amz-"))
		return "an IAM token is good for 15 minutes and this user and "
		       "host alone; the role needs GRANT rds_iam";
	return NULL;
}

/* [YOUR-PASSWORD], as dashboards write it. */
static bool is_placeholder(const char *password)
{
	size_t n = password ? strlen(password) : 0;

	return n > 2 && password[0] == '[' && password[n - 1] == ']';
}

static const char *about_login(const struct sight *s)
{
	if (says(s, "tenant or user not found") ||
	    says(s, "tenant identifier") || says(s, "tenant/user"))
		return about_tenant(s);
	if (!is_state(s, "28P01") && !is_state(s, "28000"))
		return NULL;
	if (is_placeholder(s->host->password))
		return "the password in the URL still looks like the "
		       "dashboard's placeholder: put yours in its place, "
		       "without the brackets";
	return s->provider ? about_password(s) : NULL;
}

/* ---- what we asked for */

/*
 * These belong to proxies, which take them out before the server sees them.
 * What the server complains about stands in its message.
 */
static const char *find_proxy_option(const struct sight *s)
{
	static const char *const names[] = { "endpoint",   "project",
					     "reference",  "jit",
					     "client_tls", "cluster" };
	const char *options = s->cfg->options;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *at = options ? strstr(options, names[i]) : NULL;

		if (at && at[strlen(names[i])] == '=' && says(s, names[i]))
			return names[i];
	}
	return NULL;
}

static const char *about_options(const struct sight *s)
{
	const char *word;

	if (is_state(s, "0A000") && says(s, "command-line options"))
		return "RDS Proxy takes no options: remove \"options\" from "
		       "the URL and PGOPTIONS from the environment";
	if (!is_state(s, "42601") && !is_state(s, "42704"))
		return NULL;
	word = find_proxy_option(s);
	if (!word)
		return NULL;
	pgw_hint(s->err,
		 "\"%s\" in \"options\" is meant for a proxy (of Neon, "
		 "CockroachDB or Supabase), and this is the server itself: "
		 "remove it, or connect to the proxy",
		 word);
	return s->err->hint;
}

/* What sets a startup parameter that poolers do not take. */
static const char *about_startup(const struct sight *s)
{
	static const struct {
		const char *parameter, *hint;
	} rows[] = {
		{ "geqo", "unset PGGEQO: this pooler does not take it" },
		{ "options",
		  "remove \"options\" from the URL and PGOPTIONS from the "
		  "environment, or connect to the server itself: this pooler "
		  "does not take them" },
		{ "datestyle", "unset PGDATESTYLE: this pooler does not take "
			       "it" },
		{ "timezone", "unset PGTZ: this pooler does not take it" },
	};

	const char *name = strcasestr(s->err->msg, "startup parameter");

	if (!name)
		return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcasestr(name, rows[i].parameter))
			return rows[i].hint;
	return "this pooler does not take it; connect to the server itself";
}

static const char *about_pooler(const struct sight *s)
{
	if (!is_state(s, "08P01"))
		return NULL;
	if (says(s, "startup parameter"))
		return about_startup(s);
	if (says(s, "not allowed") && strcmp(s->cfg->dbname, "pgbouncer") == 0)
		return "\"pgbouncer\" is PgBouncer's own console: name the "
		       "database that is to be migrated";
	return NULL;
}

/* Neon finds the server by the name in the TLS handshake. */
static const char *about_endpoint(const struct sight *s)
{
	const char *name = s->host->host;
	int n = (int)strcspn(name, ".");

	if (!says(s, "endpoint ID is not specified"))
		return NULL;
	if (!is_named(s, "Neon") || strncmp(name, "ep-", 3) != 0)
		return "connect by the host name of the endpoint, not by an "
		       "address, or add options=endpoint%3DID to the URL";
	if (is_named(s, "Neon's pooler"))
		n -= (int)strlen("-pooler");
	pgw_hint(s->err,
		 "leave out sslsni=0 and sslmode=disable, or add "
		 "options=endpoint%%3D%.*s to the URL",
		 n, name);
	return s->err->hint;
}

static const char *about_plaintext(const struct sight *s)
{
	if (s->cfg->sslmode > PGW_SSL_ALLOW || s->host->local)
		return NULL;
	if (is_state(s, "08P01") && says(s, "SSL required"))
		return "this pooler takes encrypted connections only: say "
		       "sslmode=require, or better verify-full";
	if (!is_state(s, "28000"))
		return NULL;
	if (says(s, "no encryption") || says(s, "SSL off") ||
	    says(s, "SSL connection is required"))
		return "this server takes encrypted connections only: say "
		       "sslmode=require, or better verify-full";
	return NULL;
}

/* ---- all of it */

bool mz_provider_explain(const struct pgw_config *cfg, struct pgw_err *err)
{
	static const char *(*const rules[])(const struct sight *s) = {
		about_roots,   about_reach,  about_endpoint,  about_login,
		about_options, about_pooler, about_plaintext,
	};
	struct sight s = { .cfg = cfg, .host = &cfg->hosts[0], .err = err };

	/* With several hosts it is not known which one is meant. */
	if (cfg->nhosts == 1)
		s.provider = mz_provider_of(s.host);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const char *hint = rules[i](&s);

		if (!hint)
			continue;
		if (hint != err->hint)
			pgw_hint(err, "%s", hint);
		return false;
	}
	return false;
}
