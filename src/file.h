/* SPDX-License-Identifier: MIT */
/*
 * Files that someone else wrote.  Only plain files are read: a pipe or a
 * device in a folder of migrations would keep us waiting for ever.
 */
#ifndef MZ_FILE_H
#define MZ_FILE_H

#include "bundle.h"

/* Files of this size and above are refused. */
#define MZ_FILE_MAX ((size_t)1 << 30)

/*
 * For room that is filled before it is read: what the compiler puts into all
 * that has no value (-ftrivial-auto-var-init) costs more than a small file.
 */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define MZ_ROOM __attribute__((uninitialized))
#endif
#endif
#ifndef MZ_ROOM
#define MZ_ROOM
#endif

enum mz_file_problem {
	MZ_FILE_OK,
	MZ_FILE_MISSING,
	MZ_FILE_IS_DIR,
	MZ_FILE_SPECIAL, /* a pipe, a device, a socket */
	MZ_FILE_DENIED,
	MZ_FILE_TOO_LARGE,
	MZ_FILE_BROKEN, /* anything else: error is its errno */
};

struct mz_file {
	const char *path;		/* borrowed */
	int fd;				/* -1 = closed, or in a bundle */
	struct mz_bundle *bundle;	/* NULL = it is on the disk */
	const struct mz_packed *packed; /* in the bundle */
	int error;
	enum mz_file_problem problem;
	size_t size;  /* when it was opened */
	size_t read;  /* bytes so far */
	size_t limit; /* what reaches it is TOO_LARGE */
};

/* False: f->problem tells why, and there is nothing to close. */
bool mz_file_open(struct mz_file *f, const char *path) PGW_MUST_CHECK;

/* The same in a bundle, unless that is NULL; it stays, and is read by f. */
bool mz_file_open_in(struct mz_file *f, struct mz_bundle *bundle,
		     const char *path) PGW_MUST_CHECK;
void mz_file_close(struct mz_file *f);

/*
 * The next bytes, at most room; *got is 0 at the end.  Waits for nothing and
 * gives up with TOO_LARGE when a growing file reaches f->limit.
 */
bool mz_file_take(struct mz_file *f, void *out, size_t room,
		  size_t *got) PGW_MUST_CHECK;

/* Open, append everything to text, close. */
bool mz_file_read(struct mz_file *f, const char *path,
		  struct pgw_buf *text) PGW_MUST_CHECK;
bool mz_file_read_in(struct mz_file *f, struct mz_bundle *bundle,
		     const char *path, struct pgw_buf *text) PGW_MUST_CHECK;

/* Tell err what f->problem is, with a hint; returns false. */
bool mz_file_fail(const struct mz_file *f, struct mz_err *err);

#endif
