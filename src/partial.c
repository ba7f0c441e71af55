/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "partial.h"

#include "history.h"
#include "sqltext.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_NAME MZ_PARTIAL_TABLE
#define MARKER "mizzle: another runner goes on with it"

static const char *table_of(struct mz_arena *a, const struct mz_table *t)
{
	return mz_printf(a, "%s.\"" TABLE_NAME "\"",
			 mz_quote_name(a, t->schema));
}

/* ---- reading */

#define COLUMNS \
	"tag, hash, done, finished, statements, running, before, existed, at"

static size_t take_count(struct mz_arena *a, struct pgw_view *cols)
{
	const char *text = mz_db_text(a, cols);
	unsigned long long n = text ? strtoull(text, NULL, 10) : 0;

	return n <= INT32_MAX ? (size_t)n : INT32_MAX; /* believe no less */
}

static const char *take_text(struct mz_arena *a, struct pgw_view *cols)
{
	const char *text = mz_db_text(a, cols);

	return text ? text : "";
}

void mz_partial_of_row(struct mz_partial *p, struct mz_arena *a,
		       const struct pgw_row *row)
{
	struct pgw_view cols = row->cols;

	p->tag = take_text(a, &cols);
	p->hash = take_text(a, &cols);
	p->done = take_text(a, &cols);
	p->finished = take_count(a, &cols);
	p->statements = take_count(a, &cols);
	p->running = take_count(a, &cols);
	p->before = take_text(a, &cols);
	p->existed = strcmp(take_text(a, &cols), "t") == 0;
	p->at = take_text(a, &cols);
}

struct reader {
	struct mz_partials *p;
	struct mz_arena *arena;
	size_t room;
};

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct reader *r = ctx;
	struct mz_partials *p = r->p;

	p->rows = mz_grow(r->arena, p->rows, p->count, &r->room,
			  sizeof(*p->rows));
	mz_partial_of_row(&p->rows[p->count++], r->arena, row);
}

static bool cannot_read(const struct mz_table *t, const struct pgw_err *cause,
			struct mz_err *err)
{
	bool denied = strcmp(cause->sqlstate, "42501") == 0;

	mz_fail(err, denied ? MZ_refused : MZ_history,
		"cannot read in %s." TABLE_NAME " which migrations stopped "
		"midway: %.600s (%s)",
		t->schema, cause->msg, cause->sqlstate);
	return mz_hint(err,
		       denied ? "run as the role that began, or GRANT SELECT "
				"on it (ALL to go on with them)" :
				"it is not a table of this program: rename it, "
				"or choose another --schema");
}

bool mz_partials_read(struct mz_partials *p, struct mz_arena *a,
		      struct mz_db *db, const struct mz_table *t,
		      struct mz_err *err)
{
	struct reader r = { .p = p, .arena = a };
	struct pgw_err cause;

	*p = (struct mz_partials){ .known = true };
	if (mz_db_query(db,
			mz_printf(a,
				  /* fail rather than leave rows out */
				  "SET LOCAL row_security TO off; "
				  "SELECT " COLUMNS " FROM %s WHERE history "
				  "OPERATOR(pg_catalog.=) %s",
				  table_of(a, t), mz_quote_literal(a, t->name)),
			on_row, &r, &cause))
		return true;
	if (!mz_db_is_answer(db, &cause) ||
	    strcmp(cause.sqlstate, "57014") == 0)
		return mz_db_fail(err, &cause);
	/* it is dropped when the last that stopped midway is done */
	if (strcmp(cause.sqlstate, "42P01") == 0)
		return true;
	return cannot_read(t, &cause, err);
}

const struct mz_partial *mz_partials_find(const struct mz_partials *p,
					  const char *tag)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->rows[i].tag, tag) == 0)
			return &p->rows[i];
	return NULL;
}

const char *mz_partial_exists_sql(struct mz_arena *a, const struct mz_table *t)
{
	return mz_printf(a,
			 "EXISTS (SELECT 1 FROM pg_catalog.pg_class c "
			 "JOIN pg_catalog.pg_namespace n "
			 "ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
			 "WHERE n.nspname OPERATOR(pg_catalog.=) %s AND "
			 "c.relname OPERATOR(pg_catalog.=) '" TABLE_NAME "')",
			 mz_quote_literal(a, t->schema));
}

/* ---- writing */

/* Which row: of that history, of that tag. */
static const char *where(struct mz_arena *a, const struct mz_table *t,
			 const char *tag)
{
	return mz_printf(a,
			 "WHERE history OPERATOR(pg_catalog.=) %s "
			 "AND tag OPERATOR(pg_catalog.=) %s",
			 mz_quote_literal(a, t->name),
			 mz_quote_literal(a, tag));
}

/* Whatever stands before pg_catalog in the search_path. */
#define TEXT "pg_catalog.text"

const char *mz_partial_create_sql(struct mz_arena *a, const struct mz_table *t)
{
	return mz_printf(a,
			 "CREATE TABLE IF NOT EXISTS %s (history " TEXT
			 ", tag " TEXT ", hash " TEXT " NOT NULL, done " TEXT
			 " NOT NULL, finished integer NOT NULL DEFAULT 0, "
			 "statements integer NOT NULL, running integer, "
			 "before pg_catalog.oid[] NOT NULL DEFAULT '{}', "
			 "existed boolean NOT NULL DEFAULT false, "
			 "runner " TEXT " NOT NULL, "
			 "at timestamp with time zone NOT NULL "
			 "DEFAULT pg_catalog.now(), "
			 "PRIMARY KEY (history, tag))",
			 table_of(a, t));
}

const char *mz_partial_take_sql(struct mz_arena *a,
				const struct mz_partial_key *k,
				const char *hash, size_t statements)
{
	return mz_printf(
		a,
		"INSERT INTO %s AS p (history, tag, hash, done, statements, "
		"runner) VALUES (%s, %s, %s, '', %zu, %s) "
		"ON CONFLICT (history, tag) DO UPDATE SET runner = "
		"EXCLUDED.runner RETURNING " COLUMNS,
		table_of(a, k->table), mz_quote_literal(a, k->table->name),
		mz_quote_literal(a, k->tag), mz_quote_literal(a, hash),
		statements, mz_quote_literal(a, k->token));
}

const char *mz_partial_look_sql(struct mz_arena *a,
				const struct mz_partial_key *k)
{
	return mz_printf(a,
			 "SELECT " COLUMNS " FROM %s %s "
			 "AND runner OPERATOR(pg_catalog.=) %s",
			 table_of(a, k->table), where(a, k->table, k->tag),
			 mz_quote_literal(a, k->token));
}

/* An update that fails when the row is not ours any more. */
static const char *update(struct mz_arena *a, const struct mz_partial_key *k,
			  const char *set)
{
	return mz_printf(a,
			 "WITH mine AS (UPDATE %s SET at = "
			 "pg_catalog.clock_timestamp(), %s %s "
			 "AND runner OPERATOR(pg_catalog.=) %s RETURNING 1) "
			 "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM mine) "
			 "THEN '1' ELSE '" MARKER "' END AS pg_catalog.int4)",
			 table_of(a, k->table), set, where(a, k->table, k->tag),
			 mz_quote_literal(a, k->token));
}

const char *mz_partial_adopt_sql(struct mz_arena *a,
				 const struct mz_partial_key *k,
				 const char *hash, size_t statements)
{
	return update(a, k,
		      mz_printf(a,
				"hash = %s, statements = %zu, running = NULL",
				mz_quote_literal(a, hash), statements));
}

const char *mz_partial_begin_sql(struct mz_arena *a,
				 const struct mz_partial_key *k,
				 size_t statement, const char *before,
				 bool existed)
{
	return update(a, k,
		      mz_printf(a, "running = %zu, before = %s, existed = %s",
				statement, mz_quote_literal(a, before),
				existed ? "true" : "false"));
}

const char *mz_partial_finish_sql(struct mz_arena *a,
				  const struct mz_partial_key *k,
				  size_t statements, const char *done)
{
	return update(a, k,
		      mz_printf(a, "finished = %zu, done = %s, running = NULL",
				statements, mz_quote_literal(a, done)));
}

const char *mz_partial_delete_sql(struct mz_arena *a, const struct mz_table *t,
				  const char *tag)
{
	return mz_printf(a, "DELETE FROM %s %s", table_of(a, t),
			 where(a, t, tag));
}

const char *mz_partial_empty_sql(struct mz_arena *a, const struct mz_table *t)
{
	const char *table = table_of(a, t);

	return mz_printf(a,
			 "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT; "
			 "SELECT NOT EXISTS (SELECT 1 FROM %s) AND "
			 "(SELECT pg_catalog.pg_has_role(c.relowner, 'USAGE') "
			 "FROM pg_catalog.pg_class c "
			 "WHERE c.oid OPERATOR(pg_catalog.=) "
			 "%s::pg_catalog.regclass::pg_catalog.oid)",
			 table, table, mz_quote_literal(a, table));
}

const char *mz_partial_drop_sql(struct mz_arena *a, const struct mz_table *t)
{
	return mz_printf(a, "DROP TABLE %s", table_of(a, t));
}

bool mz_partial_is_lost(const struct pgw_err *cause)
{
	return cause->code == PGW_E_SERVER && strstr(cause->msg, MARKER);
}
