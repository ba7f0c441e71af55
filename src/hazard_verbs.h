/* SPDX-License-Identifier: MIT */
/* The statements that destroy something; hazard.h is for all others. */
#ifndef MZ_HAZARD_VERBS_H
#define MZ_HAZARD_VERBS_H

#include "hazard.h"
#include "sql_lex.h"

struct mz_finder {
	const struct mz_danger_sink *sink;
	const unsigned char *start; /* of the statement */
	size_t left; /* tokens that may be read ahead: a script is no attack */
};

/*
 * In all the reading ahead of one statement.  When they are used up the rest
 * counts as not there, which makes a DELETE one without WHERE.
 */
#define MOST_AHEAD ((size_t)16 << 20)

/*
 * t, behind which l is, may be the first word of a statement; with rows_only of
 * one that may stand in WITH.  Its dangers are told.
 */
void mz_hazard_look(struct mz_finder *f, const struct mz_lex *l,
		    const struct mz_token *t, bool rows_only);

/* Step over what comes next, if it is that. */
bool mz_hazard_skip(struct mz_lex *l, const char *word);
bool mz_hazard_skip_symbol(struct mz_lex *l, char symbol);

#endif
