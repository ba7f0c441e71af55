/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "folder.h"

#include "file.h"
#include "journal.h"
#include "loader.h"

#include <string.h>

/* Read at a time while hashing. */
#define PIECE (64u << 10)

bool mz_loader_go_on(struct mz_loader *l, const char *rule)
{
	if (!l->findings)
		return false;
	mz_findings_add_err(l->findings, rule, l->err);
	return true;
}

/* One pass over an open file, in pieces; the rest of one leads the next. */
static bool hash_file(struct mz_file *file, struct mz_hasher *h)
{
	MZ_ROOM unsigned char piece[PIECE];
	size_t kept = 0, got;

	do {
		struct pgw_view v;
		size_t used;

		if (!mz_file_take(file, piece + kept, sizeof(piece) - kept,
				  &got))
			return false;
		v = (struct pgw_view){ piece, kept + got };
		used = mz_hasher_feed(h, v, got == 0);
		kept = v.n - used;
		memmove(piece, piece + used, kept);
	} while (got > 0);
	return true;
}

static bool no_text(struct mz_loader *l, const struct mz_migration *m,
		    const struct mz_file *file)
{
	static const char *const rules[] = {
		[MZ_FILE_OK] = "unreadable-file",
		[MZ_FILE_MISSING] = "missing-file",
		[MZ_FILE_IS_DIR] = "not-a-file",
		[MZ_FILE_SPECIAL] = "not-a-file",
		[MZ_FILE_DENIED] = "unreadable-file",
		[MZ_FILE_TOO_LARGE] = "too-large",
		[MZ_FILE_BROKEN] = "unreadable-file",
	};

	mz_file_fail(file, l->err);
	if (file->problem == MZ_FILE_MISSING && m->entry)
		mz_hint(l->err,
			"restore it from version control, or, if it was never "
			"applied anywhere, remove its entry from "
			"meta/_journal.json");
	return mz_loader_go_on(l, rules[file->problem]);
}

bool mz_loader_hash(struct mz_loader *l, struct mz_migration *m, bool *missing)
{
	struct mz_hasher h;
	struct mz_file file;

	if (!mz_file_open_in(&file, m->bundle, m->path)) {
		if (!missing || file.problem != MZ_FILE_MISSING)
			return no_text(l, m, &file);
		*missing = true;
		return true;
	}
	mz_hasher_init(&h);
	if (!hash_file(&file, &h))
		return no_text(l, m, &file);
	mz_file_close(&file);
	mz_hasher_final(&h, m->hash);
	m->utf8 = h.utf8;
	m->size = file.read;
	m->present = true;
	return true;
}

static bool load_journal(struct mz_loader *l, const char *path,
			 struct pgw_view text)
{
	struct mz_folder *f = l->folder;
	struct mz_journal j;

	f->layout = MZ_LAYOUT_JOURNAL;
	if (!mz_journal_parse(&j, l, path, text))
		return mz_loader_go_on(l, "journal");
	f->migrations = mz_alloc_array(l->arena, j.count,
				       sizeof(*f->migrations));
	f->count = j.count;
	for (size_t i = 0; i < j.count; i++) {
		struct mz_migration *m = &f->migrations[i];

		m->entry = &j.entries[i];
		m->bundle = f->bundle;
		m->tag = m->entry->tag;
		m->when = m->entry->when;
		m->path = mz_printf(l->arena, "%s/%s.sql", f->dir, m->tag);
		if (!mz_loader_hash(l, m, NULL))
			return false;
	}
	return true;
}

/* One attempt to read the journal tells the layouts apart. */
static bool load(struct mz_loader *l)
{
	const char *path = mz_printf(l->arena, "%s/meta/_journal.json",
				     l->folder->dir);
	struct pgw_buf text;
	struct mz_file file;
	bool ok;

	pgw_buf_init(&text, MZ_JOURNAL_MAX);
	if (mz_file_read_in(&file, l->folder->bundle, path, &text)) {
		ok = load_journal(l, path, pgw_buf_view(&text));
	} else if (file.problem == MZ_FILE_MISSING) {
		ok = mz_loader_list(l);
	} else {
		ok = mz_file_fail(&file, l->err);
	}
	pgw_buf_release(&text);
	return ok;
}

/* "drizzle/" is shown as "drizzle"; the root stays what it is. */
static const char *without_slashes(struct mz_arena *a, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	return mz_strndup(a, dir, n);
}

static bool load_from(struct mz_loader *l, struct mz_where where)
{
	*l->folder = (struct mz_folder){
		.dir = where.bundle ? where.bundle->dir :
				      without_slashes(l->arena, where.dir),
		.bundle = where.bundle,
	};
	return load(l);
}

bool mz_folder_load(struct mz_folder *f, struct mz_arena *a,
		    struct mz_where where, struct mz_err *err)
{
	struct mz_loader l = { .folder = f, .arena = a, .err = err };

	return load_from(&l, where);
}

bool mz_folder_load_all(struct mz_folder *f, struct mz_findings *findings,
			struct mz_where where, struct mz_err *err)
{
	struct mz_loader l = { .folder = f,
			       .arena = findings->arena,
			       .findings = findings,
			       .err = err };

	return load_from(&l, where);
}

bool mz_folder_changed(const struct mz_migration *m, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "%s was changed while it was being used",
		m->path);
	mz_hint(err, "run again when nobody writes to the folder");
	return mz_at(err, m->path, 0, 0);
}

bool mz_folder_read(const struct mz_folder *f, const struct mz_migration *m,
		    struct pgw_buf *text, struct mz_err *err)
{
	char hash[MZ_HASH_LEN + 1];
	struct mz_file file;
	struct pgw_view added;
	size_t before = text->len;

	(void)f;
	if (!mz_file_read_in(&file, m->bundle, m->path, text))
		return mz_file_fail(&file, err);
	added = pgw_buf_view(text);
	added.n -= before;
	if (before > 0)
		added.p += before;
	mz_folder_hash(added, hash);
	return strcmp(hash, m->hash) == 0 || mz_folder_changed(m, err);
}

bool mz_folder_next_chunk(struct pgw_view *rest, struct pgw_view *chunk)
{
	const size_t length = strlen(MZ_BREAKPOINT);
	const unsigned char *at;

	if (!rest->p)
		return false;
	*chunk = *rest;
	at = memmem(rest->p, rest->n, MZ_BREAKPOINT, length);
	if (!at) {
		*rest = (struct pgw_view){ NULL, 0 };
		return true;
	}
	chunk->n = (size_t)(at - rest->p);
	rest->p += chunk->n + length;
	rest->n -= chunk->n + length;
	return true;
}

const char *mz_layout_name(enum mz_layout layout)
{
	switch (layout) {
	case MZ_LAYOUT_JOURNAL:
		return "journal";
	case MZ_LAYOUT_FOLDERS:
		return "folders";
	case MZ_LAYOUT_PLAIN:
		break;
	}
	return "plain";
}
