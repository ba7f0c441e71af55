/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "image.h"

#include "hash.h"
#include "tar.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define PIECE (64u << 10)

struct writer {
	struct mz_image *i;
	struct mz_arena *arena;
	struct mz_fresh *out;
	struct pgw_sha256 raw, packed; /* of the layer */
	z_stream z;
	unsigned char room[PIECE];
};

static void to_hex(char out[MZ_DIGEST_LEN + 1], struct pgw_sha256 *h)
{
	unsigned char sha256[PGW_SHA256_LEN];

	pgw_sha256_final(h, sha256);
	mz_hex(out, sha256, sizeof(sha256));
}

/* ---- the archive */

static const unsigned char zeros[2 * MZ_TAR_BLOCK];

static void put_header(struct writer *w, uint64_t at, const char *name,
		       uint64_t size)
{
	struct mz_tar_entry entry = {
		.name = name, .mode = 0644, .size = size, .mtime = w->i->seconds
	};
	unsigned char header[MZ_TAR_BLOCK];

	mz_tar_header(header, &entry);
	mz_fresh_put_at(w->out, at, header, sizeof(header));
}

static void put_text(struct writer *w, const char *name, const char *text)
{
	size_t n = strlen(text);

	put_header(w, w->out->size, name, n);
	w->out->size += MZ_TAR_BLOCK;
	mz_fresh_put(w->out, text, n);
	mz_fresh_put(w->out, zeros, (size_t)mz_tar_padding(n));
}

static const char *blob_path(struct writer *w, const struct mz_blob *b)
{
	return mz_printf(w->arena, "blobs/sha256/%s", b->digest);
}

static void put_blob(struct writer *w, struct mz_blob *b, const char *text)
{
	struct pgw_sha256 h;

	b->size = strlen(text);
	pgw_sha256_init(&h);
	pgw_sha256_update(&h, text, (size_t)b->size);
	to_hex(b->digest, &h);
	put_text(w, blob_path(w, b), text);
}

/* ---- its layer: a tar archive of one file, with gzip */

static bool put_packed(struct writer *w, const void *data, size_t n, int flush)
{
	/* zlib does not write to what it reads, but does not say so */
	memcpy(&w->z.next_in, &data, sizeof(data));
	w->z.avail_in = (uInt)n;
	do {
		size_t some;

		w->z.next_out = w->room;
		w->z.avail_out = sizeof(w->room);
		if (deflate(&w->z, flush) == Z_STREAM_ERROR)
			return false;
		some = sizeof(w->room) - w->z.avail_out;
		pgw_sha256_update(&w->packed, w->room, some);
		mz_fresh_put(w->out, w->room, some);
	} while (w->z.avail_out == 0);
	return true;
}

static bool put_raw(struct writer *w, const void *data, size_t n)
{
	pgw_sha256_update(&w->raw, data, n);
	return put_packed(w, data, n, Z_NO_FLUSH);
}

static bool put_program(struct writer *w, const struct mz_fresh *program)
{
	struct mz_tar_entry entry = { .name = "mizzle",
				      .mode = 0755,
				      .size = program->size,
				      .mtime = w->i->seconds };
	unsigned char piece[PIECE];
	uint64_t at = 0;

	mz_tar_header(piece, &entry);
	if (!put_raw(w, piece, MZ_TAR_BLOCK))
		return false;
	while (at < program->size) {
		ssize_t n = pread(program->fd, piece, sizeof(piece), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		if (!put_raw(w, piece, (size_t)n))
			return false;
		at += (uint64_t)n;
	}
	return put_raw(w, zeros, (size_t)mz_tar_padding(program->size)) &&
	       put_raw(w, zeros, sizeof(zeros)) &&
	       put_packed(w, zeros, 0, Z_FINISH);
}

/* Its header stands before it, and is known behind it. */
static bool put_layer(struct writer *w, const struct mz_fresh *program)
{
	struct mz_blob *layer = &w->i->layer;
	uint64_t header = w->out->size, begin = header + MZ_TAR_BLOCK;
	bool ok;

	if (deflateInit2(&w->z, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS,
			 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	pgw_sha256_init(&w->raw);
	pgw_sha256_init(&w->packed);
	w->out->size = begin;
	ok = put_program(w, program);
	deflateEnd(&w->z);
	layer->size = w->out->size - begin;
	to_hex(w->i->diff_id, &w->raw);
	to_hex(layer->digest, &w->packed);
	put_header(w, header, blob_path(w, layer), layer->size);
	mz_fresh_put(w->out, zeros, (size_t)mz_tar_padding(layer->size));
	return ok;
}

bool mz_image_write(struct mz_image *i, struct mz_arena *a,
		    const struct mz_fresh *program, struct mz_fresh *out,
		    struct mz_err *err)
{
	struct writer *w = mz_alloc(a, sizeof(*w));
	time_t t = (time_t)i->seconds;
	char created[32];
	struct tm tm;

	*w = (struct writer){ .i = i, .arena = a, .out = out };
	if (!gmtime_r(&t, &tm) ||
	    strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return mz_fail(err, MZ_internal, "no time");
	i->created = mz_strdup(a, created);
	if (!put_layer(w, program))
		return mz_fail(err, MZ_internal,
			       "the image's layer cannot be packed");
	put_blob(w, &i->config, mz_image_config(a, i));
	put_blob(w, &i->manifest, mz_image_manifest(a, i));
	put_text(w, "index.json", mz_image_index(a, i));
	put_text(w, "manifest.json", mz_image_docker(a, i));
	put_text(w, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	mz_fresh_put(out, zeros, sizeof(zeros));
	return true;
}
