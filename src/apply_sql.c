/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "apply_sql.h"

#include "guard.h"
#include "holders.h"
#include "setting_sql.h"

struct mz_apply_options mz_job_options(const struct mz_job *job, size_t i)
{
	struct mz_apply_options o = job->options;
	const struct mz_directives *d;

	if (o.doing == MZ_RECORD)
		return o;
	d = &job->surveys[i].directives;
	if (d->has_lock_timeout) {
		o.lock_timeout_ms = d->lock_timeout_ms;
		o.lock_timeout_given = true;
	}
	if (d->has_statement_timeout) {
		o.statement_timeout_ms = d->statement_timeout_ms;
		o.statement_timeout_given = true;
	}
	return o;
}

/*
 * Whatever a crash takes of such a commit it takes as a whole, the row with the
 * changes, and it is pending again.  The last one is waited for, and with it
 * all that were before it.
 */
static const char *not_waited_for(const struct mz_job *job)
{
	return job->table->no_advisory ?
		       "" :
		       "; SET LOCAL synchronous_commit TO off";
}

const char *mz_apply_create_sql(struct mz_arena *a, const struct mz_job *job)
{
	return mz_printf(a, "%s%s; %s", mz_guard_begin_sql(a, job->table),
			 job->count > 0 ? not_waited_for(job) : "",
			 mz_history_create_sql(a, job->table, job->history,
					       job->shape));
}

static const char *settings_sql(struct mz_arena *a, const struct mz_job *job,
				size_t i)
{
	const struct mz_apply_options o = mz_job_options(job, i);

	return mz_printf(a, "%s%s", mz_wanted_sql(a, &o, true),
			 mz_timeouts_sql(a, &o));
}

/* BEGIN, unless the history is not the one that the plan was made from. */
static const char *guard_sql(struct mz_arena *a, const struct mz_job *job,
			     size_t i)
{
	const struct mz_table *t = job->table;
	bool may_lock = job->history->may_lock ||
			job->history->shape == MZ_SHAPE_ABSENT;
	bool undoes = job->options.doing == MZ_UNDO;
	struct mz_same same = { job->shape, undoes ? i : 0 };

	if (i > 0 && !undoes)
		return mz_printf(a, "%s; %s%s", mz_guard_go_on_sql(a, t),
				 mz_guard_lock_sql(a, t, may_lock),
				 mz_guard_newest_sql(a, t, job->todo[i - 1],
						     job->shape));
	return mz_printf(a, "%s; %s; %s",
			 i > 0 ? mz_guard_go_on_sql(a, t) :
				 mz_guard_begin_sql(a, t),
			 mz_guard_history_sql(a, t,
					      job->history->count - same.gone,
					      may_lock),
			 mz_guard_same_sql(a, t, job->history, &same));
}

const char *mz_apply_open_sql(struct mz_arena *a, const struct mz_job *job,
			      size_t i)
{
	bool asks = i == 0 && job->count > 1 && !job->options.one_transaction;

	return mz_printf(a, "%s%s%s", guard_sql(a, job, i),
			 settings_sql(a, job, i),
			 asks ? "; SELECT " MZ_THIS_DATABASE : "");
}

const char *mz_apply_anew_sql(struct mz_arena *a, const struct mz_job *job,
			      size_t i)
{
	return mz_printf(a, MZ_RESET_SQL "%s", settings_sql(a, job, i));
}

/* What is recorded, or is undone, has not stopped midway. */
static const char *progress_sql(struct mz_arena *a, const struct mz_job *job,
				size_t from, size_t to)
{
	const char *sql = "";

	for (size_t i = from; i <= to; i++) {
		const char *tag = job->todo[i]->tag;

		if (mz_partials_find(&job->history->partials, tag))
			sql = mz_printf(a, "%s; %s", sql,
					mz_partial_delete_sql(a, job->table,
							      tag));
	}
	return sql;
}

static const char *remove_sql(struct mz_arena *a, const struct mz_job *job,
			      size_t i)
{
	return mz_printf(a, MZ_RESET_SQL "%s; %s", progress_sql(a, job, i, i),
			 mz_history_remove_sql(a, job->table, job->rows[i]));
}

/* Whether a row is kept is asked by the next guard, where one is to come. */
static const char *insert_sql(struct mz_arena *a, const struct mz_job *job,
			      size_t from, size_t to)
{
	const struct mz_new_rows rows = { job->shape, job->folder->layout,
					  job->todo + from, to - from + 1 };
	bool asks = to + 1 == job->count || job->doubtful;

	return mz_printf(a, MZ_RESET_SQL "%s; %s",
			 progress_sql(a, job, from, to),
			 asks ? mz_history_keep_sql(a, job->table, &rows) :
				mz_history_insert_sql(a, job->table, &rows));
}

const char *mz_apply_record_sql(struct mz_arena *a, const struct mz_job *job,
				size_t i, uint32_t database)
{
	bool last = i + 1 == job->count, all = job->options.one_transaction;
	const char *sql;

	if (job->options.doing == MZ_UNDO)
		sql = remove_sql(a, job, i);
	else if (all && !last)
		return "";
	else
		sql = insert_sql(a, job, all ? 0 : i, i);
	if (all || last)
		return sql;
	return mz_printf(a, "%s%s; %s", sql, not_waited_for(job),
			 mz_guard_note_waiters_sql(a, job->table, database));
}
