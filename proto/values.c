/* SPDX-License-Identifier: MIT */
/* The values of single keywords: choices and texts. */
#include <config.h>

#include "base64.h"
#include "msg.h"
#include "reading.h"

#include <string.h>

#define PRODUCT_NAME_MAX 63 /* the server cuts there: NAMEDATALEN - 1 */
#define SCRAM_KEY_LEN 32

static const char *value_of(const struct pgw_config *cfg, enum pgw_keyword k)
{
	return cfg->raw.set[k].value;
}

static bool given(const struct pgw_config *cfg, enum pgw_keyword k)
{
	return cfg->raw.set[k].source > PGW_FROM_PRESET;
}

static bool invalid(const struct pgw_config *cfg, enum pgw_keyword k,
		    struct pgw_err *err)
{
	return pgw_fail(err, PGW_E_CONFIG, "invalid %s value: \"%s\"",
			pgw_keyword_rows[k].name, value_of(cfg, k));
}

/* ---- choices */

/* The index of the value among names, which end in NULL; 0 when unset. */
static bool choose(const struct pgw_config *cfg, enum pgw_keyword k,
		   const char *const *names, unsigned *index,
		   struct pgw_err *err)
{
	const char *value = value_of(cfg, k);

	*index = 0;
	if (!value)
		return true;
	while (names[*index]) {
		if (strcmp(names[*index], value) == 0)
			return true;
		++*index;
	}
	return invalid(cfg, k, err);
}

/* Indexed by enum pgw_sslmode, pgw_channel_binding, pgw_target. */
static const char *const sslmodes[] = { "disable", "allow",	"prefer",
					"require", "verify-ca", "verify-full",
					NULL };
static const char *const bindings[] = { "disable", "prefer", "require", NULL };
static const char *const targets[] = { "any",	    "read-write",
				       "read-only", "primary",
				       "standby",   "prefer-standby",
				       NULL };
static const char *const negotiations[] = { "postgres", "direct", NULL };
static const char *const certmodes[] = { "allow", "disable", "require", NULL };

enum { GSSENC_REQUIRE = 2 };

static const char *const gssencmodes[] = { "disable", "prefer", "require",
					   NULL };
static const char *const balances[] = { "disable", "random", NULL };

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
	const char *value = value_of(cfg, PGW_KW_sslmode);

	return cfg->raw.repair && value && strcmp(value, "no-verify") == 0;
}

static bool settle_sslmode(struct pgw_config *cfg, struct pgw_err *err)
{
	unsigned mode = PGW_SSL_REQUIRE, direct;
	const char *rootcert = value_of(cfg, PGW_KW_sslrootcert);

	if (is_no_verify(cfg))
		pgw_notice(&cfg->notices, "sslmode=no-verify was read as "
					  "sslmode=require");
	else if (!choose(cfg, PGW_KW_sslmode, sslmodes, &mode, err))
		return false;
	cfg->sslmode = (enum pgw_sslmode)mode;
	cfg->sslmode_given = given(cfg, PGW_KW_sslmode);
	if (!choose(cfg, PGW_KW_sslnegotiation, negotiations, &direct, err))
		return false;
	cfg->ssl_direct = direct != 0;
	if (cfg->ssl_direct && cfg->sslmode < PGW_SSL_REQUIRE)
		return weak(cfg, "sslnegotiation=direct",
			    "\"require\", \"verify-ca\", or \"verify-full\"",
			    err);
	if (rootcert && strcmp(rootcert, "system") == 0 &&
	    cfg->sslmode != PGW_SSL_VERIFY_FULL)
		return weak(cfg, "sslrootcert=system", "\"verify-full\"", err);
	return true;
}

/* 0 = not set; the names are ordered from old to new. */
static bool tls_version(const struct pgw_config *cfg, enum pgw_keyword k,
			unsigned *version, struct pgw_err *err)
{
	static const char *const names[] = { "", "TLSv1", "TLSv1.1", "TLSv1.2",
					     "TLSv1.3" };
	const char *value = value_of(cfg, k) ? value_of(cfg, k) : "";

	for (*version = 0; *version < sizeof(names) / sizeof(names[0]);
	     ++*version)
		if (pgw_same_name(value, names[*version]))
			return true;
	return pgw_fail(err, PGW_E_CONFIG, "invalid \"%s\" value: \"%s\"",
			pgw_keyword_rows[k].name, value);
}

static bool settle_tls_versions(const struct pgw_config *cfg,
				struct pgw_err *err)
{
	unsigned min, max;

	if (!tls_version(cfg, PGW_KW_ssl_min_protocol_version, &min, err) ||
	    !tls_version(cfg, PGW_KW_ssl_max_protocol_version, &max, err))
		return false;
	if (max != 0 && min > max)
		return pgw_fail(err, PGW_E_CONFIG,
				"invalid SSL protocol version range");
	return true;
}

static bool settle_gssencmode(const struct pgw_config *cfg, struct pgw_err *err)
{
	unsigned mode;

	if (!choose(cfg, PGW_KW_gssencmode, gssencmodes, &mode, err))
		return false;
	if (mode != GSSENC_REQUIRE)
		return true;
	return pgw_fail(err, PGW_E_UNSUPPORTED,
			"gssencmode value \"require\" invalid when GSSAPI "
			"support is not compiled in");
}

/* Migrations write: among several servers, find the one that lets them. */
static bool settle_target(struct pgw_config *cfg, struct pgw_err *err)
{
	unsigned target;

	if (!choose(cfg, PGW_KW_target_session_attrs, targets, &target, err))
		return false;
	cfg->target = (enum pgw_target)target;
	cfg->target_given = given(cfg, PGW_KW_target_session_attrs);
	if (!cfg->target_given && cfg->nhosts > 1)
		cfg->target = PGW_TARGET_READ_WRITE;
	return true;
}

static bool settle_choices(struct pgw_config *cfg, struct pgw_err *err)
{
	unsigned binding, certmode, balance;

	if (!choose(cfg, PGW_KW_channel_binding, bindings, &binding, err) ||
	    !settle_sslmode(cfg, err) || !settle_tls_versions(cfg, err) ||
	    !choose(cfg, PGW_KW_sslcertmode, certmodes, &certmode, err) ||
	    !settle_gssencmode(cfg, err) || !settle_target(cfg, err) ||
	    !choose(cfg, PGW_KW_load_balance_hosts, balances, &balance, err))
		return false;
	cfg->channel_binding = (enum pgw_channel_binding)binding;
	cfg->load_balance = balance != 0;
	return true;
}

static bool protocol(const struct pgw_config *cfg, enum pgw_keyword k,
		     uint32_t *version, struct pgw_err *err)
{
	const char *value = value_of(cfg, k);

	if (!value)
		return true;
	if (strcmp(value, "3.0") == 0)
		*version = PGW_PROTOCOL_3_0;
	else if (strcmp(value, "3.2") == 0 || strcmp(value, "latest") == 0)
		*version = PGW_PROTOCOL_3_2;
	else
		return invalid(cfg, k, err);
	return true;
}

/* Poolers stumble over 3.2, so it is asked for only on request. */
static bool settle_protocol(struct pgw_config *cfg, struct pgw_err *err)
{
	uint32_t min = PGW_PROTOCOL_3_0, max;

	if (!protocol(cfg, PGW_KW_min_protocol_version, &min, err))
		return false;
	max = min;
	if (!protocol(cfg, PGW_KW_max_protocol_version, &max, err))
		return false;
	if (min > max)
		return pgw_fail(err, PGW_E_CONFIG,
				"\"min_protocol_version\" is greater than "
				"\"max_protocol_version\"");
	cfg->protocol_min = min;
	cfg->protocol_max = max;
	return true;
}

/* ---- texts */

/* Servers up to 15 turn what is not printable into ?, later ones into \x... */
static bool settle_application_name(struct pgw_config *cfg, struct pgw_err *err)
{
	const char *name = value_of(cfg, PGW_KW_application_name);
	struct pgw_view v;

	if (!name || name[0] == '\0')
		name = value_of(cfg, PGW_KW_fallback_application_name);
	v = pgw_view_of(name ? name : "");
	if (v.n > PRODUCT_NAME_MAX)
		v.n = PRODUCT_NAME_MAX;
	if (!pgw_text_set(&cfg->application_name, v, err))
		return false;
	for (char *p = cfg->application_name; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return true;
}

/* UTF8, utf-8 and unicode are one name to the server. */
static bool is_utf8_name(const char *name)
{
	char plain[8] = "";
	size_t n = 0;

	for (; *name != '\0'; name++) {
		if (*name == '-' || *name == '_' || *name == ' ')
			continue;
		if (n == sizeof(plain) - 1)
			return false;
		plain[n++] = *name;
	}
	return pgw_same_name(plain, "utf8") ||
	       pgw_same_name(plain, "unicode") ||
	       pgw_same_name(plain, "auto") || plain[0] == '\0';
}

static bool settle_encoding(const struct pgw_config *cfg, struct pgw_err *err)
{
	const char *value = value_of(cfg, PGW_KW_client_encoding);

	if (!value || is_utf8_name(value))
		return true;
	pgw_fail(err, PGW_E_UNSUPPORTED,
		 "client_encoding \"%s\" is not supported: only UTF8 is",
		 value);
	return pgw_hint(err, "leave client_encoding and PGCLIENTENCODING out");
}

static bool settle_text(const struct pgw_config *cfg, enum pgw_keyword k,
			char **to, struct pgw_err *err)
{
	const char *value = value_of(cfg, k);

	if (!value || value[0] == '\0')
		return true;
	return pgw_text_set(to, pgw_view_of(value), err);
}

static bool check_scram_key(const struct pgw_config *cfg, enum pgw_keyword k,
			    const char *whose, struct pgw_err *err)
{
	const char *value = value_of(cfg, k);
	struct pgw_buf key;
	bool ok = true, decoded;
	size_t n;

	if (!value)
		return true;
	n = strlen(value);
	pgw_buf_init(&key, n + 1);
	decoded = pgw_base64_decode(&key, pgw_view_of(value));
	if (key.failed)
		ok = pgw_nomem(err);
	else if (!decoded)
		ok = pgw_fail(err, PGW_E_CONFIG, "invalid SCRAM %s key", whose);
	else if (key.len != SCRAM_KEY_LEN)
		ok = pgw_fail(err, PGW_E_CONFIG,
			      "invalid SCRAM %s key length: %zu", whose,
			      key.len);
	pgw_buf_release(&key);
	return ok;
}

static bool refuse(const struct pgw_config *cfg, struct pgw_err *err)
{
	for (size_t k = 0; k < PGW_KEYWORDS; k++) {
		const char *value = cfg->raw.set[k].value;

		if (!(pgw_keyword_rows[k].care & PGW_CARE_REFUSED) || !value ||
		    value[0] == '\0')
			continue;
		pgw_fail(err, PGW_E_UNSUPPORTED,
			 "connection option \"%s\" is not supported",
			 pgw_keyword_rows[k].name);
		return pgw_hint(err, "remove it from the connection string "
				     "or the service file");
	}
	return true;
}

bool pgw_settle_values(struct pgw_config *cfg, struct pgw_err *err)
{
	return refuse(cfg, err) && pgw_settle_require_auth(cfg, err) &&
	       settle_choices(cfg, err) && settle_protocol(cfg, err) &&
	       check_scram_key(cfg, PGW_KW_scram_client_key, "client", err) &&
	       check_scram_key(cfg, PGW_KW_scram_server_key, "server", err) &&
	       pgw_settle_numbers(cfg, err) && settle_encoding(cfg, err) &&
	       settle_application_name(cfg, err) &&
	       settle_text(cfg, PGW_KW_options, &cfg->options, err) &&
	       settle_text(cfg, PGW_KW_requirepeer, &cfg->requirepeer, err);
}
