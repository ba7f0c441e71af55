/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "facts.h"

#include "pooler.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- one fact */

static struct mz_fact *add(struct mz_facts *f)
{
	return &f->list[f->n < MZ_FACTS_MAX ? f->n++ : MZ_FACTS_MAX - 1];
}

/* For people. */
static void line(struct mz_facts *f, const char *name, const char *text)
{
	*add(f) = (struct mz_fact){ .name = name, .text = text };
}

/* For programs. */
static void text(struct mz_facts *f, const char *key, const char *value)
{
	*add(f) = (struct mz_fact){ .key = key, .text = value };
}

static void number(struct mz_facts *f, const char *key, int64_t n)
{
	*add(f) = (struct mz_fact){
		.key = key, .kind = MZ_FACT_NUMBER, .text = "", .number = n
	};
}

static void truth(struct mz_facts *f, const char *key, bool value)
{
	*add(f) = (struct mz_fact){
		.key = key, .kind = MZ_FACT_BOOL, .text = "", .number = value
	};
}

/* ---- the server */

static const char *access_of(const struct mz_history *h)
{
	if (h->in_recovery)
		return "read only: the server is a standby";
	if (h->read_only)
		return "read only (default_transaction_read_only)";
	return "read and write";
}

static void add_server(struct mz_facts *f, const struct mz_db *db,
		       const struct mz_history *h)
{
	const struct pgw_host *host = pgw_conn_host(db->conn);
	const char *address = pgw_conn_address(db->conn);
	const char *version = pgw_conn_server(db->conn)->version;
	bool named = host->host[0] && !host->local;

	line(f, "server", mz_printf(f->arena, "PostgreSQL %s", version));
	line(f, "host",
	     named ? mz_printf(f->arena, "%s (%s)", host->host, address) :
		     address);
	line(f, "database",
	     mz_printf(f->arena, "%s, as %s", h->database, h->user));
	line(f, "access", access_of(h));
	text(f, "server", version);
	number(f, "server_version_num", h->version);
	text(f, "host", host->host);
	number(f, "port", host->port);
	text(f, "address", address);
	text(f, "database", h->database);
	text(f, "user", h->user);
	truth(f, "read_only", h->read_only || h->in_recovery);
	truth(f, "recovery", h->in_recovery);
}

/* ---- encryption */

bool mz_facts_days_left(const char *text, int64_t now_s, int64_t *days)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	int64_t left;

	if (!end || *end)
		return false;
	left = (int64_t)timegm(&tm) - now_s;
	*days = left >= 0 ? left / 86400 : -((-left + 86399) / 86400);
	return true;
}

static const char *expiry(struct mz_facts *f, const char *until, bool known,
			  int64_t days)
{
	if (!known)
		return until;
	if (days < 0)
		return mz_printf(f->arena, "%s: expired", until);
	return mz_printf(f->arena, "%s, %" PRId64 " day%s left", until, days,
			 days == 1 ? "" : "s");
}

static const char *checked(struct mz_facts *f, const struct pgw_config *cfg,
			   const struct pgw_tls_facts *t)
{
	const char *mode = pgw_sslmode_name(cfg->sslmode);

	if (t->verified && t->named)
		return "chain and name";
	return mz_printf(f->arena, "%s (sslmode=%s)",
			 t->verified ? "the chain, but not the name" :
				       "neither chain nor name",
			 mode);
}

static void add_certificate(struct mz_facts *f, const struct pgw_config *cfg,
			    const struct pgw_tls_facts *t)
{
	int64_t days = 0;
	bool known = mz_facts_days_left(t->until, (int64_t)time(NULL), &days);

	line(f, "certificate", t->subject[0] ? t->subject : "without a name");
	line(f, "  issued by", t->issuer);
	line(f, "  until", expiry(f, t->until, known, days));
	line(f, "  checked", checked(f, cfg, t));
	text(f, "certificate_subject", t->subject);
	text(f, "certificate_issuer", t->issuer);
	text(f, "certificate_until", t->until);
	if (known)
		number(f, "certificate_days_left", days);
	truth(f, "certificate_chain_verified", t->verified);
	truth(f, "certificate_name_verified", t->named);
	truth(f, "client_certificate", t->own);
}

static void add_encryption(struct mz_facts *f, const struct mz_db *db)
{
	const struct pgw_tls_facts *t = pgw_conn_tls(db->conn);

	truth(f, "tls", t != NULL);
	if (!t) {
		line(f, "encryption",
		     pgw_conn_host(db->conn)->local ?
			     "none (a Unix socket)" :
			     mz_printf(f->arena, "none (sslmode=%s%s)",
				       pgw_sslmode_name(db->cfg->sslmode),
				       db->cfg->sslmode == PGW_SSL_PREFER ?
					       ", and the server has no TLS" :
					       ""));
		return;
	}
	line(f, "encryption",
	     mz_printf(f->arena, "%s, %s", t->version, t->cipher));
	text(f, "tls_version", t->version);
	text(f, "tls_cipher", t->cipher);
	truth(f, "tls_alpn", t->alpn);
	add_certificate(f, db->cfg, t);
}

/* ---- the login */

static const char *auth_name(const struct pgw_conn *conn)
{
	switch (pgw_conn_auth(conn)) {
	case PGW_AUTH_PASSWORD:
		return "password in clear text";
	case PGW_AUTH_MD5:
		return "MD5";
	case PGW_AUTH_SCRAM:
		return pgw_conn_bound(conn) ? "SCRAM-SHA-256-PLUS" :
					      "SCRAM-SHA-256";
	default:
		return "none";
	}
}

/* What more there is to say of it, for people. */
static const char *binding(const struct pgw_conn *conn)
{
	const struct pgw_tls_facts *t = pgw_conn_tls(conn);

	if (pgw_conn_bound(conn))
		return ", bound to the server's certificate";
	if (t && t->own)
		return ", with a certificate of ours";
	switch (pgw_conn_auth(conn)) {
	case PGW_AUTH_PASSWORD:
	case PGW_AUTH_MD5:
		return "";
	case PGW_AUTH_SCRAM:
		return t ? ", not bound to the certificate" : "";
	default:
		return ": the server did not ask";
	}
}

static void add_login(struct mz_facts *f, const struct pgw_conn *conn)
{
	line(f, "authentication",
	     mz_printf(f->arena, "%s%s", auth_name(conn), binding(conn)));
	text(f, "authentication", auth_name(conn));
	truth(f, "channel_binding", pgw_conn_bound(conn));
}

/* ---- what is in between */

static void add_pooler(struct mz_facts *f, const struct mz_db *db,
		       int64_t backend_pid)
{
	struct mz_pooler p;

	mz_pooler_look(&p, f->arena, db->cfg, db->conn, backend_pid);
	if (!p.suspected)
		line(f, "pooler", mz_printf(f->arena, "none (%s)", p.why));
	else if (p.name)
		line(f, "pooler",
		     mz_printf(f->arena, "%s, %s mode (%s)", p.name, p.mode,
			       p.why));
	else
		line(f, "pooler",
		     mz_printf(f->arena, "something is in between (%s)",
			       p.why));
	if (p.around)
		line(f, "  around it", p.around);
	truth(f, "pooler", p.suspected);
	text(f, "pooler_name", p.name);
	text(f, "pooler_mode", p.mode);
	text(f, "pooler_why", p.why);
	text(f, "pooler_around", p.around);
}

/* ---- the history */

static const char *shape_name(enum mz_shape shape)
{
	switch (shape) {
	case MZ_SHAPE_ABSENT:
		return "none yet";
	case MZ_SHAPE_COLUMNS_3:
		return "3 columns (Drizzle 0.x)";
	case MZ_SHAPE_COLUMNS_5:
		return "5 columns (Drizzle 1.x)";
	}
	return NULL;
}

static void add_history(struct mz_facts *f, const struct mz_glimpse *g)
{
	const struct mz_history *h = g->history;
	const char *name = mz_printf(f->arena, "%s.%s", g->table->schema,
				     g->table->name);
	const char *state = g->problem ? g->problem :
			    h->busy    ? "locked: a migration runs" :
					 shape_name(h->shape);
	bool counted = !g->problem && !h->busy && h->shape != MZ_SHAPE_ABSENT;

	text(f, "history_table", name);
	text(f, "history", state);
	truth(f, "history_found", counted || h->busy);
	if (counted)
		number(f, "applied", (int64_t)h->count);
	line(f, "history",
	     counted ? mz_printf(f->arena, "%s: %zu applied, %s", name,
				 h->count, state) :
		       mz_printf(f->arena, "%s: %s", name, state));
}

/* ---- time */

static void add_time(struct mz_facts *f, const struct mz_db *db, int64_t query)
{
	const struct pgw_timing *t = pgw_conn_timing(db->conn);

	const struct {
		const char *name, *key;
		int64_t us;
	} phases[] = {
		{ "DNS", "resolve_us", t->resolve_us },
		{ "connect", "dial_us", t->dial_us },
		{ "TLS", "tls_us", t->tls_us },
		{ "login", "login_us", t->auth_us },
		{ "query", "query_us", query },
	};

	const char *parts = "";
	int64_t all = 0;

	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		number(f, phases[i].key, phases[i].us);
		all += phases[i].us;
		if (phases[i].us > 0)
			parts = mz_printf(f->arena, "%s%s%s %.1f", parts,
					  *parts ? ", " : "", phases[i].name,
					  (double)phases[i].us / 1000);
	}
	number(f, "total_us", all);
	number(f, "round_trips", (int64_t)mz_db_round_trips(db));
	line(f, "time",
	     mz_printf(f->arena, "%.1f ms (%s)", (double)all / 1000, parts));
	line(f, "round trips",
	     mz_printf(f->arena, "%zu", mz_db_round_trips(db)));
}

void mz_facts_gather(struct mz_facts *f, const struct mz_db *db,
		     const struct mz_glimpse *g)
{
	add_server(f, db, g->history);
	add_encryption(f, db);
	add_login(f, db->conn);
	add_pooler(f, db, g->history->backend_pid);
	add_history(f, g);
	add_time(f, db, g->us);
}
