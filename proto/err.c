/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	bool passes;
} codes[] = {

#define X(name, passes, text) { text, passes },
	{ "no error", false },
	PGW_CODES(X)
#undef X
};

const char *pgw_code_text(enum pgw_code code)
{
	return codes[code].text;
}

/*
 * What servers say of themselves: they go down or come up, are full, or the
 * server behind a pooler is not there.  Poolers have one state for all that,
 * and for what never passes, so their words have to tell.
 */
static const char *const passing_states[] = { "57P01", "57P02", "57P03",
					      "53300", "08006" };
static const char *const passing_words[] = {
	"no more connections allowed", /* PgBouncer */
	"server login has been failing, try again later",
	"client_login_timeout", /* its server is down */
	"cached error: connect failed",
	"Couldn't connect to compute node", /* Neon */
	"Max client connections reached",   /* Supavisor */
};

bool pgw_err_passes(const struct pgw_err *err)
{
	if (err->code != PGW_E_SERVER)
		return codes[err->code].passes;
	for (size_t i = 0; i < sizeof(passing_states) / sizeof(char *); i++)
		if (strcmp(err->sqlstate, passing_states[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(passing_words) / sizeof(char *); i++)
		if (strstr(err->msg, passing_words[i]))
			return true;
	return false;
}

bool pgw_fail(struct pgw_err *err, enum pgw_code code, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	err->sqlstate[0] = '\0';
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return false;
}

bool pgw_wrap(struct pgw_err *err, const char *fmt, ...)
{
	char what[PGW_ERR_MAX / 2];
	size_t n, room;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what) - 2, fmt, ap);
	va_end(ap);
	memcpy(what + strlen(what), ": ", 3);

	n = strlen(what);
	room = sizeof(err->msg) - 1 - n;
	err->msg[room] = '\0';
	memmove(err->msg + n, err->msg, strlen(err->msg) + 1);
	memcpy(err->msg, what, n);
	return false;
}

bool pgw_hint(struct pgw_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	return false;
}
