/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "event.h"

const char *mz_state_name(enum mz_state state)
{
	switch (state) {
	case MZ_APPLIED:
		return "applied";
	case MZ_PENDING:
		return "pending";
	case MZ_MODIFIED:
		return "modified";
	case MZ_EOL:
		return "eol";
	case MZ_MISSING:
		return "missing";
	case MZ_OUT_OF_ORDER:
		return "out-of-order";
	case MZ_PARTIAL:
		return "partial";
	case MZ_STATES:
		break;
	}
	return "unknown";
}

void mz_tell(const struct mz_listener *l, const struct mz_event *e)
{
	if (l && l->event)
		l->event(l->ctx, e);
}
