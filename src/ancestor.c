/* SPDX-License-Identifier: MIT */
/* The snapshot that the next one of a journal goes on from. */
#include <config.h>

#include "creating.h"
#include "loader.h"
#include "name.h"

#include <errno.h>
#include <string.h>

/* ---- journal: the last of meta/ by its name */

/* drizzle-kit leaves out what begins with _, and fails on any other file. */
static bool is_snapshot(const char *name)
{
	return name[0] != '_' && name[0] != '.' &&
	       mz_name_ends(name, "_snapshot.json");
}

bool mz_ancestor_of_journal(struct mz_creating *w, struct mz_ancestor *out)
{
	const char *meta = mz_printf(w->arena, "%s/meta", w->folder.dir);
	const char *last = NULL;
	struct mz_listing d;

	if (!mz_listing_read(&d, w->arena, &w->folder, meta)) {
		mz_fail(w->err, MZ_usage, "the folder %s cannot be read: %s",
			meta, strerror(errno));
		return mz_at(w->err, meta, 0, 0);
	}
	mz_listing_sort(&d);
	for (size_t i = 0; i < d.count; i++)
		if (is_snapshot(d.entries[i].name))
			last = d.entries[i].name;
	out->found = last != NULL;
	return !last ||
	       mz_snapshot_load(&out->snapshot, w->arena,
				mz_printf(w->arena, "%s/%s", meta, last),
				w->err);
}
