/* SPDX-License-Identifier: MIT */
/* A name of SQL as the server's own functions take it that parse names. */
#ifndef MZ_SQL_NAME_H
#define MZ_SQL_NAME_H

#include "arena.h"
#include "sql_lex.h"

/*
 * The name that follows in l, with its schema: without comments, and with what
 * U&"..." means in its place.  NULL when there is none.
 */
const char *mz_sql_name(struct mz_arena *a, struct mz_lex *l);

#endif
