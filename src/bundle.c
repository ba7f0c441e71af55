/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "bundle.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define TAIL 8u /* the two sizes at the end */
#define INDEX_MAX ((uint32_t)64 << 20)
#define FILES_MAX ((uint32_t)1 << 20)
#define FILE_MIN 6u /* bytes that a file takes in the index */

static bool damaged(const char *what, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "the folder in this bundle cannot be read: %s",
		what);
	return mz_hint(err, "make it again with mizzle bundle");
}

/* The string of a text; NULL and c->bad when there is none. */
static const char *take_text(struct pgw_cur *c, struct mz_arena *a)
{
	struct pgw_view v = pgw_cur_take(c, pgw_cur_u16(c));

	if (c->bad || (v.n > 0 && memchr(v.p, '\0', v.n))) {
		c->bad = true;
		return NULL;
	}
	return mz_strndup(a, v.n > 0 ? (const char *)v.p : "", v.n);
}

/* It stays below the folder: "a/b.sql", not "/a", "a//b" or "../a". */
static bool is_below(const char *path)
{
	for (;;) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') ||
		    (n == 2 && memcmp(path, "..", 2) == 0))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

static int by_path(const void *a, const void *b)
{
	const struct mz_packed *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static bool read_files(struct mz_bundle *b, struct mz_arena *a,
		       struct pgw_cur *c)
{
	uint32_t n = pgw_cur_u32(c);
	struct mz_packed *files;

	if (c->bad || n > FILES_MAX || n > (size_t)(c->end - c->p) / FILE_MIN)
		return false;
	files = mz_alloc_array(a, (size_t)n + 1, sizeof(*files));
	for (uint32_t i = 0; i < n; i++) {
		files[i].path = take_text(c, a);
		files[i].size = pgw_cur_u32(c);
		files[i].at = b->size;
		if (c->bad || !is_below(files[i].path))
			return false;
		b->size += files[i].size;
	}
	if (n > 0)
		qsort(files, n, sizeof(*files), by_path);
	for (uint32_t i = 1; i < n; i++)
		if (strcmp(files[i - 1].path, files[i].path) == 0)
			return false;
	b->files = files;
	b->count = n;
	return true;
}

/* The blocks are all that is before the index, and hold all the texts. */
static bool read_blocks(struct mz_bundle *b, struct mz_arena *a,
			struct pgw_cur *c, struct pgw_view rest)
{
	uint32_t n = pgw_cur_u32(c);
	struct pgw_view *blocks;

	if (c->bad || n != (b->size + MZ_BUNDLE_BLOCK - 1) / MZ_BUNDLE_BLOCK ||
	    n != (size_t)(c->end - c->p) / 4)
		return false;
	blocks = mz_alloc_array(a, (size_t)n + 1, sizeof(*blocks));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = pgw_cur_u32(c);

		if (size > rest.n)
			return false;
		blocks[i] = (struct pgw_view){ rest.p, size };
		rest.p += size;
		rest.n -= size;
	}
	b->blocks = blocks;
	b->nblocks = n;
	return rest.n == 0 && pgw_cur_done(c);
}

static bool read_index(struct mz_bundle *b, struct mz_arena *a,
		       struct pgw_view index, struct pgw_view blocks)
{
	struct pgw_cur c = pgw_cur_of(index);

	b->dir = take_text(&c, a);
	b->schema = take_text(&c, a);
	b->table = take_text(&c, a);
	return !c.bad && b->dir[0] && !strchr(b->dir, '/') &&
	       read_files(b, a, &c) && read_blocks(b, a, &c, blocks);
}

/* All of it, and no more than n bytes. */
static bool inflate_all(struct pgw_view from, unsigned char *to, size_t n)
{
	uLongf got = n;

	return uncompress(to, &got, from.p, from.n) == Z_OK && got == n;
}

static unsigned char *room_for_block(const struct mz_bundle *b,
				     struct mz_arena *a)
{
	return mz_alloc(a, b->size < MZ_BUNDLE_BLOCK ? (size_t)b->size :
						       MZ_BUNDLE_BLOCK);
}

struct mz_bundle mz_bundle_view(const struct mz_bundle *b, struct mz_arena *a)
{
	struct mz_bundle view = *b;

	view.block = room_for_block(b, a);
	view.inflated = 0;
	return view;
}

bool mz_bundle_open(struct mz_bundle *b, struct mz_arena *a,
		    struct pgw_view payload, struct mz_err *err)
{
	struct pgw_view blocks = payload, packed;
	unsigned char *index;
	struct pgw_cur tail;
	uint32_t deflated, size;

	*b = (struct mz_bundle){ 0 };
	if (payload.n < TAIL)
		return damaged("it is too short", err);
	tail = pgw_cur_of(
		(struct pgw_view){ payload.p + payload.n - TAIL, TAIL });
	deflated = pgw_cur_u32(&tail);
	size = pgw_cur_u32(&tail);
	if (deflated > payload.n - TAIL || size > INDEX_MAX)
		return damaged("its index does not fit", err);
	blocks.n = payload.n - TAIL - deflated;
	packed = (struct pgw_view){ payload.p + blocks.n, deflated };
	index = mz_alloc(a, size);
	if (!inflate_all(packed, index, size) ||
	    !read_index(b, a, (struct pgw_view){ index, size }, blocks))
		return damaged("its index is wrong", err);
	b->block = room_for_block(b, a);
	return true;
}

const char *mz_bundle_below(const struct mz_bundle *b, const char *path)
{
	size_t n = strlen(b->dir);

	if (strncmp(path, b->dir, n) != 0)
		return NULL;
	if (!path[n])
		return path + n;
	return path[n] == '/' ? path + n + 1 : NULL;
}

static int compare_path(const void *key, const void *element)
{
	const struct mz_packed *file = element;

	return strcmp(key, file->path);
}

const struct mz_packed *mz_bundle_find(const struct mz_bundle *b,
				       const char *path)
{
	const char *below = mz_bundle_below(b, path);

	if (!below || b->count == 0)
		return NULL;
	return bsearch(below, b->files, b->count, sizeof(*b->files),
		       compare_path);
}

bool mz_bundle_has_dir(const struct mz_bundle *b, const char *below)
{
	size_t n = strlen(below);

	for (size_t i = 0; i < b->count; i++)
		if (n == 0 || (strncmp(b->files[i].path, below, n) == 0 &&
			       b->files[i].path[n] == '/'))
			return true;
	return false;
}

static bool inflate_block(struct mz_bundle *b, size_t i)
{
	uint64_t left = b->size - (uint64_t)i * MZ_BUNDLE_BLOCK;

	if (b->inflated == i + 1)
		return true;
	b->inflated = 0;
	if (!inflate_all(b->blocks[i], b->block,
			 left < MZ_BUNDLE_BLOCK ? (size_t)left :
						  MZ_BUNDLE_BLOCK))
		return false;
	b->inflated = i + 1;
	return true;
}

bool mz_bundle_copy(struct mz_bundle *b, uint64_t at, void *out, size_t n)
{
	unsigned char *to = out;

	while (n > 0) {
		size_t from = (size_t)(at % MZ_BUNDLE_BLOCK);
		size_t some = MZ_BUNDLE_BLOCK - from;

		if (some > n)
			some = n;
		if (!inflate_block(b, (size_t)(at / MZ_BUNDLE_BLOCK)))
			return false;
		memcpy(to, b->block + from, some);
		at += some;
		to += some;
		n -= some;
	}
	return true;
}
