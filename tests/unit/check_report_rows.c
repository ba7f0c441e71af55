/* SPDX-License-Identifier: MIT */
/* Results as tables, CSV and JSON; psql is asked in tests/it/exec.py. */
#include <config.h>

#include "report_rows.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

struct output {
	struct mz_report r;
	struct mz_rows rows;
	FILE *out, *err;
	char *text;
	size_t n;
};

static void begin(struct output *o, bool json, bool csv)
{
	o->out = open_memstream(&o->text, &o->n);
	o->err = fopen("/dev/null", "w");
	ck_assert(o->out && o->err);
	mz_report_init(&o->r, o->out, o->err);
	o->r.json = json;
	mz_rows_init(&o->rows, &o->r, csv);
}

/* What was printed; it is the caller's. */
static char *end(struct output *o)
{
	mz_rows_release(&o->rows);
	ck_assert(mz_report_close(&o->r));
	fclose(o->out);
	fclose(o->err);
	return o->text;
}

/* Names, and columns of text but for those that begin with #. */
static void columns(struct output *o, const char *const *names)
{
	struct pgw_columns c = { 0, { NULL, 0 } };
	struct pgw_buf b;

	pgw_buf_init(&b, 1 << 16);
	for (; names[c.n]; c.n++) {
		pgw_buf_put_str(&b, names[c.n]);
		pgw_buf_put(&b, "\0\0\0\0\0", 6);
		pgw_buf_put_u32(&b, names[c.n][0] == '#' ? 23 : 25);
		pgw_buf_put(&b, "\0\0\0\0\0\0\0", 8);
	}
	c.fields = pgw_buf_view(&b);
	mz_rows_begin(&o->rows, &c);
	pgw_buf_release(&b);
}

/* "NULL" is null. */
static void row(struct output *o, const char *const *values)
{
	struct pgw_row r = { 0, { NULL, 0 } };
	struct pgw_buf b;

	pgw_buf_init(&b, 1 << 24);
	for (; values[r.ncols]; r.ncols++) {
		const char *v = values[r.ncols];
		bool null = strcmp(v, "NULL") == 0;

		pgw_buf_put_u32(&b, null ? UINT32_MAX : (uint32_t)strlen(v));
		pgw_buf_put_text(&b, null ? "" : v);
	}
	r.cols = pgw_buf_view(&b);
	mz_rows_add(&o->rows, &r);
	pgw_buf_release(&b);
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(a_table_is_as_wide_as_its_values)
{
	struct output o;
	char *text;

	begin(&o, false, false);
	columns(&o, LIST("#id", "n\nm"));
	row(&o, LIST("1", "two\nthree"));
	row(&o, LIST("1000", "NULL"));
	row(&o, LIST("NULL", "\xff\x1b[31m"));
	mz_rows_end(&o.rows);
	text = end(&o);
	ck_assert_str_eq(text, " #id  |     n    +\n"
			       "      |     m     \n"
			       "------+-----------\n"
			       "    1 | two      +\n"
			       "      | three\n"
			       " 1000 | \n"
			       "      | \xef\xbf\xbd\\x1B[31m\n"
			       "(3 rows)\n\n");
	free(text);
}

END_TEST

/* Who comes late has to fit, or sticks out. */
START_TEST(a_long_table_is_not_kept)
{
	struct output o;
	char *text;

	begin(&o, false, false);
	columns(&o, LIST("a", "b"));
	for (int i = 0; i < 3000; i++) {
		row(&o, LIST(i < 2500 ? "x" : "late", "y"));
		ck_assert_uint_le(o.rows.nheld, 1000);
	}
	ck_assert_uint_eq(o.rows.held.cap, 0);
	mz_rows_end(&o.rows);
	text = end(&o);
	ck_assert_ptr_nonnull(strstr(text, " a | b \n---+---\n x | y\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n late | y\n(3000 rows)\n"));
	free(text);
}

END_TEST

START_TEST(a_table_of_large_values_is_not_kept_either)
{
	static char value[300 << 10];
	struct output o;

	memset(value, 'x', sizeof(value) - 1);
	begin(&o, false, false);
	columns(&o, LIST("a"));
	for (int i = 0; i < 20; i++) {
		row(&o, LIST(value));
		ck_assert_uint_le(o.rows.held.len, 2 << 20);
	}
	mz_rows_end(&o.rows);
	free(end(&o));
}

END_TEST

START_TEST(a_result_that_fails_leaves_no_table)
{
	struct output o;
	char *text;

	begin(&o, false, false);
	columns(&o, LIST("a"));
	row(&o, LIST("x"));
	mz_rows_drop(&o.rows);
	columns(&o, LIST("b"));
	mz_rows_end(&o.rows);
	text = end(&o);
	ck_assert_str_eq(text, " b \n---\n(0 rows)\n\n");
	free(text);
}

END_TEST

START_TEST(csv_quotes_what_needs_it)
{
	struct output o;
	char *text;

	begin(&o, false, true);
	columns(&o, LIST("a,b", "c"));
	row(&o, LIST("NULL", ""));
	row(&o, LIST("a\"b", "l\nm"));
	row(&o, LIST("\\.", "\r"));
	row(&o, LIST(" x ", "'"));
	mz_rows_end(&o.rows);
	text = end(&o);
	ck_assert_str_eq(text, "\"a,b\",c\n,\n\"a\"\"b\",\"l\nm\"\n"
			       "\"\\.\",\"\r\"\n x ,'\n");
	free(text);
}

END_TEST

START_TEST(json_has_every_column_by_a_name_of_its_own)
{
	struct output o;
	char *text;

	begin(&o, true, false);
	columns(&o, LIST("a", "#a", "a_2", "a", ""));
	row(&o, LIST("1", "NULL", "\xff", "x\n\"", "y"));
	mz_rows_end(&o.rows);
	mz_rows_copy(&o.rows, pgw_view_of("1\t2\n"));
	text = end(&o);
	ck_assert_str_eq(
		text,
		"{\"event\":\"columns\",\"columns\":["
		"{\"name\":\"a\",\"type\":25},{\"name\":\"#a\",\"type\":23},"
		"{\"name\":\"a_2\",\"type\":25},{\"name\":\"a\",\"type\":25},"
		"{\"name\":\"\",\"type\":25}]}\n"
		"{\"event\":\"row\",\"row\":{\"a\":\"1\",\"#a\":null,"
		"\"a_2\":\"\xef\xbf\xbd\",\"a_3\":\"x\\n\\\"\",\"\":\"y\"}}\n"
		"{\"event\":\"copy\",\"data\":\"1\\t2\\n\"}\n");
	free(text);
}

END_TEST

START_TEST(a_row_that_does_not_fit_its_columns_is_not_shown)
{
	struct output o;
	char *text;

	begin(&o, false, true);
	row(&o, LIST("x"));
	columns(&o, LIST("a", "b"));
	row(&o, LIST("x"));
	mz_rows_end(&o.rows);
	text = end(&o);
	ck_assert_str_eq(text, "a,b\n");
	free(text);
}

END_TEST

UNIT_MAIN("report_rows", a_table_is_as_wide_as_its_values,
	  a_long_table_is_not_kept, a_table_of_large_values_is_not_kept_either,
	  a_result_that_fails_leaves_no_table, csv_quotes_what_needs_it,
	  json_has_every_column_by_a_name_of_its_own,
	  a_row_that_does_not_fit_its_columns_is_not_shown)
