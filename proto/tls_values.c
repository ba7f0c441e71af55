/* SPDX-License-Identifier: MIT */
/* What encryption is asked for, and whether all that goes together. */
#include <config.h>

#include "reading.h"

#include <string.h>

#define TLS_1_2 0x0303
#define TLS_1_3 0x0304

/* Indexed by enum pgw_sslmode. */
static const char *const sslmodes[] = { "disable", "allow",	"prefer",
					"require", "verify-ca", "verify-full",
					NULL };

const char *pgw_sslmode_name(enum pgw_sslmode mode)
{
	return sslmodes[mode];
}

static const char *const negotiations[] = { "postgres", "direct", NULL };
static const char *const certmodes[] = { "allow", "disable", "require", NULL };

/* ---- sslmode */

static bool weak(const struct pgw_config *cfg, const char *with,
		 const char *use, struct pgw_err *err)
{
	return pgw_fail(err, PGW_E_CONFIG,
			"weak sslmode \"%s\" may not be used with %s (use %s)",
			sslmodes[cfg->sslmode], with, use);
}

/* Node's drivers know it; it means what libpq calls require. */
static bool is_no_verify(const struct pgw_config *cfg)
{
	const char *value = cfg->raw.set[PGW_KW_sslmode].value;

	return cfg->raw.repair && value && strcmp(value, "no-verify") == 0;
}

static bool settle_sslmode(struct pgw_config *cfg, struct pgw_err *err)
{
	unsigned mode = PGW_SSL_REQUIRE;

	if (is_no_verify(cfg))
		pgw_notice(&cfg->notices, "sslmode=no-verify was read as "
					  "sslmode=require");
	else if (!pgw_choose(cfg, PGW_KW_sslmode, sslmodes, &mode, err))
		return false;
	cfg->sslmode = (enum pgw_sslmode)mode;
	cfg->sslmode_given = cfg->raw.set[PGW_KW_sslmode].source >
			     PGW_FROM_PRESET;
	return true;
}

static bool settle_negotiation(struct pgw_config *cfg, struct pgw_err *err)
{
	unsigned direct;

	if (!pgw_choose(cfg, PGW_KW_sslnegotiation, negotiations, &direct, err))
		return false;
	cfg->ssl_direct = direct != 0;
	if (!cfg->ssl_direct || cfg->sslmode >= PGW_SSL_REQUIRE)
		return true;
	weak(cfg, "sslnegotiation=direct",
	     "\"require\", \"verify-ca\", or \"verify-full\"", err);
	return pgw_blame_both(cfg, PGW_KW_sslmode, PGW_KW_sslnegotiation, err);
}

/* ---- versions */

/* 0 = not set; the names are ordered from old to new. */
static bool version(const struct pgw_config *cfg, enum pgw_keyword k,
		    unsigned *index, struct pgw_err *err)
{
	static const char *const names[] = { "", "TLSv1", "TLSv1.1", "TLSv1.2",
					     "TLSv1.3" };
	const char *value = pgw_given(cfg, k);

	value = value ? value : "";
	for (*index = 0; *index < sizeof(names) / sizeof(names[0]); ++*index)
		if (pgw_same_name(value, names[*index]))
			return true;
	pgw_fail(err, PGW_E_CONFIG, "invalid \"%s\" value: \"%s\"",
		 pgw_keyword_rows[k].name, value);
	return pgw_blame(cfg, k, "TLSv1.2 or TLSv1.3", err);
}

/* What is older than 1.2 is never spoken, so it may be a minimum only. */
static bool settle_versions(struct pgw_config *cfg, struct pgw_err *err)
{
	static const uint16_t wire[] = { 0, 0, 0, TLS_1_2, TLS_1_3 };
	enum pgw_keyword low = PGW_KW_ssl_min_protocol_version;
	enum pgw_keyword high = PGW_KW_ssl_max_protocol_version;
	unsigned min, max;

	if (!version(cfg, low, &min, err) || !version(cfg, high, &max, err))
		return false;
	if (max != 0 && wire[max] == 0) {
		pgw_fail(err, PGW_E_CONFIG,
			 "ssl_max_protocol_version \"%s\" is too old: nothing "
			 "below TLSv1.2 is secure",
			 cfg->raw.set[high].value);
		return pgw_blame(cfg, high, "TLSv1.2 or TLSv1.3", err);
	}
	if (max != 0 && min > max) {
		pgw_fail(err, PGW_E_CONFIG,
			 "invalid SSL protocol version range");
		return pgw_blame_both(cfg, low, high, err);
	}
	cfg->tls.version_min = wire[min] ? wire[min] : TLS_1_2;
	cfg->tls.version_max = wire[max];
	return true;
}

/* ---- files */

static bool set_file(const struct pgw_config *cfg, enum pgw_keyword k,
		     char **to, bool *given, struct pgw_err *err)
{
	const char *value = pgw_given(cfg, k);

	*given = value != NULL;
	return !value || pgw_text_set(to, pgw_view_of(value), err);
}

/* Without TLS nothing is looked for, not even where home is. */
static bool set_default(const struct pgw_config *cfg,
			const struct pgw_outside *o, const char *name,
			char **to, struct pgw_err *err)
{
	const char *home;
	struct pgw_buf path;
	bool ok;

	if (*to || cfg->sslmode == PGW_SSL_DISABLE)
		return true;
	home = o->home ? o->home(o->ctx) : "";
	if (home[0] == '\0')
		return true;
	pgw_buf_init(&path, strlen(home) + strlen(name) + 1);
	pgw_buf_put_text(&path, home);
	pgw_buf_put_text(&path, name);
	ok = path.failed ? pgw_nomem(err) :
			   pgw_text_set(to, pgw_buf_view(&path), err);
	pgw_buf_release(&path);
	return ok;
}

/* OpenSSL's variables for where the public authorities are. */
static bool set_place(const struct pgw_outside *o, const char *name, char **to,
		      struct pgw_err *err)
{
	const char *value = o->env ? o->env(o->ctx, name) : NULL;

	if (!value || value[0] == '\0')
		return true;
	return pgw_text_set(to, pgw_view_of(value), err);
}

/* Certificates of public authorities prove nothing without the name. */
static bool settle_trust(struct pgw_config *cfg, const struct pgw_outside *o,
			 struct pgw_err *err)
{
	struct pgw_tls_settings *t = &cfg->tls;
	bool dir_given;

	if (!set_file(cfg, PGW_KW_sslrootcert, &t->root, &t->root_given, err) ||
	    !set_file(cfg, PGW_KW_sslcrl, &t->crl, &t->crl_given, err) ||
	    !set_file(cfg, PGW_KW_sslcrldir, &t->crl_dir, &dir_given, err))
		return false;
	if (!dir_given &&
	    !set_default(cfg, o, "/.postgresql/root.crl", &t->crl, err))
		return false;
	t->root_system = t->root && strcmp(t->root, "system") == 0;
	if (!t->root_system)
		return set_default(cfg, o, "/.postgresql/root.crt", &t->root,
				   err);
	pgw_text_free(t->root);
	t->root = NULL;
	if (!set_place(o, "SSL_CERT_FILE", &t->system_file, err) ||
	    !set_place(o, "SSL_CERT_DIR", &t->system_dirs, err))
		return false;
	if (cfg->sslmode == PGW_SSL_VERIFY_FULL)
		return true;
	weak(cfg, "sslrootcert=system", "\"verify-full\"", err);
	return pgw_blame_both(cfg, PGW_KW_sslmode, PGW_KW_sslrootcert, err);
}

/* libpq takes what stands before a colon for the name of an engine. */
static bool check_engine(const struct pgw_config *cfg, struct pgw_err *err)
{
	const char *key = pgw_given(cfg, PGW_KW_sslkey);

	if (!key || key[strcspn(key, ":/")] != ':')
		return true;
	pgw_fail(err, PGW_E_UNSUPPORTED,
		 "sslkey \"%s\" names a key of an OpenSSL engine, which is not "
		 "supported",
		 key);
	return pgw_blame(cfg, PGW_KW_sslkey,
			 "a file (with a colon in its name: ./NAME)", err);
}

/* A key that stands nowhere cannot be looked for when the server asks. */
static bool check_key(const struct pgw_config *cfg, struct pgw_err *err)
{
	if (!cfg->tls.cert_given || cfg->tls.key ||
	    cfg->sslmode == PGW_SSL_DISABLE ||
	    cfg->tls.certmode == PGW_CERT_DISABLE)
		return true;
	pgw_fail(err, PGW_E_CONFIG,
		 "sslcert is given, but sslkey is not, and without a home "
		 "directory there is none by default");
	return pgw_blame(cfg, PGW_KW_sslcert, "left out, or sslkey be added",
			 err);
}

static bool settle_own(struct pgw_config *cfg, const struct pgw_outside *o,
		       struct pgw_err *err)
{
	static const enum pgw_certmode modes[] = { PGW_CERT_ALLOW,
						   PGW_CERT_DISABLE,
						   PGW_CERT_REQUIRE };
	struct pgw_tls_settings *t = &cfg->tls;
	bool given;
	unsigned mode;

	if (!pgw_choose(cfg, PGW_KW_sslcertmode, certmodes, &mode, err) ||
	    !check_engine(cfg, err))
		return false;
	t->certmode = modes[mode];
	return set_file(cfg, PGW_KW_sslcert, &t->cert, &t->cert_given, err) &&
	       set_file(cfg, PGW_KW_sslkey, &t->key, &t->key_given, err) &&
	       set_file(cfg, PGW_KW_sslpassword, &t->key_password, &given,
			err) &&
	       set_file(cfg, PGW_KW_sslkeylogfile, &t->key_log, &given, err) &&
	       set_default(cfg, o, "/.postgresql/postgresql.crt", &t->cert,
			   err) &&
	       set_default(cfg, o, "/.postgresql/postgresql.key", &t->key,
			   err) &&
	       check_key(cfg, err);
}

/* ---- what cannot be had together */

static bool is_local(const struct pgw_config *cfg)
{
	for (size_t i = 0; i < cfg->nhosts; i++)
		if (!cfg->hosts[i].local)
			return false;
	return true;
}

/* Something that only TLS can give, where there will be none. */
static bool needs_tls(const struct pgw_config *cfg, enum pgw_keyword k,
		      struct pgw_err *err)
{
	const char *name = pgw_keyword_rows[k].name;

	if (cfg->sslmode == PGW_SSL_DISABLE) {
		pgw_fail(err, PGW_E_CONFIG,
			 "%s=require cannot be had with sslmode=disable", name);
		return pgw_blame_both(cfg, k, PGW_KW_sslmode, err);
	}
	if (!is_local(cfg))
		return true;
	pgw_fail(err, PGW_E_CONFIG,
		 "%s=require cannot be had over a Unix socket, where there is "
		 "no TLS",
		 name);
	return pgw_blame_both(cfg, k, PGW_KW_host, err);
}

static bool check_binding(const struct pgw_config *cfg, struct pgw_err *err)
{
	if (cfg->channel_binding != PGW_BINDING_REQUIRE)
		return true;
	if (!needs_tls(cfg, PGW_KW_channel_binding, err))
		return false;
	if (cfg->require_auth & PGW_AUTH_SCRAM)
		return true;
	pgw_fail(err, PGW_E_CONFIG,
		 "channel_binding=require needs scram-sha-256, which "
		 "require_auth excludes");
	return pgw_blame_both(cfg, PGW_KW_channel_binding, PGW_KW_require_auth,
			      err);
}

/* An address says where to go, not whose certificate to expect. */
static bool check_names(const struct pgw_config *cfg, struct pgw_err *err)
{
	if (cfg->sslmode != PGW_SSL_VERIFY_FULL)
		return true;
	for (size_t i = 0; i < cfg->nhosts; i++) {
		if (cfg->hosts[i].local || cfg->hosts[i].host[0] != '\0')
			continue;
		pgw_fail(err, PGW_E_CONFIG,
			 "host name must be specified for a verified SSL "
			 "connection");
		return pgw_hint(err, "hostaddr says where to go, host whose "
				     "certificate to expect: add host=NAME");
	}
	return true;
}

bool pgw_settle_tls(struct pgw_config *cfg, const struct pgw_outside *o,
		    struct pgw_err *err)
{
	const char *sni = cfg->raw.set[PGW_KW_sslsni].value;

	cfg->tls.sni = !sni || sni[0] == '1';
	if (!settle_sslmode(cfg, err) || !settle_negotiation(cfg, err) ||
	    !settle_trust(cfg, o, err) || !settle_versions(cfg, err) ||
	    !settle_own(cfg, o, err))
		return false;
	if (cfg->tls.certmode == PGW_CERT_REQUIRE &&
	    !needs_tls(cfg, PGW_KW_sslcertmode, err))
		return false;
	return check_binding(cfg, err) && check_names(cfg, err);
}

void pgw_tls_settings_release(struct pgw_tls_settings *t)
{
	pgw_text_free(t->root);
	pgw_text_free(t->crl);
	pgw_text_free(t->system_file);
	pgw_text_free(t->system_dirs);
	pgw_text_free(t->cert);
	pgw_text_free(t->key);
	pgw_text_free(t->crl_dir);
	pgw_text_free(t->key_password);
	pgw_text_free(t->key_log);
	*t = (struct pgw_tls_settings){ .root = NULL };
}
