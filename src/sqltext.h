/* SPDX-License-Identifier: MIT */
/*
 * The few values that are ever put into SQL of our own: names and literals
 * that were checked to be UTF-8 without NUL, and times.
 */
#ifndef MZ_SQLTEXT_H
#define MZ_SQLTEXT_H

#include "arena.h"
#include "error.h"

#define MZ_TIMESTAMP_LEN 14

/* Whether text can be an identifier at all; what names the option. */
bool mz_sqltext_name(const char *text, const char *what,
		     struct mz_err *err) PGW_MUST_CHECK;

char *mz_quote_name(struct mz_arena *a, const char *name);

/* Right whatever standard_conforming_strings says. */
char *mz_quote_literal(struct mz_arena *a, const char *text);

/* YYYYMMDDHHMMSS, UTC, of milliseconds since 1970. */
void mz_timestamp(int64_t ms, char out[MZ_TIMESTAMP_LEN + 1]);

#endif
