/* SPDX-License-Identifier: MIT */
/* Whole outputs, as they are written. */
#include <config.h>

#include "page.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* A failure as the contract shows it. */
static void fail_sql(struct mz_err *err, struct mz_sql_error *sql)
{
	*sql = (struct mz_sql_error){
		.tag = "0007_add_orders",
		.sqlstate = "42P01",
		.message = "relation \"custmers\" does not exist",
		.source = "  customer_id integer REFERENCES custmers(id)",
	};
	mz_fail(err, MZ_sql,
		"0007_add_orders failed; nothing of it was kept (3 migrations "
		"before it were applied)");
	mz_at(err, "drizzle/0007_add_orders.sql", 12, 34);
	err->sql = sql;
}

#define FAILURE                                                                \
	"error: 0007_add_orders failed; nothing of it was kept (3 migrations " \
	"before it were applied)\n"                                            \
	" --> drizzle/0007_add_orders.sql:12:34\n"                             \
	"   |\n"                                                               \
	"12 |   customer_id integer REFERENCES custmers(id)\n"                 \
	"   |                                  ^\n"                            \
	"   = 42P01: relation \"custmers\" does not exist\n"

START_TEST(a_failed_statement_is_shown_as_the_contract_has_it)
{
	struct mz_sql_error sql;
	struct mz_err err;
	struct page p;

	fail_sql(&err, &sql);
	page_open(&p);
	mz_report_error(&p.r, &err);
	page_is(&p, "", FAILURE);
}

END_TEST

START_TEST(every_line_of_foreign_text_has_its_mark)
{
	struct mz_sql_error sql;
	struct mz_err err;
	struct page p;

	fail_sql(&err, &sql);
	sql.detail = "first\n::error::second";
	sql.hint = "Perhaps \033[2J";
	sql.where = "PL/pgSQL function f() line 3\nSQL statement \"x\"";
	mz_hint(&err, "one\ntwo");
	page_open(&p);
	mz_report_error(&p.r, &err);
	page_is(&p, "",
		FAILURE "   = detail: first\n"
			"   |   ::error::second\n"
			"   = hint: Perhaps \xEF\xBF\xBD[2J\n"
			"   = context: PL/pgSQL function f() line 3\n"
			"   |   SQL statement \"x\"\n"
			"  hint: one\n"
			"  | two\n");
}

END_TEST

START_TEST(github_gets_an_annotation_with_its_escapes)
{
	struct mz_err err;
	struct page p;

	mz_fail(&err, MZ_usage, "100%% wrong:\nyes");
	mz_at(&err, "a,b:c%.sql", 3, 4);
	page_open(&p);
	p.r.github = true;
	mz_report_error(&p.r, &err);
	page_is(&p, "",
		"error: 100% wrong:\n"
		"  | yes\n"
		" --> a,b:c%.sql:3:4\n"
		"::error file=a%2Cb%3Ac%25.sql,line=3,col=4::100%25 "
		"wrong:%0Ayes\n");
}

END_TEST

START_TEST(a_failed_statement_is_one_json_line)
{
	struct mz_sql_error sql;
	struct mz_err err;
	struct page p;

	fail_sql(&err, &sql);
	sql.detail = "\xFF\033";
	page_open(&p);
	p.r.json = true;
	mz_report_error(&p.r, &err);
	mz_report_result(&p.r,
			 &(struct mz_result){ .kind = MZ_RESULT_MIGRATE,
					      .applied = 3,
					      .pending = 2,
					      .us = 41400,
					      .round_trips = 9 },
			 &err);
	page_is(&p,
		"{\"event\":\"error\",\"code\":\"sql\",\"message\":\"relation "
		"\\\"custmers\\\" does not exist\",\"summary\":"
		"\"0007_add_orders failed; nothing of it was kept (3 "
		"migrations before it were applied)\",\"file\":"
		"\"drizzle/0007_add_orders.sql\",\"line\":12,\"column\":34,"
		"\"sqlstate\":\"42P01\",\"tag\":\"0007_add_orders\","
		"\"detail\":\"\xEF\xBF\xBD\\u001B\",\"source\":"
		"\"  customer_id integer REFERENCES custmers(id)\"}\n"
		"{\"event\":\"result\",\"command\":\"migrate\",\"ok\":false,"
		"\"code\":\"sql\",\"applied\":3,\"pending\":2,\"ms\":41,"
		"\"round_trips\":9}\n",
		FAILURE "   = detail: \xEF\xBF\xBD\xEF\xBF\xBD\n");
}

END_TEST

static const struct mz_listed listed[] = {
	{ .tag = "0000_init",
	  .state = MZ_APPLIED,
	  .hash = "ab",
	  .when = 1700000000000,
	  .recorded_hash = "ab",
	  .has_recorded_when = true,
	  .recorded_when = 1700000000000 },
	{ .tag = "0001_\xE6\xBC\xA2",
	  .state = MZ_MODIFIED,
	  .hash = "cd",
	  .when = 1700000001000,
	  .recorded_hash = "ef",
	  .recorded_at = "2024-01-01 00:00:00+00" },
	{ .tag = "0002_a\nb", .state = MZ_OUT_OF_ORDER, .hash = "12" },
	{ .tag = "0003", .state = MZ_PENDING, .hash = "34", .note = "why" },
};

START_TEST(a_list_is_a_table_for_people)
{
	struct mz_result result = { .kind = MZ_RESULT_LISTING };
	struct page p;

	mz_result_count(&result, listed, 4);
	page_open(&p);
	mz_report_listed(&p.r, listed, 4);
	mz_report_result(&p.r, &result, NULL);
	page_is(&p,
		"\xE2\x9C\x93 applied       0000_init  of 2023-11-14 22:13\n"
		"\xE2\x9C\x97 modified      0001_\xE6\xBC\xA2    2024-01-01 "
		"00:00:00+00  the file was changed after it was applied\n"
		"! out-of-order  0002_a b     pending, but older than an "
		"applied one\n"
		"\xE2\x80\xA2 pending       0003         why\n"
		"4 migrations: 1 applied, 1 pending, 1 modified, 1 "
		"out-of-order\n",
		"");
}

END_TEST

START_TEST(a_list_is_json_lines_for_programs)
{
	struct mz_result result = { .kind = MZ_RESULT_LISTING,
				    .round_trips = 4 };
	struct mz_err err = { .status = MZ_pending };
	struct page p;

	mz_result_count(&result, listed, 2);
	page_open(&p);
	p.r.json = true;
	p.r.command = "verify";
	mz_report_listed(&p.r, listed, 2);
	mz_report_error(&p.r, &err);
	mz_report_result(&p.r, &result, &err);
	page_is(&p,
		"{\"event\":\"migration\",\"tag\":\"0000_init\",\"state\":"
		"\"applied\",\"hash\":\"ab\",\"when\":1700000000000,"
		"\"recorded_hash\":\"ab\",\"recorded_at\":null,"
		"\"recorded_when\":1700000000000}\n"
		"{\"event\":\"migration\",\"tag\":\"0001_\xE6\xBC\xA2\","
		"\"state\":\"modified\",\"hash\":\"cd\",\"when\":"
		"1700000001000,\"recorded_hash\":\"ef\",\"recorded_at\":"
		"\"2024-01-01 00:00:00+00\"}\n"
		"{\"event\":\"result\",\"command\":\"verify\",\"ok\":false,"
		"\"code\":\"pending\",\"applied\":1,\"pending\":0,"
		"\"modified\":1,\"eol\":0,\"missing\":0,\"out-of-order\":0,"
		"\"partial\":0,\"round_trips\":4}\n",
		"");
}

END_TEST

static void tell_a_run(struct mz_report *r)
{
	struct mz_listener l = mz_report_listener(r);
	unsigned char fields[] = "SHINWEIS\0VNOTICE\0C42P07\0Mit\nis there";
	struct pgw_diag diag = { { fields, sizeof(fields) } };

	mz_tell(&l, &(struct mz_event){ .kind = MZ_EV_START,
					.file = "drizzle",
					.k = 1,
					.n = 3 });
	mz_tell(&l, &(struct mz_event){ .kind = MZ_EV_WAITING,
					.text = "someone migrates" });
	mz_tell(&l,
		&(struct mz_event){
			.kind = MZ_EV_BEGIN, .tag = "0002_x", .k = 1, .n = 1 });
	mz_tell(&l, &(struct mz_event){ .kind = MZ_EV_NOTICE,
					.tag = "0002_x",
					.diag = &diag });
	mz_tell(&l, &(struct mz_event){ .kind = MZ_EV_STATEMENT,
					.tag = "0002_x",
					.line = 2,
					.text = "SELECT 1",
					.us = 1234 });
	mz_tell(&l, &(struct mz_event){ .kind = MZ_EV_APPLIED,
					.tag = "0002_x",
					.hash = "ab",
					.k = 1,
					.n = 1,
					.statements = 1,
					.us = 61000000 });
	mz_tell(&l, &(struct mz_event){ .kind = MZ_EV_REMARK, .text = "so" });
	mz_report_result(r,
			 &(struct mz_result){ .kind = MZ_RESULT_MIGRATE,
					      .applied = 1,
					      .us = 2400000,
					      .round_trips = 5 },
			 NULL);
}

START_TEST(a_run_is_told_in_plain_lines)
{
	struct page p;

	page_open(&p);
	tell_a_run(&p.r);
	page_is(&p, "applied 1 migration in 2.4 s\n",
		"waiting: someone migrates\n"
		"notice: 0002_x: it\n"
		"  | is there\n"
		"[1/1] 0002_x  1 min 1 s\n"
		"note: so\n");
}

END_TEST

START_TEST(a_verbose_run_names_each_statement)
{
	struct page p;

	page_open(&p);
	p.r.verbose = true;
	tell_a_run(&p.r);
	page_is(&p, "applied 1 migration in 2.4 s\n",
		"1 of 3 migrations of drizzle to be applied\n"
		"waiting: someone migrates\n"
		"notice: 0002_x: it\n"
		"  | is there\n"
		"  line 2: SELECT 1  1.2 ms\n"
		"[1/1] 0002_x  1 min 1 s\n"
		"note: so\n");
}

END_TEST

START_TEST(a_quiet_run_says_how_it_came_out)
{
	struct page p;

	page_open(&p);
	p.r.quiet = true;
	tell_a_run(&p.r);
	page_is(&p, "applied 1 migration in 2.4 s\n", "");
}

END_TEST

START_TEST(a_run_is_told_in_json_lines)
{
	struct page p;

	page_open(&p);
	p.r.json = true;
	p.r.quiet = true;
	tell_a_run(&p.r);
	page_is(&p,
		"{\"event\":\"start\",\"command\":\"migrate\",\"dir\":"
		"\"drizzle\",\"pending\":1,\"total\":3}\n"
		"{\"event\":\"waiting\",\"message\":\"someone migrates\"}\n"
		"{\"event\":\"notice\",\"tag\":\"0002_x\",\"severity\":"
		"\"NOTICE\",\"sqlstate\":\"42P07\",\"message\":"
		"\"it\\nis there\"}\n"
		"{\"event\":\"migration\",\"tag\":\"0002_x\",\"hash\":\"ab\","
		"\"state\":\"applied\",\"statements\":1,\"ms\":61000}\n"
		"{\"event\":\"notice\",\"severity\":\"note\",\"message\":"
		"\"so\"}\n"
		"{\"event\":\"result\",\"command\":\"migrate\",\"ok\":true,"
		"\"applied\":1,\"pending\":0,\"ms\":2400,\"round_trips\":5}\n",
		"");
}

END_TEST

START_TEST(a_progress_line_is_taken_away_before_anything_else)
{
	struct page p;

	page_open(&p);
	p.r.live = true;
	tell_a_run(&p.r);
	page_is(&p, "applied 1 migration in 2.4 s\n",
		"waiting: someone migrates"
		"\r\033[K[1/1] 0002_x"
		"\r\033[Knotice: 0002_x: it\n"
		"  | is there\n"
		"[1/1] 0002_x"
		"\r\033[K[1/1] 0002_x  1 min 1 s\n"
		"note: so\n");
}

END_TEST

/* ---- colours */

static const char *variables[][2] = {
	{ "NO_COLOR", NULL },
	{ "CLICOLOR_FORCE", NULL },
	{ "TERM", "xterm" },
};

static const char *lookup(const char *name)
{
	for (size_t i = 0; i < 3; i++)
		if (strcmp(name, variables[i][0]) == 0)
			return variables[i][1];
	return NULL;
}

START_TEST(colours_are_as_the_option_and_the_environment_say)
{
	static const struct {
		const char *no_color, *force;
		mz_kind_color option;
		bool want;
	} cases[] = {
		{ NULL, NULL, MZ_COLOR_AUTO, false }, /* not a terminal */
		{ NULL, "1", MZ_COLOR_AUTO, true },
		{ NULL, "0", MZ_COLOR_AUTO, false },
		{ "1", "1", MZ_COLOR_AUTO, false },
		{ "", "1", MZ_COLOR_AUTO, true },
		{ "1", NULL, MZ_COLOR_ALWAYS, true },
		{ NULL, "1", MZ_COLOR_NEVER, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mz_options o = { .color = cases[i].option };
		FILE *null = fopen("/dev/null", "w");
		struct mz_report r;
		struct mz_err err;

		ck_assert_ptr_nonnull(null);
		variables[0][1] = cases[i].no_color;
		variables[1][1] = cases[i].force;
		mz_report_init(&r, null, null);
		ck_assert(mz_report_setup(&r, &o, lookup, &err));
		ck_assert(r.color_err == cases[i].want);
		ck_assert(r.color_out == cases[i].want);
		ck_assert(!r.live);
		ck_assert(mz_report_close(&r));
		fclose(null);
	}
}

END_TEST

START_TEST(output_that_is_lost_is_an_error)
{
	FILE *full = fopen("/dev/full", "w");
	struct page p;

	page_open(&p);
	if (!full) {
		page_is(&p, "", "");
		return;
	}
	p.r.out = full;
	mz_report_text(&p.r, "something\n");
	ck_assert(!mz_report_close(&p.r));
	fclose(full);
	fclose(p.fout);
	fclose(p.ferr);
	ck_assert_str_eq(p.err, "error: cannot write the output: No space left "
				"on device\n");
	free(p.out);
	free(p.err);
}

END_TEST

UNIT_MAIN("report", a_failed_statement_is_shown_as_the_contract_has_it,
	  every_line_of_foreign_text_has_its_mark,
	  github_gets_an_annotation_with_its_escapes,
	  a_failed_statement_is_one_json_line, a_list_is_a_table_for_people,
	  a_list_is_json_lines_for_programs, a_run_is_told_in_plain_lines,
	  a_verbose_run_names_each_statement, a_quiet_run_says_how_it_came_out,
	  a_run_is_told_in_json_lines,
	  a_progress_line_is_taken_away_before_anything_else,
	  colours_are_as_the_option_and_the_environment_say,
	  output_that_is_lost_is_an_error)
