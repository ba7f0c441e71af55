/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "connect.h"
#include "file.h"
#include "http_tls.h"
#include "listen.h"
#include "serve.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SECRET_FILE_MAX ((size_t)64 << 10)
#define SECRET_LENGTH 16 /* shorter ones are worth a warning */

/* ---- secrets */

static bool add_file(struct mz_server *s, const char *path, enum mz_right right,
		     struct mz_err *err)
{
	struct mz_file file;
	struct pgw_buf text;
	bool ok;

	pgw_buf_init(&text, SECRET_FILE_MAX);
	ok = mz_file_read(&file, path, &text);
	if (!ok) {
		mz_file_fail(&file, err);
		mz_hint(err, "secrets are read from there, one a line");
	}
	if (ok && mz_gate_add(&s->gate, &s->c->arena, pgw_buf_view(&text),
			      right) == 0) {
		ok = mz_fail(err, MZ_usage, "there is no secret in %s", path);
		mz_hint(err, "write one there, on a line of its own");
		mz_at(err, path, 0, 0);
	}
	pgw_buf_release(&text);
	return ok;
}

static bool add_variable(struct mz_server *s, const char *name,
			 enum mz_right right, struct mz_err *err)
{
	struct mz_context *c = s->c;
	const char *value = c->settings.env(name);

	if (!value) {
		if (!mz_settings_load(&c->settings, &c->opt, &c->arena, err))
			return false;
		value = mz_settings_env(&c->settings, name);
	}
	if (!value || !value[0])
		return true;
	mz_gate_add(&s->gate, &c->arena, pgw_view_of(value), right);
	if (strlen(value) < SECRET_LENGTH)
		mz_report_warning(&c->report,
				  "the secret of %s is short; openssl rand "
				  "-hex 32 makes a good one",
				  name);
	return true;
}

static bool add_secrets(struct mz_server *s, struct mz_err *err)
{
	const struct mz_options *o = &s->c->opt;

	for (size_t i = 0; i < o->secret_file.n; i++)
		if (!add_file(s, o->secret_file.list[i], MZ_RIGHT_MIGRATE, err))
			return false;
	for (size_t i = 0; i < o->read_secret_file.n; i++)
		if (!add_file(s, o->read_secret_file.list[i], MZ_RIGHT_READ,
			      err))
			return false;
	return add_variable(s, "MIGRATION_SECRET", MZ_RIGHT_MIGRATE, err) &&
	       add_variable(s, "MIGRATION_READ_SECRET", MZ_RIGHT_READ, err);
}

static bool refuse_open(const struct mz_listen *l, struct mz_err *err)
{
	mz_fail(err, MZ_refused,
		"without a secret, %s would let everybody migrate", l->shown);
	return mz_hint(err, "set MIGRATION_SECRET or --secret-file, or listen "
			    "on this machine only: 127.0.0.1:8080");
}

/* A secret that only reads leaves migrating to nobody, or to everybody. */
static bool has_migrating(const struct mz_gate *g)
{
	for (size_t i = 0; i < g->nkeys; i++)
		if (g->keys[i].right == MZ_RIGHT_MIGRATE)
			return true;
	return g->nkeys == 0;
}

static bool set_gate(struct mz_server *s, const struct mz_listen *l,
		     struct mz_err *err)
{
	const struct mz_options *o = &s->c->opt;

	if (!add_secrets(s, err))
		return false;
	s->gate.hosts = o->allow_host.list;
	s->gate.nhosts = o->allow_host.n;
	s->gate.any_host = l->is_unix || (!l->is_loopback && !o->allow_host.n);
	if (s->gate.nkeys == 0 && !l->is_loopback)
		return refuse_open(l, err);
	if (!has_migrating(&s->gate))
		mz_report_warning(&s->c->report,
				  "no secret may migrate: there are only those "
				  "that read");
	return true;
}

/* ---- what is asked for */

static bool check_base_path(const char *path, struct mz_err *err)
{
	size_t n = strlen(path);

	if (path[0] == '/' && n > 1 && path[n - 1] != '/' &&
	    !strpbrk(path, "?#% ") && !strstr(path, "//"))
		return true;
	mz_fail(err, MZ_usage, "'%s' is no path for --base-path", path);
	return mz_hint(err, "such as /api/admin/migrate");
}

/*
 * Everything that is wrong with it is told now and not to the first client.
 * Whoever waits behind HTTP is told that somebody else migrates.
 */
static bool settle(struct mz_context *c, struct mz_err *err)
{
	struct pgw_config cfg;

	if (c->opt.from[MZ_OPT_lock_wait] == MZ_FROM_PRESET)
		c->opt.lock_wait = 0;
	if ((c->opt.tls_cert != NULL) != (c->opt.tls_key != NULL))
		return mz_fail(err, MZ_usage,
			       "--tls-cert and --tls-key go together");
	if (c->opt.max_connections == 0)
		return mz_fail(err, MZ_usage,
			       "--max-connections 0 would serve nobody");
	if (!check_base_path(c->opt.base_path, err) ||
	    !mz_settle_folder(c, err) || !mz_settle_history(c, err) ||
	    !mz_settings_load(&c->settings, &c->opt, &c->arena, err) ||
	    !mz_connect_config(c, &cfg, err))
		return false;
	pgw_config_release(&cfg);
	return true;
}

#define OWN_DESCRIPTORS \
	((rlim_t)32) /* connections to the database, files, pipes */

/* A connection is a descriptor.  How many there may be. */
static size_t connections_max(const struct mz_options *o)
{
	size_t most = o->max_connections;
	struct rlimit limit;
	size_t room;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return most;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return most;
	room = limit.rlim_cur > 2 * OWN_DESCRIPTORS ?
		       (size_t)limit.rlim_cur - OWN_DESCRIPTORS :
		       (size_t)limit.rlim_cur / 2;
	return most < room ? most : room;
}

/* ---- serving */

static struct mz_http *open_http(struct mz_server *s, const struct mz_listen *l,
				 void *tls, struct mz_err *err)
{
	const struct mz_http_setup setup = {
		.listener = l->fd,
		.is_unix = l->is_unix,
		.tls = tls,
		.wake = s->tasks.wake,
		.interrupt_fd = s->c->interrupt_fd,
		.connections_max = connections_max(&s->c->opt),
		.hooks = { .request = mz_serve_request,
			   .gone = mz_serve_gone,
			   .answered = mz_serve_answered,
			   .woken = mz_serve_woken,
			   .interrupted = mz_serve_interrupted,
			   .tick = mz_serve_tick,
			   .ctx = s },
	};

	return mz_http_new(&setup, err);
}

static void tell_where(struct mz_server *s, const struct mz_listen *l, bool tls)
{
	mz_report_remark(&s->c->report, "serving %s%s%s%s",
			 l->is_unix ? "" :
			 tls	    ? "https://" :
				      "http://",
			 l->shown, l->is_unix ? " at " : "", s->base_path);
	if (s->gate.nkeys == 0)
		mz_report_remark(&s->c->report,
				 "there is no secret: who reaches this may "
				 "migrate");
}

static bool run(struct mz_server *s, const struct mz_listen *l, void *tls,
		struct mz_err *err)
{
	bool ok;

	fcntl(s->c->interrupt_fd, F_SETFL, O_NONBLOCK);
	if (!mz_tasks_start(&s->tasks, s->c, err))
		return false;
	s->http = open_http(s, l, tls, err);
	ok = s->http != NULL;
	if (ok) {
		tell_where(s, l, tls != NULL);
		mz_serve_look_again(s, true);
		ok = mz_http_run(s->http) ||
		     mz_fail(err, MZ_internal, "the server failed");
	}
	mz_tasks_stop(&s->tasks);
	mz_http_free(s->http);
	mz_serve_forget_runs(s);
	mz_serve_forget_looks(s);
	mz_feed_release(&s->feed);
	return ok;
}

/* A run that was cancelled for a signal is what that signal ended. */
static bool ended(const struct mz_server *s, struct mz_err *err)
{
	if (!s->stop_status)
		return true;
	mz_fail(err, MZ_sql, "the run was cancelled and rolled back");
	err->signal = s->signal;
	return false;
}

static bool serve(struct mz_server *s, struct mz_err *err)
{
	struct mz_context *c = s->c;
	struct mz_listen l;
	void *tls = NULL;
	bool ok;

	if (!settle(c, err) ||
	    !mz_listen_parse(&l, &c->arena, c->opt.listen, err) ||
	    !set_gate(s, &l, err))
		return false;
	if (c->opt.tls_cert) {
		tls = mz_tls_new(c->opt.tls_cert, c->opt.tls_key, err);
		if (!tls)
			return false;
	}
	ok = mz_listen_open(&l, &c->arena, c->opt.listen, err) &&
	     run(s, &l, tls, err) && ended(s, err);
	mz_listen_remove(&l);
	mz_tls_free(tls);
	return ok;
}

bool cmd_serve(struct mz_context *c, struct mz_err *err)
{
	struct mz_server *s = mz_alloc(&c->arena, sizeof(*s));

	s->c = c;
	s->base_path = c->opt.base_path;
	mz_feed_init(&s->feed);
	pgw_buf_init(&s->document, SIZE_MAX);
	pgw_buf_init(&s->applied, SIZE_MAX);
	return serve(s, err);
}
