/* SPDX-License-Identifier: MIT */
/*
 * A command line, an argument a line.  What is refused is explained; what is
 * taken is within its bounds, and belongs to the command.
 */
#include <config.h>

#include "fuzz.h"
#include "options.h"

#define ARGS_MAX 100

static void check_counts(const struct mz_options *o)
{
	const struct mz_command_row *row = &mz_command_rows[o->command];

	must(o->command == MZ_CMD_none || o->help || o->version ||
	     (o->nargs >= row->least && o->nargs <= row->most));
	for (size_t i = 0; i < o->nargs; i++)
		must(o->args[i] != NULL);
}

/* Nothing was given that the command does not take. */
static void check_origins(const struct mz_options *o)
{
	bool all = o->help || o->version || o->command == MZ_CMD_none;

	for (int i = 0; i < MZ_OPTIONS; i++) {
		must(o->from[i] == MZ_FROM_PRESET ||
		     o->from[i] == MZ_FROM_OPTION);
		if (o->from[i] == MZ_FROM_OPTION && !all)
			must(mz_option_rows[i].commands & (1u << o->command));
	}
}

static void check_durations(const struct mz_options *o)
{
	must(o->wait >= 0 && o->wait <= INT32_MAX);
	must(o->lock_wait >= 0 && o->lock_wait <= INT32_MAX);
	must(o->lock_timeout >= 0 && o->lock_timeout <= INT32_MAX);
	must(o->statement_timeout >= 0 && o->statement_timeout <= INT32_MAX);
}

/* Whether a text is one or not, reading it does not go beyond it. */
static void check_values(const char *text)
{
	static const char *const names[] = { "migrate", NULL, "status" };
	int64_t ms = -1;
	const char *near;

	must(!mz_duration_parse(text, &ms) || (ms >= 0 && ms <= INT32_MAX));
	near = mz_nearest(text, names, 3);
	must(!near || near == names[0] || near == names[2]);
}

static void parse(int argc, char **argv)
{
	struct mz_arena arena;
	struct mz_options o;
	struct mz_err err = { 0 };

	mz_arena_init(&arena);
	if (mz_options_parse(&o, &arena, argc, argv, &err)) {
		check_counts(&o);
		check_origins(&o);
		check_durations(&o);
		must(mz_help(&arena, o.command)[0]);
	} else {
		must(err.msg[0] && err.status == MZ_usage);
	}
	for (int i = 1; i < argc; i++)
		check_values(argv[i]);
	mz_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view text = { data, size };
	char *argv[ARGS_MAX + 2] = { NULL };
	struct mz_arena arena;
	int argc = 1;

	mz_arena_init(&arena);
	argv[0] = mz_strdup(&arena, "mizzle");
	while (text.n > 0 && argc <= ARGS_MAX)
		argv[argc++] = take_text(&arena, &text, '\n');
	parse(argc, argv);
	mz_arena_release(&arena);
	return 0;
}
