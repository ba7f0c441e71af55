/* SPDX-License-Identifier: MIT */
/*
 * What the commands that look at folder and history share: both, the
 * connection, and the plan that follows from them.
 */
#ifndef MZ_WORK_H
#define MZ_WORK_H

#include "command.h"
#include "dangers.h"
#include "db.h"
#include "plan.h"
#include "statements.h"

struct mz_work {
	struct mz_context *c;
	struct mz_folder folder;
	struct mz_table table;
	struct pgw_config cfg;
	struct mz_hold hold; /* of cfg */
	struct mz_db db;
	struct mz_history history;
	struct mz_plan plan;
	struct mz_wish wish;
	struct mz_survey *surveys;  /* of each of plan.todo: mz_work_survey */
	struct mz_dangers *dangers; /* likewise */
	bool *stepwise; /* of each of folder: found out by trying, see apply.h
			 */
};

/*
 * Settle the options, load the folder, connect.  A folder that is wrong is
 * found before anything is sent.  Close it also after a failure.
 */
bool mz_work_open(struct mz_work *w, struct mz_context *c,
		  struct mz_err *err) PGW_MUST_CHECK;
void mz_work_close(struct mz_work *w);

/*
 * Read the history and make the plan.  A history that is locked leaves
 * history.busy, and no plan.
 */
bool mz_work_read(struct mz_work *w, struct mz_err *err) PGW_MUST_CHECK;

/* The same for those who only look: busy is a failure that says who it is. */
bool mz_work_look(struct mz_work *w, struct mz_err *err) PGW_MUST_CHECK;

/*
 * What is asked for only when there is something to do: the rights, and what
 * stopped midway.  mz_work_read does that for what is pending.
 */
bool mz_work_rights(struct mz_work *w, struct mz_err *err) PGW_MUST_CHECK;

/* Whether anything can be changed here; else status refused, as a rule. */
bool mz_work_writable(struct mz_work *w, struct mz_err *err) PGW_MUST_CHECK;

/* Choose what to apply, and tell what the user should know about it. */
bool mz_work_choose(struct mz_work *w, struct mz_err *err) PGW_MUST_CHECK;

/*
 * Read every script that is to be applied, before any of it is sent.  Fails
 * where one is not sound or asks for what we do not know; what cannot run is
 * only noted.
 */
bool mz_work_survey(struct mz_work *w, struct mz_err *err) PGW_MUST_CHECK;

/* Fails, with its place, for the first that does not go with --transaction all.
 */
bool mz_work_runs(struct mz_work *w, struct mz_err *err) PGW_MUST_CHECK;

#endif
