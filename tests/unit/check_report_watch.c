/* SPDX-License-Identifier: MIT */
/* What people and programs hear of that which takes long. */
#include <config.h>

#include "page.h"
#include "unit.h"

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

UNIT_MAIN("report_watch", a_pipe_hears_of_a_long_statement_every_half_minute,
	  how_far_it_is_is_told_when_it_is_known,
	  a_progress_line_says_which_statement_and_how_far_it_is,
	  a_terminal_says_for_whom_we_wait_in_full_and_then_in_short,
	  who_blocks_us_is_told_in_both_voices)
