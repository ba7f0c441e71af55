/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "mizzle_inner.h"
#include "plan.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SAME(ours, theirs) \
	_Static_assert((int)(ours) == (int)(theirs), #ours " is " #theirs)

SAME(MIZZLE_OK, MZ_ok);
SAME(MIZZLE_SQL, MZ_sql);
SAME(MIZZLE_USAGE, MZ_usage);
SAME(MIZZLE_CONNECT, MZ_connect);
SAME(MIZZLE_LOCKED, MZ_locked);
SAME(MIZZLE_HISTORY, MZ_history);
SAME(MIZZLE_PARTIAL, MZ_partial);
SAME(MIZZLE_REFUSED, MZ_refused);
SAME(MIZZLE_INTERNAL, MZ_internal);
SAME(MIZZLE_APPLIED, MZ_APPLIED);
SAME(MIZZLE_PENDING, MZ_PENDING);
SAME(MIZZLE_MODIFIED, MZ_MODIFIED);
SAME(MIZZLE_EOL, MZ_EOL);
SAME(MIZZLE_MISSING, MZ_MISSING);
SAME(MIZZLE_OUT_OF_ORDER, MZ_OUT_OF_ORDER);
SAME(MIZZLE_PARTLY, MZ_PARTIAL);
SAME(MIZZLE_STATES, MZ_STATES);

const char *mizzle_version(void)
{
	return PACKAGE_VERSION;
}

const char *mizzle_state_name(int32_t state)
{
	if (state < 0 || state > MIZZLE_STATES)
		state = MIZZLE_STATES;
	return mz_state_name((enum mz_state)state);
}

/* ---- calls */

/* What the last call has told is forgotten, and its memory is gone. */
static void begin(struct mizzle *m)
{
	struct mz_context *c = &m->c;

	c->result = (struct mz_result){ 0 };
	mz_mizzle_conclude(m, true);
	mz_arena_release(&c->arena);
	m->escape.holds = NULL;
	c->opt = m->opt;
	if (m->environment)
		c->settings = (struct mz_settings){ .env = pgw_env };
	else
		mz_settings_none(&c->settings);
	mz_report_init_for(&c->report, &m->audience);
}

typedef bool (*mz_call)(struct mizzle *m, struct mz_err *err);

/* Nothing that is changed between the two returns is in a register. */
static bool escapable(struct mizzle *m, mz_call job)
{
	if (setjmp(m->escape.to) == 0)
		return job(m, &m->err);
	mz_fail(&m->err, MZ_internal,
		"out of memory; what was not committed is rolled back");
	m->err.fate = MZ_FATE_UNKNOWN;
	return false;
}

static int32_t call(struct mizzle *m, mz_call job)
{
	if (!m || atomic_flag_test_and_set(&m->busy))
		return MIZZLE_USAGE;
	if (m->ready) {
		begin(m);
		mz_mizzle_conclude(m, escapable(m, job));
	}
	atomic_flag_clear(&m->busy);
	return m->error.code;
}

static bool migrate(struct mizzle *m, struct mz_err *err)
{
	return mz_run(&m->c, MZ_APPLY, err);
}

static bool status(struct mizzle *m, struct mz_err *err)
{
	struct mz_result *r = &m->c.result;
	int64_t start = pgw_clock_us();
	bool ok = cmd_status(&m->c, err);

	for (int i = 0; i < MZ_STATES; i++) {
		enum mz_state state = (enum mz_state)i;

		if (mz_plan_is_pending(state))
			r->pending += r->counts[i];
		if (state != MZ_MISSING)
			r->present += r->counts[i];
	}
	r->us = (uint64_t)(pgw_clock_us() - start);
	return ok;
}

int32_t mizzle_migrate(struct mizzle *m)
{
	return call(m, migrate);
}

int32_t mizzle_status(struct mizzle *m,
		      void (*each)(void *ctx,
				   const struct mizzle_migration *migration),
		      void *ctx)
{
	if (!m)
		return MIZZLE_USAGE;
	m->each = each;
	m->each_ctx = ctx;
	return call(m, status);
}

void mizzle_cancel(struct mizzle *m)
{
	int saved = errno;

	/* a pipe that is full says the same */
	if (m)
		(void)!write(m->c.signal_fd, "", 1);
	errno = saved;
}

/* ---- handles */

static bool open_pipe(struct mz_context *c)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	c->interrupt_fd = ends[0];
	c->signal_fd = ends[1];
	return true;
}

static struct mizzle *make(void)
{
	struct mizzle *m = calloc(1, sizeof(*m));

	if (!m || !open_pipe(&m->c)) {
		free(m);
		return NULL;
	}
	mz_arena_init(&m->own);
	mz_arena_init(&m->c.arena);
	m->own.escape = m->c.arena.escape = &m->escape;
	atomic_flag_clear(&m->busy);
	m->c.embedded = true;
	mz_mizzle_listen(m);
	return m;
}

static bool take(struct mizzle *m, struct mz_err *err)
{
	return mz_mizzle_take(m, m->asked, err);
}

int32_t mizzle_open(struct mizzle **out, const struct mizzle_options *o)
{
	struct mizzle *m;

	if (!out)
		return MIZZLE_USAGE;
	m = *out = make();
	if (!m)
		return MIZZLE_INTERNAL;
	m->asked = o;
	m->ready = escapable(m, take);
	m->asked = NULL;
	mz_mizzle_conclude(m, m->ready);
	return m->error.code;
}

void mizzle_close(struct mizzle *m)
{
	if (!m)
		return;
	mz_arena_release(&m->c.arena);
	mz_arena_release(&m->own);
	close(m->c.interrupt_fd);
	close(m->c.signal_fd);
	free(m);
}

const struct mizzle_error *mizzle_error(const struct mizzle *m)
{
	static const struct mizzle_error no_memory = {
		.code = MIZZLE_INTERNAL,
		.name = "internal",
		.message = "out of memory, or of file descriptors",
		.hint = "",
		.tag = "",
		.file = "",
		.source = "",
		.sqlstate = "",
		.sql_message = "",
		.sql_detail = "",
		.sql_hint = "",
		.sql_context = "",
	};

	return m ? &m->error : &no_memory;
}

const struct mizzle_result *mizzle_result(const struct mizzle *m)
{
	static const struct mizzle_result nothing = { 0 };

	return m ? &m->result : &nothing;
}
