/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sql.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text;
	enum mz_sql_kind kind;
	const char *what;
} kinds[] = {

#define PLAIN MZ_SQL_PLAIN
#define ALONE MZ_SQL_ALONE
	/* transactions */
	{ "begin", MZ_SQL_BEGIN, "BEGIN" },
	{ "BEGIN WORK ISOLATION LEVEL SERIALIZABLE", MZ_SQL_BEGIN, "BEGIN" },
	{ "Start /* x */ Transaction read only", MZ_SQL_BEGIN,
	  "START TRANSACTION" },
	{ "start -- x\n transaction", MZ_SQL_BEGIN, "START TRANSACTION" },
	{ "start", PLAIN, NULL },
	{ "begins", PLAIN, NULL },
	{ "\"begin\"", PLAIN, NULL },
	{ "commit", MZ_SQL_COMMIT, "COMMIT" },
	{ "COMMIT WORK", MZ_SQL_COMMIT, "COMMIT" },
	{ "commit and no chain", MZ_SQL_COMMIT, "COMMIT" },
	{ "commit and chain", MZ_SQL_COMMIT, "COMMIT AND CHAIN" },
	{ "commit transaction and chain", MZ_SQL_COMMIT, "COMMIT AND CHAIN" },
	{ "end", MZ_SQL_COMMIT, "END" },
	{ "end work and chain", MZ_SQL_COMMIT, "END AND CHAIN" },
	{ "prepare transaction 'x'", MZ_SQL_COMMIT, "PREPARE TRANSACTION" },
	{ "prepare transaction as select 1", PLAIN, NULL },
	{ "prepare p as commit", PLAIN, NULL },
	{ "commit prepared 'x'", ALONE, "COMMIT PREPARED" },
	{ "rollback prepared 'x'", ALONE, "ROLLBACK PREPARED" },
	{ "rollback", MZ_SQL_ROLLBACK, "ROLLBACK" },
	{ "rollback work", MZ_SQL_ROLLBACK, "ROLLBACK" },
	{ "rollback and chain", MZ_SQL_ROLLBACK, "ROLLBACK AND CHAIN" },
	{ "rollback transaction and no chain", MZ_SQL_ROLLBACK, "ROLLBACK" },
	{ "abort", MZ_SQL_ROLLBACK, "ABORT" },
	{ "abort work and chain", MZ_SQL_ROLLBACK, "ABORT AND CHAIN" },
	{ "rollback to s", MZ_SQL_SAVEPOINT, "ROLLBACK TO" },
	{ "rollback to savepoint s", MZ_SQL_SAVEPOINT, "ROLLBACK TO" },
	{ "rollback work to s", MZ_SQL_SAVEPOINT, "ROLLBACK TO" },
	{ "ROLLBACK TRANSACTION TO SAVEPOINT s", MZ_SQL_SAVEPOINT,
	  "ROLLBACK TO" },
	{ "savepoint s", MZ_SQL_SAVEPOINT, "SAVEPOINT" },
	{ "release s", MZ_SQL_SAVEPOINT, "RELEASE" },
	{ "release savepoint s", MZ_SQL_SAVEPOINT, "RELEASE" },
	{ "set transaction read only", PLAIN, NULL },

	/* indexes */
	{ "create index concurrently i on t (a)", ALONE,
	  "CREATE INDEX CONCURRENTLY" },
	{ "create unique index concurrently if not exists i on t (a)", ALONE,
	  "CREATE INDEX CONCURRENTLY" },
	{ "create index/**/concurrently on t (a)", ALONE,
	  "CREATE INDEX CONCURRENTLY" },
	{ "create index i on t (a)", PLAIN, NULL },
	{ "create index \"concurrently\" on t (a)", PLAIN, NULL },
	{ "create unique index i on concurrently (a)", PLAIN, NULL },
	{ "drop index concurrently if exists i", ALONE,
	  "DROP INDEX CONCURRENTLY" },
	{ "drop index if exists i", PLAIN, NULL },
	{ "reindex index i", PLAIN, NULL },
	{ "reindex table t", PLAIN, NULL },
	{ "reindex index concurrently i", ALONE, "REINDEX CONCURRENTLY" },
	{ "reindex (verbose) table concurrently t", ALONE,
	  "REINDEX CONCURRENTLY" },
	{ "reindex (concurrently) table t", ALONE, "REINDEX CONCURRENTLY" },
	{ "reindex (verbose, concurrently true) table t", ALONE,
	  "REINDEX CONCURRENTLY" },
	{ "reindex (concurrently false) table t", PLAIN, NULL },
	{ "reindex (concurrently 0, verbose) table t", PLAIN, NULL },
	{ "reindex (concurrently 'OFF') index i", PLAIN, NULL },
	{ "reindex (verbose) table t", PLAIN, NULL },
	{ "reindex (verbose off) table t", PLAIN, NULL },
	{ "reindex database d", ALONE, "REINDEX DATABASE" },
	{ "reindex database", ALONE, "REINDEX DATABASE" },
	{ "reindex (verbose) system d", ALONE, "REINDEX SYSTEM" },
	{ "reindex schema concurrently s", ALONE, "REINDEX SCHEMA" },
	{ "reindex schema s", ALONE, "REINDEX SCHEMA" },

	/* tables */
	{ "vacuum", ALONE, "VACUUM" },
	{ "vacuum (analyze, verbose) t", ALONE, "VACUUM" },
	{ "vacuum full t", ALONE, "VACUUM" },
	{ "analyze t", PLAIN, NULL },
	{ "cluster", ALONE, "CLUSTER" },
	{ "cluster verbose", ALONE, "CLUSTER" },
	{ "cluster (verbose)", ALONE, "CLUSTER" },
	{ "cluster t using i", PLAIN, NULL },
	{ "cluster verbose t", PLAIN, NULL },
	{ "cluster (verbose) t", PLAIN, NULL },
	{ "alter table t detach partition p concurrently", ALONE,
	  "ALTER TABLE DETACH PARTITION CONCURRENTLY" },
	{ "alter table if exists only s.\"T\" detach partition a . b "
	  "concurrently",
	  ALONE, "ALTER TABLE DETACH PARTITION CONCURRENTLY" },
	{ "alter table t detach partition p", PLAIN, NULL },
	{ "alter table t detach partition p finalize", PLAIN, NULL },
	{ "alter table t add column concurrently_ int", PLAIN, NULL },
	{ "refresh materialized view concurrently v", PLAIN, NULL },

	/* the cluster */
	{ "create database d", ALONE, "CREATE DATABASE" },
	{ "drop database if exists d", ALONE, "DROP DATABASE" },
	{ "alter database d set tablespace s", ALONE,
	  "ALTER DATABASE SET TABLESPACE" },
	{ "alter database d tablespace s", ALONE,
	  "ALTER DATABASE SET TABLESPACE" },
	{ "alter database d with tablespace = s", ALONE,
	  "ALTER DATABASE SET TABLESPACE" },
	{ "alter database d set search_path to a", PLAIN, NULL },
	{ "alter database d rename to e", PLAIN, NULL },
	{ "create tablespace s location '/x'", ALONE, "CREATE TABLESPACE" },
	{ "drop tablespace s", ALONE, "DROP TABLESPACE" },
	{ "alter tablespace s rename to r", PLAIN, NULL },
	{ "alter system set a = 1", ALONE, "ALTER SYSTEM" },
	{ "discard all", ALONE, "DISCARD ALL" },
	{ "discard temp", PLAIN, NULL },
	{ "checkpoint", PLAIN, NULL },
	{ "listen x", PLAIN, NULL },
	{ "notify x", PLAIN, NULL },

	/* subscriptions */
	{ "create subscription s connection '' publication p", ALONE,
	  "CREATE SUBSCRIPTION" },
	{ "create subscription s connection '' publication p with (enabled)",
	  ALONE, "CREATE SUBSCRIPTION" },
	{ "create subscription s connection '' publication p with "
	  "(create_slot = true)",
	  ALONE, "CREATE SUBSCRIPTION" },
	{ "create subscription s connection '' publication p with "
	  "(slot_name = NONE, create_slot = false)",
	  PLAIN, NULL },
	{ "create subscription s connection '' publication p with (Connect = "
	  "'off')",
	  PLAIN, NULL },
	{ "create subscription s connection 'a (create_slot=off)' "
	  "publication p",
	  ALONE, "CREATE SUBSCRIPTION" },
	{ "drop subscription s", ALONE, "DROP SUBSCRIPTION" },
	{ "alter subscription s refresh publication", ALONE,
	  "ALTER SUBSCRIPTION REFRESH" },
	{ "alter subscription s set publication p", ALONE,
	  "ALTER SUBSCRIPTION SET PUBLICATION" },
	{ "alter subscription s set publication p with (refresh = false)",
	  PLAIN, NULL },
	{ "alter subscription s add publication p with (copy_data = false)",
	  ALONE, "ALTER SUBSCRIPTION ADD PUBLICATION" },
	{ "alter subscription s drop publication p", ALONE,
	  "ALTER SUBSCRIPTION DROP PUBLICATION" },
	{ "alter subscription s drop publication p with (\"refresh\" = 0)",
	  PLAIN, NULL },
	{ "alter subscription s set (failover = false)", ALONE,
	  "ALTER SUBSCRIPTION SET" },
	{ "alter subscription s set (two_phase = false)", ALONE,
	  "ALTER SUBSCRIPTION SET" },
	{ "alter subscription s set (two_phase)", PLAIN, NULL },
	{ "alter subscription s set (slot_name = failover)", PLAIN, NULL },
	{ "alter subscription s disable", PLAIN, NULL },

	/* COPY */
	{ "copy t from stdin", MZ_SQL_COPY_STDIN, "COPY FROM STDIN" },
	{ "COPY s.\"T\" (a, \"b)\", c) FROM STDIN WITH (FORMAT csv)",
	  MZ_SQL_COPY_STDIN, "COPY FROM STDIN" },
	{ "copy binary t from stdin", MZ_SQL_COPY_STDIN, "COPY FROM STDIN" },
	{ "copy t from stdout", MZ_SQL_COPY_STDIN, "COPY FROM STDIN" },
	{ "copy a.b.c from/**/stdin", MZ_SQL_COPY_STDIN, "COPY FROM STDIN" },
	{ "copy t from '/x'", PLAIN, NULL },
	{ "copy t from program 'x'", PLAIN, NULL },
	{ "copy t to stdout", PLAIN, NULL },
	{ "copy (select 1 from stdin) to stdout", PLAIN, NULL },
	{ "copy (select 1) from stdin", PLAIN, NULL },
	{ "copy t", PLAIN, NULL },
	{ "copy t (a", PLAIN, NULL },
	{ "copy t. from stdin", PLAIN, NULL },

	/* the rest */
	{ "alter type t add value 'x'", PLAIN, "ALTER TYPE ADD VALUE" },
	{ "alter type s.t add value if not exists 'x'", PLAIN,
	  "ALTER TYPE ADD VALUE" },
	{ "alter type t add attribute value int", PLAIN, NULL },
	{ "select 1", PLAIN, NULL },
	{ "select 'vacuum'", PLAIN, NULL },
	{ "(select 1)", PLAIN, NULL },
	{ "create", PLAIN, NULL },
	{ "alter table", PLAIN, NULL },
	{ "'begin'", PLAIN, NULL },
	{ "explain analyze vacuum", PLAIN, NULL },
	{ "set standard_conforming_strings = off", PLAIN, NULL },
};

START_TEST(a_statement_is_known_by_its_keywords)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct mz_sql_statement st;
		struct mz_sql s;

		mz_sql_init(&s, pgw_view_of(kinds[i].text));
		ck_assert(mz_sql_next(&s, &st));
		ck_assert_msg(st.kind == kinds[i].kind, "%s", kinds[i].text);
		ck_assert_pstr_eq(st.what, kinds[i].what);
		ck_assert(!mz_sql_next(&s, &st));
	}
}

END_TEST

START_TEST(keywords_behind_the_semicolon_are_another_statements)
{
	struct mz_sql_statement st;
	struct mz_sql s;

	mz_sql_init(&s, pgw_view_of("cluster; t; create; database d"));
	ck_assert(mz_sql_next(&s, &st));
	ck_assert_int_eq(st.kind, MZ_SQL_ALONE);
	ck_assert(mz_sql_next(&s, &st));
	ck_assert(mz_sql_next(&s, &st));
	ck_assert_int_eq(st.kind, MZ_SQL_PLAIN);
}

END_TEST

UNIT_MAIN("sql_kind", a_statement_is_known_by_its_keywords,
	  keywords_behind_the_semicolon_are_another_statements)
