/* SPDX-License-Identifier: MIT */
/*
 * A folder and a history, and what follows from them.  Three bytes are a
 * migration or a row each: its hash, its time, its name.
 */
#include <config.h>

#include "fuzz.h"
#include "plan.h"
#include "repair.h"
#include "upgrade.h"

#define MOST 24

static const char *const tags[] = {
	"0000_a",	    "0001_b",		"0002_c",	    "0003_d",
	"20260101000000_e", "20260101000001_f", "20260101000002_g", "h",
};

struct world {
	struct mz_arena arena;
	struct mz_migration migrations[MOST];
	struct mz_row rows[MOST];
	struct mz_partial partials[2];
	struct mz_folder folder;
	struct mz_history history;
	struct mz_plan plan;
};

/* Times with and without milliseconds, some of them the same second. */
static int64_t time_of(uint8_t byte)
{
	return (int64_t)(byte >> 3) * 1000 + (byte & 7) * 3 - 8000;
}

static void add_migration(struct world *w, const uint8_t *three)
{
	struct mz_migration *m = &w->migrations[w->folder.count];

	*m = (struct mz_migration){
		.tag = mz_printf(&w->arena, "%04zu_%s", w->folder.count,
				 tags[three[2] % 8]),
		.hash = { (char)('a' + three[0] % 16) },
		.when = time_of(three[1]),
	};
	w->folder.count++;
}

static void add_row(struct world *w, const uint8_t *three)
{
	struct mz_row *r = &w->rows[w->history.count];
	size_t named = three[2] % 32;

	*r = (struct mz_row){
		.id = (int64_t)w->history.count,
		.hash = mz_printf(&w->arena, "%c%s", 'a' + three[0] % 16,
				  three[0] & 64 ? "-crlf" : ""),
		.has_when = three[1] != 0,
		.when = three[1] ? time_of(three[1]) : 0,
	};
	if (w->history.shape == MZ_SHAPE_COLUMNS_5 && named < w->folder.count)
		r->name = w->migrations[named].tag;
	else if (w->history.shape == MZ_SHAPE_COLUMNS_5 && named < 31)
		r->name = tags[named % 8];
	w->history.count++;
}

static void add_partial(struct world *w, uint8_t byte)
{
	struct mz_partials *p = &w->history.partials;

	if (w->folder.count == 0 || p->count == 2)
		return;
	w->partials[p->count++] = (struct mz_partial){
		.tag = w->migrations[byte % w->folder.count].tag,
		.hash = byte & 64 ? "a" : "b",
		.done = "",
		.before = "",
		.at = "",
	};
}

static bool is_eol(void *ctx, size_t i, const char *hash)
{
	struct world *w = ctx;

	must(strcmp(w->migrations[i].hash, hash) != 0);
	return hash[0] == w->migrations[i].hash[0] &&
	       strcmp(hash + 1, "-crlf") == 0;
}

/* ---- what must hold */

static bool is_state(const struct mz_plan *p, size_t i, enum mz_state state)
{
	return p->list[i].state == state;
}

/* Each migration stands in its place, each row is there once. */
static void check_list(const struct world *w)
{
	const struct mz_plan *p = &w->plan;
	size_t counts[MZ_STATES] = { 0 }, recorded = 0;

	for (size_t i = 0; i < p->listed; i++) {
		bool missing = i >= w->folder.count;

		must(is_state(p, i, MZ_MISSING) == missing);
		must((p->rows[i] == NULL) ==
		     mz_plan_is_pending(p->list[i].state));
		must(missing || p->list[i].tag == w->migrations[i].tag);
		if (is_state(p, i, MZ_APPLIED))
			must(same_text(p->list[i].hash,
				       p->list[i].recorded_hash));
		recorded += p->rows[i] != NULL;
		counts[p->list[i].state]++;
	}
	must(memcmp(counts, p->counts, sizeof(counts)) == 0);
	must(recorded + p->duplicates == w->history.count);
}

static void check_rows(const struct world *w)
{
	const struct mz_plan *p = &w->plan;

	for (size_t i = 0; i < p->listed; i++)
		for (size_t k = 0; k < i; k++)
			must(!p->rows[i] || p->rows[i] != p->rows[k]);
}

/* In the folder's order, nothing twice, nothing that is recorded. */
static void check_choice(struct world *w, const struct mz_wish *wish)
{
	struct mz_plan *p = &w->plan;
	struct mz_err err = { 0 };
	const struct mz_migration *last = NULL;

	if (!mz_plan_choose(p, &w->arena, wish, &err)) {
		must(err.msg[0] && err.hint[0]);
		must(err.status == MZ_history || err.status == MZ_usage);
		return;
	}
	for (size_t i = 0; i < p->todo_count; i++) {
		size_t at = (size_t)(p->todo[i] - w->migrations);

		must(!last || last < p->todo[i]);
		last = p->todo[i];
		must(at < w->folder.count && !p->rows[at]);
		must(mz_plan_is_pending(p->list[at].state));
	}
	must(wish->allow_modified || p->counts[MZ_MODIFIED] == 0);
	must(wish->allow_missing || p->counts[MZ_MISSING] == 0);
	if (!wish->to)
		must(p->todo_count + p->skipped == mz_plan_pending(p));
}

/* The folder applied to its end, in order, leaves nothing to be done. */
static void check_rest(struct world *w)
{
	struct mz_arena *a = &w->arena;
	struct mz_repairs repairs;
	struct mz_upgrade u;
	struct mz_err err = { 0 };

	mz_repairs_find(&repairs, a, &w->plan);
	must(repairs.count <= 3 * w->plan.listed + w->plan.duplicates + 2);
	must(mz_repairs_newer(&w->plan) <= w->history.count);
	mz_upgrade_match(&u, a, &w->folder, &w->history);
	must(u.unmatched <= w->history.count);
	must(mz_upgrade_agrees(&u, a, &w->history, &err) || err.msg[0]);
	(void)mz_upgrade_is_due(&w->folder, &w->history);
	mz_upgrade_note(&w->plan, a);
}

static void make(struct world *w, struct pgw_view in)
{
	uint8_t first = take_byte(&in);
	size_t migrations = take_byte(&in) % MOST;

	w->folder = (struct mz_folder){ .dir = "drizzle",
					.migrations = w->migrations,
					.layout = first % 3 };
	w->history.rows = w->rows;
	w->history.partials.rows = w->partials;
	w->history.shape = first & 4 ? MZ_SHAPE_COLUMNS_5 : MZ_SHAPE_COLUMNS_3;
	if (first & 8)
		add_partial(w, first);
	for (; in.n >= 3; in.p += 3, in.n -= 3) {
		if (w->folder.count < migrations)
			add_migration(w, in.p);
		else if (w->history.count < MOST)
			add_row(w, in.p);
	}
	if (first & 16)
		add_partial(w, first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w; /* large, and as it was */
	uint8_t how = size > 1 ? data[size - 1] : 0;

	memset(&w, 0, sizeof(w));
	mz_arena_init(&w.arena);
	make(&w, (struct pgw_view){ data, size });
	mz_plan_make(&w.plan, &w.arena, &w.folder, &w.history,
		     &(struct mz_eol){ is_eol, &w });
	check_list(&w);
	check_rows(&w);
	check_choice(&w, &(struct mz_wish){
				 .to = how & 16 && w.folder.count ?
					       w.migrations[0].tag :
					       NULL,
				 .allow_modified = how & 1,
				 .allow_missing = how & 2,
				 .order = (how >> 2) % 4,
			 });
	check_rest(&w);
	mz_arena_release(&w.arena);
	return 0;
}
