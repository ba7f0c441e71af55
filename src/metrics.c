/* SPDX-License-Identifier: MIT */
/* What Prometheus reads: the text format 0.0.4. */
#include <config.h>

#include "serve.h"

#include <inttypes.h>

struct page {
	struct pgw_buf text;
	struct mz_arena arena;
};

static void head(struct page *p, const char *name, const char *type,
		 const char *help)
{
	pgw_buf_put_text(&p->text,
			 mz_printf(&p->arena, "# HELP %s %s\n# TYPE %s %s\n",
				   name, help, name, type));
}

static void value(struct page *p, const char *name, double v)
{
	pgw_buf_put_text(&p->text, mz_printf(&p->arena, "%s %.15g\n", name, v));
}

static void gauge(struct page *p, const char *name, const char *help, double v)
{
	head(p, name, "gauge", help);
	value(p, name, v);
}

static void put_states(struct page *p, const struct mz_task *task)
{
	head(p, "mizzle_migrations", "gauge", "Migrations in each state.");
	for (int i = 0; i < MZ_STATES; i++)
		value(p,
		      mz_printf(&p->arena, "mizzle_migrations{state=\"%s\"}",
				mz_state_name((enum mz_state)i)),
		      (double)task->result.counts[i]);
}

static void put_runs(struct page *p, const struct mz_server *s)
{
	head(p, "mizzle_runs_total", "counter", "Runs of this process.");
	value(p, "mizzle_runs_total{result=\"ok\"}", (double)s->results[1]);
	value(p, "mizzle_runs_total{result=\"failed\"}", (double)s->results[0]);
	gauge(p, "mizzle_run_in_progress", "1 while a run goes on.",
	      s->run != NULL);
	if (s->results[0] + s->results[1] == 0)
		return;
	gauge(p, "mizzle_last_run_timestamp_seconds",
	      "When the last run ended.", (double)s->last_ended);
	gauge(p, "mizzle_last_run_seconds", "How long it took.",
	      s->last_seconds);
	gauge(p, "mizzle_last_run_wait_seconds",
	      "Of that, until it had connected, and the lock.",
	      s->last_wait_seconds);
}

static void put_requests(struct page *p, const struct mz_server *s)
{
	head(p, "mizzle_http_answers_total", "counter",
	     "Answers by the class of their status.");
	for (int i = 1; i < 6; i++)
		value(p,
		      mz_printf(&p->arena,
				"mizzle_http_answers_total{class=\"%dxx\"}", i),
		      (double)s->answers[i]);
	head(p, "mizzle_wrong_secrets_total", "counter",
	     "Requests with a wrong secret.");
	value(p, "mizzle_wrong_secrets_total", (double)s->refused);
}

void mz_serve_metrics(struct mz_server *s, struct mz_visit *v,
		      const struct mz_task *task)
{
	struct page p;

	pgw_buf_init(&p.text, SIZE_MAX);
	mz_arena_init(&p.arena);
	gauge(&p, "mizzle_up", "1 when the database was read just now.",
	      task->ok);
	gauge(&p, "mizzle_look_seconds",
	      "How long that took, from connecting to closing.",
	      (double)task->us / 1e6);
	if (task->ok)
		put_states(&p, task);
	put_runs(&p, s);
	put_requests(&p, s);
	pgw_buf_put_u8(&p.text, 0);
	mz_serve_text(v, 200, "text/plain; version=0.0.4; charset=utf-8",
		      p.text.failed ? "" : (const char *)p.text.data);
	pgw_buf_release(&p.text);
	mz_arena_release(&p.arena);
}
