/* SPDX-License-Identifier: MIT */
/*
 * Foreign text for a terminal or a log: what the server says, what files hold,
 * what they are called.  Control characters (C0 but for line feed and tab, DEL,
 * C1), characters that reorder or break lines, and bytes that are not UTF-8
 * become U+FFFD.
 */
#ifndef MZ_SANITISE_H
#define MZ_SANITISE_H

#include "pgw.h"

/*
 * Append text.  Every line after the first begins with prefix; a line end at
 * the end of the text is dropped, as is the CR of CRLF.  With prefix NULL line
 * ends and tabs become blanks.
 */
void mz_sanitise(struct pgw_buf *out, struct pgw_view text, const char *prefix);

/* The columns that one code point takes on a terminal. */
size_t mz_char_width(uint32_t cp);

/* The columns of text once it is made harmless, on one line. */
size_t mz_text_width(struct pgw_view text);

/*
 * Take the next character off the front of text; what is not UTF-8 or must not
 * be shown is U+FFFD.  False at the end.
 */
bool mz_next_char(struct pgw_view *text, uint32_t *cp);

/* Append one code point as UTF-8. */
void mz_put_char(struct pgw_buf *out, uint32_t cp);

#endif
