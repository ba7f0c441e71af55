/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "connect.h"
#include "file.h"

#include <string.h>

#define URL_MAX (64u << 10)

/* ---- the outside, with our environment in place of the process's */

struct outside {
	struct pgw_outside system;
	struct pgw_system storage;
	struct mz_settings *settings;
};

static const char *env(void *ctx, const char *name)
{
	struct outside *o = ctx;

	return mz_settings_env(o->settings, name);
}

static enum pgw_found file(void *ctx, const char *path, struct pgw_buf *text,
			   unsigned *mode, bool *regular)
{
	struct outside *o = ctx;

	return o->system.file(o->system.ctx, path, text, mode, regular);
}

static const char *os_user(void *ctx)
{
	struct outside *o = ctx;

	return o->system.os_user(o->system.ctx);
}

static const char *home(void *ctx)
{
	struct outside *o = ctx;

	if (o->settings->homeless)
		return "";
	return o->system.home(o->system.ctx);
}

static bool is_dir(void *ctx, const char *path)
{
	struct outside *o = ctx;

	return o->system.is_dir(o->system.ctx, path);
}

static struct pgw_outside outside_open(struct outside *o,
				       struct mz_settings *settings)
{
	o->settings = settings;
	pgw_outside_system(&o->system, &o->storage);
	return (struct pgw_outside){ .env = env,
				     .file = file,
				     .os_user = os_user,
				     .home = home,
				     .is_dir = is_dir,
				     .ctx = o };
}

/* ---- the string */

/* A connection string, and what to call it in errors. */
struct origin {
	const char *string; /* NULL = none: PG* and presets */
	const char *name;
};

/* A mounted secret: one line, often with a line end. */
static bool read_url_file(struct mz_context *c, struct origin *from,
			  struct mz_err *err)
{
	const char *path = c->opt.url_file;
	struct pgw_buf text;
	struct mz_file f;
	const char *start;
	size_t n;
	bool ok;

	pgw_buf_init(&text, URL_MAX);
	if (!mz_file_read(&f, path, &text)) {
		pgw_buf_release(&text);
		mz_file_fail(&f, err);
		return mz_hint(err, "--url-file names a file that holds "
				    "nothing but the URL");
	}
	start = (const char *)text.data;
	for (n = text.len; n > 0 && strchr(" \t\r\n", start[n - 1]); n--)
		;
	ok = n > 0 && !memchr(start, '\0', n);
	if (ok)
		from->string = mz_strndup(&c->arena, start, n);
	from->name = path;
	pgw_buf_release(&text);
	return ok || mz_fail(err, MZ_usage, "%s: %s", path,
			     n == 0 ? "the file is empty" :
				      "there is a NUL byte in the file");
}

/* Whether the environment says by itself where the server is. */
static bool has_place(struct mz_settings *s)
{
	static const char *const names[] = { "PGHOST", "PGHOSTADDR",
					     "PGSERVICE" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = mz_settings_env(s, names[i]);

		if (value && value[0])
			return true;
	}
	return false;
}

static bool ask_config(struct mz_context *c, struct origin *from,
		       struct mz_err *err)
{
	struct mz_settings *s = &c->settings;
	struct mz_config_env env = mz_settings_config_env(s);

	if (!mz_settings_config(s, &c->opt, &c->arena, err))
		return false;
	if (!s->config)
		return true;
	from->name = s->config->path;
	return mz_drizzle_config_conninfo(s->config, &env, &from->string, err);
}

static bool find_string(struct mz_context *c, struct origin *from,
			struct mz_err *err)
{
	*from = (struct origin){ NULL, "the connection settings" };
	if (c->opt.url_file)
		return read_url_file(c, from, err);
	if (!mz_settle_variable(c, MZ_OPT_url, err))
		return false;
	from->string = c->opt.url;
	if (c->opt.from[MZ_OPT_url] == MZ_FROM_OPTION)
		from->name = "--url";
	else if (c->opt.url)
		from->name = "DATABASE_URL";
	else if (!has_place(&c->settings))
		return ask_config(c, from, err);
	return true;
}

/* ---- from the string to the settings */

/* Whatever is wrong with settings is for the user to put right. */
static bool fail_settings(struct mz_err *err, const struct pgw_err *cause)
{
	mz_db_fail(err, cause);
	if (err->status != MZ_internal)
		err->status = MZ_usage;
	return false;
}

static bool understand(struct mz_context *c, struct pgw_conninfo *info,
		       const struct pgw_outside *o, struct mz_err *err)
{
	struct origin from;
	struct pgw_err cause;

	if (!mz_settings_load(&c->settings, &c->opt, &c->arena, err) ||
	    !find_string(c, &from, err))
		return false;
	pgw_conninfo_init(info);
	info->name = from.name;
	info->lenient = c->opt.ignore_unknown_params;
	if ((!from.string || pgw_conninfo_parse(info, from.string, &cause)) &&
	    pgw_conninfo_complete(info, o, &cause))
		return true;
	pgw_conninfo_release(info);
	pgw_wrap(&cause, "%s", from.name);
	return fail_settings(err, &cause);
}

bool mz_connect_understand(struct mz_context *c, struct pgw_conninfo *info,
			   struct mz_err *err)
{
	struct outside outside;
	struct pgw_outside o = outside_open(&outside, &c->settings);
	bool ok = understand(c, info, &o, err);

	pgw_system_release(&outside.storage);
	return ok;
}

/* Who looks at pg_stat_activity should see who it is. */
static bool set_own_name(struct pgw_conninfo *info, struct pgw_err *err)
{
	enum pgw_keyword name = PGW_KW_fallback_application_name;

	return info->set[name].value ||
	       pgw_conninfo_set(info, name, PACKAGE_NAME, err);
}

static void tell_notices(struct mz_context *c, const struct pgw_buf *notices)
{
	struct pgw_cur cur = pgw_cur_of(pgw_buf_view(notices));

	while (cur.p < cur.end && !cur.bad) {
		const char *text = pgw_cur_str(&cur);

		if (!cur.bad)
			mz_report_remark(&c->report, "%s", text);
	}
}

bool mz_connect_config(struct mz_context *c, struct pgw_config *cfg,
		       struct mz_err *err)
{
	struct outside outside;
	struct pgw_outside o = outside_open(&outside, &c->settings);
	struct pgw_conninfo info;
	struct pgw_err cause;
	bool ok;

	ok = mz_settle_variable(c, MZ_OPT_wait, err) &&
	     understand(c, &info, &o, err);
	if (ok) {
		ok = (set_own_name(&info, &cause) &&
		      pgw_config_settle(cfg, &info, &o, &cause)) ||
		     fail_settings(err, &cause);
		pgw_conninfo_release(&info);
	}
	if (ok) {
		cfg->tls.shared = c->embedded;
		tell_notices(c, &cfg->notices);
	}
	pgw_system_release(&outside.storage);
	return ok;
}

struct mz_db mz_connect_db(struct mz_context *c, const struct pgw_config *cfg)
{
	return (struct mz_db){
		.cfg = cfg,
		.arena = &c->arena,
		.listener = mz_report_listener(&c->report),
		.trace = c->report.trace ? mz_report_trace : NULL,
		.trace_ctx = &c->report,
		.interrupt_fd = c->interrupt_fd,
	};
}

bool mz_connect_look(struct mz_context *c,
		     bool (*look)(struct mz_context *c, struct mz_db *db,
				  struct mz_err *err),
		     struct mz_err *err)
{
	struct pgw_config cfg;
	struct mz_db db;
	bool ok;

	if (!mz_settle_history(c, err) || !mz_connect_config(c, &cfg, err))
		return false;
	db = mz_connect_db(c, &cfg);
	ok = look(c, &db, err);
	mz_db_close(&db);
	pgw_config_release(&cfg);
	return ok;
}
