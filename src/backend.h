/* SPDX-License-Identifier: MIT */
/*
 * Other sessions of the server, as pg_stat_activity shows them: read, named in
 * a line, and how to end them.
 */
#ifndef MZ_BACKEND_H
#define MZ_BACKEND_H

#include "arena.h"
#include "event.h"

/*
 * The columns of a query whose FROM has the pids as b(pid) and then
 * MZ_BACKEND_JOIN.  What we may not see is null.
 */
#define MZ_BACKEND_COLUMNS                                                \
	"b.pid, s.usename, s.application_name, s.client_addr, "           \
	"s.backend_type, s.state, "                                       \
	"pg_catalog.to_char(pg_catalog.timezone('UTC', " MZ_BACKEND_SINCE \
	"), "                                                             \
	"'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "                             \
	"pg_catalog.date_part('epoch', pg_catalog.age("                   \
	"pg_catalog.clock_timestamp(), " MZ_BACKEND_SINCE                 \
	"))::pg_catalog.int8, "                                           \
	"pg_catalog.date_part('epoch', pg_catalog.age("                   \
	"pg_catalog.clock_timestamp(), s.xact_start))::pg_catalog.int8, " \
	"pg_catalog.left(s.query, 1000), "                                \
	"pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(b.pid), ',')"
#define MZ_BACKEND_SINCE                                     \
	"CASE WHEN s.state OPERATOR(pg_catalog.=) 'active' " \
	"THEN s.query_start ELSE s.state_change END"
#define MZ_BACKEND_JOIN                            \
	"LEFT JOIN pg_catalog.pg_stat_activity s " \
	"ON s.pid OPERATOR(pg_catalog.=) b.pid"
#define MZ_BACKEND_NCOLS 11

/* The next columns of a row; all text is the arena's. */
void mz_backend_read(struct mz_backend *b, struct mz_arena *a,
		     struct pgw_view *cols);

/*
 * "pid 123, user bob, application psql, from 10.0.0.7, idle in transaction for
 * 5m: "select ..."", with the first line of the query.  Still foreign text.
 */
const char *mz_backend_text(struct mz_arena *a, const struct mz_backend *b);

/* What ends it: SQL for an administrator, and what that does. */
struct mz_remedy {
	const char *sql; /* NULL = none that we know of */
	const char *effect;
};

struct mz_remedy mz_backend_remedy(struct mz_arena *a,
				   const struct mz_backend *b);

/* "0s", "90s" as "1m30s", "5m", "2h5m", "3d4h" */
#define MZ_SPAN_MAX 32
void mz_span(char out[MZ_SPAN_MAX], int64_t seconds);

/*
 * The first line of text that is not blank, in whole characters of UTF-8 and
 * with a mark if that is not all of it; room counts the NUL, and is 8 or more.
 */
void mz_first_line(char *out, size_t room, struct pgw_view text);

/* The same without that mark. */
const char *mz_without_mark(struct mz_arena *a, const char *line);

#endif
