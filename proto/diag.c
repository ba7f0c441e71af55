/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "diag.h"

#include <string.h>

const char *pgw_diag_get(const struct pgw_diag *d, enum pgw_diag_field field)
{
	struct pgw_cur c = pgw_cur_of(d->fields);

	for (;;) {
		uint8_t letter = pgw_cur_u8(&c);
		const char *text;

		if (c.bad || letter == '\0')
			break;
		text = pgw_cur_str(&c);
		if (c.bad)
			break;
		if (letter == (uint8_t)field)
			return text;
	}
	return field == PGW_DIAG_SEVERITY ?
		       pgw_diag_get(d, PGW_DIAG_SEVERITY_LOCAL) :
		       NULL;
}

size_t pgw_diag_number(const struct pgw_diag *d, enum pgw_diag_field field)
{
	const char *text = pgw_diag_get(d, field);
	size_t n = 0;

	if (!text || strlen(text) > 10)
		return 0;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		n = n * 10 + (size_t)(*text - '0');
	}
	return n;
}

bool pgw_diag_is_fatal(const struct pgw_diag *d)
{
	const char *severity = pgw_diag_get(d, PGW_DIAG_SEVERITY);

	return severity && (strcmp(severity, "FATAL") == 0 ||
			    strcmp(severity, "PANIC") == 0);
}

const char *pgw_diag_sqlstate(const struct pgw_diag *d)
{
	const char *state = pgw_diag_get(d, PGW_DIAG_SQLSTATE);

	return state && strlen(state) == 5 ? state : "";
}

void pgw_diag_to_err(const struct pgw_diag *d, struct pgw_err *err)
{
	const char *severity = pgw_diag_get(d, PGW_DIAG_SEVERITY);
	const char *message = pgw_diag_get(d, PGW_DIAG_MESSAGE);
	const char *hint = pgw_diag_get(d, PGW_DIAG_HINT);

	if (message)
		pgw_fail(err, PGW_E_SERVER, "%s: %s",
			 severity ? severity : "ERROR", message);
	else
		pgw_fail(err, PGW_E_SERVER,
			 "the server reported an error without text");
	memcpy(err->sqlstate, pgw_diag_sqlstate(d),
	       strlen(pgw_diag_sqlstate(d)) + 1);
	if (hint)
		pgw_hint(err, "%s", hint);
}
