/* SPDX-License-Identifier: MIT */
/* What people read on stderr: progress, notices, remarks, errors. */
#include <config.h>

#include "excerpt.h"
#include "line.h"
#include "sanitise.h"
#include "voices.h"

#include <ctype.h>
#include <string.h>

#define EXCERPT_WIDTH 120 /* columns of a source line that is not cut */

/* ---- annotations */

/* GitHub's escapes; in a property also those of its separators. */
static void put_escaped(struct pgw_buf *out, const char *text, bool property)
{
	for (; *text; text++) {
		switch (*text) {
		case '%':
			pgw_buf_put_text(out, "%25");
			break;
		case '\r':
			pgw_buf_put_text(out, "%0D");
			break;
		case '\n':
			pgw_buf_put_text(out, "%0A");
			break;
		case ':':
			pgw_buf_put_text(out, property ? "%3A" : ":");
			break;
		case ',':
			pgw_buf_put_text(out, property ? "%2C" : ",");
			break;
		default:
			pgw_buf_put(out, text, 1);
		}
	}
}

/* Clean first, escape second: a line feed is both harmless and escaped. */
static void put_annotated(struct pgw_buf *out, const char *text, bool property)
{
	struct pgw_buf clean;

	pgw_buf_init(&clean, out->max);
	mz_sanitise(&clean, pgw_view_of(text), "");
	pgw_buf_put_u8(&clean, 0);
	if (!clean.failed)
		put_escaped(out, (const char *)clean.data, property);
	pgw_buf_release(&clean);
}

void mz_annotate(struct mz_report *r, const struct mz_annotation *a)
{
	struct mz_line l;

	if (!r->github)
		return;
	mz_line_init(&l, false);
	mz_line_printf(&l, "::%s", a->kind);
	if (a->file && a->file[0]) {
		mz_line_put(&l, " file=");
		put_annotated(&l.text, a->file, true);
		if (a->line > 0)
			mz_line_printf(&l, ",line=%zu", a->line);
		if (a->line > 0 && a->column > 0)
			mz_line_printf(&l, ",col=%zu", a->column);
	}
	mz_line_put(&l, "::");
	put_annotated(&l.text, a->message, false);
	if (a->more) {
		mz_line_put(&l, "%0A");
		put_annotated(&l.text, a->more, false);
	}
	mz_line_put(&l, "\n");
	mz_line_err(&l, r);
}

/* ---- errors */

/* "   = name: text", further lines under a bar of their own */
static void put_field(struct mz_line *l, size_t gutter, const char *name,
		      const char *text)
{
	char prefix[40];

	if (!text || !text[0])
		return;
	snprintf(prefix, sizeof(prefix), "%*s |   ", (int)gutter, "");
	mz_line_blanks(l, gutter);
	mz_line_put(l, " ");
	mz_line_paint(l, MZ_PAINT_CYAN, "=");
	mz_line_put(l, " ");
	mz_line_foreign(l, name, NULL);
	mz_line_put(l, ": ");
	mz_line_foreign(l, text, prefix);
	mz_line_put(l, "\n");
}

static void put_sql(struct mz_line *l, const struct mz_err *err)
{
	const struct mz_sql_error *sql = err->sql;
	size_t gutter = mz_excerpt_gutter(err->place.line);

	put_field(l, gutter, sql->sqlstate ? sql->sqlstate : "error",
		  sql->message);
	put_field(l, gutter, "detail", sql->detail);
	put_field(l, gutter, "hint", sql->hint);
	put_field(l, gutter, "context", sql->where);
}

static void put_place(struct mz_line *l, const struct mz_place *place,
		      struct pgw_view source)
{
	struct mz_excerpt e = {
		.file = place->file,
		.line = place->line,
		.column = place->column,
		.source = source,
		.width = EXCERPT_WIDTH,
		.mark = mz_paint_on(l, MZ_PAINT_RED),
		.unmark = mz_paint_off(l),
	};

	if (place->file[0])
		mz_excerpt(&l->text, &e);
}

void mz_text_error(struct mz_report *r, const struct mz_err *err)
{
	struct pgw_view source = { NULL, 0 };
	struct mz_line l;

	if (err->sql && err->sql->source)
		source = pgw_view_of(err->sql->source);
	mz_line_init(&l, r->color_err);
	mz_line_paint(&l, MZ_PAINT_RED, "error:");
	mz_line_put(&l, " ");
	mz_line_foreign(&l, err->msg, MZ_CONTINUED);
	mz_line_put(&l, "\n");
	put_place(&l, &err->place, source);
	if (err->sql)
		put_sql(&l, err);
	if (err->hint[0]) {
		mz_line_put(&l, "  ");
		mz_line_paint(&l, MZ_PAINT_CYAN, "hint:");
		mz_line_put(&l, " ");
		mz_line_foreign(&l, err->hint, MZ_CONTINUED);
		mz_line_put(&l, "\n");
	}
	mz_line_err(&l, r);
	mz_annotate(r, &(struct mz_annotation){
			       .kind = "error",
			       .file = err->place.file,
			       .line = err->place.line,
			       .column = err->place.column,
			       .message = err->msg,
			       .more = err->sql ? err->sql->message : NULL });
}

/* ---- what happens */

void mz_text_remark(struct mz_report *r, const char *level, const char *text)
{
	bool warning = strcmp(level, "warning") == 0;
	struct mz_line l;

	if (r->quiet && !warning)
		return;
	mz_line_init(&l, r->color_err);
	mz_line_paint(&l, warning ? MZ_PAINT_YELLOW : MZ_PAINT_CYAN, level);
	mz_line_put(&l, ": ");
	mz_line_foreign(&l, text, MZ_CONTINUED);
	mz_line_put(&l, "\n");
	mz_line_err(&l, r);
	if (warning)
		mz_annotate(r, &(struct mz_annotation){ .kind = level,
							.message = text });
}

static void put_part(struct mz_line *l, const char *name, const char *text)
{
	if (!text)
		return;
	mz_line_put(l, MZ_CONTINUED);
	mz_line_put(l, name);
	mz_line_foreign(l, text, MZ_CONTINUED);
	mz_line_put(l, "\n");
}

static const char *text_or(const char *text, const char *other)
{
	return text ? text : other;
}

/* The server's word for how serious it is, in our way of writing. */
static void put_severity(struct mz_line *l, const char *severity)
{
	char word[16];
	size_t n = 0;

	for (; n < sizeof(word) - 1 && severity[n]; n++)
		word[n] = (char)tolower((unsigned char)severity[n]);
	word[n] = '\0';
	mz_line_put(l, mz_paint_on(l, strcmp(word, "warning") == 0 ?
					      MZ_PAINT_YELLOW :
					      MZ_PAINT_CYAN));
	mz_line_foreign(l, word, NULL);
	mz_line_put(l, mz_paint_off(l));
	mz_line_put(l, ": ");
}

static void notice(struct mz_report *r, const struct mz_event *e)
{
	const struct pgw_diag *d = e->diag;
	const char *severity = text_or(pgw_diag_get(d, PGW_DIAG_SEVERITY),
				       "NOTICE");
	struct mz_line l;

	if (r->quiet && strcmp(severity, "WARNING") != 0)
		return;
	mz_line_init(&l, r->color_err);
	put_severity(&l, severity);
	if (e->tag) {
		mz_line_foreign(&l, e->tag, NULL);
		mz_line_put(&l, ": ");
	}
	mz_line_foreign(&l, text_or(pgw_diag_get(d, PGW_DIAG_MESSAGE), ""),
			MZ_CONTINUED);
	mz_line_put(&l, "\n");
	put_part(&l, "detail: ", pgw_diag_get(d, PGW_DIAG_DETAIL));
	put_part(&l, "hint: ", pgw_diag_get(d, PGW_DIAG_HINT));
	mz_line_err(&l, r);
}

static void start(struct mz_report *r, const struct mz_event *e)
{
	struct mz_line l;

	if (!r->verbose)
		return;
	mz_line_init(&l, r->color_err);
	mz_line_printf(&l, "%zu of %zu migrations of ", e->k, e->n);
	mz_line_foreign(&l, text_or(e->file, "the folder"), NULL);
	mz_line_printf(&l, " to be %s\n",
		       e->undone ? "rolled back" : "applied");
	mz_line_err(&l, r);
}

static void waiting(struct mz_report *r, const struct mz_event *e)
{
	struct mz_line l;

	if (r->quiet ||
	    (r->live && !e->backend)) /* the progress line says it */
		return;
	mz_line_init(&l, r->color_err);
	mz_line_put(&l, "waiting: ");
	mz_line_foreign(&l, text_or(e->text, ""), MZ_CONTINUED);
	mz_line_put(&l, "\n");
	mz_line_err(&l, r);
}

static void statement(struct mz_report *r, const struct mz_event *e)
{
	struct mz_line l;

	if (!r->verbose)
		return;
	mz_line_init(&l, r->color_err);
	mz_line_printf(&l, "  line %zu: ", e->line);
	mz_line_foreign(&l, text_or(e->text, ""), NULL);
	mz_line_put(&l, "  ");
	mz_line_put(&l, mz_paint_on(&l, MZ_PAINT_DIM));
	mz_line_time(&l, e->us);
	mz_line_put(&l, mz_paint_off(&l));
	mz_line_put(&l, "\n");
	mz_line_err(&l, r);
}

static void applied(struct mz_report *r, const struct mz_event *e)
{
	struct mz_line l;

	if (r->quiet)
		return;
	mz_line_init(&l, r->color_err);
	mz_line_printf(&l, "[%zu/%zu] ", e->k, e->n);
	mz_line_foreign(&l, text_or(e->tag, ""), NULL);
	mz_line_put(&l, e->undone ? " rolled back  " : "  ");
	mz_line_put(&l, mz_paint_on(&l, MZ_PAINT_DIM));
	mz_line_time(&l, e->us);
	mz_line_put(&l, mz_paint_off(&l));
	mz_line_put(&l, "\n");
	mz_line_err(&l, r);
}

void mz_text_event(struct mz_report *r, const struct mz_event *e)
{
	switch (e->kind) {
	case MZ_EV_START:
		start(r, e);
		break;
	case MZ_EV_WAITING:
		waiting(r, e);
		break;
	case MZ_EV_STATEMENT:
		statement(r, e);
		break;
	case MZ_EV_APPLIED:
		applied(r, e);
		break;
	case MZ_EV_NOTICE:
		notice(r, e);
		break;
	case MZ_EV_REMARK:
		mz_text_remark(r, "note", text_or(e->text, ""));
		break;
	case MZ_EV_WARNING:
		mz_text_remark(r, "warning", text_or(e->text, ""));
		break;
	case MZ_EV_BLOCKED:
	case MZ_EV_UNBLOCKED:
		mz_text_blocked(r, e);
		break;
	case MZ_EV_PROGRESS:
		mz_text_still(r, e->running);
		break;
	case MZ_EV_STILL:
	case MZ_EV_BEGIN:
		break;
	}
	mz_progress_event(r, e);
}
