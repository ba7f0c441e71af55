/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "complete.h"

static const char *kind_of(enum mz_taken taken)
{
	switch (taken) {
	case MZ_TAKEN_FILE:
		return "files";
	case MZ_TAKEN_FOLDER:
		return "folders";
	case MZ_TAKEN_TAG:
		return "tags";
	case MZ_TAKEN_COMMAND:
		return "commands";
	case MZ_TAKEN_WORDS:
		return "words";
	case MZ_TAKEN_TEXT:
		return "text";
	case MZ_TAKEN_NOTHING:
		break;
	}
	return "''";
}

/* "files", or "'words each all'" */
static void put_value(struct pgw_buf *b, const struct mz_value *v)
{
	if (v->taken == MZ_TAKEN_WORDS)
		mz_put_format(b, "'words %s'", v->words);
	else
		pgw_buf_put_text(b, kind_of(v->taken));
}

static void put_option(struct pgw_buf *b, const struct mz_option *row)
{
	struct mz_value v = mz_value_of_option(row);

	pgw_buf_put_text(b, "\t");
	if (row->letter)
		mz_put_format(b, "-%c | ", row->letter);
	mz_put_format(b, "--%s) name=--%s takes=", row->name, row->name);
	put_value(b, &v);
	mz_put_format(b, "%s ;;\n",
		      row->kind == MZ_KIND_texts ? " repeats=1" : "");
}

static void put_options(struct pgw_buf *b)
{
	for (int i = 0; i < MZ_OPTIONS; i++)
		put_option(b, &mz_option_rows[i]);
}

static void put_globals(struct pgw_buf *b)
{
	const char *before = "";

	for (int i = 0; i < MZ_OPTIONS; i++) {
		if (!mz_option_is_global(&mz_option_rows[i]))
			continue;
		mz_put_format(b, "%s--%s", before, mz_option_rows[i].name);
		before = " ";
	}
}

static void put_commands(struct pgw_buf *b)
{
	for (int i = MZ_CMD_none + 1; i < MZ_COMMANDS; i++) {
		const struct mz_command_row *row = &mz_command_rows[i];

		mz_put_format(b, "%s%s", i > MZ_CMD_none + 1 ? " " : "",
			      row->name);
		if (row->alias)
			mz_put_format(b, " %s", row->alias);
	}
}

static void put_command(struct pgw_buf *b, enum mz_command_id id)
{
	const struct mz_command_row *row = &mz_command_rows[id];
	struct mz_value v = mz_value_of_command(row);
	const char *before = "";

	mz_put_format(b, "\t%s%s%s)\n\t\toptions='", row->name,
		      row->alias ? " | " : "", row->alias ? row->alias : "");
	for (int i = 0; i < MZ_OPTIONS; i++) {
		if (!mz_option_is_own(&mz_option_rows[i], id))
			continue;
		mz_put_format(b, "%s--%s", before, mz_option_rows[i].name);
		before = " ";
	}
	pgw_buf_put_text(b, "'\n\t\targument=");
	put_value(b, &v);
	mz_put_format(b, " most=%d\n\t\t;;\n",
		      row->most < INT16_MAX ? (int)row->most : INT16_MAX);
}

static void put_arguments(struct pgw_buf *b)
{
	for (int i = MZ_CMD_none + 1; i < MZ_COMMANDS; i++)
		put_command(b, (enum mz_command_id)i);
}

static void put_folders(struct pgw_buf *b)
{
	mz_put_folder_options(b, " | ", "");
}

void mz_complete_bash(struct pgw_buf *b)
{
	static const struct mz_part parts[] = {
		{ "@OPTIONS@\n", put_options },
		{ "@GLOBALS@", put_globals },
		{ "@COMMANDS@", put_commands },
		{ "@FOLDERS@", put_folders },
		{ "@ARGUMENTS@\n", put_arguments },
	};

	mz_complete_put(b, mz_template_bash, parts,
			sizeof(parts) / sizeof(parts[0]));
}
