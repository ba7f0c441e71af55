/* SPDX-License-Identifier: MIT */
/*
 * What is said of a file without a database: findings, dangers, directives.
 * Each stands at a place that the file has.
 */
#include <config.h>

#include "failure.h"
#include "fuzz.h"
#include "inspect.h"
#include "script.h"
#include "statements.h"

static void check_findings(const struct mz_findings *f, struct pgw_view text)
{
	size_t lines = mz_sql_lines(text) + 1, n = 0;

	for (const struct mz_finding *one = f->first; one; one = one->next) {
		must(one->rule && one->rule[0] && one->message[0]);
		must(one->line <= lines && one->column <= text.n + 1);
		must(!one->source.p ||
		     (one->line > 0 &&
		      memmem(text.p, text.n, one->source.p, one->source.n)));
		n++;
	}
	must(n == f->errors + f->warnings);
}

/* What is an error keeps it from being sent, and the other way round. */
static void check_sendable(const struct mz_findings *f,
			   const struct mz_migration *m, struct pgw_view text)
{
	struct mz_folder folder = { .count = 1 };
	struct mz_err err = { 0 };
	bool sound = mz_folder_sendable(&folder, m, text, &err);

	must(sound || (err.msg[0] && err.hint[0] && f->errors > 0));
}

static void check_directives(struct pgw_view text)
{
	struct mz_directives d;

	mz_directives_read(&d, text);
	must(d.unknown.n == 0 ||
	     (d.unknown.p >= text.p &&
	      d.unknown.p + d.unknown.n <= text.p + text.n));
	must(!d.has_lock_timeout ||
	     (d.lock_timeout_ms >= 0 && d.lock_timeout_ms <= INT32_MAX));
	must(!d.has_statement_timeout || (d.statement_timeout_ms >= 0 &&
					  d.statement_timeout_ms <= INT32_MAX));
}

/* Wherever the server says that a statement is wrong, it is in the text. */
static void check_failure(struct mz_arena *a, struct pgw_view text,
			  size_t start, size_t end, struct pgw_view fields)
{
	struct mz_culprit c = { .tag = "t",
				.file = "t.sql",
				.text = text,
				.start = start,
				.end = end };
	struct pgw_diag diag = { fields };
	struct mz_err err = { 0 };
	size_t at = mz_failure_offset(&c, &diag);
	struct pgw_view value;

	must(at >= start && at <= end);
	mz_failure_explain(&err, a, &c, &diag);
	must(err.place.line <= mz_sql_lines(text) + 1 && err.sql);
	(void)mz_failure_row(&diag, &value);
	(void)mz_failure_passes(&diag);
}

static void check_failures(struct mz_arena *a, struct pgw_view text,
			   struct pgw_view fields)
{
	struct mz_statements list;
	struct mz_sql_statement st;
	struct pgw_buf with_end;

	pgw_buf_init(&with_end, 1u << 20);
	pgw_buf_put(&with_end, fields.p, fields.n);
	pgw_buf_put(&with_end, "\0\0", 2);
	mz_statements_init(&list, text);
	while (mz_statements_next(&list, &st))
		check_failure(a, text, st.start, st.end,
			      pgw_buf_view(&with_end));
	pgw_buf_release(&with_end);
}

/* The fields of the server's error, a NUL byte each; at 0xff the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view text = { data, size }, fields = { 0 };
	struct mz_migration m = { .tag = "t", .path = "t.sql" };
	struct mz_findings findings;
	struct mz_arena arena;

	if (size > 4096)
		return 0;
	if (size > 0 && memchr(data, 0xff, size))
		fields = take_part(&text, '\xff');
	mz_arena_init(&arena);
	mz_findings_init(&findings, &arena);
	mz_inspect_script(&m, text, &findings);
	check_findings(&findings, text);
	check_sendable(&findings, &m, text);
	check_directives(text);
	check_failures(&arena, text, fields);
	mz_arena_release(&arena);
	return 0;
}
