/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "journal.h"
#include "json_kit.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With an entry of ours it is a journal that ends with it. */
static void append(struct mz_loader *l, struct pgw_view text, size_t count)
{
	struct mz_kit_entry e = { "a \"b\"", 7, 1 };
	struct mz_journal j;
	struct pgw_buf out;

	pgw_buf_init(&out, SIZE_MAX);
	if (mz_kit_journal(&out, text, "_journal.json", &e, l->err)) {
		/* one that was there may have that tag, too */
		if (mz_journal_parse(&j, l, "_journal.json",
				     pgw_buf_view(&out)) &&
		    (j.count != count + 1 ||
		     strcmp(j.entries[count].tag, e.tag) != 0))
			abort();
	} else if (!l->err->msg[0]) {
		abort();
	}
	pgw_buf_release(&out);
}

/* A sound one is read entry by entry, but for who goes on. */
static void compare(struct pgw_view text, const struct mz_journal *j,
		    const struct mz_findings *findings)
{
	enum { DEPTH_IS_NO_MATTER = 2000 };

	struct mz_arena arena;
	struct mz_err err;
	struct mz_journal other;
	struct mz_loader l = { .arena = &arena, .err = &err };
	bool ok;

	if (text.n > DEPTH_IS_NO_MATTER)
		return;
	mz_arena_init(&arena);
	ok = mz_journal_parse(&other, &l, "_journal.json", text);
	if (ok != (j && findings->errors == 0) ||
	    (ok && other.count != j->count))
		abort();
	for (size_t i = 0; ok && i < other.count; i++) {
		const struct mz_journal_entry *a = &other.entries[i];
		const struct mz_journal_entry *b = &j->entries[i];

		if (strcmp(a->tag, b->tag) != 0 || a->when != b->when ||
		    a->idx != b->idx || a->line != b->line ||
		    a->column != b->column)
			abort();
	}
	mz_arena_release(&arena);
}

static void parse(struct pgw_view text, bool go_on)
{
	struct mz_arena arena;
	struct mz_findings findings;
	struct mz_err err;
	struct mz_journal j;
	bool ok;
	struct mz_loader l = { .arena = &arena,
			       .findings = go_on ? &findings : NULL,
			       .err = &err };

	mz_arena_init(&arena);
	mz_findings_init(&findings, &arena);
	ok = mz_journal_parse(&j, &l, "_journal.json", text);
	if (go_on)
		compare(text, ok ? &j : NULL, &findings);
	if (ok) {
		for (size_t i = 0; i < j.count; i++) {
			if (strchr(j.entries[i].tag, '/'))
				abort();
		}
		if (!go_on)
			append(&l, text, j.count);
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
