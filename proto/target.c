/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "target.h"

const char pgw_target_sql[] =
	"SELECT pg_catalog.pg_is_in_recovery(), "
	"pg_catalog.current_setting('transaction_read_only')";

void pgw_target_row(void *ctx, const struct pgw_row *row)
{
	struct pgw_role *role = ctx;
	struct pgw_view cols = row->cols, recovery, read_only;

	if (row->ncols != 2 || !pgw_column_next(&cols, &recovery) ||
	    !pgw_column_next(&cols, &read_only))
		return;
	role->known = true;
	role->in_recovery = pgw_view_is(recovery, "t");
	role->read_only = pgw_view_is(read_only, "on");
}

static bool fits(const struct pgw_role *role, enum pgw_target target)
{
	switch (target) {
	case PGW_TARGET_READ_WRITE:
		return !role->read_only;
	case PGW_TARGET_READ_ONLY:
		return role->read_only;
	case PGW_TARGET_PRIMARY:
		return !role->in_recovery;
	case PGW_TARGET_STANDBY:
	case PGW_TARGET_PREFER_STANDBY:
		return role->in_recovery;
	case PGW_TARGET_ANY:
		break;
	}
	return true;
}

static const char *what_is(const struct pgw_role *role)
{
	if (role->in_recovery)
		return "a standby";
	return role->read_only ? "a primary that is read-only" :
				 "a primary that can be written to";
}

bool pgw_target_check(const struct pgw_role *role, enum pgw_target target,
		      struct pgw_err *err)
{
	static const char *const names[] = { "any",	  "read-write",
					     "read-only", "primary",
					     "standby",	  "prefer-standby" };

	if (!role->known)
		return pgw_fail(err, PGW_E_PROTOCOL,
				"the server does not tell whether it is a "
				"standby");
	if (fits(role, target))
		return true;
	return pgw_fail(err, PGW_E_REFUSED,
			"the server is %s, but target_session_attrs is "
			"%s",
			what_is(role), names[target]);
}
