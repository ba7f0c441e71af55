/* SPDX-License-Identifier: MIT */
/* Waiting for a server. */
#include <config.h>

#include "db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRST_PAUSE_MS 100
#define MOST_PAUSE_MS 2000

/* The least that is left for a last try; less would tell nothing. */
#define LAST_TRY_MS 100

struct waiting {
	int64_t start, end;
	struct mz_pause pause;
	struct pgw_err reason; /* the last that was told */
};

/*
 * Which addresses answer and in which order may differ from try to try; what
 * is wrong does not.  Only a server that starts up tells news in words.
 */
static bool is_news(const struct pgw_err *was, const struct pgw_err *is)
{
	if (was->code != is->code || strcmp(was->sqlstate, is->sqlstate) != 0)
		return true;
	if (strcmp(is->sqlstate, "57P03") == 0)
		return strcmp(was->msg, is->msg) != 0;
	return strcmp(was->hint, is->hint) != 0;
}

static void tell(const struct mz_db *db, struct waiting *w,
		 const struct pgw_err *cause)
{
	if (w->reason.code == PGW_OK || is_news(&w->reason, cause))
		mz_tell(&db->listener,
			&(struct mz_event){ .kind = MZ_EV_WAITING,
					    .text = cause->msg });
	w->reason = *cause;
}

/* That the last try was cut short is not what is wrong. */
static const struct pgw_err *what_is_wrong(const struct waiting *w,
					   const struct pgw_err *cause)
{
	bool cut = cause->code == PGW_E_TIMEOUT && pgw_clock_ms() >= w->end;

	return cut && w->reason.code != PGW_OK ? &w->reason : cause;
}

static bool give_up(const struct waiting *w, const struct pgw_err *cause,
		    struct mz_err *err)
{
	int64_t ms = pgw_clock_ms() - w->start;
	size_t n;

	mz_db_fail(err, cause);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof(err->msg) - n,
		 " (tried for %" PRId64 ".%" PRId64 " s)", ms / 1000,
		 ms % 1000 / 100);
	return false;
}

/* After a failure: true when it is worth another try, and time for it. */
static bool wait_again(struct mz_db *db, struct waiting *w,
		       const struct pgw_err *cause, struct mz_err *err)
{
	int64_t left = w->end - pgw_clock_ms() - LAST_TRY_MS;
	int64_t ms = mz_pause_next(&w->pause);

	if (!pgw_err_passes(cause))
		return mz_db_fail(err, cause);
	if (left <= 0)
		return give_up(w, what_is_wrong(w, cause), err);
	tell(db, w, cause);
	return mz_db_sleep(db, ms < left ? ms : left, err);
}

bool mz_db_open(struct mz_db *db, int64_t wait_ms, struct mz_err *err)
{
	struct waiting w = { .start = pgw_clock_ms(),
			     .pause = { FIRST_PAUSE_MS, MOST_PAUSE_MS } };
	struct pgw_err cause = { 0 };

	if (wait_ms <= 0)
		return mz_db_connect(db, 0, &cause) || mz_db_fail(err, &cause);
	w.end = w.start + wait_ms;
	do
		if (mz_db_connect(db, w.end, &cause))
			return true;
	while (wait_again(db, &w, &cause, err));
	return false;
}
