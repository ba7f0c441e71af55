/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sql_lex.h"

#include <string.h>

/* -1 behind the end, so that a look ahead needs no check of its own. */
static int byte_at(const struct mz_lex *l, size_t at)
{
	return at < l->text.n ? l->text.p[at] : -1;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* Any byte of a character outside ASCII counts as a letter. */
static bool begins_word(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c >= 0x80;
}

static bool continues_tag(int c)
{
	return begins_word(c) || is_digit(c);
}

static bool continues_word(int c)
{
	return continues_tag(c) || c == '$';
}

static bool is_newline(int c)
{
	return c == '\n' || c == '\r';
}

static bool is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool fail(struct mz_lex *l, enum mz_sql_problem problem, size_t at)
{
	l->problem = problem;
	l->problem_at = at;
	return false;
}

static bool at_pair(const struct mz_lex *l, char first, char second)
{
	return byte_at(l, l->at) == first && byte_at(l, l->at + 1) == second;
}

/* The loops over many bytes count in a variable of their own. */
static void skip_line_comment(struct mz_lex *l)
{
	size_t at = l->at;

	while (at < l->text.n && !is_newline(l->text.p[at]))
		at++;
	l->at = at;
}

static bool skip_block_comment(struct mz_lex *l)
{
	size_t start = l->at, depth = 0;

	do {
		if (at_pair(l, '/', '*')) {
			depth++;
			l->at += 2;
		} else if (at_pair(l, '*', '/')) {
			depth--;
			l->at += 2;
		} else {
			l->at++;
		}
	} while (depth > 0 && l->at < l->text.n);
	return depth == 0 || fail(l, MZ_SQL_UNTERMINATED_COMMENT, start);
}

static void skip_spaces(struct mz_lex *l)
{
	size_t at = l->at;

	while (at < l->text.n && is_space(l->text.p[at]))
		at++;
	l->at = at;
}

static bool skip_blank(struct mz_lex *l)
{
	for (;;) {
		skip_spaces(l);
		if (at_pair(l, '-', '-'))
			skip_line_comment(l);
		else if (!at_pair(l, '/', '*'))
			return true;
		else if (!skip_block_comment(l))
			return false;
	}
}

/* Where c is in the text, from the byte at on, or its end. */
static size_t find(const struct mz_lex *l, size_t at, int c)
{
	const unsigned char *p = at < l->text.n ? memchr(l->text.p + at, c,
							 l->text.n - at) :
						  NULL;

	return p ? (size_t)(p - l->text.p) : l->text.n;
}

/* What a quote within quotes may be written with. */
enum pairs {
	PAIRS_NONE,
	PAIRS_QUOTES,	   /* twice */
	PAIRS_BACKSLASHES, /* or behind a backslash */
};

/* From behind an opening quote to behind the closing one. */
static bool skip_quoted(struct mz_lex *l, char quote, enum pairs pairs)
{
	size_t at = find(l, l->at, quote);

	while (pairs != PAIRS_NONE && byte_at(l, at + 1) == quote)
		at = find(l, at + 2, quote);
	l->at = at < l->text.n ? at + 1 : at;
	return at < l->text.n;
}

/* The same of '...' where a backslash makes a pair with what follows it. */
static bool skip_escaped(struct mz_lex *l)
{
	size_t at = l->at, quote = find(l, at, '\'');

	while (quote < l->text.n) {
		const unsigned char *p = l->text.p;
		const unsigned char *pair = memchr(p + at, '\\', quote - at);

		if (!pair && byte_at(l, quote + 1) != '\'') {
			l->at = quote + 1;
			return true;
		}
		at = (pair ? (size_t)(pair - p) : quote) + 2;
		if (at > quote)
			quote = find(l, at, '\'');
	}
	l->at = l->text.n;
	return false;
}

/*
 * A string goes on, under the same rules, in the next quotes if only blanks
 * with a line end among them are between; it matters for E'...'.
 */
static bool skip_to_continuation(struct mz_lex *l)
{
	size_t before = l->at;
	bool newline = false;

	for (;;) {
		int c = byte_at(l, l->at);

		if (c == '\'' && newline)
			break;
		if (is_space(c)) {
			newline |= is_newline(c);
			l->at++;
		} else if (at_pair(l, '-', '-')) {
			skip_line_comment(l);
		} else {
			l->at = before;
			return false;
		}
	}
	l->at++;
	return true;
}

/* l->at is behind the opening quote of a token that began at start. */
static bool string(struct mz_lex *l, struct mz_token *t, enum pairs pairs)
{
	t->kind = MZ_TOKEN_STRING;
	do {
		if (pairs == PAIRS_BACKSLASHES ? !skip_escaped(l) :
						 !skip_quoted(l, '\'', pairs))
			return fail(l, MZ_SQL_UNTERMINATED_QUOTE, t->start);
	} while (skip_to_continuation(l));
	return true;
}

static bool name(struct mz_lex *l, struct mz_token *t)
{
	t->kind = MZ_TOKEN_NAME;
	return skip_quoted(l, '"', PAIRS_QUOTES) ||
	       fail(l, MZ_SQL_UNTERMINATED_IDENTIFIER, t->start);
}

static enum pairs plain_pairs(const struct mz_lex *l)
{
	return l->backslashes ? PAIRS_BACKSLASHES : PAIRS_QUOTES;
}

/* Of the literal that the letter begins; B'' and X'' know no pairs. */
static enum pairs pairs_of(const struct mz_lex *l, int letter)
{
	if (letter == 'e')
		return PAIRS_BACKSLASHES;
	return letter == 'n' ? plain_pairs(l) : PAIRS_NONE;
}

static void skip_word(struct mz_lex *l)
{
	size_t at = l->at;

	while (at < l->text.n && continues_word(l->text.p[at]))
		at++;
	l->at = at;
}

/* A letter that is part of the literal behind it, or the start of a word. */
static bool word_or_literal(struct mz_lex *l, struct mz_token *t)
{
	int letter = byte_at(l, l->at) | 0x20, next = byte_at(l, l->at + 1);
	int third = byte_at(l, l->at + 2);

	if (next == '\'' && letter >= 'a' && strchr("ebxn", letter)) {
		l->at += 2;
		return string(l, t, pairs_of(l, letter));
	}
	if (letter == 'u' && next == '&' && (third == '\'' || third == '"')) {
		l->at += 3;
		return third == '"' ? name(l, t) : string(l, t, PAIRS_QUOTES);
	}
	t->kind = MZ_TOKEN_WORD;
	skip_word(l);
	return true;
}

static void skip_digits(struct mz_lex *l)
{
	size_t at = l->at;

	while (at < l->text.n && is_digit(l->text.p[at]))
		at++;
	l->at = at;
}

/* One without a sign is passed over with the words that are stuck to it. */
static void skip_exponent(struct mz_lex *l)
{
	int sign = byte_at(l, l->at + 1);

	if ((byte_at(l, l->at) | 0x20) == 'e' && (sign == '+' || sign == '-') &&
	    is_digit(byte_at(l, l->at + 2)))
		l->at += 2;
	skip_digits(l);
}

/* With what is stuck to it: .5, 1e5, 0x1f, 1_000, and also 1e'. */
static void number(struct mz_lex *l, struct mz_token *t)
{
	t->kind = MZ_TOKEN_NUMBER;
	skip_digits(l);
	if (byte_at(l, l->at) == '.')
		l->at++;
	skip_digits(l);
	skip_exponent(l);
	if (begins_word(byte_at(l, l->at)))
		skip_word(l);
}

static bool dollar(struct mz_lex *l, struct mz_token *t)
{
	const unsigned char *delimiter = l->text.p + l->at;
	size_t end = l->at + 1, n;

	if (begins_word(byte_at(l, end))) {
		while (continues_tag(byte_at(l, end)))
			end++;
	}
	if (byte_at(l, end) != '$') {
		t->kind = is_digit(byte_at(l, end)) ? MZ_TOKEN_NUMBER :
						      MZ_TOKEN_SYMBOL;
		l->at++;
		skip_digits(l); /* $1, or nonsense */
		return true;
	}
	t->kind = MZ_TOKEN_STRING;
	n = end + 1 - l->at;
	l->at = end + 1;
	for (;;) {
		const unsigned char *p = l->text.p + l->at;

		p = memchr(p, '$', l->text.n - l->at);
		if (!p || n > l->text.n - (size_t)(p - l->text.p))
			return fail(l, MZ_SQL_UNTERMINATED_DOLLAR, t->start);
		l->at = (size_t)(p - l->text.p) + 1;
		if (memcmp(p, delimiter, n) == 0)
			break;
	}
	l->at += n - 1;
	return true;
}

bool mz_lex_next(struct mz_lex *l, struct mz_token *t)
{
	bool ok = true;
	int c;

	if (l->problem != MZ_SQL_OK || !skip_blank(l) || l->at == l->text.n)
		return false;
	c = byte_at(l, l->at);
	t->start = l->at;
	if (begins_word(c)) {
		ok = word_or_literal(l, t);
	} else if (is_digit(c) ||
		   (c == '.' && is_digit(byte_at(l, l->at + 1)))) {
		number(l, t);
	} else if (c == '$') {
		ok = dollar(l, t);
	} else {
		l->at++;
		t->kind = MZ_TOKEN_SYMBOL;
		if (c == '\'')
			ok = string(l, t, plain_pairs(l));
		else if (c == '"')
			ok = name(l, t);
	}
	t->end = l->at;
	return ok;
}

bool mz_lex_same(struct pgw_view v, struct pgw_view lower)
{
	if (v.n != lower.n)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = v.p[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (c != lower.p[i])
			return false;
	}
	return true;
}
