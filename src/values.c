/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "options.h"

#include <stdio.h>
#include <string.h>

/* ---- words */

#define WORD(constant, word) word,
#define CHOICE(kind, list) \
	static const char *const kind##_words[] = { list(WORD) NULL };
MZ_CHOICES(CHOICE)
#undef CHOICE
#undef WORD

const char *const *mz_kind_words(enum mz_kind kind)
{
	switch (kind) {
#define CHOICE(kind, list)   \
	case MZ_KIND_##kind: \
		return kind##_words;
		MZ_CHOICES(CHOICE)
#undef CHOICE
	case MZ_KIND_flag:
	case MZ_KIND_text:
	case MZ_KIND_duration:
	case MZ_KIND_count:
	case MZ_KIND_texts:
		break;
	}
	return NULL;
}

/* ---- numbers */

/* The digits at *p, at most max; *p is moved past them. */
static bool take_number(const char **p, int64_t max, int64_t *out)
{
	int64_t v = 0;

	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		int64_t digit = **p - '0';

		if (v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

bool mz_duration_parse(const char *text, int64_t *ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {
		{ "ms", 1 },	{ "s", 1000 },	  { "", 1000 },
		{ "m", 60000 }, { "h", 3600000 },
	};

	int64_t n;

	if (!take_number(&text, INT32_MAX, &n))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		if (n > INT32_MAX / units[i].ms)
			return false;
		*ms = n * units[i].ms;
		return true;
	}
	return false;
}

/* ---- one reader a kind */

/* What is being read: for errors. */
struct reading {
	const char *what; /* "--wait" */
	const char *text;
	struct mz_err *err;
};

static bool read_flag(const struct reading *r, bool *out)
{
	(void)r;
	*out = true;
	return true;
}

static bool read_text(const struct reading *r, const char **out)
{
	if (r->text[0] == '\0')
		return mz_fail(r->err, MZ_usage, "%s is empty", r->what);
	*out = r->text;
	return true;
}

static bool read_duration(const struct reading *r, int64_t *out)
{
	if (mz_duration_parse(r->text, out))
		return true;
	mz_fail(r->err, MZ_usage, "%s: '%s' is not a duration", r->what,
		r->text);
	return mz_hint(r->err,
		       "write 500ms, 2s, 5m or 1h; at most 596h; a bare "
		       "number is seconds");
}

static bool read_count(const struct reading *r, uint32_t *out)
{
	const char *p = r->text;
	int64_t n;

	if (!take_number(&p, UINT32_MAX, &n) || *p != '\0')
		return mz_fail(r->err, MZ_usage,
			       "%s: '%s' is not a number from 0 to %u", r->what,
			       r->text, UINT32_MAX);
	*out = (uint32_t)n;
	return true;
}

static bool read_texts(const struct reading *r, mz_kind_texts *out)
{
	if (out->n == MZ_TEXTS_MAX)
		return mz_fail(r->err, MZ_usage,
			       "%s can be given %d times at most", r->what,
			       MZ_TEXTS_MAX);
	out->list[out->n++] = r->text;
	return true;
}

/* "a", ", b", " or c" */
static void put_word(char *list, size_t size, const char *word, size_t n,
		     bool last)
{
	size_t used = strlen(list);
	const char *comma = last ? " or " : ", ";

	snprintf(list + used, size - used, "%s%s", n > 0 ? comma : "", word);
}

static bool read_word(const struct reading *r, const char *const *words,
		      size_t *out)
{
	char list[128] = "";
	const char *near;
	size_t n;

	for (n = 0; words[n]; n++) {
		if (strcmp(r->text, words[n]) == 0) {
			*out = n;
			return true;
		}
		put_word(list, sizeof(list), words[n], n, !words[n + 1]);
	}
	near = mz_nearest(r->text, words, n);
	mz_fail(r->err, MZ_usage, "%s: '%s' is not one of %s", r->what, r->text,
		list);
	return near ? mz_hint(r->err, "did you mean %s?", near) : false;
}

#define CHOICE(kind, list)                                                    \
	static bool read_##kind(const struct reading *r, mz_kind_##kind *out) \
	{                                                                     \
		size_t i = 0;                                                 \
                                                                              \
		if (!read_word(r, kind##_words, &i))                          \
			return false;                                         \
		*out = (mz_kind_##kind)i;                                     \
		return true;                                                  \
	}
MZ_CHOICES(CHOICE)
#undef CHOICE

static bool read_value(struct mz_options *o, enum mz_option_id id,
		       const struct reading *r)
{
	switch (id) {
#define OPTION(field, long, letter, argument, environment, preset, kind, \
	       commands, help)                                           \
	case MZ_OPT_##field:                                             \
		return read_##kind(r, &o->field);
#include "options.def"
#undef OPTION
	case MZ_OPTIONS:
		break;
	}
	return false;
}

bool mz_options_set(struct mz_options *o, enum mz_option_id id,
		    const char *text, enum mz_from from, struct mz_err *err)
{
	const struct mz_option *row = &mz_option_rows[id];
	bool is_variable = from == MZ_FROM_ENVIRONMENT ||
			   from == MZ_FROM_ENV_FILE;
	char name[64];
	struct reading r = { name, text, err };

	if (from < o->from[id])
		return true;
	if (from == MZ_FROM_CONFIG)
		snprintf(name, sizeof(name), "the configuration's %s",
			 row->name);
	else if (is_variable && row->variable)
		snprintf(name, sizeof(name), "%s", row->variable);
	else
		snprintf(name, sizeof(name), "--%s", row->name);
	if (!read_value(o, id, &r))
		return false;
	o->from[id] = from;
	return true;
}
