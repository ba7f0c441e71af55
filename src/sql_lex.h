/* SPDX-License-Identifier: MIT */
/*
 * The tokens of PostgreSQL's SQL, as far as cutting a script needs them; for
 * those who look into a statement.  Where psql, which reads line by line, and
 * the server disagree, the server is followed.
 */
#ifndef MZ_SQL_LEX_H
#define MZ_SQL_LEX_H

#include "sql.h"

#include <string.h>

enum mz_token_kind {
	MZ_TOKEN_WORD,	 /* keyword or plain identifier */
	MZ_TOKEN_NAME,	 /* "...", U&"..." */
	MZ_TOKEN_STRING, /* '...' with any prefix, $tag$...$tag$ */
	MZ_TOKEN_NUMBER,
	MZ_TOKEN_SYMBOL, /* one byte of anything else */
};

struct mz_token {
	enum mz_token_kind kind;
	size_t start, end;
};

struct mz_lex {
	struct pgw_view text;
	size_t at;
	bool backslashes; /* '...' knows them, as E'...' always does */
	enum mz_sql_problem problem;
	size_t problem_at;
};

/* False at the end of the text, and on a problem, which l->problem tells. */
bool mz_lex_next(struct mz_lex *l, struct mz_token *t);

static inline struct pgw_view mz_lex_view(const struct mz_lex *l,
					  const struct mz_token *t)
{
	return (struct pgw_view){ l->text.p + t->start, t->end - t->start };
}

/* The bytes of v are those of lower but for the case of ASCII letters. */
bool mz_lex_same(struct pgw_view v, struct pgw_view lower);

/*
 * The token is this keyword, which is given in lower case.  What follows is
 * asked of each token, and so it is here.
 */
static inline bool mz_lex_is(const struct mz_lex *l, const struct mz_token *t,
			     const char *word)
{
	struct pgw_view lower = { (const unsigned char *)word, strlen(word) };

	return t->kind == MZ_TOKEN_WORD && t->end - t->start == lower.n &&
	       mz_lex_same(mz_lex_view(l, t), lower);
}

/* The symbol that the token is, or -1. */
static inline int mz_lex_symbol(const struct mz_lex *l,
				const struct mz_token *t)
{
	return t->kind == MZ_TOKEN_SYMBOL ? l->text.p[t->start] : -1;
}

static inline bool mz_lex_is_symbol(const struct mz_lex *l,
				    const struct mz_token *t, char symbol)
{
	return mz_lex_symbol(l, t) == symbol;
}

/* A name, with or without dots; name gets it as it is written. */
bool mz_lex_name(struct mz_lex *l, struct pgw_view *name);

/*
 * Patterns: words, compared with the statement's from its first one on, and
 *   [a b]  these words, if they are there    @  a name, with or without dots
 *   ()     a list in parentheses, if any      '  a string    $  the end
 * When it fits, l is behind what was compared.
 */
bool mz_sql_match(struct mz_lex *l, const char *pattern);
/*
 * The text at the backslash at is \restrict or \unrestrict, as pg_dump writes
 * it, and nothing else on its line; *end is the end of that.
 */
bool mz_sql_is_restrict(struct pgw_view text, size_t at, size_t *end);

/* Find the rows of st, a COPY; else there is a problem. */
bool mz_sql_find_rows(struct mz_sql *s, struct mz_sql_statement *st);

/* Fill kind and what; l is the statement, and stands at its start. */
void mz_sql_classify(const struct mz_lex *l, struct mz_sql_statement *st);

/* Follow the statement's SET standard_conforming_strings, if it is one. */
void mz_sql_follow(struct mz_lex l, bool *standard_conforming_strings);

#endif
