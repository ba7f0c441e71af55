/* SPDX-License-Identifier: MIT */
/*
 * All that says where the database is, at once: a connection string, variables,
 * a service file and a password file, each up to a NUL byte.  The stronger one
 * wins, and no error and no notice holds a password.
 */
#include <config.h>

#include "conninfo.h"
#include "fuzz.h"
#include "reading.h"

#define VARIABLES_MAX 40

/* Nobody's word by chance. */
static const char mark[] = "hunter2";

struct outside {
	struct mz_arena arena;
	char *string;
	char *names[VARIABLES_MAX], *values[VARIABLES_MAX];
	size_t nvariables;
	struct pgw_view service, passfile;
	unsigned mode;
};

static const char *variable(const struct outside *o, const char *name)
{
	if (strcmp(name, "PGPASSFILE") == 0)
		return "/pass";
	for (size_t i = 0; i < o->nvariables; i++)
		if (strcmp(o->names[i], name) == 0)
			return o->values[i];
	return strcmp(name, "PGSERVICEFILE") == 0 ? "/service" : NULL;
}

static const char *env(void *ctx, const char *name)
{
	return variable(ctx, name);
}

static enum pgw_found file(void *ctx, const char *path, struct pgw_buf *text,
			   unsigned *mode, bool *regular)
{
	const struct outside *o = ctx;
	struct pgw_view v = strcmp(path, "/pass") == 0 ? o->passfile :
							 o->service;

	if (v.n == 0)
		return PGW_FOUND_NOT;
	if (v.n > text->max)
		return PGW_FOUND_TOO_LARGE;
	*mode = o->mode;
	*regular = true;
	pgw_buf_put(text, v.p, v.n);
	return PGW_FOUND;
}

static const char *home(void *ctx)
{
	(void)ctx;
	return "/home/me";
}

static const char *os_user(void *ctx)
{
	(void)ctx;
	return "me";
}

static bool is_dir(void *ctx, const char *path)
{
	const struct outside *o = ctx;

	return path[0] == '/' && (o->mode & 1);
}

/* ---- what the input says */

/* "NAME=value" a line; NAME stands for PGNAME. */
static void read_variables(struct outside *o, struct pgw_view text)
{
	while (text.n > 0 && o->nvariables < VARIABLES_MAX) {
		struct pgw_view line = take_part(&text, '\n');
		struct pgw_view name = take_part(&line, '=');

		o->names[o->nvariables] =
			mz_printf(&o->arena, "PG%.*s", (int)name.n,
				  name.n ? (const char *)name.p : "");
		o->values[o->nvariables++] = take_text(&o->arena, &line, '\0');
	}
}

static void read_input(struct outside *o, struct pgw_view in)
{
	*o = (struct outside){ .mode = take_byte(&in) & 0x40 ? 0644 : 0600 };
	mz_arena_init(&o->arena);
	o->string = take_text(&o->arena, &in, '\0');
	read_variables(o, take_part(&in, '\0'));
	o->service = take_part(&in, '\0');
	o->passfile = in;
}

/* ---- what must hold */

static bool holds_mark(struct pgw_view v)
{
	return v.n > 0 && memmem(v.p, v.n, mark, sizeof(mark) - 1);
}

/* Only the password file has the mark, as a password or within one. */
static bool is_hidden(const struct outside *o)
{
	bool elsewhere = holds_mark(o->service) || strstr(o->string, mark);

	for (size_t i = 0; i < o->nvariables && !elsewhere; i++)
		elsewhere = strstr(o->values[i], mark) ||
			    strstr(o->names[i], mark);
	return !elsewhere;
}

static void check_shown(const struct outside *o, const struct pgw_err *err,
			const struct pgw_buf *notices)
{
	if (!is_hidden(o))
		return;
	must(!strstr(err->msg, mark) && !strstr(err->hint, mark));
	must(!holds_mark(pgw_buf_view(notices)));
}

/* What the string said stays; then the service, which beats variables. */
static void check_sources(const struct outside *o, struct pgw_conninfo *was,
			  const struct pgw_conninfo *is)
{
	for (int k = 0; k < PGW_KEYWORDS; k++) {
		const struct pgw_setting *a = &was->set[k], *b = &is->set[k];
		const char *name = pgw_keyword_rows[k].env;

		must(b->value || b->source == PGW_FROM_NOWHERE);
		if (a->source == PGW_FROM_STRING)
			must(b->source == PGW_FROM_STRING &&
			     same_text(a->value, b->value));
		if (b->source == PGW_FROM_ENV && name &&
		    strcmp(name, b->variable) == 0)
			must(same_text(b->value, variable(o, name)));
	}
}

static void check_config(const struct pgw_config *cfg)
{
	must(cfg->nhosts > 0 && cfg->user[0]);
	for (size_t i = 0; i < cfg->nhosts; i++) {
		must(cfg->hosts[i].host && cfg->hosts[i].port > 0);
		must(!cfg->hosts[i].from_passfile || cfg->hosts[i].password);
	}
}

static void settle(const struct outside *o, struct pgw_conninfo *c,
		   const struct pgw_outside *outside)
{
	struct pgw_conninfo before;
	struct pgw_config cfg;
	struct pgw_err err = { 0 };
	struct pgw_buf out;

	pgw_conninfo_init(&before);
	pgw_buf_init(&out, 1u << 22);
	must(pgw_conninfo_parse(&before, o->string, &err));
	if (pgw_conninfo_complete(c, outside, &err)) {
		check_sources(o, &before, c);
		pgw_conninfo_print(c, false, &out);
		must(!is_hidden(o) || !holds_mark(pgw_buf_view(&out)));
		if (pgw_config_settle(&cfg, c, outside, &err)) {
			check_config(&cfg);
			check_shown(o, &err, &cfg.notices);
			pgw_config_release(&cfg);
		}
	}
	check_shown(o, &err, &c->notices);
	pgw_conninfo_release(&before);
	pgw_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outside o;
	const struct pgw_outside outside = { .env = env,
					     .file = file,
					     .home = home,
					     .os_user = os_user,
					     .is_dir = is_dir,
					     .ctx = &o };
	struct pgw_conninfo c;
	struct pgw_err err = { 0 };

	read_input(&o, (struct pgw_view){ data, size });
	pgw_conninfo_init(&c);
	if (pgw_conninfo_parse(&c, o.string, &err))
		settle(&o, &c, &outside);
	else
		must(err.code != PGW_OK && err.msg[0]);
	pgw_conninfo_release(&c);
	mz_arena_release(&o.arena);
	return 0;
}
