/* SPDX-License-Identifier: MIT */
/*
 * The JSON of the server: what a task has said, line by line, as one document,
 * and what a request asks for.
 */
#ifndef MZ_JSON_SERVE_H
#define MZ_JSON_SERVE_H

#include "tasks.h"

/*
 * {"ok":...,"migrations":[...],"notices":[...],"result":{...},"error":{...}},
 * each only if it was said; of a run also the fields of its result.
 */
void mz_serve_document(struct pgw_buf *out, const struct mz_task *task);

/* What a status has said, as it is after those lines of a run. */
void mz_serve_mark(struct mz_task *status, struct pgw_view applied);

/* {"ok":false,"error":{"code":...,"message":...,"hint":...}}; hint may be NULL
 */
void mz_serve_refusal(struct pgw_buf *out, const char *code,
		      const char *message, const char *hint);

/* A run of this process. */
struct mz_served_run {
	uint64_t number;
	char started[32], ended[32];  /* RFC 3339; ended "" = it runs */
	uint64_t first_event;	      /* of the feed */
	struct pgw_buf result, error; /* JSON; empty = none */
};

struct mz_serve_state {
	bool may_migrate;
	const struct mz_served_run *present;	 /* NULL = none */
	const struct mz_served_run *const *runs; /* that have ended */
	size_t nruns;
};

/* The document of a status, with what the process knows. */
void mz_serve_status(struct pgw_buf *out, struct pgw_view document,
		     const struct mz_serve_state *s);

/* The refusal of a second run, with the one that is in its way. */
void mz_serve_busy(struct pgw_buf *out, const struct mz_served_run *run);

/* {"event":"run",...} */
void mz_serve_run_event(struct pgw_buf *out, const struct mz_served_run *run);

/* What a body asks for: texts come from a.  False: *why tells. */
bool mz_serve_parse(struct mz_ask *ask, struct mz_arena *a,
		    struct pgw_view body, const char **why) PGW_MUST_CHECK;

#endif
