/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sqltext.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NAME_MAX_BYTES 63 /* NAMEDATALEN - 1 */

bool mz_sqltext_name(const char *text, const char *what, struct mz_err *err)
{
	size_t bad;

	if (!*text)
		return mz_fail(err, MZ_usage, "%s is empty", what);
	if (strlen(text) > NAME_MAX_BYTES)
		return mz_fail(err, MZ_usage,
			       "%s is longer than the %d bytes that PostgreSQL "
			       "keeps of a name",
			       what, NAME_MAX_BYTES);
	if (!pgw_utf8_valid(pgw_view_of(text), &bad))
		return mz_fail(err, MZ_usage, "%s is not UTF-8", what);
	return true;
}

/* text between two quote characters, each of them inside of it doubled. */
static char *enclose(struct mz_arena *a, const char *text, const char *prefix,
		     const char *doubled)
{
	char *out = mz_alloc(a, strlen(prefix) + 2 * strlen(text) + 2);
	char *at = out + strlen(prefix);

	memcpy(out, prefix, strlen(prefix));
	for (; *text; text++) {
		if (strchr(doubled, *text))
			*at++ = *text;
		*at++ = *text;
	}
	*at++ = prefix[strlen(prefix) - 1];
	*at = '\0';
	return out;
}

char *mz_quote_name(struct mz_arena *a, const char *name)
{
	return enclose(a, name, "\"", "\"");
}

char *mz_quote_literal(struct mz_arena *a, const char *text)
{
	return strchr(text, '\\') ? enclose(a, text, " E'", "'\\") :
				    enclose(a, text, "'", "'");
}

void mz_timestamp(int64_t ms, char out[MZ_TIMESTAMP_LEN + 1])
{
	int64_t s = ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
	struct tm tm = { 0 };

	if (!gmtime_r(&s, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		tm = (struct tm){ .tm_year = 70, .tm_mday = 1 };
	strftime(out, MZ_TIMESTAMP_LEN + 1, "%Y%m%d%H%M%S", &tm);
}
