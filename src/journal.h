/* SPDX-License-Identifier: MIT */
/*
 * meta/_journal.json of Drizzle 0.x.  The order of its entries is the order of
 * execution.  Only tag and when matter: the version and the dialect in front
 * are those of the drizzle-kit that began the folder, and are never updated.
 */
#ifndef MZ_JOURNAL_H
#define MZ_JOURNAL_H

#include "loader.h"

#define MZ_JOURNAL_MAX ((size_t)64 << 20)

struct mz_journal_entry {
	const char *tag;
	int64_t when;
	bool has_idx;
	int64_t idx;
	size_t line, column; /* where it begins; 0 = unknown */
};

struct mz_journal {
	struct mz_journal_entry *entries;
	size_t count;
};

/*
 * Entries with problems are left out when l goes on.  path is only for
 * messages.
 */
bool mz_journal_parse(struct mz_journal *j, struct mz_loader *l,
		      const char *path, struct pgw_view text) PGW_MUST_CHECK;

#endif
