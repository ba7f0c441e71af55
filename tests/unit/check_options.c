/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "options.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define WORDS 8

/* A command line, its NULL included; strings in tests are never written to. */
struct line {
	char text[WORDS][64];
	char *argv[WORDS + 1];
	int argc;
};

static void line_of(struct line *l, const char *const *words)
{
	l->argc = 0;
	strcpy(l->text[l->argc], "mizzle");
	l->argv[l->argc] = l->text[l->argc];
	for (l->argc = 1; words[l->argc - 1]; l->argc++) {
		ck_assert_int_lt(l->argc, WORDS);
		strcpy(l->text[l->argc], words[l->argc - 1]);
		l->argv[l->argc] = l->text[l->argc];
	}
	l->argv[l->argc] = NULL;
}

START_TEST(durations_have_a_unit_or_are_seconds)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1 = refused */
	} cases[] = {
		{ "0", 0 },
		{ "500ms", 500 },
		{ "2s", 2000 },
		{ "5m", 300000 },
		{ "1h", 3600000 },
		{ "30", 30000 },
		{ "596h", 2145600000 },
		{ "2147483647ms", 2147483647 },
		{ "2147483648ms", -1 },
		{ "597h", -1 },
		{ "99999999999999999999", -1 },
		{ "", -1 },
		{ "ms", -1 },
		{ "-1", -1 },
		{ "+1", -1 },
		{ " 1", -1 },
		{ "1 s", -1 },
		{ "1.5s", -1 },
		{ "1d", -1 },
		{ "1S", -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ms = -1;
		bool ok = mz_duration_parse(cases[i].text, &ms);

		ck_assert_msg(ok == (cases[i].ms >= 0), "%s", cases[i].text);
		ck_assert_int_eq(ms, cases[i].ms);
	}
}

END_TEST

START_TEST(a_near_miss_is_recognised_and_a_far_one_is_not)
{
	static const char *const names[] = { "migrate", "up",	 NULL,
					     "status",	"check", "verify" };

	static const struct {
		const char *word, *meant;
	} cases[] = {
		{ "migrat", "migrate" },
		{ "imgrate", "migrate" },
		{ "sttaus", "status" },
		{ "stat", "status" },
		{ "chck", "check" },
		{ "verifi", "verify" },
		{ "pu", "up" },
		{ "x", NULL },
		{ "", NULL },
		{ "deploy", NULL },
		{ "migrations", NULL },
	};

	char huge[4096];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_pstr_eq(mz_nearest(cases[i].word, names, 6),
				  cases[i].meant);
	memset(huge, 'm', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	ck_assert_ptr_null(mz_nearest(huge, names, 6));
}

END_TEST

START_TEST(options_stand_anywhere_in_any_form)
{
	static const char *const lines[][WORDS] = {
		{ "migrate", "--dir=d", "-qv", "--lock-wait=2s" },
		{ "--dir", "d", "-q", "-v", "--lock-wait", "2s", "up" },
		{ "-vq", "--lock-wait", "9s", "migrate", "--dir=d",
		  "--lock-wait=2s" },
		{ "--dir", "d", "--lock-wait", "2s", "-qv", "--", "up" },
	};
	struct mz_arena a;

	mz_arena_init(&a);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct mz_options o;
		struct mz_err err;
		struct line l;

		line_of(&l, lines[i]);
		ck_assert_msg(mz_options_parse(&o, &a, l.argc, l.argv, &err),
			      "%s", err.msg);
		ck_assert_int_eq(o.command, MZ_CMD_migrate);
		ck_assert_str_eq(o.dir, "d");
		ck_assert(o.quiet && o.verbose && !o.json);
		ck_assert_int_eq(o.lock_wait, 2000);
		ck_assert_int_eq(o.from[MZ_OPT_lock_wait], MZ_FROM_OPTION);
		ck_assert_uint_eq(o.nargs, 0);
	}
	mz_arena_release(&a);
}

END_TEST

START_TEST(what_nobody_says_is_the_preset)
{
	static const char *const words[WORDS] = { "migrate" };
	struct mz_arena a;
	struct mz_options o;
	struct mz_err err;
	struct line l;

	mz_arena_init(&a);
	line_of(&l, words);
	ck_assert(mz_options_parse(&o, &a, l.argc, l.argv, &err));
	ck_assert_str_eq(o.dir, "drizzle");
	ck_assert_str_eq(o.schema, "drizzle");
	ck_assert_str_eq(o.table, "__drizzle_migrations");
	ck_assert_int_eq(o.transaction, MZ_TRANSACTION_EACH);
	ck_assert_int_eq(o.out_of_order, MZ_ORDER_AUTO);
	ck_assert_int_eq(o.lock_wait, 300000);
	ck_assert_uint_eq(o.lock_retries, 10);
	ck_assert_ptr_null(o.url);
	ck_assert_int_eq(o.from[MZ_OPT_dir], MZ_FROM_PRESET);
	mz_arena_release(&a);
}

END_TEST

START_TEST(a_wrong_line_is_refused_and_says_what_is_wrong)
{
	static const struct {
		const char *words[WORDS];
		const char *msg, *hint;
	} cases[] = {
		{ { "migrat" },
		  "there is no command 'migrat'",
		  "did you mean 'migrate'?" },
		{ { "frobnicate" },
		  "there is no command 'frobnicate'",
		  "'mizzle --help' lists the commands" },
		{ { "migrate", "--tranaction", "all" },
		  "there is no option '--tranaction'",
		  "did you mean --transaction?" },
		{ { "-x" }, "there is no option '-x'", "" },
		{ { "migrate", "-url=postgres://u:pw@h/d" },
		  "there is no option '-u'",
		  "did you mean --url?" },
		{ { "status", "--ulr=postgres://u:pw@h/d" },
		  "there is no option '--ulr'",
		  "did you mean --url?" },
		{ { "status", "--to", "x" },
		  "--to is not an option of status",
		  "it belongs to migrate, rollback and plan" },
		{ { "migrate", "--transaction=al" },
		  "--transaction: 'al' is not one of each or all",
		  "did you mean all?" },
		{ { "migrate", "--lock-wait=soon" },
		  "--lock-wait: 'soon' is not a duration",
		  "write 500ms, 2s, 5m or 1h; at most 596h; a bare number is "
		  "seconds" },
		{ { "migrate", "--lock-retries=-1" },
		  "--lock-retries: '-1' is not a number from 0 to 4294967295",
		  "" },
		{ { "migrate", "--to" }, "--to needs a value: --to TAG", "" },
		{ { "migrate", "--to", "--json" },
		  "--to needs a value: --to TAG",
		  "" },
		{ { "--json=yes", "status" }, "--json takes no value", "" },
		{ { "--url=", "status" }, "--url is empty", "" },
		{ { "status", "postgres://u:pw@h/d" },
		  "a connection string is not an argument",
		  "it goes behind --url, or into DATABASE_URL" },
		{ { "postgres://u:pw@h/d" },
		  "a connection string is not an argument",
		  "it goes behind --url, or into DATABASE_URL" },
		{ { "status", "now" },
		  "status: unexpected argument 'now'",
		  "usage: mizzle status [OPTIONS]" },
		{ { "status", "--url=a", "--url-file=b" },
		  "--url and --url-file exclude each other",
		  "" },
	};
	struct mz_arena a;

	mz_arena_init(&a);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mz_options o;
		struct mz_err err;
		struct line l;

		line_of(&l, cases[i].words);
		ck_assert(!mz_options_parse(&o, &a, l.argc, l.argv, &err));
		ck_assert_int_eq(err.status, MZ_usage);
		ck_assert_str_eq(err.msg, cases[i].msg);
		ck_assert_str_eq(err.hint, cases[i].hint);
	}
	mz_arena_release(&a);
}

END_TEST

START_TEST(help_asks_for_nothing_else)
{
	static const char *const words[WORDS] = { "status", "--help", "--to",
						  "x" };
	struct mz_arena a;
	struct mz_options o;
	struct mz_err err;
	struct line l;

	mz_arena_init(&a);
	line_of(&l, words);
	ck_assert(mz_options_parse(&o, &a, l.argc, l.argv, &err));
	ck_assert(o.help);
	ck_assert_int_eq(o.command, MZ_CMD_status);
	mz_arena_release(&a);
}

END_TEST

START_TEST(a_stronger_origin_is_not_overridden)
{
	struct mz_options o = { .command = MZ_CMD_none };
	struct mz_err err;

	ck_assert(
		mz_options_set(&o, MZ_OPT_dir, "a", MZ_FROM_ENVIRONMENT, &err));
	ck_assert(mz_options_set(&o, MZ_OPT_dir, "b", MZ_FROM_CONFIG, &err));
	ck_assert_str_eq(o.dir, "a");
	ck_assert(mz_options_set(&o, MZ_OPT_dir, "c", MZ_FROM_OPTION, &err));
	ck_assert_str_eq(o.dir, "c");
	ck_assert(
		!mz_options_set(&o, MZ_OPT_wait, "x", MZ_FROM_ENV_FILE, &err));
	ck_assert_str_eq(err.msg, "MIZZLE_WAIT: 'x' is not a duration");
}

END_TEST

START_TEST(every_option_and_command_is_in_the_help)
{
	struct mz_arena a;
	char name[128];

	mz_arena_init(&a);
	for (int c = MZ_CMD_none + 1; c < MZ_COMMANDS; c++) {
		const char *help = mz_help(&a, (enum mz_command_id)c);

		ck_assert_ptr_nonnull(strstr(mz_help(&a, MZ_CMD_none),
					     mz_command_rows[c].summary));
		for (int i = 0; i < MZ_OPTIONS; i++) {
			const struct mz_option *row = &mz_option_rows[i];
			bool takes = row->commands & (1u << c);

			snprintf(name, sizeof(name), "--%s%s%s ", row->name,
				 row->argument ? " " : "",
				 row->argument ? row->argument : "");
			ck_assert_msg(!!strstr(help, name) == takes, "%s %s",
				      mz_command_rows[c].name, name);
		}
	}
	mz_arena_release(&a);
}

END_TEST

UNIT_MAIN("options", durations_have_a_unit_or_are_seconds,
	  a_near_miss_is_recognised_and_a_far_one_is_not,
	  options_stand_anywhere_in_any_form, what_nobody_says_is_the_preset,
	  a_wrong_line_is_refused_and_says_what_is_wrong,
	  help_asks_for_nothing_else, a_stronger_origin_is_not_overridden,
	  every_option_and_command_is_in_the_help)
