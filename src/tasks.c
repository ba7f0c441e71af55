/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tasks.h"

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

struct mz_task *mz_task_new(enum mz_task_kind kind, void *owner)
{
	struct mz_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->kind = kind;
	task->owner = owner;
	mz_arena_init(&task->arena);
	pgw_buf_init(&task->lines, LINES_MAX);
	return task;
}

void mz_task_free(struct mz_task *task)
{
	if (!task)
		return;
	pgw_buf_release(&task->lines);
	mz_arena_release(&task->arena);
	free(task);
}

/* ---- lists; j->mutex is held */

static void append(struct mz_task_list *l, struct mz_task *task)
{
	task->next = NULL;
	if (l->last)
		l->last->next = task;
	else
		l->first = task;
	l->last = task;
}

static struct mz_task *take_first(struct mz_task_list *l)
{
	struct mz_task *task = l->first;

	if (task)
		l->first = task->next;
	if (!l->first)
		l->last = NULL;
	return task;
}

/* A pipe that is full says the same. */
static void wake(struct mz_tasks *j)
{
	(void)!write(j->wake_write, "", 1);
}

/* ---- what a task says */

static ssize_t on_line(void *ctx, const char *data, size_t n)
{
	struct mz_worker *w = ctx;

	pgw_buf_put(&w->present->lines, data, n);
	if (!w->migrates)
		return (ssize_t)n;
	pthread_mutex_lock(&w->tasks->mutex);
	pgw_buf_put(&w->tasks->said, data, n);
	pthread_mutex_unlock(&w->tasks->mutex);
	wake(w->tasks);
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

static bool command(struct mz_context *c, const struct mz_task *task,
		    struct mz_err *err)
{
	switch (task->kind) {
	case MZ_TASK_STATUS:
		return cmd_status(c, err);
	case MZ_TASK_PLAN:
		return cmd_plan(c, err);
	case MZ_TASK_SCRIPT:
		return mz_show_script(c, task->ask.tag, err);
	case MZ_TASK_MIGRATE:
		break;
	}
	return mz_run(c, MZ_APPLY, err);
}

static const char *name_of(enum mz_task_kind kind)
{
	static const char *const names[] = { "status", "plan", "script",
					     "migrate" };

	return names[kind];
}

static bool escapable(struct mz_context *c, struct mz_escape *e,
		      const struct mz_task *task, struct mz_err *err)
{
	c->arena.escape = e;
	if (setjmp(e->to) == 0)
		return command(c, task, err);
	return mz_fail(err, MZ_internal,
		       "out of memory; what was not committed is rolled back");
}

static void conclude(struct mz_context *c, struct mz_task *task, bool ok,
		     struct mz_err *err)
{
	if (!ok && err->signal)
		err->signal = mz_context_signal(c);
	if (!ok)
		mz_report_error(&c->report, err);
	mz_report_result(&c->report, &c->result, ok ? NULL : err);
	task->ok = ok;
	task->status = ok ? MZ_ok : err->status;
	task->signal = ok ? 0 : err->signal;
	task->result = c->result;
}

static void run_with(struct mz_worker *w, struct mz_task *task, FILE *out,
		     FILE *err_stream)
{
	const struct mz_context *base = w->tasks->base;
	struct mz_context c = { .opt = base->opt,
				.settings = base->settings,
				.embedded = true,
				.interrupt_fd = w->interrupt_fd,
				.signal_fd = w->signal_fd };
	struct mz_escape escape = { 0 };
	struct mz_bundle bundle;
	struct mz_err err = { 0 };

	mz_arena_init(&c.arena);
	choose(&c.opt, &task->ask);
	mz_report_init(&c.report, out, err_stream);
	c.report.json = c.report.quiet = true;
	c.report.closely = task->kind == MZ_TASK_MIGRATE;
	c.report.command = name_of(task->kind);
	if (base->bundle) {
		bundle = mz_bundle_view(base->bundle, &c.arena);
		c.bundle = &bundle;
	}
	conclude(&c, task, escapable(&c, &escape, task, &err), &err);
	(void)!mz_report_close(&c.report);
	mz_arena_release(&c.arena);
}

static void run(struct mz_worker *w, struct mz_task *task)
{
	FILE *out = stream(on_line, w), *err = stream(on_nothing, NULL);
	int64_t start = pgw_clock_us();

	task->status = MZ_internal;
	if (out && err)
		run_with(w, task, out, err);
	if (out)
		fclose(out);
	if (err)
		fclose(err);
	task->us = (uint64_t)(pgw_clock_us() - start);
}

/* ---- threads */

static struct mz_task *next_task(struct mz_worker *w)
{
	struct mz_tasks *j = w->tasks;
	struct mz_task *task;

	pthread_mutex_lock(&j->mutex);
	while (!(task = take_first(&j->waiting[w->migrates])) && !j->ending)
		pthread_cond_wait(&j->more, &j->mutex);
	w->present = task;
	pthread_mutex_unlock(&j->mutex);
	return task;
}

static void *work(void *ctx)
{
	struct mz_worker *w = ctx;
	struct mz_tasks *j = w->tasks;
	struct mz_task *task;

	while ((task = next_task(w)) != NULL) {
		run(w, task);
		pthread_mutex_lock(&j->mutex);
		w->present = NULL;
		append(&j->done, task);
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

static bool start_all(struct mz_tasks *j)
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

bool mz_tasks_start(struct mz_tasks *j, const struct mz_context *base,
		    struct mz_err *err)
{
	*j = (struct mz_tasks){ .base = base, .wake = -1, .wake_write = -1 };
	pthread_mutex_init(&j->mutex, NULL);
	pthread_cond_init(&j->more, NULL);
	pgw_buf_init(&j->said, LINES_MAX);
	for (size_t i = 0; i <= MZ_READERS; i++)
		j->workers[i] = (struct mz_worker){ .tasks = j,
						    .migrates = i == MZ_READERS,
						    .interrupt_fd = -1,
						    .signal_fd = -1 };
	if (start_all(j))
		return true;
	mz_fail(err, MZ_internal, "cannot start threads: %s", strerror(errno));
	mz_tasks_stop(j);
	return false;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void end_workers(struct mz_tasks *j)
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

void mz_tasks_stop(struct mz_tasks *j)
{
	struct mz_task_list *lists[] = { &j->waiting[0], &j->waiting[1],
					 &j->done };
	struct mz_task *task;

	end_workers(j);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		while ((task = take_first(lists[i])) != NULL)
			mz_task_free(task);
	close_fd(j->wake);
	close_fd(j->wake_write);
	pgw_buf_release(&j->said);
	pthread_cond_destroy(&j->more);
	pthread_mutex_destroy(&j->mutex);
}

void mz_tasks_add(struct mz_tasks *j, struct mz_task *task)
{
	pthread_mutex_lock(&j->mutex);
	append(&j->waiting[task->kind == MZ_TASK_MIGRATE], task);
	pthread_cond_broadcast(&j->more);
	pthread_mutex_unlock(&j->mutex);
}

void mz_tasks_woken(struct mz_tasks *j)
{
	unsigned char bytes[64];

	while (read(j->wake, bytes, sizeof(bytes)) > 0)
		continue;
}

void mz_tasks_take_said(struct mz_tasks *j, struct pgw_buf *said)
{
	pthread_mutex_lock(&j->mutex);
	pgw_buf_put(said, j->said.data, j->said.len);
	pgw_buf_drop(&j->said, j->said.len);
	pthread_mutex_unlock(&j->mutex);
}

struct mz_task *mz_tasks_take_done(struct mz_tasks *j)
{
	struct mz_task *task;

	pthread_mutex_lock(&j->mutex);
	task = take_first(&j->done);
	pthread_mutex_unlock(&j->mutex);
	return task;
}

void mz_tasks_cancel(struct mz_tasks *j, int signal)
{
	unsigned char byte = (unsigned char)signal;

	(void)!write(j->workers[MZ_READERS].signal_fd, &byte, 1);
}
