/* SPDX-License-Identifier: MIT */
/* A run of apply.c, as ending.c sees it; apply.h is for everyone else. */
#ifndef MZ_APPLYING_H
#define MZ_APPLYING_H

#include "apply.h"
#include "flight.h"

struct mz_applying {
	const struct mz_job *job;
	struct mz_arena *arena;
	struct mz_arena words; /* what is sent for the present migration */
	struct mz_db *db;
	struct mz_applied *out;
	struct mz_flight flight;
	uint32_t database;   /* its OID, when more than one is to come */
	size_t answering;    /* the migration whose turn it is at the server */
	size_t statement;    /* how many of its statements are answered */
	int64_t turn_us;     /* since when */
	int64_t answer_us;   /* when the last answer came */
	struct pgw_err lost; /* code OK while the connection works */

	/* The first that failed; what follows is its consequence. */
	bool failed;
	bool surprised; /* it did not fail, but was not what must come */
	struct mz_sent culprit;
	struct pgw_diag diag;
};

/* Send a message, and false when anything has failed by then. */
bool mz_applying_send(struct mz_applying *ap, enum mz_purpose purpose,
		      size_t migration, const char *sql) PGW_MUST_CHECK;

/* The same with all that is known of it.  Only while nothing has failed. */
bool mz_applying_send_as(struct mz_applying *ap, const struct mz_sent *sent,
			 struct pgw_view sql) PGW_MUST_CHECK;

/* It is sent by other means. */
void mz_applying_note(struct mz_applying *ap, const struct mz_sent *sent);

/* Wait until all is answered, and so far all went well. */
bool mz_applying_settle(struct mz_applying *ap) PGW_MUST_CHECK;

/* apply_script.c: all statements of that migration's script */
bool mz_applying_script(struct mz_applying *ap, size_t i,
			struct mz_err *err) PGW_MUST_CHECK;

/* Leave no transaction open behind us. */
void mz_applying_roll_back(struct mz_applying *ap);

/* What it all came to; cancels first when it was interrupted. */
enum mz_ending mz_applying_end(struct mz_applying *ap, struct mz_err *err);

#endif
