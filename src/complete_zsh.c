/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "complete.h"

static const struct mz_quoting quoting = { "'\\''", "\\\\" };

/* What _arguments does for a value. */
static void put_value(struct pgw_buf *b, const struct mz_value *v)
{
	switch (v->taken) {
	case MZ_TAKEN_FILE:
		pgw_buf_put_text(b, "_files");
		break;
	case MZ_TAKEN_FOLDER:
		pgw_buf_put_text(b, "_files -/");
		break;
	case MZ_TAKEN_TAG:
		pgw_buf_put_text(b, "_mizzle_tags");
		break;
	case MZ_TAKEN_COMMAND:
		pgw_buf_put_text(b, "_mizzle_commands");
		break;
	case MZ_TAKEN_WORDS:
		mz_put_format(b, "(%s)", v->words);
		break;
	case MZ_TAKEN_TEXT:
	case MZ_TAKEN_NOTHING:
		pgw_buf_put_text(b, " "); /* nothing to offer */
		break;
	}
}

/* In brackets, so that ] would end it. */
static void put_help(struct pgw_buf *b, const char *help)
{
	pgw_buf_put_text(b, "[");
	mz_put_quoted(b, help, &quoting);
	pgw_buf_put_text(b, "]");
}

/* '(-q --quiet)'{-q,--quiet}, '*'{-c+,--command=}, '--dir=; a quote is open */
static void put_names(struct pgw_buf *b, const struct mz_option *row)
{
	bool repeats = row->kind == MZ_KIND_texts;
	const char *value = row->argument ? "=" : "";

	if (!row->letter) {
		mz_put_format(b, "'%s--%s%s", repeats ? "*" : "", row->name,
			      value);
		return;
	}
	if (repeats)
		pgw_buf_put_text(b, "'*'");
	else
		mz_put_format(b, "'(-%c --%s)'", row->letter, row->name);
	mz_put_format(b, "{-%c%s,--%s%s}'", row->letter,
		      row->argument ? "+" : "", row->name, value);
}

/* What is behind the names: [help]' or [help]:DIR:_files -/' */
static void put_option(struct pgw_buf *b, const struct mz_option *row)
{
	struct mz_value v = mz_value_of_option(row);

	put_names(b, row);
	put_help(b, row->help);
	if (row->argument) {
		mz_put_format(b, ":%s:", row->argument);
		put_value(b, &v);
	}
	pgw_buf_put_text(b, "'");
}

static void put_globals(struct pgw_buf *b)
{
	for (int i = 0; i < MZ_OPTIONS; i++) {
		if (!mz_option_is_global(&mz_option_rows[i]))
			continue;
		pgw_buf_put_text(b, "\t\t");
		put_option(b, &mz_option_rows[i]);
		pgw_buf_put_text(b, "\n");
	}
}

static void put_command(struct pgw_buf *b, enum mz_command_id id)
{
	const struct mz_command_row *row = &mz_command_rows[id];
	struct mz_value v = mz_value_of_command(row);

	mz_put_format(b, "\t(%s%s%s)\n\t\tspecs+=(\n", row->name,
		      row->alias ? "|" : "", row->alias ? row->alias : "");
	for (int i = 0; i < MZ_OPTIONS; i++) {
		if (!mz_option_is_own(&mz_option_rows[i], id))
			continue;
		pgw_buf_put_text(b, "\t\t\t");
		put_option(b, &mz_option_rows[i]);
		pgw_buf_put_text(b, "\n");
	}
	if (row->most > 0) {
		mz_put_format(b, "\t\t\t'%s: :", row->most > 1 ? "*" : "2");
		put_value(b, &v);
		pgw_buf_put_text(b, "'\n");
	}
	pgw_buf_put_text(b, "\t\t)\n\t\t;;\n");
}

static void put_arguments(struct pgw_buf *b)
{
	for (int i = MZ_CMD_none + 1; i < MZ_COMMANDS; i++)
		put_command(b, (enum mz_command_id)i);
}

static void put_described(struct pgw_buf *b, const char *name,
			  const char *summary)
{
	mz_put_format(b, "\t\t'%s:", name);
	mz_put_quoted(b, summary, &quoting);
	pgw_buf_put_text(b, "'\n");
}

static void put_commands(struct pgw_buf *b)
{
	for (int i = MZ_CMD_none + 1; i < MZ_COMMANDS; i++) {
		const struct mz_command_row *row = &mz_command_rows[i];

		put_described(b, row->name, row->summary);
		if (row->alias)
			put_described(b, row->alias, row->summary);
	}
}

/* --url|--dir|-[qv]#[c]: a word whose value is the next one. */
static void put_valued(struct pgw_buf *b)
{
	mz_put_valued(b, "|");
	pgw_buf_put_text(b, "|-[");
	mz_put_letters(b, false);
	pgw_buf_put_text(b, "]#[");
	mz_put_letters(b, true);
	pgw_buf_put_text(b, "]");
}

static void put_folders(struct pgw_buf *b)
{
	mz_put_folder_options(b, "|", "");
}

void mz_complete_zsh(struct pgw_buf *b)
{
	static const struct mz_part parts[] = {
		{ "@COMMANDS@\n", put_commands },
		{ "@GLOBALS@\n", put_globals },
		{ "@ARGUMENTS@\n", put_arguments },
		{ "@VALUED@", put_valued },
		{ "@FOLDERS@", put_folders },
	};

	mz_complete_put(b, mz_template_zsh, parts,
			sizeof(parts) / sizeof(parts[0]));
}
