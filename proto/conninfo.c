/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "conninfo.h"

#include "reading.h"

#include <string.h>

#define NOTICES_MAX (64u << 10)
#define LOCAL_MAX (64u << 10)

#define SECRET PGW_CARE_SECRET
#define REFUSED PGW_CARE_REFUSED
const struct pgw_keyword_row pgw_keyword_rows[PGW_KEYWORDS] = {
#define KEYWORD(name, env, preset, care) { #name, env, preset, care },
#include "keywords.def"
#undef KEYWORD
};
#undef SECRET
#undef REFUSED

enum pgw_keyword pgw_keyword_of(struct pgw_view name)
{
	unsigned k = 0;

	while (k < PGW_KEYWORDS && !pgw_view_is(name, pgw_keyword_rows[k].name))
		k++;
	return (enum pgw_keyword)k;
}

void pgw_settings_release(struct pgw_setting set[PGW_KEYWORDS])
{
	for (size_t k = 0; k < PGW_KEYWORDS; k++) {
		pgw_text_free(set[k].value);
		set[k] = (struct pgw_setting){ 0 };
	}
}

void pgw_conninfo_init(struct pgw_conninfo *c)
{
	*c = (struct pgw_conninfo){ .repair = true };
	pgw_buf_init(&c->notices, NOTICES_MAX);
	pgw_buf_init(&c->local, LOCAL_MAX);
}

void pgw_conninfo_release(struct pgw_conninfo *c)
{
	pgw_settings_release(c->set);
	pgw_settings_release(c->without);
	pgw_buf_release(&c->notices);
	pgw_buf_release(&c->local);
}

static bool store(struct pgw_setting *s, struct pgw_view value,
		  enum pgw_source source, struct pgw_err *err)
{
	if (!pgw_text_set(&s->value, value, err))
		return false;
	s->source = source;
	return true;
}

bool pgw_conninfo_set(struct pgw_conninfo *c, enum pgw_keyword keyword,
		      const char *value, struct pgw_err *err)
{
	struct pgw_setting *s = &c->set[keyword];

	if (value)
		return store(s, pgw_view_of(value), PGW_FROM_STRING, err);
	pgw_text_free(s->value);
	*s = (struct pgw_setting){ 0 };
	return true;
}

/* ---- parse */

/* JDBC's old spelling, which libpq takes in both kinds of string. */
static bool is_requiressl(struct pgw_view key, struct pgw_view *value)
{
	if (!pgw_view_is(key, "requiressl"))
		return false;
	*value = pgw_view_of(value->n > 0 && value->p[0] == '1' ? "require" :
								  "prefer");
	return true;
}

bool pgw_reading_store(struct pgw_reading *r, const char *what,
		       struct pgw_view key, struct pgw_view value,
		       struct pgw_err *err)
{
	enum pgw_keyword k = is_requiressl(key, &value) ? PGW_KW_sslmode :
							  pgw_keyword_of(key);

	if (k == PGW_KEYWORDS)
		return pgw_foreign_store(r, what, key, value, err);
	/* What follows may be the rest of a secret that was not quoted. */
	if (pgw_keyword_rows[k].care & PGW_CARE_SECRET)
		r->quiet = true;
	return store(&r->set[k], value, PGW_FROM_STRING, err);
}

static bool read_string(struct pgw_reading *r, const char *text,
			struct pgw_err *err)
{
	const char *at;

	if (pgw_uri_prefix(text) == 0) {
		if (pgw_keyval_read(r, text, err))
			return true;
		if (err->code == PGW_E_CONFIG)
			pgw_diagnose_scheme(text, err);
		return false;
	}
	r->uri = true;
	at = pgw_uri_userinfo_end(text);
	if (r->repair && !pgw_diagnose_uri(r, text, &at, err))
		return false;
	return pgw_uri_read(r, text, at, err);
}

static bool read_trimmed(struct pgw_reading *r, const char *text,
			 struct pgw_err *err)
{
	char *meant = NULL;
	bool ok;

	if (!r->repair)
		return read_string(r, text, err);
	if (!pgw_text_set(&meant, pgw_diagnose_trim(r, text), err))
		return false;
	ok = read_string(r, meant, err);
	pgw_text_free(meant);
	return ok;
}

/* Only now that nothing can fail any more the settings change. */
static void take(struct pgw_conninfo *c, struct pgw_reading *r)
{
	for (size_t k = 0; k < PGW_KEYWORDS; k++) {
		if (!r->set[k].value)
			continue;
		pgw_text_free(c->set[k].value);
		c->set[k] = r->set[k];
		r->set[k] = (struct pgw_setting){ 0 };
	}
}

/* The names in a list of keys, if there are any. */
static void tell_keys(struct pgw_reading *r, struct pgw_buf *keys,
		      const char *why)
{
	if (keys->len == 0)
		return;
	pgw_buf_put_u8(keys, '\0');
	if (keys->failed)
		r->notices.failed = true;
	else
		pgw_notice(&r->notices,
			   "ignored in the connection string, because %s: %s",
			   why, (const char *)keys->data);
}

/* Add more to what is there; unchanged when there is no memory for it. */
static bool append(struct pgw_buf *to, const struct pgw_buf *more,
		   struct pgw_err *err)
{
	size_t len = to->len;

	if (!more->failed) {
		pgw_buf_put(to, more->data, more->len);
		if (!to->failed)
			return true;
		to->failed = false;
		to->len = len;
	}
	return pgw_nomem(err);
}

static bool add_notices(struct pgw_conninfo *c, struct pgw_reading *r,
			struct pgw_err *err)
{
	size_t told = c->notices.len;

	tell_keys(r, &r->ignored, "it is meant for other programs");
	tell_keys(r, &r->unknown, "nobody knows it");
	if (!append(&c->notices, &r->notices, err))
		return false;
	if (append(&c->local, &r->local, err))
		return true;
	c->notices.len = told;
	return false;
}

bool pgw_conninfo_parse(struct pgw_conninfo *c, const char *text,
			struct pgw_err *err)
{
	struct pgw_reading r = { .repair = c->repair, .lenient = c->lenient };
	bool ok;

	*err = (struct pgw_err){ .code = PGW_OK };
	pgw_buf_init(&r.notices, NOTICES_MAX);
	pgw_buf_init(&r.ignored, NOTICES_MAX);
	pgw_buf_init(&r.unknown, NOTICES_MAX);
	pgw_buf_init(&r.local, LOCAL_MAX);
	ok = read_trimmed(&r, text, err) && add_notices(c, &r, err);
	if (ok) {
		take(c, &r);
		c->uri = r.uri;
		c->pooled |= r.pooled;
	}
	pgw_settings_release(r.set);
	pgw_buf_release(&r.notices);
	pgw_buf_release(&r.ignored);
	pgw_buf_release(&r.unknown);
	pgw_buf_release(&r.local);
	return ok;
}

/* ---- complete */

static const char *env(const struct pgw_outside *o, const char *name)
{
	return o->env && name ? o->env(o->ctx, name) : NULL;
}

/* PGREQUIRESSL is older than PGSSLMODE, which wins over it. */
static const char *env_of(const struct pgw_outside *o, size_t k,
			  const char **variable)
{
	const char *value = env(o, pgw_keyword_rows[k].env), *old;

	*variable = pgw_keyword_rows[k].env;
	if (value || k != PGW_KW_sslmode)
		return value;
	*variable = "PGREQUIRESSL";
	old = env(o, *variable);
	return old && old[0] == '1' ? "require" : NULL;
}

static bool fill_one(struct pgw_setting *s, size_t k,
		     const struct pgw_outside *o, struct pgw_err *err)
{
	const char *variable, *value = env_of(o, k, &variable);

	if (value) {
		s->variable = variable;
		return store(s, pgw_view_of(value), PGW_FROM_ENV, err);
	}
	value = pgw_keyword_rows[k].preset;
	if (value)
		return store(s, pgw_view_of(value), PGW_FROM_PRESET, err);
	return true;
}

static bool is_system(const struct pgw_setting *rootcert)
{
	return rootcert->value && strcmp(rootcert->value, "system") == 0;
}

static bool fill_rest(struct pgw_setting set[PGW_KEYWORDS],
		      const struct pgw_outside *o, struct pgw_err *err)
{
	for (size_t k = 0; k < PGW_KEYWORDS; k++)
		if (!set[k].value && !fill_one(&set[k], k, o, err))
			return false;
	/* Certificates of public authorities prove nothing without the name. */
	if (set[PGW_KW_sslmode].source == PGW_FROM_PRESET &&
	    is_system(&set[PGW_KW_sslrootcert]))
		return store(&set[PGW_KW_sslmode], pgw_view_of("verify-full"),
			     PGW_FROM_PRESET, err);
	return true;
}

static bool fill_service(struct pgw_setting set[PGW_KEYWORDS],
			 const struct pgw_outside *o, struct pgw_err *err)
{
	const char *name = set[PGW_KW_service].value;

	if (!name)
		name = env(o, "PGSERVICE");
	return !name || pgw_service_fill(set, name, o, err);
}

bool pgw_conninfo_complete(struct pgw_conninfo *c, const struct pgw_outside *o,
			   struct pgw_err *err)
{
	*err = (struct pgw_err){ .code = PGW_OK };
	pgw_settings_release(c->without);
	/* A bad service is an error only if it is used. */
	if (!fill_service(c->without, o, err) && err->code == PGW_E_NOMEM)
		return false;
	return fill_rest(c->without, o, err) && fill_service(c->set, o, err) &&
	       fill_rest(c->set, o, err);
}

/* ---- print */

/* A raw @, : or / in a password may have made it end here. */
static bool may_be_half_a_password(const struct pgw_conninfo *c, size_t k,
				   const char *value)
{
	if (!c->uri)
		return false;
	if (k == PGW_KW_port)
		return value[strspn(value, "0123456789,")] != '\0';
	if (k == PGW_KW_host || k == PGW_KW_dbname)
		return strchr(value, '@') != NULL;
	return false;
}

static bool is_shown(const struct pgw_conninfo *c, size_t k)
{
	const char *value = c->set[k].value, *without = c->without[k].value;

	return value && c->set[k].source == PGW_FROM_STRING &&
	       !(without && strcmp(value, without) == 0);
}

/* libpq's test counts @name as a host, so we do. */
static bool is_inet(const struct pgw_conninfo *c)
{
	const struct pgw_setting *host = &c->set[PGW_KW_host];
	const struct pgw_setting *addr = &c->set[PGW_KW_hostaddr];

	if (addr->source == PGW_FROM_STRING && addr->value[0] != '\0')
		return true;
	return host->source == PGW_FROM_STRING && host->value[0] != '\0' &&
	       host->value[0] != '/';
}

void pgw_conninfo_print(const struct pgw_conninfo *c, bool secrets,
			struct pgw_buf *out)
{
	for (size_t k = 0; k < PGW_KEYWORDS; k++) {
		const char *value = c->set[k].value;
		bool secret = pgw_keyword_rows[k].care & PGW_CARE_SECRET;

		if (!is_shown(c, k))
			continue;
		if (!secrets && (secret || may_be_half_a_password(c, k, value)))
			value = "***";
		pgw_buf_put_text(out, pgw_keyword_rows[k].name);
		pgw_buf_put_text(out, "='");
		pgw_buf_put_text(out, value);
		pgw_buf_put_text(out, "' ");
	}
	pgw_buf_put_text(out, is_inet(c) ? "(inet)" : "(local)");
}
