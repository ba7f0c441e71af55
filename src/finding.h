/* SPDX-License-Identifier: MIT */
/*
 * Something about the folder that a person should know.  Findings are kept in
 * the order in which they were made; all memory is the arena's.
 */
#ifndef MZ_FINDING_H
#define MZ_FINDING_H

#include "arena.h"
#include "error.h"

enum mz_severity {
	MZ_WARNING, /* likely not what was meant */
	MZ_ERROR,   /* migrating fails, or does something else than it says */
};

struct mz_finding {
	enum mz_severity severity;
	const char *code; /* stable, of words with hyphens */
	const char *file; /* "" when there is none */
	size_t line;	  /* from 1; 0 = the whole file */
	size_t column;	  /* in characters from 1; 0 = the whole line */
	const char *message;
	const char *hint; /* "" when there is none */
	struct mz_finding *next;
};

struct mz_findings {
	struct mz_arena *arena;
	struct mz_finding *first, *last;
	size_t errors, warnings;
};

void mz_findings_init(struct mz_findings *f, struct mz_arena *a);

/* Add what err says, as an error. */
void mz_findings_add_err(struct mz_findings *f, const char *code,
			 const struct mz_err *err);

/* Add one without a place; the caller fills in place and hint. */
struct mz_finding *mz_findings_add(struct mz_findings *f,
				   enum mz_severity severity, const char *code,
				   const char *fmt, ...) PGW_PRINTF(4, 5);

const char *mz_severity_name(enum mz_severity severity);

#endif
