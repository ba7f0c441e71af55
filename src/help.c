/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "options.h"

#include <stdio.h>
#include <string.h>

#define HELP_MAX (64u << 10)
#define NAMES_WIDTH 36 /* of the left column of options */
#define PAGE_WIDTH 80

static const char *text_of(struct mz_arena *a, struct pgw_buf *b)
{
	char *text = mz_strndup(a, b->data ? (const char *)b->data : "",
				b->len);

	pgw_buf_release(b);
	return text;
}

static void put_blanks(struct pgw_buf *b, size_t n)
{
	while (n-- > 0)
		pgw_buf_put_text(b, " ");
}

/* text from column `at` on, its further lines indented as much. */
static void put_wrapped(struct pgw_buf *b, const char *text, size_t at)
{
	size_t column = at;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > at && column + 1 + n > PAGE_WIDTH) {
			pgw_buf_put_text(b, "\n");
			put_blanks(b, at);
			column = at;
		} else if (column > at) {
			pgw_buf_put_text(b, " ");
			column++;
		}
		pgw_buf_put(b, text, n);
		column += n;
		text += n;
		text += strspn(text, " ");
	}
	pgw_buf_put_text(b, "\n");
}

/* Two columns: left is padded, right is wrapped. */
static void put_entry(struct pgw_buf *b, const char *left, size_t width,
		      const char *right)
{
	size_t n = strlen(left);

	pgw_buf_put_text(b, left);
	if (n + 2 > width) {
		pgw_buf_put_text(b, "\n");
		n = 0;
	}
	put_blanks(b, width - n);
	put_wrapped(b, right, width);
}

static void put_option(struct pgw_buf *b, const struct mz_option *row)
{
	char left[128], right[512], preset[64] = "", variable[64] = "";

	if (row->letter)
		snprintf(left, sizeof(left), "  -%c, --%s%s%s", row->letter,
			 row->name, row->argument ? " " : "",
			 row->argument ? row->argument : "");
	else
		snprintf(left, sizeof(left), "      --%s%s%s", row->name,
			 row->argument ? " " : "",
			 row->argument ? row->argument : "");
	if (row->preset)
		snprintf(preset, sizeof(preset), " (default: %s)", row->preset);
	if (row->variable)
		snprintf(variable, sizeof(variable), " [%s]", row->variable);
	snprintf(right, sizeof(right), "%s%s%s", row->help, preset, variable);
	put_entry(b, left, NAMES_WIDTH, right);
}

/* The options that exactly this set of commands takes: all, or one of some. */
static void put_options(struct pgw_buf *b, const char *title, uint32_t set)
{
	bool titled = false;

	for (int i = 0; i < MZ_OPTIONS; i++) {
		const struct mz_option *row = &mz_option_rows[i];
		bool global = row->commands == MZ_ALL_COMMANDS;

		if (global != (set == MZ_ALL_COMMANDS) ||
		    !(row->commands & set))
			continue;
		if (!titled)
			pgw_buf_put_text(b, title);
		titled = true;
		put_option(b, row);
	}
}

static void put_commands(struct pgw_buf *b)
{
	pgw_buf_put_text(b, "\nCommands:\n");
	for (int i = MZ_CMD_none + 1; i < MZ_COMMANDS; i++) {
		const struct mz_command_row *row = &mz_command_rows[i];
		char left[64];

		snprintf(left, sizeof(left), "  %s%s%s%s%s", row->name,
			 row->arguments[0] ? " " : "", row->arguments,
			 row->alias ? ", " : "", row->alias ? row->alias : "");
		put_entry(b, left, 18, row->summary);
	}
}

static void put_statuses(struct pgw_buf *b)
{
	static const char list[] =
#define X(number, name) #number " " #name ", "
		MZ_STATUSES(X) "128+N ended by signal N";
#undef X

	pgw_buf_put_text(b, "\nExit status:\n  ");
	put_wrapped(b, list, 2);
}

static const char *program_help(struct mz_arena *a)
{
	struct pgw_buf b;

	pgw_buf_init(&b, HELP_MAX);
	pgw_buf_put_text(&b,
			 "mizzle applies Drizzle migrations to PostgreSQL.\n\n"
			 "Usage: mizzle [OPTIONS] COMMAND [OPTIONS]\n");
	put_commands(&b);
	put_options(&b, "\nOptions of every command:\n", MZ_ALL_COMMANDS);
	put_statuses(&b);
	pgw_buf_put_text(&b, "\n'mizzle help COMMAND' explains a command and "
			     "its options.\n");
	return text_of(a, &b);
}

const char *mz_help(struct mz_arena *a, enum mz_command_id id)
{
	const struct mz_command_row *row = &mz_command_rows[id];
	struct pgw_buf b;

	if (id == MZ_CMD_none)
		return program_help(a);
	pgw_buf_init(&b, HELP_MAX);
	pgw_buf_put_text(&b, mz_printf(a, "Usage: mizzle %s [OPTIONS]%s%s\n",
				       row->name, row->arguments[0] ? " " : "",
				       row->arguments));
	if (row->alias)
		pgw_buf_put_text(&b, mz_printf(a, "       mizzle %s\n",
					       row->alias));
	pgw_buf_put_text(&b,
			 mz_printf(a, "\n%s: %s.\n", row->name, row->summary));
	put_options(&b, "\nOptions:\n", 1u << id);
	put_options(&b, "\nOptions of every command:\n", MZ_ALL_COMMANDS);
	return text_of(a, &b);
}

const char *mz_help_short(struct mz_arena *a)
{
	struct pgw_buf b;

	pgw_buf_init(&b, HELP_MAX);
	pgw_buf_put_text(&b, "Usage: mizzle [OPTIONS] COMMAND [OPTIONS]\n");
	put_commands(&b);
	pgw_buf_put_text(&b, "\n'mizzle --help' says more.\n");
	return text_of(a, &b);
}
