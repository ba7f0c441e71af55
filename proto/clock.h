/* SPDX-License-Identifier: MIT */
/* Time, and letting it pass.  Deadlines are absolute, on this clock. */
#ifndef PGW_CLOCK_H
#define PGW_CLOCK_H

#include "err.h"

#include <stdint.h>

#define PGW_FOREVER INT64_MAX

int64_t pgw_clock_us(void); /* monotonic */
int64_t pgw_clock_ms(void); /* the same, coarser */

/*
 * Sleep.  Fails with INTERRUPTED as soon as the descriptor (-1 = none) is
 * readable.
 */
bool pgw_sleep(int64_t ms, int interrupt_fd,
	       struct pgw_err *err) PGW_MUST_CHECK;

#endif
