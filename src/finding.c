/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

void mz_findings_init(struct mz_findings *f, struct mz_arena *a)
{
	*f = (struct mz_findings){ .arena = a };
}

static struct mz_finding *append(struct mz_findings *f,
				 enum mz_severity severity, const char *code)
{
	struct mz_finding *one = mz_alloc(f->arena, sizeof(*one));

	*one = (struct mz_finding){ .severity = severity,
				    .code = code,
				    .file = "",
				    .message = "",
				    .hint = "" };
	if (f->last)
		f->last->next = one;
	else
		f->first = one;
	f->last = one;
	if (severity == MZ_ERROR)
		f->errors++;
	else
		f->warnings++;
	return one;
}

void mz_findings_add_err(struct mz_findings *f, const char *code,
			 const struct mz_err *err)
{
	struct mz_finding *one = append(f, MZ_ERROR, code);

	one->file = mz_strdup(f->arena, err->place.file);
	one->line = err->place.line;
	one->column = err->place.column;
	one->message = mz_strdup(f->arena, err->msg);
	one->hint = mz_strdup(f->arena, err->hint);
}

struct mz_finding *mz_findings_add(struct mz_findings *f,
				   enum mz_severity severity, const char *code,
				   const char *fmt, ...)
{
	struct mz_finding *one = append(f, severity, code);
	va_list ap;
	char *message;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return one;
	message = mz_alloc(f->arena, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(message, (size_t)n + 1, fmt, ap);
	va_end(ap);
	one->message = message;
	return one;
}

const char *mz_severity_name(enum mz_severity severity)
{
	return severity == MZ_ERROR ? "error" : "warning";
}
