/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "provider.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PUBLIC "its certificate is a public one: say sslrootcert=system"
#define SELF_SIGNED                                                      \
	"this provider's certificates are self-signed: sslmode=require " \
	"encrypts and does not check them; verify-full needs its CA file"
#define HEROKU_CA                                                             \
	"Heroku's certificates are self-signed (unless its Enhanced "         \
	"Certificates are on): there sslmode=require encrypts, and does not " \
	"check them"
#define SUPABASE_CA                                                      \
	"Supabase has a CA of its own: download its certificate in the " \
	"dashboard (database settings), and name it with sslrootcert=FILE"
#define AWS_CA                                                              \
	"AWS has CAs of its own: download their global-bundle.pem for RDS " \
	"and name it with sslrootcert=FILE"
#define PROJECT_CA                                                        \
	"the project has a CA of its own: download its certificate from " \
	"the provider's console, and name it with sslrootcert=FILE"
#define AWS_REACH                                                           \
	"does the security group of the database let this address in, and " \
	"is it publicly accessible or in the same network?"
#define FLY_REACH                                                     \
	"this name and its addresses exist in Fly's private network " \
	"only: run there, or through a proxy of flyctl"
#define RENDER_REACH                                                       \
	"this is Render's internal name, for its own network in the same " \
	"region; from elsewhere use the external URL"
#define RAILWAY_REACH                                               \
	"this name exists in Railway's private network only; from " \
	"elsewhere use the public URL (host *.proxy.rlwy.net)"
#define NEON_REACH                                                           \
	"a compute that sleeps takes seconds to wake up: give it time with " \
	"--wait 30s"
#define CLOUD_SQL_REACH                                                       \
	"is the instance added to this service, or the Cloud SQL Auth Proxy " \
	"running with a socket directory here?"
#define DSQL                                                              \
	"Aurora DSQL takes one DDL statement a transaction and knows no " \
	"serial columns, which migrations and Drizzle's history need"

/* The first that fits is it. */
static const struct mz_provider providers[] = {
	{ .name = "Neon's pooler",
	  .pattern = "+-pooler.*.neon.tech",
	  .pooling = MZ_POOLING_TRANSACTION,
	  .pooled = "-pooler.",
	  .direct = ".",
	  .ca = PUBLIC,
	  .reach = NEON_REACH },
	{ .name = "Neon",
	  .pattern = "*.neon.tech",
	  .pooling = MZ_POOLING_PROXY,
	  .ca = PUBLIC,
	  .reach = NEON_REACH },
	{ .name = "Vercel's pooler",
	  .pattern = "+-pooler.*.vercel-storage.com",
	  .pooling = MZ_POOLING_TRANSACTION,
	  .pooled = "-pooler.",
	  .direct = ".",
	  .ca = PUBLIC,
	  .reach = NEON_REACH },
	{ .name = "Vercel",
	  .pattern = "*.vercel-storage.com",
	  .pooling = MZ_POOLING_PROXY,
	  .ca = PUBLIC,
	  .reach = NEON_REACH },
	{ .name = "Supabase's transaction pooler",
	  .pattern = "*.pooler.supabase.com",
	  .port = 6543,
	  .pooling = MZ_POOLING_TRANSACTION,
	  .direct_port = 5432,
	  .ca = SUPABASE_CA },
	{ .name = "Supabase's session pooler",
	  .pattern = "*.pooler.supabase.com",
	  .pooling = MZ_POOLING_SESSION,
	  .ca = SUPABASE_CA },
	{ .name = "Supabase's dedicated pooler",
	  .pattern = "db.+.supabase.co",
	  .port = 6543,
	  .pooling = MZ_POOLING_TRANSACTION,
	  .direct_port = 5432,
	  .ca = SUPABASE_CA },
	{ .name = "Supabase",
	  .pattern = "db.+.supabase.co",
	  .ca = SUPABASE_CA },
	{ .name = "Fly's pooler",
	  .pattern = "pgbouncer.*.flympg.net",
	  .pooling = MZ_POOLING_TRANSACTION,
	  .pooled = "pgbouncer.",
	  .direct = "direct.",
	  .reach = FLY_REACH },
	{ .name = "Fly", .pattern = "*.flympg.net", .reach = FLY_REACH },
	{ .name = "Heroku", .pattern = "ec2-*.amazonaws.com", .ca = HEROKU_CA },
	{ .name = "Render", .pattern = "dpg-+-a", .reach = RENDER_REACH },
	{ .name = "Render", .pattern = "dpg-*-postgres.render.com" },
	{ .name = "Railway",
	  .pattern = "*.railway.internal",
	  .ca = SELF_SIGNED,
	  .reach = RAILWAY_REACH },
	{ .name = "Railway", .pattern = "*.proxy.rlwy.net", .ca = SELF_SIGNED },
	{ .name = "RDS Proxy",
	  .pattern = "*.proxy-*.rds.amazonaws.com",
	  .pooling = MZ_POOLING_PROXY,
	  .ca = PUBLIC,
	  .reach = AWS_REACH },
	{ .name = "Aurora's readers",
	  .pattern = "*.cluster-ro-*.rds.amazonaws.com",
	  .pooled = ".cluster-ro-",
	  .direct = ".cluster-",
	  .ca = AWS_CA,
	  .reach = AWS_REACH },
	{ .name = "RDS",
	  .pattern = "*.rds.amazonaws.com",
	  .ca = AWS_CA,
	  .reach = AWS_REACH },
	{ .name = "RDS",
	  .pattern = "*.rds.amazonaws.com.cn",
	  .ca = AWS_CA,
	  .reach = AWS_REACH },
	{ .name = "Aurora DSQL",
	  .pattern = "*.dsql.*.on.aws",
	  .ca = PUBLIC,
	  .unsupported = DSQL },
	{ .name = "Azure's pooler",
	  .pattern = "*.postgres.database.azure.com",
	  .port = 6432,
	  .pooling = MZ_POOLING_TRANSACTION,
	  .direct_port = 5432,
	  .ca = PUBLIC },
	{ .name = "Azure",
	  .pattern = "*.postgres.database.azure.com",
	  .ca = PUBLIC },
	{ .name = "Cloud SQL",
	  .pattern = "/cloudsql/*",
	  .reach = CLOUD_SQL_REACH },
	{ .name = "CockroachDB",
	  .pattern = "*.cockroachlabs.cloud",
	  .pooling = MZ_POOLING_PROXY,
	  .ca = PUBLIC },
	{ .name = "DigitalOcean's pooler",
	  .pattern = "*.db.ondigitalocean.com",
	  .port = 25061,
	  .pooling = MZ_POOLING_TRANSACTION,
	  .direct_port = 25060,
	  .ca = PROJECT_CA },
	{ .name = "DigitalOcean",
	  .pattern = "*.db.ondigitalocean.com",
	  .ca = PROJECT_CA },
	{ .name = "Prisma's pooler",
	  .pattern = "pooled.db.prisma.io",
	  .pooling = MZ_POOLING_TRANSACTION,
	  .pooled = "pooled.",
	  .direct = "" },
	{ .name = "Prisma",
	  .pattern = "db.prisma.io",
	  .pooling = MZ_POOLING_PROXY },
	{ .name = "Aiven", .pattern = "*.aivencloud.com", .ca = PROJECT_CA },
	{ .name = "Timescale",
	  .pattern = "*.tsdb.cloud.timescale.com",
	  .ca = PROJECT_CA },
	{ .name = "a pooler (6432 is PgBouncer's port)",
	  .pattern = "*",
	  .port = 6432,
	  .pooling = MZ_POOLING_TRANSACTION },
	{ .name = "a pooler (6543 is Supabase's pooler's port)",
	  .pattern = "*",
	  .port = 6543,
	  .pooling = MZ_POOLING_TRANSACTION },
};

/* Neither * nor + is nothing, and + takes no dot. */
static bool may_be(char wild, char c)
{
	return c != '\0' && !(wild == '+' && c == '.');
}

static bool is_letter(char pattern, char c)
{
	return pattern == tolower((unsigned char)c);
}

static bool fits(const char *name, const char *pattern)
{
	const char *wild = NULL; /* the last one, and what it took last */
	const char *taken = NULL;

	for (;;) {
		if (*pattern == '*' || *pattern == '+') {
			wild = pattern++;
			taken = name++;
		} else if (is_letter(*pattern, *name)) {
			if (*name == '\0')
				return true;
			pattern++;
			name++;
			continue;
		} else if (wild) {
			pattern = wild + 1;
			name = ++taken + 1;
		}
		if (!wild || !may_be(*wild, *taken))
			return false;
	}
}

const struct mz_provider *mz_provider_of(const struct pgw_host *host)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		const struct mz_provider *p = &providers[i];

		if ((p->port == 0 || p->port == host->port) &&
		    (p->pattern[0] == '/') == host->local &&
		    fits(host->host, p->pattern))
			return p;
	}
	return NULL;
}

bool mz_provider_direct(const struct mz_provider *p,
			const struct pgw_host *host, char out[MZ_HOST_MAX])
{
	const char *name = host->host;
	const char *at = p->pooled ? strcasestr(name, p->pooled) : NULL;
	int before = at ? (int)(at - name) : (int)strlen(name);
	const char *after = at ? at + strlen(p->pooled) : "";
	int n;

	if (!at && p->direct_port == 0)
		return false;
	if (p->direct_port)
		n = snprintf(out, MZ_HOST_MAX, "%.*s%s%s:%u", before, name,
			     at ? p->direct : "", after, p->direct_port);
	else
		n = snprintf(out, MZ_HOST_MAX, "%.*s%s%s", before, name,
			     p->direct, after);
	return n > 0 && n < MZ_HOST_MAX;
}

const char *mz_pooling_name(enum mz_pooling pooling)
{
	static const char *const names[] = {
		[MZ_POOLING_NONE] = NULL,
		[MZ_POOLING_PROXY] = "proxy",
		[MZ_POOLING_SESSION] = "session",
		[MZ_POOLING_TRANSACTION] = "transaction",
	};

	return names[pooling];
}
