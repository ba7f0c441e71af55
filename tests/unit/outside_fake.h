/* SPDX-License-Identifier: MIT */
/* An outside of a test's own making. */
#ifndef OUTSIDE_FAKE_H
#define OUTSIDE_FAKE_H

#include "conninfo.h"

#include <string.h>

struct fake {
	const char *const *env; /* name, value, ..., NULL */
	const char *user;
	const char *home;
	const char *dir;  /* the one directory there is */
	const char *path; /* the one file there is */
	struct pgw_view text;
	unsigned mode;
	bool odd; /* it is not a plain file */
};

static inline const char *fake_env(void *ctx, const char *name)
{
	const struct fake *f = ctx;

	for (size_t i = 0; f->env && f->env[i]; i += 2)
		if (strcmp(f->env[i], name) == 0)
			return f->env[i + 1];
	return NULL;
}

static inline enum pgw_found fake_file(void *ctx, const char *path,
				       struct pgw_buf *text, unsigned *mode,
				       bool *regular)
{
	const struct fake *f = ctx;

	if (!f->path || strcmp(path, f->path) != 0)
		return PGW_FOUND_NOT;
	if (f->text.n > text->max)
		return PGW_FOUND_TOO_LARGE;
	*mode = f->mode;
	*regular = !f->odd;
	pgw_buf_put(text, f->text.p, f->text.n);
	return text->failed ? PGW_FOUND_NOMEM : PGW_FOUND;
}

static inline const char *fake_user(void *ctx)
{
	const struct fake *f = ctx;

	return f->user ? f->user : "";
}

static inline const char *fake_home(void *ctx)
{
	const struct fake *f = ctx;

	return f->home ? f->home : "";
}

static inline bool fake_is_dir(void *ctx, const char *path)
{
	const struct fake *f = ctx;

	return f->dir && strcmp(path, f->dir) == 0;
}

static inline struct pgw_outside fake_outside(struct fake *f)
{
	return (struct pgw_outside){
		.env = fake_env,
		.file = fake_file,
		.os_user = fake_user,
		.home = fake_home,
		.is_dir = fake_is_dir,
		.ctx = f,
	};
}

/* Read and settle a string of --url's; cfg is to be released after true. */
static inline bool fake_settle(struct pgw_config *cfg, const char *text,
			       struct fake *f, struct pgw_err *err)
{
	struct pgw_outside o = fake_outside(f);
	struct pgw_conninfo c;
	bool ok;

	pgw_conninfo_init(&c);
	c.name = "--url";
	ok = pgw_conninfo_parse(&c, text, err) &&
	     pgw_conninfo_complete(&c, &o, err) &&
	     pgw_config_settle(cfg, &c, &o, err);
	pgw_conninfo_release(&c);
	return ok;
}

#endif
