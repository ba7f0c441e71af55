/* SPDX-License-Identifier: MIT */
/* What the statements of a whole migration destroy, and where. */
#ifndef MZ_DANGERS_H
#define MZ_DANGERS_H

#include "arena.h"
#include "report.h"
#include "statements.h"

struct mz_dangers {
	struct mz_hazard *list; /* in the order of the text */
	size_t count;
	size_t destructive; /* how many of them are */
};

/* Statement by statement; begin with zeros but for d and arena. */
struct mz_dangers_taker {
	struct mz_dangers *d;
	struct mz_arena *arena;
	struct pgw_view text; /* of the present statement */
	const struct mz_sql_statement *st;
	size_t room;
};

void mz_dangers_take(struct mz_dangers_taker *t,
		     const struct mz_statements *list,
		     const struct mz_sql_statement *st);

#endif
