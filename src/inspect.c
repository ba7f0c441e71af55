/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "inspect.h"

#include "down.h"
#include "file.h"

#include <string.h>

static void check_text(const struct mz_folder *f, const struct mz_migration *m,
		       struct mz_findings *findings)
{
	struct pgw_buf text;
	struct mz_err err;

	pgw_buf_init(&text, MZ_FILE_MAX);
	if (mz_folder_read(f, m, &text, &err))
		mz_inspect_script(m, pgw_buf_view(&text), findings);
	else
		mz_findings_add_err(findings, "unreadable-file", &err);
	pgw_buf_release(&text);
}

/* What a rollback would refuse, found before anybody needs it. */
static void check_down(const struct mz_folder *f, const struct mz_migration *m,
		       struct mz_findings *findings)
{
	struct mz_migration down = mz_down_of(findings->arena, f, m);
	struct pgw_buf text;
	struct mz_file file;
	struct mz_err err;
	bool ok;

	pgw_buf_init(&text, MZ_FILE_MAX);
	if (mz_file_read_in(&file, down.bundle, down.path, &text))
		ok = mz_down_sound(f, &down, pgw_buf_view(&text), &err);
	else
		ok = file.problem == MZ_FILE_MISSING ||
		     mz_file_fail(&file, &err);
	if (!ok)
		mz_findings_add_err(findings, "down-script", &err);
	pgw_buf_release(&text);
}

/* Files of entries that could not be read would look like strays. */
static bool journal_is_whole(const struct mz_findings *findings)
{
	for (const struct mz_finding *one = findings->first; one;
	     one = one->next) {
		if (strncmp(one->rule, "journal", 7) == 0)
			return false;
	}
	return true;
}

bool mz_inspect(struct mz_folder *f, struct mz_findings *findings,
		struct mz_where where, int64_t now_ms, struct mz_err *err)
{
	bool whole;

	if (!mz_folder_load_all(f, findings, where, err))
		return false;
	whole = journal_is_whole(findings);
	mz_inspect_order(f, findings, now_ms);
	if (whole)
		mz_inspect_strays(f, findings);
	for (size_t i = 0; i < f->count; i++) {
		if (!f->migrations[i].present)
			continue;
		check_text(f, &f->migrations[i], findings);
		check_down(f, &f->migrations[i], findings);
	}
	return true;
}
