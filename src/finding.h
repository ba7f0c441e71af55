/* SPDX-License-Identifier: MIT */
/*
 * Something about the folder that a person should know.  Findings are kept in
 * the order in which they were made; all memory is the arena's.
 */
#ifndef MZ_FINDING_H
#define MZ_FINDING_H

#include "arena.h"
#include "error.h"

enum mz_level {
	MZ_LEVEL_WARNING, /* likely not what was meant */
	MZ_LEVEL_ERROR,	  /* migrating fails, or does not do what it says */
};

struct mz_finding {
	enum mz_level level;
	const char *rule; /* its short name: "crlf", "journal-order" */
	const char *tag;  /* the migration, or NULL */
	const char *message;
	const char *hint;	/* or NULL */
	const char *file;	/* or NULL */
	size_t line, column;	/* from 1; 0 is unknown */
	struct pgw_view source; /* that line of the file; p NULL if unknown */
	struct mz_finding *next;
};

struct mz_findings {
	struct mz_arena *arena;
	struct mz_finding *first, *last;
	size_t errors, warnings;
};

void mz_findings_init(struct mz_findings *f, struct mz_arena *a);

/* Add one without tag, hint and place, which the caller fills in. */
struct mz_finding *mz_findings_add(struct mz_findings *f, enum mz_level level,
				   const char *rule, const char *fmt, ...)
	PGW_PRINTF(4, 5);

/* Add what err says, as an error. */
struct mz_finding *mz_findings_add_err(struct mz_findings *f, const char *rule,
				       const struct mz_err *err);

#endif
