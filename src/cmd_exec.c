/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "exec.h"

#include "connect.h"
#include "sqltext.h"

#include <string.h>
#include <unistd.h>

struct scripts {
	struct mz_reader *list;
	size_t n;
};

static bool open_files(struct mz_context *c, struct scripts *s,
		       const char *const *paths, size_t n, struct mz_err *err)
{
	s->list = mz_alloc_array(&c->arena, n, sizeof(*s->list));
	for (size_t i = 0; i < n; i++) {
		if (!mz_reader_open(&s->list[i], paths[i], c->interrupt_fd,
				    err))
			return false;
		s->n++;
	}
	return true;
}

static bool open_scripts(struct mz_context *c, struct scripts *s,
			 struct mz_err *err)
{
	const mz_kind_texts *sql = &c->opt.sql;

	if (sql->n == 0 && c->opt.nargs == 0 && isatty(STDIN_FILENO))
		mz_report_remark(&c->report,
				 "reading SQL from the terminal; Ctrl-D on an "
				 "empty line ends it");
	if (sql->n == 0 && c->opt.nargs == 0)
		return open_files(c, s, (const char *[]){ "-" }, 1, err);
	if (sql->n == 0)
		return open_files(c, s, c->opt.args, c->opt.nargs, err);
	if (c->opt.nargs > 0)
		return mz_fail(err, MZ_usage,
			       "-c and files exclude each other");
	s->list = mz_alloc_array(&c->arena, sql->n, sizeof(*s->list));
	for (; s->n < sql->n; s->n++)
		mz_reader_text(&s->list[s->n],
			       s->n == 0 ? "-c" :
					   mz_printf(&c->arena, "-c (no. %zu)",
						     s->n + 1),
			       sql->list[s->n]);
	return true;
}

/* ---- before anything is sent */

/* What can be read twice is looked through, so that all of it can be sent. */
static bool survey(struct mz_reader *r, bool one_transaction,
		   struct mz_err *err)
{
	struct mz_sql_statement st;
	bool more = true;

	while (r->rewinds) {
		if (!mz_reader_next(r, &st, &more, err))
			return false;
		if (!more)
			return mz_reader_rewind(r, err);
		if (!mz_exec_fits(r, &st, one_transaction, err))
			return false;
		if (st.kind == MZ_SQL_COPY_STDIN && !r->literal &&
		    (!mz_reader_rows_begin(r, &st, err) ||
		     !mz_reader_rows_end(r, err)))
			return false;
	}
	return true;
}

/* ---- what we send of our own */

static const char *add(struct mz_exec *e, const char *sql, const char *name,
		       const char *value)
{
	return mz_printf(&e->c->arena,
			 "%sSELECT pg_catalog.set_config('%s', %s, %s); ", sql,
			 name, mz_quote_literal(&e->c->arena, value),
			 e->one_transaction ? "true" : "false");
}

static const char *add_timeout(struct mz_exec *e, const char *sql,
			       const char *name, int64_t ms)
{
	if (ms <= 0)
		return sql;
	return add(e, sql, name,
		   mz_printf(&e->c->arena, "%lld", (long long)ms));
}

/* What the connection string wants first: the command line wins over it. */
static const char *opening(struct mz_exec *e, const struct pgw_config *cfg)
{
	const struct mz_options *o = &e->c->opt;
	struct pgw_cur cur = pgw_cur_of(pgw_buf_view(&cfg->raw.local));
	const char *sql = e->one_transaction ? "BEGIN; " : "";

	while (!cur.bad && cur.p < cur.end) {
		const char *name = pgw_cur_str(&cur);
		const char *value = pgw_cur_str(&cur);

		if (!cur.bad)
			sql = add(e, sql, name, value);
	}
	sql = add_timeout(e, sql, "lock_timeout", o->lock_timeout);
	return add_timeout(e, sql, "statement_timeout", o->statement_timeout);
}

static bool committed(struct mz_exec *e, struct mz_err *err)
{
	return strcmp(e->tag, "COMMIT") == 0 ||
	       mz_fail(err, MZ_sql,
		       "the server answered COMMIT with %s: nothing was kept",
		       e->tag);
}

static bool run(struct mz_exec *e, struct scripts *s,
		const struct pgw_config *cfg, struct mz_err *err)
{
	const char *sql = opening(e, cfg);

	if (!mz_db_open(&e->db, e->c->opt.wait, err) ||
	    (*sql && !mz_exec_own(e, sql, err)))
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (!mz_exec_script(e, &s->list[i], err))
			return false;
	if (e->one_transaction)
		return mz_exec_own(e, "COMMIT", err) && committed(e, err);
	if (pgw_conn_txn(e->db.conn) != 'I')
		mz_report_warning(&e->c->report,
				  "a transaction was still open at the end: it "
				  "is rolled back");
	return true;
}

static bool connect_and_run(struct mz_context *c, struct scripts *s,
			    struct mz_err *err)
{
	struct mz_exec e = { .c = c,
			     .one_transaction = c->opt.one_transaction };
	int64_t start = pgw_clock_us();
	struct pgw_config cfg;
	bool ok;

	if (!mz_connect_config(c, &cfg, err))
		return false;
	e.db = mz_connect_db(c, &cfg);
	e.db.listener.statements = c->report.verbose;
	mz_rows_init(&e.rows, &c->report, c->opt.csv);
	mz_reader_rows_only(&e.input, c->interrupt_fd);
	ok = run(&e, s, &cfg, err);
	c->result = (struct mz_result){
		.kind = MZ_RESULT_EXEC,
		.applied = e.done,
		.us = (uint64_t)(pgw_clock_us() - start),
	};
	mz_db_close(&e.db);
	c->result.round_trips = mz_db_round_trips(&e.db);
	mz_reader_close(&e.input);
	mz_rows_release(&e.rows);
	mz_exec_release(&e);
	pgw_config_release(&cfg);
	return ok;
}

bool cmd_exec(struct mz_context *c, struct mz_err *err)
{
	struct scripts s = { NULL, 0 };
	bool ok = open_scripts(c, &s, err);

	for (size_t i = 0; ok && i < s.n; i++)
		ok = survey(&s.list[i], c->opt.one_transaction, err);
	ok = ok && connect_and_run(c, &s, err);
	for (size_t i = 0; i < s.n; i++)
		mz_reader_close(&s.list[i]);
	return ok;
}
