/* SPDX-License-Identifier: MIT */
/*
 * What happens while an answer is waited for: a few times a second it is told
 * what runs, and for how long; when that is long, the monitor looks why.
 */
#ifndef MZ_WATCH_H
#define MZ_WATCH_H

#include "monitor.h"

struct mz_watch {
	struct mz_db *db;
	struct mz_monitor monitor;
	bool has_monitor;
	int64_t patience_us;  /* a statement may take so long */
	struct mz_running at; /* what ran at the last tick */
};

/* Watch db from now on; it must not be moved.  No monitor yet. */
void mz_watch_start(struct mz_watch *w, struct mz_db *db);

/*
 * With a monitor from now on.  A statement that gives up by itself after
 * lock_timeout_ms (0 = never) is looked at before that.
 */
void mz_watch_monitor(struct mz_watch *w, const struct mz_table *t, int version,
		      int64_t lock_timeout_ms);

/* May be called twice, and before it was started. */
void mz_watch_stop(struct mz_watch *w);

#endif
