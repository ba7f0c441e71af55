/* SPDX-License-Identifier: MIT */
/* Tasks of the server, and those who are told what happens. */
#include <config.h>

#include "serve.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEARTBEAT_TICKS 15
#define TASKS_MAX 64 /* of readers, that wait for an answer */

/* ---- what became of a task */

static void answer_document(struct mz_visit *v, const struct mz_task *task)
{
	struct pgw_buf body;

	pgw_buf_init(&body, SIZE_MAX);
	mz_serve_document(&body, task);
	mz_serve_json(v, mz_serve_status_of(task), &body);
	pgw_buf_release(&body);
}

void mz_serve_task(struct mz_server *s, struct mz_visit *v,
		   struct mz_task *task)
{
	size_t waiting = 0;

	for (const struct mz_visit *one = s->visits; one; one = one->next)
		waiting += one->waits == MZ_WAITS_TASK;
	if (waiting >= TASKS_MAX) {
		mz_task_free(task);
		mz_serve_refuse(v, 503, "connect", "too many requests at once",
				"try again");
		return;
	}
	v->waits = MZ_WAITS_TASK;
	v->task = task;
	task->owner = v;
	mz_tasks_add(&s->tasks, task);
}

/* ---- streams */

/* id: 12, event: migration, data: {...} */
static bool send_event(struct mz_visit *v, const struct mz_feed_event *e)
{
	struct pgw_view text = { (const unsigned char *)e->text, e->n };
	struct pgw_view kind = mz_feed_kind(text);
	struct pgw_buf piece;
	char id[64];
	bool ok;

	pgw_buf_init(&piece, SIZE_MAX);
	snprintf(id, sizeof(id), "id: %" PRIu64 "\nevent: ", v->event);
	pgw_buf_put_text(&piece, id);
	pgw_buf_put(&piece, kind.p, kind.n);
	pgw_buf_put_text(&piece, "\ndata: ");
	pgw_buf_put(&piece, text.p, text.n);
	pgw_buf_put_text(&piece, "\n\n");
	ok = !piece.failed && mz_exchange_send(v->x, pgw_buf_view(&piece));
	pgw_buf_release(&piece);
	return ok;
}

static bool is_result(const struct mz_feed_event *e)
{
	return pgw_view_is(mz_feed_kind((struct pgw_view){
				   (const unsigned char *)e->text, e->n }),
			   "result");
}

/* All that it has not got yet; a client that does not keep up is let go. */
static void pump_one(struct mz_server *s, struct mz_visit *v)
{
	if (v->event < s->feed.first)
		v->event = s->feed.first;
	while (v->event < s->feed.next) {
		const struct mz_feed_event *e = mz_feed_get(&s->feed, v->event);

		if (!send_event(v, e) || (v->until_result && is_result(e))) {
			mz_exchange_end(v->x);
			return;
		}
		v->event++;
	}
}

static void pump(struct mz_server *s)
{
	struct mz_visit *v, *next;

	for (v = s->visits; v; v = next) {
		next = v->next;
		if (v->waits == MZ_WAITS_EVENTS)
			pump_one(s, v);
	}
}

static void start_stream(struct mz_server *s, struct mz_visit *v,
			 uint64_t event, bool until_result)
{
	v->waits = MZ_WAITS_EVENTS;
	v->event = event;
	v->until_result = until_result;
	mz_serve_stream(v);
	pump_one(s, v);
}

void mz_serve_events(struct mz_server *s, struct mz_visit *v, uint64_t behind)
{
	uint64_t from = s->run ? s->run->first_event : s->feed.next;

	/* a number of an earlier process says nothing */
	if (behind > 0 && behind < s->feed.next)
		from = behind + 1;
	start_stream(s, v, from, false);
}

/* ---- runs */

static void put_now(char out[32])
{
	time_t now = time(NULL);
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&now, &tm))
		strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void tell(struct mz_server *s, struct pgw_view line)
{
	if (!mz_feed_add(&s->feed, line))
		mz_report_warning(&s->c->report,
				  "out of memory: an event is lost");
}

static bool begin_run(struct mz_server *s)
{
	struct mz_served_run *run = calloc(1, sizeof(*run));
	struct pgw_buf line;

	if (!run)
		return false;
	run->number = ++s->numbers;
	run->first_event = s->feed.next;
	put_now(run->started);
	s->run = run;
	s->run_began_us = pgw_clock_us();
	s->run_waits_us = 0;
	pgw_buf_init(&line, SIZE_MAX);
	mz_serve_run_event(&line, run);
	tell(s, pgw_buf_view(&line));
	pgw_buf_release(&line);
	return true;
}

static void refuse_second(struct mz_server *s, struct mz_visit *v)
{
	struct pgw_buf body;

	pgw_buf_init(&body, SIZE_MAX);
	mz_serve_busy(&body, s->run);
	mz_serve_json(v, 409, &body);
	pgw_buf_release(&body);
}

void mz_serve_migrate(struct mz_server *s, struct mz_visit *v,
		      struct mz_task *task, bool stream)
{
	bool busy = s->run != NULL;

	if (busy || !begin_run(s)) {
		mz_task_free(task);
		if (busy && stream)
			start_stream(s, v, s->run->first_event, true);
		else
			refuse_second(s, v);
		return;
	}
	task->owner = stream ? NULL : v;
	if (!stream) {
		v->waits = MZ_WAITS_TASK;
		v->task = task;
	}
	mz_tasks_add(&s->tasks, task);
	if (stream)
		start_stream(s, v, s->run->first_event, true);
	pump(s);
}

/* In place of what was kept; what there is no memory for is forgotten. */
static void keep(struct pgw_buf *kept, struct pgw_view v)
{
	pgw_buf_release(kept);
	pgw_buf_init(kept, SIZE_MAX);
	pgw_buf_put(kept, v.p, v.n);
}

/*
 * What of a line is to be known of the run when it is over.  Its result is not
 * told yet: who has that may ask for the next run.
 */
static bool note_line(struct mz_server *s, struct pgw_view line)
{
	struct pgw_view kind = mz_feed_kind(line);
	struct mz_served_run *run = s->run;

	if (!run)
		return false;
	if (pgw_view_is(kind, "result")) {
		keep(&run->result, line);
		return false;
	}
	if (pgw_view_is(kind, "start"))
		s->run_waits_us = pgw_clock_us() - s->run_began_us;
	else if (pgw_view_is(kind, "error"))
		keep(&run->error, line);
	else if (pgw_view_is(kind, "migration"))
		mz_serve_applied(s, line);
	return true;
}

static void take_lines(struct mz_server *s, struct pgw_view rest)
{
	while (rest.n > 0) {
		const unsigned char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;
		struct pgw_view line = { rest.p, n };

		if (note_line(s, line))
			tell(s, line);
		rest.p += n + (end != NULL);
		rest.n -= n + (end != NULL);
	}
}

static void free_run(struct mz_served_run *run)
{
	if (!run)
		return;
	pgw_buf_release(&run->result);
	pgw_buf_release(&run->error);
	free(run);
}

void mz_serve_forget_runs(struct mz_server *s)
{
	free_run(s->run);
	for (size_t i = 0; i < s->nruns; i++)
		free_run(s->runs[i]);
}

static void keep_run(struct mz_server *s)
{
	if (s->nruns == MZ_RUNS_KEPT)
		free_run(s->runs[--s->nruns]);
	memmove(s->runs + 1, s->runs, s->nruns * sizeof(s->runs[0]));
	s->runs[0] = s->run;
	s->nruns++;
	s->run = NULL;
}

static const char no_result[] = "{\"event\":\"result\",\"command\":"
				"\"migrate\",\"ok\":false}";

static void finish_run(struct mz_server *s, const struct mz_task *task)
{
	struct pgw_view result;

	if (!s->run)
		return;
	put_now(s->run->ended);
	s->results[task->ok]++;
	s->last_seconds = (double)task->us / 1e6;
	s->last_wait_seconds = (double)s->run_waits_us / 1e6;
	s->last_ended = (int64_t)time(NULL);
	if (task->signal)
		s->stop_status = 128 + task->signal;
	keep_run(s);
	/* streams end with it, so that there is one in any case */
	result = pgw_buf_view(&s->runs[0]->result);
	tell(s, result.n > 0 ? result : pgw_view_of(no_result));
}

/* ---- the loop's hooks */

static void end_if_idle(struct mz_server *s)
{
	struct mz_visit *v, *next;

	if (!s->signal || s->run)
		return;
	for (v = s->visits; v; v = next) {
		next = v->next;
		if (v->waits == MZ_WAITS_EVENTS)
			mz_exchange_end(v->x);
	}
	if (!s->visits || pgw_clock_us() / 1000 >= s->deadline_ms)
		mz_http_end(s->http);
}

static void finish(struct mz_server *s, struct mz_task *task)
{
	if (task->kind == MZ_TASK_MIGRATE)
		finish_run(s, task);
	if (task->kind == MZ_TASK_STATUS) {
		mz_serve_looked(s, task);
		return;
	}
	if (task->owner)
		answer_document(task->owner, task);
	mz_task_free(task);
}

/* A visit that is gone takes its name off its task. */
static void detach(struct mz_task *task)
{
	struct mz_visit *v = task->owner;

	if (v)
		v->task = NULL;
}

/* Those that are done first: all that they have said is there then. */
void mz_serve_woken(void *ctx)
{
	struct mz_server *s = ctx;
	struct mz_task *done = NULL, *task;
	struct pgw_buf said;

	mz_tasks_woken(&s->tasks);
	while ((task = mz_tasks_take_done(&s->tasks)) != NULL) {
		task->next = done;
		done = task;
	}
	pgw_buf_init(&said, SIZE_MAX);
	mz_tasks_take_said(&s->tasks, &said);
	take_lines(s, pgw_buf_view(&said));
	pgw_buf_release(&said);
	while ((task = done) != NULL) {
		done = task->next;
		detach(task);
		finish(s, task);
	}
	pump(s);
	end_if_idle(s);
}

static void cancel(struct mz_server *s)
{
	if (s->run && !s->cancelled)
		mz_tasks_cancel(&s->tasks, s->signal);
	s->cancelled = true;
}

void mz_serve_tick(void *ctx)
{
	struct mz_server *s = ctx;
	struct mz_visit *v, *next;
	bool beat = ++s->ticks % HEARTBEAT_TICKS == 0;

	for (v = s->visits; beat && v; v = next) {
		next = v->next;
		if (v->waits == MZ_WAITS_EVENTS &&
		    !mz_exchange_send(v->x, pgw_view_of(": \n\n")))
			mz_exchange_end(v->x);
	}
	mz_serve_look_again(s, false);
	if (s->signal && pgw_clock_us() / 1000 >= s->deadline_ms)
		cancel(s);
	end_if_idle(s);
}

/* The first signal lets a run end, the second cancels it. */
void mz_serve_interrupted(void *ctx)
{
	struct mz_server *s = ctx;
	unsigned char byte;

	while (read(s->c->interrupt_fd, &byte, 1) == 1) {
		if (s->signal) {
			if (s->cancelled)
				_exit(128 + byte);
			cancel(s);
			continue;
		}
		s->signal = byte;
		s->deadline_ms = pgw_clock_us() / 1000 +
				 s->c->opt.shutdown_timeout;
		mz_report_remark(&s->c->report,
				 s->run ? "ending when this run is over" :
					  "ending");
		mz_http_stop_accepting(s->http);
	}
	end_if_idle(s);
}
