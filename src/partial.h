/* SPDX-License-Identifier: MIT */
/*
 * How far a migration has come that does not fit in one transaction: a row in
 * a table of our own beside the history, which is there only while there is
 * one that stopped midway.  Whoever goes on with it puts his token there;
 * every step checks that it is still his.
 */
#ifndef MZ_PARTIAL_H
#define MZ_PARTIAL_H

#include "arena.h"
#include "db.h"

struct mz_table;

#define MZ_PARTIAL_TABLE "__mizzle_progress"

struct mz_partial {
	const char *tag;
	const char *hash;   /* of the file that was begun with */
	const char *done;   /* SHA-256 of the file up to what is finished */
	size_t finished;    /* so many statements are done, and kept */
	size_t statements;  /* of the file */
	size_t running;	    /* one was begun outside of a transaction; or 0 */
	const char *before; /* OIDs that were there before that: "{1,2}" */
	bool existed;	    /* what it makes or removes was there */
	const char *at;	    /* when the row was written last */
};

struct mz_partials {
	bool known; /* they were asked for */
	struct mz_partial *rows;
	size_t count;
};

/* All rows of that history; the table was there a moment ago. */
bool mz_partials_read(struct mz_partials *p, struct mz_arena *a,
		      struct mz_db *db, const struct mz_table *t,
		      struct mz_err *err) PGW_MUST_CHECK;

/* NULL when there is none of that tag. */
const struct mz_partial *mz_partials_find(const struct mz_partials *p,
					  const char *tag);

/* Whether the table is there: a column of a SELECT that asks nothing of it. */
const char *mz_partial_exists_sql(struct mz_arena *a, const struct mz_table *t);

/* ---- what a run writes; token and tag say whose row it is */

struct mz_partial_key {
	const struct mz_table *table;
	const char *tag, *token;
};

const char *mz_partial_create_sql(struct mz_arena *a, const struct mz_table *t);

/*
 * The row is ours, whosever it was; answers with the row.  hash and statements
 * are for a new row.
 */
const char *mz_partial_take_sql(struct mz_arena *a,
				const struct mz_partial_key *k,
				const char *hash, size_t statements);

/* Read the answer. */
void mz_partial_of_row(struct mz_partial *p, struct mz_arena *a,
		       const struct pgw_row *row);

/* The row as it is, if it is still ours. */
const char *mz_partial_look_sql(struct mz_arena *a,
				const struct mz_partial_key *k);

/* From now on it is the row of this file: what is finished is the same. */
const char *mz_partial_adopt_sql(struct mz_arena *a,
				 const struct mz_partial_key *k,
				 const char *hash, size_t statements);

/* That statement begins, and what was there before it. */
const char *mz_partial_begin_sql(struct mz_arena *a,
				 const struct mz_partial_key *k,
				 size_t statement, const char *before,
				 bool existed);

/* So many statements are finished, up to a place with that SHA-256. */
const char *mz_partial_finish_sql(struct mz_arena *a,
				  const struct mz_partial_key *k,
				  size_t statements, const char *done);

/*
 * Take the row away.  The second says whether the table is empty then, and
 * ours to drop, which the third does; it fails when others are at the table.
 */
const char *mz_partial_delete_sql(struct mz_arena *a, const struct mz_table *t,
				  const char *tag);

const char *mz_partial_empty_sql(struct mz_arena *a, const struct mz_table *t);
const char *mz_partial_drop_sql(struct mz_arena *a, const struct mz_table *t);

/* Whether a failed step says that the row is another runner's. */
bool mz_partial_is_lost(const struct pgw_err *cause);

#endif
