/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "inspect.h"
#include "journal.h"
#include "loader.h"
#include "name.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

/* ---- order and times */

/* Where the order is written down: the journal's entry, else the file. */
static struct mz_finding *place(const struct mz_folder *f,
				const struct mz_migration *m,
				const struct mz_findings *findings,
				struct mz_finding *one)
{
	one->tag = m->tag;
	one->file = m->path;
	if (m->entry) {
		one->file = mz_printf(findings->arena, "%s/meta/_journal.json",
				      f->dir);
		one->line = m->entry->line;
		one->column = m->entry->column;
	}
	return one;
}

static void check_journal_time(const struct mz_folder *f,
			       const struct mz_migration *m,
			       const struct mz_migration *newest,
			       struct mz_findings *findings)
{
	struct mz_finding *one;

	if (m->when > newest->when)
		return;
	one = mz_findings_add(
		findings, MZ_LEVEL_ERROR,
		m->when == newest->when ? "duplicate-when" : "journal-order",
		"the \"when\" of %s (%jd) is not more than that of %s before "
		"it (%jd): where that one is applied, Drizzle 0.x skips this "
		"one in silence",
		m->tag, (intmax_t)m->when, newest->tag, (intmax_t)newest->when);
	one->hint = mz_printf(findings->arena,
			      "if it is not applied anywhere yet, set its "
			      "\"when\" to %jd or more",
			      (intmax_t)newest->when + 1);
	place(f, m, findings, one);
}

static void check_same_second(const struct mz_folder *f,
			      const struct mz_migration *m,
			      const struct mz_migration *before,
			      struct mz_findings *findings)
{
	struct mz_finding *one;

	if (m->when != before->when)
		return;
	one = mz_findings_add(findings, MZ_LEVEL_WARNING, "same-time",
			      "%s has the same time as %s: what stands behind "
			      "it decides which is first, by the rules of a "
			      "locale",
			      m->tag, before->tag);
	one->hint = "rename the one that shall run later, if it is not "
		    "applied anywhere yet";
	place(f, m, findings, one);
}

/* 10_x.sql stands before 9_x.sql */
static void check_number(const struct mz_folder *f,
			 const struct mz_migration *m,
			 const struct mz_migration *before,
			 struct mz_findings *findings)
{
	struct mz_finding *one;
	int64_t mine, others;

	if (!mz_name_plain_time(m->tag, &mine) ||
	    !mz_name_plain_time(before->tag, &others) || mine >= others)
		return;
	one = mz_findings_add(findings, MZ_LEVEL_WARNING, "number-order",
			      "%s runs after %s: names are sorted by their "
			      "bytes, not by their numbers",
			      m->tag, before->tag);
	one->hint = "give all numbers the same count of digits";
	place(f, m, findings, one);
}

static void check_future(const struct mz_folder *f,
			 const struct mz_migration *m,
			 struct mz_findings *findings, int64_t now_ms)
{
	struct mz_finding *one;

	if (f->layout == MZ_LAYOUT_PLAIN || m->when <= now_ms ||
	    m->when - now_ms <= DAY_MS)
		return;
	one = mz_findings_add(findings, MZ_LEVEL_WARNING, "future-when",
			      "the time of %s (%jd) is %jd days ahead: once it "
			      "is applied, Drizzle 0.x skips in silence what "
			      "is generated before that day",
			      m->tag, (intmax_t)m->when,
			      (intmax_t)((m->when - now_ms) / DAY_MS));
	one->hint = "if it is not applied anywhere yet, give it the time of "
		    "today";
	place(f, m, findings, one);
}

/* drizzle-kit numbers the next one by the last one's idx. */
static void check_idx(const struct mz_folder *f, struct mz_findings *findings)
{
	int64_t expected = 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct mz_journal_entry *e = f->migrations[i].entry;
		struct mz_finding *one;

		if (!e || !e->has_idx)
			return;
		if (e->idx == expected) {
			expected++;
			continue;
		}
		one = mz_findings_add(findings, MZ_LEVEL_WARNING, "journal-idx",
				      "the \"idx\" of %s is %jd where %jd "
				      "follows: an entry was removed, moved or "
				      "kept twice by a merge",
				      e->tag, (intmax_t)e->idx,
				      (intmax_t)expected);
		place(f, &f->migrations[i], findings, one);
		if (e->idx == INT64_MAX)
			return;
		expected = e->idx + 1;
	}
}

static size_t prefix_length(const char *tag)
{
	return strspn(tag, "0123456789");
}

static int by_prefix(const void *a, const void *b)
{
	const struct mz_migration *const *x = a, *const *y = b;
	size_t n = prefix_length((*x)->tag), m = prefix_length((*y)->tag);
	int diff = n == m ? memcmp((*x)->tag, (*y)->tag, n) : (n > m) - (n < m);

	return diff != 0 ? diff : (*x > *y) - (*x < *y);
}

/* Two branches that were merged: both made their 0007_. */
static void check_prefixes(const struct mz_folder *f,
			   struct mz_findings *findings)
{
	const struct mz_migration **sorted =
		mz_alloc_array(findings->arena, f->count, sizeof(*sorted));

	for (size_t i = 0; i < f->count; i++)
		sorted[i] = &f->migrations[i];
	qsort(sorted, f->count, sizeof(*sorted), by_prefix);
	for (size_t i = 1; i < f->count; i++) {
		const char *tag = sorted[i]->tag, *before = sorted[i - 1]->tag;
		size_t n = prefix_length(tag);
		struct mz_finding *one;

		if (n == 0 || n != prefix_length(before) ||
		    memcmp(tag, before, n) != 0)
			continue;
		one = mz_findings_add(findings, MZ_LEVEL_WARNING,
				      "duplicate-prefix",
				      "%s and %s begin with the same number: "
				      "two branches may have been merged",
				      before, tag);
		one->hint = "see that they run in the order that is meant";
		place(f, sorted[i], findings, one);
	}
}

void mz_inspect_order(const struct mz_folder *f, struct mz_findings *findings,
		      int64_t now_ms)
{
	const struct mz_migration *newest = NULL;

	for (size_t i = 0; i < f->count; i++) {
		const struct mz_migration *m = &f->migrations[i];

		if (i > 0 && f->layout == MZ_LAYOUT_JOURNAL)
			check_journal_time(f, m, newest, findings);
		else if (i > 0 && f->layout == MZ_LAYOUT_FOLDERS)
			check_same_second(f, m, m - 1, findings);
		else if (i > 0)
			check_number(f, m, m - 1, findings);
		check_future(f, m, findings, now_ms);
		if (!newest || m->when > newest->when)
			newest = m;
	}
	if (f->layout == MZ_LAYOUT_JOURNAL)
		check_idx(f, findings);
	if (f->layout != MZ_LAYOUT_FOLDERS) /* there it is "same-time" */
		check_prefixes(f, findings);
}

/* ---- what is there and belongs to nothing */

static int compare_tag(const void *key, const void *element)
{
	const struct mz_migration *const *m = element;

	return strcmp(key, (*m)->tag);
}

static int by_tag(const void *a, const void *b)
{
	const struct mz_migration *const *x = a, *const *y = b;

	return strcmp((*x)->tag, (*y)->tag);
}

struct strays {
	const struct mz_folder *f;
	struct mz_findings *findings;
	const struct mz_migration **sorted;
};

static bool is_known(const struct strays *s, const char *tag)
{
	return s->f->count > 0 && bsearch(tag, s->sorted, s->f->count,
					  sizeof(*s->sorted), compare_tag);
}

static void stray(const struct strays *s, const char *name, const char *why,
		  const char *hint)
{
	struct mz_finding *one = mz_findings_add(s->findings, MZ_LEVEL_WARNING,
						 "stray-file", "%s/%s %s",
						 s->f->dir, name, why);

	one->file = mz_printf(s->findings->arena, "%s/%s", s->f->dir, name);
	one->hint = hint;
}

static void stray_script(const struct strays *s, const char *name)
{
	bool down = mz_name_ends(name, ".down.sql");
	const char *tag = mz_strndup(s->findings->arena, name,
				     strlen(name) - (down ? 9 : 4));

	if (down && s->f->layout == MZ_LAYOUT_FOLDERS) {
		stray(s, name, "is not where a rollback looks for it",
		      "move it into the folder of its migration, as down.sql");
		return;
	}
	if (is_known(s, tag) || (!down && s->f->layout == MZ_LAYOUT_PLAIN))
		return;
	if (down)
		stray(s, name, "belongs to no migration",
		      "name it as its migration, with .down.sql instead of "
		      ".sql");
	else if (s->f->layout == MZ_LAYOUT_JOURNAL)
		stray(s, name, "is not in the journal, so it never runs",
		      "add it to meta/_journal.json, or move it out of the "
		      "folder");
	else
		stray(s, name,
		      "is not in a folder of its own, so it never runs",
		      "move it to <14 digits>_name/migration.sql, or out of "
		      "the folder");
}

static void stray_folder(const struct strays *s, const char *name)
{
	int64_t ms;

	if (!mz_name_time(name, &ms) || is_known(s, name))
		return;
	if (s->f->layout == MZ_LAYOUT_FOLDERS)
		stray(s, name, "has no migration.sql, so nothing of it runs",
		      "restore its migration.sql, or remove the folder");
	else if (s->f->layout == MZ_LAYOUT_JOURNAL)
		stray(s, name,
		      "is of Drizzle 1.x, but the journal of 0.x stands "
		      "beside it: it never runs, and 1.x refuses such a folder",
		      "run drizzle-kit up with Drizzle 1.x, or move it out of "
		      "the folder");
}

void mz_inspect_strays(const struct mz_folder *f, struct mz_findings *findings)
{
	struct strays s = { .f = f, .findings = findings };
	struct mz_listing d;

	if (!mz_listing_read(&d, findings->arena, f, f->dir))
		return; /* loading has told why */
	s.sorted = mz_alloc_array(findings->arena, f->count, sizeof(*s.sorted));
	for (size_t i = 0; i < f->count; i++)
		s.sorted[i] = &f->migrations[i];
	qsort(s.sorted, f->count, sizeof(*s.sorted), by_tag);
	mz_listing_sort(&d);
	for (size_t i = 0; i < d.count; i++) {
		const char *name = d.entries[i].name;

		if (name[0] == '.')
			continue;
		if (mz_name_ends(name, ".sql"))
			stray_script(&s, name);
		else if (d.entries[i].type != DT_REG)
			stray_folder(&s, name);
	}
}
