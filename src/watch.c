/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "watch.h"

#define TICK_MS 100
#define PATIENCE_US 1000000
#define LEAST_PATIENCE_US 100000

/* A blocked statement of a migration, and not the one of before. */
static bool is_same(const struct mz_running *x, const struct mz_running *y)
{
	return x->tag == y->tag && x->statement == y->statement &&
	       x->line == y->line && x->us <= y->us;
}

static void tick(void *ctx)
{
	struct mz_watch *w = ctx;
	struct mz_running r = { .percent = -1 };
	struct mz_db *db = w->db;
	bool runs = db->running && db->running(db->running_ctx, &r);

	r.phase = NULL;
	r.percent = -1;
	r.blocker = 0;
	if (w->has_monitor && !(runs && is_same(&w->at, &r)))
		mz_monitor_rest(&w->monitor);
	w->at = r;
	if (w->has_monitor && runs && r.us >= w->patience_us)
		mz_monitor_look(&w->monitor, &r);
	mz_tell(&db->listener,
		&(struct mz_event){ .kind = MZ_EV_PROGRESS, .running = &r });
}

void mz_watch_start(struct mz_watch *w, struct mz_db *db)
{
	*w = (struct mz_watch){ .db = db };
	db->tick =
		(struct mz_tick){ .call = tick, .ctx = w, .every_ms = TICK_MS };
}

void mz_watch_monitor(struct mz_watch *w, const struct mz_table *t, int version,
		      int64_t lock_timeout_ms)
{
	if (w->has_monitor)
		return;
	mz_monitor_init(&w->monitor, w->db, t, version);
	w->has_monitor = true;
	w->patience_us = PATIENCE_US;
	if (lock_timeout_ms > 0 && lock_timeout_ms < PATIENCE_US / 500)
		w->patience_us = lock_timeout_ms * 500; /* half of it */
	if (w->patience_us < LEAST_PATIENCE_US)
		w->patience_us = LEAST_PATIENCE_US;
}

void mz_watch_stop(struct mz_watch *w)
{
	if (!w->db)
		return;
	w->db->tick.call = NULL;
	if (w->has_monitor)
		mz_monitor_close(&w->monitor);
	w->has_monitor = false;
}
