/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "complete.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* An argument says what it is by the word that stands for it. */
static enum mz_taken taken_of(const char *argument)
{
	static const struct {
		const char *word;
		enum mz_taken taken;
	} words[] = { { "FILE", MZ_TAKEN_FILE },
		      { "PATH", MZ_TAKEN_FILE },
		      { "DIR", MZ_TAKEN_FOLDER },
		      { "TAG", MZ_TAKEN_TAG },
		      { "COMMAND", MZ_TAKEN_COMMAND } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(argument, words[i].word))
			return words[i].taken;
	return MZ_TAKEN_TEXT;
}

static void put_word(char *list, size_t size, const char *word, size_t n)
{
	size_t used = strlen(list);

	snprintf(list + used, size - used, "%s%.*s", used > 0 ? " " : "",
		 (int)n, word);
}

struct mz_value mz_value_of_option(const struct mz_option *row)
{
	const char *const *words = mz_kind_words(row->kind);
	struct mz_value v = { .taken = MZ_TAKEN_NOTHING };

	if (!row->argument)
		return v;
	v.taken = words ? MZ_TAKEN_WORDS : taken_of(row->argument);
	for (; words && *words; words++)
		put_word(v.words, sizeof(v.words), *words, strlen(*words));
	return v;
}

/* "bash|zsh|fish" are words, as they are small letters. */
struct mz_value mz_value_of_command(const struct mz_command_row *row)
{
	const char *p = row->arguments;
	struct mz_value v = { .taken = MZ_TAKEN_NOTHING };

	if (row->most == 0)
		return v;
	v.taken = taken_of(p);
	if (p[0] < 'a' || p[0] > 'z')
		return v;
	v.taken = MZ_TAKEN_WORDS;
	while (*p) {
		size_t n = strcspn(p, "|");

		put_word(v.words, sizeof(v.words), p, n);
		p += n;
		p += strspn(p, "|");
	}
	return v;
}

bool mz_option_is_global(const struct mz_option *row)
{
	return row->commands == MZ_ALL_COMMANDS;
}

bool mz_option_is_own(const struct mz_option *row, enum mz_command_id id)
{
	return !mz_option_is_global(row) && row->commands & (1u << id);
}

/* ---- text */

void mz_put_format(struct pgw_buf *b, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pgw_buf_put_text(b, text);
}

void mz_put_letters(struct pgw_buf *b, bool valued)
{
	for (int i = 0; i < MZ_OPTIONS; i++) {
		const struct mz_option *row = &mz_option_rows[i];

		if (row->letter && !!row->argument == valued)
			pgw_buf_put_u8(b, (uint8_t)row->letter);
	}
}

void mz_put_valued(struct pgw_buf *b, const char *between)
{
	const char *before = "";

	for (int i = 0; i < MZ_OPTIONS; i++) {
		const struct mz_option *row = &mz_option_rows[i];

		if (!row->argument)
			continue;
		mz_put_format(b, "%s--%s", before, row->name);
		before = between;
	}
}

void mz_put_folder_options(struct pgw_buf *b, const char *between,
			   const char *behind)
{
	static const enum mz_option_id ids[] = { MZ_OPT_dir, MZ_OPT_config,
						 MZ_OPT_env_file };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		mz_put_format(b, "%s--%s%s", i > 0 ? between : "",
			      mz_option_rows[ids[i]].name, behind);
}

void mz_put_quoted(struct pgw_buf *b, const char *text,
		   const struct mz_quoting *q)
{
	for (; *text; text++) {
		if (*text == '\'')
			pgw_buf_put_text(b, q->quote);
		else if (*text == '\\')
			pgw_buf_put_text(b, q->backslash);
		else
			pgw_buf_put(b, text, 1);
	}
}

/* ---- templates */

/* The part whose name begins at text, or NULL. */
static const struct mz_part *part_at(const char *text,
				     const struct mz_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(text, parts[i].name, strlen(parts[i].name)) == 0)
			return &parts[i];
	return NULL;
}

static void put_line(struct pgw_buf *b, const char *line,
		     const struct mz_part *parts, size_t nparts)
{
	while (*line) {
		const struct mz_part *part = part_at(line, parts, nparts);
		size_t n = 1 + strcspn(line + 1, "@");

		if (part) {
			part->put(b);
			line += strlen(part->name);
		} else {
			pgw_buf_put(b, line, n);
			line += n;
		}
	}
}

void mz_complete_put(struct pgw_buf *b, const char *const *lines,
		     const struct mz_part *parts, size_t n)
{
	for (; *lines; lines++)
		put_line(b, *lines, parts, n);
}
