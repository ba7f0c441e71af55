/* SPDX-License-Identifier: MIT */
/*
 * The program's own file.  A mark in its data says whether it is a bundle, so
 * that one which is none opens nothing, and one whose end was cut off is not
 * taken for one.
 */
#ifndef MZ_SELF_H
#define MZ_SELF_H

#include "error.h"

/* Whether this program is a bundle; touches no file. */
bool mz_self_is_bundle(void);

/* What stands behind the program that runs. */
struct mz_payload {
	struct pgw_view bytes;
	void *map; /* NULL = nothing to unmap */
	size_t mapped;
};

/* Map it and check it against its SHA-256.  Close it in any case. */
bool mz_payload_open(struct mz_payload *p, struct mz_err *err) PGW_MUST_CHECK;
void mz_payload_close(struct mz_payload *p);

/* A program that can carry a folder. */
struct mz_program {
	const char *path;     /* borrowed */
	struct pgw_view file; /* all of it, a payload included */
	void *map;	      /* NULL = nothing to unmap */
	size_t plain;	      /* bytes without a payload */
	size_t mark;	      /* where its mark is */
};

/*
 * The program in the file path, or the one that runs when that is NULL.  Close
 * it in any case.
 */
bool mz_program_open(struct mz_program *p, const char *path,
		     struct mz_err *err) PGW_MUST_CHECK;
void mz_program_close(struct mz_program *p);

/* What stands in the place of the mark of a bundle. */
#define MZ_MARK_SIZE 64

struct mz_payload_facts {
	uint64_t at, size; /* bytes of the file */
	unsigned char sha256[PGW_SHA256_LEN];
};

void mz_mark_make(unsigned char mark[MZ_MARK_SIZE],
		  const struct mz_payload_facts *facts);

#endif
