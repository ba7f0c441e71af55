/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "file.h"
#include "folder.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the index says, a file is as long as that, or cannot be read. */
static void read_one(struct mz_bundle *b, struct mz_arena *a, size_t i)
{
	struct mz_file file;
	struct pgw_buf text;

	pgw_buf_init(&text, 4u << 20);
	if (mz_file_read_in(&file, b,
			    mz_printf(a, "%s/%s", b->dir, b->files[i].path),
			    &text) &&
	    text.len != b->files[i].size)
		abort();
	pgw_buf_release(&text);
}

static void read_all(struct pgw_view payload)
{
	struct mz_bundle b;
	struct mz_arena a;
	struct mz_folder f;
	struct mz_err err;

	mz_arena_init(&a);
	if (mz_bundle_open(&b, &a, payload, &err)) {
		for (size_t i = 0; i < b.count; i++)
			read_one(&b, &a, i);
		if (!mz_folder_load(&f, &a, (struct mz_where){ "x", &b },
				    &err) &&
		    !err.msg[0])
			abort();
	} else if (!err.msg[0] || !err.hint[0]) {
		abort();
	}
	mz_arena_release(&a);
}

/*
 * The first byte says how: a payload as it is, or the inside of one, which no
 * fuzzer finds behind two streams of zlib: an index of so many 16 bytes, and
 * one block.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_buf payload;
	struct pgw_view index, block;
	unsigned char room[8192];
	uLongf n = sizeof(room);

	if (size == 0 || size > 4096)
		return 0;
	if (data[0] == 0) {
		read_all((struct pgw_view){ data + 1, size - 1 });
		return 0;
	}
	index = (struct pgw_view){ data + 1, (size_t)data[0] * 16 };
	if (index.n > size - 1)
		index.n = size - 1;
	block = (struct pgw_view){ index.p + index.n, size - 1 - index.n };
	pgw_buf_init(&payload, sizeof(room) * 2 + 8);
	if (block.n > 0 &&
	    compress2(room, &n, block.p, block.n, Z_BEST_SPEED) == Z_OK)
		pgw_buf_put(&payload, room, n);
	n = sizeof(room);
	if (compress2(room, &n, index.p, index.n, Z_BEST_SPEED) == Z_OK) {
		pgw_buf_put(&payload, room, n);
		pgw_buf_put_u32(&payload, (uint32_t)n);
		pgw_buf_put_u32(&payload, (uint32_t)index.n);
		read_all(pgw_buf_view(&payload));
	}
	pgw_buf_release(&payload);
	return 0;
}
