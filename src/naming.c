/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "naming.h"

#include "name.h"

#include <string.h>
#include <time.h>

/* A name of a file has at most 255 bytes: the time and .down.sql want some. */
#define LONGEST 200

#define TIME_DIGITS 14
#define MS_DIGITS 13
#define UNIX_DIGITS 10

/* ---- what was typed */

static const char *problem_of(const char *typed)
{
	struct pgw_view rest = pgw_view_of(typed);

	if (rest.n == 0)
		return "is empty";
	if (rest.n > LONGEST)
		return "is too long";
	if (strspn(typed, " ._-") == rest.n)
		return "has no letter";
	if (mz_name_ends(typed, ".down"))
		return "ends in .down, as the way back of another migration "
		       "does";
	while (rest.n > 0) {
		uint32_t cp;
		size_t n = pgw_utf8_next(rest.p, rest.n, &cp);

		if (n == 0)
			return "is not UTF-8";
		if (cp == '/' || cp == '\\')
			return "has a slash";
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return "has a control character";
		rest.p += n;
		rest.n -= n;
	}
	return NULL;
}

bool mz_naming_clean(const char *typed, struct mz_arena *a, const char **name,
		     struct mz_err *err)
{
	const char *problem = problem_of(typed);
	char *copy;

	if (problem) {
		mz_fail(err, MZ_usage, "the name '%s' %s", typed, problem);
		return mz_hint(err,
			       "letters, digits, _ and - are best, at "
			       "most %d of them: mizzle new add_users",
			       LONGEST);
	}
	copy = mz_strdup(a, typed);
	for (char *p = copy; *p; p++)
		if (*p == ' ')
			*p = '_';
	*name = copy;
	return true;
}

/* ---- what stands in front */

static size_t digits_of(const char *tag)
{
	return strspn(tag, "0123456789");
}

enum mz_numbering mz_naming_of(const char *tag)
{
	switch (digits_of(tag)) {
	case 0:
		return tag[0] == '_' ? MZ_NUMBERING_NONE : MZ_NUMBERING_INDEX;
	case TIME_DIGITS:
		return MZ_NUMBERING_TIME;
	case UNIX_DIGITS:
		return MZ_NUMBERING_UNIX;
	default:
		return MZ_NUMBERING_INDEX;
	}
}

static bool no_room(const char *newest, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "nothing can come after %s", newest);
	return mz_hint(err, "its number is the last of its kind: name the "
			    "next file yourself");
}

/* The time of the new one: now, and at least step after the newest. */
static int64_t time_after(const struct mz_naming *n, int64_t step)
{
	int64_t last;

	if (!n->newest || !mz_name_plain_time(n->newest, &last))
		return n->now;
	return last + step > n->now ? last + step : n->now;
}

static bool put_time(const struct mz_naming *n, struct mz_arena *a,
		     const char **prefix, struct mz_err *err)
{
	time_t seconds = (time_t)(time_after(n, 1000) / 1000);
	struct tm tm;
	char text[TIME_DIGITS + 2];

	if (!gmtime_r(&seconds, &tm) ||
	    strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm) != TIME_DIGITS)
		return no_room(n->newest ? n->newest : "that time", err);
	*prefix = mz_strdup(a, text);
	return true;
}

bool mz_naming_prefix(const struct mz_naming *n, struct mz_arena *a,
		      const char **prefix, struct mz_err *err)
{
	switch (n->numbering) {
	case MZ_NUMBERING_TIME:
		return put_time(n, a, prefix, err);
	case MZ_NUMBERING_UNIX:
		*prefix = mz_printf(a, "%jd",
				    (intmax_t)(time_after(n, 1000) / 1000));
		break;
	case MZ_NUMBERING_INDEX:
		*prefix = mz_printf(a, "%04jd", (intmax_t)n->index);
		break;
	case MZ_NUMBERING_NONE:
		*prefix = "";
		break;
	}
	return true;
}

/* ---- without Drizzle */

static bool no_number(const char *newest, struct mz_err *err)
{
	mz_fail(err, MZ_usage,
		"the newest file, %s.sql, has no number in front", newest);
	return mz_hint(err, "files run in the order of their names: name the "
			    "next one yourself, so that it comes last");
}

/* One more; the width stays, as the order goes by the bytes. */
static const char *next_number(struct mz_arena *a, const char *digits, size_t n)
{
	char *next = mz_strndup(a, digits, n);

	for (size_t i = n; i-- > 0;) {
		if (next[i] != '9') {
			next[i]++;
			return next;
		}
		next[i] = '0';
	}
	return NULL;
}

static bool plain_prefix(const struct mz_naming *n, size_t width,
			 struct mz_arena *a, const char **prefix,
			 struct mz_err *err)
{
	switch (width) {
	case TIME_DIGITS:
		return put_time(n, a, prefix, err);
	case MS_DIGITS:
		*prefix = mz_printf(a, "%013jd", (intmax_t)time_after(n, 1));
		return true;
	case UNIX_DIGITS:
		*prefix = mz_printf(a, "%010jd",
				    (intmax_t)(time_after(n, 1000) / 1000));
		return true;
	default:
		*prefix = next_number(a, n->newest, width);
		return *prefix || no_room(n->newest, err);
	}
}

bool mz_naming_plain(const struct mz_naming *n, const char *name,
		     struct mz_arena *a, const char **tag, struct mz_err *err)
{
	size_t width = digits_of(n->newest);
	size_t between = strspn(n->newest + width, "_-. ");
	const char *prefix = "";

	if (width == 0)
		return no_number(n->newest, err);
	if (!plain_prefix(n, width, a, &prefix, err))
		return false;
	*tag = mz_printf(a, "%s%.*s%s", prefix, between > 0 ? (int)between : 1,
			 between > 0 ? n->newest + width : "_", name);
	return strcmp(*tag, n->newest) > 0 || no_room(n->newest, err);
}
