/* SPDX-License-Identifier: MIT */
/*
 * What the name of a migration says about its place and its time, with the
 * quirks of the JavaScript that Drizzle 1.x is written in.
 */
#ifndef MZ_NAME_H
#define MZ_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Order of String.prototype.localeCompare for names of ASCII and Latin-1;
 * other letters come after those, by code point.  Names that it holds equal
 * are told apart bytewise, so that the order is total.
 */
int mz_name_compare(const char *a, const char *b);

/*
 * Drizzle's Date.UTC of the 14 digits that begin a name, in ms.  Parts that
 * are out of range roll over (month 13 is January).  False where Drizzle gets
 * NaN: a part does not begin with a digit.
 */
bool mz_name_time(const char *name, int64_t *ms);

/*
 * A time for a name of the plain layout: 14 digits in front are YYYYMMDDhhmmss
 * (UTC), 13 are ms and 10 are s since 1970; any other number of up to 9 digits
 * counts as so many seconds, to leave room between neighbours.  False when the
 * name begins with none of these.
 */
bool mz_name_plain_time(const char *name, int64_t *ms);

/* name ends with end, and is longer. */
bool mz_name_ends(const char *name, const char *end);

#endif
