/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "showing.h"

#include "file.h"
#include "sift.h"

#include <string.h>

static const struct mz_migration *find(const struct mz_folder *f,
				       const char *tag)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->migrations[i].tag, tag) == 0)
			return &f->migrations[i];
	return NULL;
}

static bool read_start(const struct mz_migration *m, struct pgw_buf *text,
		       struct mz_err *err)
{
	unsigned char piece[16384];
	struct mz_file file;
	size_t got;

	if (!mz_file_open_in(&file, m->bundle, m->path))
		return mz_file_fail(&file, err);
	do {
		size_t room = MZ_SHOWN_MAX - text->len;

		if (!mz_file_take(&file, piece,
				  room < sizeof(piece) ? room : sizeof(piece),
				  &got))
			return mz_file_fail(&file, err);
		pgw_buf_put(text, piece, got);
	} while (got > 0 && text->len < MZ_SHOWN_MAX);
	mz_file_close(&file);
	return true;
}

/* What cannot be sent is shown all the same, without hazards. */
static void show(struct mz_context *c, const struct mz_migration *m,
		 const struct pgw_buf *text)
{
	struct mz_shown_script s = { .tag = m->tag,
				     .file = m->path,
				     .text = pgw_buf_view(text),
				     .truncated = m->size > text->len };
	struct mz_sifted sifted;
	struct mz_err problem;

	if (mz_sift(&sifted, &c->arena, m, 0, &problem)) {
		s.hazards = sifted.dangers.list;
		s.nhazards = sifted.dangers.count;
	} else {
		s.problem = &problem;
	}
	mz_report_script(&c->report, &s);
}

bool mz_show_script(struct mz_context *c, const char *tag, struct mz_err *err)
{
	const struct mz_migration *m;
	struct mz_folder f;
	struct pgw_buf text;
	bool ok;

	if (!mz_settle_folder(c, err) ||
	    !mz_folder_load(&f, &c->arena, mz_context_where(c), err))
		return false;
	m = find(&f, tag);
	if (!m)
		return mz_fail(err, MZ_usage, "there is no migration %s", tag);
	pgw_buf_init(&text, MZ_SHOWN_MAX);
	ok = read_start(m, &text, err);
	if (ok)
		show(c, m, &text);
	pgw_buf_release(&text);
	return ok;
}
