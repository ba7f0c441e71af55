/* SPDX-License-Identifier: MIT */
/* Real folders, against the rows that the real program wrote for them. */
#include <config.h>

#include "folder.h"
#include "shared.h"
#include "unit.h"

#include <dirent.h>
#include <string.h>

static struct mz_folder folder;
static struct mz_arena arena;

static const char *shared_dir(void)
{
	const char *dir = getenv("SHARED");

	return dir ? dir : SRCDIR "/../shared";
}

static bool load(const char *sub, const char *name, struct mz_err *err)
{
	const char *dir = mz_printf(&arena, "%s/%s/%s", shared_dir(), sub,
				    name);

	*err = (struct mz_err){ 0 };
	return mz_folder_load(&folder, &arena, (struct mz_where){ dir, NULL },
			      err);
}

/* One row: id, hash, created_at, and in the newer shape a name. */
static void check_row(char *line, const char *separators)
{
	char *save, *id = strtok_r(line, separators, &save);
	const char *hash = strtok_r(NULL, separators, &save);
	const char *when = strtok_r(NULL, separators, &save);
	const char *name = strtok_r(NULL, separators, &save);
	const struct mz_migration *m;
	size_t k;

	ck_assert(id && hash && when);
	k = strtoul(id, NULL, 10);
	ck_assert(k >= 1 && k <= folder.count);
	m = &folder.migrations[k - 1];
	ck_assert_str_eq(m->hash, hash);
	ck_assert_int_eq(m->when, strtoll(when, NULL, 10));
	if (name && folder.layout == MZ_LAYOUT_FOLDERS)
		ck_assert_str_eq(m->tag, name);
}

static size_t check_rows(FILE *f, const char *separators)
{
	char line[1024];
	size_t rows = 0;

	ck_assert(fgets(line, sizeof(line), f) != NULL);
	for (; fgets(line, sizeof(line), f); rows++)
		check_row(strtok(line, "\n"), separators);
	return rows;
}

static FILE *truth_of(const char *name)
{
	return fopen(mz_printf(&arena, "%s/corpora/truth/%s/migrations.all.tsv",
			       shared_dir(), name),
		     "r");
}

static void each(const char *sub, void (*check)(const char *name))
{
	DIR *d = opendir(mz_printf(&arena, "%s/%s", shared_dir(), sub));
	const struct dirent *e;

	ck_assert(d != NULL);
	while ((e = readdir(d))) {
		if (e->d_name[0] != '.')
			check(e->d_name);
	}
	closedir(d);
}

static size_t loaded, rows_seen;

static void check_corpus(const char *name)
{
	struct mz_err err;
	FILE *f;

	if (strstr(name, "--bom-journal")) {
		ck_assert(!load("corpora/folders", name, &err));
		ck_assert(strstr(err.msg, "byte order mark") != NULL);
		return;
	}
	if (!load("corpora/folders", name, &err)) {
		/* Drizzle fails on a missing file as well. */
		ck_assert_msg(strstr(err.msg, "is missing") != NULL, "%s",
			      err.msg);
		return;
	}
	loaded++;
	f = truth_of(name);
	if (!f)
		return;
	rows_seen += check_rows(f, "\t");
	fclose(f);
}

START_TEST(every_folder_of_the_corpora_has_the_rows_that_drizzle_wrote)
{
	mz_arena_init(&arena);
	each("corpora/folders", check_corpus);
	ck_assert_uint_gt(loaded, 40);
	ck_assert_uint_gt(rows_seen, 500);
	mz_arena_release(&arena);
}

END_TEST

static void check_sample(const char *name)
{
	struct mz_err err;

	if (strncmp(name, "v0", 2) != 0 && strncmp(name, "v1", 2) != 0)
		return;
	ck_assert_msg(load("samples", name, &err), "%s: %s", name, err.msg);
	ck_assert_int_eq(folder.layout, name[1] == '0' ? MZ_LAYOUT_JOURNAL :
							 MZ_LAYOUT_FOLDERS);
	ck_assert_uint_gt(folder.count, 0);
	loaded++;
}

/* What is recorded for one folder: the name up to .kit., .orm-pg. ... */
static void check_expected(const char *name)
{
	const char *dot = strchr(name, '.');
	const char *sample;
	struct mz_err err;
	FILE *f;

	if (!strstr(name, ".migrations.csv") || strstr(name, "-then-"))
		return;
	sample = mz_strndup(&arena, name, (size_t)(dot - name));
	ck_assert_msg(load("samples", sample, &err), "%s", err.msg);
	f = fopen(mz_printf(&arena, "%s/samples/expected/%s", shared_dir(),
			    name),
		  "r");
	ck_assert(f != NULL);
	rows_seen += check_rows(f, ",");
	fclose(f);
}

START_TEST(every_sample_has_the_rows_that_drizzle_wrote)
{
	mz_arena_init(&arena);
	each("samples", check_sample);
	ck_assert_uint_eq(loaded, 21);
	each("samples/expected", check_expected);
	ck_assert_uint_gt(rows_seen, 20);
	mz_arena_release(&arena);
}

END_TEST

int main(void)
{
	const TTest *tests[] = {
		every_folder_of_the_corpora_has_the_rows_that_drizzle_wrote,
		every_sample_has_the_rows_that_drizzle_wrote
	};

	fclose(shared_open("corpora/TRUTH.tsv"));
	return unit_main("folder_truth", tests, 2);
}
