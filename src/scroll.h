/* SPDX-License-Identifier: MIT */
/*
 * The file of a migration as a text that is only partly in memory, however
 * large it is: what is not needed any more is forgotten while the next is
 * read.  Bytes keep their offsets, which are those of the file, because the
 * addresses for all of it are taken at once, and the memory behind them is
 * given back.
 *
 * A file of up to a window is there whole, and known to be what was hashed.
 * Of a larger one that is known when its end is read, and not before: until
 * then nothing may be done with it that cannot be undone.
 */
#ifndef MZ_SCROLL_H
#define MZ_SCROLL_H

#include "file.h"
#include "statements.h"

/* Read at a time. */
#define MZ_SCROLL_WINDOW ((size_t)1 << 20)

struct mz_scroll {
	const struct mz_migration *m;
	struct mz_file file;
	unsigned char *base; /* of the file's first byte */
	size_t room;	     /* bytes behind base */
	bool mapped;	     /* memory can be given back */
	size_t window;	     /* bytes, see above */
	size_t filled;	     /* bytes that were read */
	size_t forgotten;    /* bytes before it may be gone */
	bool eof;	     /* all is read, and what was hashed */
	struct mz_hasher hasher;
	size_t hashed;

	struct pgw_view text;	   /* the whole lines of it; at the end all */
	size_t given;		   /* bytes of it that mz_scroll_lines gave */
	size_t keep_from, keep_to; /* these, once they are there, stay */

	/* While statements are taken, it sees the lines before they are cut. */
	void (*look)(void *ctx, struct pgw_view lines);
	void *look_ctx;

	struct mz_statements list;
	struct mz_sql_statement present; /* a COPY whose rows are not taken */
	bool has_rows;
};

/*
 * Fails when the file cannot be read, or is not what was hashed; so do the
 * others.  A window of 0 is MZ_SCROLL_WINDOW.  Close it also after a failure.
 */
bool mz_scroll_open(struct mz_scroll *s, const struct mz_migration *m,
		    size_t window, struct mz_err *err) PGW_MUST_CHECK;
void mz_scroll_close(struct mz_scroll *s);

/* The same as the drop of a hold: arena.h. */
void mz_scroll_drop(void *scroll);

/*
 * The next statement, whose bytes, from the beginning of its line on, are
 * there until the next call.  *more is false at the end, and when
 * s->list.sql.problem is in the way; then mz_statements_problem tells where.
 * A COPY has no data_end yet.
 */
bool mz_scroll_next(struct mz_scroll *s, struct mz_sql_statement *st,
		    bool *more, struct mz_err *err) PGW_MUST_CHECK;

/* The next rows of a COPY; empty when there are no more, or on a problem. */
bool mz_scroll_rows(struct mz_scroll *s, struct pgw_view *rows,
		    struct mz_err *err) PGW_MUST_CHECK;

/*
 * In place of statements, or behind the last one that is taken, or before the
 * first one if s->keep_to keeps all: the next whole lines, one window after
 * another, empty at the end.  Those before are forgotten, but for what
 * s->keep_from and s->keep_to say.
 */
bool mz_scroll_lines(struct mz_scroll *s, struct pgw_view *lines,
		     struct mz_err *err) PGW_MUST_CHECK;

#endif
