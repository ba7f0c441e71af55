/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "hazard.h"

#include "hazard_verbs.h"

/* ---- where a statement can begin */

/* WITH x AS (DELETE ...), (DELETE ...) UPDATE ..., COPY (DELETE ...) TO */
static void find_in_lists(struct mz_finder *f, struct mz_lex l)
{
	bool behind = false; /* a bracket */
	struct mz_token t;

	while (mz_lex_next(&l, &t)) {
		if (behind)
			mz_hazard_look(f, &l, &t, true);
		behind = mz_lex_is_symbol(&l, &t, '(') ||
			 mz_lex_is_symbol(&l, &t, ')');
	}
}

/* A text that is SQL as a whole: what EXECUTE gets. */
static void find_in_text(struct mz_finder *f, struct mz_lex l)
{
	bool first = true;
	struct mz_token t;

	while (mz_lex_next(&l, &t)) {
		if (first)
			mz_hazard_look(f, &l, &t, false);
		first = mz_lex_is_symbol(&l, &t, ';');
	}
}

/* What is between the quotes of a string, whatever they are. */
static struct mz_lex inside(const struct mz_lex *l, const struct mz_token *t)
{
	struct pgw_view v = mz_lex_view(l, t);
	struct mz_lex in = { .backslashes = l->backslashes };
	size_t n = 0;

	if (v.p[0] == '$') {
		while (v.p[++n] != '$')
			continue;
		n++;
		in.text = (struct pgw_view){ v.p + n, v.n - 2 * n };
		return in;
	}
	while (v.p[n] != '\'')
		n++;
	in.text = (struct pgw_view){ v.p + n + 1, v.n - n - 2 };
	return in;
}

/* Words of PL/pgSQL behind which a statement begins. */
static bool opens(const struct mz_lex *l, const struct mz_token *t)
{
	static const char *const words[] = { "begin", "then", "else", "loop",
					     "in" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (mz_lex_is(l, t, words[i]))
			return true;
	return mz_lex_is_symbol(l, t, ';') || mz_lex_is_symbol(l, t, '>');
}

/* The body of DO. */
static void find_in_body(struct mz_finder *f, struct mz_lex l)
{
	bool first = true, bracket = false, executes = false;
	struct mz_token t;

	while (mz_lex_next(&l, &t)) {
		if (first || bracket)
			mz_hazard_look(f, &l, &t, !first);
		if (first)
			executes = mz_lex_is(&l, &t, "execute");
		if (executes && t.kind == MZ_TOKEN_STRING)
			find_in_text(f, inside(&l, &t));
		first = opens(&l, &t);
		bracket = mz_lex_is_symbol(&l, &t, '(') ||
			  mz_lex_is_symbol(&l, &t, ')');
	}
}

static void find_in_do(struct mz_finder *f, struct mz_lex l)
{
	struct mz_token t;

	while (mz_lex_next(&l, &t)) {
		if (mz_lex_is(&l, &t, "language")) {
			if (!mz_lex_next(&l, &t)) /* it may be in quotes */
				return;
		} else if (t.kind == MZ_TOKEN_STRING) {
			find_in_body(f, inside(&l, &t));
		}
	}
}

/* EXPLAIN runs its statement only with ANALYZE. */
static bool skip_explain(struct mz_lex *l)
{
	bool analyze = false;
	struct mz_token t;

	if (mz_hazard_skip_symbol(l, '(')) {
		while (mz_lex_next(l, &t) && !mz_lex_is_symbol(l, &t, ')'))
			analyze |= mz_lex_is(l, &t, "analyze") ||
				   mz_lex_is(l, &t, "analyse");
		return analyze;
	}
	for (;;) {
		if (mz_hazard_skip(l, "analyze") ||
		    mz_hazard_skip(l, "analyse"))
			analyze = true;
		else if (!mz_hazard_skip(l, "verbose"))
			return analyze;
	}
}

/* PREPARE name [(types)] AS. */
static bool skip_prepare(struct mz_lex *l)
{
	struct mz_token t;

	while (mz_lex_next(l, &t))
		if (mz_lex_is(l, &t, "as"))
			return true;
	return false;
}

void mz_hazard_find(struct pgw_view statement, bool backslashes,
		    const struct mz_danger_sink *sink)
{
	struct mz_finder f = { sink, statement.p, MOST_AHEAD };
	struct mz_lex l = { .text = statement, .backslashes = backslashes };
	struct mz_lex first;
	struct mz_token t;

	if (mz_hazard_skip(&l, "explain") && !skip_explain(&l))
		return;
	if (mz_hazard_skip(&l, "prepare") && !skip_prepare(&l))
		return;
	first = l;
	if (!mz_lex_next(&l, &t))
		return;
	if (mz_lex_is(&l, &t, "do"))
		find_in_do(&f, l);
	else if (mz_lex_is(&l, &t, "with") || mz_lex_is(&l, &t, "copy"))
		find_in_lists(&f, first);
	else
		mz_hazard_look(&f, &l, &t, false);
}
