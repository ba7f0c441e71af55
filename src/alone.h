/* SPDX-License-Identifier: MIT */
/*
 * A statement that runs outside of a transaction may stop midway, or be done
 * without anybody having heard of it.  This is how to find out, by questions
 * to the server's catalogs, and what to clean up.  Pure: SQL comes out.
 */
#ifndef MZ_ALONE_H
#define MZ_ALONE_H

#include "arena.h"
#include "sql_trait.h"

enum mz_alone_kind {
	MZ_ALONE_AGAIN,	     /* to run it once more does no harm: VACUUM */
	MZ_ALONE_INDEX,	     /* CREATE INDEX CONCURRENTLY */
	MZ_ALONE_DROP_INDEX, /* DROP INDEX CONCURRENTLY */
	MZ_ALONE_REINDEX,    /* REINDEX ... CONCURRENTLY */
	MZ_ALONE_DETACH,     /* ALTER TABLE ... DETACH ... CONCURRENTLY */
	MZ_ALONE_MAKE,	     /* CREATE DATABASE and its like */
	MZ_ALONE_REMOVE,     /* DROP DATABASE, COMMIT PREPARED ... */
	MZ_ALONE_UNKNOWN,    /* CALL: what it has done nobody can tell */
};

struct mz_alone {
	enum mz_alone_kind kind;
	const char *name;  /* of the index, the partition, the object; as it
			      is written, or NULL */
	const char *table; /* of the index or the partition, as written */
	const char *catalog, *column; /* where MAKE and REMOVE find it */
	bool literal;		      /* the name is a string */
};

/* what is the statement's, of struct mz_sql_statement. */
void mz_alone_of(struct mz_alone *k, struct mz_arena *a,
		 const struct mz_sql_text *s, const char *what);

/* ---- expressions: the indexes that there are, and whether the object is */

const char *mz_alone_before_sql(struct mz_arena *a, const struct mz_alone *k);
const char *mz_alone_existed_sql(struct mz_arena *a, const struct mz_alone *k);

/* ---- questions; before and existed are what those two gave */

/* One boolean: it was done.  NULL: that cannot be known, or is no matter. */
const char *mz_alone_done_sql(struct mz_arena *a, const struct mz_alone *k,
			      const char *before, bool existed);

/*
 * One row for each index that it left behind invalid, quoted with its schema,
 * and that nobody builds just now.  NULL: it leaves none.
 */
const char *mz_alone_leftovers_sql(struct mz_arena *a, const struct mz_alone *k,
				   const char *before);

/* Drops one of them. */
const char *mz_alone_drop_sql(struct mz_arena *a, const char *index);

/* One boolean: a part is done, and finish completes it.  NULL: no such. */
const char *mz_alone_halfway_sql(struct mz_arena *a, const struct mz_alone *k);
const char *mz_alone_finish_sql(struct mz_arena *a, const struct mz_alone *k);

/* Rows of who runs that very statement just now: pid. */
const char *mz_alone_running_sql(struct mz_arena *a, struct pgw_view statement);

#endif
