/* SPDX-License-Identifier: MIT */
/*
 * What drizzle-kit keeps beside the SQL, as far as a migration without changes
 * of the schema needs it: the snapshots, each of which names the one before
 * it, and the journal's entries.
 */
#ifndef MZ_JSON_KIT_H
#define MZ_JSON_KIT_H

#include "arena.h"
#include "error.h"

#define MZ_UUID_LEN 36

/* Names of parts of the schema, as version 9 has them for its changes. */
struct mz_names {
	const char **list;
	size_t count;
};

struct mz_snapshot {
	const char *path;
	struct pgw_view text; /* of the file; the arena's */
	int version;
	const char *id;
	const char *const *parents;
	size_t nparents;
	bool has_meta; /* the renames of its own migration: _meta, renames */
	bool has_renames;
	bool has_prev_id; /* version 7: one parent, prevId; else prevIds */
	const char *ends; /* what the next one names as its parents: JSON */
	struct mz_names writes, reads; /* by its own migration */
};

/* Read one; fails when it is none, or newer than what is known here. */
bool mz_snapshot_load(struct mz_snapshot *s, struct mz_arena *a,
		      const char *path, struct mz_err *err) PGW_MUST_CHECK;

/*
 * The one behind last, for a migration that changes nothing, appended to out.
 * Without last it is the first: version 7, or 9.
 */
bool mz_snapshot_next(struct pgw_buf *out, const struct mz_snapshot *last,
		      int version, struct mz_err *err) PGW_MUST_CHECK;

struct mz_kit_entry {
	const char *tag;
	int64_t idx, when;
};

/*
 * The journal with one more entry, which takes its version and its breakpoints
 * from the one before it.  text was read by mz_journal_parse; path is only for
 * messages.
 */
bool mz_kit_journal(struct pgw_buf *out, struct pgw_view text, const char *path,
		    const struct mz_kit_entry *e,
		    struct mz_err *err) PGW_MUST_CHECK;

/* The major version that a package.json names; -1 = none. */
int mz_kit_major(const char *package_json);

#endif
