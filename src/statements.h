/* SPDX-License-Identifier: MIT */
/*
 * One migration's text as the statements that are sent: cut at Drizzle's
 * breakpoints, then at semicolons.  Offsets are bytes of the whole file.
 */
#ifndef MZ_STATEMENTS_H
#define MZ_STATEMENTS_H

#include "directive.h"
#include "folder.h"
#include "sql.h"

struct mz_statements {
	struct pgw_view text;
	struct pgw_view rest; /* chunks that are still to come */
	size_t chunk_at;      /* where the present chunk begins in text */
	size_t chunk_line;    /* lines of text before it */
	struct mz_sql sql;
};

void mz_statements_init(struct mz_statements *s, struct pgw_view text);

/* The next statement; false at the end.  The text is sound: see sendable. */
bool mz_statements_next(struct mz_statements *s, struct mz_sql_statement *st);

/* What a migrator must know of a script before it sends any of it. */
struct mz_survey {
	size_t statements;
	struct mz_directives directives;
	bool one_by_one; /* rows for COPY; savepoints: a pipeline could revive
			    a failure */

	/*
	 * It cannot run in one transaction of ours: what it can do there it
	 * does, in as many as it takes, and the rest without one.
	 */
	bool stepwise;
	bool calls_alone; /* CALL and DO, too, run without a transaction */
	bool has_cause;	  /* that is because of a statement, the first of ... */
	struct mz_sql_statement cause;
	size_t cause_column; /* of its first token */
};

void mz_statements_survey(struct pgw_view text, struct mz_survey *survey);

#endif
