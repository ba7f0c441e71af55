/* SPDX-License-Identifier: MIT */
/*
 * What kind of statement it is, from its keywords.  A row says it all but for
 * a few options in parentheses.
 */
#include <config.h>

#include "sql_lex.h"

#include <string.h>

/* The first row that fits (and of which applies says yes) counts. */
struct rule {
	const char *pattern; /* as mz_sql_match has them */
	enum mz_sql_kind kind;
	const char *what;
	bool (*applies)(struct mz_lex l); /* l is behind what was compared */
};

/* Option names and values may stand in quotes of either kind. */
static bool is_one_of(const struct mz_lex *l, const struct mz_token *t,
		      const char *const *words)
{
	struct pgw_view v = mz_lex_view(l, t);

	if (v.n >= 2 && (v.p[0] == '\'' || v.p[0] == '"'))
		v = (struct pgw_view){ v.p + 1, v.n - 2 };
	while (*words && !mz_lex_same(v, pgw_view_of(*words)))
		words++;
	return *words;
}

static bool is_off(const struct mz_lex *l, const struct mz_token *t)
{
	static const char *const words[] = { "off", "false", "no", "0", NULL };

	return is_one_of(l, t, words);
}

static bool is_on(const struct mz_lex *l, const struct mz_token *t)
{
	static const char *const words[] = { "on", "true",    "yes",
					     "1",  "default", NULL };

	return is_one_of(l, t, words);
}

enum option { OPTION_ABSENT, OPTION_ON, OPTION_OFF };

/* What the next list in parentheses, (a, b off, c = false), says of a. */
static enum option option(struct mz_lex l, const char *name)
{
	enum option found = OPTION_ABSENT;
	bool first = true, mine = false; /* of the tokens of one option */
	struct mz_token t;

	do {
		if (!mz_lex_next(&l, &t))
			return OPTION_ABSENT;
	} while (!mz_lex_is_symbol(&l, &t, '('));
	while (mz_lex_next(&l, &t) && !mz_lex_is_symbol(&l, &t, ')')) {
		if (first)
			mine = is_one_of(&l, &t,
					 (const char *[]){ name, NULL });
		if (first && mine)
			found = OPTION_ON;
		else if (mine && is_off(&l, &t))
			found = OPTION_OFF;
		first = mz_lex_is_symbol(&l, &t, ',');
	}
	return found;
}

static bool creates_slot(struct mz_lex l)
{
	return option(l, "create_slot") != OPTION_OFF &&
	       option(l, "connect") != OPTION_OFF;
}

static bool refreshes(struct mz_lex l)
{
	return option(l, "refresh") != OPTION_OFF;
}

static bool changes_slot(struct mz_lex l)
{
	return option(l, "failover") != OPTION_ABSENT ||
	       option(l, "two_phase") == OPTION_OFF;
}

static bool concurrently(struct mz_lex l)
{
	return option(l, "concurrently") == OPTION_ON;
}

/* COPY reads from STDOUT, too: the server's grammar takes either word. */
static const struct rule rules[] = {
	{ "begin", MZ_SQL_BEGIN, "BEGIN", NULL },
	{ "start transaction", MZ_SQL_BEGIN, "START TRANSACTION", NULL },
	{ "commit prepared", MZ_SQL_ALONE, "COMMIT PREPARED", NULL },
	{ "commit [work] [transaction] and chain", MZ_SQL_COMMIT,
	  "COMMIT AND CHAIN", NULL },
	{ "commit", MZ_SQL_COMMIT, "COMMIT", NULL },
	{ "end [work] [transaction] and chain", MZ_SQL_COMMIT, "END AND CHAIN",
	  NULL },
	{ "end", MZ_SQL_COMMIT, "END", NULL },
	{ "prepare transaction '", MZ_SQL_COMMIT, "PREPARE TRANSACTION", NULL },
	{ "rollback prepared", MZ_SQL_ALONE, "ROLLBACK PREPARED", NULL },
	{ "rollback [work] [transaction] to", MZ_SQL_SAVEPOINT, "ROLLBACK TO",
	  NULL },
	{ "rollback [work] [transaction] and chain", MZ_SQL_ROLLBACK,
	  "ROLLBACK AND CHAIN", NULL },
	{ "rollback", MZ_SQL_ROLLBACK, "ROLLBACK", NULL },
	{ "abort [work] [transaction] and chain", MZ_SQL_ROLLBACK,
	  "ABORT AND CHAIN", NULL },
	{ "abort", MZ_SQL_ROLLBACK, "ABORT", NULL },
	{ "savepoint", MZ_SQL_SAVEPOINT, "SAVEPOINT", NULL },
	{ "release", MZ_SQL_SAVEPOINT, "RELEASE", NULL },

	{ "create [unique] index concurrently", MZ_SQL_ALONE,
	  "CREATE INDEX CONCURRENTLY", NULL },
	{ "drop index concurrently", MZ_SQL_ALONE, "DROP INDEX CONCURRENTLY",
	  NULL },
	{ "reindex () index concurrently", MZ_SQL_ALONE, "REINDEX CONCURRENTLY",
	  NULL },
	{ "reindex () table concurrently", MZ_SQL_ALONE, "REINDEX CONCURRENTLY",
	  NULL },
	{ "reindex () schema", MZ_SQL_ALONE, "REINDEX SCHEMA", NULL },
	{ "reindex () database", MZ_SQL_ALONE, "REINDEX DATABASE", NULL },
	{ "reindex () system", MZ_SQL_ALONE, "REINDEX SYSTEM", NULL },
	{ "reindex", MZ_SQL_ALONE, "REINDEX CONCURRENTLY", concurrently },
	{ "alter table [if exists] [only] @ detach partition @ concurrently",
	  MZ_SQL_ALONE, "ALTER TABLE DETACH PARTITION CONCURRENTLY", NULL },
	{ "vacuum", MZ_SQL_ALONE, "VACUUM", NULL },
	{ "cluster [verbose] () $", MZ_SQL_ALONE, "CLUSTER", NULL },
	{ "create database", MZ_SQL_ALONE, "CREATE DATABASE", NULL },
	{ "drop database", MZ_SQL_ALONE, "DROP DATABASE", NULL },
	{ "alter database @ set tablespace", MZ_SQL_ALONE,
	  "ALTER DATABASE SET TABLESPACE", NULL },
	{ "alter database @ [with] tablespace", MZ_SQL_ALONE,
	  "ALTER DATABASE SET TABLESPACE", NULL },
	{ "create tablespace", MZ_SQL_ALONE, "CREATE TABLESPACE", NULL },
	{ "drop tablespace", MZ_SQL_ALONE, "DROP TABLESPACE", NULL },
	{ "create subscription", MZ_SQL_ALONE, "CREATE SUBSCRIPTION",
	  creates_slot },
	{ "drop subscription", MZ_SQL_ALONE, "DROP SUBSCRIPTION", NULL },
	{ "alter subscription @ refresh", MZ_SQL_ALONE,
	  "ALTER SUBSCRIPTION REFRESH", NULL },
	{ "alter subscription @ set publication", MZ_SQL_ALONE,
	  "ALTER SUBSCRIPTION SET PUBLICATION", refreshes },
	{ "alter subscription @ add publication", MZ_SQL_ALONE,
	  "ALTER SUBSCRIPTION ADD PUBLICATION", refreshes },
	{ "alter subscription @ drop publication", MZ_SQL_ALONE,
	  "ALTER SUBSCRIPTION DROP PUBLICATION", refreshes },
	{ "alter subscription @ set", MZ_SQL_ALONE, "ALTER SUBSCRIPTION SET",
	  changes_slot },
	{ "alter system", MZ_SQL_ALONE, "ALTER SYSTEM", NULL },
	{ "discard all", MZ_SQL_ALONE, "DISCARD ALL", NULL },

	{ "copy [binary] @ () from stdin", MZ_SQL_COPY_STDIN, "COPY FROM STDIN",
	  NULL },
	{ "copy [binary] @ () from stdout", MZ_SQL_COPY_STDIN,
	  "COPY FROM STDIN", NULL },
	{ "alter type @ add value", MZ_SQL_PLAIN, "ALTER TYPE ADD VALUE",
	  NULL },
	{ "call", MZ_SQL_PLAIN, "CALL", NULL },
	{ "do", MZ_SQL_PLAIN, "DO", NULL },
};

bool mz_lex_name(struct mz_lex *l, struct pgw_view *name)
{
	struct mz_lex ahead;
	struct mz_token t;

	*name = (struct pgw_view){ NULL, 0 };
	do {
		if (!mz_lex_next(l, &t) ||
		    (t.kind != MZ_TOKEN_WORD && t.kind != MZ_TOKEN_NAME))
			return false;
		if (!name->p)
			name->p = l->text.p + t.start;
		name->n = (size_t)(l->text.p + t.end - name->p);
		ahead = *l;
		if (!mz_lex_next(&ahead, &t) || !mz_lex_is_symbol(l, &t, '.'))
			return true;
		*l = ahead;
	} while (true);
}

/* True in any case: the list may be absent. */
static bool skip_list(struct mz_lex *l)
{
	struct mz_lex ahead = *l;
	struct mz_token t;
	size_t depth = 0;

	while (mz_lex_next(&ahead, &t)) {
		if (mz_lex_is_symbol(&ahead, &t, '('))
			depth++;
		else if (mz_lex_is_symbol(&ahead, &t, ')') && depth > 0)
			depth--;
		else if (depth == 0)
			break;
		if (depth == 0) {
			*l = ahead;
			break;
		}
	}
	return true;
}

static bool skip_string(struct mz_lex *l)
{
	struct mz_token t;

	return mz_lex_next(l, &t) && t.kind == MZ_TOKEN_STRING;
}

static bool skip_word(struct mz_lex *l, struct pgw_view word)
{
	struct mz_token t;

	return mz_lex_next(l, &t) && t.kind == MZ_TOKEN_WORD &&
	       mz_lex_same(mz_lex_view(l, &t), word);
}

static bool at_end(struct mz_lex *l)
{
	struct mz_token t;

	return !mz_lex_next(l, &t);
}

/* The next element of a pattern; *p is moved behind it and its blank. */
static struct pgw_view next_element(const char **p)
{
	struct pgw_view v = { (const unsigned char *)*p, strcspn(*p, " ]") };

	*p += v.n;
	*p += strspn(*p, " ");
	return v;
}

static void skip_optional_words(struct mz_lex *l, const char **p)
{
	struct mz_lex ahead = *l;
	bool all = true;

	(*p)++;
	while (**p != ']')
		all = skip_word(&ahead, next_element(p)) && all;
	(*p)++;
	*p += strspn(*p, " ");
	if (all)
		*l = ahead;
}

static bool skip_element(struct mz_lex *l, struct pgw_view element)
{
	struct pgw_view name;

	switch (element.p[0]) {
	case '@':
		return mz_lex_name(l, &name);
	case '(':
		return skip_list(l);
	case '\'':
		return skip_string(l);
	case '$':
		return at_end(l);
	default:
		return skip_word(l, element);
	}
}

bool mz_sql_match(struct mz_lex *l, const char *pattern)
{
	while (*pattern) {
		if (*pattern == '[')
			skip_optional_words(l, &pattern);
		else if (!skip_element(l, next_element(&pattern)))
			return false;
	}
	return true;
}

static bool rule_fits(const struct rule *r, struct mz_lex l)
{
	return mz_sql_match(&l, r->pattern) && (!r->applies || r->applies(l));
}

void mz_sql_classify(const struct mz_lex *l, struct mz_sql_statement *st)
{
	struct mz_lex behind = *l;
	struct mz_token first;

	st->kind = MZ_SQL_PLAIN;
	st->what = NULL;
	if (!mz_lex_next(&behind, &first))
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const char *pattern = rules[i].pattern;

		/* most statements end here: no row begins with their word */
		if (!mz_lex_same(mz_lex_view(l, &first),
				 next_element(&pattern)))
			continue;
		if (rule_fits(&rules[i], *l)) {
			st->kind = rules[i].kind;
			st->what = rules[i].what;
			return;
		}
	}
}

void mz_sql_follow(struct mz_lex l, bool *standard_conforming_strings)
{
	struct mz_token t;

	if (!mz_sql_match(
		    &l, "set [session] [local] standard_conforming_strings") ||
	    !mz_lex_next(&l, &t) || !mz_lex_next(&l, &t))
		return;
	if (is_off(&l, &t))
		*standard_conforming_strings = false;
	else if (is_on(&l, &t))
		*standard_conforming_strings = true;
}
