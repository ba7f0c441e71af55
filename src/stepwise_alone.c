/* SPDX-License-Identifier: MIT */
/*
 * Statements without a transaction: what they did is recorded behind them, so
 * that they were begun is recorded before.
 */
#include <config.h>

#include "setting_sql.h"
#include "stepwise_inner.h"

#define FIRST_PAUSE_MS 50
#define MOST_PAUSE_MS 1000
#define NAMES_MAX 16 /* what is more is found the next time */

/* ---- what a failed one leaves behind */

struct names {
	struct mz_arena *arena;
	const char *list[NAMES_MAX];
	size_t n;
};

static void on_name(void *ctx, const struct pgw_row *row)
{
	struct names *n = ctx;
	struct pgw_view cols = row->cols;
	const char *name = mz_db_text(n->arena, &cols);

	if (name && n->n < NAMES_MAX)
		n->list[n->n++] = name;
}

static bool find_invalid(struct mz_stepwise *r, const struct mz_alone *k,
			 struct names *names)
{
	const char *sql = mz_alone_leftovers_sql(r->arena, k, r->row.before);

	*names = (struct names){ .arena = r->arena };
	return !sql || mz_stepwise_own(r, r->db, sql, on_name, names);
}

static bool drop_invalid(struct mz_stepwise *r, const char *name)
{
	mz_tell(&r->db->listener,
		&(struct mz_event){
			.kind = MZ_EV_REMARK,
			.text = mz_printf(r->arena,
					  "%s: the index %s was left invalid; "
					  "it is dropped",
					  r->m->tag, name) });
	return mz_stepwise_long(r, r->db, mz_alone_drop_sql(r->arena, name));
}

static bool clean(struct mz_stepwise *r, const struct mz_alone *k)
{
	struct names names;

	if (!find_invalid(r, k, &names))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (!drop_invalid(r, names.list[i]))
			return false;
	return true;
}

/* ---- what became of one that was begun before */

struct begun {
	struct mz_arena *arena;
	const char *pid;
};

static void on_pid(void *ctx, const struct pgw_row *row)
{
	struct begun *b = ctx;
	struct pgw_view cols = row->cols;

	b->pid = mz_db_text(b->arena, &cols);
}

/* Who was killed may have left a server at work. */
static bool wait_for_earlier(struct mz_stepwise *r,
			     const struct mz_sql_statement *st)
{
	const char *sql = /* what others run is for us to see */
		mz_printf(r->arena, MZ_AS_OURSELVES_SQL "; %s",
			  mz_alone_running_sql(r->arena,
					       mz_stepwise_sql(r, st)));
	int64_t deadline = pgw_clock_ms() + r->options.lock_wait_ms;
	struct mz_pause pause = { FIRST_PAUSE_MS, MOST_PAUSE_MS };
	bool told = false;

	for (;;) {
		struct begun b = { .arena = r->arena };

		if (!mz_stepwise_own(r, r->db, sql, on_pid, &b))
			return false;
		if (!b.pid)
			return true;
		if (!told)
			mz_tell(&r->db->listener,
				&(struct mz_event){
					.kind = MZ_EV_WAITING,
					.text = mz_printf(
						r->arena,
						"pid %s still runs statement "
						"%zu of %s, which an earlier "
						"run began",
						b.pid, st->count, r->m->tag) });
		told = true;
		if (pgw_clock_ms() >= deadline)
			return mz_stepwise_busy(r, st, b.pid);
		if (!mz_db_sleep(r->db, mz_pause_next(&pause), r->err)) {
			r->out->ending = MZ_END_INTERRUPTED;
			return false;
		}
	}
}

/* It was begun once, and nobody has heard what came of it. */
static bool find_out(struct mz_stepwise *r, const struct mz_sql_statement *st,
		     const struct mz_alone *k, bool *done)
{
	const char *sql = mz_alone_done_sql(r->arena, k, r->row.before,
					    r->row.existed);

	*done = false;
	if (!wait_for_earlier(r, st))
		return false;
	if (k->kind == MZ_ALONE_UNKNOWN &&
	    r->options.resume == MZ_RESUME_REFUSE)
		return mz_stepwise_unknown(r, st);
	if (k->kind == MZ_ALONE_UNKNOWN)
		*done = r->options.resume == MZ_RESUME_SKIP;
	return !sql || mz_stepwise_asks(r, sql, done);
}

/* ---- running one */

static void on_before(void *ctx, const struct pgw_row *row)
{
	struct mz_stepwise *r = ctx;
	struct pgw_view cols = row->cols;
	const char *before = mz_db_text(r->arena, &cols);
	const char *existed = mz_db_text(r->arena, &cols);

	r->row.before = before ? before : "{}";
	r->row.existed = existed && *existed == 't';
}

/* Asked as the statement itself will see it: role and search_path count. */
static bool look_before(struct mz_stepwise *r, const struct mz_alone *k)
{
	r->row.before = "{}";
	r->row.existed = false;
	if (k->kind == MZ_ALONE_AGAIN || k->kind == MZ_ALONE_UNKNOWN)
		return true;
	return mz_stepwise_own(r, r->db,
			       mz_printf(r->arena, "SELECT %s, %s",
					 mz_alone_before_sql(r->arena, k),
					 mz_alone_existed_sql(r->arena, k)),
			       on_before, r);
}

static bool mark(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	const char *sql = mz_partial_begin_sql(r->arena, &r->key, st->count,
					       r->row.before, r->row.existed);

	if (!mz_stepwise_own(r, r->db,
			     mz_printf(r->arena, MZ_AS_OURSELVES_SQL "; %s",
				       sql),
			     NULL, NULL))
		return false;
	r->row.running = st->count;
	return true;
}

/* The present session waits for locks as long as it takes. */
static bool be_patient(struct mz_stepwise *r)
{
	if (r->pooled || r->patient)
		return true;
	r->patient = true;
	return mz_stepwise_own(r, r->db, "SET lock_timeout = 0", NULL, NULL);
}

/* A server may call it done, and have left the index invalid. */
static bool is_valid(struct mz_stepwise *r, const struct mz_sql_statement *st,
		     const struct mz_alone *k)
{
	struct names names;

	if (k->kind != MZ_ALONE_INDEX)
		return true;
	return find_invalid(r, k, &names) &&
	       (names.n == 0 || mz_stepwise_invalid(r, st, names.list[0]));
}

static bool run_it(struct mz_stepwise *r, const struct mz_sql_statement *st,
		   const struct mz_alone *k, bool again)
{
	const char *sql = again ? mz_alone_halfway_sql(r->arena, k) : NULL;
	bool halfway = false;

	if (sql && !mz_stepwise_asks(r, sql, &halfway))
		return false;
	if (halfway)
		return mz_stepwise_long(r, r->db,
					mz_alone_finish_sql(r->arena, k));
	return clean(r, k) && mz_stepwise_one(r, st) && is_valid(r, st, k);
}

bool mz_stepwise_alone(struct mz_stepwise *r, const struct mz_sql_statement *st)
{
	struct mz_sql_text text = mz_stepwise_text(r, st);
	const struct mz_alone *k = &r->alone;
	bool again = r->row.running == st->count, done = false;

	r->reply = (struct mz_reply){ 0 }; /* that of another statement */
	mz_alone_of(&r->alone, r->arena, &text, st->what);
	if (again) {
		if (!find_out(r, st, k, &done))
			return false;
	} else if (!look_before(r, k) || !mark(r, st)) {
		return false;
	}
	r->is_alone = true;
	if (!done && (!be_patient(r) || !run_it(r, st, k, again)))
		return false;
	r->is_alone = false;
	return mz_stepwise_finish(r, st);
}
