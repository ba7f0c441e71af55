/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "run.h"

#include "approval.h"
#include "drizzle1.h"
#include "guard.h"
#include "pooler.h"
#include "rollback.h"
#include "stepwise.h"
#include "watch.h"
#include "work.h"

#include <string.h>

/* After a connection was lost at COMMIT, the truth is worth some waiting. */
#define RECONNECT_MS 30000
#define FIRST_RETRY_MS 500
#define MOST_RETRY_MS 30000

struct run {
	struct mz_work w;
	struct mz_watch watch;
	enum mz_doing doing;
	struct mz_rollback back; /* to UNDO: which, and how */
	size_t count;		 /* that were done, in all */
	size_t pending;		 /* after that */
	bool done, told;
	bool due;      /* the history is to be upgraded first: drizzle1.h */
	bool tried;    /* that is done, or cannot be */
	bool pooled;   /* a pooler may take another server each time */
	bool doubtful; /* whether each row is kept is asked at once */
	int64_t lock_deadline; /* 0 = nobody was in the way so far */
	uint32_t retries;
	struct mz_pause pause; /* between retries */
	struct mz_approval approval;
};

/* Something was applied: what is in the way of the next is another thing. */
static void start_patience(struct run *run)
{
	run->lock_deadline = 0;
	run->retries = 0;
	run->pause = (struct mz_pause){ FIRST_RETRY_MS, MOST_RETRY_MS };
}

static bool wait_for_lock(struct run *run, const char *waiters,
			  struct mz_err *err)
{
	struct mz_context *c = run->w.c;

	if (run->lock_deadline == 0)
		run->lock_deadline = pgw_clock_ms() + c->opt.lock_wait;
	return mz_guard_wait(&run->w.db, &c->arena, &run->w.table,
			     &(struct mz_wait){ waiters, run->lock_deadline },
			     err);
}

/* err says what failed; it is tried again unless that was the last time. */
static bool retry(struct run *run, struct mz_err *err)
{
	struct mz_context *c = run->w.c;
	int64_t ms = mz_pause_next(&run->pause);

	if (run->retries++ >= c->opt.lock_retries) {
		err->status = MZ_locked;
		return mz_hint(err, "run again when less is going on, or with "
				    "more --lock-retries; mizzle locks names "
				    "who is in the way");
	}
	mz_report_warning(&c->report, "%s: %s; trying again in %lld ms",
			  err->msg, err->sql->message, (long long)ms);
	return mz_db_sleep(&run->w.db, ms, err);
}

/* How many of them are still to be done. */
static size_t still_to_do(const struct run *run,
			  const struct mz_migration *const *todo, size_t n)
{
	const struct mz_work *w = &run->w;
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)(todo[i] - w->folder.migrations);
		bool pending = mz_plan_is_pending(w->plan.list[at].state);

		left += pending == (run->doing != MZ_UNDO);
	}
	return left;
}

/* So many are done. */
static void done(struct run *run, size_t n)
{
	run->count += n;
	if (run->doing == MZ_UNDO)
		run->pending += n;
	else
		run->pending -= n;
}

static bool lost(const struct run *run, struct mz_err *err, const char *tag,
		 const char *fate)
{
	char cause[sizeof(err->msg)];

	memcpy(cause, err->msg, sizeof(cause));
	mz_fail(err, MZ_connect, "%.600s; %s", cause, fate);
	return mz_hint(err, "%.200s was not %s: run again", tag,
		       run->doing == MZ_UNDO ? "rolled back" : "applied");
}

/* A step that was taken must be counted before another one is. */
static bool read_when_free(struct run *run, struct mz_err *err)
{
	do {
		if (!wait_for_lock(run, NULL, err) ||
		    !mz_work_read(&run->w, err))
			return false;
	} while (run->w.history.busy);
	return true;
}

/* There is nobody to ask. */
static bool unknown(struct mz_err *err, const char *tag)
{
	char cause[sizeof(err->msg)];
	int interrupted = err->signal;

	memcpy(cause, err->msg, sizeof(cause));
	mz_fail(err, MZ_connect,
		"the connection was lost at COMMIT, and it could not be found "
		"out what became of %.200s: %.600s",
		tag, cause);
	err->fate = MZ_FATE_UNKNOWN;
	err->signal = interrupted;
	return mz_hint(err, "run again: it goes on behind what is done");
}

/*
 * A COMMIT went out and no answer came.  Nothing is guessed: connect again,
 * wait until the old backend is gone, and look.
 */
static bool find_out(struct run *run, size_t committed, struct mz_err *err)
{
	const struct mz_migration *const *todo = run->w.plan.todo;
	size_t count = run->w.plan.todo_count, left;
	struct mz_err cause = *err;

	mz_report_warning(&run->w.c->report,
			  "the connection was lost at COMMIT; looking what "
			  "became of it");
	mz_db_close(&run->w.db);
	if (!mz_db_open(&run->w.db, RECONNECT_MS, err) ||
	    !read_when_free(run, err))
		return unknown(err, todo[committed]->tag);
	left = still_to_do(run, todo, count);
	done(run, count - left - committed);
	run->done = left == 0;
	if (run->done)
		return true;
	*err = cause;
	return lost(run, err, todo[count - left]->tag,
		    "its transaction was rolled back");
}

/* It is tried again, in more than one transaction. */
static void needs_steps(struct run *run, const struct mz_migration *m)
{
	struct mz_work *w = &run->w;

	w->stepwise[m - w->folder.migrations] = true;
	mz_report_remark(&w->c->report,
			 "%s commits, or uses what must be committed: it is "
			 "run again, in more than one transaction",
			 m->tag);
}

static bool after(struct run *run, const struct mz_applied *out,
		  struct mz_err *err)
{
	const struct mz_plan *plan = &run->w.plan;

	done(run, out->count);
	if (out->count > 0)
		start_patience(run);
	switch (out->ending) {
	case MZ_END_DONE:
		run->done = out->count == plan->todo_count;
		return true;
	case MZ_END_STEPWISE:
		needs_steps(run, plan->todo[out->count]);
		return true;
	case MZ_END_CONTENDED:
		return wait_for_lock(run, out->waiters, err);
	case MZ_END_RETRY:
		return retry(run, err);
	case MZ_END_LOST:
		if (out->commit_unsure)
			return find_out(run, out->count, err);
		run->done = out->count == plan->todo_count;
		return run->done || /* the server left behind the last COMMIT */
		       lost(run, err, plan->todo[out->count]->tag,
			    "nothing of the present migration was kept");
	case MZ_END_FAILED:
	case MZ_END_INTERRUPTED:
		break;
	}
	return false;
}

static struct mz_apply_options options_of(const struct run *run)
{
	const struct mz_work *w = &run->w;
	const struct mz_options *o = &w->c->opt;

	return (struct mz_apply_options){
		.doing = run->doing,
		.one_transaction = run->doing == MZ_RECORD ||
				   o->transaction == MZ_TRANSACTION_ALL,
		.lock_timeout_ms = o->lock_timeout,
		.lock_timeout_given = o->from[MZ_OPT_lock_timeout] ==
				      MZ_FROM_OPTION,
		.statement_timeout_ms = o->statement_timeout,
		.statement_timeout_given = o->from[MZ_OPT_statement_timeout] ==
					   MZ_FROM_OPTION,
		.local = pgw_buf_view(&w->cfg.raw.local),
		.allow_modified = o->allow_modified,
		.resume = o->resume,
		.lock_wait_ms = o->lock_wait,
	};
}

/* Of some providers it is known where the server is that takes changes. */
static bool writable(struct mz_work *w, struct mz_err *err)
{
	const struct pgw_host *host = pgw_conn_host(w->db.conn);
	const struct mz_provider *p = mz_provider_of(host);
	char writer[MZ_HOST_MAX];

	if (mz_work_writable(w, err))
		return true;
	if ((w->history.in_recovery || w->history.read_only) && p &&
	    p->pooling == MZ_POOLING_NONE &&
	    mz_provider_direct(p, host, writer))
		mz_hint(err, "%s take no changes; the writer is %s", p->name,
			writer);
	return false;
}

/* The scripts are sound, of a kind that we can run, and approved. */
static bool runnable(struct run *run, struct mz_err *err)
{
	struct mz_work *w = &run->w;

	switch (run->doing) {
	case MZ_APPLY:
		return mz_work_survey(w, err) && mz_work_runs(w, err) &&
		       mz_approval_check(&run->approval, w, err);
	case MZ_UNDO:
		return mz_rollback_survey(&run->back, w, err);
	case MZ_RECORD:
		break;
	}
	return true;
}

/* As Drizzle 1.x does it, before anything else. */
static bool upgrade(struct run *run, struct mz_err *err)
{
	switch (mz_drizzle1_upgrade(&run->w, err)) {
	case MZ_AMENDED:
		run->tried = true;
		return true;
	case MZ_AMEND_CONTENDED:
		return wait_for_lock(run, NULL, err);
	case MZ_AMEND_DENIED:
		mz_drizzle1_denied(&run->w, err);
		run->tried = true;
		return true;
	case MZ_AMEND_FAILED:
		break;
	}
	return false;
}

/* How many of the next, from the first on, are applied in the same way. */
static size_t alike(const struct mz_work *w)
{
	size_t n = 0;

	while (n < w->plan.todo_count && !w->surveys[n].stepwise)
		n++;
	return n;
}

static enum mz_shape shape_of(const struct mz_work *w)
{
	if (w->history.shape != MZ_SHAPE_ABSENT)
		return w->history.shape;
	return w->folder.layout == MZ_LAYOUT_JOURNAL ? MZ_SHAPE_COLUMNS_3 :
						       MZ_SHAPE_COLUMNS_5;
}

/*
 * Plan from what is there now, and apply the first of that: as many as go in
 * one go, or one step by step, for which the history must be there.
 */
static bool one_round(struct run *run, struct mz_err *err)
{
	struct mz_work *w = &run->w;
	struct mz_applied out;
	struct mz_job job = {
		.folder = &w->folder,
		.table = &w->table,
		.history = &w->history,
		.options = options_of(run),
	};

	if (run->due)
		return upgrade(run, err);
	if (!writable(w, err) || !runnable(run, err))
		return false;
	if (!w->c->opt.no_monitor && (!w->c->opt.quiet || w->c->opt.json))
		mz_watch_monitor(&run->watch, &w->table, w->history.version,
				 job.options.lock_timeout_ms);
	job.todo = w->plan.todo;
	job.scripts = run->doing == MZ_UNDO ? run->back.scripts : job.todo;
	job.rows = run->back.rows;
	job.surveys = w->surveys;
	job.shape = shape_of(w);
	job.before = run->count;
	job.total = run->count + w->plan.todo_count;
	job.pooled = run->pooled;
	job.doubtful = run->doubtful;
	job.count = run->doing == MZ_APPLY ? alike(w) : w->plan.todo_count;
	if (job.count > 0 || w->history.shape == MZ_SHAPE_ABSENT)
		mz_apply(&out, &job, &w->c->arena, &w->db, err);
	else
		mz_stepwise(&out, &job, &w->c->arena, &w->db, err);
	return after(run, &out, err);
}

static bool is_due(struct run *run, struct mz_err *err)
{
	bool ok;

	run->due = false;
	if (run->doing == MZ_UNDO || run->tried)
		return true;
	ok = mz_drizzle1_due(&run->w, &run->due, err);
	run->tried = !run->due;
	return ok;
}

static bool choose(struct run *run, struct mz_err *err)
{
	struct mz_work *w = &run->w;

	if (run->doing != MZ_UNDO)
		return mz_work_choose(w, err);
	run->back.steps = mz_rollback_steps(&w->c->opt, run->count);
	return mz_rollback_choose(&run->back, &w->plan, &w->c->arena, &w->wish,
				  err);
}

/*
 * More than before: somebody rolls back, or the history does not keep what is
 * written to it, and the same would be applied again and again.
 */
static void count_pending(struct run *run)
{
	size_t before = run->pending;

	run->pending = mz_plan_pending(&run->w.plan);
	if (run->count > 0 && run->pending > before)
		run->doubtful = true;
}

/* What is there now, and what is to be done about it. */
static bool look(struct run *run, struct mz_err *err)
{
	struct mz_work *w = &run->w;

	if (!mz_work_read(w, err))
		return false;
	if (w->history.busy)
		return wait_for_lock(run, NULL, err);
	count_pending(run);
	if (!is_due(run, err) || !choose(run, err))
		return false;
	run->done = w->plan.todo_count == 0 && !run->due;
	return true;
}

/* It works, but not as well; said once, when there is something to do. */
static void tell_pooler(struct run *run)
{
	const struct mz_work *w = &run->w;
	struct mz_arena *a = &w->c->arena;
	struct mz_pooler p;

	mz_pooler_look(&p, a, &w->cfg, w->db.conn, w->history.backend_pid);
	run->pooled = mz_pooler_shares(&p);
	if (run->pooled)
		mz_report_remark(&w->c->report,
				 "this goes through %s, in transaction mode: "
				 "it works, but its time limits apply%s%s",
				 p.name, p.around ? "; without it: " : "",
				 p.around ? p.around : "");
}

/* Once, before anything is done. */
static void tell_first(struct run *run)
{
	struct mz_work *w = &run->w;

	if (run->told)
		return;
	run->told = true;
	mz_tell(&w->db.listener,
		&(struct mz_event){ .kind = MZ_EV_START,
				    .file = w->folder.dir,
				    .undone = run->doing == MZ_UNDO,
				    .k = w->plan.todo_count,
				    .n = w->folder.count });
	if (run->doing != MZ_UNDO)
		mz_drizzle1_warn(w);
	if (!run->done)
		tell_pooler(run);
}

/* Where nothing is under way, what was done before is what there is to tell. */
static bool stopped_looking(const struct run *run, struct mz_err *err)
{
	const char *did = run->doing == MZ_UNDO	  ? "rolled back" :
			  run->doing == MZ_RECORD ? "recorded" :
						    "applied";
	size_t n = run->count;

	if (err->signal == 0)
		return false;
	if (n == 0)
		mz_fail(err, MZ_connect, "interrupted before anything was %s",
			did);
	else
		mz_fail(err, MZ_connect,
			"interrupted; %zu migration%s %s before it", n,
			n == 1 ? " was" : "s were", did);
	err->signal = -1;
	return false;
}

static bool run_all(struct run *run, struct mz_err *err)
{
	while (!run->done) {
		if (!look(run, err))
			return stopped_looking(run, err);
		if (run->w.history.busy)
			continue;
		tell_first(run);
		if (!run->done && !one_round(run, err))
			return false;
	}
	return true;
}

bool mz_run(struct mz_context *c, enum mz_doing doing, struct mz_err *err)
{
	static const enum mz_result_kind kinds[] = {
		[MZ_APPLY] = MZ_RESULT_MIGRATE,
		[MZ_RECORD] = MZ_RESULT_BASELINE,
		[MZ_UNDO] = MZ_RESULT_ROLLBACK,
	};
	struct run run = { .doing = doing };
	int64_t start = pgw_clock_us();
	bool ok = mz_work_open(&run.w, c, err);

	if (ok) {
		start_patience(&run);
		mz_watch_start(&run.watch, &run.w.db);
		ok = run_all(&run, err);
		mz_watch_stop(&run.watch);
	}
	c->result = (struct mz_result){
		.kind = kinds[doing],
		.applied = run.count,
		.pending = run.pending,
		.present = run.w.folder.count,
		.us = (uint64_t)(pgw_clock_us() - start),
		.round_trips = mz_db_round_trips(&run.w.db),
	};
	mz_work_close(&run.w);
	return ok;
}
