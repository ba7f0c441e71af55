/* SPDX-License-Identifier: MIT */
/*
 * Commands that run in threads of their own: one migrates, others look.  A task
 * is what its command says with --json, line by line, and how it ended.  Tasks
 * go in and come out in one thread, which tasks->wake tells of those done and
 * of lines of the one that migrates.
 */
#ifndef MZ_TASKS_H
#define MZ_TASKS_H

#include "command.h"

#include <pthread.h>

enum mz_task_kind {
	MZ_TASK_STATUS,
	MZ_TASK_PLAN,
	MZ_TASK_SCRIPT, /* the SQL of one migration */
	MZ_TASK_MIGRATE,
};

/* What a request may choose; texts are the task's. */
struct mz_ask {
	const char *to, *approve;
	const char *tag; /* of a script */
	bool has_transaction, require_approval, dry_run;
	mz_kind_transaction transaction;
};

struct mz_task {
	enum mz_task_kind kind;
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
	struct mz_task *next;
};

/* Its owner may be NULL.  NULL when there is no memory. */
struct mz_task *mz_task_new(enum mz_task_kind kind, void *owner);
void mz_task_free(struct mz_task *task);

#define MZ_READERS 2

struct mz_tasks {
	const struct mz_context *base; /* options and surroundings of all */
	int wake;		       /* readable: see below */
	int wake_write;
	pthread_mutex_t mutex;
	pthread_cond_t more;
	bool ending;

	struct mz_worker {
		struct mz_tasks *tasks;
		pthread_t thread;
		bool started, migrates;
		int interrupt_fd, signal_fd;
		struct mz_task *present;
	} workers[MZ_READERS + 1];

	struct mz_task_list {
		struct mz_task *first, *last;
	} waiting[2], done; /* waiting: those that look, those that migrate */

	struct pgw_buf said; /* lines of the run that were not taken yet */
};

/* base must stay, and its settings be loaded: threads only read them. */
bool mz_tasks_start(struct mz_tasks *j, const struct mz_context *base,
		    struct mz_err *err) PGW_MUST_CHECK;

/* Ends what runs, waits for it, and forgets the rest. */
void mz_tasks_stop(struct mz_tasks *j);

void mz_tasks_add(struct mz_tasks *j, struct mz_task *task);

/*
 * After j->wake was readable.  First of all: what is said or done from then on
 * makes it readable again.
 */
void mz_tasks_woken(struct mz_tasks *j);

/* What was said since, and what is done. */
void mz_tasks_take_said(struct mz_tasks *j, struct pgw_buf *said);
struct mz_task *mz_tasks_take_done(struct mz_tasks *j); /* NULL = no more */

/* Cancel the migration that runs, as a signal would. */
void mz_tasks_cancel(struct mz_tasks *j, int signal);

#endif
