/* SPDX-License-Identifier: MIT */
/*
 * What drizzle-kit keeps beside the SQL.  JSON that is rewritten means the same
 * as before, and is not changed by doing it again; the snapshot behind one that
 * could be read can be read, and names it.
 */
#include <config.h>

#include "fuzz.h"
#include "json_edit.h"
#include "json_kit.h"

#include <jansson.h>

static struct pgw_buf rewritten(struct pgw_view text, struct mz_json_edit *e,
				size_t n)
{
	struct pgw_buf out;

	pgw_buf_init(&out, SIZE_MAX);
	mz_json_rewrite(&out, text, e, n);
	must(!out.failed);
	return out;
}

static json_t *parsed(struct pgw_view text)
{
	return json_loadb(text.n ? (const char *)text.p : "", text.n,
			  JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
}

/* A key is replaced once, and nothing else is touched. */
static void check_edit(struct pgw_view text, json_t *root)
{
	struct mz_json_edit e = { "id", "[\"new\"]", false, 0 };
	struct pgw_buf out = rewritten(text, &e, 1);
	json_t *after = parsed(pgw_buf_view(&out));
	json_t *value = json_object_get(after, "id");

	must(json_is_object(after) && e.done <= 1);
	if (e.done == 1) {
		must(json_array_size(value) == 1);
		must(json_object_set_new(root, "id", json_pack("[s]", "new")) ==
		     0);
	}
	must(json_equal(root, after));
	json_decref(after);
	pgw_buf_release(&out);
}

static void check_rewriting(struct pgw_view text)
{
	json_t *root = parsed(text), *after;
	struct pgw_buf once, twice;

	if (!json_is_object(root)) {
		json_decref(root);
		return;
	}
	once = rewritten(text, NULL, 0);
	twice = rewritten(pgw_buf_view(&once), NULL, 0);
	after = parsed(pgw_buf_view(&once));
	must(json_equal(root, after));
	must(same_view(pgw_buf_view(&once), pgw_buf_view(&twice)));
	check_edit(text, root);
	json_decref(root);
	json_decref(after);
	pgw_buf_release(&once);
	pgw_buf_release(&twice);
}

/* ---- snapshots */

static bool load(struct mz_snapshot *s, struct mz_arena *a,
		 struct pgw_view text, struct mz_err *err)
{
	struct memory_file f;
	bool ok;

	memory_file_open(&f, text);
	ok = mz_snapshot_load(s, a, mz_strdup(a, f.path), err);
	(void)mz_kit_major(f.path);
	close(f.fd);
	must(ok || (err->msg[0] && err->hint[0]));
	return ok;
}

static void check_snapshot(struct pgw_view text)
{
	struct mz_snapshot last, next;
	struct mz_err err = { 0 };
	struct mz_arena arena;
	struct pgw_buf out;

	mz_arena_init(&arena);
	pgw_buf_init(&out, SIZE_MAX);
	if (load(&last, &arena, text, &err)) {
		if (!mz_snapshot_next(&out, &last, last.version, &err)) {
			must(err.msg[0]);
		} else {
			must(load(&next, &arena, pgw_buf_view(&out), &err));
			must(next.nparents == 1);
			must(same_text(next.parents[0], last.id));
			must(!same_text(next.id, last.id));
		}
	}
	pgw_buf_release(&out);
	mz_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_rewriting((struct pgw_view){ data, size });
	check_snapshot((struct pgw_view){ data, size });
	return 0;
}
