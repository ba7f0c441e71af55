/* SPDX-License-Identifier: MIT */
/*
 * Everything that the user sees.  Results go to stdout, everything else to
 * stderr; with --json the results are JSON, one object a line.  Only the
 * report prints.  Foreign text is made harmless here, so callers pass it raw.
 * What cannot be written is remembered and told by mz_report_close.
 */
#ifndef MZ_REPORT_H
#define MZ_REPORT_H

#include "error.h"
#include "event.h"
#include "finding.h"
#include "options.h"

#include <stdio.h>

/* How it came out.  A command fills it; main has it printed, last. */
enum mz_result_kind {
	MZ_RESULT_NONE,	     /* nothing to count */
	MZ_RESULT_MIGRATE,   /* applied, pending, us, round_trips */
	MZ_RESULT_BASELINE,  /* the same: applied are those recorded */
	MZ_RESULT_ROLLBACK,  /* the same: applied are those rolled back */
	MZ_RESULT_UNDOING,   /* applied: what would be rolled back */
	MZ_RESULT_REPAIR,    /* repaired */
	MZ_RESULT_REPAIRING, /* repaired: what would be */
	MZ_RESULT_LISTING,   /* counts: status, verify */
	MZ_RESULT_PLAN,	     /* pending: to be applied; plan, destructive */
	MZ_RESULT_FINDINGS,  /* errors, warnings, checked */
	MZ_RESULT_EXEC,	     /* applied: statements; us, round_trips */
	MZ_RESULT_LOCKS,     /* locks: how many of each role */
};

/* Of the command locks: what a session has to do with a migration. */
enum mz_role {
	MZ_ROLE_HOLDER,	 /* of the lock, or of the history table */
	MZ_ROLE_WORKER,	 /* runs a statement outside of a transaction */
	MZ_ROLE_BLOCKER, /* of one of those, or of another blocker */
	MZ_ROLE_WAITER,	 /* for the history table */
	MZ_ROLES
};

struct mz_result {
	enum mz_result_kind kind;
	size_t applied; /* by this run */
	size_t pending; /* after it */
	size_t present; /* how many the folder has */
	uint64_t us;	/* how long it took */
	size_t round_trips;
	size_t counts[MZ_STATES];
	size_t repaired;	 /* what was wrong with the history */
	size_t errors, warnings; /* findings */
	size_t checked;		 /* migrations that were looked at */
	char plan[16];		 /* PLAN: its id, "" when there is none */
	size_t destructive;	 /* PLAN: statements */
	size_t roles[MZ_ROLES];	 /* locks */
};

struct mz_report {
	const struct mz_audience *audience; /* then nothing is printed */
	FILE *out, *err; /* borrowed, or see mz_report_steady */
	bool owns_out, owns_err;
	int out_fd, err_fd; /* -1 = they are none */
	FILE *trace;	    /* NULL = none; owned unless it is err */
	const char *command;
	bool json, quiet, verbose;
	bool closely; /* JSON tells each step, not only what takes long */
	bool color_out, color_err;
	bool live; /* stderr is a terminal: a progress line is drawn */
	bool out_is_terminal; /* so that the progress line has to go first */
	bool github;	      /* annotations for GitHub Actions */

	/* The progress line: what it is about, whether it stands there now. */
	struct pgw_buf label, detail;
	bool drawn, waits;
	uint64_t statement;  /* how many of the migration are done, ... */
	uint64_t statements; /* ... of how many */
	int64_t begun_ms, drawn_ms;

	int64_t still; /* how often it was said that a statement still runs */

	int write_errno; /* of the first write that failed; 0 = none */
};

/* Text to out and err; quiet and without colours until it is set up. */
void mz_report_init(struct mz_report *r, FILE *out, FILE *err);

/* Lose nothing of what is written there: see steady.h. */
void mz_report_steady(struct mz_report *r);

/* No streams: all is told to a, which must outlive r. */
void mz_report_init_for(struct mz_report *r, const struct mz_audience *a);

/*
 * Obey the options and the terminal; env looks up a variable of the process.
 * Fails when the file for the trace cannot be opened.
 */
bool mz_report_setup(struct mz_report *r, const struct mz_options *o,
		     const char *(*env)(const char *name),
		     struct mz_err *err) PGW_MUST_CHECK;

/*
 * Flush and release everything.  When any of it could not be written that is
 * told on stderr, as far as that is possible, and false is returned.
 */
bool mz_report_close(struct mz_report *r) PGW_MUST_CHECK;

/* To be told what happens; valid as long as r. */
struct mz_listener mz_report_listener(struct mz_report *r);

/* The trace hook of struct pgw_hooks; ctx is the report. */
void mz_report_trace(void *ctx, const char *text);

/* Something the user should know, on stderr: "note: ...". */
void mz_report_remark(struct mz_report *r, const char *fmt, ...)
	PGW_PRINTF(2, 3);

/* Something that is likely to be wrong: "warning: ...", also with --quiet. */
void mz_report_warning(struct mz_report *r, const char *fmt, ...)
	PGW_PRINTF(2, 3);

/* Print err, once.  An err without a message is a status only. */
void mz_report_error(struct mz_report *r, const struct mz_err *err);

/* The last line; err is NULL when the command succeeded. */
void mz_report_result(struct mz_report *r, const struct mz_result *result,
		      const struct mz_err *err);

/* Results on stdout ----------------------------------------------------- */

/* Every migration with its state: status and verify. */
void mz_report_listed(struct mz_report *r, const struct mz_listed *list,
		      size_t n);

/* Adds up the states of a list. */
void mz_result_count(struct mz_result *result, const struct mz_listed *list,
		     size_t n);

/* What migrate would do with one migration. */
enum mz_planned_transaction {
	MZ_PLANNED_OWN,	   /* one of its own */
	MZ_PLANNED_SHARED, /* one around all of them */
	MZ_PLANNED_NONE,   /* statement by statement, outside */
};

struct mz_hazard {
	size_t line, column; /* 0 when unknown */
	const char *what;    /* the statement: "CREATE INDEX CONCURRENTLY" */
	const char *why;
	bool destructive; /* something is lost when it has run */
};

struct mz_planned {
	const char *tag, *hash, *path;
	enum mz_state state;
	enum mz_planned_transaction transaction;
	size_t statements;
	const char *note; /* a few words more, or NULL */
	const struct mz_hazard *hazards;
	size_t nhazards;
};

void mz_report_planned(struct mz_report *r, const struct mz_planned *list,
		       size_t n);

/* A migration that was made: what is in its files is told by their names. */
struct mz_new {
	const char *tag, *layout;
	int64_t when;
	const char *files[4]; /* the SQL first; NULL at the end */
};

void mz_report_new(struct mz_report *r, const struct mz_new *n);

/* The SQL of a migration, or how it begins. */
struct mz_shown_script {
	const char *tag, *file;
	struct pgw_view text;
	bool truncated;
	const struct mz_hazard *hazards;
	size_t nhazards;
	const struct mz_err *problem; /* why there are none; or NULL */
};

/* In JSON only. */
void mz_report_script(struct mz_report *r, const struct mz_shown_script *s);

/* The files of a bundle. */
struct mz_listed_file {
	const char *path; /* below the folder */
	uint64_t size;
};

void mz_report_files(struct mz_report *r, const struct mz_listed_file *list,
		     size_t n);

/* One thing that repair changes about a row of the history. */
struct mz_repair {
	const char *what; /* the column; "row" = it is removed; "progress" =
			     a row of MZ_PARTIAL_TABLE is */
	int64_t row;	  /* its id; not of a progress */
	const char *tag;  /* the migration; of a row without one "row 12" */
	const char *why;
	const char *from, *to; /* NULL = nothing */
};

void mz_report_repairs(struct mz_report *r, const struct mz_repair *list,
		       size_t n);

/* One finding of check, where it is, and the line of the file if known. */
void mz_report_finding(struct mz_report *r, const struct mz_finding *f);

/*
 * Facts, such as ping's: a name and a text each.  In JSON they become one
 * object with the event that is given.
 */
enum mz_fact_kind { MZ_FACT_TEXT, MZ_FACT_NUMBER, MZ_FACT_BOOL };

struct mz_fact {
	const char *name; /* for people; NULL = not for them */
	const char *key;  /* in JSON; NULL = not there */
	enum mz_fact_kind kind;
	const char *text; /* for people, always; NULL = unknown */
	int64_t number;	  /* NUMBER, or BOOL as 0 or 1 */
};

void mz_report_facts(struct mz_report *r, const char *event,
		     const struct mz_fact *facts, size_t n);

/* "... [y/N] " on stderr, where the answer is typed. */
void mz_report_question(struct mz_report *r, const char *text);

/* A session that migrates, or is in the way. */
struct mz_locker {
	enum mz_role role;
	int64_t of;	  /* BLOCKER: the pid that it blocks */
	const char *what; /* HOLDER: what it holds */
	struct mz_backend backend;
	const char *text;   /* the session in a line */
	const char *remedy; /* SQL that ends it, or NULL */
	const char *effect; /* what that does, or what else to do */
};

const char *mz_role_name(enum mz_role role);
void mz_report_lockers(struct mz_report *r, const struct mz_locker *list,
		       size_t n);

/* A request that was answered: a line of the server's log. */
struct mz_served {
	const char *address, *method, *path;
	int status;
	uint64_t us;
};

void mz_report_request(struct mz_report *r, const struct mz_served *s);

/* Text to stdout as it is, lines included: help, version, --print-config. */
void mz_report_text(struct mz_report *r, const char *text);

/* The same to stderr: the short help. */
void mz_report_usage(struct mz_report *r, const char *text);

#endif
