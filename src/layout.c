/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "file.h"
#include "loader.h"
#include "name.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void listing_add(struct mz_listing *d, struct mz_arena *a,
			const char *name, unsigned char type)
{
	d->entries = mz_grow(a, d->entries, d->count, &d->room,
			     sizeof(*d->entries));
	d->entries[d->count].name = name;
	d->entries[d->count].type = type;
	d->count++;
}

/* Paths are sorted, so those below one directory stand together. */
static bool list_packed(struct mz_listing *d, struct mz_arena *a,
			const struct mz_bundle *b, const char *dir)
{
	const char *below = mz_bundle_below(b, dir), *last = "";
	size_t skip = below && below[0] ? strlen(below) + 1 : 0;

	if (!below || !mz_bundle_has_dir(b, below)) {
		errno = ENOENT;
		return false;
	}
	for (size_t i = 0; i < b->count; i++) {
		const char *path = b->files[i].path, *rest = path + skip;
		size_t n;

		if (skip > 0 && (strncmp(path, below, skip - 1) != 0 ||
				 path[skip - 1] != '/'))
			continue;
		n = strcspn(rest, "/");
		if (rest[n] && strlen(last) == n && memcmp(last, rest, n) == 0)
			continue;
		last = mz_strndup(a, rest, n);
		listing_add(d, a, last, rest[n] ? DT_DIR : DT_REG);
	}
	return true;
}

static void drop_stream(void *stream)
{
	closedir(stream);
}

static bool list_dir(struct mz_listing *d, struct mz_arena *a, const char *dir)
{
	const struct dirent *e;
	DIR *stream = opendir(dir);
	struct mz_hold hold;
	int error;

	if (!stream)
		return false;
	mz_hold(a, &hold, drop_stream, stream);
	for (errno = 0; (e = readdir(stream)) != NULL; errno = 0)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			listing_add(d, a, mz_strdup(a, e->d_name), e->d_type);
	error = errno;
	mz_let_go(a, &hold);
	closedir(stream);
	errno = error;
	return error == 0;
}

bool mz_listing_read(struct mz_listing *d, struct mz_arena *a,
		     const struct mz_folder *f, const char *dir)
{
	*d = (struct mz_listing){ 0 };
	return f->bundle ? list_packed(d, a, f->bundle, dir) :
			   list_dir(d, a, dir);
}

static int by_entry(const void *a, const void *b)
{
	const struct mz_listed_name *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void mz_listing_sort(struct mz_listing *d)
{
	if (d->count > 0)
		qsort(d->entries, d->count, sizeof(*d->entries), by_entry);
}

static bool no_listing(const struct mz_loader *l, int error)
{
	const char *dir = l->folder->dir;
	struct mz_err *err = l->err;

	switch (error) {
	case ENOENT:
		l->folder->bare = dir[0] != '\0';
		mz_fail(err, MZ_usage, "no folder %s",
			dir[0] ? dir : "with an empty name");
		mz_hint(err, "name the folder of your migrations with --dir, "
			     "or make it with drizzle-kit generate");
		break;
	case ENOTDIR:
		mz_fail(err, MZ_usage, "%s is not a folder", dir);
		mz_hint(err, "name the folder that holds the migrations, not "
			     "one of its files");
		break;
	case EACCES:
		mz_fail(err, MZ_usage,
			"the folder %s cannot be read: permission denied", dir);
		mz_hint(err, "let the user who runs this read it, for example "
			     "with chmod a+rx");
		break;
	default:
		mz_fail(err, MZ_usage, "the folder %s cannot be read: %s", dir,
			strerror(error));
		break;
	}
	return mz_at(err, dir, 0, 0);
}

/* ---- folders: DIR/NAME/migration.sql */

static bool bad_name(const struct mz_loader *l, const struct mz_migration *m)
{
	mz_fail(l->err, MZ_usage,
		"%s: the name %s does not begin with a time of 14 digits",
		m->path, m->tag);
	mz_hint(l->err, "rename it to YYYYMMDDhhmmss_name, or move it out of "
			"the folder; Drizzle fails on it, too");
	return mz_at(l->err, m->path, 0, 0);
}

/* Drizzle ignores what it cannot open, such as lost+found. */
static bool holds_script(const struct mz_migration *m)
{
	struct mz_file file;

	if (!mz_file_open_in(&file, m->bundle, m->path))
		return file.problem == MZ_FILE_IS_DIR;
	mz_file_close(&file);
	return true;
}

/* One more migration, if that entry holds one. */
static bool load_folder(struct mz_loader *l, const struct mz_listed_name *e,
			bool *found)
{
	struct mz_folder *f = l->folder;
	struct mz_migration *m = &f->migrations[f->count];
	bool missing = false;

	if (e->type == DT_REG)
		return true;
	*m = (struct mz_migration){ .tag = e->name, .bundle = f->bundle };
	m->path = mz_printf(l->arena, "%s/%s/migration.sql", f->dir, e->name);
	if (!mz_name_time(m->tag, &m->when)) {
		if (!holds_script(m))
			return true;
		*found = true;
		bad_name(l, m);
		return mz_loader_go_on(l, "bad-name");
	}
	if (!mz_loader_hash(l, m, &missing))
		return false;
	if (missing)
		return true;
	*found = true;
	f->count++;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct mz_migration *x = a, *y = b;

	return mz_name_compare(x->tag, y->tag);
}

/* ---- plain: DIR/NAME.sql */

/* .gitkeep, and ._NAME.sql that macOS leaves behind, are nobody's. */
static bool is_up_script(const char *name)
{
	return name[0] != '.' && mz_name_ends(name, ".sql") &&
	       !mz_name_ends(name, ".down.sql");
}

static int by_bytes(const void *a, const void *b)
{
	const struct mz_migration *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static void list_plain(struct mz_loader *l, const struct mz_listing *d)
{
	struct mz_folder *f = l->folder;
	int64_t last = 0;

	f->layout = MZ_LAYOUT_PLAIN;
	for (size_t i = 0; i < d->count; i++) {
		const char *name = d->entries[i].name;

		if (!is_up_script(name))
			continue;
		f->migrations[f->count++] = (struct mz_migration){
			.tag = mz_strndup(l->arena, name, strlen(name) - 4),
			.path = mz_printf(l->arena, "%s/%s", f->dir, name),
			.bundle = f->bundle,
		};
	}
	qsort(f->migrations, f->count, sizeof(*f->migrations), by_bytes);
	for (size_t i = 0; i < f->count; i++) {
		struct mz_migration *m = &f->migrations[i];

		if (!mz_name_plain_time(m->tag, &m->when) || m->when <= last)
			m->when = last + 1;
		last = m->when;
	}
}

/* ---- nothing at all */

static const struct mz_listed_name *find(const struct mz_listing *d,
					 const char *name)
{
	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(d->entries[i].name, name) == 0)
			return &d->entries[i];
	}
	return NULL;
}

static bool is_snapshot(const char *name)
{
	return mz_name_ends(name, "_snapshot.json");
}

/*
 * Snapshots without their journal: it was lost on the way here, and names and
 * times that we would make up are not those of the history.
 */
static bool check_journal_lost(const struct mz_loader *l,
			       const struct mz_listing *d)
{
	const char *dir = l->folder->dir;
	bool lost = false;
	struct mz_listing meta;

	if (!find(d, "meta") ||
	    !mz_listing_read(&meta, l->arena, l->folder,
			     mz_printf(l->arena, "%s/meta", dir)))
		return true;
	for (size_t i = 0; i < meta.count && !lost; i++)
		lost = is_snapshot(meta.entries[i].name);
	if (!lost)
		return true;
	mz_fail(l->err, MZ_usage, "%s/meta/_journal.json is missing", dir);
	mz_hint(l->err, "its snapshots are there: copy the whole folder, see "
			"what .dockerignore leaves out, or restore it from "
			"version control");
	return mz_at(l->err, dir, 0, 0);
}

static bool nothing_there(const struct mz_loader *l, const struct mz_listing *d)
{
	const char *dir = l->folder->dir;

	l->folder->bare = !find(d, "_journal.json");
	mz_fail(l->err, MZ_usage,
		"no migrations in %s: neither meta/_journal.json nor "
		"<14 digits>_name/migration.sql nor *.sql",
		dir);
	if (find(d, "_journal.json"))
		mz_hint(l->err, "name the folder above it with --dir");
	else if (d->count == 0)
		mz_hint(l->err, "the folder is empty; make a migration with "
				"drizzle-kit generate");
	else
		mz_hint(l->err, "name the folder of your migrations with "
				"--dir");
	return mz_at(l->err, dir, 0, 0);
}

bool mz_loader_list(struct mz_loader *l)
{
	struct mz_folder *f = l->folder;
	bool found = false;
	struct mz_listing d;

	if (!mz_listing_read(&d, l->arena, f, f->dir))
		return no_listing(l, errno);
	f->layout = MZ_LAYOUT_FOLDERS;
	f->migrations = mz_alloc_array(l->arena, d.count,
				       sizeof(*f->migrations));
	for (size_t i = 0; i < d.count; i++) {
		if (!load_folder(l, &d.entries[i], &found))
			return false;
	}
	if (found) {
		qsort(f->migrations, f->count, sizeof(*f->migrations), by_name);
		return true;
	}
	if (!check_journal_lost(l, &d))
		return false;
	list_plain(l, &d);
	if (f->count == 0)
		return nothing_there(l, &d);
	for (size_t i = 0; i < f->count; i++) {
		if (!mz_loader_hash(l, &f->migrations[i], NULL))
			return false;
	}
	return true;
}
