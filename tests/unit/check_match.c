/* SPDX-License-Identifier: MIT */
/* Beside check_plan.c's cases: what is looked up is what looking at all finds.
 */
#include <config.h>

#include "match.h"
#include "unit.h"

#include <string.h>

enum { MOST = 9, TURNS = 60000 };

struct turn {
	struct mz_folder folder;
	struct mz_history history;
	struct mz_migration migrations[MOST];
	struct mz_row rows[MOST];
};

/* xorshift: the same each time */
static unsigned random_below(unsigned n)
{
	static uint32_t x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

/* Few different ones, so that much is equal. */
static int64_t some_time(void)
{
	return (int64_t)(random_below(3) * 1000 + random_below(2) * 7) - 1000;
}

static const char *some_name(void)
{
	static const char *const names[] = {
		"0_a",
		"0_b",
		"19700101000001_a",
		"19691231235959_b",
		"19700101000000_a",
	};

	return names[random_below(sizeof(names) / sizeof(names[0]))];
}

static void make(struct turn *t)
{
	bool named = random_below(2);

	*t = (struct turn){ 0 };
	t->folder.migrations = t->migrations;
	t->folder.layout = (enum mz_layout)random_below(3);
	t->folder.count = random_below(MOST + 1);
	t->history.rows = t->rows;
	t->history.count = random_below(MOST + 1);
	for (size_t i = 0; i < t->folder.count; i++) {
		t->migrations[i].tag = some_name();
		t->migrations[i].when = some_time();
		t->migrations[i].hash[0] = (char)('A' + random_below(4));
	}
	for (size_t j = 0; j < t->history.count; j++) {
		static const char *const hashes[] = { "A", "B", "C", "D", "" };
		struct mz_row *row = &t->rows[j];

		row->hash = hashes[random_below(5)];
		row->has_when = random_below(4) > 0;
		row->when = row->has_when ? some_time() : 0;
		row->name = named && random_below(3) ? some_name() : NULL;
	}
}

/* ---- the plain way */

struct plain {
	size_t row_of[MOST], migration_of[MOST];
};

static int64_t whole(int64_t ms)
{
	int64_t rest = ms % 1000;

	return ms - (rest < 0 ? rest + 1000 : rest);
}

static bool named_alike(const struct mz_match *m, size_t i,
			const struct mz_row *row)
{
	struct mz_arena a;
	bool is;

	if (!row->name)
		return false;
	mz_arena_init(&a);
	is = strcmp(row->name, m->folder->migrations[i].tag) == 0 ||
	     strcmp(row->name, mz_history_name(&a, m->folder->layout,
					       &m->folder->migrations[i])) == 0;
	mz_arena_release(&a);
	return is;
}

static bool is_evident(const struct mz_match *m, size_t i, size_t j, int pass)
{
	const struct mz_migration *mig = &m->folder->migrations[i];
	const struct mz_row *row = &m->history->rows[j];
	bool hash = strcmp(row->hash, mig->hash) == 0;
	bool when = row->has_when && row->when == mig->when;
	bool second = row->has_when && whole(row->when) == whole(mig->when) &&
		      (whole(row->when) == row->when ||
		       whole(mig->when) == mig->when);
	bool name = named_alike(m, i, row), silent = !row->name || name;
	const bool fits[] = {
		hash && when && name, hash && when, name,
		hash && second,	      hash,	    when && silent,
		second && silent
	};

	return fits[pass];
}

static void plainly(const struct mz_match *m, struct plain *p)
{
	size_t n = m->history->count;

	memset(p, 0xff, sizeof(*p));
	for (int pass = 0; pass < 7; pass++)
		for (size_t i = 0; i < m->folder->count; i++)
			for (size_t k = 0;
			     k < n && p->row_of[i] == MZ_UNMATCHED; k++) {
				size_t j = (i + k) % n;

				if (p->migration_of[j] != MZ_UNMATCHED ||
				    !is_evident(m, i, j, pass))
					continue;
				p->row_of[i] = j;
				p->migration_of[j] = i;
			}
}

static bool is_plainly_a_duplicate(const struct mz_match *m, size_t at)
{
	const struct mz_row *row = &m->history->rows[at];

	for (size_t j = 0; j < m->history->count; j++) {
		const struct mz_row *other = &m->history->rows[j];

		if (m->migration_of[j] == MZ_UNMATCHED)
			continue;
		if ((strcmp(other->hash, row->hash) == 0 &&
		     other->has_when == row->has_when &&
		     other->when == row->when) ||
		    (other->name && row->name &&
		     strcmp(other->name, row->name) == 0))
			return true;
	}
	return false;
}

START_TEST(looking_up_finds_what_looking_at_every_row_finds)
{
	for (int turn = 0; turn < TURNS; turn++) {
		static struct turn t;
		struct mz_match m;
		struct mz_arena a;
		struct plain p;

		make(&t);
		mz_arena_init(&a);
		mz_match_make(&m, &a, &t.folder, &t.history);
		plainly(&m, &p);
		for (size_t i = 0; i < t.folder.count; i++)
			ck_assert_msg(m.row_of[i] == p.row_of[i],
				      "turn %d: migration %zu", turn, i);
		for (size_t j = 0; j < t.history.count; j++) {
			ck_assert_msg(m.migration_of[j] == p.migration_of[j],
				      "turn %d: row %zu", turn, j);
			ck_assert_msg(mz_match_is_duplicate(&m, &t.rows[j]) ==
					      is_plainly_a_duplicate(&m, j),
				      "turn %d: duplicate %zu", turn, j);
		}
		mz_arena_release(&a);
	}
}

END_TEST

UNIT_MAIN("match", looking_up_finds_what_looking_at_every_row_finds)
