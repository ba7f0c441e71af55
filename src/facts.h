/* SPDX-License-Identifier: MIT */
/* What there is to say of a connection: ping's facts, for people and JSON. */
#ifndef MZ_FACTS_H
#define MZ_FACTS_H

#include "command.h"
#include "history.h"

#define MZ_FACTS_MAX 64

struct mz_facts {
	struct mz_arena *arena;
	struct mz_fact list[MZ_FACTS_MAX];
	size_t n;
};

/* The history, as far as this role may read it. */
struct mz_glimpse {
	const struct mz_table *table;
	const struct mz_history *history;
	const char *problem; /* why it was not read; NULL = it was */
	int64_t us;	     /* how long the query took */
};

/* Everything, the most important first. */
void mz_facts_gather(struct mz_facts *f, const struct mz_db *db,
		     const struct mz_glimpse *g);

/* Whole days from now until text, as pgw_tls_facts gives it; false: no time. */
bool mz_facts_days_left(const char *text, int64_t now_s, int64_t *days);

#endif
