/* SPDX-License-Identifier: MIT */
/*
 * A new, empty migration behind those that are there, in the layout of the
 * folder and with the files that drizzle-kit generate --custom makes.
 */
#ifndef MZ_CREATE_H
#define MZ_CREATE_H

#include "folder.h"
#include "naming.h"

#define MZ_CREATE_TEXT "-- Custom SQL migration file, put your code below! --"

struct mz_create {
	const char *dir;       /* made when it is not there */
	const char *name;      /* as it was typed */
	enum mz_layout layout; /* of a folder that has nothing in it yet */
	bool strict;	       /* of any other it must be the layout, too */
	enum mz_numbering numbering; /* of a journal without entries */
	int64_t now;		     /* ms since 1970 */
};

struct mz_created {
	enum mz_layout layout;
	const char *tag;
	int64_t when;	      /* of the journal; else what the name says */
	const char *path;     /* of its SQL */
	const char *snapshot; /* NULL: there is none, and note says why */
	const char *journal;  /* NULL without a journal */
	const char *note;     /* NULL, or what the user should know */
};

/*
 * All of it is made, or nothing.  Who else makes one in the folder at the same
 * time is waited for; a signal ends that with err->signal.
 */
bool mz_create(struct mz_created *made, struct mz_arena *a,
	       const struct mz_create *c, struct mz_err *err) PGW_MUST_CHECK;

#endif
