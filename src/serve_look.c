/* SPDX-License-Identifier: MIT */
/*
 * Looks at the database, one at a time: whoever comes while one is under way
 * shares the next one.  While a run of ours has the history's lock, what the
 * last look saw is told, and what has been applied since.
 */
#include <config.h>

#include "serve.h"

#include <stdio.h>

int mz_serve_status_of(const struct mz_task *task)
{
	switch (task->status) {
	case MZ_ok:
		return 200;
	case MZ_usage:
		return task->kind == MZ_TASK_SCRIPT ? 404 : 422;
	case MZ_history:
	case MZ_refused:
	case MZ_pending:
	case MZ_findings:
		return 422;
	case MZ_locked:
		return 409;
	case MZ_connect:
		return 503;
	case MZ_sql:
	case MZ_partial:
	case MZ_internal:
		break;
	}
	return 500;
}

/* ---- answers */

static void answer_status(struct mz_server *s, struct mz_visit *v,
			  const struct mz_task *task,
			  const struct pgw_buf *document)
{
	struct mz_serve_state state = {
		.may_migrate = v->right == MZ_RIGHT_MIGRATE,
		.present = s->run,
		.runs = (const struct mz_served_run *const *)s->runs,
		.nruns = s->nruns,
	};
	struct pgw_buf body;

	pgw_buf_init(&body, SIZE_MAX);
	mz_serve_status(&body, pgw_buf_view(document), &state);
	mz_serve_json(v, mz_serve_status_of(task), &body);
	pgw_buf_release(&body);
}

/* Ready: the database answers, and nothing is left to be applied. */
static void answer_ready(struct mz_visit *v, const struct mz_task *task)
{
	const size_t *counts = task->result.counts;
	size_t pending = counts[MZ_PENDING] + counts[MZ_OUT_OF_ORDER] +
			 counts[MZ_PARTIAL];
	char text[64];

	if (!task->ok) {
		mz_serve_text(v, 503, "application/json; charset=utf-8",
			      "{\"ok\":false}\n");
		return;
	}
	snprintf(text, sizeof(text), "{\"ok\":%s,\"pending\":%zu}\n",
		 pending == 0 ? "true" : "false", pending);
	mz_serve_text(v, pending == 0 ? 200 : 503,
		      "application/json; charset=utf-8", text);
}

static void answer(struct mz_server *s, struct mz_visit *v,
		   const struct mz_task *task, const struct pgw_buf *document)
{
	if (v->waits == MZ_WAITS_STATUS)
		answer_status(s, v, task, document);
	else if (v->waits == MZ_WAITS_READY)
		answer_ready(v, task);
	else
		mz_serve_metrics(s, v, task);
}

/* ---- looks */

static void start_look(struct mz_server *s)
{
	struct mz_task *task = mz_task_new(MZ_TASK_STATUS, NULL);

	if (!task)
		return; /* the next tick tries again */
	s->looks = true;
	s->round++;
	mz_tasks_add(&s->tasks, task);
}

/* The last look, as it would be now. */
static void answer_known(struct mz_server *s, struct mz_visit *v)
{
	if (s->applied.len > 0) {
		mz_serve_mark(s->known, pgw_buf_view(&s->applied));
		pgw_buf_drop(&s->applied, s->applied.len);
		pgw_buf_release(&s->document);
	}
	if (s->document.len == 0)
		mz_serve_document(&s->document, s->known);
	answer(s, v, s->known, &s->document);
}

void mz_serve_look(struct mz_server *s, struct mz_visit *v, enum mz_waits waits)
{
	v->waits = waits;
	if (s->run && s->known) {
		answer_known(s, v);
		return;
	}
	v->round = s->round + 1;
	if (!s->looks)
		start_look(s);
}

static bool waits_for_look(const struct mz_visit *v)
{
	return v->waits == MZ_WAITS_STATUS || v->waits == MZ_WAITS_READY ||
	       v->waits == MZ_WAITS_METRICS;
}

void mz_serve_look_again(struct mz_server *s, bool anyway)
{
	for (const struct mz_visit *v = s->visits; v && !anyway; v = v->next)
		anyway = waits_for_look(v);
	if (anyway && !s->looks)
		start_look(s);
}

void mz_serve_applied(struct mz_server *s, struct pgw_view line)
{
	pgw_buf_put(&s->applied, line.p, line.n);
	pgw_buf_put_text(&s->applied, "\n");
}

/* Keep it; what a look sees in the midst of a run is another thing. */
static void know(struct mz_server *s, struct mz_task *task)
{
	if (!task->ok || (s->run && s->known)) {
		mz_task_free(task);
		return;
	}
	mz_task_free(s->known);
	s->known = task;
	if (!s->run)
		pgw_buf_drop(&s->applied, s->applied.len);
	pgw_buf_release(&s->document);
}

/* A run that began meanwhile is why it failed. */
static bool is_in_the_way(const struct mz_server *s, const struct mz_task *task)
{
	return task->status == MZ_locked && s->run && s->known;
}

void mz_serve_looked(struct mz_server *s, struct mz_task *task)
{
	struct mz_visit *v, *next;
	struct pgw_buf document;

	s->looks = false;
	pgw_buf_init(&document, SIZE_MAX);
	mz_serve_document(&document, task);
	for (v = s->visits; v; v = next) {
		next = v->next;
		if (!waits_for_look(v) || v->round != s->round)
			continue;
		if (is_in_the_way(s, task))
			answer_known(s, v);
		else
			answer(s, v, task, &document);
	}
	pgw_buf_release(&document);
	know(s, task);
	mz_serve_look_again(s, false);
}

void mz_serve_forget_looks(struct mz_server *s)
{
	mz_task_free(s->known);
	pgw_buf_release(&s->document);
	pgw_buf_release(&s->applied);
}
