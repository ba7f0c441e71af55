/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "pooler.h"

#include <inttypes.h>
#include <string.h>

/* Only what the server itself says is certain; a name or a port is a guess. */
static const char *evidence(struct mz_arena *a, const struct pgw_conn *conn,
			    int64_t backend_pid)
{
	uint32_t pid = pgw_conn_pid(conn);

	if (pid == 0)
		return "it gave no key to cancel queries with, as RDS Proxy "
		       "does not";
	if (pid == backend_pid)
		return NULL;
	return mz_printf(a,
			 "process %" PRIu32 " greeted us, process %" PRId64
			 " answers",
			 pid, backend_pid);
}

static void guess(struct mz_pooler *p, struct mz_arena *a,
		  const struct pgw_config *cfg, const struct pgw_host *host)
{
	const struct mz_provider *provider = mz_provider_of(host);
	char around[MZ_HOST_MAX];

	if (provider && provider->pooling != MZ_POOLING_NONE) {
		p->name = provider->name;
		p->mode = mz_pooling_name(provider->pooling);
		if (mz_provider_direct(provider, host, around))
			p->around = mz_strdup(a, around);
	} else if (cfg->raw.pooled) {
		p->name = "PgBouncer (says pgbouncer=true in the URL)";
		p->mode = mz_pooling_name(MZ_POOLING_TRANSACTION);
	}
}

void mz_pooler_look(struct mz_pooler *p, struct mz_arena *a,
		    const struct pgw_config *cfg, const struct pgw_conn *conn,
		    int64_t backend_pid)
{
	*p = (struct mz_pooler){ .why = evidence(a, conn, backend_pid) };
	p->suspected = p->why != NULL;
	if (p->suspected)
		guess(p, a, cfg, pgw_conn_host(conn));
	else
		p->why = "the process that greeted us answers";
}

bool mz_pooler_shares(const struct mz_pooler *p)
{
	return p->mode &&
	       strcmp(p->mode, mz_pooling_name(MZ_POOLING_TRANSACTION)) == 0;
}

static bool is_console(const struct pgw_conn *conn)
{
	static const char end[] = "/bouncer";
	const char *version = pgw_conn_server(conn)->version;
	size_t n = strlen(version);

	return n >= strlen(end) && strcmp(version + n - strlen(end), end) == 0;
}

bool mz_pooler_reaches(const struct pgw_conn *conn, struct mz_err *err)
{
	if (!is_console(conn))
		return true;
	mz_fail(err, MZ_refused,
		"this is not a database, but the console of PgBouncer");
	return mz_hint(err, "name the database that is to be migrated");
}

bool mz_pooler_usable(const struct pgw_conn *conn, struct mz_err *err)
{
	const struct mz_provider *provider =
		mz_provider_of(pgw_conn_host(conn));

	if (!mz_pooler_reaches(conn, err))
		return false;
	if (!provider || !provider->unsupported)
		return true;
	mz_fail(err, MZ_refused, "%s is not supported", provider->name);
	return mz_hint(err, "%s", provider->unsupported);
}
