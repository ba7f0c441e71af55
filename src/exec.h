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
	int64_t start_us;

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

/* BEGIN, COMMIT, and settings of ours. */
bool mz_exec_own(struct mz_exec *e, const char *sql,
		 struct mz_err *err) PGW_MUST_CHECK;

/* exec_fail.c: what happened, where, and what is left of the rest; false. */
bool mz_exec_fail(struct mz_exec *e, struct mz_err *err);

/* Something of ours, or of the script itself, went wrong: err is known. */
bool mz_exec_fail_more(struct mz_exec *e, struct mz_err *err);

#endif
