/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "creating.h"
#include "file.h"
#include "journal.h"
#include "name.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* JavaScript's last day; an int64_t goes on for longer. */
#define LAST_MS INT64_C(8640000000000000)

/* ---- files */

static bool make_sql(struct mz_creating *w, const char *path)
{
	w->made->path = path;
	return mz_making_file(&w->files, path, pgw_view_of(MZ_CREATE_TEXT),
			      w->err);
}

static bool make_snapshot(struct mz_creating *w, const char *path,
			  const struct mz_snapshot *last, int version)
{
	struct pgw_buf text;
	bool ok;

	w->made->snapshot = path;
	pgw_buf_init(&text, SIZE_MAX);
	ok = mz_snapshot_next(&text, last, version, w->err) &&
	     mz_making_file(&w->files, path, pgw_buf_view(&text), w->err);
	pgw_buf_release(&text);
	return ok;
}

/* ---- journal: TAG.sql, its snapshot, its entry */

static const char *newest_tag(const struct mz_folder *f)
{
	return f->count > 0 ? f->migrations[f->count - 1].tag : NULL;
}

static int64_t next_idx(const struct mz_folder *f)
{
	const struct mz_journal_entry *last =
		f->count > 0 ? f->migrations[f->count - 1].entry : NULL;

	return last && last->has_idx && last->idx >= 0 &&
			       last->idx < INT32_MAX ?
		       last->idx + 1 :
		       (int64_t)f->count;
}

/* Later than all: Drizzle 0.x skips what is not. */
static bool next_when(struct mz_creating *w)
{
	const struct mz_folder *f = &w->folder;
	int64_t when = w->c->now;

	for (size_t i = 0; i < f->count; i++) {
		if (f->migrations[i].when >= LAST_MS)
			return mz_fail(w->err, MZ_usage,
				       "nothing can come after %s, whose time "
				       "is the last one",
				       f->migrations[i].tag);
		if (f->migrations[i].when >= when)
			when = f->migrations[i].when + 1;
	}
	w->made->when = when;
	return true;
}

/* That of the migration before is not there, and an older one is taken. */
static void note_gap(struct mz_creating *w, const char *own, const char *taken)
{
	if (strcmp(own, taken) != 0)
		w->made->note = mz_printf(
			w->arena,
			"%s is missing: the new snapshot goes on from %s, and "
			"what lies between the next drizzle-kit generate will "
			"create once more",
			own, taken);
}

/* The snapshot of a migration, which is called after its prefix. */
static const char *journal_snapshot_of(const struct mz_creating *w,
				       const char *tag)
{
	return mz_printf(w->arena, "%s/meta/%.*s_snapshot.json", w->folder.dir,
			 (int)strcspn(tag, "_"), tag);
}

/* The snapshot, unless drizzle-kit could do nothing with it. */
static bool journal_snapshot(struct mz_creating *w, const char *prefix)
{
	struct mz_ancestor last = { 0 };
	const char *newest = newest_tag(&w->folder);

	if (prefix[0] == '\0') {
		w->made->note = "no snapshot was made: drizzle-kit reads none "
				"in a folder whose names have no prefix";
		return true;
	}
	if (!mz_ancestor_of_journal(w, &last))
		return false;
	if (!last.found && w->folder.count > 0) {
		w->made->note = "no snapshot was made, as meta has none to go "
				"on from: the next drizzle-kit generate will "
				"create the whole schema once more";
		return true;
	}
	if (last.found && newest)
		note_gap(w, journal_snapshot_of(w, newest), last.snapshot.path);
	return make_snapshot(w, journal_snapshot_of(w, prefix),
			     last.found ? &last.snapshot : NULL, 7);
}

static bool put_journal(struct mz_creating *w, const struct mz_kit_entry *e)
{
	const char *path = w->made->journal;
	struct pgw_buf old, new;
	struct mz_file f;
	bool fresh = w->folder.bare, ok = true;

	pgw_buf_init(&old, MZ_JOURNAL_MAX);
	pgw_buf_init(&new, SIZE_MAX);
	if (fresh)
		pgw_buf_put_text(&old, "{\"version\":\"7\",\"dialect\":"
				       "\"postgresql\",\"entries\":[]}");
	else
		ok = mz_file_read(&f, path, &old) || mz_file_fail(&f, w->err);
	ok = ok && mz_kit_journal(&new, pgw_buf_view(&old), path, e, w->err) &&
	     (fresh ? mz_making_file(&w->files, path, pgw_buf_view(&new),
				     w->err) :
		      mz_making_replace(&w->files, path, pgw_buf_view(&new),
					w->err));
	pgw_buf_release(&new);
	pgw_buf_release(&old);
	return ok;
}

static bool create_journal(struct mz_creating *w)
{
	const char *dir = w->folder.dir, *prefix = "";
	struct mz_naming n = { .numbering = w->c->numbering,
			       .newest = newest_tag(&w->folder),
			       .index = next_idx(&w->folder),
			       .now = w->c->now };
	struct mz_kit_entry e = { .idx = n.index };

	if (n.newest)
		n.numbering = mz_naming_of(n.newest);
	if (!mz_naming_prefix(&n, w->arena, &prefix, w->err) || !next_when(w))
		return false;
	w->made->tag = mz_printf(w->arena, "%s_%s", prefix, w->name);
	w->made->journal = mz_printf(w->arena, "%s/meta/_journal.json", dir);
	e.tag = w->made->tag;
	e.when = w->made->when;
	return mz_making_dirs(&w->files, mz_printf(w->arena, "%s/meta", dir),
			      w->err) &&
	       make_sql(w, mz_printf(w->arena, "%s/%s.sql", dir, e.tag)) &&
	       journal_snapshot(w, prefix) && put_journal(w, &e);
}

/* ---- folders: NAME/migration.sql and its snapshot */

static bool create_folder(struct mz_creating *w)
{
	const char *dir = w->folder.dir, *place, *prefix = "";
	struct mz_naming n = { .numbering = MZ_NUMBERING_TIME,
			       .newest = newest_tag(&w->folder),
			       .now = w->c->now };
	struct mz_ancestor last = { 0 };

	if (!mz_naming_prefix(&n, w->arena, &prefix, w->err) ||
	    !mz_ancestor_of_folders(w, &last))
		return false;
	w->made->tag = mz_printf(w->arena, "%s_%s", prefix, w->name);
	place = mz_printf(w->arena, "%s/%s", dir, w->made->tag);
	if (!mz_name_time(w->made->tag, &w->made->when) ||
	    !mz_making_dir(&w->files, place, w->err) ||
	    !make_sql(w, mz_printf(w->arena, "%s/migration.sql", place)))
		return false;
	if (!last.found && w->folder.count > 0) {
		w->made->note = "no snapshot was made, as there is none to go "
				"on from: the next drizzle-kit generate will "
				"create the whole schema once more";
		return true;
	}
	if (last.found && n.newest)
		note_gap(w,
			 mz_printf(w->arena, "%s/%s/snapshot.json", dir,
				   n.newest),
			 last.snapshot.path);
	return make_snapshot(w, mz_printf(w->arena, "%s/snapshot.json", place),
			     last.found ? &last.snapshot : NULL, 9);
}

/* ---- plain: NAME.sql */

static bool create_plain(struct mz_creating *w)
{
	struct mz_naming n = { .newest = newest_tag(&w->folder),
			       .now = w->c->now };

	if (!n.newest)
		n.newest = "0000_";
	if (!mz_naming_plain(&n, w->name, w->arena, &w->made->tag, w->err))
		return false;
	if (!mz_name_plain_time(w->made->tag, &w->made->when))
		w->made->when = 0;
	return make_sql(w, mz_printf(w->arena, "%s/%s.sql", w->folder.dir,
				     w->made->tag));
}

/* ---- the folder */

/* Held until it is closed; -1 and an error when that cannot be. */
static int lock(const char *dir, struct mz_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		mz_fail(err, MZ_usage, "the folder %s cannot be read: %s", dir,
			strerror(errno));
		mz_at(err, dir, 0, 0);
		return -1;
	}
	if (flock(fd, LOCK_EX) == 0 || errno != EINTR)
		return fd; /* where there are no locks, O_EXCL has to do */
	mz_fail(err, MZ_usage, "interrupted; nothing was made");
	err->signal = -1;
	close(fd);
	return -1;
}

static bool fits(const struct mz_creating *w)
{
	enum mz_layout is = w->folder.layout;

	if (w->folder.bare || !w->c->strict || is == w->c->layout)
		return true;
	mz_fail(w->err, MZ_usage, "the layout of %s is %s, not %s",
		w->folder.dir, mz_layout_name(is),
		mz_layout_name(w->c->layout));
	mz_hint(w->err, "leave --layout away: it is for folders with nothing "
			"in them");
	return mz_at(w->err, w->folder.dir, 0, 0);
}

static bool create_locked(struct mz_creating *w)
{
	struct mz_where where = { .dir = w->c->dir };

	if (!mz_folder_load(&w->folder, w->arena, where, w->err) &&
	    !w->folder.bare)
		return false;
	if (!fits(w))
		return false;
	if (w->folder.bare)
		w->folder.layout = w->c->layout;
	w->made->layout = w->folder.layout;
	switch (w->folder.layout) {
	case MZ_LAYOUT_JOURNAL:
		return create_journal(w);
	case MZ_LAYOUT_FOLDERS:
		return create_folder(w);
	case MZ_LAYOUT_PLAIN:
		break;
	}
	return create_plain(w);
}

bool mz_create(struct mz_created *made, struct mz_arena *a,
	       const struct mz_create *c, struct mz_err *err)
{
	struct mz_creating w = { .c = c, .made = made, .arena = a, .err = err };
	bool ok;
	int fd;

	*made = (struct mz_created){ 0 };
	mz_making_init(&w.files, a);
	if (!mz_naming_clean(c->name, a, &w.name, err))
		return false;
	ok = mz_making_dirs(&w.files, c->dir, err);
	fd = ok ? lock(c->dir, err) : -1;
	ok = ok && fd >= 0 && create_locked(&w);
	if (!ok)
		mz_making_undo(&w.files);
	if (fd >= 0)
		close(fd);
	return ok;
}
