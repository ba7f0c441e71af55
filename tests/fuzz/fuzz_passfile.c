/* SPDX-License-Identifier: MIT */
/* The input is the service file and the password file at once. */
#include <config.h>

#include "conninfo.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum pgw_found file(void *ctx, const char *path, struct pgw_buf *text,
			   unsigned *mode, bool *regular)
{
	const struct pgw_view *v = ctx;

	(void)path;
	if (v->n > text->max)
		return PGW_FOUND_TOO_LARGE;
	*mode = 0600;
	*regular = true;
	pgw_buf_put(text, v->p, v->n);
	return PGW_FOUND;
}

static const char *home(void *ctx)
{
	(void)ctx;
	return "/home/me";
}

static void run(const struct pgw_outside *o, const char *text)
{
	struct pgw_conninfo c;
	struct pgw_config cfg;
	struct pgw_err err;

	pgw_conninfo_init(&c);
	if (!pgw_conninfo_parse(&c, text, &err))
		abort();
	if (pgw_conninfo_complete(&c, o, &err) &&
	    pgw_config_settle(&cfg, &c, o, &err)) {
		if (cfg.hosts[0].from_passfile && !cfg.hosts[0].password)
			abort();
		pgw_config_release(&cfg);
	}
	pgw_conninfo_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view v = { data, size };
	const struct pgw_outside o = { .file = file, .home = home, .ctx = &v };

	run(&o, "host=h,::1 user=u dbname=d");
	run(&o, "service=s user=u");
	return 0;
}
