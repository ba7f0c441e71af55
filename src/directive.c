/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "directive.h"

#include "options.h"

#include <string.h>

#define VALUE_MAX 32

const char mz_directives_known[] =
	"no-transaction, lock-timeout=DURATION, statement-timeout=DURATION";

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct pgw_view trimmed(struct pgw_view v)
{
	while (v.n > 0 && is_blank(v.p[0])) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && is_blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

/* Cut v in two at the first such byte; false when there is none. */
static bool cut(struct pgw_view v, char at, struct pgw_view *before,
		struct pgw_view *behind)
{
	const unsigned char *p = v.n ? memchr(v.p, at, v.n) : NULL;

	*before = p ? (struct pgw_view){ v.p, (size_t)(p - v.p) } : v;
	*behind = p ? (struct pgw_view){ p + 1, v.n - before->n - 1 } :
		      (struct pgw_view){ v.p + v.n, 0 };
	return p;
}

static bool to_duration(struct pgw_view v, int64_t *ms)
{
	char text[VALUE_MAX];

	if (v.n == 0 || v.n >= sizeof(text))
		return false;
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	return mz_duration_parse(text, ms);
}

static bool read_one(struct mz_directives *d, struct pgw_view word)
{
	struct pgw_view name, value;

	if (pgw_view_is(word, "no-transaction")) {
		d->none = word;
		return d->no_transaction = true;
	}
	if (!cut(word, '=', &name, &value))
		return false;
	name = trimmed(name);
	value = trimmed(value);
	if (pgw_view_is(name, "lock-timeout"))
		return d->has_lock_timeout = to_duration(value,
							 &d->lock_timeout_ms);
	if (pgw_view_is(name, "statement-timeout"))
		return d->has_statement_timeout =
			       to_duration(value, &d->statement_timeout_ms);
	return false;
}

static void read_words(struct mz_directives *d, struct pgw_view words)
{
	struct pgw_view word, rest = words;
	bool more = true;

	while (more) {
		more = cut(rest, ',', &word, &rest);
		word = trimmed(word);
		if (!read_one(d, word) && !d->unknown.p)
			d->unknown = word;
	}
}

/* A line of comment without its dashes; false where the comments end, which
 * is where *text then begins. */
static bool next_comment(struct pgw_view *text, struct pgw_view *comment)
{
	struct pgw_view line, behind;

	for (;; *text = behind) {
		if (text->n == 0)
			return false;
		cut(*text, '\n', &line, &behind);
		line = trimmed(line);
		if (line.n > 0)
			break;
	}
	if (line.n < 2 || line.p[0] != '-' || line.p[1] != '-')
		return false;
	*text = behind;
	*comment = trimmed((struct pgw_view){ line.p + 2, line.n - 2 });
	return true;
}

void mz_directives_read(struct mz_directives *d, struct pgw_view text)
{
	static const char name[] = "mizzle:";
	const size_t n = sizeof(name) - 1;
	struct pgw_view comment;

	*d = (struct mz_directives){ 0 };
	while (next_comment(&text, &comment))
		if (comment.n >= n && memcmp(comment.p, name, n) == 0)
			read_words(d, (struct pgw_view){ comment.p + n,
							 comment.n - n });
}

bool mz_directives_go_on(struct pgw_view text)
{
	struct pgw_view comment;

	while (next_comment(&text, &comment))
		continue;
	return text.n == 0;
}
