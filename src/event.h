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

enum mz_event_kind {
	MZ_EV_START,	 /* a run begins: file = folder, k of n to be done */
	MZ_EV_WAITING,	 /* for a server, or who migrates: text says it */
	MZ_EV_BEGIN,	 /* tag, k of n, statements */
	MZ_EV_STATEMENT, /* tag, line, text (its first line), us */
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
};

struct mz_listener {
	void (*event)(void *ctx, const struct mz_event *e);
	void *ctx;
	bool statements; /* MZ_EV_STATEMENT is wanted */
};

void mz_tell(const struct mz_listener *l, const struct mz_event *e);

#endif
