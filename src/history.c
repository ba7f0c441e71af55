/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "history.h"

#include "sqltext.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How long a reader waits for the table before it says that someone migrates.
 */
#define READ_LOCK_TIMEOUT_MS 1000

bool mz_table_init(struct mz_table *t, struct mz_arena *a, const char *schema,
		   const char *name, struct mz_err *err)
{
	unsigned char digest[PGW_SHA256_LEN];
	struct pgw_sha256 h;
	uint64_t key = 0;

	if (!mz_sqltext_name(schema, "--schema", err) ||
	    !mz_sqltext_name(name, "--table", err))
		return false;
	t->schema = schema;
	t->name = name;
	t->quoted = mz_printf(a, "%s.%s", mz_quote_name(a, schema),
			      mz_quote_name(a, name));

	/* Advisory locks are numbers: everyone must find the same one. */
	pgw_sha256_init(&h);
	pgw_sha256_update(&h, "mizzle:", 7);
	pgw_sha256_update(&h, t->quoted, strlen(t->quoted));
	pgw_sha256_final(&h, digest);
	for (size_t i = 0; i < 8; i++)
		key = key << 8 | digest[i];
	t->lock_key = (int64_t)(key >> 1); /* positive: easier to look for */
	return true;
}

/* ---- reading */

/*
 * Two statements in one message, and nothing in them that would take the server
 * long to plan.  The first never fails; what it sets holds for the second,
 * which fails when the table is missing or locked.  A statement_timeout of the
 * role's must not strike first: it would not say that someone has the table.
 */
static const char *read_sql(struct mz_arena *a, const struct mz_table *t)
{
	return mz_printf(
		a,
		"SELECT pg_catalog.set_config('lock_timeout', '%d', true), "
		"pg_catalog.current_setting('server_version_num'), "
		"current_user, pg_catalog.current_database(), "
		"pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(), "
		"pg_catalog.current_setting('transaction_read_only'), "
		"pg_catalog.set_config('statement_timeout', '0', true); "
		"SELECT * FROM %s",
		READ_LOCK_TIMEOUT_MS, t->quoted);
}

#define HISTORY_MAX (64u << 20) /* bytes of rows that are kept */
#define CHANGES_MAX 10		/* how often it may come while we look */

struct reader {
	struct mz_history *h;
	struct mz_arena *arena;
	struct mz_db *db;
	bool has_facts;
	const char *columns; /* a letter for each; NULL = no table */
	bool too_large;
	size_t bytes; /* of all rows */
	bool malformed;
	bool came;   /* the table, just now */
	size_t room; /* for rows */
};

static bool take_bool(struct reader *r, struct pgw_view *cols)
{
	const char *text = mz_db_text(r->arena, cols);

	return text && (strcmp(text, "t") == 0 || strcmp(text, "on") == 0);
}

static bool to_int64(const char *text, int64_t *value)
{
	char *end;

	if (!text || !*text)
		return false;
	*value = strtoll(text, &end, 10);
	return *end == '\0';
}

static int take_int(struct reader *r, struct pgw_view *cols)
{
	int64_t value;

	return to_int64(mz_db_text(r->arena, cols), &value) && value >= 0 &&
			       value <= INT32_MAX ?
		       (int)value :
		       0;
}

static void read_facts(struct reader *r, struct pgw_view cols)
{
	struct mz_history *h = r->h;

	(void)mz_db_text(r->arena, &cols); /* the lock_timeout */
	h->version = take_int(r, &cols);
	h->user = mz_db_text(r->arena, &cols);
	h->database = mz_db_text(r->arena, &cols);
	h->backend_pid = take_int(r, &cols);
	h->in_recovery = take_bool(r, &cols);
	h->read_only = take_bool(r, &cols);
	r->has_facts = true;
}

static char letter_of(const char *name)
{
	static const struct {
		const char *name;
		char letter;
	} known[] = {
		{ "id", 'i' },	 { "hash", 'h' },	{ "created_at", 'c' },
		{ "name", 'n' }, { "applied_at", 'a' },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].letter;
	return '-';
}

/* Those of the first statement, then those of the table. */
static void on_columns(void *ctx, const struct pgw_columns *columns)
{
	struct reader *r = ctx;
	struct pgw_view fields = columns->fields;
	struct pgw_field field;
	char *letters;

	if (!r->has_facts)
		return;
	letters = mz_alloc(r->arena, columns->n + (size_t)1);
	for (size_t i = 0; pgw_field_next(&fields, &field); i++)
		letters[i] = letter_of(field.name);
	r->columns = letters;
	r->h->shape = strchr(letters, 'n') ? MZ_SHAPE_COLUMNS_5 :
					     MZ_SHAPE_COLUMNS_3;
}

static struct mz_row *add_row(struct reader *r)
{
	struct mz_history *h = r->h;

	h->rows = mz_grow(r->arena, h->rows, h->count, &r->room,
			  sizeof(*h->rows));
	return &h->rows[h->count++];
}

static void read_row(struct reader *r, struct pgw_view cols)
{
	struct mz_row *row = add_row(r);

	row->hash = "";
	for (const char *c = r->columns; c && *c; c++) {
		const char *text = mz_db_text(r->arena, &cols);

		if (*c == 'i' && !to_int64(text, &row->id))
			r->malformed = true;
		else if (*c == 'h' && text)
			row->hash = text;
		else if (*c == 'c' && text)
			row->has_when = to_int64(text, &row->when);
		else if (*c == 'n')
			row->name = text;
		else if (*c == 'a')
			row->applied_at = text;
	}
}

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct reader *r = ctx;

	r->bytes += row->cols.n + sizeof(struct mz_row);
	if (r->bytes > HISTORY_MAX) {
		r->too_large = true;
		pgw_conn_deadline(r->db->conn, 0); /* wait for no more */
	} else if (!r->has_facts) {
		read_facts(r, row->cols);
	} else if (r->columns) {
		read_row(r, row->cols);
	}
}

static int by_id(const void *a, const void *b)
{
	const struct mz_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static bool refuse(const struct reader *r, const struct mz_table *t,
		   const struct pgw_err *cause, struct mz_err *err)
{
	mz_fail(err, MZ_refused, "role %s may not read the history: %s",
		r->h->user, cause->msg);
	return mz_hint(err, "GRANT USAGE ON SCHEMA %s and SELECT ON %s to it",
		       mz_quote_name(r->arena, t->schema), t->quoted);
}

static bool unread(const struct mz_table *t, const struct pgw_err *cause,
		   struct mz_err *err)
{
	struct pgw_err more = *cause;

	pgw_wrap(&more, "cannot read the history %s", t->quoted);
	return mz_db_fail(err, &more);
}

/* A missing table is an answer, and so is one that someone holds. */
static bool explain(struct reader *r, const struct mz_table *t,
		    const struct pgw_err *cause, struct mz_err *err)
{
	struct mz_history *h = r->h;
	bool denied = strcmp(cause->sqlstate, "42501") == 0;

	if (!mz_db_is_answer(r->db, cause))
		return mz_db_fail(err, cause);
	if (!r->has_facts || strcmp(cause->sqlstate, "57014") == 0)
		return unread(t, cause, err);
	if (strcmp(cause->sqlstate, "55P03") == 0) {
		h->busy = true;
		return true;
	}
	if (denied || strcmp(cause->sqlstate, "42P01") == 0 ||
	    strcmp(cause->sqlstate, "3F000") == 0) {
		if (!mz_history_rights(h, r->arena, r->db, t, err))
			return false;
		r->came = h->exists && !denied;
		return !denied || !h->exists || refuse(r, t, cause, err);
	}
	return mz_fail(err, MZ_history, "cannot read the history %s: %s (%s)",
		       t->quoted, cause->msg, cause->sqlstate);
}

static bool has_columns(const struct reader *r, const struct mz_table *t,
			struct mz_err *err)
{
	if (!r->columns ||
	    (strchr(r->columns, 'i') && strchr(r->columns, 'h') &&
	     strchr(r->columns, 'c') && !r->malformed))
		return true;
	mz_fail(err, MZ_history,
		"%s is not a history of Drizzle: it needs the columns id, "
		"hash and created_at",
		t->quoted);
	return mz_hint(err, "say where the history is with --schema and "
			    "--table");
}

static bool read_once(struct reader *r, const char *sql,
		      const struct mz_table *t, struct mz_err *err)
{
	struct pgw_err cause;
	const struct mz_db_reader reader = { on_columns, on_row, r };
	bool ok = mz_db_table(r->db, sql, &reader, &cause);

	if (r->too_large)
		return mz_fail(err, MZ_connect,
			       "the history is larger than %u MiB",
			       HISTORY_MAX >> 20);
	if (!ok && !explain(r, t, &cause, err))
		return false;
	if (!r->has_facts || r->h->version == 0 || !r->h->user)
		return mz_fail(err, MZ_connect,
			       "the server gave an unexpected result: it does "
			       "not answer like PostgreSQL");
	return true;
}

bool mz_history_read(struct mz_history *h, struct mz_arena *a, struct mz_db *db,
		     const struct mz_table *t, struct mz_err *err)
{
	const char *sql = read_sql(a, t);
	struct reader r;
	int tries = 0;

	/* Someone may create the table after we looked for it. */
	do {
		r = (struct reader){ .h = h, .arena = a, .db = db };
		*h = (struct mz_history){ .shape = MZ_SHAPE_ABSENT };
		if (!read_once(&r, sql, t, err))
			return false;
	} while (r.came && ++tries < CHANGES_MAX);
	if (r.came)
		return mz_fail(err, MZ_connect,
			       "the server gave an unexpected result: %s "
			       "never looks the same",
			       t->quoted);
	if (h->count)
		qsort(h->rows, h->count, sizeof(*h->rows), by_id);
	return has_columns(&r, t, err);
}
