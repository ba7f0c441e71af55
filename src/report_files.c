/* SPDX-License-Identifier: MIT */
/* The files of a bundle, for people. */
#include <config.h>

#include "line.h"
#include "voices.h"

#include <inttypes.h>

void mz_text_files(struct mz_report *r, const struct mz_listed_file *list,
		   size_t n)
{
	struct mz_line l;

	mz_line_init(&l, false);
	for (size_t i = 0; i < n; i++) {
		mz_line_printf(&l, "%10" PRIu64 "  ", list[i].size);
		mz_line_foreign(&l, list[i].path, NULL);
		mz_line_put(&l, "\n");
	}
	mz_line_out(&l, r);
}
