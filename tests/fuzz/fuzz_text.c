/* SPDX-License-Identifier: MIT */
/*
 * Foreign text for a terminal: nothing of it controls one, reorders a line, or
 * begins one that could pass for ours; what is harmless stays so.
 */
#include <config.h>

#include "excerpt.h"
#include "fuzz.h"
#include "sanitise.h"

#define PREFIX "  | "

/* No control characters but for line feeds and tabs, nothing that reorders. */
static void check_harmless(struct pgw_view v, bool lines)
{
	while (v.n > 0) {
		uint32_t cp = 0;
		size_t n = pgw_utf8_next(v.p, v.n, &cp);

		must(n > 0);
		must(cp >= 0x20 || (lines && (cp == '\n' || cp == '\t')));
		must(cp < 0x7f || cp > 0x9f);
		must(cp < 0x202a || cp > 0x202e);
		must(cp < 0x2066 || cp > 0x2069);
		must(cp != 0x2028 && cp != 0x2029 && cp != 0x200e);
		v.p += n;
		v.n -= n;
	}
}

static void check_prefixes(struct pgw_view v)
{
	take_part(&v, '\n');
	while (v.n > 0) {
		struct pgw_view line = take_part(&v, '\n');

		must(line.n >= strlen(PREFIX) &&
		     memcmp(line.p, PREFIX, strlen(PREFIX)) == 0);
	}
}

static struct pgw_buf sanitised(struct pgw_view text, const char *prefix)
{
	struct pgw_buf out;

	pgw_buf_init(&out, 1u << 24);
	mz_sanitise(&out, text, prefix);
	must(!out.failed);
	return out;
}

static void check_text(struct pgw_view text)
{
	struct pgw_buf line = sanitised(text, NULL);
	struct pgw_buf lines = sanitised(text, PREFIX);
	struct pgw_buf again = sanitised(pgw_buf_view(&line), NULL);

	check_harmless(pgw_buf_view(&line), false);
	check_harmless(pgw_buf_view(&lines), true);
	check_prefixes(pgw_buf_view(&lines));
	must(same_view(pgw_buf_view(&line), pgw_buf_view(&again)));
	must(mz_text_width(pgw_buf_view(&line)) == mz_text_width(text));
	pgw_buf_release(&line);
	pgw_buf_release(&lines);
	pgw_buf_release(&again);
}

/* A source of one line is one line of four at most, and none is too long. */
static void check_excerpt(struct pgw_view text, size_t column, size_t width)
{
	struct mz_excerpt e = { .file = "a.sql",
				.line = column + 1,
				.column = column,
				.source = text,
				.width = width,
				.mark = "",
				.unmark = "" };
	size_t gutter = mz_excerpt_gutter(e.line) + 3, lines = 0;
	struct pgw_view rest, line;
	struct pgw_buf out;

	pgw_buf_init(&out, 1u << 24);
	mz_excerpt(&out, &e);
	must(!out.failed && out.len > 0 && out.data[out.len - 1] == '\n');
	check_harmless(pgw_buf_view(&out), true);
	rest = pgw_buf_view(&out);
	for (; rest.n > 0; lines++) {
		line = take_part(&rest, '\n');
		/* an ellipsis at either end, and a caret behind the text */
		must(lines != 2 || width == 0 ||
		     mz_text_width(line) <= gutter + width + 2);
	}
	must(lines == (column > 0 ? 4u : 3u));
	pgw_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view text = { data, size }, line;
	size_t column = take_byte(&text), width = take_byte(&text);

	check_text(text);
	line = take_part(&text, '\n');
	if (line.n > 0)
		check_excerpt(line, column, width < 10 ? 0 : width);
	return 0;
}
