/* SPDX-License-Identifier: MIT */
/*
 * The real outside of a program: its environment, its files, who runs it.
 * Without NSS, which a static program cannot rely on: /etc/passwd is read as
 * the file that it is.
 */
#ifndef PGW_OUTSIDE_H
#define PGW_OUTSIDE_H

#include "conninfo.h"

/* Storage for what is looked up once; the caller's. */
struct pgw_system {
	struct pgw_buf user, home; /* texts with their NUL, once known */
	bool asked;		   /* /etc/passwd was read */
};

/* What a variable of the process is; NULL when it is not set. */
const char *pgw_env(const char *name);

/*
 * As open(2), for what is there already; not inherited, and no terminal of
 * ours. A signal does not end it.
 */
int pgw_open(const char *path, int flags);

/* What o gives out is valid until the release of s. */
void pgw_outside_system(struct pgw_outside *o, struct pgw_system *s);
void pgw_system_release(struct pgw_system *s);

/* Append the name of a user; nothing when nobody knows it. */
void pgw_user_name(unsigned uid, struct pgw_buf *name);

#endif
