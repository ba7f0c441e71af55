/* SPDX-License-Identifier: MIT */
/* Where a setting came from, and what it may be instead. */
#include <config.h>

#include "reading.h"

#include <stdio.h>
#include <string.h>

#define ORIGIN_MAX 96
#define CHOICES_MAX 160

/* ---- where from */

/* What is cut was very long: nobody needs the rest to find it. */
static void origin(const struct pgw_config *cfg, enum pgw_keyword k,
		   char out[ORIGIN_MAX])
{
	const struct pgw_setting *s = &cfg->raw.set[k];
	const char *name = cfg->raw.name;
	const char *service = cfg->raw.set[PGW_KW_service].value;

	if (s->source == PGW_FROM_STRING)
		snprintf(out, ORIGIN_MAX, "%s",
			 name ? name : "the connection string");
	else if (s->source == PGW_FROM_SERVICE)
		snprintf(out, ORIGIN_MAX, "service \"%.60s\"",
			 service ? service : "");
	else if (s->source == PGW_FROM_ENV)
		snprintf(out, ORIGIN_MAX, "%s",
			 s->variable ? s->variable : "the environment");
	else
		snprintf(out, ORIGIN_MAX, "default");
}

bool pgw_blame(const struct pgw_config *cfg, enum pgw_keyword k,
	       const char *may_be, struct pgw_err *err)
{
	char from[ORIGIN_MAX];

	origin(cfg, k, from);
	return pgw_hint(err, "%s is set by %s; it may be %s",
			pgw_keyword_rows[k].name, from, may_be);
}

bool pgw_blame_both(const struct pgw_config *cfg, enum pgw_keyword a,
		    enum pgw_keyword b, struct pgw_err *err)
{
	char from_a[ORIGIN_MAX], from_b[ORIGIN_MAX];

	origin(cfg, a, from_a);
	origin(cfg, b, from_b);
	if (strcmp(from_a, from_b) == 0)
		return pgw_hint(err, "%s sets both %s and %s: change one",
				from_a, pgw_keyword_rows[a].name,
				pgw_keyword_rows[b].name);
	return pgw_hint(err, "%s is set by %s, %s by %s: change one",
			pgw_keyword_rows[a].name, from_a,
			pgw_keyword_rows[b].name, from_b);
}

/* ---- choices */

const char *pgw_given(const struct pgw_config *cfg, enum pgw_keyword k)
{
	const char *value = cfg->raw.set[k].value;

	return value && value[0] != '\0' ? value : NULL;
}

/* "a, b or c" */
static void put_choices(const char *const *names, char out[CHOICES_MAX])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; names[i] && n < CHOICES_MAX - 1; i++) {
		const char *before = i == 0 ? "" : names[i + 1] ? ", " : " or ";
		int more = snprintf(out + n, CHOICES_MAX - n, "%s%s", before,
				    names[i]);

		n += more > 0 ? (size_t)more : 0;
	}
}

bool pgw_choose(const struct pgw_config *cfg, enum pgw_keyword k,
		const char *const *names, unsigned *index, struct pgw_err *err)
{
	const char *value = cfg->raw.set[k].value;
	char choices[CHOICES_MAX];

	*index = 0;
	if (!value)
		return true;
	while (names[*index]) {
		if (strcmp(names[*index], value) == 0)
			return true;
		++*index;
	}
	pgw_fail(err, PGW_E_CONFIG, "invalid %s value: \"%s\"",
		 pgw_keyword_rows[k].name, value);
	put_choices(names, choices);
	return pgw_blame(cfg, k, choices, err);
}
