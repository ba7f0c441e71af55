/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "clock.h"

#include <limits.h>
#include <poll.h>
#include <time.h>

int64_t pgw_clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t pgw_clock_ms(void)
{
	return pgw_clock_us() / 1000;
}

bool pgw_sleep(int64_t ms, int interrupt_fd, struct pgw_err *err)
{
	struct pollfd p = { .fd = interrupt_fd, .events = POLLIN };
	int64_t end = pgw_clock_ms() + ms;

	for (;;) {
		int64_t left = end - pgw_clock_ms();

		if (left <= 0)
			return true;
		if (poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left) > 0)
			return pgw_fail(err, PGW_E_INTERRUPTED, "interrupted");
	}
}
