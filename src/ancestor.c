/* SPDX-License-Identifier: MIT */
/* Which snapshot a new migration goes on from. */
#include <config.h>

#include "creating.h"
#include "loader.h"
#include "name.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

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

	if (!mz_listing_read(&d, w->arena, meta)) {
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

/* ---- folders: the one that is nobody's parent */

struct node {
	const char *tag, *path, *id;
	const char *const *parents;
	size_t nparents;
};

/* Without its text, which may be large. */
static bool load_node(struct mz_creating *w, struct node *n)
{
	struct mz_snapshot s;
	struct mz_arena a;
	bool ok;

	mz_arena_init(&a);
	ok = mz_snapshot_load(&s, &a, n->path, w->err);
	if (ok) {
		const char **parents = mz_alloc_array(w->arena, s.nparents + 1,
						      sizeof(*parents));

		for (size_t i = 0; i < s.nparents; i++)
			parents[i] = mz_strdup(w->arena, s.parents[i]);
		n->id = mz_strdup(w->arena, s.id);
		n->parents = parents;
		n->nparents = s.nparents;
	}
	mz_arena_release(&a);
	return ok;
}

static bool is_parent(const struct node *list, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < list[i].nparents; k++)
			if (strcmp(list[i].parents[k], id) == 0)
				return true;
	return false;
}

static void several(struct mz_creating *w, const struct node *one,
		    const struct node *other)
{
	mz_fail(w->err, MZ_usage,
		"two migrations are the newest, each on a branch of its own: "
		"%s and %s",
		one->tag, other->tag);
	mz_hint(w->err, "drizzle-kit generate --custom joins them, if they "
			"do not conflict; drizzle-kit check tells");
	mz_at(w->err, other->path, 0, 0);
}

/* NULL and an error when there is none, or more than one. */
static const struct node *find_leaf(struct mz_creating *w,
				    const struct node *list, size_t n)
{
	const struct node *leaf = NULL;

	for (size_t i = 0; i < n; i++) {
		if (is_parent(list, n, list[i].id))
			continue;
		if (leaf) {
			several(w, leaf, &list[i]);
			return NULL;
		}
		leaf = &list[i];
	}
	if (leaf)
		return leaf;
	mz_fail(w->err, MZ_usage,
		"%s: every snapshot is the parent of another one",
		w->folder.dir);
	mz_hint(w->err, "restore them from version control");
	mz_at(w->err, w->folder.dir, 0, 0);
	return NULL;
}

bool mz_ancestor_of_folders(struct mz_creating *w, struct mz_ancestor *out)
{
	const struct mz_folder *f = &w->folder;
	struct node *list = mz_alloc_array(w->arena, f->count + 1,
					   sizeof(*list));
	const struct node *leaf;
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++) {
		struct node *one = &list[n];

		one->tag = f->migrations[i].tag;
		one->path = mz_printf(w->arena, "%s/%s/snapshot.json", f->dir,
				      one->tag);
		if (access(one->path, F_OK) != 0)
			continue; /* written by hand */
		if (!load_node(w, one))
			return false;
		n++;
	}
	out->found = n > 0;
	if (n == 0)
		return true;
	leaf = find_leaf(w, list, n);
	return leaf &&
	       mz_snapshot_load(&out->snapshot, w->arena, leaf->path, w->err);
}
