/* SPDX-License-Identifier: MIT */
/*
 * Completion scripts of shells.  They are made from the rows of options.h and
 * know all of them, so that a shell has to run the program only for the names
 * of migrations: `completion tags`.
 */
#ifndef MZ_COMPLETE_H
#define MZ_COMPLETE_H

#include "options.h"

/* SHELL(name): mz_complete_NAME writes its script. */
#define MZ_SHELLS(SHELL) \
	SHELL(bash)      \
	SHELL(zsh)       \
	SHELL(fish)

/* The script of a shell is a template, complete.SHELL, with @PARTS@ in it. */
#define SHELL(name)                                    \
	extern const char *const mz_template_##name[]; \
	void mz_complete_##name(struct pgw_buf *b);
MZ_SHELLS(SHELL)
#undef SHELL

#define MZ_SCRIPT_MAX (256u << 10)

struct mz_part {
	const char *name; /* "@OPTIONS@" */
	void (*put)(struct pgw_buf *b);
};

/* Lines, NULL at the end, with the parts in the places of their names. */
void mz_complete_put(struct pgw_buf *b, const char *const *lines,
		     const struct mz_part *parts, size_t n);

/* ---- what the parts are made of */

/* What can be said of a value before it is typed. */
enum mz_taken {
	MZ_TAKEN_NOTHING, /* there is none */
	MZ_TAKEN_TEXT,	  /* anything */
	MZ_TAKEN_FILE,
	MZ_TAKEN_FOLDER,
	MZ_TAKEN_TAG,
	MZ_TAKEN_COMMAND,
	MZ_TAKEN_WORDS, /* one of a few */
};

struct mz_value {
	enum mz_taken taken;
	char words[128]; /* WORDS, with blanks between them */
};

struct mz_value mz_value_of_option(const struct mz_option *row);
struct mz_value mz_value_of_command(const struct mz_command_row *row);

bool mz_option_is_global(const struct mz_option *row);

/* The command takes the option, and not every command does. */
bool mz_option_is_own(const struct mz_option *row, enum mz_command_id id);

/* "qvhVy1": the letters of the options without a value, or with one. */
void mz_put_letters(struct pgw_buf *b, bool valued);

/* The names of the options that have a value: "--url|--dir|-c". */
void mz_put_valued(struct pgw_buf *b, const char *between);

/*
 * Those that say which folder is meant; only these are handed on to
 * `completion tags`.  behind is put behind each name.
 */
void mz_put_folder_options(struct pgw_buf *b, const char *between,
			   const char *behind);

/* Text with ' and \ replaced. */
struct mz_quoting {
	const char *quote, *backslash;
};

void mz_put_quoted(struct pgw_buf *b, const char *text,
		   const struct mz_quoting *q);

void mz_put_format(struct pgw_buf *b, const char *fmt, ...) PGW_PRINTF(2, 3);

#endif
