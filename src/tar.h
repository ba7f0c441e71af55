/* SPDX-License-Identifier: MIT */
/* Headers of a tar archive (POSIX ustar). */
#ifndef MZ_TAR_H
#define MZ_TAR_H

#include <stdint.h>

#define MZ_TAR_BLOCK 512u

struct mz_tar_entry {
	const char *name; /* at most 100 bytes */
	unsigned mode;
	uint64_t size;	/* bytes, less than 8 GiB */
	uint64_t mtime; /* seconds since 1970, less than 2^33 */
};

/* A plain file of root. */
void mz_tar_header(unsigned char out[MZ_TAR_BLOCK],
		   const struct mz_tar_entry *entry);

/* How many zeros follow a file of that size. */
uint64_t mz_tar_padding(uint64_t size);

#endif
