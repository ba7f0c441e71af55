/* SPDX-License-Identifier: MIT */
/*
 * libmizzle: Drizzle migrations for PostgreSQL, applied by a program itself,
 * such as a server that starts.  What the command mizzle does is done by the
 * same code, with the same lock, in the same history.  See mizzle(3).
 *
 *	struct mizzle_options o;
 *	struct mizzle *m;
 *
 *	mizzle_options_init(&o, sizeof(o));
 *	o.url = "postgresql://user@db.example.org/shop";
 *	if (mizzle_open(&m, &o) != MIZZLE_OK || mizzle_migrate(m) != MIZZLE_OK)
 *		complain(mizzle_error(m)->message);
 *	mizzle_close(m);
 *
 * A handle is used by one thread at a time, but for mizzle_cancel; many
 * handles may be used by many threads at once.  The library prints nothing,
 * installs no signal handler, raises no SIGPIPE, never ends the program, and
 * reads environment and home only when it is told to.
 *
 * Texts are UTF-8, are never NULL, and are "" when there is nothing to say.
 * They may hold whatever a file or a server said, control characters too: make
 * them harmless before they reach a terminal.  No text holds a password.
 *
 * What the library hands out is only ever extended at its end, and so is
 * struct mizzle_options, whose size tells which version the program knows.
 */
#ifndef MIZZLE_H
#define MIZZLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MIZZLE_API __attribute__((visibility("default")))

/* How a call ended: the exit statuses of the command. */
enum mizzle_code {
	MIZZLE_OK = 0,
	MIZZLE_SQL = 1,	    /* a statement failed */
	MIZZLE_USAGE = 2,   /* options or folder are wrong: nothing was sent */
	MIZZLE_CONNECT = 3, /* no connection, or it was lost */
	MIZZLE_LOCKED = 4,  /* another one migrates, or holds a lock */
	MIZZLE_HISTORY = 5, /* history and folder disagree */
	MIZZLE_PARTIAL = 6, /* one stopped midway: call again to go on */
	MIZZLE_REFUSED = 9, /* a guard said no */
	MIZZLE_INTERNAL = 70,	/* a bug, or no memory */
	MIZZLE_CANCELLED = 128, /* by mizzle_cancel */
};

/* What became of the migration that an error is about. */
enum mizzle_fate {
	MIZZLE_FATE_NOTHING, /* nothing of it was done, or it was rolled back */
	MIZZLE_FATE_PART,    /* some of its statements are done, and kept */
	MIZZLE_FATE_UNKNOWN, /* the server may have done it, or do it still */
};

enum mizzle_state {
	MIZZLE_APPLIED,
	MIZZLE_PENDING,
	MIZZLE_MODIFIED,     /* applied, and edited since */
	MIZZLE_EOL,	     /* applied; only line ends were changed since */
	MIZZLE_MISSING,	     /* applied, and not in the folder */
	MIZZLE_OUT_OF_ORDER, /* pending, but older than the newest applied */
	MIZZLE_PARTLY,	     /* stopped midway: the command says partial */
	MIZZLE_STATES,
};

enum mizzle_transaction {
	MIZZLE_EACH, /* one transaction a migration */
	MIZZLE_ALL,  /* one around all */
};

/* What to do about pending migrations that stand before applied ones. */
enum mizzle_order {
	MIZZLE_ORDER_AUTO, /* refuse with 3 columns, apply with 5 */
	MIZZLE_ORDER_APPLY,
	MIZZLE_ORDER_REFUSE,
	MIZZLE_ORDER_SKIP,
};

enum mizzle_event_kind {
	MIZZLE_EVENT_START = 1, /* file: the folder; number of total to do */
	MIZZLE_EVENT_BEGIN,	/* tag, file, number, total, statements */
	MIZZLE_EVENT_APPLIED,	/* tag, hash, number, total, statements, us */
	MIZZLE_EVENT_STATEMENT, /* tag, line, text: what it is; us */
	MIZZLE_EVENT_PROGRESS,	/* tag, statement, statements, line, text, us,
				   phase, percent, pid; a few times a second */
	MIZZLE_EVENT_WAITING,	/* text: for the server or another migrator */
	MIZZLE_EVENT_BLOCKED,	/* tag, text, pid: who is in the way, ... */
	MIZZLE_EVENT_UNBLOCKED, /* tag: ... and is not any more */
	MIZZLE_EVENT_NOTICE,	/* of the server: tag, severity, sqlstate, text,
				   detail, hint */
	MIZZLE_EVENT_NOTE,	/* text: good to know */
	MIZZLE_EVENT_WARNING,	/* text: to be seen to */
};

/* Valid during the call that tells it.  Kinds may be added. */
struct mizzle_event {
	int32_t kind;
	int32_t percent; /* of phase; -1 = unknown */
	const char *tag, *hash, *file;
	const char *text;
	const char *severity, *sqlstate, *detail, *hint;
	const char *phase;
	uint64_t number, total; /* migration number, from 1, of total */
	uint64_t statement, statements;
	uint64_t line;
	uint64_t us; /* how long it took, or has taken so far */
	int64_t pid; /* of the session in the way; 0 = unknown */
};

/* One migration, of mizzle_status.  Valid during that call of each. */
struct mizzle_migration {
	int32_t state;
	int32_t recorded; /* 0, or 1: the history has a row for it */
	const char *tag;  /* "row 12" when it has neither name nor file */
	const char *hash; /* of the file; "" = missing */
	const char *recorded_hash; /* of the row */
	const char *recorded_at; /* when it was applied, where that is known */
	const char *note;	 /* a few words more */
	int64_t when;		 /* ms since 1970, of the file, else the row */
};

/* The last call of a handle: valid until its next one. */
struct mizzle_error {
	int32_t code; /* MIZZLE_OK when there was none */
	int32_t fate;
	const char *name;    /* of code: "sql" */
	const char *message; /* what failed, and what became of it */
	const char *hint;    /* what to do next */
	const char *tag;     /* of the migration */
	const char *file;
	const char *source;    /* the line of file that is meant */
	uint64_t line, column; /* from 1; 0 = unknown */
	const char *sqlstate;  /* what the server said of a statement, ... */
	const char *sql_message, *sql_detail, *sql_hint, *sql_context;
};

struct mizzle_result {
	uint64_t applied; /* by this call; they stay, whatever failed then */
	uint64_t pending; /* after it */
	uint64_t total;	  /* that the folder has */
	uint64_t us;	  /* how long it took */
	uint64_t round_trips;

	/* mizzle_status: of each state; 0 of those that may come. */
	uint64_t counts[16];
};

/*
 * Set by mizzle_options_init, then changed where something else is wanted.
 * NULL texts are not given.  Durations are milliseconds, at most INT32_MAX.
 */
struct mizzle_options {
	size_t size; /* of this struct, as the program knows it */

	const char *url; /* where the database is: a URL or key=value */
	const char *dir; /* the folder; drizzle */
	const char *schema, *table; /* drizzle.__drizzle_migrations */
	const char *to;		    /* stop after this tag */
	const char *approve; /* the plan to apply: mizzle plan prints its id */

	/* Told in the thread that has called; may call mizzle_cancel only. */
	void (*event)(void *ctx, const struct mizzle_event *e);
	void *ctx;

	int64_t wait;		   /* until the server answers; 0 */
	int64_t lock_wait;	   /* for another migrator; 5 minutes */
	int64_t lock_timeout;	   /* of a statement; 0 = the server's */
	int64_t statement_timeout; /* 0 = the server's */
	uint32_t lock_retries;	   /* of a migration that met it; 10 */

	int32_t transaction;  /* MIZZLE_EACH */
	int32_t out_of_order; /* MIZZLE_ORDER_AUTO */

	/* Each is 0, or 1 for yes. */
	int32_t allow_modified;	  /* go on although applied files were edited */
	int32_t allow_missing;	  /* ... or deleted */
	int32_t require_approval; /* no destructive statements but by approve */
	int32_t no_monitor;  /* no second connection to see who is in the way */
	int32_t statements;  /* tell MIZZLE_EVENT_STATEMENT, too */
	int32_t environment; /* what is not given may come from variables, .env,
				drizzle.config.* and the home directory */
	int32_t reserved;    /* 0 */
};

struct mizzle;

/* "0.1.0" */
MIZZLE_API const char *mizzle_version(void);

/* "out-of-order"; "unknown" for what is no state. */
MIZZLE_API const char *mizzle_state_name(int32_t state);

/* size is sizeof(*o). */
MIZZLE_API void mizzle_options_init(struct mizzle_options *o, size_t size);

/*
 * Make a handle; nothing is read and nobody is asked before the first call.
 * Texts of o are copied.  *m is to be closed also after a failure, which
 * mizzle_error tells; it is NULL when there is no memory or no descriptor.
 */
MIZZLE_API int32_t mizzle_open(struct mizzle **m,
			       const struct mizzle_options *o);

/* m may be NULL. */
MIZZLE_API void mizzle_close(struct mizzle *m);

/* Apply what is pending. */
MIZZLE_API int32_t mizzle_migrate(struct mizzle *m);

/*
 * Tell the state of every migration; each may be NULL.  Only reads.  Pending
 * migrations are no failure: see the result.
 */
MIZZLE_API int32_t
mizzle_status(struct mizzle *m,
	      void (*each)(void *ctx, const struct mizzle_migration *migration),
	      void *ctx);

/*
 * End the present call, and every later one, of m: what the server is at is
 * cancelled and rolled back, which is waited for.  The only function that
 * another thread may call at the same time; so may a signal handler.
 */
MIZZLE_API void mizzle_cancel(struct mizzle *m);

/* How the last call ended.  With m NULL: that there was no memory. */
MIZZLE_API const struct mizzle_error *mizzle_error(const struct mizzle *m);

/* What the last call did, also when it failed. */
MIZZLE_API const struct mizzle_result *mizzle_result(const struct mizzle *m);

#ifdef __cplusplus
}
#endif

#endif
