/* SPDX-License-Identifier: MIT */
/* target_session_attrs: what a server is, and whether that is wanted. */
#ifndef PGW_TARGET_H
#define PGW_TARGET_H

#include "answer.h"
#include "conninfo.h"

struct pgw_role {
	bool known;
	bool in_recovery; /* a standby */
	bool read_only;	  /* what transactions are when nobody says it */
};

/* The question; pgw_target_row fills the struct pgw_role that ctx is. */
extern const char pgw_target_sql[];
void pgw_target_row(void *ctx, const struct pgw_row *row);

/* REFUSED, which may pass, when the server is not what is wanted. */
bool pgw_target_check(const struct pgw_role *role, enum pgw_target target,
		      struct pgw_err *err) PGW_MUST_CHECK;

#endif
