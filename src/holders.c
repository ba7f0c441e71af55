/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "holders.h"

#include "sqltext.h"

#include <inttypes.h>

#define NOT_US "l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()"

/* The number that is locked is cut in two. */
const char *mz_lock_is_advisory(struct mz_arena *a, const struct mz_table *t)
{
	uint64_t key = (uint64_t)t->lock_key;

	return mz_printf(
		a,
		"(l.locktype OPERATOR(pg_catalog.=) 'advisory' "
		"AND l.database OPERATOR(pg_catalog.=) " MZ_THIS_DATABASE " "
		"AND l.classid OPERATOR(pg_catalog.=) %" PRIu64
		"::pg_catalog.int8::pg_catalog.oid "
		"AND l.objid OPERATOR(pg_catalog.=) %" PRIu64
		"::pg_catalog.int8::pg_catalog.oid "
		"AND l.objsubid OPERATOR(pg_catalog.=) 1)",
		key >> 32, key & UINT32_MAX);
}

const char *mz_lock_is_history(struct mz_arena *a, const struct mz_table *t)
{
	return mz_printf(
		a,
		"(l.locktype OPERATOR(pg_catalog.=) 'relation' "
		"AND l.database OPERATOR(pg_catalog.=) " MZ_THIS_DATABASE " "
		"AND l.mode OPERATOR(pg_catalog.<>) 'AccessShareLock' "
		"AND l.relation OPERATOR(pg_catalog.=) (SELECT c.oid "
		"FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
		"ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
		"WHERE n.nspname OPERATOR(pg_catalog.=) %s "
		"AND c.relname OPERATOR(pg_catalog.=) %s))",
		mz_quote_literal(a, t->schema), mz_quote_literal(a, t->name));
}

const char *mz_holder_sql(struct mz_arena *a, const struct mz_table *t,
			  const char *migrators)
{
	const char *or_migrator =
		migrators ? mz_printf(a,
				      "OR (l.locktype OPERATOR(pg_catalog.=) "
				      "'virtualxid' AND l.pid "
				      "OPERATOR(pg_catalog.=) "
				      "ANY (ARRAY[%s]))",
				      migrators) :
			    "";

	return mz_printf(a,
			 "SELECT " MZ_BACKEND_COLUMNS " FROM (SELECT l.pid "
			 "FROM pg_catalog.pg_locks l WHERE l.granted "
			 "AND " NOT_US
			 " AND (%s OR %s %s) LIMIT 1) b " MZ_BACKEND_JOIN,
			 mz_lock_is_advisory(a, t), mz_lock_is_history(a, t),
			 or_migrator);
}

/* What a session holds, in words. */
#define WHAT                                                      \
	"CASE WHEN l.locktype OPERATOR(pg_catalog.=) 'advisory' " \
	"THEN 'the migration lock' ELSE 'the history table (' "   \
	"OPERATOR(pg_catalog.||) l.mode OPERATOR(pg_catalog.||) " \
	"')' END"

/*
 * While a migration runs outside of a transaction, its lock is held by a
 * second connection: the first is known by the name that all of ours have.
 */
#define WORKERS                                                            \
	"SELECT w.pid FROM pg_catalog.pg_stat_activity w "                 \
	"WHERE w.application_name OPERATOR(pg_catalog.=) '" PACKAGE_NAME   \
	"' AND w.datname OPERATOR(pg_catalog.=) "                          \
	"pg_catalog.current_database() "                                   \
	"AND w.state OPERATOR(pg_catalog.=) 'active' "                     \
	"AND w.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() "   \
	"AND w.pid OPERATOR(pg_catalog.<>) ALL (SELECT pid FROM holders) " \
	"AND EXISTS (SELECT 1 FROM holders) "                              \
	"AND w.query_start OPERATOR(pg_catalog.<) "                        \
	"(pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) "            \
	"'1 second'::pg_catalog.interval)"

/* Whoever blocks a blocker is to be known, too; there is an end to it. */
#define BLOCKERS                                                           \
	"blockers(pid, of) AS (SELECT x.pid, m.pid FROM (SELECT pid FROM " \
	"holders UNION SELECT pid FROM workers) m, LATERAL "               \
	"pg_catalog.unnest(pg_catalog.pg_blocking_pids(m.pid)) x(pid) "    \
	"UNION SELECT x.pid, k.pid FROM blockers k, LATERAL "              \
	"pg_catalog.unnest(pg_catalog.pg_blocking_pids(k.pid)) x(pid))"

const char *mz_locks_sql(struct mz_arena *a, const struct mz_table *t)
{
	const char *history = mz_lock_is_history(a, t);

	return mz_printf(
		a,
		"WITH RECURSIVE l AS MATERIALIZED "
		"(SELECT * FROM pg_catalog.pg_locks), "
		"holders(pid, what) AS (SELECT l.pid, "
		"pg_catalog.string_agg(DISTINCT " WHAT ", ', ') FROM l "
		"WHERE l.granted AND " NOT_US " AND (%s OR %s) "
		"GROUP BY l.pid), "
		"workers(pid) AS (" WORKERS "), " BLOCKERS " "
		"SELECT b.role, b.of, b.what, " MZ_BACKEND_COLUMNS " FROM ("
		"SELECT 'holder' AS role, NULL::pg_catalog.int4 AS of, what, "
		"pid FROM holders "
		"UNION ALL SELECT 'worker', NULL, NULL, pid FROM workers "
		"UNION ALL (SELECT 'blocker', of, NULL, pid FROM blockers "
		"LIMIT 100) "
		"UNION ALL SELECT DISTINCT 'waiter', NULL::pg_catalog.int4, "
		"NULL, l.pid FROM l WHERE NOT l.granted AND %s) b " MZ_BACKEND_JOIN,
		mz_lock_is_advisory(a, t), history, history);
}
