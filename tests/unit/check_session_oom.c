/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of a whole session is made to fail in turn.  Linked with
 * --wrap=malloc and --wrap=free, so that only our own are counted.
 */
#include <config.h>

#include "../golden/player.h"
#include "unit.h"
#include "wire.h"

static int countdown = -1;
static int alive; /* allocations that nobody has freed */
static bool armed;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void __real_free(void *p);
void __wrap_free(void *p);

void *__wrap_malloc(size_t n)
{
	void *p = NULL;

	if (countdown != 0)
		p = __real_malloc(n);
	if (countdown >= 0)
		countdown--;
	alive += armed && p;
	return p;
}

void __wrap_free(void *p)
{
	alive -= armed && p;
	__real_free(p);
}

static const struct golden *find(const char *name)
{
	const struct golden *g = goldens;

	while (strcmp(g->name, name) != 0)
		g++;
	return g;
}

struct count {
	int failed, survived;
};

/* The n-th allocation fails; false when there were not so many. */
static bool try_one(const struct golden *g, struct pgw_buf *trace, int n,
		    struct count *count)
{
	static struct player p;
	const struct golden_io io = { player_write, player_read, .ctx = &p };
	struct pgw_err err = { 0 };
	bool ok, fired;

	ck_assert(player_load(&p, "15", g->name));
	p.step = 33;
	if (trace)
		trace->len = 0; /* it has grown before */
	countdown = n;
	armed = true;
	ok = golden_run(g, &io, trace, &err);
	armed = false; /* Check allocates too */
	fired = countdown < 0;
	countdown = -1;
	ck_assert_int_eq(alive, 0);
	if (!ok)
		ck_assert_msg(err.code == PGW_E_NOMEM, "%s", err.msg);
	*(ok ? &count->survived : &count->failed) += fired;
	return fired;
}

static struct count try_all(const char *name, struct pgw_buf *trace)
{
	struct count count = { 0, 0 };

	for (int n = 0; n < 5000; n++)
		if (!try_one(find(name), trace, n, &count))
			return count;
	ck_abort_msg("it never ends");
}

START_TEST(each_allocation_of_a_session_may_fail)
{
	static const char *const names[] = { "scram-once", "select",
					     "pipeline",   "notices",
					     "copy-in",	   "copy-out",
					     "md5" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct count count = try_all(names[i], NULL);

		ck_assert_int_gt(count.failed, 3);
		ck_assert_int_eq(count.survived, 0);
	}
}

END_TEST

/* A line that cannot be shown is no reason to stop. */
START_TEST(a_trace_may_go_without_memory)
{
	struct pgw_buf trace;
	struct count count;
	unsigned char *room = malloc(1 << 16);

	ck_assert_ptr_nonnull(room);
	trace = (struct pgw_buf){ .data = room,
				  .cap = 1 << 16,
				  .max = 1 << 16 };
	count = try_all("scram-once", &trace);
	ck_assert_int_gt(count.failed, 3);
	ck_assert_int_gt(count.survived, 20);
	pgw_buf_release(&trace);
}

END_TEST

static void give_data(struct pgw_session *s, struct pgw_err *err)
{
	static const struct bytes way = BYTES(AUTH_OK READY),
				  wanted = BYTES(COPY_IN),
				  done = BYTES(COMPLETE READY);
	static const unsigned char data[100000];
	const struct pgw_view piece = { data, sizeof(data) };
	struct pgw_login login = wire_login();

	pgw_session_init(s, NULL);
	(void)!(pgw_session_start(s, &login, err) &&
		pgw_session_feed(s, way.p, way.n, err) &&
		pgw_session_offer(s, pgw_view_of("copy"), err) &&
		pgw_session_feed(s, wanted.p, wanted.n, err) &&
		pgw_session_give(s, piece, err) &&
		pgw_session_give(s, piece, err) &&
		pgw_session_give_end(s, err) &&
		pgw_session_feed(s, done.p, done.n, err));
}

START_TEST(each_allocation_of_a_copy_may_fail)
{
	int n = 0;
	bool fired, idle;

	do {
		struct pgw_session s;
		struct pgw_err err = { 0 };

		countdown = n++;
		armed = true;
		give_data(&s, &err);
		idle = s.state == PGW_IDLE;
		pgw_session_release(&s);
		armed = false;
		fired = countdown < 0;
		countdown = -1;
		ck_assert_int_eq(alive, 0);
		ck_assert(idle != fired);
		ck_assert_int_eq(err.code, fired ? PGW_E_NOMEM : PGW_OK);
	} while (fired);
	ck_assert_int_gt(n, 4);
}

END_TEST

UNIT_MAIN("session_oom", each_allocation_of_a_session_may_fail,
	  each_allocation_of_a_copy_may_fail, a_trace_may_go_without_memory)
