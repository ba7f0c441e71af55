/* SPDX-License-Identifier: MIT */
/*
 * The migration folder: what is there, in the order in which it runs.  Three
 * layouts, told apart by their files alone; a folder with meta/_journal.json
 * is a journal whatever else is in it (as Drizzle 0.x sees it; 1.x refuses
 * such a folder).  Reading it sends nothing to any server; texts are hashed
 * here and read again when they are needed.
 *
 * The time of a migration, which is Drizzle's created_at:
 *   journal  "when" of its entry
 *   folders  the 14 digits of its name, as UTC; parts roll over
 *   plain    of the digits in front of its name, see mz_name_plain_time, but
 *            always more than the one before; without digits just that
 */
#ifndef MZ_FOLDER_H
#define MZ_FOLDER_H

#include "arena.h"
#include "bundle.h"
#include "error.h"
#include "finding.h"
#include "hash.h"

enum mz_layout {
	MZ_LAYOUT_JOURNAL, /* meta/_journal.json + TAG.sql: Drizzle 0.x */
	MZ_LAYOUT_FOLDERS, /* <14 digits>_name/migration.sql: Drizzle 1.x */
	MZ_LAYOUT_PLAIN,   /* *.sql sorted by name */
};

struct mz_migration {
	const char *tag;  /* what rows and messages call it; "name" in 1.x */
	const char *path; /* of its SQL, as the user would type it */
	struct mz_bundle *bundle;   /* that holds it; NULL = on the disk */
	int64_t when;		    /* ms since 1970: Drizzle's created_at */
	char hash[MZ_HASH_LEN + 1]; /* Drizzle's: see hash.h */
	size_t size;		    /* bytes of the file */
	bool utf8;		    /* false: must not be sent */
	bool present;		    /* false only after mz_folder_load_all */
	const struct mz_journal_entry *entry; /* NULL without a journal */
};

struct mz_folder {
	const char *dir;	  /* without slashes at its end */
	struct mz_bundle *bundle; /* that holds it; NULL = on the disk */
	enum mz_layout layout;
	struct mz_migration *migrations; /* in the order of execution */
	size_t count;
	bool bare; /* loading failed as there is nothing, in whatever layout */
};

/* Where a folder is: on the disk, or in a bundle, which then names it. */
struct mz_where {
	const char *dir;
	struct mz_bundle *bundle; /* NULL = on the disk */
};

/* Everything that is listed is read and hashed.  Memory comes from a. */
bool mz_folder_load(struct mz_folder *f, struct mz_arena *a,
		    struct mz_where where, struct mz_err *err) PGW_MUST_CHECK;

/*
 * The same for check: what is wrong with one migration or with the journal is
 * added to findings, and the rest is read.  Fails only where there is nothing
 * to look at.
 */
bool mz_folder_load_all(struct mz_folder *f, struct mz_findings *findings,
			struct mz_where where,
			struct mz_err *err) PGW_MUST_CHECK;

/* It is not what was hashed: err says so, and what to do; false. */
bool mz_folder_changed(const struct mz_migration *m, struct mz_err *err);

/*
 * The text of one migration, appended to text.  Fails when the file is not
 * any more what was hashed.
 */
bool mz_folder_read(const struct mz_folder *f, const struct mz_migration *m,
		    struct pgw_buf *text, struct mz_err *err) PGW_MUST_CHECK;

/*
 * Drizzle's splitting: the literal "--> statement-breakpoint", anywhere.  Cuts
 * the next chunk off the front of *rest; false when there is none left, and
 * rest->p is then NULL.  A text with n breakpoints has n + 1 chunks, blank
 * ones included; one whose p is NULL has none.
 */
bool mz_folder_next_chunk(struct pgw_view *rest, struct pgw_view *chunk);

#define MZ_BREAKPOINT "--> statement-breakpoint"

const char *mz_layout_name(enum mz_layout layout);

#endif
