/* SPDX-License-Identifier: MIT */
/*
 * Drizzle's hash, piece by piece: SHA-256 of the text after UTF-8 decoding, in
 * which every maximal ill-formed subpart is U+FFFD (EF BF BD).  For valid
 * UTF-8 that is the SHA-256 of the bytes.
 */
#ifndef MZ_HASH_H
#define MZ_HASH_H

#include "pgw.h"

#define MZ_HASH_LEN 64 /* hex digits of a SHA-256 */

/* n bytes as 2 n hex digits in small letters, and a NUL. */
void mz_hex(char *out, const unsigned char *bytes, size_t n);

struct mz_hasher {
	struct pgw_sha256 sha;
	bool utf8; /* nothing was ill-formed so far */
};

void mz_hasher_init(struct mz_hasher *h);

/*
 * Gives how many bytes of v were used: fewer than all only when last is false
 * and the up to three bytes left may be the start of a code point.  They must
 * come again, in front of what follows.
 */
size_t mz_hasher_feed(struct mz_hasher *h, struct pgw_view v, bool last);

void mz_hasher_final(struct mz_hasher *h, char out[MZ_HASH_LEN + 1]);

/* Of a whole text. */
void mz_folder_hash(struct pgw_view text, char out[MZ_HASH_LEN + 1]);

/*
 * Whether a hash is that of a text with every LF and CRLF made LF, or made
 * CRLF; a CR on its own is left alone, as Git leaves it.  The text comes in
 * pieces, each of whole lines but for the last.
 */
struct mz_eol_hasher {
	struct mz_hasher lf, crlf;
};

void mz_eol_hasher_init(struct mz_eol_hasher *h);
void mz_eol_hasher_feed(struct mz_eol_hasher *h, struct pgw_view lines);
bool mz_eol_hasher_is(struct mz_eol_hasher *h, const char *hash);

#endif
