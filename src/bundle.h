/* SPDX-License-Identifier: MIT */
/*
 * A bundle: the program with a folder of migrations behind it.  What stands
 * behind the program is its payload; all numbers are in network order:
 *
 *   blocks   the texts of all files, one behind another, in pieces of
 *            MZ_BUNDLE_BLOCK bytes (the last may be shorter), each a zlib
 *            stream
 *   index    a zlib stream of
 *              text dir, schema, table    schema and table may be empty
 *              u32  count of files, and for each, in the order of the texts:
 *                text path                below dir
 *                u32  size
 *              u32  count of blocks, and for each:
 *                u32  size, deflated
 *            where a text is u16 size and that many bytes
 *   u32      size of the index, deflated
 *   u32      its size, inflated
 *
 * Pure but for the memory of one block: a payload that was checked against
 * its SHA-256 goes in, see self.h.  It may still be hostile.
 */
#ifndef MZ_BUNDLE_H
#define MZ_BUNDLE_H

#include "arena.h"
#include "error.h"

#define MZ_BUNDLE_BLOCK ((size_t)1 << 20)

struct mz_packed {
	const char *path; /* below dir */
	size_t size;
	uint64_t at; /* in the texts of all files */
};

struct mz_bundle {
	const char *dir;	       /* what the folder is called: a name */
	const char *schema, *table;    /* of the history; "" = the preset */
	const struct mz_packed *files; /* by the bytes of their paths */
	size_t count;
	uint64_t size; /* of the texts of all files */

	const struct pgw_view *blocks; /* deflated */
	size_t nblocks;
	unsigned char *block; /* the one that was inflated last ... */
	size_t inflated;      /* ... and its number + 1; 0 = none */
};

/* Read the index of a payload, which has to stay.  Memory comes from a. */
bool mz_bundle_open(struct mz_bundle *b, struct mz_arena *a,
		    struct pgw_view payload, struct mz_err *err) PGW_MUST_CHECK;

/* The part of path that is below b->dir, "" for dir itself; NULL if none. */
const char *mz_bundle_below(const struct mz_bundle *b, const char *path);

/* The file of a path that begins with b->dir, or NULL. */
const struct mz_packed *mz_bundle_find(const struct mz_bundle *b,
				       const char *path);

/* Whether there are files below the directory, "" being b->dir. */
bool mz_bundle_has_dir(const struct mz_bundle *b, const char *below);

/*
 * Copy what stands at that byte of the texts, n bytes of it.  False when a
 * block cannot be inflated.
 */
bool mz_bundle_copy(struct mz_bundle *b, uint64_t at, void *out,
		    size_t n) PGW_MUST_CHECK;

#endif
