/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "conninfo.h"
#include "reading.h"

#include <stdlib.h>

#define NOTICES_MAX (128u << 10)

static bool copy_settings(struct pgw_config *cfg, const struct pgw_conninfo *c,
			  struct pgw_err *err)
{
	cfg->raw.repair = c->repair;
	cfg->raw.uri = c->uri;
	cfg->raw.name = c->name;
	cfg->raw.pooled = c->pooled;
	for (size_t k = 0; k < PGW_KEYWORDS; k++) {
		if (!c->set[k].value)
			continue;
		if (!pgw_text_set(&cfg->raw.set[k].value,
				  pgw_view_of(c->set[k].value), err))
			return false;
		cfg->raw.set[k].source = c->set[k].source;
		cfg->raw.set[k].variable = c->set[k].variable;
	}
	pgw_buf_put(&cfg->notices, c->notices.data, c->notices.len);
	pgw_buf_put(&cfg->raw.local, c->local.data, c->local.len);
	return !cfg->raw.local.failed || pgw_nomem(err);
}

/* libpq's three variables that become settings of the session. */
static bool copy_variable(const struct pgw_outside *o, const char *name,
			  char **to, struct pgw_err *err)
{
	const char *value = o->env ? o->env(o->ctx, name) : NULL;

	if (!value || pgw_same_name(value, "default"))
		return true;
	return pgw_text_set(to, pgw_view_of(value), err);
}

static bool settle(struct pgw_config *cfg, const struct pgw_conninfo *c,
		   const struct pgw_outside *o, struct pgw_err *err)
{
	if (!copy_settings(cfg, c, err) || !pgw_settle_hosts(cfg, o, err) ||
	    !pgw_settle_values(cfg, err) || !pgw_settle_tls(cfg, o, err) ||
	    !copy_variable(o, "PGDATESTYLE", &cfg->datestyle, err) ||
	    !copy_variable(o, "PGTZ", &cfg->timezone, err) ||
	    !copy_variable(o, "PGGEQO", &cfg->geqo, err))
		return false;
	return !cfg->notices.failed || pgw_nomem(err);
}

bool pgw_config_settle(struct pgw_config *cfg, const struct pgw_conninfo *c,
		       const struct pgw_outside *o, struct pgw_err *err)
{
	*cfg = (struct pgw_config){ .hosts = NULL };
	*err = (struct pgw_err){ .code = PGW_OK };
	pgw_conninfo_init(&cfg->raw);
	pgw_buf_init(&cfg->notices, NOTICES_MAX);
	if (settle(cfg, c, o, err))
		return true;
	pgw_config_release(cfg);
	return false;
}

void pgw_config_release(struct pgw_config *cfg)
{
	for (size_t i = 0; i < cfg->nhosts; i++) {
		pgw_text_free(cfg->hosts[i].host);
		pgw_text_free(cfg->hosts[i].hostaddr);
		pgw_text_free(cfg->hosts[i].password);
	}
	free(cfg->hosts);
	pgw_text_free(cfg->user);
	pgw_text_free(cfg->dbname);
	pgw_text_free(cfg->application_name);
	pgw_text_free(cfg->options);
	pgw_text_free(cfg->datestyle);
	pgw_text_free(cfg->timezone);
	pgw_text_free(cfg->geqo);
	pgw_text_free(cfg->passfile);
	pgw_text_free(cfg->requirepeer);
	pgw_tls_settings_release(&cfg->tls);
	pgw_buf_release(&cfg->notices);
	pgw_conninfo_release(&cfg->raw);
	*cfg = (struct pgw_config){ .hosts = NULL };
}
