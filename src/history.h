/* SPDX-License-Identifier: MIT */
/*
 * The history: Drizzle's table of what was applied, in its 3-column (0.x) or
 * 5-column (1.x) shape.  One query reads it; with nothing to do it is the
 * only one.
 */
#ifndef MZ_HISTORY_H
#define MZ_HISTORY_H

#include "arena.h"
#include "db.h"
#include "error.h"
#include "folder.h"
#include "partial.h"

/* Where the table is; both are valid UTF-8 without NUL. */
struct mz_table {
	const char *schema, *name;
	const char *quoted; /* "schema"."name", to be put into SQL */
	int64_t lock_key;   /* of the advisory lock that guards it */
	bool no_advisory;   /* there is none: then the table's must do */
};

bool mz_table_init(struct mz_table *t, struct mz_arena *a, const char *schema,
		   const char *name, struct mz_err *err) PGW_MUST_CHECK;

struct mz_row {
	int64_t id;
	const char *hash;
	bool has_when;
	int64_t when;		/* created_at */
	const char *name;	/* NULL = none, always so in 3 columns */
	const char *applied_at; /* as the server prints it, or NULL */
};

enum mz_shape {
	MZ_SHAPE_ABSENT, /* no table yet: a normal answer */
	MZ_SHAPE_COLUMNS_3,
	MZ_SHAPE_COLUMNS_5, /* told by the column "name" */
};

struct mz_history {
	enum mz_shape shape;
	bool busy; /* the table is locked: someone migrates; rows unknown */
	struct mz_row *rows; /* by id */
	size_t count;

	/* What the same query says of the server and of us. */
	int version; /* server_version_num */
	const char *user, *database;
	int backend_pid;
	bool in_recovery, read_only;

	/* What is asked only when there is something to do. */
	bool has_rights;
	bool exists; /* the table, by then */
	bool schema_exists, may_create_schema, may_use_schema;
	bool may_create_table, may_insert, may_lock;
	bool has_advisory; /* locks, and the right to take one */
	bool hides_rows;   /* to this role there may be more than it sees */
	bool has_partials; /* they are to be asked for: mz_partials_read */
	struct mz_partials partials;
};

/* Read it all.  A table that is locked for long is no failure, but busy. */
bool mz_history_read(struct mz_history *h, struct mz_arena *a, struct mz_db *db,
		     const struct mz_table *t,
		     struct mz_err *err) PGW_MUST_CHECK;

/*
 * Ask for has_rights and what follows, unless that is known.  Status refused
 * where rows may be hidden.
 */
bool mz_history_rights(struct mz_history *h, struct mz_arena *a,
		       struct mz_db *db, const struct mz_table *t,
		       struct mz_err *err) PGW_MUST_CHECK;

/*
 * Whether this role on this server can apply anything; else status refused.
 * The rights must be known.
 */
bool mz_history_writable(const struct mz_history *h, const struct mz_table *t,
			 struct mz_err *err) PGW_MUST_CHECK;

/*
 * What Drizzle 1.x would call a migration: its folder's name, or what
 * `drizzle-kit up` would make of a journal's tag.
 */
const char *mz_history_name(struct mz_arena *a, enum mz_layout layout,
			    const struct mz_migration *m);

/* ---- SQL, of which nothing but quoted names and checked values is put in */

/* Create what is missing, exactly as Drizzle does; "" when nothing is. */
const char *mz_history_create_sql(struct mz_arena *a, const struct mz_table *t,
				  const struct mz_history *h,
				  enum mz_shape shape);

/* Remove just this row; fails where it does not go. */
const char *mz_history_remove_sql(struct mz_arena *a, const struct mz_table *t,
				  const struct mz_row *row);

/* The rows of n migrations, in this order. */
struct mz_new_rows {
	enum mz_shape shape;
	enum mz_layout layout;
	const struct mz_migration *const *list;
	size_t n;
};

const char *mz_history_insert_sql(struct mz_arena *a, const struct mz_table *t,
				  const struct mz_new_rows *rows);

/* The same, and fail unless the table keeps them: a trigger may not want to. */
const char *mz_history_keep_sql(struct mz_arena *a, const struct mz_table *t,
				const struct mz_new_rows *rows);

#endif
