/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "excerpt.h"
#include "report.h"
#include "sanitise.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* ---- sanitising and excerpts */

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

/* ---- whole outputs */

struct page {
	struct mz_report r;
	char *out, *err;
	size_t nout, nerr;
	FILE *fout, *ferr;
};

static void page_open(struct page *p)
{
	*p = (struct page){ .out = NULL };
	p->fout = open_memstream(&p->out, &p->nout);
	p->ferr = open_memstream(&p->err, &p->nerr);
	ck_assert(p->fout && p->ferr);
	mz_report_init(&p->r, p->fout, p->ferr);
	p->r.command = "migrate";
}

static void page_is(struct page *p, const char *out, const char *err)
{
	ck_assert(mz_report_close(&p->r));
	fclose(p->fout);
	fclose(p->ferr);
	ck_assert_str_eq(p->out, out);
	ck_assert_str_eq(p->err, err);
	free(p->out);
	free(p->err);
}

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
		"\"detail\":\"\xEF\xBF\xBD\\u001B\"}\n"
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

/* ---- what takes long */

static struct mz_running a_long_one(void)
{
	return (struct mz_running){
		.tag = "0002_\033",
		.k = 2,
		.n = 3,
		.statement = 2,
		.statements = 4,
		.line = 12,
		.head = "CREATE INDEX i ON t (a)",
		.us = 90000000,
		.percent = -1,
	};
}

static void tell_running(struct mz_report *r, const struct mz_running *run)
{
	struct mz_listener l = mz_report_listener(r);

	mz_tell(&l,
		&(struct mz_event){ .kind = MZ_EV_PROGRESS, .running = run });
}

START_TEST(a_pipe_hears_of_a_long_statement_every_half_minute)
{
	static const struct {
		int64_t us;
		const char *said; /* NULL = nothing */
	} cases[] = {
		{ 100000, NULL },
		{ 29999999, NULL },
		{ 30100000, "30s" },
		{ 30200000, NULL },
		{ 59900000, NULL },
		{ 60000000, "1m" },
		{ 190000000, "3m10s" },
		{ 200000000, NULL },
		/* another statement */
		{ 100000, NULL },
		{ 30000000, "30s" },
	};
	struct mz_running run = a_long_one();
	struct page p;
	struct pgw_buf want;

	pgw_buf_init(&want, 4096);
	page_open(&p);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run.us = cases[i].us;
		tell_running(&p.r, &run);
		if (!cases[i].said)
			continue;
		pgw_buf_put_text(&want,
				 "still running: 0002_\xEF\xBF\xBD, line "
				 "12: CREATE INDEX i ON t (a), ");
		pgw_buf_put_text(&want, cases[i].said);
		pgw_buf_put_text(&want, "\n");
	}
	pgw_buf_put_u8(&want, 0);
	page_is(&p, "", (const char *)want.data);
	pgw_buf_release(&want);
}

END_TEST

START_TEST(how_far_it_is_is_told_when_it_is_known)
{
	struct mz_running run = a_long_one();
	struct page p;

	run.phase = "building index: scanning table";
	run.percent = 43;
	page_open(&p);
	p.r.json = true;
	tell_running(&p.r, &run);
	run.us = 120000000;
	run.phase = NULL;
	run.percent = -1;
	run.blocker = 77;
	tell_running(&p.r, &run);
	page_is(&p,
		"{\"event\":\"progress\",\"tag\":\"0002_\\u001B\","
		"\"statement\":2,\"statements\":4,\"line\":12,\"text\":"
		"\"CREATE INDEX i ON t (a)\",\"ms\":90000,\"phase\":"
		"\"building index: scanning table\",\"percent\":43}\n"
		"{\"event\":\"progress\",\"tag\":\"0002_\\u001B\","
		"\"statement\":2,\"statements\":4,\"line\":12,\"text\":"
		"\"CREATE INDEX i ON t (a)\",\"ms\":120000,\"phase\":null,"
		"\"blocked_by\":77}\n",
		"still running: 0002_\xEF\xBF\xBD, line 12: CREATE INDEX i ON t "
		"(a), 1m30s, building index: scanning table 43 %\n"
		"still running: 0002_\xEF\xBF\xBD, line 12: CREATE INDEX i ON t "
		"(a), 2m, blocked by pid 77\n");
}

END_TEST

START_TEST(a_progress_line_says_which_statement_and_how_far_it_is)
{
	struct mz_running run = a_long_one();
	struct mz_listener l;
	struct page p;

	page_open(&p);
	p.r.live = true;
	l = mz_report_listener(&p.r);
	mz_tell(&l, &(struct mz_event){ .kind = MZ_EV_BEGIN,
					.tag = "0002_x",
					.k = 2,
					.n = 3,
					.statements = 4 });
	run.phase = "building\033";
	run.percent = 43;
	tell_running(&p.r, &run);
	run.phase = NULL;
	run.percent = -1;
	run.blocker = 77;
	tell_running(&p.r, &run);
	page_is(&p, "",
		"[2/3] 0002_x  statement 1 of 4"
		"\r\033[K[2/3] 0002_x  statement 2 of 4  building\xEF\xBF\xBD "
		"43 %"
		"\r\033[K[2/3] 0002_x  statement 2 of 4  blocked by pid 77"
		"\r\033[K");
}

END_TEST

START_TEST(a_terminal_says_for_whom_we_wait_in_full_and_then_in_short)
{
	static const struct mz_backend b = { .pid = 7, .blocked_by = "8,9" };
	struct mz_event e = { .kind = MZ_EV_WAITING,
			      .text = "pid 7, \033, and all of the rest",
			      .backend = &b };
	struct mz_listener l;
	struct page p;

	page_open(&p);
	p.r.live = true;
	l = mz_report_listener(&p.r);
	mz_tell(&l, &e);
	e.kind = MZ_EV_STILL;
	mz_tell(&l, &e);
	page_is(&p, "",
		"waiting: pid 7, \xEF\xBF\xBD, and all of the rest\n"
		"waiting for pid 7, which is blocked by pid 8,9"
		"\r\033[Kwaiting for pid 7, which is blocked by pid 8,9"
		"\r\033[K");
}

END_TEST

static void tell_blocked(struct mz_report *r)
{
	static const struct mz_backend b = {
		.pid = 123,
		.user = "bob",
		.application = "psql",
		.state = "idle in transaction",
		.since = "2026-11-28T11:30:00Z",
		.seconds = 300,
		.query = "select 1\nfrom t",
		.blocked_by = "7,8",
	};
	struct mz_listener l = mz_report_listener(r);

	mz_tell(&l, &(struct mz_event){ .kind = MZ_EV_BLOCKED,
					.tag = "0002_x",
					.text = "pid 123, user b\nob",
					.backend = &b });
	mz_tell(&l,
		&(struct mz_event){ .kind = MZ_EV_UNBLOCKED, .tag = "0002_x" });
}

START_TEST(who_blocks_us_is_told_in_both_voices)
{
	struct page p;

	page_open(&p);
	p.r.json = true;
	tell_blocked(&p.r);
	page_is(&p,
		"{\"event\":\"blocked\",\"tag\":\"0002_x\",\"pid\":123,"
		"\"user\":\"bob\",\"application\":\"psql\",\"address\":null,"
		"\"type\":null,\"state\":\"idle in transaction\",\"since\":"
		"\"2026-11-28T11:30:00Z\",\"query\":\"select 1\\nfrom t\","
		"\"blocked_by\":[7,8]}\n"
		"{\"event\":\"unblocked\",\"tag\":\"0002_x\"}\n",
		"blocked: pid 123, user b\n"
		"  | ob\n"
		"no longer blocked\n");
	page_open(&p);
	p.r.quiet = true;
	tell_blocked(&p.r);
	page_is(&p, "", "");
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

UNIT_MAIN("report", foreign_text_cannot_control_a_terminal_or_pass_for_ours,
	  an_excerpt_shows_the_place,
	  a_caret_in_a_line_of_hostile_bytes_is_in_bounds,
	  a_failed_statement_is_shown_as_the_contract_has_it,
	  every_line_of_foreign_text_has_its_mark,
	  github_gets_an_annotation_with_its_escapes,
	  a_failed_statement_is_one_json_line, a_list_is_a_table_for_people,
	  a_list_is_json_lines_for_programs, a_run_is_told_in_plain_lines,
	  a_verbose_run_names_each_statement, a_quiet_run_says_how_it_came_out,
	  a_run_is_told_in_json_lines,
	  a_progress_line_is_taken_away_before_anything_else,
	  a_pipe_hears_of_a_long_statement_every_half_minute,
	  how_far_it_is_is_told_when_it_is_known,
	  a_progress_line_says_which_statement_and_how_far_it_is,
	  a_terminal_says_for_whom_we_wait_in_full_and_then_in_short,
	  who_blocks_us_is_told_in_both_voices,
	  colours_are_as_the_option_and_the_environment_say,
	  output_that_is_lost_is_an_error)
