/* SPDX-License-Identifier: MIT */
/*
 * What happens while migrations are looked at and applied, told to whoever
 * listens.  The applying code knows nothing of terminals or JSON; report.c
 * makes text of these.  Everything pointed to is valid during the call.
 */
#ifndef MZ_EVENT_H
#define MZ_EVENT_H

#include "pgw.h"

enum mz_state {
	MZ_APPLIED,
	MZ_PENDING,
	MZ_MODIFIED,
	MZ_EOL,
	MZ_MISSING,
	MZ_OUT_OF_ORDER,
	MZ_PARTIAL,
	MZ_STATES
};

/* As cli.md spells them: "out-of-order". */
const char *mz_state_name(enum mz_state state);

/* One migration with its state, of status, verify and plan. */
struct mz_listed {
	const char *tag; /* of a row without a name or a file: "row 12" */
	enum mz_state state;
	bool has_recorded_when;
	const char *hash;	   /* of the file; NULL when it is missing */
	int64_t when;		   /* ms; of the file, else of the row */
	const char *recorded_hash; /* NULL when it is not recorded */
	const char *recorded_at;   /* text of the history, or NULL */
	int64_t recorded_when;	   /* created_at */
	const char *note;	   /* a few words more, or NULL */
};

/* Another session of the server; NULL is what we may not see. */
struct mz_backend {
	int64_t pid; /* 0 = a prepared transaction, which has no process */
	const char *user, *application, *address;
	const char *type;	/* "client backend", "autovacuum worker", ... */
	const char *state;	/* "active", "idle in transaction", ... */
	const char *since;	/* when that began: "2026-11-28T11:30:00Z" */
	int64_t seconds;	/* for so long; -1 = unknown */
	int64_t xact_seconds;	/* and its transaction; -1 = none, unknown */
	const char *query;	/* its present statement, or the last one */
	const char *blocked_by; /* pids with commas; NULL = nobody */
};

/* What the server is at for us, and since when. */
struct mz_running {
	const char *tag; /* of the migration; NULL = of none */
	size_t k, n;
	size_t statement, statements; /* i of m; 0 = none: its row, COMMIT */
	size_t line;
	const char *head; /* how the statement begins, on one line; or NULL */
	int64_t us;	  /* for so long */
	bool outside;	  /* of a transaction: another one holds the lock */

	/* What the monitor has seen of it. */
	const char *phase; /* NULL = unknown */
	int percent;	   /* of the phase; -1 = unknown */
	int64_t blocker;   /* a pid that it waits for; 0 = none that we know */
};

enum mz_event_kind {
	MZ_EV_START,	 /* a run begins: file = folder, k of n to be done */
	MZ_EV_WAITING,	 /* for a server, or who migrates: text, backend */
	MZ_EV_STILL,	 /* the same wait, as it is now: text */
	MZ_EV_BEGIN,	 /* tag, k of n, statements */
	MZ_EV_STATEMENT, /* tag, line, text (its first line), us */
	MZ_EV_PROGRESS,	 /* running; every so often while we wait */
	MZ_EV_BLOCKED,	 /* tag or NULL, backend, text: who blocks it */
	MZ_EV_UNBLOCKED, /* tag or NULL: nobody does any more */
	MZ_EV_APPLIED,	 /* tag, hash, statements, us; k of n; undone */
	MZ_EV_NOTICE,	 /* tag or NULL, diag */
	MZ_EV_REMARK,	 /* text: something the user should know */
	MZ_EV_WARNING,	 /* text: something the user should see to */
};

struct mz_event {
	enum mz_event_kind kind;
	const char *tag;
	const char *hash;
	const char *text;
	const char *file;
	bool undone; /* START, BEGIN, APPLIED: it is rolled back instead */
	size_t k, n; /* migration k of n, from 1 */
	size_t statements;
	size_t line;
	uint64_t us; /* how long it took */
	const struct pgw_diag *diag;
	const struct mz_running *running;
	const struct mz_backend *backend;
};

struct mz_listener {
	void (*event)(void *ctx, const struct mz_event *e);
	void *ctx;
	bool statements; /* MZ_EV_STATEMENT is wanted */
};

/*
 * Who hears all of it, and what is found, in place of the report's readers: a
 * program that has the library in it.
 */
struct mz_audience {
	struct mz_listener events;
	void (*listed)(void *ctx, const struct mz_listed *list, size_t n);
};

void mz_tell(const struct mz_listener *l, const struct mz_event *e);

#endif
