/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sql.h"
#include "sql_lex.h"

#include <string.h>

/* How far a statement looks like CREATE [OR REPLACE] FUNCTION | PROCEDURE. */
enum head {
	HEAD_NOTHING,
	HEAD_CREATE,
	HEAD_OR,
	HEAD_REPLACE,
	HEAD_ROUTINE,
	HEAD_OTHER,
};

/* The token before; after a dot or AS a keyword is only a name. */
enum before { BEFORE_OTHER, BEFORE_NAME, BEFORE_ATOMIC };

/* So many bytes are looked at again rather than noted that they were. */
#define PART 4096

static unsigned char next_head(unsigned char head, const struct mz_lex *l,
			       const struct mz_token *word)
{
	static const struct {
		unsigned char from, to; /* of head */
		const char *word;
	} steps[] = {
		{ HEAD_NOTHING, HEAD_CREATE, "create" },
		{ HEAD_CREATE, HEAD_OR, "or" },
		{ HEAD_OR, HEAD_REPLACE, "replace" },
		{ HEAD_CREATE, HEAD_ROUTINE, "function" },
		{ HEAD_CREATE, HEAD_ROUTINE, "procedure" },
		{ HEAD_REPLACE, HEAD_ROUTINE, "function" },
		{ HEAD_REPLACE, HEAD_ROUTINE, "procedure" },
	};

	if (head == HEAD_ROUTINE || head == HEAD_OTHER)
		return head;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].from == head && mz_lex_is(l, word, steps[i].word))
			return steps[i].to;
	}
	return HEAD_OTHER;
}

static bool opens_block(const struct mz_sql_nesting *n, const struct mz_lex *l,
			const struct mz_token *word)
{
	if (n->before == BEFORE_ATOMIC && mz_lex_is(l, word, "atomic"))
		return true;
	return n->blocks > 0 && mz_lex_is(l, word, "case");
}

static void count_blocks(struct mz_sql_nesting *n, const struct mz_lex *l,
			 const struct mz_token *word)
{
	if (n->head != HEAD_ROUTINE || n->parens > 0 ||
	    n->before == BEFORE_NAME)
		return;
	if (opens_block(n, l, word))
		n->blocks++;
	else if (n->blocks > 0 && mz_lex_is(l, word, "end"))
		n->blocks--;
}

static void nest_word(struct mz_sql_nesting *n, const struct mz_lex *l,
		      const struct mz_token *word)
{
	n->head = next_head(n->head, l, word);
	count_blocks(n, l, word);
	if (mz_lex_is(l, word, "as"))
		n->before = BEFORE_NAME;
	else if (mz_lex_is(l, word, "begin"))
		n->before = BEFORE_ATOMIC;
	else
		n->before = BEFORE_OTHER;
}

static void nest(struct mz_sql_nesting *n, const struct mz_lex *l,
		 const struct mz_token *t)
{
	int symbol = mz_lex_symbol(l, t);

	if (t->kind == MZ_TOKEN_WORD) {
		nest_word(n, l, t);
		return;
	}
	if (symbol == '(')
		n->parens++;
	else if (symbol == ')' && n->parens > 0)
		n->parens--;
	n->before = symbol == '.' ? BEFORE_NAME : BEFORE_OTHER;
}

/* Lines are counted once, however many statements there are. */
static size_t line_of(struct mz_sql *s, size_t at)
{
	if (at > s->line_at)
		s->line += mz_sql_lines((struct pgw_view){
			s->text.p + s->line_at, at - s->line_at });
	s->line_at = at;
	return s->line;
}

void mz_sql_count_lines(struct mz_sql *s)
{
	line_of(s, s->at);
}

/* On, behind the rows, whose lines were counted when they were taken. */
static void go_behind_rows(struct mz_sql *s)
{
	if (s->rows_apart) {
		line_of(s, s->line_end);
		s->line += s->row_lines;
		s->line_at = s->resume;
		s->row_lines = 0;
	}
	s->at = s->resume;
	s->resume = 0;
}

static bool problem(struct mz_sql *s, enum mz_sql_problem what, size_t at)
{
	s->problem = what;
	s->problem_at = at;
	return false;
}

static bool finish(struct mz_sql *s, struct mz_sql_statement *st)
{
	struct mz_lex l = {
		.text = { s->text.p, st->end },
		.at = st->start,
		.backslashes = !s->standard_conforming_strings,
	};

	mz_sql_classify(&l, st);
	mz_sql_follow(l, &s->standard_conforming_strings);
	if (s->copy_data && st->kind == MZ_SQL_COPY_STDIN &&
	    !mz_sql_find_rows(s, st))
		return problem(s, MZ_SQL_UNTERMINATED_COPY, st->start);
	st->count = ++s->count;
	st->line = line_of(s, st->start);
	return true;
}

void mz_sql_init(struct mz_sql *s, struct pgw_view text)
{
	*s = (struct mz_sql){
		.text = text,
		.line = 1,
		.standard_conforming_strings = true,
	};
}

/* A backslash outside of quotes: a line of pg_dump's is passed over. */
static bool pass_command(struct mz_sql *s, struct mz_lex *l, size_t at,
			 bool inside)
{
	size_t end;

	if (inside || (at > 0 && l->text.p[at - 1] != '\n') ||
	    !mz_sql_is_restrict(l->text, at, &end))
		return problem(s, MZ_SQL_BACKSLASH, at);
	l->at = end;
	return true;
}

/* Whatever follows it, a symbol is one. */
static void note_part(struct mz_sql *s, const struct mz_lex *l,
		      const struct mz_sql_statement *st,
		      const struct mz_sql_nesting *n, int symbol)
{
	if (symbol >= 0 && l->at - s->seen.at >= PART)
		s->seen = (struct mz_sql_part){ .from = s->at,
						.at = l->at,
						.start = st->start,
						.end = st->end,
						.nesting = *n };
}

void mz_sql_back(struct mz_sql *s, const struct mz_sql *before)
{
	struct mz_sql_part seen = s->seen;

	*s = *before;
	s->seen = seen;
}

/* Where l and st were, if this is looked for again. */
static struct mz_sql_nesting go_on(struct mz_sql *s, struct mz_lex *l,
				   struct mz_sql_statement *st)
{
	if (s->seen.from != s->at || s->seen.at < s->at)
		s->seen = (struct mz_sql_part){ .from = s->at, .at = s->at };
	l->at = s->seen.at;
	*st = (struct mz_sql_statement){ .start = s->seen.start,
					 .end = s->seen.end };
	return s->seen.nesting;
}

/* From s->at on; st->end stays 0 when there is none before the end. */
static bool find_statement(struct mz_sql *s, struct mz_lex *l,
			   struct mz_sql_statement *st)
{
	struct mz_sql_nesting n = go_on(s, l, st);
	struct mz_token t;

	while (!st->ended && mz_lex_next(l, &t)) {
		bool inside = st->end > 0;
		int symbol = mz_lex_symbol(l, &t);

		if (symbol == '\\' && s->backslash) {
			if (!pass_command(s, l, t.start, inside))
				return false;
		} else if (symbol == ';' && n.parens == 0 && n.blocks == 0) {
			st->ended = inside;
		} else {
			if (!inside)
				st->start = t.start;
			st->end = t.end;
			nest(&n, l, &t);
			note_part(s, l, st, &n, symbol);
		}
	}
	s->at = l->at;
	return l->problem == MZ_SQL_OK || problem(s, l->problem, l->problem_at);
}

/* On the rest of a COPY's line; what is open at its end is cut in two. */
static bool find_whole(struct mz_sql *s, struct mz_lex *l,
		       struct mz_sql_statement *st)
{
	find_statement(s, l, st);
	if (s->problem != MZ_SQL_OK && s->problem != MZ_SQL_BACKSLASH)
		s->problem = MZ_SQL_CUT_BY_COPY;
	else if (s->problem == MZ_SQL_OK && st->end > 0 && !st->ended)
		problem(s, MZ_SQL_CUT_BY_COPY, st->start);
	return s->problem == MZ_SQL_OK;
}

bool mz_sql_next(struct mz_sql *s, struct mz_sql_statement *st)
{
	while (s->problem == MZ_SQL_OK) {
		bool behind = s->resume > 0;
		struct mz_lex l = {
			.text = { s->text.p, behind ? s->line_end : s->text.n },
			.at = s->at,
			.backslashes = !s->standard_conforming_strings,
		};

		if (!(behind ? find_whole(s, &l, st) :
			       find_statement(s, &l, st)))
			return false;
		if (st->end > 0)
			return finish(s, st);
		if (!behind)
			return false;
		go_behind_rows(s);
	}
	return false;
}

const char *mz_sql_problem_text(enum mz_sql_problem problem)
{
	switch (problem) {
	case MZ_SQL_OK:
		break;
	case MZ_SQL_UNTERMINATED_QUOTE:
		return "unterminated quoted string";
	case MZ_SQL_UNTERMINATED_IDENTIFIER:
		return "unterminated quoted identifier";
	case MZ_SQL_UNTERMINATED_DOLLAR:
		return "unterminated dollar-quoted string";
	case MZ_SQL_UNTERMINATED_COMMENT:
		return "unterminated /* comment";
	case MZ_SQL_UNTERMINATED_COPY:
		return "COPY data without its end";
	case MZ_SQL_CUT_BY_COPY:
		return "statement that is cut in two by COPY data";
	case MZ_SQL_BACKSLASH:
		return "command of psql";
	}
	return "no problem";
}
