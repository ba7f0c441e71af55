/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sql.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text;
	size_t at, line, column;
} places[] = {
	{ "", 0, 1, 1 },
	{ "", 9, 1, 1 },
	{ "abc", 0, 1, 1 },
	{ "abc", 2, 1, 3 },
	{ "abc", 3, 1, 4 },
	{ "abc", 99, 1, 4 },
	{ "a\nb", 1, 1, 2 },
	{ "a\nb", 2, 2, 1 },
	{ "a\r\nb", 1, 1, 2 },
	{ "a\r\nb", 2, 1, 3 },
	{ "a\r\nb", 3, 2, 1 },
	{ "a\r\n\r\nbc", 6, 3, 2 },
	{ "a\rb", 2, 1, 3 },
	{ "\n\n", 2, 3, 1 },
	{ "\xef\xbb\xbfx", 3, 1, 2 },
	{ "\xc3\xa9x", 2, 1, 2 },
	{ "\xc3\xa9x", 1, 1, 1 }, /* inside of a character */
	{ "\xe2\x82\xac\xf0\x9f\x98\x80x", 7, 1, 3 },
	{ "\xff\xc3x", 2, 1, 3 },
	{ "\xc3\xa9\n\xc3\xa9x", 5, 2, 2 },
	{ "\t\tx", 2, 1, 3 },
};

START_TEST(a_byte_has_a_line_and_a_column)
{
	for (size_t i = 0; i < COUNT(places); i++) {
		size_t line, column;

		mz_sql_place(pgw_view_of(places[i].text), places[i].at, &line,
			     &column);
		ck_assert_msg(line == places[i].line &&
				      column == places[i].column,
			      "row %zu: %zu:%zu", i, line, column);
	}
}

END_TEST

static const struct {
	const char *text;
	size_t position, offset;
} offsets[] = {
	{ "", 0, 0 },
	{ "", 1, 0 },
	{ "", 5, 0 },
	{ "abc", 0, 0 },
	{ "abc", 1, 0 },
	{ "abc", 3, 2 },
	{ "abc", 4, 3 },
	{ "abc", 99, 3 },
	{ "a\r\nb", 4, 3 },
	{ "\xef\xbb\xbfx", 2, 3 },
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80x", 2, 2 },
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80x", 4, 9 },
	{ "\xff\xfex", 3, 2 },
	{ "\xe2\x82", 2, 1 },
};

START_TEST(a_position_of_the_server_is_a_byte)
{
	for (size_t i = 0; i < COUNT(offsets); i++)
		ck_assert_msg(mz_sql_offset(pgw_view_of(offsets[i].text),
					    offsets[i].position) ==
				      offsets[i].offset,
			      "row %zu", i);
}

END_TEST

UNIT_MAIN("sql_place", a_byte_has_a_line_and_a_column,
	  a_position_of_the_server_is_a_byte)
