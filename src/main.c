/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "command.h"
#include "report_memory.h"
#include "self.h"
#include "signals.h"

#include <string.h>

static const mz_command commands[MZ_COMMANDS] = {
#define COMMAND(name, alias, arguments, least, most, summary) \
	[MZ_CMD_##name] = cmd_##name,
#include "commands.def"
#undef COMMAND
};

/* --json counts also when the command line is not understood as a whole. */
static bool asks_for_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static bool run_command(struct mz_context *c, struct mz_err *err)
{
	return mz_signals_catch(c, err) && commands[c->opt.command](c, err);
}

/* A bundle brings what a configuration says: one that lies about is not of it.
 */
static bool run_bundle(struct mz_context *c, struct mz_err *err)
{
	struct mz_payload payload;
	struct mz_bundle bundle;
	bool ok = mz_payload_open(&payload, err) &&
		  mz_bundle_open(&bundle, &c->arena, payload.bytes, err);

	if (ok) {
		c->bundle = &bundle;
		c->settings.sought = !c->opt.config;
		ok = run_command(c, err);
		c->bundle = NULL;
	}
	mz_payload_close(&payload);
	return ok;
}

static bool run(struct mz_context *c, struct mz_err *err)
{
	const struct mz_options *o = &c->opt;

	if (o->version) {
		mz_report_text(&c->report, PACKAGE_STRING "\n");
		return true;
	}
	if (o->help) {
		mz_report_text(&c->report, mz_help(&c->arena, o->command));
		return true;
	}
	if (o->command == MZ_CMD_none) {
		mz_report_usage(&c->report, mz_help_short(&c->arena));
		*err = (struct mz_err){ .status = MZ_usage };
		return false;
	}
	return mz_self_is_bundle() ? run_bundle(c, err) : run_command(c, err);
}

static bool parse(struct mz_context *c, int argc, char **argv,
		  struct mz_err *err)
{
	bool ok = mz_options_parse(&c->opt, &c->arena, argc, argv, err) &&
		  (!mz_self_is_bundle() ||
		   mz_options_fall_back(&c->opt, MZ_CMD_migrate, err));

	if (!ok)
		c->opt.json = asks_for_json(argc, argv);
	return ok;
}

/* With --json the result is always the last line, but for help. */
static bool has_result(const struct mz_context *c)
{
	const struct mz_options *o = &c->opt;

	if (o->help || o->version || o->command == MZ_CMD_help)
		return false;
	return o->json || c->result.kind != MZ_RESULT_NONE;
}

/* As serve goes on when one of its runs has no memory, it is not for it. */
static void be_strict(const struct mz_context *c)
{
	if (c->opt.command != MZ_CMD_serve)
		mz_memory_or_end(&c->report);
}

static int work(struct mz_context *c, int argc, char **argv)
{
	struct mz_err err, other;
	bool ok = parse(c, argc, argv, &err);

	if (!mz_report_setup(&c->report, &c->opt, c->settings.env, &other) &&
	    ok) {
		err = other;
		ok = false;
	}
	be_strict(c);
	ok = ok && run(c, &err);
	if (!ok && err.signal < 0)
		err.signal = mz_context_signal(c);
	if (!ok)
		mz_report_error(&c->report, &err);
	if (has_result(c))
		mz_report_result(&c->report, &c->result, ok ? NULL : &err);
	if (ok)
		return MZ_ok;
	return err.signal > 0 ? 128 + err.signal : (int)err.status;
}

static void end(void *ctx)
{
	mz_memory_gone(ctx);
}

int main(int argc, char **argv)
{
	struct mz_context c = { .interrupt_fd = -1, .signal_fd = -1 };
	struct mz_escape escape = { .end = end, .ctx = &c.report };
	int status;

	if (!mz_signals_fill_standard() || !mz_memory_has_stack(stderr))
		return MZ_internal;
	mz_arena_init(&c.arena);
	mz_report_init(&c.report, stdout, stderr);
	mz_report_steady(&c.report);
	c.settings.env = pgw_env;
	c.arena.escape = &escape;
	status = work(&c, argc, argv);
	mz_memory_or_end(NULL);
	/* what was done is done, but somebody has not been told */
	if (!mz_report_close(&c.report) && status == MZ_ok)
		status = MZ_sql;
	mz_arena_release(&c.arena);
	return status;
}
