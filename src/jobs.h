/* SPDX-License-Identifier: MIT */
/*
 * Commands that run in threads of their own: one migrates, others look.  A job
 * is what its command says with --json, line by line, and how it ended.  Jobs
 * go in and come out in one thread, which jobs->wake tells of those done and
 * of lines of the one that migrates.
 */
#ifndef MZ_JOBS_H
#define MZ_JOBS_H

#include "command.h"

#include <pthread.h>

enum mz_job_kind {
	MZ_JOB_STATUS,
	MZ_JOB_PLAN,
	MZ_JOB_SCRIPT, /* the SQL of one migration */
	MZ_JOB_MIGRATE,
};

/* What a request may choose; texts are the job's. */
struct mz_ask {
	const char *to, *approve;
	const char *tag; /* of a script */
	bool has_transaction, require_approval, dry_run;
	mz_kind_transaction transaction;
};

struct mz_job {
	enum mz_job_kind kind;
	struct mz_ask ask;
	struct mz_arena arena; /* of the texts of ask */
	void *owner;	       /* whoever made it: what the answer is for */

	/* When it is done */
	struct pgw_buf lines; /* JSON objects, each with a line end */
	bool ok;
	enum mz_status status;
	int signal; /* that ended it, or 0 */
	struct mz_result result;
	uint64_t us;
	struct mz_job *next;
};

/* Its owner may be NULL.  NULL when there is no memory. */
struct mz_job *mz_job_new(enum mz_job_kind kind, void *owner);
void mz_job_free(struct mz_job *job);

#define MZ_READERS 2

struct mz_jobs {
	const struct mz_context *base; /* options and surroundings of all */
	int wake;		       /* readable: see below */
	int wake_write;
	pthread_mutex_t mutex;
	pthread_cond_t more;
	bool ending;

	struct mz_worker {
		struct mz_jobs *jobs;
		pthread_t thread;
		bool started, migrates;
		int interrupt_fd, signal_fd;
		struct mz_job *present;
	} workers[MZ_READERS + 1];

	struct mz_job_list {
		struct mz_job *first, *last;
	} waiting[2], done; /* waiting: those that look, those that migrate */

	struct pgw_buf said; /* lines of the run that were not taken yet */
};

/* base must stay, and its settings be loaded: threads only read them. */
bool mz_jobs_start(struct mz_jobs *j, const struct mz_context *base,
		   struct mz_err *err) PGW_MUST_CHECK;

/* Ends what runs, waits for it, and forgets the rest. */
void mz_jobs_stop(struct mz_jobs *j);

void mz_jobs_add(struct mz_jobs *j, struct mz_job *job);

/* After j->wake was readable: what was said since, then what is done. */
void mz_jobs_take_said(struct mz_jobs *j, struct pgw_buf *said);
struct mz_job *mz_jobs_take_done(struct mz_jobs *j); /* NULL = no more */

/* Cancel the migration that runs, as a signal would. */
void mz_jobs_cancel(struct mz_jobs *j, int signal);

#endif
