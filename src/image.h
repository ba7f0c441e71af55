/* SPDX-License-Identifier: MIT */
/*
 * An image of one program: an OCI image layout in a tar archive, as podman
 * load, skopeo copy oci-archive: and docker load take it.  The same program
 * gives the same bytes.
 */
#ifndef MZ_IMAGE_H
#define MZ_IMAGE_H

#include "fresh.h"
#include "json_image.h"

/*
 * Fill i->architecture from the program's own header.  Fails for one that an
 * image with nothing else in it could not start.
 */
bool mz_image_of_program(struct mz_image *i, struct pgw_view program,
			 const char *path, struct mz_err *err) PGW_MUST_CHECK;

/* NAME or NAME:TAG as registries have it; NAME means NAME:latest. */
bool mz_image_name(struct mz_image *i, struct mz_arena *a, const char *name,
		   struct mz_err *err) PGW_MUST_CHECK;

/*
 * Write it; program is complete.  What cannot be written is told when out is
 * placed.
 */
bool mz_image_write(struct mz_image *i, struct mz_arena *a,
		    const struct mz_fresh *program, struct mz_fresh *out,
		    struct mz_err *err) PGW_MUST_CHECK;

#endif
