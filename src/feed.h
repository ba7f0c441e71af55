/* SPDX-License-Identifier: MIT */
/*
 * What has happened in this process, newest last, each with a number: as much
 * of it as a client that was away for a while may ask for.
 */
#ifndef MZ_FEED_H
#define MZ_FEED_H

#include "pgw.h"

#define MZ_FEED_EVENTS 4096u
#define MZ_FEED_BYTES ((size_t)4 << 20)

struct mz_feed {
	struct mz_feed_event {
		char *text; /* one JSON object; owned */
		size_t n;
	} events[MZ_FEED_EVENTS]; /* number i is at i % MZ_FEED_EVENTS */

	uint64_t first,
		next; /* numbers of those that are kept: [first, next) */
	size_t bytes;
};

/* Numbers begin with 1. */
void mz_feed_init(struct mz_feed *f);
void mz_feed_release(struct mz_feed *f);

/* Add an event; false when there is no memory. */
bool mz_feed_add(struct mz_feed *f, struct pgw_view text) PGW_MUST_CHECK;

/* That event, or NULL when it is gone or not there yet. */
const struct mz_feed_event *mz_feed_get(const struct mz_feed *f,
					uint64_t number);

/* The value of "event", which our JSON begins with. */
struct pgw_view mz_feed_kind(struct pgw_view text);

#endif
