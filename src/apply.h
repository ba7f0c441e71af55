/* SPDX-License-Identifier: MIT */
/*
 * Applying, on one connection: everything is pipelined, and safe because each
 * transaction begins with a guard that fails it unless we hold the lock and
 * the history is still the one that the plan was made from.  A statement that
 * fails makes the server refuse the rest and turn COMMIT into ROLLBACK.
 */
#ifndef MZ_APPLY_H
#define MZ_APPLY_H

#include "db.h"
#include "folder.h"
#include "history.h"
#include "options.h"
#include "statements.h"

/* What is done with each migration. */
enum mz_doing {
	MZ_APPLY,  /* run its script, write its row */
	MZ_RECORD, /* write its row, run nothing */
	MZ_UNDO,   /* run its down script, remove its row */
};

struct mz_apply_options {
	enum mz_doing doing;
	bool one_transaction;	      /* around all migrations: Drizzle's way */
	int64_t lock_timeout_ms;      /* 0 = the server's */
	int64_t statement_timeout_ms; /* 0 = none of ours */

	/* These were said on the command line: local is not asked for them. */
	bool lock_timeout_given, statement_timeout_given;
	struct pgw_view local; /* of struct pgw_conninfo */

	/* For stepwise.h alone. */
	bool allow_modified;
	mz_kind_resume resume;
	int64_t lock_wait_ms;
};

/* What is to be done, and on what ground: a part of what a run has to do. */
struct mz_job {
	const struct mz_folder *folder;
	const struct mz_table *table;
	const struct mz_history *history; /* that the plan was made from */
	enum mz_shape shape;		  /* of the table, or of a new one */
	const struct mz_migration *const *todo;
	size_t count;
	size_t before, total; /* of the run: so many came before these */
	bool pooled;	      /* a pooler may take another server each time */
	bool doubtful; /* each row is asked for: a table may not keep it */

	/* Of each: its file, which is another one to UNDO; its survey, but not
	 * to RECORD; the row that records it, only to UNDO. */
	const struct mz_migration *const *scripts;
	const struct mz_survey *surveys;
	const struct mz_row *const *rows;
	struct mz_apply_options options;
};

/* The options as the file of todo[i] wants them. */
struct mz_apply_options mz_job_options(const struct mz_job *job, size_t i);

enum mz_ending {
	MZ_END_DONE,
	MZ_END_CONTENDED, /* someone else migrates: wait, read, plan again */
	MZ_END_STEPWISE,  /* it needs more than one transaction; none of it
		     is kept */
	MZ_END_RETRY,	  /* a lock was not to be had; nothing of it is kept */
	MZ_END_FAILED,	  /* a statement failed; err tells which */
	MZ_END_LOST,	  /* the connection; what COMMIT did may be unknown */
	MZ_END_INTERRUPTED,
};

struct mz_applied {
	enum mz_ending ending;
	size_t count;	     /* migrations that the server has committed */
	bool commit_unsure;  /* LOST while a COMMIT was unanswered */
	const char *waiters; /* CONTENDED: pids to give way to, or NULL */
};

/*
 * err is filled for RETRY, FAILED, LOST and INTERRUPTED.  Unless LOST, no
 * transaction is open when this returns.
 */
void mz_apply(struct mz_applied *out, const struct mz_job *job,
	      struct mz_arena *a, struct mz_db *db, struct mz_err *err);

#endif
