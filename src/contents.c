/* SPDX-License-Identifier: MIT */
/*
 * What of a folder goes into a bundle.  Somebody's --dir may be their whole
 * project: what no command reads, such as .env, stays outside.
 */
#include <config.h>

#include "file.h"
#include "loader.h"
#include "name.h"
#include "pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void add(struct mz_contents *c, struct mz_arena *a, const char *path)
{
	c->paths = mz_grow(a, c->paths, c->count, &c->room, sizeof(*c->paths));
	c->paths[c->count++] = path;
}

static bool is_script(const char *name)
{
	return name[0] != '.' && mz_name_ends(name, ".sql");
}

static bool is_known(const char *name)
{
	return is_script(name) ||
	       (name[0] != '.' && mz_name_ends(name, ".json"));
}

/* meta of a journal, and the folders of migrations. */
static bool is_part(const struct mz_folder *f, const char *name)
{
	int64_t ms;

	if (f->layout == MZ_LAYOUT_JOURNAL && strcmp(name, "meta") == 0)
		return true;
	return f->layout != MZ_LAYOUT_PLAIN && mz_name_time(name, &ms);
}

static bool is_file(const struct mz_folder *f, struct mz_arena *a,
		    const char *path)
{
	struct mz_file file;

	if (!mz_file_open_in(&file, f->bundle,
			     mz_printf(a, "%s/%s", f->dir, path)))
		return false;
	mz_file_close(&file);
	return true;
}

static bool cannot_list(const char *dir, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "the folder %s cannot be read: %s", dir,
		strerror(errno));
	return mz_at(err, dir, 0, 0);
}

static bool add_part(struct mz_contents *c, struct mz_arena *a,
		     const struct mz_folder *f, const char *part,
		     struct mz_err *err)
{
	const char *dir = mz_printf(a, "%s/%s", f->dir, part);
	struct mz_listing d;

	if (!mz_listing_read(&d, a, f, dir))
		return errno == ENOTDIR || cannot_list(dir, err);
	for (size_t i = 0; i < d.count; i++) {
		const char *path = mz_printf(a, "%s/%s", part,
					     d.entries[i].name);

		if (is_known(d.entries[i].name) && is_file(f, a, path))
			add(c, a, path);
	}
	return true;
}

/* A run reads the journal and the scripts; snapshots it does not. */
static int rank(const char *path)
{
	if (strcmp(path, "meta/_journal.json") == 0)
		return 0;
	return mz_name_ends(path, ".sql") ? 1 : 2;
}

static int by_use(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	int diff = rank(*x) - rank(*y);

	return diff != 0 ? diff : strcmp(*x, *y);
}

bool mz_contents_list(struct mz_contents *c, struct mz_arena *a,
		      const struct mz_folder *f, struct mz_err *err)
{
	struct mz_listing d;

	*c = (struct mz_contents){ 0 };
	if (!mz_listing_read(&d, a, f, f->dir))
		return cannot_list(f->dir, err);
	for (size_t i = 0; i < d.count; i++) {
		const char *name = d.entries[i].name;

		if (is_script(name) && is_file(f, a, name))
			add(c, a, name);
		else if (is_part(f, name) && !add_part(c, a, f, name, err))
			return false;
	}
	if (c->count > 0)
		qsort(c->paths, c->count, sizeof(*c->paths), by_use);
	return true;
}
