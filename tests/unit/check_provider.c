/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "outside_fake.h"
#include "provider.h"
#include "unit.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void settle(struct pgw_config *cfg, const char *text)
{
	struct fake f = { .user = "me", .home = "/h" };
	struct pgw_outside o = fake_outside(&f);
	struct pgw_conninfo c;
	struct pgw_err err;

	pgw_conninfo_init(&c);
	ck_assert_msg(pgw_conninfo_parse(&c, text, &err) &&
			      pgw_conninfo_complete(&c, &o, &err) &&
			      pgw_config_settle(cfg, &c, &o, &err),
		      "%s: %s", text, err.msg);
	pgw_conninfo_release(&c);
}

#define SUPA "aws-0-eu-central-1.pooler.supabase.com"
#define AZURE "shop.postgres.database.azure.com"
#define DO "db-postgresql-fra1-1-do-user-1-0.b.db.ondigitalocean.com"
#define AWS ".eu-west-1.rds.amazonaws.com"
#define P(host, port) "postgresql://u:p@" host ":" #port "/d"

/* where, who runs it, how it pools, and what leads around that */
static const struct {
	const char *url, *name, *mode, *around;
} places[] = {
	{ P("ep-cool-rain-123.eu-central-1.aws.neon.tech", 5432), "Neon",
	  "proxy", NULL },
	{ P("ep-cool-rain-123-pooler.eu-central-1.aws.neon.tech", 5432),
	  "Neon's pooler", "transaction",
	  "ep-cool-rain-123.eu-central-1.aws.neon.tech" },
	{ P("ep-a-1-pooler.c-2.us-east-2.aws.neon.tech", 5432), "Neon's pooler",
	  "transaction", "ep-a-1.c-2.us-east-2.aws.neon.tech" },
	{ P("EP-A-1-Pooler.US-east-2.AWS.Neon.Tech", 5432), "Neon's pooler",
	  "transaction", "EP-A-1.US-east-2.AWS.Neon.Tech" },
	{ P("neon.tech.example.org", 5432), NULL, NULL, NULL },
	{ P("neon.tech", 5432), NULL, NULL, NULL },
	{ P("-pooler.eu.aws.neon.tech", 5432), "Neon", "proxy", NULL },
	{ P("ep-x-1-pooler.us-east-1.postgres.vercel-storage.com", 5432),
	  "Vercel's pooler", "transaction",
	  "ep-x-1.us-east-1.postgres.vercel-storage.com" },
	{ P("ep-x-1.us-east-1.postgres.vercel-storage.com", 5432), "Vercel",
	  "proxy", NULL },
	{ P("db.abcdefghij.supabase.co", 5432), "Supabase", NULL, NULL },
	{ P("db.abcdefghij.supabase.co", 6543), "Supabase's dedicated pooler",
	  "transaction", "db.abcdefghij.supabase.co:5432" },
	{ P("db.a.b.supabase.co", 5432), NULL, NULL, NULL },
	{ P("db..supabase.co", 5432), NULL, NULL, NULL },
	{ P(SUPA, 5432), "Supabase's session pooler", "session", NULL },
	{ P(SUPA, 6543), "Supabase's transaction pooler", "transaction",
	  SUPA ":5432" },
	{ P("pgbouncer.abc123.flympg.net", 5432), "Fly's pooler", "transaction",
	  "direct.abc123.flympg.net" },
	{ P("direct.abc123.flympg.net", 5432), "Fly", NULL, NULL },
	{ P("ec2-1-2-3-4.compute-1.amazonaws.com", 5432), "Heroku", NULL,
	  NULL },
	{ P("dpg-abc123-a", 5432), "Render", NULL, NULL },
	{ P("dpg-abc123-a.frankfurt-postgres.render.com", 5432), "Render", NULL,
	  NULL },
	{ P("dpg-a", 5432), NULL, NULL, NULL },
	{ P("postgres.railway.internal", 5432), "Railway", NULL, NULL },
	{ P("roundhouse.proxy.rlwy.net", 12345), "Railway", NULL, NULL },
	{ P("shop.abc" AWS, 5432), "RDS", NULL, NULL },
	{ P("shop.abc.rds.cn-north-1.rds.amazonaws.com.cn", 5432), "RDS", NULL,
	  NULL },
	{ P("shop.proxy-abc" AWS, 5432), "RDS Proxy", "proxy", NULL },
	{ P("shop.cluster-abc" AWS, 5432), "RDS", NULL, NULL },
	{ P("shop.cluster-ro-abc" AWS, 5432), "Aurora's readers", NULL,
	  "shop.cluster-abc" AWS },
	{ P("abcd.dsql.us-east-1.on.aws", 5432), "Aurora DSQL", NULL, NULL },
	{ P(AZURE, 5432), "Azure", NULL, NULL },
	{ P(AZURE, 6432), "Azure's pooler", "transaction", AZURE ":5432" },
	{ "host=/cloudsql/proj:region:inst user=u", "Cloud SQL", NULL, NULL },
	{ "host=/var/run/x user=u port=6432", NULL, NULL, NULL },
	{ P("x-1.aws-eu-west-1.cockroachlabs.cloud", 26257), "CockroachDB",
	  "proxy", NULL },
	{ P(DO, 25060), "DigitalOcean", NULL, NULL },
	{ P(DO, 25061), "DigitalOcean's pooler", "transaction", DO ":25060" },
	{ P("db.prisma.io", 5432), "Prisma", "proxy", NULL },
	{ P("pooled.db.prisma.io", 5432), "Prisma's pooler", "transaction",
	  "db.prisma.io" },
	{ P("pg-1-shop.a.aivencloud.com", 21699), "Aiven", NULL, NULL },
	{ P("abc.def.tsdb.cloud.timescale.com", 30000), "Timescale", NULL,
	  NULL },
	{ P("10.0.0.1", 6432), "a pooler (6432 is PgBouncer's port)",
	  "transaction", NULL },
	{ P("db.internal", 6543), "a pooler (6543 is Supabase's pooler's port)",
	  "transaction", NULL },
	{ P("localhost", 5432), NULL, NULL, NULL },
	{ P("db.example.org", 5432), NULL, NULL, NULL },
	{ "hostaddr=127.0.0.1 user=u", NULL, NULL, NULL },
};

START_TEST(providers_are_known_by_their_names_and_ports)
{
	for (size_t i = 0; i < COUNT(places); i++) {
		const struct mz_provider *p;
		struct pgw_config cfg;
		char around[MZ_HOST_MAX] = "";

		settle(&cfg, places[i].url);
		p = mz_provider_of(&cfg.hosts[0]);
		ck_assert_msg((p == NULL) == (places[i].name == NULL), "%s",
			      places[i].url);
		if (p) {
			ck_assert_str_eq(p->name, places[i].name);
			ck_assert_pstr_eq(mz_pooling_name(p->pooling),
					  places[i].mode);
			ck_assert_int_eq(mz_provider_direct(p, &cfg.hosts[0],
							    around),
					 places[i].around != NULL);
		}
		if (places[i].around)
			ck_assert_str_eq(around, places[i].around);
		pgw_config_release(&cfg);
	}
}

END_TEST

START_TEST(a_name_that_is_too_long_has_no_way_around)
{
	struct pgw_config cfg;
	char url[600] = "postgresql://u@";
	char around[MZ_HOST_MAX];

	memset(url + strlen(url), 'x', MZ_HOST_MAX);
	strcat(url, ".pooler.supabase.com:6543/d");
	settle(&cfg, url);
	ck_assert(!mz_provider_direct(mz_provider_of(&cfg.hosts[0]),
				      &cfg.hosts[0], around));
	pgw_config_release(&cfg);
}

END_TEST

#define LOCAL_ISSUER "unable to get local issuer certificate"
#define TENANT "Tenant or user not found"
#define PASSWORD "password authentication failed for user \"u\""
#define TOKEN50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
#define TOKEN TOKEN50 TOKEN50 TOKEN50 TOKEN50

/* the failure, and what the hint must say; NULL: it is left alone */
static const struct {
	const char *url;
	enum pgw_code code;
	const char *state, *msg, *hint;
} failures[] = {
	/* certificates */
	{ P("db.abc.supabase.co", 5432), PGW_E_TLS, "", LOCAL_ISSUER,
	  "Supabase has a CA of its own" },
	{ P("x.y" AWS, 5432), PGW_E_TLS, "",
	  "self-signed certificate in certificate chain", "global-bundle.pem" },
	{ P("ec2-1.compute-1.amazonaws.com", 5432), PGW_E_TLS, "",
	  "self-signed certificate", "Heroku" },
	{ P("x.proxy.rlwy.net", 5432), PGW_E_TLS, "", "self-signed certificate",
	  "sslmode=require" },
	{ P("a.aivencloud.com", 5432), PGW_E_TLS, "",
	  "sslmode=verify-full needs root certificates", "console" },
	{ P("ep-a.x.neon.tech", 5432), PGW_E_TLS, "", LOCAL_ISSUER,
	  "sslrootcert=system" },
	{ P("ep-a.x.neon.tech", 5432) "?sslrootcert=system", PGW_E_TLS, "",
	  LOCAL_ISSUER, NULL },
	{ P("db.abc.supabase.co", 5432), PGW_E_TLS, "",
	  "certificate has expired", NULL },
	{ P("db.example.org", 5432), PGW_E_TLS, "", LOCAL_ISSUER, NULL },
	{ P("db.prisma.io", 5432), PGW_E_TLS, "", LOCAL_ISSUER, NULL },

	/* no way */
	{ "postgresql://app:p@db.abcdef.supabase.co/d", PGW_E_REFUSED, "",
	  "Network is unreachable",
	  "session pooler: host aws-N-REGION.pooler.supabase.com (see the "
	  "dashboard), port 5432, user app.abcdef" },
	{ "postgresql://postgres.abcdef:p@db.abcdef.supabase.co/d",
	  PGW_E_RESOLVE, "", "no address", "user postgres.abcdef" },
	{ P("postgres.railway.internal", 5432), PGW_E_RESOLVE, "", "x",
	  "public URL" },
	{ P("dpg-abc-a", 5432), PGW_E_RESOLVE, "", "x", "external URL" },
	{ P("direct.abc.flympg.net", 5432), PGW_E_TIMEOUT, "", "x",
	  "private network" },
	{ P("x.y" AWS, 5432), PGW_E_TIMEOUT, "", "x", "security group" },
	{ P("ep-a.x.neon.tech", 5432), PGW_E_TIMEOUT, "", "x", "--wait 30s" },
	{ P("ep-a.x.neon.tech", 5432), PGW_E_RESOLVE, "", "x", NULL },
	{ "host=/cloudsql/p:r:i user=u", PGW_E_REFUSED, "", "x",
	  "Cloud SQL Auth Proxy" },
	{ P("db.example.org", 5432), PGW_E_RESOLVE, "", "x", NULL },
	{ P("dpg-abc-a", 5432), PGW_E_CLOSED, "", "x", NULL },
	{ P("db.abc.supabase.co", 5432), PGW_E_REFUSED, "",
	  "connect to [2001:db8::1]:5432: Connection refused", NULL },
	{ P("x.y" AWS, 5432), PGW_E_REFUSED, "",
	  "the server is a standby, but target_session_attrs is read-write",
	  NULL },

	/* who we are */
	{ P(SUPA, 6543), PGW_E_SERVER, "XX000", TENANT, "USER.PROJECT" },
	{ P(SUPA, 5432), PGW_E_SERVER, "28P01", PASSWORD, "USER.PROJECT" },
	{ "postgresql://postgres.abc:p@" SUPA "/d", PGW_E_SERVER, "XX000",
	  TENANT, "aws-0 and aws-1" },
	{ "postgresql://postgres.abc:p@" SUPA "/d", PGW_E_SERVER, "28P01",
	  PASSWORD, NULL },
	{ "postgresql://postgres.abc:p@db.abc.supabase.co/d", PGW_E_SERVER,
	  "28P01", PASSWORD, "bare name" },
	{ "postgresql://u%40shop:p@" AZURE "/d", PGW_E_SERVER, "28P01",
	  PASSWORD, "bare user name" },
	{ "postgresql://u:eyJ" TOKEN "@" AZURE "/d", PGW_E_SERVER, "28P01",
	  PASSWORD, "Entra" },
	{ "postgresql://postgres:[YOUR-PASSWORD]@db.abc.supabase.co/d",
	  PGW_E_SERVER, "28P01", PASSWORD, "placeholder" },
	{ P(AZURE, 5432), PGW_E_SERVER, "28P01", PASSWORD, NULL },
	{ "postgresql://u:X-Amz-" TOKEN "@x.y" AWS "/d", PGW_E_SERVER, "28000",
	  "PAM authentication failed", "15 minutes" },
	{ P("x.y" AWS, 5432), PGW_E_SERVER, "28P01", PASSWORD, NULL },
	{ P("db.example.org", 5432), PGW_E_SERVER, "28P01", PASSWORD, NULL },
	{ P("db.example.org", 5432), PGW_E_SERVER, "3D000",
	  "database \"tenant\" does not exist", NULL },

	/* what we asked for */
	{ P("h", 5432) "?options=endpoint%3Dep-x", PGW_E_SERVER, "42601",
	  "invalid command-line argument for server process: endpoint=ep-x",
	  "\"endpoint\" in \"options\" is meant for a proxy" },
	{ P("h", 5432) "?options=--cluster%3Dx", PGW_E_SERVER, "42704",
	  "unrecognized configuration parameter \"cluster\"",
	  "\"cluster\" in \"options\" is meant for a proxy" },
	{ P("h", 5432) "?options=-c%20jit%3Doff%20-c%20x%3Dy", PGW_E_SERVER,
	  "42704", "unrecognized configuration parameter \"x\"", NULL },
	{ P("h", 5432), PGW_E_SERVER, "42601", "endpoint", NULL },
	{ P("x.proxy-y" AWS, 5432), PGW_E_SERVER, "0A000",
	  "Feature not supported: RDS Proxy currently doesn't support "
	  "command-line options.",
	  "remove \"options\"" },
	{ P("h", 6432), PGW_E_SERVER, "08P01",
	  "unsupported startup parameter: geqo", "unset PGGEQO" },
	{ P("h", 6432), PGW_E_SERVER, "08P01",
	  "unsupported startup parameter: options", "PGOPTIONS" },
	{ P("h", 6432), PGW_E_SERVER, "08P01",
	  "unsupported startup parameter: something", "the server itself" },
	{ "postgresql://u:p@h/pgbouncer", PGW_E_SERVER, "08P01", "not allowed",
	  "own console" },
	{ P("h", 6432), PGW_E_SERVER, "08P01", "no such database: d", NULL },
	{ P("ep-cool-1-pooler.eu.aws.neon.tech", 5432), PGW_E_SERVER, "XX000",
	  "The endpoint ID is not specified. Either upgrade",
	  "options=endpoint%3Dep-cool-1 to the URL" },
	{ P("ep-cool-1.eu.aws.neon.tech", 5432), PGW_E_SERVER, "XX000",
	  "Endpoint ID is not specified.",
	  "options=endpoint%3Dep-cool-1 to the URL" },
	{ P("10.1.2.3", 5432), PGW_E_SERVER, "XX000",
	  "Endpoint ID is not specified.", "options=endpoint%3DID" },
	{ P("h", 5432) "?sslmode=disable", PGW_E_SERVER, "28000",
	  "no pg_hba.conf entry for host \"1.2.3.4\", user \"u\", database "
	  "\"d\", no encryption",
	  "sslmode=require" },
	{ P("h", 5432) "?sslmode=require", PGW_E_SERVER, "28000",
	  "no pg_hba.conf entry for host \"1.2.3.4\", user \"u\", database "
	  "\"d\", no encryption",
	  NULL },

	{ P("h", 6432) "?sslmode=disable", PGW_E_SERVER, "08P01",
	  "SSL required", "sslmode=require" },

	/* it is not known which of them said it */
	{ "postgresql://u:p@dpg-abc-a,dpg-abd-a/d", PGW_E_RESOLVE, "", "x",
	  NULL },
};

START_TEST(failures_have_hints_that_say_what_to_change)
{
	for (size_t i = 0; i < COUNT(failures); i++) {
		struct pgw_config cfg;
		struct pgw_err err;
		const char *hint;

		settle(&cfg, failures[i].url);
		pgw_fail(&err, failures[i].code, "%s", failures[i].msg);
		strcpy(err.sqlstate, failures[i].state);
		pgw_hint(&err, "as before");
		ck_assert(!mz_provider_explain(&cfg, &err));
		ck_assert_str_eq(err.msg, failures[i].msg);
		hint = failures[i].hint ? failures[i].hint : "as before";
		ck_assert_msg(strstr(err.hint, hint), "%s, %s: %s",
			      failures[i].url, failures[i].msg, err.hint);
		ck_assert_uint_lt(strlen(err.hint), PGW_HINT_MAX - 1);
		pgw_config_release(&cfg);
	}
}

END_TEST

UNIT_MAIN("provider", providers_are_known_by_their_names_and_ports,
	  a_name_that_is_too_long_has_no_way_around,
	  failures_have_hints_that_say_what_to_change)
