/* SPDX-License-Identifier: MIT */
/*
 * What a command is: a function in a file of its own, cmd_NAME of cmd_NAME.c,
 * and a row in commands.def.  It fills c->result, tells what happens through
 * c->report, and fails by filling err; main prints the error and the result,
 * and exits with the status.
 */
#ifndef MZ_COMMAND_H
#define MZ_COMMAND_H

#include "arena.h"
#include "bundle.h"
#include "error.h"
#include "folder.h"
#include "options.h"
#include "report.h"
#include "settings.h"

struct mz_context {
	struct mz_options opt; /* complete for what a settle function filled */
	struct mz_settings settings;
	struct mz_report report;
	struct mz_result result;
	struct mz_arena arena;
	bool embedded;		  /* the process is somebody else's */
	struct mz_bundle *bundle; /* NULL: this program is none */
	int interrupt_fd; /* readable once a signal has come; -1 = none */
	int signal_fd;	  /* the other end of that pipe */
};

/*
 * An err with a status but no message is no failure to be explained: pending,
 * findings.
 */
typedef bool (*mz_command)(struct mz_context *c, struct mz_err *err);

#define COMMAND(name, alias, arguments, least, most, summary)     \
	bool cmd_##name(struct mz_context *c, struct mz_err *err) \
		PGW_MUST_CHECK;
#include "commands.def"
#undef COMMAND

/* The signal that has come, or 0.  It stays; it does not wait. */
int mz_context_signal(const struct mz_context *c);

/* What the clock on the wall says: ms since 1970. */
int64_t mz_now_ms(void);

/*
 * Each fills what the command line left open, from the environment, .env,
 * drizzle.config.* and the presets, and touches no file it does not need.
 */
bool mz_settle_folder(struct mz_context *c,
		      struct mz_err *err) PGW_MUST_CHECK; /* opt.dir */
bool mz_settle_history(struct mz_context *c,
		       struct mz_err *err) PGW_MUST_CHECK; /* schema, table */

/* Where the folder is, once that is settled. */
struct mz_where mz_context_where(const struct mz_context *c);

/* One option from its variable; an empty one says nothing. */
bool mz_settle_variable(struct mz_context *c, enum mz_option_id id,
			struct mz_err *err) PGW_MUST_CHECK;

#endif
