/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sql_trait.h"

#include "sql_lex.h"

#include <string.h>

static struct mz_lex lex_of(const struct mz_sql_text *s)
{
	return (struct mz_lex){ .text = s->statement,
				.backslashes = s->backslashes };
}

static bool matches(const struct mz_sql_text *s, const char *pattern)
{
	struct mz_lex l = lex_of(s);

	return mz_sql_match(&l, pattern);
}

bool mz_sql_sets_session(const struct mz_sql_text *s)
{
	if (matches(s, "set local") || matches(s, "set constraints") ||
	    matches(s, "set transaction"))
		return false;
	return matches(s, "set") || matches(s, "reset") ||
	       matches(s, "discard all") || matches(s, "select set_config") ||
	       matches(s, "select pg_catalog . set_config");
}

bool mz_sql_is_call(const char *what)
{
	return what && (strcmp(what, "CALL") == 0 || strcmp(what, "DO") == 0);
}

/* What stands between the quotes of '...'; other strings have no such. */
static struct pgw_view inner(const struct mz_lex *l, const struct mz_token *t)
{
	struct pgw_view v = mz_lex_view(l, t);

	if (t->kind != MZ_TOKEN_STRING || v.n < 2 || v.p[0] != '\'')
		return (struct pgw_view){ NULL, 0 };
	return (struct pgw_view){ v.p + 1, v.n - 2 };
}

bool mz_sql_adds_value(const struct mz_sql_text *s, struct pgw_view *value)
{
	struct mz_lex l = lex_of(s);
	struct mz_token t;

	if (!mz_sql_match(&l, "alter type @ add value [if not exists]") ||
	    !mz_lex_next(&l, &t))
		return false;
	*value = inner(&l, &t);
	return value->p;
}

static bool same(struct pgw_view a, struct pgw_view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* 'value', in its quotes, anywhere in v. */
static bool quotes(struct pgw_view v, struct pgw_view value)
{
	const unsigned char *p = v.p, *end = v.p + v.n;

	while (value.n > 0 && (size_t)(end - p) >= value.n + 2 &&
	       (p = memmem(p, (size_t)(end - p), value.p, value.n))) {
		if (p > v.p && p[-1] == '\'' && p + value.n < end &&
		    p[value.n] == '\'')
			return true;
		p++;
	}
	return false;
}

bool mz_sql_uses_value(const struct mz_sql_text *s, struct pgw_view value)
{
	struct mz_lex l = lex_of(s);
	struct mz_token t;

	if (matches(s, "alter type @ add value"))
		return false; /* it may only say where another one goes */
	while (mz_lex_next(&l, &t))
		if (t.kind == MZ_TOKEN_STRING &&
		    (same(inner(&l, &t), value) ||
		     quotes(mz_lex_view(&l, &t), value)))
			return true;
	return false;
}
