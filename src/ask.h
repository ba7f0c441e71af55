/* SPDX-License-Identifier: MIT */
/* A question to whoever sits in front of the terminal. */
#ifndef MZ_ASK_H
#define MZ_ASK_H

#include "command.h"

/*
 * Ask, and wait for the answer: true is yes.  Fails with status usage where
 * standard input is no terminal, with refused when the answer is not yes.
 */
bool mz_ask(struct mz_context *c, const char *question,
	    struct mz_err *err) PGW_MUST_CHECK;

#endif
