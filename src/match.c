/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "match.h"

#include <string.h>

/* What a row and a migration must have in common to be the same. */
enum {
	HASH = 1,
	WHEN = 2,
	NAME = 4,
	SECOND = 8, /* created_at, where one side has no milliseconds */
};

/* By what the rows are looked up. */
enum key { BY_HASH, BY_NAME, BY_WHEN, BY_SECOND, KEYS };

/* The best evidence first. */
static const struct {
	unsigned evidence;
	enum key key;
} passes[] = {
	{ HASH | WHEN | NAME, BY_HASH },
	{ HASH | WHEN, BY_HASH },
	{ NAME, BY_NAME },
	{ HASH | SECOND, BY_HASH },
	{ HASH, BY_HASH },
	{ WHEN, BY_WHEN },
	{ SECOND, BY_SECOND },
};

/* Rows whose keys share a bucket follow each other in their order. */
struct mz_index {
	size_t *first, *next; /* MZ_UNMATCHED = none; first = NULL: not made */
	size_t mask;
};

/* ---- keys */

static int64_t second(int64_t ms)
{
	return ms - (ms % 1000 + 1000) % 1000;
}

/* FNV-1a */
static uint64_t hash_bytes(const void *p, size_t n)
{
	const unsigned char *at = p;
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < n; i++)
		h = (h ^ at[i]) * UINT64_C(1099511628211);
	return h ^ h >> 32;
}

static uint64_t hash_text(const char *text)
{
	return hash_bytes(text, strlen(text));
}

static uint64_t hash_number(int64_t n)
{
	return hash_bytes(&n, sizeof(n));
}

/* false when the row has no such thing */
static bool key_of(const struct mz_row *row, enum key key, uint64_t *value)
{
	if (key == BY_HASH)
		*value = hash_text(row->hash);
	else if (key == BY_NAME && row->name)
		*value = hash_text(row->name);
	else if (key == BY_WHEN && row->has_when)
		*value = hash_number(row->when);
	else if (key == BY_SECOND && row->has_when)
		*value = hash_number(second(row->when));
	else
		return false;
	return true;
}

static size_t *unmatched(struct mz_arena *a, size_t n)
{
	size_t *array = mz_alloc_array(a, n, sizeof(*array));

	for (size_t i = 0; i < n; i++)
		array[i] = MZ_UNMATCHED;
	return array;
}

static struct mz_index *index_by(struct mz_match *m, enum key key)
{
	struct mz_index *x = &m->indexes[key];
	size_t size = 1;

	if (x->first)
		return x;
	while (size < m->history->count)
		size *= 2;
	x->mask = size - 1;
	x->first = unmatched(m->arena, size);
	x->next = unmatched(m->arena, m->history->count);
	for (size_t j = m->history->count; j-- > 0;) {
		uint64_t value;

		if (!key_of(&m->history->rows[j], key, &value))
			continue;
		x->next[j] = x->first[value & x->mask];
		x->first[value & x->mask] = j;
	}
	return x;
}

/* ---- matching */

static bool same_second(int64_t a, int64_t b)
{
	return second(a) == second(b) && (a == second(a) || b == second(b));
}

static bool has_name(const struct mz_match *m, size_t i,
		     const struct mz_row *row)
{
	return row->name &&
	       (strcmp(row->name, m->names[i]) == 0 ||
		strcmp(row->name, m->folder->migrations[i].tag) == 0);
}

static bool fits(const struct mz_match *m, size_t i, size_t j,
		 unsigned evidence)
{
	const struct mz_migration *mig = &m->folder->migrations[i];
	const struct mz_row *row = &m->history->rows[j];

	if (m->migration_of[j] != MZ_UNMATCHED)
		return false;
	if ((evidence & HASH) && strcmp(row->hash, mig->hash) != 0)
		return false;
	if ((evidence & WHEN) && !(row->has_when && row->when == mig->when))
		return false;
	if ((evidence & SECOND) &&
	    !(row->has_when && same_second(row->when, mig->when)))
		return false;
	if ((evidence & NAME) && !has_name(m, i, row))
		return false;
	/* A time alone is no evidence against two names that differ. */
	return (evidence & (HASH | NAME)) || !row->name || has_name(m, i, row);
}

/* The first that fits at or behind the place of i, else the first of all. */
static size_t look_up(struct mz_match *m, size_t i, unsigned evidence,
		      enum key key, uint64_t value)
{
	const struct mz_index *x = index_by(m, key);
	size_t place = i % m->history->count, before = MZ_UNMATCHED;
	size_t j = x->first[value & x->mask];

	for (; j != MZ_UNMATCHED; j = x->next[j]) {
		if (!fits(m, i, j, evidence))
			continue;
		if (j >= place)
			return j;
		if (before == MZ_UNMATCHED)
			before = j;
	}
	return before;
}

static size_t by_name(struct mz_match *m, size_t i, unsigned evidence)
{
	size_t n = m->history->count, place = i % n;
	const char *tag = m->folder->migrations[i].tag;
	size_t a = look_up(m, i, evidence, BY_NAME, hash_text(m->names[i]));
	size_t b = look_up(m, i, evidence, BY_NAME, hash_text(tag));

	if (a == MZ_UNMATCHED || b == MZ_UNMATCHED)
		return a == MZ_UNMATCHED ? b : a;
	return (a + n - place) % n <= (b + n - place) % n ? a : b;
}

static size_t find(struct mz_match *m, size_t i, unsigned evidence,
		   enum key key)
{
	const struct mz_migration *mig = &m->folder->migrations[i];
	size_t place = i % m->history->count;
	uint64_t value;

	if (fits(m, i, place, evidence)) /* as nearly all do */
		return place;
	if (key == BY_NAME)
		return m->names ? by_name(m, i, evidence) : MZ_UNMATCHED;
	if (key == BY_HASH)
		value = hash_text(mig->hash);
	else
		value = hash_number(key == BY_WHEN ? mig->when :
						     second(mig->when));
	return look_up(m, i, evidence, key, value);
}

static void match_all(struct mz_match *m, unsigned evidence, enum key key)
{
	for (size_t i = 0; i < m->folder->count; i++) {
		size_t j;

		if (m->row_of[i] != MZ_UNMATCHED)
			continue;
		j = find(m, i, evidence, key);
		if (j == MZ_UNMATCHED)
			continue;
		m->row_of[i] = j;
		m->migration_of[j] = i;
	}
}

/* Not for nothing: a name that drizzle-kit would give is put together. */
static void name_all(struct mz_match *m)
{
	const struct mz_folder *f = m->folder;
	size_t named = 0;

	for (size_t j = 0; j < m->history->count; j++)
		named += m->history->rows[j].name != NULL;
	if (named == 0)
		return;
	m->names = mz_alloc_array(m->arena, f->count, sizeof(*m->names));
	for (size_t i = 0; i < f->count; i++)
		m->names[i] = mz_history_name(m->arena, f->layout,
					      &f->migrations[i]);
}

void mz_match_make(struct mz_match *m, struct mz_arena *a,
		   const struct mz_folder *f, const struct mz_history *h)
{
	*m = (struct mz_match){ f, h, a, .row_of = unmatched(a, f->count),
				.migration_of = unmatched(a, h->count) };
	m->indexes = mz_alloc_array(a, KEYS, sizeof(*m->indexes));
	if (h->count == 0)
		return;
	name_all(m);
	for (size_t p = 0; p < sizeof(passes) / sizeof(passes[0]); p++)
		if (m->names || !(passes[p].evidence & NAME))
			match_all(m, passes[p].evidence, passes[p].key);
}

/* ---- duplicates */

static bool records_the_same(const struct mz_row *a, const struct mz_row *b)
{
	return (strcmp(a->hash, b->hash) == 0 && a->has_when == b->has_when &&
		a->when == b->when) ||
	       (a->name && b->name && strcmp(a->name, b->name) == 0);
}

bool mz_match_is_duplicate(struct mz_match *m, const struct mz_row *row)
{
	for (enum key key = BY_HASH; key <= BY_NAME; key++) {
		const struct mz_index *x = index_by(m, key);
		uint64_t value;
		size_t j;

		if (!key_of(row, key, &value))
			continue;
		j = x->first[value & x->mask];
		for (; j != MZ_UNMATCHED; j = x->next[j])
			if (m->migration_of[j] != MZ_UNMATCHED &&
			    records_the_same(&m->history->rows[j], row))
				return true;
	}
	return false;
}
