/* SPDX-License-Identifier: MIT */
/* What a body asks for, and the documents that the server answers with. */
#include <config.h>

#include "json_serve.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct mz_arena arena;
static struct pgw_buf out;

static void begin(void)
{
	mz_arena_init(&arena);
	pgw_buf_init(&out, SIZE_MAX);
}

static void end(void)
{
	pgw_buf_release(&out);
	mz_arena_release(&arena);
}

static bool parse(struct mz_ask *ask, struct pgw_view body, const char **why)
{
	*why = NULL;
	return mz_serve_parse(ask, &arena, body, why);
}

static void refused(struct pgw_view body, const char *part)
{
	struct mz_ask ask;
	const char *why;

	ck_assert_msg(!parse(&ask, body, &why), "%.*s", (int)body.n,
		      (const char *)body.p);
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, part) != NULL, "%s: %s", part, why);
}

START_TEST(nothing_asks_for_nothing)
{
	static const char *const bodies[] = { "", "{}", " {\n} ",
					      ("{\"dry_run\":false,"
					       "\"require_approval\":false}") };

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct mz_ask ask;
		const char *why;

		memset(&ask, 0xFF, sizeof(ask));
		ck_assert(parse(&ask, pgw_view_of(bodies[i]), &why));
		ck_assert(!ask.to && !ask.approve && !ask.tag);
		ck_assert(!ask.dry_run && !ask.require_approval &&
			  !ask.has_transaction);
	}
}

END_TEST

START_TEST(every_option_is_read)
{
	struct mz_ask ask;
	const char *why;

	ck_assert(parse(&ask,
			pgw_view_of("{\"to\":\"0001_\\u00e9\",\"approve\":"
				    "\"0123456789ab\",\"transaction\":\"all\","
				    "\"dry_run\":true,"
				    "\"require_approval\":true}"),
			&why));
	ck_assert_str_eq(ask.to, "0001_\xC3\xA9");
	ck_assert_str_eq(ask.approve, "0123456789ab");
	ck_assert(ask.has_transaction && ask.dry_run && ask.require_approval);
	ck_assert_int_eq(ask.transaction, MZ_TRANSACTION_ALL);
	ck_assert(parse(&ask, pgw_view_of("{\"transaction\":\"each\"}"), &why));
	ck_assert(ask.has_transaction);
	ck_assert_int_eq(ask.transaction, MZ_TRANSACTION_EACH);
}

END_TEST

START_TEST(what_is_no_option_is_refused_by_name)
{
	static const struct {
		const char *body, *part;
	} cases[] = {
		{ "{\"nothing\":1}", "\"nothing\" is not known" },
		{ "{\"TO\":\"x\"}", "\"TO\" is not known" },
		{ "{\"\":\"x\"}", "\"\" is not known" },
		{ "{\"tag\":\"x\"}", "\"tag\" is not known" },
		{ "{\"to\":1}", "\"to\"" },
		{ "{\"to\":null}", "\"to\"" },
		{ "{\"to\":\"\"}", "\"to\"" },
		{ "{\"to\":[\"x\"]}", "\"to\"" },
		{ "{\"to\":true}", "\"to\"" },
		{ "{\"approve\":123456789012}", "\"approve\"" },
		{ "{\"approve\":\"\"}", "\"approve\"" },
		{ "{\"transaction\":\"none\"}", "\"transaction\"" },
		{ "{\"transaction\":\"ALL\"}", "\"transaction\"" },
		{ "{\"transaction\":\"\"}", "\"transaction\"" },
		{ "{\"transaction\":true}", "\"transaction\"" },
		{ "{\"dry_run\":1}", "\"dry_run\"" },
		{ "{\"dry_run\":\"true\"}", "\"dry_run\"" },
		{ "{\"dry_run\":null}", "\"dry_run\"" },
		{ "{\"require_approval\":{}}", "\"require_approval\"" },
		{ "[]", "no JSON object" },
		{ "[{}]", "no JSON object" },
		{ "null", "no JSON" },
		{ "1", "no JSON" },
		{ "\"x\"", "no JSON" },
		{ "{", "no JSON" },
		{ "{}{}", "no JSON" },
		{ "{}x", "no JSON" },
		{ "{} //", "no JSON" },
		{ " ", "no JSON" },
		{ "{\"to\":\"a\",}", "no JSON" },
		{ "{'to':'a'}", "no JSON" },
		{ "{\"to\":\"a\",\"to\":\"b\"}", "no JSON" },
		{ "{\"to\":\"a\\u0000b\"}", "no JSON" },
		{ "{\"\\u0000\":1}", "no JSON" },
		{ "{\"to\":\"\\ud800\"}", "no JSON" },
		{ "{\"to\":\"\xFF\"}", "no JSON" },
		{ "{\"to\":1e999}", "no JSON" },
		{ "{\"to\":99999999999999999999999999}", "no JSON" },
		{ "\xEF\xBB\xBF{}", "no JSON" },
		{ "to=x&dry_run=true", "no JSON" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(pgw_view_of(cases[i].body), cases[i].part);
	refused((struct pgw_view){ (const unsigned char *)"{}\0", 3 },
		"no JSON");
	refused((struct pgw_view){ (const unsigned char *)"\0", 1 }, "no JSON");
}

END_TEST

START_TEST(deep_and_long_bodies_are_refused)
{
	enum { N = 1 << 16 };

	char *body = malloc(N);

	ck_assert_ptr_nonnull(body);
	memset(body, '[', N);
	refused((struct pgw_view){ (unsigned char *)body, N }, "no JSON");
	for (size_t i = 0; i + 6 <= N; i += 6)
		memcpy(body + i, "{\"to\":", 6);
	refused((struct pgw_view){ (unsigned char *)body, N / 6 * 6 },
		"no JSON");
	memset(body, '9', N);
	refused((struct pgw_view){ (unsigned char *)body, N }, "no JSON");
	free(body);
}

END_TEST

/* ---- documents */

static void says(const char *want)
{
	pgw_buf_put_u8(&out, 0);
	ck_assert_str_eq((const char *)out.data, want);
	pgw_buf_drop(&out, out.len);
}

static struct mz_task *task_of(enum mz_task_kind kind, bool ok,
			       const char *lines)
{
	struct mz_task *task = mz_task_new(kind, NULL);

	ck_assert_ptr_nonnull(task);
	task->ok = ok;
	pgw_buf_put_text(&task->lines, lines);
	return task;
}

static void documents(enum mz_task_kind kind, bool ok, const char *lines,
		      const char *want)
{
	struct mz_task *task = task_of(kind, ok, lines);

	mz_serve_document(&out, task);
	mz_task_free(task);
	says(want);
}

#define M(tag, more) "{\"event\":\"migration\",\"tag\":\"" tag "\"" more "}"
#define RESULT "{\"event\":\"result\",\"command\":\"migrate\",\"ok\":true}"

START_TEST(lines_become_one_document)
{
	documents(MZ_TASK_STATUS, true, M("a", "") "\n" M("b", "") "\n" RESULT,
		  "{\"ok\":true,\"migrations\":[" M("a", "") "," M(
			  "b", "") "],\"result\":" RESULT "}");
	documents(MZ_TASK_STATUS, false,
		  "{\"event\":\"error\",\"code\":\"connect\"}\n",
		  "{\"ok\":false,\"migrations\":[],\"error\":{\"event\":"
		  "\"error\",\"code\":\"connect\"}}");
	documents(MZ_TASK_PLAN, true,
		  "{\"event\":\"notice\",\"message\":\"x\"}\n" RESULT "\n",
		  "{\"ok\":true,\"migrations\":[],\"result\":" RESULT
		  ",\"notices\":[{\"event\":\"notice\",\"message\":\"x\"}]}");
	documents(MZ_TASK_MIGRATE, true, RESULT "\n",
		  "{\"ok\":true,\"event\":\"result\",\"command\":\"migrate\","
		  "\"migrations\":[],\"result\":" RESULT "}");
	documents(MZ_TASK_SCRIPT, true,
		  "{\"event\":\"script\",\"tag\":\"a\",\"text\":\"x\"}\n" RESULT
		  "\n",
		  "{\"event\":\"script\",\"tag\":\"a\",\"text\":\"x\","
		  "\"ok\":true}");
	documents(MZ_TASK_SCRIPT, false,
		  "{\"event\":\"error\",\"code\":\"usage\"}\n" RESULT,
		  "{\"ok\":false,\"error\":{\"event\":\"error\",\"code\":"
		  "\"usage\"}}");
}

END_TEST

START_TEST(lines_that_say_nothing_are_left_out)
{
	documents(MZ_TASK_STATUS, false, "",
		  "{\"ok\":false,\"migrations\":[]}");
	documents(MZ_TASK_STATUS, false,
		  "\n\nnonsense\n{\"event\":1}\n[]\n{\"event\":\"start\"}\n"
		  "{\"event\":\"mig",
		  "{\"ok\":false,\"migrations\":[]}");
}

END_TEST

START_TEST(a_refusal_says_why)
{
	mz_serve_refusal(&out, "usage", "it is \"so\"\n", "do\tthat");
	says("{\"ok\":false,\"error\":{\"code\":\"usage\",\"message\":"
	     "\"it is \\\"so\\\"\\n\",\"hint\":\"do\\tthat\"}}");
	mz_serve_refusal(&out, "locked", "x", NULL);
	says("{\"ok\":false,\"error\":{\"code\":\"locked\",\"message\":"
	     "\"x\"}}");
	mz_serve_refusal(&out, "usage", "\xFF\xFE", NULL);
	ck_assert_msg(!memchr(out.data, 0xFF, out.len), "bytes of no text");
}

END_TEST

static const struct mz_served_run run = {
	.number = 3,
	.started = "2026-11-28T15:00:00Z",
	.first_event = 120,
};

START_TEST(a_run_is_told_by_its_number)
{
	mz_serve_run_event(&out, &run);
	says("{\"event\":\"run\",\"run\":3,\"started\":"
	     "\"2026-11-28T15:00:00Z\"}");
	mz_serve_busy(&out, &run);
	says("{\"ok\":false,\"error\":{\"code\":\"locked\",\"message\":"
	     "\"this server is migrating already\",\"hint\":\"its events tell "
	     "how far it is\"},\"running\":{\"run\":3,\"started\":"
	     "\"2026-11-28T15:00:00Z\",\"event_id\":120}}");
}

END_TEST

START_TEST(a_status_has_what_the_process_knows)
{
	struct mz_served_run old = { .number = 1,
				     .started = "a",
				     .ended = "b" };
	const struct mz_served_run *const runs[] = { &old };
	struct mz_serve_state state = { .may_migrate = true };

	pgw_buf_init(&old.result, SIZE_MAX);
	pgw_buf_put_text(&old.result, "{\"ok\":true}");
	pgw_buf_init(&old.error, SIZE_MAX);
	pgw_buf_put_text(&old.error, "not JSON");
	mz_serve_status(&out, pgw_view_of("{\"ok\":true}"), &state);
	says("{\"ok\":true,\"may_migrate\":true,\"running\":null,"
	     "\"runs\":[]}");
	state = (struct mz_serve_state){ .present = &run,
					 .runs = runs,
					 .nruns = 1 };
	mz_serve_status(&out, pgw_view_of("{\"ok\":false}"), &state);
	says("{\"ok\":false,\"may_migrate\":false,\"running\":{\"run\":3,"
	     "\"started\":\"2026-11-28T15:00:00Z\",\"event_id\":120},"
	     "\"runs\":[{\"run\":1,\"started\":\"a\",\"ended\":\"b\","
	     "\"result\":{\"ok\":true},\"error\":null}]}");
	pgw_buf_release(&old.result);
	pgw_buf_release(&old.error);
}

END_TEST

#define S(tag, state) M(tag, ",\"state\":\"" state "\"")

START_TEST(what_was_applied_since_a_look_is_marked)
{
	struct mz_task *task = task_of(
		MZ_TASK_STATUS, true,
		S("a", "applied") "\n" S("b", "pending") "\n" S(
			"c",
			"pending") "\n{\"event\":\"result\",\"applied\":1,\"pending\":2}\n");

	task->result.counts[MZ_APPLIED] = 1;
	task->result.counts[MZ_PENDING] = 2;
	for (int again = 0; again < 2; again++) {
		mz_serve_mark(
			task,
			pgw_view_of(S("a", "applied") "\n" M(
				"b",
				",\"hash\":\"ff\",\"state\":"
				"\"applied\"") "\nnonsense\n" S("c",
								"failed") "\n" S("d",
										 "applied")));
		ck_assert_uint_eq(task->result.counts[MZ_APPLIED], 2);
		ck_assert_uint_eq(task->result.counts[MZ_PENDING], 1);
	}
	mz_serve_document(&out, task);
	pgw_buf_put_u8(&out, 0);
	ck_assert_ptr_nonnull(
		strstr((const char *)out.data,
		       S("a", "applied") "," M(
			       "b",
			       ",\"state\":\"applied\","
			       "\"recorded_hash\":\"ff\"") "," S("c",
								 "pending")));
	ck_assert_ptr_nonnull(
		strstr((const char *)out.data, "\"applied\":2,\"pending\":1"));
	mz_task_free(task);
}

END_TEST

UNIT_MAIN_WITH("json_serve", begin, end, nothing_asks_for_nothing,
	       every_option_is_read, what_is_no_option_is_refused_by_name,
	       deep_and_long_bodies_are_refused, lines_become_one_document,
	       lines_that_say_nothing_are_left_out, a_refusal_says_why,
	       a_run_is_told_by_its_number, a_status_has_what_the_process_knows,
	       what_was_applied_since_a_look_is_marked)
