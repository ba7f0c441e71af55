/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "hazard_verbs.h"

#include <string.h>

static void tell(struct mz_finder *f, const struct mz_lex *l,
		 const struct mz_token *t, const struct mz_danger *d)
{
	struct mz_danger one = *d;

	one.at = (size_t)(l->text.p + t->start - f->start);
	f->sink->found(f->sink->ctx, &one);
}

/* ---- reading ahead */

/* The next token, unless the part of the statement ends: at ; or at ). */
static bool next(struct mz_finder *f, struct mz_lex *l, struct mz_token *t,
		 size_t *depth)
{
	struct mz_lex before = *l;

	if (f->left == 0 || !mz_lex_next(l, t))
		return false;
	f->left--;
	if (mz_lex_is_symbol(l, t, '(')) {
		(*depth)++;
	} else if (mz_lex_is_symbol(l, t, ')')) {
		if (*depth == 0) {
			*l = before;
			return false;
		}
		(*depth)--;
	} else if (mz_lex_is_symbol(l, t, ';') && *depth == 0) {
		*l = before;
		return false;
	}
	return true;
}

bool mz_hazard_skip(struct mz_lex *l, const char *word)
{
	struct mz_lex ahead = *l;
	struct mz_token t;

	if (!mz_lex_next(&ahead, &t) || !mz_lex_is(&ahead, &t, word))
		return false;
	*l = ahead;
	return true;
}

bool mz_hazard_skip_symbol(struct mz_lex *l, char symbol)
{
	struct mz_lex ahead = *l;
	struct mz_token t;

	if (!mz_lex_next(&ahead, &t) || !mz_lex_is_symbol(&ahead, &t, symbol))
		return false;
	*l = ahead;
	return true;
}

/* One or two words, a blank between them. */
static bool skip_words(struct mz_lex *l, const char *words)
{
	struct mz_lex ahead = *l;
	const char *blank = strchr(words, ' ');
	struct mz_token t;
	struct pgw_view first = { (const unsigned char *)words,
				  blank ? (size_t)(blank - words) :
					  strlen(words) };

	if (!mz_lex_next(&ahead, &t) || t.kind != MZ_TOKEN_WORD ||
	    !mz_lex_same(mz_lex_view(&ahead, &t), first) ||
	    (blank && !mz_hazard_skip(&ahead, blank + 1)))
		return false;
	*l = ahead;
	return true;
}

/* A name with its dots; of format() also %I and %1$I. */
static void skip_name(struct mz_lex *l)
{
	struct mz_token t;

	do {
		if (!mz_lex_next(l, &t))
			return;
		if (mz_lex_is_symbol(l, &t, '%') && !mz_lex_next(l, &t))
			return;
	} while (mz_hazard_skip_symbol(l, '.'));
	mz_hazard_skip_symbol(l, '*');
}

static bool is_at_end(struct mz_finder *f, struct mz_lex l)
{
	struct mz_token t;
	size_t depth = 0;

	return !next(f, &l, &t, &depth);
}

/* ---- CASCADE, WHERE */

/* Every CASCADE from here to the end, or to the comma of an action. */
static void find_cascade(struct mz_finder *f, struct mz_lex l, bool one_action)
{
	static const struct mz_danger cascade = {
		.what = "CASCADE",
		.why = "what depends on it goes with it, unseen",
		.destructive = true,
	};

	struct mz_token t;
	size_t depth = 0;

	while (next(f, &l, &t, &depth)) {
		if (one_action && depth == 0 && mz_lex_is_symbol(&l, &t, ','))
			return;
		if (depth == 0 && mz_lex_is(&l, &t, "cascade"))
			tell(f, &l, &t, &cascade);
	}
}

/* A condition that holds back nothing: true, at the end of all. */
static bool is_always(struct mz_finder *f, struct mz_lex l)
{
	return mz_hazard_skip(&l, "true") &&
	       (is_at_end(f, l) || mz_hazard_skip(&l, "returning"));
}

static bool has_where(struct mz_finder *f, struct mz_lex l)
{
	struct mz_token t;
	size_t depth = 0;

	while (next(f, &l, &t, &depth))
		if (depth == 0 && mz_lex_is(&l, &t, "where"))
			return !is_always(f, l);
	return false;
}

/* ---- DROP, TRUNCATE, DELETE, UPDATE, MERGE: l is behind that word */

static void on_drop(struct mz_finder *f, struct mz_lex l,
		    const struct mz_token *t)
{
	static const struct {
		const char *words;
		struct mz_danger danger;
	} kinds[] = {
		{ "table", { 0, "DROP TABLE", "its rows are lost", true } },
		{ "foreign table",
		  { 0, "DROP FOREIGN TABLE", "it is lost", true } },
		{ "materialized view",
		  { 0, "DROP MATERIALIZED VIEW", "its rows are lost", true } },
		{ "view", { 0, "DROP VIEW", "its definition is lost", true } },
		{ "schema",
		  { 0, "DROP SCHEMA", "what is in it is lost", true } },
		{ "database",
		  { 0, "DROP DATABASE", "everything in it is lost", true } },
		{ "type", { 0, "DROP TYPE", "its definition is lost", true } },
		{ "domain",
		  { 0, "DROP DOMAIN", "its definition is lost", true } },
		{ "sequence",
		  { 0, "DROP SEQUENCE", "where it stood is lost", true } },
		{ "extension",
		  { 0, "DROP EXTENSION", "what it brought is lost", true } },
		{ "owned by",
		  { 0, "DROP OWNED", "all that the role owns is lost", true } },
	};

	static const struct mz_danger unknown = {
		.what = "DROP",
		.why = "of what is only known when it runs",
		.destructive = true,
	};

	size_t i = 0;

	while (i < sizeof(kinds) / sizeof(kinds[0]) &&
	       !skip_words(&l, kinds[i].words))
		i++;
	if (i < sizeof(kinds) / sizeof(kinds[0]))
		tell(f, &l, t, &kinds[i].danger);
	else if (is_at_end(f, l) || mz_hazard_skip_symbol(&l, '%'))
		tell(f, &l, t, &unknown);
	find_cascade(f, l, false);
}

static void on_truncate(struct mz_finder *f, struct mz_lex l,
			const struct mz_token *t)
{
	static const struct mz_danger truncate = { 0, "TRUNCATE",
						   "all rows are lost", true };

	tell(f, &l, t, &truncate);
	find_cascade(f, l, false);
}

static void on_delete(struct mz_finder *f, struct mz_lex l,
		      const struct mz_token *t)
{
	static const struct mz_danger all = { 0, "DELETE without WHERE",
					      "all rows are lost", true };

	if (mz_hazard_skip(&l, "from") && !has_where(f, l))
		tell(f, &l, t, &all);
}

/* Filling a new column is done in this way, so it is no loss for sure. */
static void on_update(struct mz_finder *f, struct mz_lex l,
		      const struct mz_token *t)
{
	static const struct mz_danger all = { 0, "UPDATE without WHERE",
					      "every row is changed", false };

	struct mz_lex behind = l;
	struct mz_token s;
	size_t depth = 0;

	while (next(f, &behind, &s, &depth))
		if (depth == 0 && mz_lex_is(&behind, &s, "set")) {
			if (!has_where(f, behind))
				tell(f, &l, t, &all);
			return;
		}
}

static void on_merge(struct mz_finder *f, struct mz_lex l,
		     const struct mz_token *t)
{
	static const struct mz_danger deletes = {
		.what = "MERGE with DELETE",
		.why = "the rows that match are lost",
		.destructive = true,
	};

	struct mz_token s;
	size_t depth = 0;

	(void)t;
	while (next(f, &l, &s, &depth))
		if (depth == 0 && mz_lex_is(&l, &s, "then") &&
		    mz_hazard_skip(&l, "delete"))
			tell(f, &l, &s, &deletes);
}

/* ---- ALTER */

/* Behind DROP: a column, or the constraint or what else is no data. */
static void drop_action(struct mz_finder *f, struct mz_lex l,
			const struct mz_token *t)
{
	static const struct mz_danger column = { 0, "DROP COLUMN",
						 "its values are lost", true };

	if (!mz_hazard_skip(&l, "constraint"))
		tell(f, &l, t, &column);
	find_cascade(f, l, true);
}

static void drop_attribute(struct mz_finder *f, struct mz_lex l,
			   const struct mz_token *t)
{
	static const struct mz_danger attribute = {
		.what = "DROP ATTRIBUTE",
		.why = "its values are lost",
		.destructive = true,
	};

	if (mz_hazard_skip(&l, "attribute"))
		tell(f, &l, t, &attribute);
	find_cascade(f, l, true);
}

static void drop_constraint(struct mz_finder *f, struct mz_lex l,
			    const struct mz_token *t)
{
	(void)t;
	find_cascade(f, l, true);
}

/* Behind ALTER: [COLUMN] name [SET DATA] TYPE. */
static void alter_action(struct mz_finder *f, struct mz_lex l,
			 const struct mz_token *t)
{
	static const struct mz_danger type = {
		.what = "ALTER COLUMN TYPE",
		.why = "values may be cut or fail, and the table is rewritten",
		.destructive = true,
	};

	if (!mz_hazard_skip(&l, "column"))
		mz_hazard_skip(&l, "attribute");
	skip_name(&l);
	if (mz_hazard_skip(&l, "type") ||
	    (skip_words(&l, "set data") && mz_hazard_skip(&l, "type")))
		tell(f, &l, t, &type);
}

typedef void action_step(struct mz_finder *f, struct mz_lex l,
			 const struct mz_token *t);

struct altered {
	const char *words; /* behind ALTER */
	action_step *on_drop, *on_alter;
};

/* The actions, with commas between them; l is behind the name. */
static void find_actions(struct mz_finder *f, struct mz_lex l,
			 const struct altered *what)
{
	bool first = true; /* of an action */
	struct mz_token t;
	size_t depth = 0;

	while (next(f, &l, &t, &depth)) {
		if (first && mz_lex_is(&l, &t, "drop"))
			what->on_drop(f, l, &t);
		else if (first && mz_lex_is(&l, &t, "alter") && what->on_alter)
			what->on_alter(f, l, &t);
		first = depth == 0 && mz_lex_is_symbol(&l, &t, ',');
	}
}

static void on_alter(struct mz_finder *f, struct mz_lex l,
		     const struct mz_token *t)
{
	static const struct altered kinds[] = {
		{ "table", drop_action, alter_action },
		{ "foreign table", drop_action, alter_action },
		{ "type", drop_attribute, alter_action },
		{ "domain", drop_constraint, NULL },
	};

	(void)t;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!skip_words(&l, kinds[i].words))
			continue;
		skip_words(&l, "if exists");
		mz_hazard_skip(&l, "only");
		skip_name(&l);
		find_actions(f, l, &kinds[i]);
		return;
	}
}

/* ---- all of them */

static const struct {
	const char *word;
	action_step *step;
	bool rows; /* it may stand in WITH */
} verbs[] = {
	{ "drop", on_drop, false },    { "truncate", on_truncate, false },
	{ "alter", on_alter, false },  { "delete", on_delete, true },
	{ "update", on_update, true }, { "merge", on_merge, true },
};

void mz_hazard_look(struct mz_finder *f, const struct mz_lex *l,
		    const struct mz_token *t, bool rows_only)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if ((verbs[i].rows || !rows_only) &&
		    mz_lex_is(l, t, verbs[i].word))
			verbs[i].step(f, *l, t);
}
