/* SPDX-License-Identifier: MIT */
/*
 * A second connection that looks what becomes of a statement that takes long:
 * who blocks it, and how far it is.  It is opened when it is first needed, is
 * asked without being waited for, and is given up when it does not work.
 *
 * What is ours is known by the advisory lock, which our transaction holds:
 * its process, not the one that greeted us, is what a pooler in transaction
 * mode has given us for now.
 */
#ifndef MZ_MONITOR_H
#define MZ_MONITOR_H

#include "db.h"
#include "history.h"

#define MZ_BLOCKERS_MAX 8 /* that are told of one statement */

struct mz_monitor {
	const struct mz_db *main; /* whose statements are looked at */
	struct mz_db db;

	enum mz_monitor_state {
		MZ_MONITOR_CLOSED,
		MZ_MONITOR_READY,
		MZ_MONITOR_ASKED,
		MZ_MONITOR_GIVEN_UP,
	} state;
	const struct mz_table *table;
	int version;	      /* of the server: server_version_num */
	struct mz_arena seen; /* of a question and what is answered to it */
	int64_t next_ms;      /* when it asks again */
	size_t looks;	      /* at the present statement */
	bool failed;	      /* the answer is an error */

	struct mz_backend blockers[MZ_BLOCKERS_MAX];
	size_t nblockers;
	const char *phase;
	int percent;

	/* What was told last: of which statement, and which pids. */
	const char *told_tag;
	size_t told_line, ntold;
	int64_t told[MZ_BLOCKERS_MAX];
};

/* The monitor of main, whose migrations are guarded by the lock of t. */
void mz_monitor_init(struct mz_monitor *m, const struct mz_db *main,
		     const struct mz_table *t, int version);
void mz_monitor_close(struct mz_monitor *m);

/*
 * Look, if it is time: fills what is known of r, and tells main's listener who
 * blocks it, once for each change.  Takes no longer than a few milliseconds,
 * but for the first time, when it connects.
 */
void mz_monitor_look(struct mz_monitor *m, struct mz_running *r);

/* Another statement runs: what was seen is of no more use. */
void mz_monitor_rest(struct mz_monitor *m);

/* done of total in percent; -1 when that says nothing. */
int mz_percent(int64_t done, int64_t total);

#endif
