/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "jobs.h"

#include "run.h"
#include "showing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)1 << 20)
#define LINES_MAX ((size_t)256 << 20)

struct mz_job *mz_job_new(enum mz_job_kind kind, void *owner)
{
	struct mz_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->kind = kind;
	job->owner = owner;
	mz_arena_init(&job->arena);
	pgw_buf_init(&job->lines, LINES_MAX);
	return job;
}

void mz_job_free(struct mz_job *job)
{
	if (!job)
		return;
	pgw_buf_release(&job->lines);
	mz_arena_release(&job->arena);
	free(job);
}

/* ---- lists; j->mutex is held */

static void append(struct mz_job_list *l, struct mz_job *job)
{
	job->next = NULL;
	if (l->last)
		l->last->next = job;
	else
		l->first = job;
	l->last = job;
}

static struct mz_job *take_first(struct mz_job_list *l)
{
	struct mz_job *job = l->first;

	if (job)
		l->first = job->next;
	if (!l->first)
		l->last = NULL;
	return job;
}

/* A pipe that is full says the same. */
static void wake(struct mz_jobs *j)
{
	(void)!write(j->wake_write, "", 1);
}

/* ---- what a job says */

static ssize_t on_line(void *ctx, const char *data, size_t n)
{
	struct mz_worker *w = ctx;

	pgw_buf_put(&w->present->lines, data, n);
	if (!w->migrates)
		return (ssize_t)n;
	pthread_mutex_lock(&w->jobs->mutex);
	pgw_buf_put(&w->jobs->said, data, n);
	pthread_mutex_unlock(&w->jobs->mutex);
	wake(w->jobs);
	return (ssize_t)n;
}

/* What people would read is said to nobody. */
static ssize_t on_nothing(void *ctx, const char *data, size_t n)
{
	(void)ctx;
	(void)data;
	return (ssize_t)n;
}

static FILE *stream(ssize_t (*write)(void *, const char *, size_t), void *ctx)
{
	FILE *f = fopencookie(ctx, "w",
			      (cookie_io_functions_t){ .write = write });

	if (f)
		setvbuf(f, NULL, _IONBF, 0);
	return f;
}

/* ---- running one */

static void choose(struct mz_options *o, const struct mz_ask *ask)
{
	o->json = true;
	if (ask->to)
		o->to = ask->to;
	if (ask->approve)
		o->approve = ask->approve;
	if (ask->has_transaction)
		o->transaction = ask->transaction;
	o->require_approval |= ask->require_approval;
}

static bool command(struct mz_context *c, const struct mz_job *job,
		    struct mz_err *err)
{
	switch (job->kind) {
	case MZ_JOB_STATUS:
		return cmd_status(c, err);
	case MZ_JOB_PLAN:
		return cmd_plan(c, err);
	case MZ_JOB_SCRIPT:
		return mz_show_script(c, job->ask.tag, err);
	case MZ_JOB_MIGRATE:
		break;
	}
	return mz_run(c, MZ_APPLY, err);
}

static const char *name_of(enum mz_job_kind kind)
{
	static const char *const names[] = { "status", "plan", "script",
					     "migrate" };

	return names[kind];
}

static bool escapable(struct mz_context *c, struct mz_escape *e,
		      const struct mz_job *job, struct mz_err *err)
{
	c->arena.escape = e;
	if (setjmp(e->to) == 0)
		return command(c, job, err);
	return mz_fail(err, MZ_internal,
		       "out of memory; what was not committed is rolled back");
}

static void conclude(struct mz_context *c, struct mz_job *job, bool ok,
		     struct mz_err *err)
{
	if (!ok && err->signal)
		err->signal = mz_context_signal(c);
	if (!ok)
		mz_report_error(&c->report, err);
	mz_report_result(&c->report, &c->result, ok ? NULL : err);
	job->ok = ok;
	job->status = ok ? MZ_ok : err->status;
	job->signal = ok ? 0 : err->signal;
	job->result = c->result;
}

static void run_with(struct mz_worker *w, struct mz_job *job, FILE *out,
		     FILE *err_stream)
{
	const struct mz_context *base = w->jobs->base;
	struct mz_context c = { .opt = base->opt,
				.settings = base->settings,
				.embedded = true,
				.interrupt_fd = w->interrupt_fd,
				.signal_fd = w->signal_fd };
	struct mz_escape escape = { 0 };
	struct mz_bundle bundle;
	struct mz_err err = { 0 };

	mz_arena_init(&c.arena);
	choose(&c.opt, &job->ask);
	mz_report_init(&c.report, out, err_stream);
	c.report.json = c.report.quiet = true;
	c.report.closely = job->kind == MZ_JOB_MIGRATE;
	c.report.command = name_of(job->kind);
	if (base->bundle) {
		bundle = mz_bundle_view(base->bundle, &c.arena);
		c.bundle = &bundle;
	}
	conclude(&c, job, escapable(&c, &escape, job, &err), &err);
	(void)!mz_report_close(&c.report);
	mz_arena_release(&c.arena);
}

static void run(struct mz_worker *w, struct mz_job *job)
{
	FILE *out = stream(on_line, w), *err = stream(on_nothing, NULL);
	int64_t start = pgw_clock_us();

	job->status = MZ_internal;
	if (out && err)
		run_with(w, job, out, err);
	if (out)
		fclose(out);
	if (err)
		fclose(err);
	job->us = (uint64_t)(pgw_clock_us() - start);
}

/* ---- threads */

static struct mz_job *next_job(struct mz_worker *w)
{
	struct mz_jobs *j = w->jobs;
	struct mz_job *job;

	pthread_mutex_lock(&j->mutex);
	while (!(job = take_first(&j->waiting[w->migrates])) && !j->ending)
		pthread_cond_wait(&j->more, &j->mutex);
	w->present = job;
	pthread_mutex_unlock(&j->mutex);
	return job;
}

static void *work(void *ctx)
{
	struct mz_worker *w = ctx;
	struct mz_jobs *j = w->jobs;
	struct mz_job *job;

	while ((job = next_job(w)) != NULL) {
		run(w, job);
		pthread_mutex_lock(&j->mutex);
		w->present = NULL;
		append(&j->done, job);
		pthread_mutex_unlock(&j->mutex);
		wake(j);
	}
	return NULL;
}

static bool make_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
}

/* Signals are for the thread that waits for them. */
static bool start_worker(struct mz_worker *w)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int ends[2];

	if (!make_pipe(ends))
		return false;
	w->interrupt_fd = ends[0];
	w->signal_fd = ends[1];
	if (pthread_attr_init(&attr) != 0)
		return false;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	w->started = pthread_create(&w->thread, &attr, work, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return w->started;
}

static bool start_all(struct mz_jobs *j)
{
	int ends[2];

	if (!make_pipe(ends))
		return false;
	j->wake = ends[0];
	j->wake_write = ends[1];
	for (size_t i = 0; i <= MZ_READERS; i++)
		if (!start_worker(&j->workers[i]))
			return false;
	return true;
}

bool mz_jobs_start(struct mz_jobs *j, const struct mz_context *base,
		   struct mz_err *err)
{
	*j = (struct mz_jobs){ .base = base, .wake = -1, .wake_write = -1 };
	pthread_mutex_init(&j->mutex, NULL);
	pthread_cond_init(&j->more, NULL);
	pgw_buf_init(&j->said, LINES_MAX);
	for (size_t i = 0; i <= MZ_READERS; i++)
		j->workers[i] = (struct mz_worker){ .jobs = j,
						    .migrates = i == MZ_READERS,
						    .interrupt_fd = -1,
						    .signal_fd = -1 };
	if (start_all(j))
		return true;
	mz_fail(err, MZ_internal, "cannot start threads: %s", strerror(errno));
	mz_jobs_stop(j);
	return false;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void end_workers(struct mz_jobs *j)
{
	pthread_mutex_lock(&j->mutex);
	j->ending = true;
	pthread_cond_broadcast(&j->more);
	pthread_mutex_unlock(&j->mutex);
	for (size_t i = 0; i <= MZ_READERS; i++) {
		struct mz_worker *w = &j->workers[i];
		unsigned char byte = SIGTERM;

		if (w->started) {
			(void)!write(w->signal_fd, &byte, 1);
			pthread_join(w->thread, NULL);
		}
		close_fd(w->interrupt_fd);
		close_fd(w->signal_fd);
	}
}

void mz_jobs_stop(struct mz_jobs *j)
{
	struct mz_job_list *lists[] = { &j->waiting[0], &j->waiting[1],
					&j->done };
	struct mz_job *job;

	end_workers(j);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		while ((job = take_first(lists[i])) != NULL)
			mz_job_free(job);
	close_fd(j->wake);
	close_fd(j->wake_write);
	pgw_buf_release(&j->said);
	pthread_cond_destroy(&j->more);
	pthread_mutex_destroy(&j->mutex);
}

void mz_jobs_add(struct mz_jobs *j, struct mz_job *job)
{
	pthread_mutex_lock(&j->mutex);
	append(&j->waiting[job->kind == MZ_JOB_MIGRATE], job);
	pthread_cond_broadcast(&j->more);
	pthread_mutex_unlock(&j->mutex);
}

void mz_jobs_take_said(struct mz_jobs *j, struct pgw_buf *said)
{
	unsigned char bytes[64];

	while (read(j->wake, bytes, sizeof(bytes)) > 0)
		continue;
	pthread_mutex_lock(&j->mutex);
	pgw_buf_put(said, j->said.data, j->said.len);
	pgw_buf_drop(&j->said, j->said.len);
	pthread_mutex_unlock(&j->mutex);
}

struct mz_job *mz_jobs_take_done(struct mz_jobs *j)
{
	struct mz_job *job;

	pthread_mutex_lock(&j->mutex);
	job = take_first(&j->done);
	pthread_mutex_unlock(&j->mutex);
	return job;
}

void mz_jobs_cancel(struct mz_jobs *j, int signal)
{
	unsigned char byte = (unsigned char)signal;

	(void)!write(j->workers[MZ_READERS].signal_fd, &byte, 1);
}
