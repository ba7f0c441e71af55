/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "journal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(struct pgw_view text, bool go_on)
{
	struct mz_arena arena;
	struct mz_findings findings;
	struct mz_err err;
	struct mz_journal j;
	struct mz_loader l = { .arena = &arena,
			       .findings = go_on ? &findings : NULL,
			       .err = &err };

	mz_arena_init(&arena);
	mz_findings_init(&findings, &arena);
	if (mz_journal_parse(&j, &l, "_journal.json", text)) {
		for (size_t i = 0; i < j.count; i++) {
			if (strchr(j.entries[i].tag, '/'))
				abort();
		}
	} else if (!err.msg[0] || !err.hint[0]) {
		abort();
	}
	mz_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view text = { data, size };

	parse(text, false);
	parse(text, true);
	return 0;
}
