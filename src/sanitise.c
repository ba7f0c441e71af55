/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sanitise.h"

#include <utf8proc.h>

#define REPLACEMENT 0xFFFDu

static bool is_in(uint32_t cp, uint32_t first, uint32_t last)
{
	return cp >= first && cp <= last;
}

static bool is_harmful(uint32_t cp)
{
	return (cp < 0x20 && cp != '\n' && cp != '\t') ||
	       is_in(cp, 0x7F, 0x9F) ||
	       is_in(cp, 0x200E, 0x200F) || /* left-to-right mark, ... */
	       is_in(cp, 0x2028, 0x202E) || /* line ends, overrides */
	       is_in(cp, 0x2066, 0x2069) || /* isolates */
	       cp == 0x061C || cp == 0xFEFF;
}

bool mz_next_char(struct pgw_view *text, uint32_t *cp)
{
	size_t n;

	if (text->n == 0)
		return false;
	n = pgw_utf8_next(text->p, text->n, cp);
	if (n == 0) {
		n = pgw_utf8_bad_length(text->p, text->n);
		*cp = REPLACEMENT;
	} else if (is_harmful(*cp)) {
		*cp = REPLACEMENT;
	}
	text->p += n;
	text->n -= n;
	return true;
}

void mz_put_char(struct pgw_buf *out, uint32_t cp)
{
	unsigned char bytes[4];
	utf8proc_ssize_t n = utf8proc_encode_char((utf8proc_int32_t)cp, bytes);

	if (n > 0)
		pgw_buf_put(out, bytes, (size_t)n);
}

/* The CR of a CRLF is part of a line end, not a character. */
static void skip_cr(struct pgw_view *text)
{
	if (text->n < 2 || text->p[0] != '\r' || text->p[1] != '\n')
		return;
	text->p++;
	text->n--;
}

/* The next that is shown; a line end at the end of the text is not. */
static bool next_shown(struct pgw_view *text, uint32_t *cp)
{
	skip_cr(text);
	return mz_next_char(text, cp) && (*cp != '\n' || text->n > 0);
}

void mz_sanitise(struct pgw_buf *out, struct pgw_view text, const char *prefix)
{
	uint32_t cp;

	while (next_shown(&text, &cp)) {
		if (!prefix && (cp == '\n' || cp == '\t'))
			cp = ' ';
		mz_put_char(out, cp);
		if (cp == '\n')
			pgw_buf_put_text(out, prefix);
	}
}

size_t mz_char_width(uint32_t cp)
{
	int n = utf8proc_charwidth((utf8proc_int32_t)cp);

	return n > 0 ? (size_t)n : 0;
}

size_t mz_text_width(struct pgw_view text)
{
	size_t width = 0;
	uint32_t cp;

	while (next_shown(&text, &cp))
		width += cp == '\n' || cp == '\t' ? 1 : mz_char_width(cp);
	return width;
}
