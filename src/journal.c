/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "journal.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct mz_loader *l;
	struct mz_journal *j;
	const char *path;
	struct pgw_view text;
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

/* ---- where the entries are, which JSON libraries do not tell */

struct scan {
	size_t line, column, depth;
	bool key_is_entries; /* the last key of the root object */
	bool inside;	     /* the array of entries */
	size_t found;
};

/* The end of the string that begins at at: one past its closing quote. */
static size_t string_end(struct pgw_view text, size_t at)
{
	for (at++; at < text.n && text.p[at] != '"'; at++) {
		if (text.p[at] == '\\')
			at++;
	}
	return at < text.n ? at + 1 : text.n;
}

static void scan_open(struct scan *s, struct mz_journal *j, bool is_array)
{
	if (s->depth == 2 && s->inside) {
		if (s->found < j->count) {
			j->entries[s->found].line = s->line;
			j->entries[s->found].column = s->column;
		}
		s->found++;
	}
	if (s->depth == 1 && is_array && s->key_is_entries) {
		s->inside = true;
		s->found = 0; /* of two keys that are equal the last one wins */
	}
	s->depth++;
}

static void scan_close(struct scan *s)
{
	if (s->depth > 0)
		s->depth--;
	if (s->depth == 1)
		s->inside = false;
}

static void scan_string(struct scan *s, struct pgw_view string)
{
	if (s->depth == 1)
		s->key_is_entries = pgw_view_is(string, "\"entries\"");
}

/* text is known to be JSON, so nothing needs to be checked. */
static void locate(struct mz_journal *j, struct pgw_view text)
{
	struct scan s = { .line = 1, .column = 1 };
	size_t at = 0;

	while (at < text.n) {
		unsigned char c = text.p[at];
		size_t end = at + 1;

		if (c == '"') {
			end = string_end(text, at);
			scan_string(&s,
				    (struct pgw_view){ text.p + at, end - at });
		} else if (c == '{' || c == '[') {
			scan_open(&s, j, c == '[');
		} else if (c == '}' || c == ']') {
			scan_close(&s);
		}
		for (; at < end; at++) /* columns count characters */
			s.column += (text.p[at] & 0xc0) != 0x80;
		if (c == '\n') {
			s.line++;
			s.column = 1;
		}
	}
	for (size_t i = 0; s.found != j->count && i < j->count; i++)
		j->entries[i].line = j->entries[i].column = 0;
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

static bool parse_entries(const struct parser *p, const json_t *entries)
{
	struct mz_journal *j = p->j;
	size_t kept = 0;

	j->count = json_array_size(entries);
	j->entries = mz_alloc_array(p->l->arena, j->count, sizeof(*j->entries));
	locate(j, p->text);
	for (size_t i = 0; i < j->count; i++) {
		j->entries[kept] = j->entries[i];
		if (parse_entry(p, json_array_get(entries, i),
				&j->entries[kept], i + 1))
			kept++;
		else if (!mz_loader_go_on(p->l, "journal-entry"))
			return false;
	}
	j->count = kept;
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

bool mz_journal_parse(struct mz_journal *j, struct mz_loader *l,
		      const char *path, struct pgw_view text)
{
	struct parser p = { .l = l, .j = j, .path = path, .text = text };
	json_error_t e = { 0 };
	json_t *root;
	bool ok;

	*j = (struct mz_journal){ 0 };
	if (starts(text, "\xef\xbb\xbf") || starts(text, "\xff\xfe") ||
	    starts(text, "\xfe\xff"))
		return not_utf8_text(&p);
	/* JSON_ALLOW_NUL: a tag with one gets a message of its own. */
	root = json_loadb(text.n > 0 ? (const char *)text.p : "", text.n,
			  JSON_ALLOW_NUL, &e);
	if (!root)
		return not_json(&p, &e);
	ok = parse_root(&p, root);
	json_decref(root);
	return ok;
}
