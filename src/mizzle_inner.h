/* SPDX-License-Identifier: MIT */
/* The handle of mizzle.h: a context, and what a program is told of it. */
#ifndef MZ_MIZZLE_INNER_H
#define MZ_MIZZLE_INNER_H

#include "command.h"
#include "mizzle.h"

#include <stdatomic.h>

struct mizzle {
	struct mz_context c; /* of the present call, or the last one */
	struct mz_escape escape;
	struct mz_audience audience;
	atomic_flag busy;

	/* What was asked for. */
	const struct mizzle_options *asked; /* while it is opened */
	bool ready;			    /* the options are sound */
	bool environment;
	struct mz_arena own;   /* the texts of opt */
	struct mz_options opt; /* each call begins with these */
	void (*event)(void *ctx, const struct mizzle_event *e);
	void *event_ctx;
	void (*each)(void *ctx, const struct mizzle_migration *migration);
	void *each_ctx;

	/* What came of it. */
	struct mz_err err;
	struct mizzle_error error;
	struct mizzle_result result;
};

/* Make m->opt and the callbacks of what the program asks for. */
bool mz_mizzle_take(struct mizzle *m, const struct mizzle_options *o,
		    struct mz_err *err) PGW_MUST_CHECK;

/* m->audience, which makes of our events those of mizzle.h. */
void mz_mizzle_listen(struct mizzle *m);

/* Fill m->error and m->result from m->err and m->c. */
void mz_mizzle_conclude(struct mizzle *m, bool ok);

#endif
