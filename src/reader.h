/* SPDX-License-Identifier: MIT */
/*
 * A script that is read through a window: statement by statement, and the rows
 * of a COPY piece by piece, however large it is.  What is in memory is as much
 * as one statement, or one row, needs.  The rows are taken out of the text, so
 * that what is on the line of a COPY goes on behind them, as it does in psql.
 */
#ifndef MZ_READER_H
#define MZ_READER_H

#include "arena.h"
#include "error.h"
#include "sql.h"

struct mz_reader {
	const char *name;    /* of the file; borrowed */
	const char *path;    /* NULL = there is no file of that name */
	const char *literal; /* the script itself, in place of a file */
	int fd;		     /* -1 = none: all is in the window */
	bool owned;	     /* close fd */
	bool rewinds;	     /* a plain file, which can be read again */
	int64_t origin;	     /* where in it the script begins */
	int interrupt_fd;    /* readable = stop waiting for more */

	struct pgw_buf window;
	struct pgw_view text; /* of it, whole lines; all of it at the end */
	bool eof;	      /* nothing more is to come */
	bool started;	      /* its first bytes were looked at */
	struct mz_sql sql;    /* over text */
	size_t line;	      /* of the window's first byte, from 1 */
	size_t line_start;    /* the byte that the present line begins with */

	/* From the byte cut_at on lines are cut_lines more: rows stood there */
	size_t cut_at, cut_lines;

	/* The COPY whose rows are being read: its lines, and what follows it */
	struct pgw_buf head, rest;
	size_t head_line, rest_line; /* in which they begin */
	size_t given;		     /* bytes of the window that were given */
	bool rows_over;
	bool raw; /* rows without SQL: the end of the file is their end */
};

/* "-" is stdin.  Statuses: usage. */
bool mz_reader_open(struct mz_reader *r, const char *path, int interrupt_fd,
		    struct mz_err *err) PGW_MUST_CHECK;

/* A script that is there already; text and name are borrowed. */
void mz_reader_text(struct mz_reader *r, const char *name, const char *text);

/* stdin, for rows alone. */
void mz_reader_rows_only(struct mz_reader *r, int interrupt_fd);
void mz_reader_close(struct mz_reader *r);

/* Back to its beginning; only if r->rewinds. */
bool mz_reader_rewind(struct mz_reader *r, struct mz_err *err) PGW_MUST_CHECK;

/*
 * The next statement; *st counts bytes of r->text, until the next call.  At the
 * end *more is false.  Statuses: usage when the script goes wrong, which err
 * tells with its place; connect when a signal came.
 */
bool mz_reader_next(struct mz_reader *r, struct mz_sql_statement *st,
		    bool *more, struct mz_err *err) PGW_MUST_CHECK;

/*
 * The rows of that statement, which is a COPY: begin, take them until there are
 * none, end, which passes over those that nobody wanted.  Meanwhile *st counts
 * bytes of r->head.  st is NULL for a reader of rows alone.
 */
bool mz_reader_rows_begin(struct mz_reader *r, struct mz_sql_statement *st,
			  struct mz_err *err) PGW_MUST_CHECK;
bool mz_reader_rows(struct mz_reader *r, struct pgw_view *rows,
		    struct mz_err *err) PGW_MUST_CHECK;
bool mz_reader_rows_end(struct mz_reader *r, struct mz_err *err) PGW_MUST_CHECK;

/* Line and column in the file of a byte of r->text. */
void mz_reader_place(const struct mz_reader *r, size_t at, size_t *line,
		     size_t *column);

/*
 * That line of the file, read anew, without its end: NULL when it cannot be.
 * Very long ones are cut.
 */
const char *mz_reader_line(const struct mz_reader *r, struct mz_arena *a,
			   size_t line);

#endif
