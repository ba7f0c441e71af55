/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tar.h"

#include <string.h>

/* Octal digits, and where the field has room for one a NUL. */
static void put_octal(unsigned char *field, size_t digits, uint64_t v)
{
	for (size_t i = digits; i > 0; i--, v >>= 3)
		field[i - 1] = (unsigned char)('0' + (v & 7));
}

void mz_tar_header(unsigned char out[MZ_TAR_BLOCK],
		   const struct mz_tar_entry *entry)
{
	size_t name = strlen(entry->name);
	unsigned sum = 0;

	memset(out, 0, MZ_TAR_BLOCK);
	memcpy(out, entry->name, name < 100 ? name : 100);
	put_octal(out + 100, 7, entry->mode);
	put_octal(out + 108, 7, 0); /* uid */
	put_octal(out + 116, 7, 0); /* gid */
	put_octal(out + 124, 11, entry->size);
	put_octal(out + 136, 11, entry->mtime);
	memset(out + 148, ' ', 8); /* the sum, as it is counted */
	out[156] = '0';		   /* a plain file */
	memcpy(out + 257, "ustar\00000", 8);
	for (size_t i = 0; i < MZ_TAR_BLOCK; i++)
		sum += out[i];
	put_octal(out + 148, 6, sum);
	out[154] = '\0';
}

uint64_t mz_tar_padding(uint64_t size)
{
	return (MZ_TAR_BLOCK - size % MZ_TAR_BLOCK) % MZ_TAR_BLOCK;
}
