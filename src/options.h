/* SPDX-License-Identifier: MIT */
/*
 * The command line.  Every command is a row of commands.def and every option
 * a row of options.def; parsing, help, suggestions and environment variables
 * come from the rows.  Nothing here touches a file, the environment or a
 * stream: what the command line left open is filled by settings.h.
 */
#ifndef MZ_OPTIONS_H
#define MZ_OPTIONS_H

#include "arena.h"
#include "error.h"

enum mz_command_id {
	MZ_CMD_none,

#define COMMAND(name, alias, arguments, least, most, summary) MZ_CMD_##name,
#include "commands.def"
#undef COMMAND
	MZ_COMMANDS
};

enum mz_option_id {

#define OPTION(field, long, letter, argument, environment, preset, kind, \
	       commands, help)                                           \
	MZ_OPT_##field,
#include "options.def"
#undef OPTION
	MZ_OPTIONS
};

/* ---- kinds of options: struct mz_options has a field of type mz_kind_KIND */

/* WORD(constant, word): the values of options that are one of a few words. */
#define MZ_COLORS(WORD)              \
	WORD(COLOR_AUTO, "auto")     \
	WORD(COLOR_ALWAYS, "always") \
	WORD(COLOR_NEVER, "never")
#define MZ_TRANSACTIONS(WORD)          \
	WORD(TRANSACTION_EACH, "each") \
	WORD(TRANSACTION_ALL, "all")
#define MZ_ORDERS(WORD)              \
	WORD(ORDER_AUTO, "auto")     \
	WORD(ORDER_APPLY, "apply")   \
	WORD(ORDER_REFUSE, "refuse") \
	WORD(ORDER_SKIP, "skip")
#define MZ_RESUMES(WORD)              \
	WORD(RESUME_REFUSE, "refuse") \
	WORD(RESUME_AGAIN, "again")   \
	WORD(RESUME_SKIP, "skip")
#define MZ_FAIL_ONS(WORD)                \
	WORD(FAIL_ON_ERROR, "error")     \
	WORD(FAIL_ON_WARNING, "warning") \
	WORD(FAIL_ON_NONE, "none")
#define MZ_LAYOUT_WORDS(WORD)           \
	WORD(FOLDER_AUTO, "auto")       \
	WORD(FOLDER_JOURNAL, "journal") \
	WORD(FOLDER_FOLDERS, "folders") \
	WORD(FOLDER_PLAIN, "plain")

/* CHOICE(kind, list): every kind that is one of a few words. */
#define MZ_CHOICES(CHOICE)                   \
	CHOICE(color, MZ_COLORS)             \
	CHOICE(transaction, MZ_TRANSACTIONS) \
	CHOICE(order, MZ_ORDERS)             \
	CHOICE(resume, MZ_RESUMES)           \
	CHOICE(fail_on, MZ_FAIL_ONS)         \
	CHOICE(layout, MZ_LAYOUT_WORDS)

#define WORD(constant, word) MZ_##constant,
#define CHOICE(kind, list) typedef enum { list(WORD) } mz_kind_##kind;
MZ_CHOICES(CHOICE)
#undef CHOICE
#undef WORD

typedef bool mz_kind_flag;
typedef const char *mz_kind_text; /* NULL when nothing is said */
typedef int64_t mz_kind_duration; /* milliseconds, never negative */
typedef uint32_t mz_kind_count;

/* What was given more than once, in its order. */
#define MZ_TEXTS_MAX 64

typedef struct {
	const char *list[MZ_TEXTS_MAX];
	size_t n;
} mz_kind_texts;

/* Where a value came from, the strongest last. */
enum mz_from {
	MZ_FROM_PRESET,
	MZ_FROM_BUNDLE,	  /* what was set when it was made */
	MZ_FROM_CONFIG,	  /* drizzle.config.* */
	MZ_FROM_ENV_FILE, /* .env */
	MZ_FROM_ENVIRONMENT,
	MZ_FROM_OPTION,
};

struct mz_options {
#define OPTION(field, long, letter, argument, environment, preset, kind, \
	       commands, help)                                           \
	mz_kind_##kind field;
#include "options.def"
#undef OPTION
	enum mz_from from[MZ_OPTIONS];
	enum mz_command_id command; /* none when there was none */
	const char *const *args;    /* what is left, NULL at the end */
	size_t nargs;
};

/* ---- the rows */

enum mz_kind {
	MZ_KIND_flag,
	MZ_KIND_text,
	MZ_KIND_duration,
	MZ_KIND_count,
	MZ_KIND_texts,

#define CHOICE(kind, list) MZ_KIND_##kind,
	MZ_CHOICES(CHOICE)
#undef CHOICE
};

struct mz_option {
	const char *name;			  /* without its dashes */
	char letter;				  /* 0 when there is none */
	const char *argument, *variable, *preset; /* NULL when there is none */
	enum mz_kind kind;
	uint32_t commands; /* bit MZ_CMD_x: that command takes it */
	const char *help;
};

struct mz_command_row {
	const char *name, *alias; /* alias may be NULL */
	const char *arguments;
	size_t least, most; /* how many arguments */
	const char *summary;
};

extern const struct mz_option mz_option_rows[MZ_OPTIONS];
extern const struct mz_command_row mz_command_rows[MZ_COMMANDS];

#define MZ_ALL_COMMANDS UINT32_MAX

/* ---- reading */

/*
 * Read the command line into o, presets included.  Texts are borrowed from
 * argv.  With --help or --version the rest need not be complete.
 */
bool mz_options_parse(struct mz_options *o, struct mz_arena *a, int argc,
		      char **argv, struct mz_err *err) PGW_MUST_CHECK;

/* What holds when nobody says anything. */
bool mz_options_preset(struct mz_options *o, struct mz_err *err) PGW_MUST_CHECK;
/* The command that runs when none was named. */
bool mz_options_fall_back(struct mz_options *o, enum mz_command_id id,
			  struct mz_err *err) PGW_MUST_CHECK;

/*
 * Give one option a value; where it came from stands in errors.  An option of
 * a stronger origin is left as it is.
 */
bool mz_options_set(struct mz_options *o, enum mz_option_id id,
		    const char *text, enum mz_from from,
		    struct mz_err *err) PGW_MUST_CHECK;

/* The command of that name or alias; MZ_CMD_none and an error if unknown. */
enum mz_command_id mz_command_find(const char *name, struct mz_err *err);

/* ---- values */

/*
 * "500ms", "2s", "5m", "1h", "30" (seconds); at most INT32_MAX milliseconds,
 * which is what the server can take.
 */
bool mz_duration_parse(const char *text, int64_t *ms);

/* The words of a kind that is a choice, NULL at the end; else NULL. */
const char *const *mz_kind_words(enum mz_kind kind);

/*
 * The one of n names that word probably means, or NULL.  NULLs among names
 * are passed over.
 */
const char *mz_nearest(const char *word, const char *const *names, size_t n);

/* ---- help */

/* The help of a command, or of the program for MZ_CMD_none. */
const char *mz_help(struct mz_arena *a, enum mz_command_id id);

/* What is shown when there is no command. */
const char *mz_help_short(struct mz_arena *a);

#endif
