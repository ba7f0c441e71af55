/* SPDX-License-Identifier: MIT */
/* What the files that read a folder share; folder.h is for everyone else. */
#ifndef MZ_LOADER_H
#define MZ_LOADER_H

#include "folder.h"

struct mz_loader {
	struct mz_folder *folder;
	struct mz_arena *arena;
	struct mz_findings *findings; /* NULL: the first problem ends it */
	struct mz_err *err;
};

/*
 * What l->err tells concerns one thing only: false when that ends the loading,
 * true when it became a finding and the rest is to be looked at.
 */
bool mz_loader_go_on(struct mz_loader *l, const char *rule);

/*
 * Read m->path and fill in hash, size and utf8.  A file that is not there is a
 * problem like any other, but for missing != NULL, which then tells it.
 */
bool mz_loader_hash(struct mz_loader *l, struct mz_migration *m, bool *missing);

/* The entries of a directory, without . and .. */
struct mz_listing {
	struct mz_listed_name {
		const char *name;
		unsigned char type; /* DT_*; DT_UNKNOWN on some file systems */
	} * entries;

	size_t count, room;
};

/* Of one on the disk, or in f's bundle.  False with errno set. */
bool mz_listing_read(struct mz_listing *d, struct mz_arena *a,
		     const struct mz_folder *f, const char *dir) PGW_MUST_CHECK;

/* By the bytes of the names. */
void mz_listing_sort(struct mz_listing *d);

/* The layouts without a journal. */
bool mz_loader_list(struct mz_loader *l);

#endif
