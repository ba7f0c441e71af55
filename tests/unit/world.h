/* SPDX-License-Identifier: MIT */
/*
 * Folders and histories as words.  A migration is TAG:HASH:WHEN, a row is
 * HASH:WHEN[:NAME] ("-" is NULL), and a plan is the states of the folder's
 * migrations, then "missing" once for each row that nothing matches.
 */
#ifndef WORLD_H
#define WORLD_H

#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 16

struct world {
	struct mz_arena arena;
	struct mz_migration migrations[MANY];
	struct mz_row rows[MANY];
	struct mz_folder folder;
	struct mz_history history;
	struct mz_plan plan;
};

static inline char *next_word(char **rest)
{
	char *word = strtok_r(NULL, " ", rest);

	return word;
}

static inline void add_migration(struct world *w, char *word)
{
	struct mz_migration *m = &w->migrations[w->folder.count++];
	char *rest = NULL;

	m->tag = strtok_r(word, ":", &rest);
	snprintf(m->hash, sizeof(m->hash), "%s", strtok_r(NULL, ":", &rest));
	m->when = strtoll(strtok_r(NULL, ":", &rest), NULL, 10);
}

static inline void add_row(struct world *w, char *word)
{
	struct mz_row *r = &w->rows[w->history.count++];
	char *rest = NULL;
	const char *when;

	r->id = (int64_t)w->history.count;
	r->hash = strtok_r(word, ":", &rest);
	when = strtok_r(NULL, ":", &rest);
	r->has_when = strcmp(when, "-") != 0;
	r->when = r->has_when ? strtoll(when, NULL, 10) : 0;
	r->name = strtok_r(NULL, ":", &rest);
	if (r->name)
		w->history.shape = MZ_SHAPE_COLUMNS_5;
	if (r->name && strcmp(r->name, "-") == 0)
		r->name = NULL;
}

/* "H-crlf" is what H becomes when line ends change. */
static inline bool is_eol(void *ctx, size_t i, const char *hash)
{
	struct world *w = ctx;
	size_t n = strlen(w->migrations[i].hash);

	return strncmp(hash, w->migrations[i].hash, n) == 0 &&
	       strcmp(hash + n, "-crlf") == 0;
}

static inline void make_world(struct world *w, enum mz_layout layout,
			      const char *folder, const char *history)
{
	char *text, *rest = NULL;

	memset(w, 0, sizeof(*w));
	mz_arena_init(&w->arena);
	w->folder = (struct mz_folder){ .dir = "drizzle",
					.layout = layout,
					.migrations = w->migrations };
	w->history.rows = w->rows;
	w->history.shape = MZ_SHAPE_COLUMNS_3;
	text = mz_strdup(&w->arena, folder);
	for (char *s = strtok_r(text, " ", &rest); s; s = next_word(&rest))
		add_migration(w, s);
	text = mz_strdup(&w->arena, history);
	for (char *s = strtok_r(text, " ", &rest); s; s = next_word(&rest))
		add_row(w, s);
	mz_plan_make(&w->plan, &w->arena, &w->folder, &w->history,
		     &(struct mz_eol){ is_eol, w });
}

static inline const char *states(struct world *w)
{
	const char *text = "";

	for (size_t i = 0; i < w->plan.listed; i++)
		text = mz_printf(&w->arena, "%s%s%s", text, i ? " " : "",
				 mz_state_name(w->plan.list[i].state));
	return text;
}

#define JOURNAL MZ_LAYOUT_JOURNAL
#define FOLDERS MZ_LAYOUT_FOLDERS

#endif
