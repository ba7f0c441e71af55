/* SPDX-License-Identifier: MIT */
/*
 * What a statement does beyond its kind, as far as its words tell.  statement
 * is one statement of a script; backslashes says how its strings are read.
 */
#ifndef MZ_SQL_TRAIT_H
#define MZ_SQL_TRAIT_H

#include "sql.h"

struct mz_sql_text {
	struct pgw_view statement;
	bool backslashes; /* standard_conforming_strings is off */
};

/* It changes a setting, or the role, for the rest of the session. */
bool mz_sql_sets_session(const struct mz_sql_text *s);

/* CALL or DO, which may commit by themselves; what is the statement's. */
bool mz_sql_is_call(const char *what);

/*
 * ALTER TYPE ... ADD VALUE: *value gets what stands in its quotes.  PostgreSQL
 * lets nobody use such a value before it is committed.
 */
bool mz_sql_adds_value(const struct mz_sql_text *s, struct pgw_view *value);

/* It has that value as a string, or within the body of a function or a DO. */
bool mz_sql_uses_value(const struct mz_sql_text *s, struct pgw_view value);

#endif
