/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's lexical rules, as psql knows them: cut a script into statements
 * and say of each what a migrator must know.  No parser: what it cannot
 * understand it still cuts right.  No I/O, no allocation, no recursion.
 */
#ifndef MZ_SQL_H
#define MZ_SQL_H

#include "pgw.h"

enum mz_sql_kind {
	MZ_SQL_PLAIN,	   /* runs anywhere */
	MZ_SQL_BEGIN,	   /* BEGIN, START TRANSACTION */
	MZ_SQL_COMMIT,	   /* COMMIT, END, PREPARE TRANSACTION, ... AND CHAIN */
	MZ_SQL_ROLLBACK,   /* ROLLBACK, ABORT; not ROLLBACK TO */
	MZ_SQL_SAVEPOINT,  /* SAVEPOINT, RELEASE, ROLLBACK TO: stays inside */
	MZ_SQL_ALONE,	   /* cannot run inside a transaction block */
	MZ_SQL_COPY_STDIN, /* COPY ... FROM STDIN: rows follow */
};

struct mz_sql_statement {
	size_t start, end; /* bytes of text: first token up to before the ; */
	size_t data_start, data_end; /* COPY_STDIN with copy_data: its rows */
	bool ended;   /* by a semicolon, not by the end of the text */
	size_t count; /* the how-manieth statement of this text, from 1 */
	size_t line;  /* of its first token, from 1 */
	enum mz_sql_kind kind;
	const char *what; /* "CREATE INDEX CONCURRENTLY", ...; see sql_kind.c */
};

/* Where it ends with all that belongs to it. */
static inline size_t mz_sql_end_of(const struct mz_sql_statement *st)
{
	return st->data_start > 0 ? st->data_end : st->end;
}

enum mz_sql_problem {
	MZ_SQL_OK,
	MZ_SQL_UNTERMINATED_QUOTE,	/* '...' and E'...' */
	MZ_SQL_UNTERMINATED_IDENTIFIER, /* "..." */
	MZ_SQL_UNTERMINATED_DOLLAR,	/* $tag$ ... */
	MZ_SQL_UNTERMINATED_COMMENT,
	MZ_SQL_UNTERMINATED_COPY, /* data without its \. */
	MZ_SQL_CUT_BY_COPY, /* begins on the line of a COPY, ends behind it */
	MZ_SQL_BACKSLASH,   /* a command of psql's, or nonsense */
};

/* What keeps a semicolon from ending a statement; for sql.c alone. */
struct mz_sql_nesting {
	size_t parens;
	size_t blocks; /* BEGIN ATOMIC, and CASE inside, without their END */
	unsigned char head, before;
};

/* What was looked for at from, up to the byte at, behind one of its symbols. */
struct mz_sql_part {
	size_t from, at, start, end;
	struct mz_sql_nesting nesting;
};

struct mz_sql {
	struct pgw_view text;
	size_t at; /* where the next statement is looked for */
	size_t count;
	size_t line, line_at; /* line_at, which is before at, is in line */
	bool standard_conforming_strings; /* true unless the server says off */

	/*
	 * What psql knows of a script: the rows of COPY ... FROM STDIN stand
	 * from the next line on, up to a line with \. alone, and what else is
	 * on its own line comes before them; \restrict and \unrestrict, which
	 * pg_dump writes, mean nothing to us, and other commands with a
	 * backslash are a problem.  Both are off at first.
	 */
	bool copy_data, backslash;

	/*
	 * Not all of the text may be there: rows are not looked for.  Who
	 * calls takes them from resume on, moves it behind them, and counts
	 * their lines; see statements.h.
	 */
	bool rows_apart;
	size_t row_lines;

	size_t line_end; /* of a COPY's line, while resume is behind its rows */
	size_t resume;	 /* 0 = there are none */
	enum mz_sql_problem problem;
	size_t problem_at; /* the byte where it stands, or began */

	/* Of the next statement: it counts while from is where at is. */
	struct mz_sql_part seen;
};

void mz_sql_init(struct mz_sql *s, struct pgw_view text);

/*
 * The next statement; empty ones (blank, comments only) are passed over.
 * False at the end of the text, and on a problem, which s->problem tells.
 * A SET standard_conforming_strings in the text counts for what follows it;
 * who knows better may set the field between two calls.
 */
bool mz_sql_next(struct mz_sql *s, struct mz_sql_statement *st);

/*
 * Back to what s was before the last mz_sql_next, for another one when more of
 * the text is there; it goes on where that one found its end.
 */
void mz_sql_back(struct mz_sql *s, const struct mz_sql *before);

/*
 * Count the lines before s->at now: then the text before it may be forgotten.
 */
void mz_sql_count_lines(struct mz_sql *s);

const char *mz_sql_problem_text(enum mz_sql_problem problem);

/*
 * The end of rows that begin at the byte from: *end is before the line with \.
 * and *behind is behind it.  False when there is no such line.
 */
bool mz_sql_rows_end(struct pgw_view text, size_t from, size_t *end,
		     size_t *behind);

/* The name of the command that the backslash at that byte begins. */
struct pgw_view mz_sql_command(struct pgw_view text, size_t at);

/*
 * Line and column (both from 1, the column in characters) of a byte of text.
 * Lines end with LF; the CR of a CRLF is the last character of its line.  A
 * byte that is not UTF-8 is a character.
 */
void mz_sql_place(struct pgw_view text, size_t at, size_t *line,
		  size_t *column);

/* How many line ends there are in it. */
size_t mz_sql_lines(struct pgw_view text);

/*
 * The byte offset of PostgreSQL's error position: characters from 1 within
 * the text that was sent.  A position past the end gives the end.
 */
size_t mz_sql_offset(struct pgw_view text, size_t position);

#endif
