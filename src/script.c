/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "script.h"

#include "sql.h"
#include "sql_lex.h"

#include <stdio.h>
#include <string.h>

static bool starts(struct pgw_view v, const char *with)
{
	size_t n = strlen(with);

	return v.n >= n && memcmp(v.p, with, n) == 0;
}

static bool found(struct mz_script_problem *p, size_t at, const char *message,
		  const char *hint)
{
	p->at = at;
	snprintf(p->message, sizeof(p->message), "%s", message);
	p->hint = hint;
	return true;
}

/* ---- bytes */

static bool find_utf16(struct pgw_view text, struct mz_script_problem *p)
{
	if (!starts(text, "\xff\xfe") && !starts(text, "\xfe\xff"))
		return false;
	return found(p, 0, "is UTF-16, not UTF-8",
		     "save it as UTF-8 without BOM; PowerShell's > writes "
		     "UTF-16");
}

static bool find_bom(struct pgw_view text, struct mz_script_problem *p)
{
	if (!starts(text, "\xef\xbb\xbf"))
		return false;
	return found(p, 0,
		     "begins with a byte order mark (BOM), which is a syntax "
		     "error for the server",
		     "save it as UTF-8 without BOM");
}

static bool find_bad_utf8(struct pgw_view text, struct mz_script_problem *p)
{
	size_t bad;

	if (pgw_utf8_valid(text, &bad))
		return false;
	return found(p, bad, "is not valid UTF-8 here",
		     "save it as UTF-8; it may be in Latin-1 or another "
		     "encoding now");
}

static bool find_nul(struct pgw_view text, struct mz_script_problem *p)
{
	const unsigned char *at = text.n ? memchr(text.p, '\0', text.n) : NULL;

	if (!at)
		return false;
	return found(p, (size_t)(at - text.p),
		     "has a NUL byte, which the protocol cannot carry",
		     "remove it; in an E'...' string nothing can stand for "
		     "it");
}

/* ---- merge conflicts */

static bool is_marker(struct pgw_view line)
{
	return starts(line, "<<<<<<< ") || starts(line, ">>>>>>> ") ||
	       starts(line, "||||||| ") || starts(line, "=======\n") ||
	       starts(line, "=======\r\n");
}

/* The next line from at on, before end, that looks like a marker, or end. */
static size_t next_marker(struct pgw_view text, size_t at, size_t end)
{
	while (at < end) {
		struct pgw_view rest = { text.p + at, text.n - at };
		const unsigned char *lf;

		if ((at == 0 || text.p[at - 1] == '\n') && is_marker(rest))
			return at;
		lf = memchr(rest.p, '\n', rest.n);
		at = lf ? (size_t)(lf - text.p) + 1 : text.n;
	}
	return end;
}

bool mz_script_has_markers(struct pgw_view lines)
{
	return next_marker(lines, 0, lines.n) < lines.n;
}

/* In a string or in a comment such a line means nothing. */
size_t mz_script_conflict_within(struct pgw_view text, size_t from, size_t end)
{
	size_t marker = next_marker(text, from, end);
	struct mz_lex l = { .text = { text.p, end }, .at = from };
	struct mz_token t;

	while (marker < end && mz_lex_next(&l, &t)) {
		while (marker < t.start)
			marker = next_marker(text, marker + 1, end);
		if (marker == t.start && t.kind == MZ_TOKEN_SYMBOL)
			return marker;
		while (marker < t.end)
			marker = next_marker(text, marker + 1, end);
	}
	return end;
}

/*
 * Nor does it among the rows of a COPY.  A chunk may begin in the midst of a
 * line, so that the text around it is needed; its end when there is none.
 */
static size_t conflict_in_chunk(struct pgw_view text, struct pgw_view chunk)
{
	size_t base = (size_t)(chunk.p - text.p), from = base, at;
	struct mz_sql_statement st;
	struct mz_sql s;

	mz_sql_init(&s, chunk);
	s.copy_data = s.backslash = true;
	while (mz_sql_next(&s, &st)) {
		if (st.data_start == 0)
			continue;
		at = mz_script_conflict_within(text, from,
					       base + st.data_start);
		if (at < base + st.data_start)
			return at;
		from = base + st.data_end;
	}
	return mz_script_conflict_within(text, from, base + chunk.n);
}

size_t mz_script_conflict(struct pgw_view text)
{
	struct pgw_view rest = text, chunk;

	if (next_marker(text, 0, text.n) == text.n)
		return text.n;
	while (mz_folder_next_chunk(&rest, &chunk)) {
		size_t at = conflict_in_chunk(text, chunk);

		if (at < (size_t)(chunk.p - text.p) + chunk.n)
			return at;
	}
	return text.n;
}

void mz_script_describe_conflict(struct mz_script_problem *p)
{
	p->rule = "conflict";
	snprintf(p->message, sizeof(p->message),
		 "has an unresolved merge conflict");
	p->hint = "keep what is wanted of both sides and remove the lines "
		  "with <<<<<<<, ======= and >>>>>>>";
}

static bool find_conflict(struct pgw_view text, struct mz_script_problem *p)
{
	p->at = mz_script_conflict(text);
	if (p->at == text.n)
		return false;
	mz_script_describe_conflict(p);
	return true;
}

/* ---- quotes and comments without an end */

bool mz_script_is_introspection(struct pgw_view text)
{
	return starts(text, "-- Current sql file was generated after "
			    "introspecting the database");
}

static const char *command_hint(struct pgw_view name)
{
	static const struct {
		const char *name, *hint;
	} hints[] = {
		{ ".", "it ends the rows of a COPY ... FROM STDIN, but none is "
		       "before it" },
		{ "copy", "write COPY ... FROM STDIN with the rows behind it, "
			  "or let the server read the file" },
		{ "connect", "run what follows for itself, with the --url of "
			     "that database" },
		{ "c", "run what follows for itself, with the --url of that "
		       "database" },
		{ "i", "put the statements of that file here" },
		{ "ir", "put the statements of that file here" },
		{ "g", "end the statement with a semicolon" },
		{ "set", "psql's variables are not known here: write the "
			 "values" },
	};

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (pgw_view_is(name, hints[i].name))
			return hints[i].hint;
	return "this runs SQL only: remove it, or use psql";
}

static void describe_command(const struct mz_sql *s,
			     struct mz_script_problem *p)
{
	struct pgw_view name = mz_sql_command(s->text, s->problem_at);
	int n = name.n < 40 ? (int)name.n : 40;

	p->rule = "psql-command";
	snprintf(
		p->message, sizeof(p->message),
		n > 0 ? "has \\%.*s here, which is a command of psql, not SQL" :
			"has a backslash here, which is not SQL",
		n, (const char *)name.p);
	p->hint = command_hint(name);
}

void mz_script_describe(const struct mz_sql *s, struct mz_script_problem *p)
{
	const char *text = mz_sql_problem_text(s->problem);

	p->rule = "unterminated";
	p->at = s->problem_at;
	switch (s->problem) {
	case MZ_SQL_BACKSLASH:
		describe_command(s, p);
		return;
	case MZ_SQL_UNTERMINATED_COPY:
		snprintf(p->message, sizeof(p->message),
			 "has %s, which begins here", text);
		p->hint = "its rows follow on the next line, and a line with "
			  "\\. alone ends them";
		return;
	case MZ_SQL_CUT_BY_COPY:
		snprintf(p->message, sizeof(p->message),
			 "has a %s, which begins here", text);
		p->hint = "write it behind the rows, on a line of its own";
		return;
	case MZ_SQL_UNTERMINATED_COMMENT:
		p->hint = "close it with */; block comments nest";
		break;
	case MZ_SQL_UNTERMINATED_DOLLAR:
		p->hint = "close it with the same $tag$ that opens it";
		break;
	case MZ_SQL_OK:
	case MZ_SQL_UNTERMINATED_QUOTE:
	case MZ_SQL_UNTERMINATED_IDENTIFIER:
		p->hint = "close it; a quote inside is written twice";
		break;
	}
	snprintf(p->message, sizeof(p->message), "has an %s, which begins here",
		 text);
}

const char *mz_script_hint(enum mz_sql_problem problem, bool introspection,
			   bool cut)
{
	/* whatever comes behind it */
	if (problem == MZ_SQL_BACKSLASH || problem == MZ_SQL_CUT_BY_COPY)
		return NULL;
	if (introspection)
		return "drizzle-kit pull wrote this file as a comment: where "
		       "the database has these objects already it must not "
		       "run, but be recorded: mizzle baseline TAG; elsewhere "
		       "remove /* and */";
	if (cut)
		return "a --> statement-breakpoint stands before its end and "
		       "cuts it in two: move or remove the breakpoint";
	return NULL;
}

static bool find_unterminated(struct pgw_view text, struct mz_script_problem *p)
{
	struct pgw_view rest = text, chunk;
	bool conforming = true;

	while (mz_folder_next_chunk(&rest, &chunk)) {
		struct mz_sql_statement st;
		const char *hint;
		struct mz_sql s;

		mz_sql_init(&s, chunk);
		s.copy_data = s.backslash = true;
		s.standard_conforming_strings = conforming;
		while (mz_sql_next(&s, &st))
			continue;
		conforming = s.standard_conforming_strings;
		if (s.problem == MZ_SQL_OK)
			continue;
		mz_script_describe(&s, p);
		p->at += (size_t)(chunk.p - text.p);
		hint = mz_script_hint(s.problem,
				      mz_script_is_introspection(text), rest.p);
		if (hint)
			p->hint = hint;
		return true;
	}
	return false;
}

/* ---- all of them */

static const struct {
	const char *rule;
	bool (*find)(struct pgw_view text, struct mz_script_problem *p);
	enum mz_script_scope scope;
} tests[] = {
	{ "utf-16", find_utf16, MZ_SCOPE_START },
	{ "bom", find_bom, MZ_SCOPE_START },
	{ "bad-utf8", find_bad_utf8, MZ_SCOPE_LINES },
	{ "nul", find_nul, MZ_SCOPE_LINES },
	{ "conflict", find_conflict, MZ_SCOPE_WHOLE },
	{ "unterminated", find_unterminated, MZ_SCOPE_WHOLE },
};

enum mz_script_scope mz_script_scope(size_t k)
{
	return tests[k].scope;
}

size_t mz_script_tests(void)
{
	return sizeof(tests) / sizeof(tests[0]);
}

bool mz_script_find(struct pgw_view text, size_t k, struct mz_script_problem *p)
{
	p->rule = tests[k].rule;
	return tests[k].find(text, p);
}

bool mz_folder_sendable(const struct mz_folder *f, const struct mz_migration *m,
			struct pgw_view text, struct mz_err *err)
{
	struct mz_script_problem p;
	size_t line, column, k = 0;

	(void)f;
	while (k < mz_script_tests() && !mz_script_find(text, k, &p))
		k++;
	if (k == mz_script_tests())
		return true;
	mz_fail(err, MZ_usage, "%s %s", m->path, p.message);
	mz_hint(err, "%s", p.hint);
	mz_sql_place(text, p.at, &line, &column);
	return mz_at(err, m->path, line, column);
}
