/* SPDX-License-Identifier: MIT */
/*
 * Scripts on one connection, statement by statement, as psql runs them with
 * ON_ERROR_STOP: what it answers is printed, and the first failure is the end.
 */
#ifndef MZ_EXEC_H
#define MZ_EXEC_H

#include "command.h"
#include "db.h"
#include "reader.h"
#include "report_rows.h"

/*
 * Under one transaction statements are sent ahead: what fails makes the server
 * refuse the rest.  A copy of each is kept until it is answered.
 */
#define MZ_EXEC_AHEAD 64

struct mz_ahead {
	struct pgw_buf text; /* whole lines */
	size_t start, end;   /* of the statement in text */
	size_t text_line;    /* of the file, with which text begins */
	size_t line;	     /* of the statement */
};

struct mz_exec {
	struct mz_context *c;
	struct mz_db db;
	struct mz_rows rows;
	struct mz_reader input; /* stdin, for the rows of -c COPY */
	bool one_transaction;

	/* What runs now. */
	struct mz_reader *reader;
	struct mz_sql_statement st;
	struct mz_reader *row_reader; /* of a COPY, else NULL */
	size_t row_line;	      /* of its first row */
	struct mz_err rows_lost;      /* why rows could not be read, if so */

	struct mz_ahead ahead[MZ_EXEC_AHEAD];
	size_t ahead_first, ahead_count;
	const struct mz_ahead *culprit; /* of them, what failed */
	int64_t answer_us;		/* when the last answer came */

	size_t done; /* statements, of all scripts */
	size_t kept; /* of these, what the server has committed */
	bool failed;
	bool own; /* what runs is ours: BEGIN and its like */
	char tag[64];
	struct pgw_diag diag; /* of what failed */
	struct pgw_err lost;  /* code OK while the connection works */
};

/* Nothing in the script ends the one transaction that was asked for. */
bool mz_exec_fits(const struct mz_reader *r, const struct mz_sql_statement *st,
		  bool one_transaction, struct mz_err *err) PGW_MUST_CHECK;

/* Run one script to its end; the connection is open. */
bool mz_exec_script(struct mz_exec *e, struct mz_reader *r,
		    struct mz_err *err) PGW_MUST_CHECK;

void mz_exec_release(struct mz_exec *e);

/* exec_ahead.c: whether the statement may go before others are answered. */
bool mz_exec_goes_ahead(const struct mz_exec *e);

/* Send it.  False when the connection is lost, or anything has failed. */
bool mz_exec_send_ahead(struct mz_exec *e) PGW_MUST_CHECK;

/* The first of them is answered; NULL when there is none. */
const struct mz_ahead *mz_exec_answered(struct mz_exec *e);

/* BEGIN, COMMIT, and settings of ours. */
bool mz_exec_own(struct mz_exec *e, const char *sql,
		 struct mz_err *err) PGW_MUST_CHECK;

/* exec_fail.c: what happened, where, and what is left of the rest; false. */
bool mz_exec_fail(struct mz_exec *e, struct mz_err *err);

/* Something of ours, or of the script itself, went wrong: err is known. */
bool mz_exec_fail_more(struct mz_exec *e, struct mz_err *err);

#endif
