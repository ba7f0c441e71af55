/* SPDX-License-Identifier: MIT */
/*
 * What a file asks for itself, in comments at its head:
 *
 *   -- mizzle: no-transaction
 *   -- mizzle: lock-timeout=5s, statement-timeout=10m
 *
 * Pure: a text goes in.
 */
#ifndef MZ_DIRECTIVE_H
#define MZ_DIRECTIVE_H

#include "pgw.h"

struct mz_directives {
	bool no_transaction;  /* statement by statement, each on its own */
	struct pgw_view none; /* where it says so */
	bool has_lock_timeout, has_statement_timeout;
	int64_t lock_timeout_ms, statement_timeout_ms; /* 0 = none */

	/* The first that is none of these; empty when all are. */
	struct pgw_view unknown;
};

void mz_directives_read(struct mz_directives *d, struct pgw_view text);

/* Text is nothing but comments: there may be more behind it. */
bool mz_directives_go_on(struct pgw_view text);

/* Those that there are, for a hint. */
extern const char mz_directives_known[];

#endif
