/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "error.h"

#include <stdarg.h>
#include <stdio.h>

const char *mz_status_name(enum mz_status status)
{
	switch (status) {
#define X(number, name) \
	case MZ_##name: \
		return #name;
		MZ_STATUSES(X)
#undef X
	}
	return "internal";
}

bool mz_fail(struct mz_err *err, enum mz_status status, const char *fmt, ...)
{
	va_list ap;

	*err = (struct mz_err){ .status = status };
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return false;
}

bool mz_hint(struct mz_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	return false;
}

bool mz_at(struct mz_err *err, const char *file, size_t line, size_t column)
{
	snprintf(err->place.file, sizeof(err->place.file), "%s", file);
	err->place.line = line;
	err->place.column = column;
	return false;
}
