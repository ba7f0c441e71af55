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

	/* Of a text that grows */
	bool open;    /* more of it may come */
	bool starved; /* next or rows gave false for want of that */
	size_t from;  /* where next began to look, behind a COPY's rows */
};

void mz_statements_init(struct mz_statements *s, struct pgw_view text);

/* The next statement; false at the end, and on a problem: see s->sql. */
bool mz_statements_next(struct mz_statements *s, struct mz_sql_statement *st);

/*
 * A text that grows: begin with nothing of it, and grow whenever s->starved.
 * Each time text is the same with more bytes at its end, whole lines unless
 * last; offsets stay.  What is before the line of mz_statements_at is not
 * looked at any more.
 */
void mz_statements_begin(struct mz_statements *s, const unsigned char *p);
void mz_statements_grow(struct mz_statements *s, struct pgw_view text,
			bool last);
size_t mz_statements_at(const struct mz_statements *s);

/* Where next or rows would go on: behind that, or behind rows that are given.
 */
size_t mz_statements_front(const struct mz_statements *s);

/*
 * Then the rows of a COPY come by themselves, piece by piece, and have to be
 * taken before the next statement is: none are left when *rows is empty, and
 * st->data_end is known.  False when s is starved, and when their end is
 * missing, which s->sql.problem tells.  Given rows are not looked at again.
 */
bool mz_statements_rows(struct mz_statements *s, struct mz_sql_statement *st,
			struct pgw_view *rows);

/*
 * Line and column in the file of a byte of the text at or behind the start of
 * st, which next gave last.
 */
void mz_statements_place(struct pgw_view text,
			 const struct mz_sql_statement *st, size_t at,
			 size_t *line, size_t *column);

/* The same of the problem that ended it; *at is its byte. */
void mz_statements_problem(const struct mz_statements *s, size_t *at,
			   size_t *line, size_t *column);

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

	/* The first statement that is the cause of that, if one is. */
	struct mz_cause {
		const char *what; /* NULL = none is */
		enum mz_sql_kind kind;
		size_t line, column; /* of its first token */
	} cause;
};

void mz_statements_survey(struct pgw_view text, struct mz_survey *survey);

/* Values that were added, and may be used further down.  More are not watched:
 * the server refuses their use, which is found out then. */
#define MZ_ADDED_MAX 64

/* The same, statement by statement. */
struct mz_surveyor {
	struct mz_survey *survey;
	struct mz_arena *arena; /* keeps what is remembered; NULL: text stays */
	struct pgw_view added[MZ_ADDED_MAX];
	size_t nadded;
};

void mz_surveyor_init(struct mz_surveyor *v, struct mz_survey *survey,
		      const struct mz_directives *asked);
void mz_surveyor_take(struct mz_surveyor *v, const struct mz_statements *list,
		      const struct mz_sql_statement *st);

#endif
