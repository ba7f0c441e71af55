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

static bool invalid(const struct pgw_config *cfg, enum pgw_keyword k,
		    const char *may_be, struct pgw_err *err)
{
	pgw_fail(err, PGW_E_CONFIG, "invalid %s value: \"%s\"",
		 pgw_keyword_rows[k].name, value_of(cfg, k));
	return pgw_blame(cfg, k, may_be, err);
}

/* ---- choices */

/* Indexed by enum pgw_channel_binding, pgw_target. */
static const char *const bindings[] = { "disable", "prefer", "require", NULL };
static const char *const targets[] = { "any",	    "read-write",
				       "read-only", "primary",
				       "standby",   "prefer-standby",
				       NULL };

enum { GSSENC_REQUIRE = 2 };

static const char *const gssencmodes[] = { "disable", "prefer", "require",
					   NULL };
static const char *const balances[] = { "disable", "random", NULL };

static bool settle_gssencmode(const struct pgw_config *cfg, struct pgw_err *err)
{
	unsigned mode;

	if (!pgw_choose(cfg, PGW_KW_gssencmode, gssencmodes, &mode, err))
		return false;
	if (mode != GSSENC_REQUIRE)
		return true;
	pgw_fail(err, PGW_E_UNSUPPORTED,
		 "gssencmode value \"require\" invalid when GSSAPI "
		 "support is not compiled in");
	return pgw_blame(cfg, PGW_KW_gssencmode, "disable or prefer", err);
}

/* Migrations write: among several servers, find the one that lets them. */
static bool settle_target(struct pgw_config *cfg, struct pgw_err *err)
{
	unsigned target;

	if (!pgw_choose(cfg, PGW_KW_target_session_attrs, targets, &target,
			err))
		return false;
	cfg->target = (enum pgw_target)target;
	cfg->target_given = cfg->raw.set[PGW_KW_target_session_attrs].source >
			    PGW_FROM_PRESET;
	if (!cfg->target_given && cfg->nhosts > 1)
		cfg->target = PGW_TARGET_READ_WRITE;
	return true;
}

static bool settle_choices(struct pgw_config *cfg, struct pgw_err *err)
{
	unsigned binding, balance;

	if (!pgw_choose(cfg, PGW_KW_channel_binding, bindings, &binding, err) ||
	    !settle_gssencmode(cfg, err) || !settle_target(cfg, err) ||
	    !pgw_choose(cfg, PGW_KW_load_balance_hosts, balances, &balance,
			err))
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
		return invalid(cfg, k, "3.0, 3.2 or latest", err);
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
	if (min > max) {
		pgw_fail(err, PGW_E_CONFIG,
			 "\"min_protocol_version\" is greater than "
			 "\"max_protocol_version\"");
		return pgw_blame_both(cfg, PGW_KW_min_protocol_version,
				      PGW_KW_max_protocol_version, err);
	}
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
	return pgw_blame(cfg, PGW_KW_client_encoding, "UTF8, or left out", err);
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
	if (!ok && err->code == PGW_E_CONFIG)
		pgw_blame(cfg, k, "the base64 of 32 bytes", err);
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
		return pgw_blame(cfg, (enum pgw_keyword)k, "left out", err);
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
