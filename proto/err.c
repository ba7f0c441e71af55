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

bool pgw_err_passes(const struct pgw_err *err)
{
	return codes[err->code].passes || strcmp(err->sqlstate, "57P03") == 0 ||
	       strcmp(err->sqlstate, "53300") == 0;
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
