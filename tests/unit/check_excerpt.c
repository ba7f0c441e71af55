/* SPDX-License-Identifier: MIT */
/* Foreign text made harmless, and the place in a source. */
#include <config.h>

#include "excerpt.h"
#include "sanitise.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct pgw_view view_n(const char *s, size_t n)
{
	return (struct pgw_view){ (const unsigned char *)s, n };
}

static void check_buf_is(struct pgw_buf *b, const char *want)
{
	pgw_buf_put_u8(b, 0);
	ck_assert_str_eq((const char *)b->data, want);
	pgw_buf_release(b);
}

START_TEST(foreign_text_cannot_control_a_terminal_or_pass_for_ours)
{
	static const char override[] = { '\xE2', '\x80', '\xAE', '\0' };

	static const struct {
		const char *in;
		const char *prefix;
		const char *out;
	} cases[] = {
		{ "plain", "> ", "plain" },
		{ "a\nerror: b\n", "> ", "a\n> error: b" },
		{ "a\r\nb\r\n", "> ", "a\n> b" },
		{ "a\n\n", "> ", "a\n> " },
		{ "a\nb\tc", NULL, "a b c" },
		{ "\033[31mred", "", "\xEF\xBF\xBD[31mred" },
		{ "a\rb", "",
		  "a\xEF\xBF\xBD"
		  "b" },
		{ "\x7F\x08", "", "\xEF\xBF\xBD\xEF\xBF\xBD" },
		{ "\xC2\x9B"
		  "2J",
		  "",
		  "\xEF\xBF\xBD"
		  "2J" },
		{ "\xFF\xC3\xA9", "", "\xEF\xBF\xBD\xC3\xA9" },
		{ "\xC0\xAF", "", "\xEF\xBF\xBD\xEF\xBF\xBD" },
		/* bytes, not a literal that reorders the source */
		{ override, "", "\xEF\xBF\xBD" },
		{ "\xE2\x80\xA8", "", "\xEF\xBF\xBD" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_buf b;

		pgw_buf_init(&b, 1024);
		mz_sanitise(&b, pgw_view_of(cases[i].in), cases[i].prefix);
		check_buf_is(&b, cases[i].out);
	}
}

END_TEST

START_TEST(the_width_is_that_of_what_is_shown)
{
	static const struct {
		const char *in;
		size_t width;
	} cases[] = {
		{ "", 0 },	   { "a\tb", 3 },	  { "a\r\nb\n", 3 },
		{ "a\rb\n\n", 4 }, { "\xE9\x81\xB8", 2 }, { "\x1b[m", 3 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_uint_eq(mz_text_width(pgw_view_of(cases[i].in)),
				  cases[i].width);
}

END_TEST

START_TEST(an_excerpt_shows_the_place)
{
	static const struct {
		size_t line, column, width;
		const char *source;
		const char *want;
	} cases[] = {
		{ 12, 34, 0, "  customer_id integer REFERENCES custmers(id)",
		  " --> f.sql:12:34\n"
		  "   |\n"
		  "12 |   customer_id integer REFERENCES custmers(id)\n"
		  "   |                                  ^\n" },
		{ 7, 1, 0, "x",
		  " --> f.sql:7:1\n"
		  "  |\n"
		  "7 | x\n"
		  "  | ^\n" },
		{ 12345, 2, 0, "xy\r\n",
		  "    --> f.sql:12345:2\n"
		  "      |\n"
		  "12345 | xy\n"
		  "      |  ^\n" },
		/* tabs, a wide character, one byte that is not UTF-8 */
		{ 1, 3, 0, "\t\ta",
		  " --> f.sql:1:3\n"
		  "  |\n"
		  "1 |         a\n"
		  "  |         ^\n" },
		{ 1, 3, 0, "\xE6\xBC\xA2\xFF^",
		  " --> f.sql:1:3\n"
		  "  |\n"
		  "1 | \xE6\xBC\xA2\xEF\xBF\xBD^\n"
		  "  |    ^\n" },
		/* past the end: where something is missing */
		{ 1, 4, 0, "abc",
		  " --> f.sql:1:4\n"
		  "  |\n"
		  "1 | abc\n"
		  "  |    ^\n" },
		/* long lines */
		{ 1, 1, 8, "0123456789abcdef",
		  " --> f.sql:1:1\n"
		  "  |\n"
		  "1 | 01234567\xE2\x80\xA6\n"
		  "  | ^\n" },
		{ 1, 16, 8, "0123456789abcdef",
		  " --> f.sql:1:16\n"
		  "  |\n"
		  "1 | \xE2\x80\xA6"
		  "89abcdef\n"
		  "  |         ^\n" },
		{ 1, 9, 8, "0123456789abcdef",
		  " --> f.sql:1:9\n"
		  "  |\n"
		  "1 | \xE2\x80\xA6"
		  "456789ab\xE2\x80\xA6\n"
		  "  |      ^\n" },
		{ 1, 0, 0, "abc", " --> f.sql:1\n  |\n1 | abc\n" },
		{ 1, 2, 0, NULL, " --> f.sql:1:2\n" },
		{ 0, 0, 0, NULL, " --> f.sql\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mz_excerpt e = { .file = "f.sql",
					.line = cases[i].line,
					.column = cases[i].column,
					.width = cases[i].width,
					.mark = "",
					.unmark = "" };
		struct pgw_buf b;

		if (cases[i].source)
			e.source = pgw_view_of(cases[i].source);
		pgw_buf_init(&b, 4096);
		mz_excerpt(&b, &e);
		check_buf_is(&b, cases[i].want);
	}
}

END_TEST

START_TEST(a_caret_in_a_line_of_hostile_bytes_is_in_bounds)
{
	static const char bytes[] = { '\xE6', '\xBC', '\0', '\t', '\xFF', 'a' };

	for (size_t n = 0; n <= sizeof(bytes); n++) {
		for (size_t column = 0; column < 12; column++) {
			struct mz_excerpt e = { .file = "f",
						.line = 1,
						.column = column,
						.source = view_n(bytes, n),
						.width = 1 + column % 4,
						.mark = "",
						.unmark = "" };
			struct pgw_buf b;

			pgw_buf_init(&b, 4096);
			mz_excerpt(&b, &e);
			ck_assert(!b.failed);
			pgw_buf_release(&b);
		}
	}
}

END_TEST

UNIT_MAIN("excerpt", foreign_text_cannot_control_a_terminal_or_pass_for_ours,
	  the_width_is_that_of_what_is_shown, an_excerpt_shows_the_place,
	  a_caret_in_a_line_of_hostile_bytes_is_in_bounds)
