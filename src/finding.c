/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

void mz_findings_init(struct mz_findings *f, struct mz_arena *a)
{
	*f = (struct mz_findings){ .arena = a };
}

static struct mz_finding *append(struct mz_findings *f, enum mz_level level,
				 const char *rule)
{
	struct mz_finding *one = mz_alloc(f->arena, sizeof(*one));

	*one = (struct mz_finding){ .level = level,
				    .rule = rule,
				    .message = "" };
	if (f->last)
		f->last->next = one;
	else
		f->first = one;
	f->last = one;
	if (level == MZ_LEVEL_ERROR)
		f->errors++;
	else
		f->warnings++;
	return one;
}

struct mz_finding *mz_findings_add(struct mz_findings *f, enum mz_level level,
				   const char *rule, const char *fmt, ...)
{
	struct mz_finding *one = append(f, level, rule);
	va_list ap, again;
	char *message;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		message = mz_alloc(f->arena, (size_t)n + 1);
		vsnprintf(message, (size_t)n + 1, fmt, again);
		one->message = message;
	}
	va_end(again);
	return one;
}

struct mz_finding *mz_findings_add_err(struct mz_findings *f, const char *rule,
				       const struct mz_err *err)
{
	struct mz_finding *one = append(f, MZ_LEVEL_ERROR, rule);

	one->message = mz_strdup(f->arena, err->msg);
	if (err->hint[0])
		one->hint = mz_strdup(f->arena, err->hint);
	if (err->place.file[0])
		one->file = mz_strdup(f->arena, err->place.file);
	one->line = err->place.line;
	one->column = err->place.column;
	return one;
}
