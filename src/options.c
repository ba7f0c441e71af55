/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "options.h"

#include <stdio.h>
#include <string.h>

#define GLOBAL | MZ_ALL_COMMANDS
/* a set grows by being written next to another */
#define ON(command) \
	| (1u << MZ_CMD_##command) /* NOLINT(bugprone-macro-parentheses) */

const struct mz_option mz_option_rows[MZ_OPTIONS] = {
#define OPTION(field, long, letter, argument, environment, preset, kind, \
	       commands, help)                                           \
	{ long,	  letter,	  argument,    environment,              \
	  preset, MZ_KIND_##kind, 0u commands, help },
#include "options.def"
#undef OPTION
};

const struct mz_command_row mz_command_rows[MZ_COMMANDS] = {
	[MZ_CMD_none] = { .name = "" },
#define COMMAND(name, alias, arguments, least, most, summary) \
	[MZ_CMD_##name] = { #name, alias, arguments, least, most, summary },
#include "commands.def"
#undef COMMAND
};

_Static_assert(MZ_COMMANDS <= 32, "the set of commands is 32 bits");

/* ---- names */

/* A connection string where none belongs must not be shown: see its password */
static bool is_secretive(const char *word)
{
	return strstr(word, "://") || strstr(word, "password=");
}

static bool unwanted_string(struct mz_err *err)
{
	mz_fail(err, MZ_usage, "a connection string is not an argument");
	return mz_hint(err, "it goes behind --url, or into DATABASE_URL");
}

enum mz_command_id mz_command_find(const char *name, struct mz_err *err)
{
	const char *names[2 * MZ_COMMANDS];
	const char *near;
	size_t n = 0;

	for (int i = MZ_CMD_none + 1; i < MZ_COMMANDS; i++) {
		const struct mz_command_row *row = &mz_command_rows[i];

		if (strcmp(name, row->name) == 0 ||
		    (row->alias && strcmp(name, row->alias) == 0))
			return (enum mz_command_id)i;
		names[n++] = row->name;
		names[n++] = row->alias;
	}
	if (is_secretive(name)) {
		unwanted_string(err);
		return MZ_CMD_none;
	}
	near = mz_nearest(name, names, n);
	mz_fail(err, MZ_usage, "there is no command '%s'", name);
	if (near)
		mz_hint(err, "did you mean '%s'?", near);
	else
		mz_hint(err, "'mizzle --help' lists the commands");
	return MZ_CMD_none;
}

/*
 * word is an unknown option with its dashes, n bytes of it its name; shown is
 * how many of them are surely no value.
 */
static bool unknown_option(const char *word, size_t n, size_t shown,
			   struct mz_err *err)
{
	const char *names[MZ_OPTIONS];
	char bare[64];
	const char *near;

	for (int i = 0; i < MZ_OPTIONS; i++)
		names[i] = mz_option_rows[i].name;
	mz_fail(err, MZ_usage, "there is no option '%.*s'", (int)shown, word);
	while (n > 0 && *word == '-') {
		word++;
		n--;
	}
	snprintf(bare, sizeof(bare), "%.*s", (int)n, word);
	near = n > 1 ? mz_nearest(bare, names, MZ_OPTIONS) : NULL;
	return near ? mz_hint(err, "did you mean --%s?", near) : false;
}

/* ---- the command line */

struct reader {
	struct mz_options *o;
	char **argv;
	size_t argc, at; /* at is the word that is read next */
	const char **args;
	bool ended; /* -- was seen */
	struct mz_err *err;
};

/* The value of an option that stands in a word of its own. */
static bool next_word(struct reader *r, const struct mz_option *row,
		      const char **value)
{
	const char *word = r->at < r->argc ? r->argv[r->at] : NULL;

	/* --to --json is a forgotten value, not a strange one */
	if (!word || strncmp(word, "--", 2) == 0)
		return mz_fail(r->err, MZ_usage, "--%s needs a value: --%s %s",
			       row->name, row->name, row->argument);
	r->at++;
	*value = word;
	return true;
}

static bool take_long(struct reader *r, const char *word)
{
	size_t n = strcspn(word, "=");
	const char *value = word[n] == '=' ? word + n + 1 : NULL;

	for (int i = 0; i < MZ_OPTIONS; i++) {
		const struct mz_option *row = &mz_option_rows[i];

		if (n - 2 != strlen(row->name) ||
		    strncmp(word + 2, row->name, n - 2) != 0)
			continue;
		if (!row->argument && value)
			return mz_fail(r->err, MZ_usage, "--%s takes no value",
				       row->name);
		if (row->argument && !value && !next_word(r, row, &value))
			return false;
		return mz_options_set(r->o, (enum mz_option_id)i, value,
				      MZ_FROM_OPTION, r->err);
	}
	return unknown_option(word, n, n, r->err);
}

static int find_letter(char letter)
{
	for (int i = 0; i < MZ_OPTIONS; i++)
		if (mz_option_rows[i].letter == letter)
			return i;
	return -1;
}

/* -q, -qv, -oFILE, -o FILE */
static bool take_short(struct reader *r, const char *word)
{
	for (const char *p = word + 1; *p; p++) {
		int i = find_letter(*p);
		const struct mz_option *row;
		const char *value = NULL;

		if (i < 0)
			return unknown_option(word, strcspn(word, "="), 2,
					      r->err);
		row = &mz_option_rows[i];
		if (row->argument && p[1])
			value = p + 1;
		else if (row->argument && !next_word(r, row, &value))
			return false;
		if (!mz_options_set(r->o, (enum mz_option_id)i, value,
				    MZ_FROM_OPTION, r->err))
			return false;
		if (value)
			break;
	}
	return true;
}

static bool take_word(struct reader *r)
{
	const char *word = r->argv[r->at++];

	if (!r->ended && strcmp(word, "--") == 0) {
		r->ended = true;
		return true;
	}
	if (!r->ended && strncmp(word, "--", 2) == 0)
		return take_long(r, word);
	if (!r->ended && word[0] == '-' && word[1] != '\0')
		return take_short(r, word);
	if (r->o->command == MZ_CMD_none) {
		r->o->command = mz_command_find(word, r->err);
		return r->o->command != MZ_CMD_none;
	}
	r->args[r->o->nargs++] = word;
	return true;
}

/* "migrate and plan" */
static void name_commands(uint32_t set, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (int i = MZ_CMD_none + 1; i < MZ_COMMANDS; i++) {
		bool last = (set >> i) == 1;

		if (!(set & (1u << i)) || n >= size)
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s%s",
				      n == 0 ? "" : (last ? " and " : ", "),
				      mz_command_rows[i].name);
	}
}

/* Every option that was given is one of the command. */
static bool check_options(const struct mz_options *o, struct mz_err *err)
{
	for (int i = 0; i < MZ_OPTIONS; i++) {
		const struct mz_option *row = &mz_option_rows[i];
		char list[256];

		if (o->from[i] != MZ_FROM_OPTION ||
		    row->commands & (1u << o->command))
			continue;
		name_commands(row->commands, list, sizeof(list));
		mz_fail(err, MZ_usage, "--%s is not an option of %s", row->name,
			mz_command_rows[o->command].name);
		return mz_hint(err, "it belongs to %s", list);
	}
	if (o->from[MZ_OPT_url] == MZ_FROM_OPTION &&
	    o->from[MZ_OPT_url_file] == MZ_FROM_OPTION)
		return mz_fail(err, MZ_usage,
			       "--url and --url-file exclude each other");
	return true;
}

static bool check_arguments(const struct mz_options *o, struct mz_err *err)
{
	const struct mz_command_row *row = &mz_command_rows[o->command];

	for (size_t i = 0; i < o->nargs && row->most == SIZE_MAX; i++)
		if (is_secretive(o->args[i]))
			return unwanted_string(err);
	if (o->nargs > row->most && is_secretive(o->args[row->most]))
		return unwanted_string(err);
	if (o->nargs > row->most) {
		mz_fail(err, MZ_usage, "%s: unexpected argument '%s'",
			row->name, o->args[row->most]);
		return mz_hint(err, "usage: mizzle %s%s%s", row->name,
			       row->arguments[0] ? " " : " [OPTIONS]",
			       row->arguments);
	}
	if (o->nargs < row->least)
		return mz_fail(err, MZ_usage, "usage: mizzle %s %s", row->name,
			       row->arguments);
	return true;
}

bool mz_options_preset(struct mz_options *o, struct mz_err *err)
{
	*o = (struct mz_options){ .command = MZ_CMD_none };
	for (int i = 0; i < MZ_OPTIONS; i++) {
		const char *preset = mz_option_rows[i].preset;

		if (preset && !mz_options_set(o, (enum mz_option_id)i, preset,
					      MZ_FROM_PRESET, err))
			return false;
	}
	return true;
}

bool mz_options_parse(struct mz_options *o, struct mz_arena *a, int argc,
		      char **argv, struct mz_err *err)
{
	struct reader r = { .o = o, .argv = argv, .at = 1, .err = err };

	if (!mz_options_preset(o, err))
		return false;
	r.argc = argc > 0 ? (size_t)argc : 0;
	r.args = mz_alloc_array(a, r.argc + 1, sizeof(*r.args));
	o->args = r.args;
	while (r.at < r.argc)
		if (!take_word(&r))
			return false;
	if (o->help || o->version || o->command == MZ_CMD_none)
		return true;
	return check_options(o, err) && check_arguments(o, err);
}

bool mz_options_fall_back(struct mz_options *o, enum mz_command_id id,
			  struct mz_err *err)
{
	if (o->help || o->version || o->command != MZ_CMD_none)
		return true;
	o->command = id;
	return check_options(o, err);
}
