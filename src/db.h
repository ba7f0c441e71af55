/* SPDX-License-Identifier: MIT */
/* The connection of a command: opened once, its notices and trace reported. */
#ifndef MZ_DB_H
#define MZ_DB_H

#include "arena.h"
#include "error.h"
#include "event.h"

/* What is done every so often while we wait: watch.c. */
struct mz_tick {
	void (*call)(void *ctx); /* NULL = nothing */
	void *ctx;
	int64_t every_ms, next_ms;
};

struct mz_db {
	struct pgw_conn *conn; /* NULL = closed */
	const struct pgw_config *cfg;
	struct mz_arena *arena; /* NULL = the connection is not held */
	struct mz_hold hold;
	struct mz_listener listener;
	void (*trace)(void *ctx, const char *line); /* NULL = none */
	void *trace_ctx;
	const char *tag; /* the migration that notices belong to, or NULL */
	int interrupt_fd;
	size_t round_trips; /* of connections that are closed by now */
	size_t notices;	    /* that were shown, and their bytes; ... */
	size_t notice_bytes;
	size_t unseen; /* ... so many more were not */
	struct mz_tick tick;
	int64_t cancel_until; /* 0 = nothing is left that was cancelled */

	/* What the server is at; false = nothing.  NULL = nobody knows. */
	bool (*running)(void *ctx, struct mz_running *r);
	void *running_ctx;
};

/*
 * Connect.  While the failure is one that passes (refused, starting up, no
 * name yet) and wait_ms have not, try again with growing pauses; what is
 * waited for is told as MZ_EV_WAITING, once each time that it changes.
 */
bool mz_db_open(struct mz_db *db, int64_t wait_ms,
		struct mz_err *err) PGW_MUST_CHECK;

/* One try at that, which ends at the deadline; 0 is none. */
bool mz_db_connect(struct mz_db *db, int64_t deadline,
		   struct pgw_err *cause) PGW_MUST_CHECK;
void mz_db_close(struct mz_db *db);

/* Answers go to row and done (either may be NULL) until this is called again.
 */
void mz_db_hooks(struct mz_db *db,
		 void (*row)(void *ctx, const struct pgw_row *row),
		 void (*done)(void *ctx, const struct pgw_outcome *outcome),
		 void *ctx);

/*
 * Ask one question of our own: its rows go to row.  The answer has as much
 * time as connecting has (connect_timeout).
 */
bool mz_db_query(struct mz_db *db, const char *sql,
		 void (*row)(void *ctx, const struct pgw_row *row), void *ctx,
		 struct pgw_err *err) PGW_MUST_CHECK;

/* The same for whoever must know the columns, too. */
struct mz_db_reader {
	void (*columns)(void *ctx, const struct pgw_columns *columns);
	void (*row)(void *ctx, const struct pgw_row *row);
	void *ctx;
};

bool mz_db_table(struct mz_db *db, const char *sql,
		 const struct mz_db_reader *reader,
		 struct pgw_err *err) PGW_MUST_CHECK;

/* Whom to ask what the server is at, until this is called again. */
void mz_db_running(struct mz_db *db,
		   bool (*running)(void *ctx, struct mz_running *r), void *ctx);

/*
 * As pgw_conn_send and pgw_conn_wait, with ticks.  A deadline of the
 * connection is lost while there are ticks.
 */
bool mz_db_send(struct mz_db *db, struct pgw_view sql,
		struct pgw_err *err) PGW_MUST_CHECK;
bool mz_db_wait(struct mz_db *db, size_t unanswered,
		struct pgw_err *err) PGW_MUST_CHECK;

/* As mz_db_query, for what has no rows and may take its time: with ticks. */
bool mz_db_run(struct mz_db *db, const char *sql,
	       struct pgw_err *err) PGW_MUST_CHECK;
/*
 * Cancel what the server does for us until nothing of ours is left, for 15
 * seconds; who did not answer by then is not asked again.  From now on the
 * interrupt is not heard any more.  False when it did not get there; why says
 * what was in the way.
 */
bool mz_db_cancel(struct mz_db *db, struct pgw_err *why) PGW_MUST_CHECK;

/* It did not get there: nothing is to be waited for on this connection. */
bool mz_db_is_given_up(const struct mz_db *db);

/* The next column as text of the arena; NULL for a null, and at the end. */
const char *mz_db_text(struct mz_arena *a, struct pgw_view *cols);

/* A row hook; ctx is a bool: the first column of the last row is true. */
void mz_db_on_boolean(void *ctx, const struct pgw_row *row);

size_t mz_db_round_trips(const struct mz_db *db);

/* It is what the server answered, and the connection is there still. */
bool mz_db_is_answer(const struct mz_db *db, const struct pgw_err *cause);

/* Our own words for a failure of the connection; false. */
bool mz_db_fail(struct mz_err *err, const struct pgw_err *cause);

/* Sleep with ticks, but not through an interrupt; false when one has come. */
bool mz_db_sleep(struct mz_db *db, int64_t ms,
		 struct mz_err *err) PGW_MUST_CHECK;

/* A pause that doubles from first_ms to most_ms, with jitter. */
struct mz_pause {
	int64_t next_ms, most_ms;
};

int64_t mz_pause_next(struct mz_pause *p);

#endif
