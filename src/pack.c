/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "pack.h"

#include "file.h"

#include <string.h>
#include <zlib.h>

#define INDEX_MAX ((size_t)64 << 20)

struct packer {
	struct mz_packing *p;
	struct mz_fresh *out;
	struct mz_arena *arena;
	struct mz_err *err;
	struct pgw_sha256 sha;
	struct pgw_buf files, blocks; /* the two lists of the index */
	size_t nblocks;
	unsigned char *block; /* the texts that are not deflated yet */
	size_t filled;
	unsigned char *deflated; /* room for a block */
	size_t room;
};

static void put(struct packer *k, const void *data, size_t n)
{
	pgw_sha256_update(&k->sha, data, n);
	mz_fresh_put(k->out, data, n);
}

static void put_text(struct pgw_buf *b, const char *s)
{
	size_t n = strlen(s);

	if (n > UINT16_MAX)
		b->failed = true;
	pgw_buf_put_u16(b, (uint16_t)n);
	pgw_buf_put(b, s, n);
}

static bool out_of_memory(struct packer *k)
{
	return mz_fail(k->err, MZ_internal, "out of memory");
}

/* What was gathered becomes a block. */
static bool put_block(struct packer *k)
{
	uLongf n = k->room;

	if (k->filled == 0)
		return true;
	if (compress2(k->deflated, &n, k->block, k->filled,
		      Z_BEST_COMPRESSION) != Z_OK)
		return out_of_memory(k);
	put(k, k->deflated, n);
	pgw_buf_put_u32(&k->blocks, (uint32_t)n);
	k->nblocks++;
	k->p->bytes += k->filled;
	k->filled = 0;
	return true;
}

static bool put_contents(struct packer *k, struct mz_file *file)
{
	size_t got;

	do {
		if (!mz_file_take(file, k->block + k->filled,
				  MZ_BUNDLE_BLOCK - k->filled, &got))
			return mz_file_fail(file, k->err);
		k->filled += got;
		if (k->filled == MZ_BUNDLE_BLOCK && !put_block(k))
			return false;
	} while (got > 0);
	return true;
}

static bool put_file(struct packer *k, const char *path)
{
	const struct mz_folder *f = k->p->folder;
	struct mz_file file;
	bool ok;

	if (!mz_file_open_in(&file, f->bundle,
			     mz_printf(k->arena, "%s/%s", f->dir, path)))
		return mz_file_fail(&file, k->err);
	ok = put_contents(k, &file);
	mz_file_close(&file);
	put_text(&k->files, path);
	pgw_buf_put_u32(&k->files, (uint32_t)file.read);
	return ok;
}

static bool put_deflated_index(struct packer *k, const struct pgw_buf *index)
{
	uLongf n = compressBound(index->len);
	unsigned char *deflated = mz_alloc(k->arena, n);
	unsigned char sizes[8];

	if (compress2(deflated, &n, index->data, index->len,
		      Z_BEST_COMPRESSION) != Z_OK)
		return out_of_memory(k);
	put(k, deflated, n);
	for (int i = 0; i < 4; i++) {
		sizes[i] = (unsigned char)(n >> (24 - 8 * i));
		sizes[4 + i] = (unsigned char)(index->len >> (24 - 8 * i));
	}
	put(k, sizes, sizeof(sizes));
	return true;
}

static bool put_index(struct packer *k)
{
	struct pgw_buf index;
	bool ok;

	pgw_buf_init(&index, INDEX_MAX);
	put_text(&index, k->p->name);
	put_text(&index, k->p->schema);
	put_text(&index, k->p->table);
	pgw_buf_put_u32(&index, (uint32_t)k->p->files);
	pgw_buf_put(&index, k->files.data, k->files.len);
	pgw_buf_put_u32(&index, (uint32_t)k->nblocks);
	pgw_buf_put(&index, k->blocks.data, k->blocks.len);
	if (index.failed || k->files.failed || k->blocks.failed)
		ok = mz_fail(k->err, MZ_usage,
			     "the folder has too many files for a bundle");
	else
		ok = put_deflated_index(k, &index);
	pgw_buf_release(&index);
	return ok;
}

static bool put_folder(struct packer *k)
{
	struct mz_contents contents;

	if (!mz_contents_list(&contents, k->arena, k->p->folder, k->err))
		return false;
	k->p->files = contents.count;
	for (size_t i = 0; i < contents.count; i++)
		if (!put_file(k, contents.paths[i]))
			return false;
	return put_block(k) && put_index(k);
}

bool mz_pack(struct mz_packing *p, struct mz_arena *a,
	     const struct mz_program *program, struct mz_fresh *out,
	     struct mz_err *err)
{
	struct packer k = { .p = p, .out = out, .arena = a, .err = err };
	unsigned char mark[MZ_MARK_SIZE];
	bool ok;

	k.room = compressBound(MZ_BUNDLE_BLOCK);
	k.block = mz_alloc(a, MZ_BUNDLE_BLOCK);
	k.deflated = mz_alloc(a, k.room);
	pgw_buf_init(&k.files, INDEX_MAX);
	pgw_buf_init(&k.blocks, INDEX_MAX);
	pgw_sha256_init(&k.sha);
	p->bytes = 0;
	mz_fresh_put(out, program->file.p, program->plain);
	p->payload.at = out->size;
	ok = put_folder(&k);
	p->payload.size = out->size - p->payload.at;
	pgw_sha256_final(&k.sha, p->payload.sha256);
	mz_mark_make(mark, &p->payload);
	mz_fresh_put_at(out, program->mark, mark, sizeof(mark));
	pgw_buf_release(&k.files);
	pgw_buf_release(&k.blocks);
	return ok;
}
