/* SPDX-License-Identifier: MIT */
/* A run of stepwise.c, as its parts see it; stepwise.h is for everyone else. */
#ifndef MZ_STEPWISE_INNER_H
#define MZ_STEPWISE_INNER_H

#include "alone.h"
#include "partial.h"
#include "stepwise.h"

/* What the server answered to a statement of the file. */
struct mz_reply {
	bool came; /* false while it runs */
	bool ok;
	char tag[64];
	struct pgw_diag diag; /* a copy */
};

struct mz_stepwise {
	const struct mz_job *job;
	const struct mz_migration *m;
	const struct mz_survey *survey;
	struct mz_apply_options options; /* as the file wants them */
	struct mz_arena *arena;
	struct mz_db *db;    /* runs the statements */
	struct mz_db holder; /* holds the lock, and records in the end */
	bool held;
	bool pooled; /* db may be another server connection each time */
	struct mz_applied *out;
	struct mz_err *err;

	struct pgw_buf text;
	struct mz_statements list;
	struct mz_partial_key key;
	struct mz_partial row;
	struct pgw_sha256 sha; /* of text up to hashed: done says it */
	size_t hashed;
	char done[MZ_HASH_LEN + 1], row_done[MZ_HASH_LEN + 1];

	struct mz_sql_statement present; /* the one that runs */
	char head[64];			 /* how what was sent begins, ... */
	int64_t sent_us;		 /* ... and when that was */
	struct mz_alone alone;		 /* the same, while ... */
	bool is_alone;			 /* ... it runs in no transaction */
	bool taken;			 /* the row is ours */
	const char *left;		 /* an index that is left invalid */
	bool in_block;			 /* a transaction of ours is open */
	bool patient;			 /* lock_timeout is 0 for the session */
	bool recording;			 /* all is done; holder has locks */
	bool committing; /* the row of the history: LOST is no answer */
	struct mz_reply reply;
	int64_t start_us;
};

/* ---- stepwise.c: SQL of our own; false after filling ending and err */

bool mz_stepwise_own(struct mz_stepwise *r, struct mz_db *db, const char *sql,
		     void (*row)(void *ctx, const struct pgw_row *row),
		     void *ctx) PGW_MUST_CHECK;

/* The same for what may take its time, and has no rows. */
bool mz_stepwise_long(struct mz_stepwise *r, struct mz_db *db,
		      const char *sql) PGW_MUST_CHECK;

/* One boolean. */
bool mz_stepwise_asks(struct mz_stepwise *r, const char *sql,
		      bool *yes) PGW_MUST_CHECK;

/* The session's settings as we want them: at first, and when they are gone. */
bool mz_stepwise_prepare(struct mz_stepwise *r) PGW_MUST_CHECK;

/* ---- stepwise_run.c */

/* The statements that are not finished yet. */
bool mz_stepwise_statements(struct mz_stepwise *r) PGW_MUST_CHECK;

struct pgw_view mz_stepwise_sql(const struct mz_stepwise *r,
				const struct mz_sql_statement *st);
struct mz_sql_text mz_stepwise_text(const struct mz_stepwise *r,
				    const struct mz_sql_statement *st);

/* Until db has another answer to that question, this is what it runs. */
void mz_stepwise_watched(struct mz_stepwise *r, struct mz_db *db,
			 struct pgw_view sql);

/* Run it: nothing more. */
bool mz_stepwise_one(struct mz_stepwise *r,
		     const struct mz_sql_statement *st) PGW_MUST_CHECK;

/* Record that all is finished up to it; outside of a transaction, or within
 * one right before its COMMIT. */
bool mz_stepwise_finish(struct mz_stepwise *r,
			const struct mz_sql_statement *st) PGW_MUST_CHECK;

/* SHA-256 of the file up to there; each time at or behind the last. */
const char *mz_stepwise_hash(struct mz_stepwise *r, size_t end);

/* ---- stepwise_alone.c */

/* A statement that runs without a transaction, from its record to its end. */
bool mz_stepwise_alone(struct mz_stepwise *r,
		       const struct mz_sql_statement *st) PGW_MUST_CHECK;

/* ---- stepwise_settle.c: best effort, when something has failed already */

/* Nothing of ours that was not answered runs on. */
void mz_stepwise_calm(struct mz_db *db);

/* Take back from the server all that it does for us; false when it goes on. */
bool mz_stepwise_stop(struct mz_stepwise *r) PGW_MUST_CHECK;

void mz_stepwise_roll_back(struct mz_stepwise *r);

/* No transaction is open: clean up, and have r->row and the table tell what
 * is done. */
void mz_stepwise_settle(struct mz_stepwise *r);

/* ---- stepwise_end.c: each fills ending and err, and gives false, unless the
 * last COMMIT, interrupted, was done all the same */

/* A connection failed, or is to be left: it was interrupted. */
bool mz_stepwise_lost(struct mz_stepwise *r, const struct pgw_err *cause);

/* The statement did, as r->reply says. */
bool mz_stepwise_failed(struct mz_stepwise *r,
			const struct mz_sql_statement *st);

/* SQL of our own did, or a connection. */
bool mz_stepwise_own_failed(struct mz_stepwise *r, const struct pgw_err *cause);

/* It is done, but left an invalid index. */
bool mz_stepwise_invalid(struct mz_stepwise *r,
			 const struct mz_sql_statement *st, const char *index);

/* An earlier run's statement goes on for longer than we wait. */
bool mz_stepwise_busy(struct mz_stepwise *r, const struct mz_sql_statement *st,
		      const char *pid);

/* Whether it was done, and whether to do it again, only a person can say. */
bool mz_stepwise_unknown(struct mz_stepwise *r,
			 const struct mz_sql_statement *st);

/* The file is another one than that which was begun with. */
bool mz_stepwise_changed(struct mz_stepwise *r);

/* What the server did is not what must come. */
bool mz_stepwise_surprised(struct mz_stepwise *r,
			   const struct mz_sql_statement *st);

#endif
