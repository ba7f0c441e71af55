/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, for a person: a message, where it is, what to do next, and
 * the exit status.  A function that can fail returns bool and takes a struct
 * mz_err last; report.c is the only one that prints it.
 */
#ifndef MZ_ERROR_H
#define MZ_ERROR_H

#include "pgw.h"

/* STATUS(number, name): exit statuses, and the "code" of JSON errors. */
#define MZ_STATUSES(X) \
	X(0, ok)       \
	X(1, sql)      \
	X(2, usage)    \
	X(3, connect)  \
	X(4, locked)   \
	X(5, history)  \
	X(6, partial)  \
	X(7, pending)  \
	X(8, findings) \
	X(9, refused)  \
	X(70, internal)

enum mz_status {

#define X(number, name) MZ_##name = (number),
	MZ_STATUSES(X)
#undef X
};

const char *mz_status_name(enum mz_status status);

/* Where in a file; line and column are from 1, 0 is unknown. */
struct mz_place {
	char file[1024]; /* "" when there is none */
	size_t line;
	size_t column; /* in characters, not bytes */
};

/* What the server said of a failed statement; raw text, NULL when absent. */
struct mz_sql_error {
	const char *tag; /* the migration */
	const char *sqlstate;
	const char *message;
	const char *detail;
	const char *hint;
	const char *where;  /* the server's CONTEXT */
	const char *source; /* the line of the file that the place names */
};

/* What became of the migration that an error is about. */
enum mz_fate {
	MZ_FATE_NOTHING, /* nothing of it was done, or it was rolled back */
	MZ_FATE_PART,	 /* of its statements some are done, and kept */
	MZ_FATE_UNKNOWN, /* the server may have done it, or be at it still */
};

struct mz_err {
	enum mz_status status;
	enum mz_fate fate;
	int signal; /* the signal that ended it, or 0; -1 = ask the context */
	char msg[1024];
	char hint[512];
	char sqlstate[6]; /* why a server did not take us; "" when unknown */
	struct mz_place place;
	const struct mz_sql_error *sql; /* NULL unless a statement failed */
};

/* Fill err and return false.  Forgets hint and place. */
bool mz_fail(struct mz_err *err, enum mz_status status, const char *fmt, ...)
	PGW_PRINTF(3, 4);

/* Add to what mz_fail filled; each returns false. */
bool mz_hint(struct mz_err *err, const char *fmt, ...) PGW_PRINTF(2, 3);
bool mz_at(struct mz_err *err, const char *file, size_t line, size_t column);

#endif
