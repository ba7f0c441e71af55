/* SPDX-License-Identifier: MIT */
/*
 * The migration folder: what is there, in the order in which it runs.  Three
 * layouts, told apart by their files alone.  Reading it sends nothing to any
 * server; texts are hashed here and read again when they are needed.
 */
#ifndef MZ_FOLDER_H
#define MZ_FOLDER_H

#include "arena.h"
#include "error.h"

#define MZ_HASH_LEN 64 /* hex digits of a SHA-256 */

enum mz_layout {
	MZ_LAYOUT_JOURNAL, /* meta/_journal.json + TAG.sql: Drizzle 0.x */
	MZ_LAYOUT_FOLDERS, /* <14 digits>_name/migration.sql: Drizzle 1.x */
	MZ_LAYOUT_PLAIN,   /* *.sql sorted by name */
};

struct mz_migration {
	const char *tag;  /* what rows and messages call it; "name" in 1.x */
	const char *path; /* of its SQL, as the user would type it */
	int64_t when;	  /* ms since 1970: Drizzle's created_at */
	char hash[MZ_HASH_LEN + 1]; /* Drizzle's: spec of mz_folder_hash */
	size_t size;		    /* bytes of the file */
	bool utf8;		    /* false: must not be sent */
};

struct mz_folder {
	const char *dir;
	enum mz_layout layout;
	struct mz_migration *migrations; /* in the order of execution */
	size_t count;
};

/* Everything that is listed is read and hashed.  Memory comes from a. */
bool mz_folder_load(struct mz_folder *f, struct mz_arena *a, const char *dir,
		    struct mz_err *err) PGW_MUST_CHECK;

/*
 * The text of one migration, appended to text.  Fails when the file is not
 * any more what was hashed.
 */
bool mz_folder_read(const struct mz_folder *f, const struct mz_migration *m,
		    struct pgw_buf *text, struct mz_err *err) PGW_MUST_CHECK;

/*
 * Drizzle's hash: SHA-256 of the text after UTF-8 decoding, in which every
 * maximal ill-formed subpart is U+FFFD; for valid UTF-8 that is the SHA-256
 * of the bytes.
 */
void mz_folder_hash(struct pgw_view text, char out[MZ_HASH_LEN + 1]);

/* True when hash is that of text with all line ends made LF, or made CRLF. */
bool mz_folder_hash_is_eol(struct pgw_view text, const char *hash);

/*
 * Drizzle's splitting: the literal "--> statement-breakpoint", anywhere.  Cuts
 * the next chunk off the front of *rest; false when there is none left.  A
 * text with n breakpoints has n + 1 chunks, blank ones included.
 */
bool mz_folder_next_chunk(struct pgw_view *rest, struct pgw_view *chunk);

#endif
