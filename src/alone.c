/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "alone.h"

#include "sql_lex.h"
#include "sql_name.h"
#include "sqltext.h"

#include <string.h>

/* ---- names */

static const char *text_of(struct mz_arena *a, struct pgw_view v)
{
	return v.p ? mz_strndup(a, (const char *)v.p, v.n) : NULL;
}

/* CREATE [UNIQUE] INDEX CONCURRENTLY [[IF NOT EXISTS] name] ON [ONLY] table */
static void index_of(struct mz_alone *k, struct mz_arena *a, struct mz_lex l)
{
	struct mz_lex named;

	k->kind = MZ_ALONE_INDEX;
	if (!mz_sql_match(&l, "create [unique] index concurrently "
			      "[if not exists]"))
		return;
	named = l;
	if (!mz_sql_match(&l, "on")) {
		l = named;
		k->name = mz_sql_name(a, &l);
		if (!mz_sql_match(&l, "on"))
			return;
	}
	if (mz_sql_match(&l, "[only]"))
		k->table = mz_sql_name(a, &l);
}

static void drop_index_of(struct mz_alone *k, struct mz_arena *a,
			  struct mz_lex l)
{
	k->kind = MZ_ALONE_DROP_INDEX;
	if (mz_sql_match(&l, "drop index concurrently [if exists]"))
		k->name = mz_sql_name(a, &l);
}

static void detach_of(struct mz_alone *k, struct mz_arena *a, struct mz_lex l)
{
	k->kind = MZ_ALONE_DETACH;
	if (!mz_sql_match(&l, "alter table [if exists] [only]"))
		return;
	k->table = mz_sql_name(a, &l);
	if (mz_sql_match(&l, "detach partition"))
		k->name = mz_sql_name(a, &l);
}

/* Those of which a catalog says whether they are there. */
static const struct object {
	const char *what, *pattern;
	enum mz_alone_kind kind;
	const char *catalog, *column;
	bool literal;
} objects[] = {
	{ "CREATE DATABASE", "create database", MZ_ALONE_MAKE, "pg_database",
	  "datname", false },
	{ "DROP DATABASE", "drop database [if exists]", MZ_ALONE_REMOVE,
	  "pg_database", "datname", false },
	{ "CREATE TABLESPACE", "create tablespace", MZ_ALONE_MAKE,
	  "pg_tablespace", "spcname", false },
	{ "DROP TABLESPACE", "drop tablespace [if exists]", MZ_ALONE_REMOVE,
	  "pg_tablespace", "spcname", false },
	{ "CREATE SUBSCRIPTION", "create subscription", MZ_ALONE_MAKE,
	  "pg_subscription", "subname", false },
	{ "DROP SUBSCRIPTION", "drop subscription [if exists]", MZ_ALONE_REMOVE,
	  "pg_subscription", "subname", false },
	{ "COMMIT PREPARED", "commit prepared", MZ_ALONE_REMOVE,
	  "pg_prepared_xacts", "gid", true },
	{ "ROLLBACK PREPARED", "rollback prepared", MZ_ALONE_REMOVE,
	  "pg_prepared_xacts", "gid", true },
};

static const char *take_literal(struct mz_arena *a, struct mz_lex *l)
{
	struct mz_token t;

	if (!mz_lex_next(l, &t) || t.kind != MZ_TOKEN_STRING)
		return NULL;
	return text_of(a, mz_lex_view(l, &t));
}

static void object_of(struct mz_alone *k, struct mz_arena *a, struct mz_lex l,
		      const char *what)
{
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		const struct object *o = &objects[i];

		if (strcmp(o->what, what) != 0 || !mz_sql_match(&l, o->pattern))
			continue;
		k->kind = o->kind;
		k->catalog = o->catalog;
		k->column = o->column;
		k->literal = o->literal;
		k->name = o->literal ? take_literal(a, &l) : mz_sql_name(a, &l);
	}
}

void mz_alone_of(struct mz_alone *k, struct mz_arena *a,
		 const struct mz_sql_text *s, const char *what)
{
	struct mz_lex l = { .text = s->statement,
			    .backslashes = s->backslashes };

	*k = (struct mz_alone){ .kind = MZ_ALONE_AGAIN };
	if (!what)
		return;
	if (strcmp(what, "CREATE INDEX CONCURRENTLY") == 0)
		index_of(k, a, l);
	else if (strcmp(what, "DROP INDEX CONCURRENTLY") == 0)
		drop_index_of(k, a, l);
	else if (strcmp(what, "ALTER TABLE DETACH PARTITION CONCURRENTLY") == 0)
		detach_of(k, a, l);
	else if (strncmp(what, "REINDEX", 7) == 0)
		k->kind = MZ_ALONE_REINDEX;
	else if (mz_sql_is_call(what))
		k->kind = MZ_ALONE_UNKNOWN;
	else
		object_of(k, a, l, what);
}

/* ---- SQL */

/* A relation by its name as it is written; null when there is none. */
static const char *oid_of(struct mz_arena *a, const char *name)
{
	return mz_printf(a, "pg_catalog.to_regclass(%s)::pg_catalog.oid",
			 mz_quote_literal(a, name));
}

/* The last part of a name as the catalogs have it. */
static const char *plain_name(struct mz_arena *a, const char *name)
{
	return mz_printf(a,
			 "(SELECT CAST(p[pg_catalog.array_upper(p, 1)] AS "
			 "pg_catalog.name) FROM pg_catalog.parse_ident(%s) p)",
			 mz_quote_literal(a, name));
}

const char *mz_alone_before_sql(struct mz_arena *a, const struct mz_alone *k)
{
	if (k->kind == MZ_ALONE_INDEX && k->table)
		return mz_printf(a,
				 "ARRAY(SELECT i.indexrelid FROM "
				 "pg_catalog.pg_index i WHERE i.indrelid "
				 "OPERATOR(pg_catalog.=) %s)",
				 oid_of(a, k->table));
	if (k->kind == MZ_ALONE_REINDEX)
		return "ARRAY(SELECT i.indexrelid FROM pg_catalog.pg_index i "
		       "WHERE NOT i.indisvalid)";
	return "'{}'";
}

static const char *exists(struct mz_arena *a, const struct mz_alone *k)
{
	return mz_printf(a,
			 "EXISTS (SELECT 1 FROM pg_catalog.%s o "
			 "WHERE o.%s OPERATOR(pg_catalog.=) %s)",
			 k->catalog, k->column,
			 k->literal ? k->name : plain_name(a, k->name));
}

const char *mz_alone_existed_sql(struct mz_arena *a, const struct mz_alone *k)
{
	return k->catalog && k->name ? exists(a, k) : "false";
}

/* Indexes that the statement may have made: i, with c for its name. */
static const char *indexes_of(struct mz_arena *a, const struct mz_alone *k,
			      const char *before, bool any_of_that_name)
{
	const char *which =
		mz_printf(a,
			  "AND i.indexrelid OPERATOR(pg_catalog.<>) "
			  "ALL (%s::pg_catalog.oid[]) ",
			  mz_quote_literal(a, before));

	if (k->kind == MZ_ALONE_REINDEX)
		return mz_printf(a,
				 "FROM pg_catalog.pg_index i "
				 "JOIN pg_catalog.pg_class c "
				 "ON c.oid OPERATOR(pg_catalog.=) i.indexrelid "
				 "WHERE c.relname OPERATOR(pg_catalog.~) "
				 "'_cc(new|old)[0-9]*$' %s",
				 which);
	return mz_printf(a,
			 "FROM pg_catalog.pg_index i "
			 "JOIN pg_catalog.pg_class c "
			 "ON c.oid OPERATOR(pg_catalog.=) i.indexrelid "
			 "WHERE i.indrelid OPERATOR(pg_catalog.=) %s %s%s%s%s",
			 oid_of(a, k->table),
			 k->name && any_of_that_name ? "" : which,
			 k->name ? "AND c.relname OPERATOR(pg_catalog.=) " : "",
			 k->name ? plain_name(a, k->name) : "",
			 k->name ? " " : "");
}

const char *mz_alone_done_sql(struct mz_arena *a, const struct mz_alone *k,
			      const char *before, bool existed)
{
	switch (k->kind) {
	case MZ_ALONE_INDEX:
		return !k->table ? NULL :
				   mz_printf(a,
					     "SELECT EXISTS (SELECT 1 %s"
					     "AND i.indisvalid)",
					     indexes_of(a, k, before, false));
	case MZ_ALONE_DROP_INDEX:
		return !k->name ? NULL :
				  mz_printf(a, "SELECT %s IS NULL",
					    oid_of(a, k->name));
	case MZ_ALONE_DETACH:
		return !k->name ? NULL :
				  mz_printf(a,
					    "SELECT NOT EXISTS (SELECT 1 FROM "
					    "pg_catalog.pg_inherits h WHERE "
					    "h.inhrelid OPERATOR(pg_catalog.=) "
					    "%s)",
					    oid_of(a, k->name));
	case MZ_ALONE_MAKE:
		return existed || !k->name ?
			       NULL :
			       mz_printf(a, "SELECT %s", exists(a, k));
	case MZ_ALONE_REMOVE:
		return !existed || !k->name ?
			       NULL :
			       mz_printf(a, "SELECT NOT %s", exists(a, k));
	case MZ_ALONE_AGAIN:
	case MZ_ALONE_REINDEX:
	case MZ_ALONE_UNKNOWN:
		break;
	}
	return NULL;
}

const char *mz_alone_leftovers_sql(struct mz_arena *a, const struct mz_alone *k,
				   const char *before)
{
	if (k->kind != MZ_ALONE_REINDEX &&
	    (k->kind != MZ_ALONE_INDEX || !k->table))
		return NULL;
	return mz_printf(
		a,
		"SELECT pg_catalog.format('%%I.%%I', (SELECT n.nspname FROM "
		"pg_catalog.pg_namespace n WHERE n.oid "
		"OPERATOR(pg_catalog.=) c.relnamespace), c.relname) %s"
		"AND NOT i.indisvalid AND NOT EXISTS (SELECT 1 FROM "
		"pg_catalog.pg_stat_progress_create_index p WHERE "
		"p.index_relid OPERATOR(pg_catalog.=) i.indexrelid)",
		indexes_of(a, k, before, true));
}

const char *mz_alone_drop_sql(struct mz_arena *a, const char *index)
{
	return mz_printf(a, "DROP INDEX CONCURRENTLY IF EXISTS %s", index);
}

const char *mz_alone_halfway_sql(struct mz_arena *a, const struct mz_alone *k)
{
	if (k->kind != MZ_ALONE_DETACH || !k->name)
		return NULL;
	return mz_printf(a,
			 "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits "
			 "h WHERE h.inhrelid OPERATOR(pg_catalog.=) %s "
			 "AND h.inhdetachpending)",
			 oid_of(a, k->name));
}

const char *mz_alone_finish_sql(struct mz_arena *a, const struct mz_alone *k)
{
	return mz_printf(a, "ALTER TABLE %s DETACH PARTITION %s FINALIZE",
			 k->table, k->name);
}

/* The server keeps the beginning of a query, 1024 bytes unless told. */
#define KNOWN_BY 200 /* characters */

/* So many characters, and perhaps more; cut between two of them. */
static struct pgw_view beginning(struct pgw_view v)
{
	size_t n = (size_t)KNOWN_BY * 4;

	if (v.n <= n)
		return v;
	while (n > 0 && (v.p[n] & 0xc0) == 0x80)
		n--;
	return (struct pgw_view){ v.p, n };
}

const char *mz_alone_running_sql(struct mz_arena *a, struct pgw_view statement)
{
	struct pgw_view v = beginning(statement);

	return mz_printf(
		a,
		"SELECT s.pid FROM pg_catalog.pg_stat_activity s "
		"WHERE s.state OPERATOR(pg_catalog.=) 'active' "
		"AND s.datname OPERATOR(pg_catalog.=) "
		"pg_catalog.current_database() "
		"AND s.pid OPERATOR(pg_catalog.<>) "
		"pg_catalog.pg_backend_pid() "
		"AND pg_catalog.\"left\"(s.query, %d) "
		"OPERATOR(pg_catalog.=) pg_catalog.\"left\"(%s, %d) LIMIT 1",
		KNOWN_BY,
		mz_quote_literal(a, mz_strndup(a, (const char *)v.p, v.n)),
		KNOWN_BY);
}
