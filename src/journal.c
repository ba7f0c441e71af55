/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "journal.h"

#include "journal_scan.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct mz_loader *l;
	struct mz_journal *j;
	const char *path;
	struct pgw_view text;
	struct mz_journal_scan scan;
	bool apart; /* the entries are read one by one, not with the root */
};

/* ---- texts that are no JSON */

static bool starts(struct pgw_view v, const char *with)
{
	size_t n = strlen(with);

	return v.n >= n && memcmp(v.p, with, n) == 0;
}

/* The line (from 1) that begins with a conflict marker of Git; 0 = none. */
static size_t conflict_line(struct pgw_view text)
{
	size_t line = 1;

	while (text.n > 0) {
		const unsigned char *lf = memchr(text.p, '\n', text.n);
		size_t n = lf ? (size_t)(lf - text.p) + 1 : text.n;

		if (starts(text, "<<<<<<< ") || starts(text, ">>>>>>> ") ||
		    starts(text, "||||||| "))
			return line;
		text.p += n;
		text.n -= n;
		line++;
	}
	return 0;
}

static bool not_utf8_text(const struct parser *p)
{
	struct mz_err *err = p->l->err;

	if (starts(p->text, "\xef\xbb\xbf"))
		mz_fail(err, MZ_usage,
			"%s begins with a byte order mark (BOM), which is not "
			"JSON",
			p->path);
	else
		mz_fail(err, MZ_usage, "%s is UTF-16, not UTF-8", p->path);
	mz_hint(err, "save it as UTF-8 without BOM: an editor or a PowerShell "
		     "redirection changed it");
	return mz_at(err, p->path, 1, 1);
}

static bool not_json(const struct parser *p, const json_error_t *e)
{
	struct mz_err *err = p->l->err;
	size_t line = conflict_line(p->text);

	if (line > 0) {
		mz_fail(err, MZ_usage, "%s has an unresolved merge conflict",
			p->path);
		mz_hint(err, "keep the entries of both sides, in the order in "
			     "which they shall run, and remove the lines with "
			     "<<<<<<<, ======= and >>>>>>>");
		return mz_at(err, p->path, line, 1);
	}
	if (p->text.n == 0)
		mz_fail(err, MZ_usage, "%s is empty", p->path);
	else
		mz_fail(err, MZ_usage, "%s is not valid JSON: %s", p->path,
			e->text);
	mz_hint(err, "repair it there, or restore it from version control");
	return mz_at(err, p->path, e->line > 0 ? (size_t)e->line : 1,
		     e->column > 0 ? (size_t)e->column : 1);
}

/* ---- what is in an entry */

static bool parse_decimal(const char *s, int64_t *out)
{
	char *end;
	long long v;

	v = strtoll(s, &end, 10);
	while (*end == ' ' || *end == '\t' || *end == '\n' || *end == '\r')
		end++;
	*out = v;
	return end != s && *end == '\0' && v != INT64_MAX && v != INT64_MIN;
}

/* What PostgreSQL takes for a bigint when Drizzle sends it. */
static bool read_when(const json_t *v, int64_t *out)
{
	if (json_is_integer(v)) {
		*out = json_integer_value(v);
		return true;
	}
	if (json_is_real(v)) {
		double d = json_real_value(v);

		if (fabs(d) > 9007199254740992.0 || d != trunc(d))
			return false;
		*out = (int64_t)d;
		return true;
	}
	return json_is_string(v) && parse_decimal(json_string_value(v), out);
}

/* A tag becomes a path: it must not lead out of the folder. */
static const char *tag_problem(const json_t *v)
{
	const char *tag = json_string_value(v);

	if (!tag)
		return "has no tag";
	if (tag[0] == '\0')
		return "has an empty tag";
	if (strlen(tag) != json_string_length(v))
		return "has a tag with a NUL character";
	if (strchr(tag, '/'))
		return "has a tag with a slash, which would name a file "
		       "elsewhere";
	if (strncmp(tag, "..", 2) == 0)
		return "has a tag that begins with two dots";
	return NULL;
}

static bool bad_entry(const struct parser *p, const struct mz_journal_entry *e,
		      size_t k, const char *what, const char *hint)
{
	struct mz_err *err = p->l->err;

	if (e->tag)
		mz_fail(err, MZ_usage, "%s: entry %zu (%s) %s", p->path, k,
			e->tag, what);
	else
		mz_fail(err, MZ_usage, "%s: entry %zu %s", p->path, k, what);
	mz_hint(err, "%s", hint);
	return mz_at(err, p->path, e->line, e->column);
}

static bool parse_entry(const struct parser *p, const json_t *v,
			struct mz_journal_entry *e, size_t k)
{
	const json_t *tag = json_object_get(v, "tag");
	const json_t *when = json_object_get(v, "when");
	const json_t *idx = json_object_get(v, "idx");
	const char *problem = tag_problem(tag);

	if (!json_is_object(v))
		return bad_entry(p, e, k, "is not an object",
				 "each entry is { \"idx\", \"when\", \"tag\", "
				 "... }");
	if (problem)
		return bad_entry(p, e, k, problem,
				 "the tag is the name of its file without "
				 ".sql");
	e->tag = mz_strdup(p->l->arena, json_string_value(tag));
	if (!when)
		return bad_entry(p, e, k, "has no \"when\"",
				 "add the time at which it was made, in ms "
				 "since 1970; it must be more than that of the "
				 "entry before");
	if (!read_when(when, &e->when))
		return bad_entry(p, e, k,
				 "has a \"when\" that is not a whole number",
				 "\"when\" is a time in ms since 1970, without "
				 "a fraction");
	e->has_idx = json_is_integer(idx);
	e->idx = json_integer_value(idx);
	return true;
}

/* ---- tags that stand there twice */

static int by_tag(const void *a, const void *b)
{
	const struct mz_journal_entry *const *x = a, *const *y = b;
	int diff = strcmp((*x)->tag, (*y)->tag);

	if (diff != 0)
		return diff;
	return (*x > *y) - (*x < *y);
}

static bool check_unique(const struct parser *p)
{
	struct mz_journal *j = p->j;
	const struct mz_journal_entry **sorted =
		mz_alloc_array(p->l->arena, j->count, sizeof(*sorted));

	for (size_t i = 0; i < j->count; i++)
		sorted[i] = &j->entries[i];
	qsort(sorted, j->count, sizeof(*sorted), by_tag);
	for (size_t i = 1; i < j->count; i++) {
		if (strcmp(sorted[i - 1]->tag, sorted[i]->tag) != 0)
			continue;
		bad_entry(p, sorted[i], (size_t)(sorted[i] - j->entries) + 1,
			  "is there twice",
			  "a merge may have kept both sides: remove one of "
			  "the two entries");
		if (!mz_loader_go_on(p->l, "duplicate-tag"))
			return false;
	}
	return true;
}

/* ---- the whole */

static void drop(void *json)
{
	json_decref(json);
}

static json_t *load(struct pgw_view text, json_error_t *e)
{
	/* JSON_ALLOW_NUL: a tag with one gets a message of its own. */
	return json_loadb(text.n > 0 ? (const char *)text.p : "", text.n,
			  JSON_ALLOW_NUL, e);
}

/* A reference of its own; NULL when it is no JSON by itself. */
static json_t *get_entry(const struct parser *p, const json_t *entries,
			 size_t i)
{
	const struct mz_journal_span *span = &p->scan.spans[i];
	json_error_t ignored;

	if (!p->apart)
		return json_incref(json_array_get(entries, i));
	return load((struct pgw_view){ p->text.p + span->start,
				       span->end - span->start },
		    &ignored);
}

static bool read_entry(const struct parser *p, const json_t *entries, size_t i,
		       struct mz_journal_entry *e)
{
	json_t *v = get_entry(p, entries, i);
	struct mz_hold hold;
	bool ok;

	mz_hold(p->l->arena, &hold, drop, v);
	ok = v && parse_entry(p, v, e, i + 1);
	mz_let_go(p->l->arena, &hold);
	json_decref(v);
	return ok;
}

static bool parse_entries(const struct parser *p, const json_t *entries)
{
	struct mz_journal *j = p->j;
	const struct mz_journal_span *spans = p->scan.spans;
	size_t size = json_array_size(entries);
	bool placed = p->scan.count == size && !p->scan.escapes;

	if (p->apart && !placed)
		return false;
	j->count = 0;
	j->entries = mz_alloc_array(p->l->arena, size, sizeof(*j->entries));
	for (size_t i = 0; i < size; i++) {
		struct mz_journal_entry *e = &j->entries[j->count];

		*e = (struct mz_journal_entry){
			.line = placed ? spans[i].line : 0,
			.column = placed ? spans[i].column : 0,
		};
		if (read_entry(p, entries, i, e))
			j->count++;
		else if (!mz_loader_go_on(p->l, "journal-entry"))
			return false;
	}
	return check_unique(p);
}

/* Other databases that Drizzle knows; "pg" and nothing at all are ours. */
static bool check_dialect(const struct parser *p, const json_t *root)
{
	static const char *const others[] = { "mysql", "sqlite", "singlestore",
					      "turso", "mssql",	 "cockroach",
					      "gel",   "d1" };
	const char *dialect =
		json_string_value(json_object_get(root, "dialect"));

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (!dialect || strcmp(dialect, others[i]) != 0)
			continue;
		mz_fail(p->l->err, MZ_usage,
			"%s: these migrations are for %s, not for PostgreSQL",
			p->path, dialect);
		mz_hint(p->l->err, "name the folder of the PostgreSQL "
				   "migrations with --dir");
		return mz_at(p->l->err, p->path, 0, 0);
	}
	return true;
}

static bool parse_root(const struct parser *p, const json_t *root)
{
	const json_t *entries = json_object_get(root, "entries");

	if (json_is_array(entries))
		return check_dialect(p, root) && parse_entries(p, entries);
	mz_fail(p->l->err, MZ_usage, "%s has no array called \"entries\"",
		p->path);
	mz_hint(p->l->err, "restore it from version control; a new journal is "
			   "{\"version\":\"7\",\"dialect\":\"postgresql\","
			   "\"entries\":[]}");
	return mz_at(p->l->err, p->path, 1, 1);
}

static bool parse_json(const struct parser *p, struct pgw_view text)
{
	json_error_t e = { 0 };
	json_t *root = load(text, &e);
	struct mz_hold hold;
	bool ok;

	if (!root)
		return not_json(p, &e);
	mz_hold(p->l->arena, &hold, drop, root);
	ok = parse_root(p, root);
	mz_let_go(p->l->arena, &hold);
	json_decref(root);
	return ok;
}

/*
 * As it should be a journal is read entry by entry: all of a large one, as
 * JSON in memory, would be most that a run needs.  False for any other, and
 * nothing is told.
 */
static bool parse_apart(const struct parser *p, struct mz_arena *scratch)
{
	struct mz_err ignored = { 0 };
	struct mz_loader l = *p->l;
	struct parser apart = *p;

	if (l.findings || p->scan.escapes)
		return false;
	l.err = &ignored;
	apart.l = &l;
	apart.apart = true;
	return parse_json(&apart, mz_journal_frame(&p->scan, scratch, p->text));
}

bool mz_journal_parse(struct mz_journal *j, struct mz_loader *l,
		      const char *path, struct pgw_view text)
{
	struct parser p = { .l = l, .j = j, .path = path, .text = text };
	struct mz_arena scratch = { .escape = l->arena->escape };
	struct mz_hold hold;
	bool ok;

	*j = (struct mz_journal){ 0 };
	if (starts(text, "\xef\xbb\xbf") || starts(text, "\xff\xfe") ||
	    starts(text, "\xfe\xff"))
		return not_utf8_text(&p);
	mz_hold(l->arena, &hold, mz_arena_drop, &scratch);
	mz_journal_scan(&p.scan, &scratch, text);
	ok = parse_apart(&p, &scratch) || parse_json(&p, text);
	mz_let_go(l->arena, &hold);
	mz_arena_release(&scratch);
	return ok;
}
