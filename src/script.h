/* SPDX-License-Identifier: MIT */
/*
 * What keeps a script from being sent: no server could read it, or not all of
 * it.  Works on the text of a whole file.
 */
#ifndef MZ_SCRIPT_H
#define MZ_SCRIPT_H

#include "folder.h"
#include "sql.h"

struct mz_script_problem {
	const char *rule;  /* "bom", "nul", ... */
	char message[128]; /* "is not valid UTF-8 here" */
	const char *hint;
	size_t at; /* the byte of the text */
};

/* What keeps the splitter from going on; at is a byte of its text. */
void mz_script_describe(const struct mz_sql *s, struct mz_script_problem *p);

/* How many kinds of problems there are. */
size_t mz_script_tests(void);

/* What of a text has to be there to find the k-th kind. */
enum mz_script_scope {
	MZ_SCOPE_START, /* its first bytes */
	MZ_SCOPE_LINES, /* its lines, in whatever pieces */
	MZ_SCOPE_WHOLE,
};

enum mz_script_scope mz_script_scope(size_t k);

/* The first place with the k-th kind of problem; false when there is none. */
bool mz_script_find(struct pgw_view text, size_t k,
		    struct mz_script_problem *p);

/* The first byte of the text that is a merge conflict's, or text.n. */
size_t mz_script_conflict(struct pgw_view text);

/* There are lines in it that look like one. */
bool mz_script_has_markers(struct pgw_view lines);

/*
 * Likewise within the bytes from up to end, outside of strings and comments;
 * from is where a statement begins, or is looked for.  end when there is none.
 */
size_t mz_script_conflict_within(struct pgw_view text, size_t from, size_t end);

/* The same problem, found by other means, at p->at. */
void mz_script_describe_conflict(struct mz_script_problem *p);

/* What only a migration can have done to itself; NULL = nothing. */
const char *mz_script_hint(enum mz_sql_problem problem, bool introspection,
			   bool cut);

/* Made by drizzle-kit pull: all of it is a comment, to be uncommented. */
bool mz_script_is_introspection(struct pgw_view text);

/*
 * True when text, which is that of m, can be sent; else err says what is
 * wrong, where, and what to do.
 */
bool mz_folder_sendable(const struct mz_folder *f, const struct mz_migration *m,
			struct pgw_view text,
			struct mz_err *err) PGW_MUST_CHECK;

#endif
