/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "complete.h"

#include <stdio.h>

static const struct mz_quoting quoting = { "\\'", "\\\\" };

static void put_described(struct pgw_buf *b, const char *text)
{
	pgw_buf_put_text(b, " -d '");
	mz_put_quoted(b, text, &quoting);
	pgw_buf_put_text(b, "'\n");
}

/* "migrate up plan" */
static void put_commands_of(struct pgw_buf *b, const struct mz_option *row)
{
	for (int i = MZ_CMD_none + 1; i < MZ_COMMANDS; i++) {
		const char *alias = mz_command_rows[i].alias;

		if (!mz_option_is_own(row, (enum mz_command_id)i))
			continue;
		mz_put_format(b, " %s%s%s", mz_command_rows[i].name,
			      alias ? " " : "", alias ? alias : "");
	}
}

/* What completes a value. */
static void put_value(struct pgw_buf *b, const struct mz_value *v)
{
	switch (v->taken) {
	case MZ_TAKEN_FILE:
		pgw_buf_put_text(b, " -rF");
		break;
	case MZ_TAKEN_FOLDER:
		pgw_buf_put_text(b, " -xa '(__mizzle_folders)'");
		break;
	case MZ_TAKEN_TAG:
		pgw_buf_put_text(b, " -xka '(__mizzle_tags)'");
		break;
	case MZ_TAKEN_WORDS:
		mz_put_format(b, " -xa '%s'", v->words);
		break;
	case MZ_TAKEN_COMMAND:
	case MZ_TAKEN_TEXT:
		pgw_buf_put_text(b, " -x");
		break;
	case MZ_TAKEN_NOTHING:
		break;
	}
}

/* It belongs to the command, and is not given yet. */
static void put_condition(struct pgw_buf *b, const struct mz_option *row)
{
	bool global = mz_option_is_global(row);
	bool repeats = row->kind == MZ_KIND_texts;

	if (global && repeats)
		return;
	pgw_buf_put_text(b, " -n '");
	if (!global) {
		pgw_buf_put_text(b, "__mizzle_is");
		put_commands_of(b, row);
	}
	if (!global && !repeats)
		pgw_buf_put_text(b, "; and ");
	if (!repeats)
		mz_put_format(b, "__mizzle_lacks %s", row->name);
	if (!repeats && row->letter)
		mz_put_format(b, " %c", row->letter);
	pgw_buf_put_text(b, "'");
}

static void put_option(struct pgw_buf *b, const struct mz_option *row)
{
	struct mz_value v = mz_value_of_option(row);

	pgw_buf_put_text(b, "complete -c mizzle");
	put_condition(b, row);
	if (row->letter)
		mz_put_format(b, " -s %c", row->letter);
	mz_put_format(b, " -l %s", row->name);
	put_value(b, &v);
	put_described(b, row->help);
}

static void put_options(struct pgw_buf *b)
{
	for (int i = 0; i < MZ_OPTIONS; i++)
		put_option(b, &mz_option_rows[i]);
}

static void put_name(struct pgw_buf *b, const char *condition, const char *name,
		     const char *summary)
{
	mz_put_format(b, "complete -c mizzle -n '%s' -a %s", condition, name);
	put_described(b, summary);
}

/* The names of all commands. */
static void put_names(struct pgw_buf *b, const char *condition)
{
	for (int i = MZ_CMD_none + 1; i < MZ_COMMANDS; i++) {
		const struct mz_command_row *row = &mz_command_rows[i];

		put_name(b, condition, row->name, row->summary);
		if (row->alias)
			put_name(b, condition, row->alias, row->summary);
	}
}

/* What stands behind a command. */
static void put_argument(struct pgw_buf *b, const struct mz_command_row *row)
{
	struct mz_value v = mz_value_of_command(row);
	char condition[64];

	snprintf(condition, sizeof(condition), "__mizzle_%s %s",
		 row->most > 1 ? "is" : "at 1", row->name);
	switch (v.taken) {
	case MZ_TAKEN_COMMAND:
		put_names(b, condition);
		break;
	case MZ_TAKEN_FILE:
		mz_put_format(b, "complete -c mizzle -n '%s' -F\n", condition);
		break;
	case MZ_TAKEN_FOLDER:
	case MZ_TAKEN_TAG:
	case MZ_TAKEN_WORDS:
		mz_put_format(b, "complete -c mizzle -n '%s'", condition);
		put_value(b, &v);
		pgw_buf_put_text(b, "\n");
		break;
	case MZ_TAKEN_TEXT:
	case MZ_TAKEN_NOTHING:
		break;
	}
}

static void put_commands(struct pgw_buf *b)
{
	put_names(b, "__mizzle_is \"\"");
	for (int i = MZ_CMD_none + 1; i < MZ_COMMANDS; i++)
		put_argument(b, &mz_command_rows[i]);
}

static void put_valued(struct pgw_buf *b)
{
	mz_put_valued(b, " ");
}

/* ^-[qv]*[c]$: letters, of which the last one's value is the next word. */
static void put_letters(struct pgw_buf *b)
{
	pgw_buf_put_text(b, "^-[");
	mz_put_letters(b, false);
	pgw_buf_put_text(b, "]*[");
	mz_put_letters(b, true);
	pgw_buf_put_text(b, "]$");
}

static void put_folders(struct pgw_buf *b)
{
	mz_put_folder_options(b, " ", "");
}

static void put_folder_values(struct pgw_buf *b)
{
	mz_put_folder_options(b, " ", "=\\*");
}

void mz_complete_fish(struct pgw_buf *b)
{
	static const struct mz_part parts[] = {
		{ "@COMMANDS@\n", put_commands },
		{ "@OPTIONS@\n", put_options },
		{ "@VALUED@", put_valued },
		{ "@LETTERS@", put_letters },
		{ "@FOLDERS@", put_folders },
		{ "@FOLDERVALUES@", put_folder_values },
	};

	mz_complete_put(b, mz_template_fish, parts,
			sizeof(parts) / sizeof(parts[0]));
}
