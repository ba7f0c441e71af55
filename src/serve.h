/* SPDX-License-Identifier: MIT */
/*
 * The server: who asks (gate), by what way (http), what runs (tasks), and what
 * has happened (feed).  One thread has all of this; the tasks have others.
 */
#ifndef MZ_SERVE_H
#define MZ_SERVE_H

#include "feed.h"
#include "gate.h"
#include "http.h"
#include "json_serve.h"
#include "tasks.h"

#define MZ_RUNS_KEPT 20

/* A request, from its coming to its answer. */
struct mz_visit {
	struct mz_exchange *x;
	enum mz_method method;
	enum mz_right right;
	char address[64];
	char path[128]; /* for the log */
	int64_t began_us;

	enum mz_waits {
		MZ_WAITS_NOT,
		MZ_WAITS_STATUS, /* for a look at the database, number round */
		MZ_WAITS_READY,
		MZ_WAITS_METRICS,
		MZ_WAITS_TASK,	 /* for task, of its own */
		MZ_WAITS_EVENTS, /* a stream */
	} waits;

	uint64_t round;
	struct mz_task *task;
	uint64_t event;	   /* the next one that is to be sent */
	bool until_result; /* the stream ends with the present run */
	struct mz_visit *prev, *next;
};

struct mz_server {
	struct mz_context *c;
	const char *base_path;
	struct mz_gate gate;
	struct mz_tasks tasks;
	struct mz_http *http;
	struct mz_feed feed;
	struct mz_visit *visits;

	/* Looks at the database: one at a time, shared by all who wait. */
	bool looks;
	uint64_t round;		 /* of the present look, or the last one */
	struct mz_task *known;	 /* the last one that succeeded, or NULL */
	struct pgw_buf document; /* of it; empty = to be made */
	struct pgw_buf applied;	 /* what was applied since, a line each */

	/* Runs: one at a time. */
	struct mz_served_run *run;		  /* NULL = none */
	struct mz_served_run *runs[MZ_RUNS_KEPT]; /* newest first */
	size_t nruns;
	uint64_t numbers; /* of runs so far */

	/* For /metrics */
	uint64_t answers[6]; /* by the first digit of their status */
	uint64_t refused;    /* wrong secrets */
	uint64_t results[2]; /* runs that failed, that succeeded */
	int64_t run_began_us, run_waits_us; /* of the present run */
	double last_seconds, last_wait_seconds;
	int64_t last_ended; /* seconds since 1970 */

	int64_t ticks;
	int signal;	     /* that asked us to end; 0 = none */
	int64_t deadline_ms; /* then the run is cancelled */
	bool cancelled;
	int stop_status; /* exit status that a cancelled run asks for */
};

/* ---- serve.c: from request to what answers it */

void mz_serve_request(void *ctx, struct mz_exchange *x,
		      const struct mz_request *r);
void mz_serve_gone(void *ctx, struct mz_exchange *x);
void mz_serve_answered(void *ctx, struct mz_exchange *x, int status);

/* ---- serve_answer.c: whole answers; v is gone then */

void mz_serve_json(struct mz_visit *v, int status, const struct pgw_buf *body);
void mz_serve_text(struct mz_visit *v, int status, const char *type,
		   const char *body);
void mz_serve_refuse(struct mz_visit *v, int status, const char *code,
		     const char *message, const char *hint);

/* An answer of events begins. */
void mz_serve_stream(struct mz_visit *v);

/* Whether the page has a file of that name, which may be NULL. */
bool mz_serve_has_page(const char *name);

/* A file of the page; "" is the page itself. */
void mz_serve_page(struct mz_visit *v, const char *name);

/* Whether that header of the request names it. */
bool mz_serve_accepts(const struct mz_visit *v, const char *header,
		      const char *what);

/* ---- serve_look.c: looks at the database */

/* Have it looked at, for v. */
void mz_serve_look(struct mz_server *s, struct mz_visit *v,
		   enum mz_waits waits);

/* One is over; task is ours then. */
void mz_serve_looked(struct mz_server *s, struct mz_task *task);

/* The next one, if somebody waits for it or anyway is set. */
void mz_serve_look_again(struct mz_server *s, bool anyway);

/* A line of our run, which says that a migration was applied. */
void mz_serve_applied(struct mz_server *s, struct pgw_view line);

void mz_serve_forget_looks(struct mz_server *s);

/* The status of HTTP for how a task has ended. */
int mz_serve_status_of(const struct mz_task *task);

/* ---- serve_run.c: tasks and streams */

/* A task whose document is the answer. */
void mz_serve_task(struct mz_server *s, struct mz_visit *v,
		   struct mz_task *task);

/* A run, for v: streamed, or answered when it is over. */
void mz_serve_migrate(struct mz_server *s, struct mz_visit *v,
		      struct mz_task *task, bool stream);

/* A stream of events behind that number; 0 = of the present run, or new ones.
 */
void mz_serve_events(struct mz_server *s, struct mz_visit *v, uint64_t behind);

void mz_serve_forget_runs(struct mz_server *s);

void mz_serve_woken(void *ctx);
void mz_serve_tick(void *ctx);
void mz_serve_interrupted(void *ctx);

/* ---- metrics.c */

/* task is a look at the database, also one that failed. */
void mz_serve_metrics(struct mz_server *s, struct mz_visit *v,
		      const struct mz_task *task);

/* ---- the page: files that were packed when this was built */

struct mz_page_file {
	const char *name, *type; /* "" is the page itself */
	const unsigned char *gzip;
	size_t size, unpacked;
};

extern const struct mz_page_file mz_page_files[];
extern const size_t mz_page_count;

#endif
