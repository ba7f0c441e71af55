/* SPDX-License-Identifier: MIT */
/* Writing to the history: who may, and with which words. */
#include <config.h>

#include "history.h"

#include "sqltext.h"

#include <inttypes.h>
#include <string.h>

/* ---- rights */

/* Row-level security of c is for this role, as row_security_active() has it. */
#define HIDES_ROWS                                             \
	"c.relrowsecurity AND (c.relforcerowsecurity "         \
	"OR NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')) " \
	"AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles r " \
	"WHERE r.rolname OPERATOR(pg_catalog.=) current_user " \
	"AND (r.rolsuper OR r.rolbypassrls))"

static const char *rights_sql(struct mz_arena *a, const struct mz_table *t)
{
	return mz_printf(
		a,
		"SELECT c.oid IS NOT NULL, n.oid IS NOT NULL, "
		"pg_catalog.has_database_privilege("
		"pg_catalog.current_database(), 'CREATE'), "
		"pg_catalog.has_schema_privilege(n.oid, 'USAGE'), "
		"pg_catalog.has_schema_privilege(n.oid, 'CREATE'), "
		"pg_catalog.has_table_privilege(c.oid, 'INSERT'), "
		"pg_catalog.has_table_privilege(c.oid, "
		"'UPDATE, DELETE, TRUNCATE'), %s, "
		"COALESCE(pg_catalog.has_function_privilege("
		"pg_catalog.to_regprocedure('pg_catalog."
		"pg_try_advisory_xact_lock(pg_catalog.int8)')"
		"::pg_catalog.oid, 'EXECUTE'), false), " HIDES_ROWS " "
		"FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_namespace n "
		"ON n.nspname OPERATOR(pg_catalog.=) %s "
		"LEFT JOIN pg_catalog.pg_class c "
		"ON c.relnamespace OPERATOR(pg_catalog.=) n.oid "
		"AND c.relname OPERATOR(pg_catalog.=) %s",
		mz_partial_exists_sql(a, t), mz_quote_literal(a, t->schema),
		mz_quote_literal(a, t->name));
}

static void on_rights(void *ctx, const struct pgw_row *row)
{
	struct mz_history *h = ctx;
	struct pgw_view cols = row->cols, v;
	bool *const facts[] = {
		&h->exists,	    &h->schema_exists,	  &h->may_create_schema,
		&h->may_use_schema, &h->may_create_table, &h->may_insert,
		&h->may_lock,	    &h->has_partials,	  &h->has_advisory,
		&h->hides_rows,
	};
	const size_t n = sizeof(facts) / sizeof(facts[0]);

	h->has_rights = row->ncols == n;
	for (size_t i = 0; i < n && pgw_column_next(&cols, &v); i++)
		*facts[i] = v.p && v.n == 1 && v.p[0] == 't';
}

/* What seems to be pending may have been applied long ago. */
static bool all_rows_seen(const struct mz_history *h, const struct mz_table *t,
			  struct mz_err *err)
{
	if (!h->hides_rows)
		return true;
	mz_fail(err, MZ_refused,
		"role %s may not see all rows of the history %s: it has "
		"row-level security",
		h->user, t->quoted);
	return mz_hint(err,
		       "run as its owner, or ALTER TABLE %s DISABLE ROW "
		       "LEVEL SECURITY",
		       t->quoted);
}

static bool ask_rights(struct mz_history *h, struct mz_arena *a,
		       struct mz_db *db, const struct mz_table *t,
		       struct mz_err *err)
{
	struct pgw_err cause;

	if (!mz_db_query(db, rights_sql(a, t), on_rights, h, &cause)) {
		pgw_wrap(&cause, "cannot ask for the rights on the history %s",
			 t->quoted);
		return mz_db_fail(err, &cause);
	}
	return h->has_rights ||
	       mz_fail(err, MZ_connect,
		       "the server gave an unexpected result: it does not "
		       "answer like PostgreSQL");
}

bool mz_history_rights(struct mz_history *h, struct mz_arena *a,
		       struct mz_db *db, const struct mz_table *t,
		       struct mz_err *err)
{
	return (h->has_rights || ask_rights(h, a, db, t, err)) &&
	       all_rows_seen(h, t, err);
}

static bool refuse(struct mz_err *err, const struct mz_history *h,
		   const char *may_not, const char *what)
{
	mz_fail(err, MZ_refused, "role %s may not %s %s", h->user, may_not,
		what);
	return mz_hint(err, "run as the owner, or have it granted");
}

bool mz_history_writable(const struct mz_history *h, const struct mz_table *t,
			 struct mz_err *err)
{
	if (h->in_recovery) {
		mz_fail(err, MZ_refused,
			"the server is a standby: it takes no changes");
		return mz_hint(err, "connect to the primary");
	}
	if (h->read_only) {
		mz_fail(err, MZ_refused,
			"transactions are read-only here "
			"(default_transaction_read_only)");
		return mz_hint(err, "connect to the primary, or as a role that "
				    "may write");
	}
	if (!h->schema_exists && !h->may_create_schema)
		return refuse(err, h, "create the schema of", t->quoted);
	if (h->schema_exists && !h->may_use_schema)
		return refuse(err, h, "use the schema of", t->quoted);
	if (h->shape == MZ_SHAPE_ABSENT)
		return !h->schema_exists || h->may_create_table ||
		       refuse(err, h, "create the history", t->quoted);
	if (!h->may_insert)
		return refuse(err, h, "write to", t->quoted);
	return h->has_advisory || h->may_lock ||
	       refuse(err, h, "take an advisory lock, nor lock", t->quoted);
}

/* ---- writing */

/* `drizzle-kit up` names the folder of a journal's migration like this. */
static const char *upgraded_name(struct mz_arena *a,
				 const struct mz_migration *m)
{
	const char *rest = strchr(m->tag, '_');
	char stamp[MZ_TIMESTAMP_LEN + 1];

	mz_timestamp(m->when, stamp);
	return mz_printf(a, "%s_%s", stamp, rest ? rest + 1 : m->tag);
}

const char *mz_history_name(struct mz_arena *a, enum mz_layout layout,
			    const struct mz_migration *m)
{
	return layout == MZ_LAYOUT_JOURNAL ? upgraded_name(a, m) : m->tag;
}

const char *mz_history_create_sql(struct mz_arena *a, const struct mz_table *t,
				  const struct mz_history *h,
				  enum mz_shape shape)
{
	const char *schema =
		h->schema_exists ?
			"" :
			mz_printf(a, "CREATE SCHEMA IF NOT EXISTS %s; ",
				  mz_quote_name(a, t->schema));

	if (h->shape != MZ_SHAPE_ABSENT)
		return "";
	return mz_printf(
		a,
		"%sCREATE TABLE IF NOT EXISTS %s (\n"
		"\tid SERIAL PRIMARY KEY,\n"
		"\thash pg_catalog.text NOT NULL,\n"
		"\tcreated_at bigint%s\n)",
		schema, t->quoted,
		shape == MZ_SHAPE_COLUMNS_5 ?
			",\n\tname pg_catalog.text,\n\tapplied_at timestamp with "
			"time zone DEFAULT pg_catalog.now()" :
			"");
}

static const char *values_of(struct mz_arena *a, const struct mz_new_rows *rows,
			     const struct mz_migration *m)
{
	const char *name;

	if (rows->shape != MZ_SHAPE_COLUMNS_5)
		return mz_printf(a, "('%s', %" PRId64 ")", m->hash, m->when);
	name = mz_history_name(a, rows->layout, m);
	return mz_printf(a, "('%s', %" PRId64 ", %s)", m->hash, m->when,
			 mz_quote_literal(a, name));
}

const char *mz_history_insert_sql(struct mz_arena *a, const struct mz_table *t,
				  const struct mz_new_rows *rows)
{
	const char **values = mz_alloc_array(a, rows->n, sizeof(*values));
	bool named = rows->shape == MZ_SHAPE_COLUMNS_5;
	size_t length = 0;
	char *all, *at;

	for (size_t i = 0; i < rows->n; i++) {
		values[i] = values_of(a, rows, rows->list[i]);
		length += strlen(values[i]) + strlen(", ");
	}
	at = all = mz_alloc(a, length + 1);
	for (size_t i = 0; i < rows->n; i++)
		at = stpcpy(stpcpy(at, i > 0 ? ", " : ""), values[i]);
	return mz_printf(
		a, "INSERT INTO %s (\"hash\", \"created_at\"%s) VALUES %s",
		t->quoted, named ? ", \"name\"" : "", all);
}

/* A change that fails unless it is one of just so many rows. */
static const char *exactly(struct mz_arena *a, size_t rows, const char *change,
			   const char *otherwise)
{
	return mz_printf(a,
			 "WITH changed AS (%s RETURNING id) SELECT CAST(CASE "
			 "WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) %zu "
			 "THEN '1' ELSE '%s' END AS pg_catalog.int4) "
			 "FROM changed",
			 change, rows, otherwise);
}

const char *mz_history_keep_sql(struct mz_arena *a, const struct mz_table *t,
				const struct mz_new_rows *rows)
{
	return exactly(a, rows->n, mz_history_insert_sql(a, t, rows),
		       "the history does not keep what is written to it: look "
		       "for its triggers, rules and policies");
}

const char *mz_history_remove_sql(struct mz_arena *a, const struct mz_table *t,
				  const struct mz_row *row)
{
	return exactly(a, 1,
		       mz_printf(a,
				 "DELETE FROM %s "
				 "WHERE id OPERATOR(pg_catalog.=) %" PRId64,
				 t->quoted, row->id),
		       mz_printf(a,
				 "row %" PRId64 " is not to be removed: look "
				 "for triggers, rules and policies of the "
				 "history",
				 row->id));
}
