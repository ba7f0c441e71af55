/* SPDX-License-Identifier: MIT */
/*
 * Signals that ask the program to end become a readable descriptor.  What is
 * running is then stopped in order; the third ends the program at once.
 */
#ifndef MZ_SIGNALS_H
#define MZ_SIGNALS_H

#include "command.h"

/* Open the standard descriptors that are closed, so that nothing else is. */
bool mz_signals_fill_standard(void);

/*
 * Wait until there is something to be read from fd, or its end.  False when a
 * signal came first.
 */
bool mz_signals_wait(int fd, int interrupt_fd,
		     struct mz_err *err) PGW_MUST_CHECK;

/* Fills c->interrupt_fd and c->signal_fd; to be called once. */
bool mz_signals_catch(struct mz_context *c, struct mz_err *err) PGW_MUST_CHECK;

/* Wait until fd can be read; false when a signal has come before that. */
bool mz_signals_input(const struct mz_context *c, int fd) PGW_MUST_CHECK;

#endif
