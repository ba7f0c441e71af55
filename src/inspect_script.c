/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "inspect.h"
#include "script.h"
#include "sql.h"
#include "statements.h"

#include <string.h>

/* Longer lines are not shown. */
#define SOURCE_MAX 4096

struct script {
	const struct mz_migration *m;
	struct pgw_view text;
	struct mz_findings *findings;
	size_t statements;
	bool told[8]; /* of mz_sql_kind: once a file is enough */
};

/* The line around a byte; borrowed. */
static struct pgw_view line_at(struct pgw_view text, size_t at)
{
	size_t start = at, end = at;

	while (start > 0 && text.p[start - 1] != '\n')
		start--;
	while (end < text.n && text.p[end] != '\n' && text.p[end] != '\r')
		end++;
	return (struct pgw_view){ text.p + start, end - start };
}

static void place(const struct script *s, struct mz_finding *one, size_t at)
{
	struct pgw_view line = line_at(s->text, at);

	one->tag = s->m->tag;
	one->file = s->m->path;
	mz_sql_place(s->text, at, &one->line, &one->column);
	if (line.n == 0 || line.n > SOURCE_MAX)
		return;
	one->source.p = (const unsigned char *)mz_strndup(s->findings->arena,
							  (const char *)line.p,
							  line.n);
	one->source.n = line.n;
}

static struct mz_finding *add(const struct script *s, enum mz_level level,
			      const char *rule, const char *what, size_t at)
{
	struct mz_finding *one = mz_findings_add(s->findings, level, rule,
						 "%s %s", s->m->tag, what);

	place(s, one, at);
	return one;
}

/* ---- what cannot be sent */

static void check_sendable(const struct script *s)
{
	for (size_t k = 0; k < mz_script_tests(); k++) {
		struct mz_script_problem p;

		if (!mz_script_find(s->text, k, &p))
			continue;
		add(s, MZ_LEVEL_ERROR, p.rule, p.message, p.at)->hint = p.hint;
		if (strcmp(p.rule, "utf-16") == 0)
			return; /* the rest would only repeat it */
	}
}

/* ---- line ends */

static void check_line_ends(const struct script *s)
{
	size_t crlf = 0, lf = 0, first = 0;
	struct mz_finding *one;
	const unsigned char *p = s->text.p, *end = p + s->text.n;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		bool cr = p > s->text.p && p[-1] == '\r';

		if (cr && crlf == 0)
			first = (size_t)(p - s->text.p) - 1;
		crlf += cr;
		lf += !cr;
		p++;
	}
	if (crlf == 0)
		return;
	one = add(s, MZ_LEVEL_WARNING, lf > 0 ? "mixed-eol" : "crlf",
		  lf > 0 ? "has line ends of both kinds, LF and CRLF" :
			   "has CRLF line ends",
		  first);
	one->hint = "its hash is another where Git checks it out with LF; add "
		    "\"*.sql text eol=lf\" to .gitattributes";
}

/* ---- breakpoints */

static bool same_letter(unsigned char c, char lower)
{
	return c == (unsigned char)lower ||
	       (c >= 'A' && c <= 'Z' && (c | 0x20) == (unsigned char)lower);
}

/* "statement-breakpoint", in any case, with _ or a blank for its hyphen. */
static bool is_the_words(struct pgw_view v)
{
	static const char words[] = "statement-breakpoint";

	if (v.n < strlen(words))
		return false;
	for (size_t i = 0; words[i]; i++) {
		bool same = words[i] == '-' ? strchr("-_ ", v.p[i]) && v.p[i] :
					      same_letter(v.p[i], words[i]);

		if (!same)
			return false;
	}
	return true;
}

/* Where the comment begins that has nothing but an arrow before at. */
static bool arrow_before(struct pgw_view text, size_t at, size_t *start)
{
	while (at > 0 && (text.p[at - 1] == ' ' || text.p[at - 1] == '\t' ||
			  text.p[at - 1] == '>'))
		at--;
	if (at < 2 || text.p[at - 1] != '-' || text.p[at - 2] != '-')
		return false;
	*start = at - 2;
	return true;
}

static bool is_exact(struct pgw_view text, size_t words)
{
	const size_t arrow = strlen("--> ");
	struct pgw_view v;

	if (words < arrow)
		return false;
	v = (struct pgw_view){ text.p + words - arrow, strlen(MZ_BREAKPOINT) };
	return v.n <= text.n - (words - arrow) && pgw_view_is(v, MZ_BREAKPOINT);
}

/* Something stands behind the breakpoint, on its line. */
static bool has_tail(struct pgw_view text, size_t at)
{
	while (at < text.n &&
	       (text.p[at] == ' ' || text.p[at] == '\t' || text.p[at] == '\r'))
		at++;
	return at < text.n && text.p[at] != '\n' &&
	       !(text.n - at >= 2 && text.p[at] == '-' &&
		 text.p[at + 1] == '-');
}

static void check_breakpoints(const struct script *s)
{
	bool misspelt = false, tail = false;
	struct pgw_view text = s->text;

	for (size_t at = 0; at < text.n; at++) {
		struct pgw_view rest = { text.p + at, text.n - at };
		size_t start;

		if (!same_letter(text.p[at], 's') || !is_the_words(rest) ||
		    !arrow_before(text, at, &start))
			continue;
		if (!is_exact(text, at) && !misspelt) {
			misspelt = true;
			add(s, MZ_LEVEL_WARNING, "misspelt-breakpoint",
			    "has a misspelt breakpoint, which is only a "
			    "comment",
			    start)
				->hint = "write " MZ_BREAKPOINT;
		} else if (is_exact(text, at) && !tail &&
			   has_tail(text, at + 20)) {
			tail = true;
			add(s, MZ_LEVEL_WARNING, "breakpoint-tail",
			    "has text behind a breakpoint, on its line, which "
			    "is run as SQL",
			    at + 20)
				->hint = "begin a new line behind the "
					 "breakpoint";
		}
	}
}

/* What migrate refuses. */
static void check_directives(const struct script *s)
{
	struct mz_directives d;

	mz_directives_read(&d, s->text);
	if (!d.unknown.p)
		return;
	add(s, MZ_LEVEL_ERROR, "directive",
	    "asks for what mizzle does not know",
	    (size_t)(d.unknown.p - s->text.p))
		->hint = mz_directives_known;
}

/* What to say of each kind of statement; NULL = nothing. */
static const struct remark {
	enum mz_sql_kind kind;
	enum mz_level level;
	const char *rule, *message, *hint;
} remarks[] = {
	{ MZ_SQL_BEGIN, MZ_LEVEL_WARNING, "begin",
	  "begins a transaction of its own: with Drizzle it is that of the run",
	  "remove it: each migration runs in a transaction anyway" },
	{ MZ_SQL_COMMIT, MZ_LEVEL_ERROR, "commit",
	  "ends the transaction of the migration: what fails behind it leaves "
	  "the rest half done",
	  "remove it: each migration runs in a transaction" },
	{ MZ_SQL_ROLLBACK, MZ_LEVEL_ERROR, "rollback",
	  "rolls back: Drizzle then loses, in silence, every migration of the "
	  "run before it",
	  "remove it: each migration runs in a transaction" },
	{ MZ_SQL_COPY_STDIN, MZ_LEVEL_WARNING, "copy-stdin",
	  "brings rows for COPY, which mizzle loads, but Drizzle cannot",
	  "use INSERT if Drizzle is to apply it, too" },
};

static void check_kind(struct script *s, const struct mz_sql_statement *st,
		       size_t at)
{
	for (size_t i = 0; i < sizeof(remarks) / sizeof(remarks[0]); i++) {
		const struct remark *r = &remarks[i];

		if (r->kind != st->kind || s->told[r->kind])
			continue;
		s->told[r->kind] = true;
		add(s, r->level, r->rule, r->message, at)->hint = r->hint;
	}
}

static void check_alone(const struct script *s,
			const struct mz_sql_statement *alone, size_t at)
{
	struct mz_finding *one;

	if (!alone->what)
		return;
	one = mz_findings_add(s->findings, MZ_LEVEL_WARNING, "alone",
			      "%s: %s cannot run in a transaction: Drizzle "
			      "fails on it; mizzle applies this migration step "
			      "by step",
			      s->m->tag, alone->what);
	one->hint = "best alone in a migration: what fails then leaves "
		    "nothing half done";
	place(s, one, at);
}

static void check_empty(const struct script *s)
{
	struct mz_finding *one;

	if (s->statements > 0)
		return;
	one = add(s, MZ_LEVEL_WARNING, "empty",
		  s->text.n == 0 ? "is empty" : "has no statement", 0);
	one->line = one->column = 0;
	one->source.p = NULL;
	one->hint = "write its SQL, or remove the migration if it is not "
		    "applied anywhere yet";
}

/* The first statement that cannot run in a transaction, and where it is. */
struct first_alone {
	struct mz_sql_statement st;
	size_t at;
};

static void check_chunk(struct script *s, struct mz_sql *sql, size_t base,
			struct first_alone *alone)
{
	struct mz_sql_statement st;

	while (mz_sql_next(sql, &st)) {
		s->statements++;
		check_kind(s, &st, base + st.start);
		if (st.kind == MZ_SQL_ALONE && !alone->st.what)
			*alone = (struct first_alone){ st, base + st.start };
	}
}

static void check_statements(struct script *s)
{
	struct pgw_view rest = s->text, chunk;
	struct first_alone alone = { 0 };
	bool conforming = true;

	while (mz_folder_next_chunk(&rest, &chunk)) {
		struct mz_sql sql;

		mz_sql_init(&sql, chunk);
		sql.copy_data = sql.backslash = true;
		sql.standard_conforming_strings = conforming;
		check_chunk(s, &sql, (size_t)(chunk.p - s->text.p), &alone);
		conforming = sql.standard_conforming_strings;
		if (sql.problem != MZ_SQL_OK)
			return;
	}
	check_alone(s, &alone.st, alone.at);
	check_empty(s);
}

void mz_inspect_script(const struct mz_migration *m, struct pgw_view text,
		       struct mz_findings *findings)
{
	struct script s = { .m = m, .findings = findings };

	/* An empty buffer has no address, but an empty text has a chunk. */
	s.text = text.p ? text : pgw_view_of("");
	check_directives(&s);
	check_sendable(&s);
	check_line_ends(&s);
	check_breakpoints(&s);
	check_statements(&s);
}
