/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "backend.h"
#include "monitor.h"
#include "unit.h"

#include <string.h>

#define DOTS "\xE2\x80\xA6"

START_TEST(a_span_has_its_two_largest_units)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ -5, "0s" },	    { 0, "0s" },	 { 10, "10s" },
		{ 59, "59s" },	    { 60, "1m" },	 { 90, "1m30s" },
		{ 300, "5m" },	    { 310, "5m10s" },	 { 600, "10m" },
		{ 3599, "59m59s" }, { 3600, "1h" },	 { 3660, "1h1m" },
		{ 36000, "10h" },   { 86399, "23h59m" }, { 86400, "1d" },
		{ 90000, "1d1h" },  { 864000, "10d" },
	};

	char span[MZ_SPAN_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mz_span(span, cases[i].seconds);
		ck_assert_str_eq(span, cases[i].text);
	}
	mz_span(span, INT64_MAX); /* a server may say anything */
}

END_TEST

START_TEST(a_first_line_is_whole_or_has_a_mark)
{
	static const struct {
		const char *text, *line, *bare;
	} cases[] = {
		{ "", "", "" },
		{ " \n\t ", "", "" },
		{ "select 1", "select 1", "select 1" },
		{ "\n  select 1;\n\n", "select 1;", "select 1;" },
		{ "select\n1", "select" DOTS, "select" },
		{ "select\r\n1", "select" DOTS, "select" },
		/* 15 bytes fit, 12 and a mark */
		{ "123456789012345", "123456789012345", "123456789012345" },
		{ "1234567890123456", "123456789012" DOTS, "123456789012" },
		{ "12345678901\xC3\xA9"
		  "4567",
		  "12345678901" DOTS, "12345678901" },
		{ "1234567890\xC3\xA9"
		  "4567",
		  "1234567890\xC3\xA9" DOTS, "1234567890\xC3\xA9" },
		{ "123456789\xF0\x9F\x98\x80"
		  "4567",
		  "123456789" DOTS, "123456789" },
		/* no UTF-8 */
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
		  "\x80\x80\x80",
		  "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80" DOTS,
		  "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80" },
	};
	struct mz_arena a;
	char line[16];

	mz_arena_init(&a);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mz_first_line(line, sizeof(line), pgw_view_of(cases[i].text));
		ck_assert_str_eq(line, cases[i].line);
		ck_assert_str_eq(mz_without_mark(&a, line), cases[i].bare);
	}
	mz_arena_release(&a);
}

END_TEST

START_TEST(a_session_is_named_by_what_is_known_of_it)
{
	static const struct {
		struct mz_backend b;
		const char *text, *sql;
	} cases[] = {
		{ { .pid = 123,
		    .user = "bob",
		    .application = "psql",
		    .type = "client backend",
		    .state = "idle in transaction",
		    .seconds = 300,
		    .xact_seconds = 400,
		    .query = "select ..." },
		  "pid 123, user bob, application psql, idle in transaction "
		  "for 5m: \"select ...\"",
		  "SELECT pg_terminate_backend(123)" },
		{ { .pid = 123,
		    .user = "bob",
		    .application = "",
		    .address = "10.0.0.7",
		    .type = "client backend",
		    .state = "active",
		    .seconds = 2,
		    .xact_seconds = 90,
		    .query = "\n  update t\n set a = 1",
		    .blocked_by = "7,8" },
		  "pid 123, user bob, from 10.0.0.7, active for 2s (its "
		  "transaction for 1m30s), blocked by pid 7,8: \"update t" DOTS
		  "\"",
		  "SELECT pg_cancel_backend(123)" },
		/* one without the right to see it */
		{ { .pid = 9,
		    .user = "app",
		    .application = "web",
		    .seconds = -1,
		    .xact_seconds = -1,
		    .query = "<insufficient privilege>" },
		  "pid 9, user app, application web, doing what this role may "
		  "not see",
		  "SELECT pg_terminate_backend(9)" },
		{ { .pid = 10,
		    .application = "",
		    .type = "autovacuum worker",
		    .state = "active",
		    .seconds = 60,
		    .xact_seconds = 60,
		    .query = "autovacuum: VACUUM public.t" },
		  "pid 10, autovacuum worker, active for 1m: \"autovacuum: "
		  "VACUUM public.t\"",
		  "SELECT pg_cancel_backend(10)" },
		/* gone since */
		{ { .pid = 11, .seconds = -1, .xact_seconds = -1 },
		  "pid 11",
		  "SELECT pg_terminate_backend(11)" },
		{ { .pid = 0 }, "a prepared transaction", NULL },
		{ { .pid = -1 }, "a session without a number", NULL },
	};
	struct mz_arena a;

	mz_arena_init(&a);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mz_remedy r = mz_backend_remedy(&a, &cases[i].b);

		ck_assert_str_eq(mz_backend_text(&a, &cases[i].b),
				 cases[i].text);
		ck_assert_pstr_eq(r.sql, cases[i].sql);
		ck_assert_str_ne(r.effect, "");
	}
	mz_arena_release(&a);
}

END_TEST

/* Columns as they come: a length of four bytes, -1 for a null. */
static void put_column(struct pgw_buf *row, const char *text)
{
	pgw_buf_put_u32(row, text ? (uint32_t)strlen(text) : UINT32_MAX);
	if (text)
		pgw_buf_put_text(row, text);
}

START_TEST(columns_of_a_session_are_read_and_not_believed)
{
	static const char *const good[MZ_BACKEND_NCOLS] = {
		"123",	"bob",	   NULL, "10.0.0.7", "client backend",
		"idle", "2026-..", "12", NULL,	     "select 1",
		"7,8",
	};
	static const char *const bad[MZ_BACKEND_NCOLS] = {
		"12x", NULL, NULL,    NULL, NULL,      NULL,
		NULL,  "-3", "9e999", NULL, "7; drop",
	};
	struct mz_backend b;
	struct pgw_view cols;
	struct mz_arena a;
	struct pgw_buf row;

	mz_arena_init(&a);
	pgw_buf_init(&row, 4096);
	for (size_t i = 0; i < MZ_BACKEND_NCOLS; i++)
		put_column(&row, good[i]);
	cols = pgw_buf_view(&row);
	mz_backend_read(&b, &a, &cols);
	ck_assert_int_eq(b.pid, 123);
	ck_assert_str_eq(b.user, "bob");
	ck_assert_ptr_null(b.application);
	ck_assert_int_eq(b.seconds, 12);
	ck_assert_int_eq(b.xact_seconds, -1);
	ck_assert_str_eq(b.blocked_by, "7,8");

	pgw_buf_release(&row);
	pgw_buf_init(&row, 4096);
	for (size_t i = 0; i < MZ_BACKEND_NCOLS; i++)
		put_column(&row, bad[i]);
	cols = pgw_buf_view(&row);
	mz_backend_read(&b, &a, &cols);
	ck_assert_int_eq(b.pid, -1);
	ck_assert_int_eq(b.seconds, -1);
	ck_assert_int_eq(b.xact_seconds, -1);
	ck_assert_ptr_null(b.blocked_by);

	cols = (struct pgw_view){ row.data, 0 }; /* fewer than there must be */
	mz_backend_read(&b, &a, &cols);
	ck_assert_int_eq(b.pid, -1);
	pgw_buf_release(&row);
	mz_arena_release(&a);
}

END_TEST

START_TEST(a_percentage_is_one_or_is_unknown)
{
	static const struct {
		int64_t done, total;
		int percent;
	} cases[] = {
		{ 0, 0, -1 },
		{ 5, 0, -1 },
		{ -1, 10, -1 },
		{ 0, 10, 0 },
		{ 43, 100, 43 },
		{ 999, 1000, 99 },
		{ 10, 10, 100 },
		{ 11, 10, 100 },
		{ INT64_MAX, INT64_MAX, 100 },
		{ INT64_MAX - 1, INT64_MAX, 100 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(mz_percent(cases[i].done, cases[i].total),
				 cases[i].percent);
}

END_TEST

UNIT_MAIN("backend", a_span_has_its_two_largest_units,
	  a_first_line_is_whole_or_has_a_mark,
	  a_session_is_named_by_what_is_known_of_it,
	  columns_of_a_session_are_read_and_not_believed,
	  a_percentage_is_one_or_is_unknown)
