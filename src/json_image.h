/* SPDX-License-Identifier: MIT */
/*
 * The documents of an OCI image (image-spec 1.1) with one layer, and the one
 * that docker load asks for beside them.
 */
#ifndef MZ_JSON_IMAGE_H
#define MZ_JSON_IMAGE_H

#include "arena.h"

#define MZ_DIGEST_LEN 64 /* hex digits of a SHA-256 */

struct mz_blob {
	char digest[MZ_DIGEST_LEN + 1];
	uint64_t size;
};

struct mz_image {
	const char *name;	  /* NAME:TAG */
	const char *architecture; /* as Go calls it */
	uint64_t seconds;    /* since 1970: the time of all that is in it */
	const char *created; /* filled: the same in RFC 3339 */
	const char *title;
	const char *const *labels; /* KEY=VALUE */
	size_t nlabels;

	/* Each is needed for those behind it. */
	char diff_id[MZ_DIGEST_LEN + 1]; /* of the layer, unpacked */
	struct mz_blob layer, config, manifest;
};

/* Each is text without line ends; memory comes from a. */
const char *mz_image_config(struct mz_arena *a, const struct mz_image *i);
const char *mz_image_manifest(struct mz_arena *a, const struct mz_image *i);
const char *mz_image_index(struct mz_arena *a, const struct mz_image *i);
const char *mz_image_docker(struct mz_arena *a, const struct mz_image *i);

#endif
