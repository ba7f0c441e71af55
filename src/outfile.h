/* SPDX-License-Identifier: MIT */
/*
 * Files that are made together: all of them, or none.  Nothing that is there
 * is overwritten, but for the one that is replaced, at the end and at once.
 */
#ifndef MZ_OUTFILE_H
#define MZ_OUTFILE_H

#include "arena.h"
#include "error.h"

struct mz_making {
	struct mz_arena *arena;

	struct mz_made {
		const char *path;
		bool is_dir;
	} * made;

	size_t count, room;
};

/* Tell err that it cannot be written, and what to do; returns false. */
bool mz_cannot_write(const char *path, int error, struct mz_err *err);

void mz_making_init(struct mz_making *m, struct mz_arena *a);

/* A directory; it must not be there.  False with errno set, too. */
bool mz_making_dir(struct mz_making *m, const char *path,
		   struct mz_err *err) PGW_MUST_CHECK;

/* A directory and those above it, as far as they are not there. */
bool mz_making_dirs(struct mz_making *m, const char *path,
		    struct mz_err *err) PGW_MUST_CHECK;

/* A file; it must not be there. */
bool mz_making_file(struct mz_making *m, const char *path, struct pgw_view text,
		    struct mz_err *err) PGW_MUST_CHECK;

/*
 * Put text in the place of a file, which keeps its mode; whoever reads it sees
 * the old text or the new one.  Where there is only a link, what it names is
 * replaced.
 */
bool mz_making_replace(struct mz_making *m, const char *path,
		       struct pgw_view text, struct mz_err *err) PGW_MUST_CHECK;

/* Remove what was made, the last first.  What was replaced stays. */
void mz_making_undo(struct mz_making *m);

#endif
