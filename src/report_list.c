/* SPDX-License-Identifier: MIT */
/* What people read on stdout: lists, findings, facts, and the last line. */
#include <config.h>

#include "excerpt.h"
#include "line.h"
#include "sanitise.h"
#include "voices.h"

#include <string.h>
#include <time.h>

#define EXCERPT_WIDTH 120

/* ---- a list of migrations */

/* How a state looks, and what is to be said of it when nothing else is. */
static const struct look {
	const char *symbol;
	enum mz_paint paint;
	const char *note;
} looks[MZ_STATES] = {
	[MZ_APPLIED] = { "\xE2\x9C\x93", MZ_PAINT_GREEN, NULL },
	[MZ_PENDING] = { "\xE2\x80\xA2", MZ_PAINT_YELLOW, NULL },
	[MZ_MODIFIED] = { "\xE2\x9C\x97", MZ_PAINT_RED,
			  "the file was changed after it was applied" },
	[MZ_EOL] = { "\xE2\x9C\x93", MZ_PAINT_GREEN,
		     "applied; only its line ends were changed" },
	[MZ_MISSING] = { "\xE2\x9C\x97", MZ_PAINT_RED,
			 "applied, but not in the folder" },
	[MZ_OUT_OF_ORDER] = { "!", MZ_PAINT_RED,
			      "pending, but older than an applied one" },
	[MZ_PARTIAL] = { "!", MZ_PAINT_RED,
			 "stopped midway; migrate goes on from there" },
};

#define STATE_WIDTH 12 /* of "out-of-order" */

static size_t widest_tag(const struct mz_listed *list, size_t n)
{
	size_t widest = 0;

	for (size_t i = 0; i < n; i++) {
		size_t width = mz_text_width(pgw_view_of(list[i].tag));

		if (width > widest)
			widest = width;
	}
	return widest;
}

/* 2020; folders without dates count from 1970 */
#define EPOCH_OF_DRIZZLE INT64_C(1577836800000)

/* When it was applied, as the history has it, or when it was written. */
static void put_when(struct mz_line *l, const struct mz_listed *m)
{
	time_t seconds = (time_t)(m->when / 1000);
	struct tm tm;
	char text[64];

	if (m->recorded_at) {
		mz_line_foreign(l, m->recorded_at, NULL);
		return;
	}
	if (m->when < EPOCH_OF_DRIZZLE || !gmtime_r(&seconds, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm) == 0)
		return;
	mz_line_printf(l, "of %s", text);
}

static void put_listed(struct mz_line *l, const struct mz_listed *m,
		       size_t width)
{
	const struct look *look = &looks[m->state];
	const char *name = mz_state_name(m->state);
	const char *note = m->note ? m->note : look->note;

	mz_line_put(l, mz_paint_on(l, look->paint));
	mz_line_printf(l, "%s %s", look->symbol, name);
	mz_line_put(l, mz_paint_off(l));
	mz_line_blanks(l, STATE_WIDTH - strlen(name) + 2);
	mz_line_foreign(l, m->tag, NULL);
	mz_line_blanks(l, width - mz_text_width(pgw_view_of(m->tag)) + 2);
	put_when(l, m);
	if (note) {
		mz_line_put(l, "  ");
		mz_line_foreign(l, note, NULL);
	}
	while (l->text.len > 0 && l->text.data[l->text.len - 1] == ' ')
		l->text.len--;
	mz_line_put(l, "\n");
}

void mz_text_listed(struct mz_report *r, const struct mz_listed *list, size_t n)
{
	size_t width = widest_tag(list, n);
	struct mz_line l;

	mz_line_init(&l, r->color_out);
	for (size_t i = 0; i < n; i++)
		put_listed(&l, &list[i], width);
	mz_line_out(&l, r);
}

/* ---- what would be done */

static void put_planned(struct mz_line *l, const struct mz_planned *p, size_t k)
{
	static const char *const ways[] = {
		[MZ_PLANNED_OWN] = "in a transaction of its own",
		[MZ_PLANNED_SHARED] = "in the one transaction",
		[MZ_PLANNED_NONE] = "outside of a transaction",
	};

	mz_line_printf(l, "%zu. ", k);
	mz_line_put(l, mz_paint_on(l, MZ_PAINT_BOLD));
	mz_line_foreign(l, p->tag, NULL);
	mz_line_put(l, mz_paint_off(l));
	mz_line_printf(l, "  %zu statement%s %s", p->statements,
		       p->statements == 1 ? "" : "s", ways[p->transaction]);
	if (p->note) {
		mz_line_put(l, "; ");
		mz_line_foreign(l, p->note, NULL);
	}
	mz_line_put(l, "\n");
	for (size_t i = 0; i < p->nhazards; i++) {
		const struct mz_hazard *h = &p->hazards[i];

		mz_line_put(l, "   ");
		mz_line_paint(l,
			      h->destructive ? MZ_PAINT_RED : MZ_PAINT_YELLOW,
			      "!");
		mz_line_put(l, " ");
		if (h->line > 0)
			mz_line_printf(l, "line %zu: ", h->line);
		mz_line_foreign(l, h->what, NULL);
		mz_line_put(l, ": ");
		mz_line_foreign(l, h->why, NULL);
		mz_line_put(l, "\n");
	}
}

void mz_text_planned(struct mz_report *r, const struct mz_planned *list,
		     size_t n)
{
	struct mz_line l;

	mz_line_init(&l, r->color_out);
	for (size_t i = 0; i < n; i++)
		put_planned(&l, &list[i], i + 1);
	mz_line_out(&l, r);
}

/* ---- what was made */

void mz_text_new(struct mz_report *r, const struct mz_new *n)
{
	struct mz_line l;

	mz_line_init(&l, false);
	for (size_t i = 0; n->files[i]; i++) {
		mz_line_foreign(&l, n->files[i], NULL);
		mz_line_put(&l, "\n");
	}
	mz_line_out(&l, r);
}

/* ---- findings and facts */

void mz_text_finding(struct mz_report *r, const struct mz_finding *f)
{
	bool error = f->level == MZ_LEVEL_ERROR;
	const char *level = error ? "error" : "warning";
	struct mz_line l;

	mz_line_init(&l, r->color_out);
	mz_line_paint(&l, error ? MZ_PAINT_RED : MZ_PAINT_YELLOW, level);
	mz_line_printf(&l, "[%s]: ", f->rule);
	mz_line_foreign(&l, f->message, MZ_CONTINUED);
	mz_line_put(&l, "\n");
	if (f->file && f->file[0])
		mz_excerpt(&l.text,
			   &(struct mz_excerpt){
				   .file = f->file,
				   .line = f->line,
				   .column = f->column,
				   .source = f->source,
				   .width = EXCERPT_WIDTH,
				   .mark = mz_paint_on(&l, MZ_PAINT_RED),
				   .unmark = mz_paint_off(&l) });
	if (f->hint && f->hint[0]) {
		mz_line_put(&l, "  hint: ");
		mz_line_foreign(&l, f->hint, MZ_CONTINUED);
		mz_line_put(&l, "\n");
	}
	mz_line_out(&l, r);
	mz_annotate(r, &(struct mz_annotation){ .kind = level,
						.file = f->file,
						.line = f->line,
						.column = f->column,
						.message = f->message,
						.more = f->hint });
}

static bool is_line(const struct mz_fact *f)
{
	return f->name && f->text;
}

#define FACT_WIDTH 100

/* Where a line of at most room bytes ends: behind a blank or a comma. */
static size_t break_at(const char *text, size_t room)
{
	size_t n = strlen(text);

	if (n <= room)
		return n;
	for (n = room; n > 0; n--)
		if (text[n - 1] == ' ' || text[n - 1] == ',')
			return n;
	return strlen(text); /* one long word stays whole */
}

static void put_wrapped(struct mz_line *l, const char *text, size_t indent)
{
	for (;;) {
		size_t n = break_at(text, FACT_WIDTH - indent);
		char part[FACT_WIDTH + 1];

		if (n > FACT_WIDTH || text[n] == '\0') {
			mz_line_foreign(l, text, NULL);
			mz_line_put(l, "\n");
			return;
		}
		memcpy(part, text, n);
		part[n - (text[n - 1] == ' ')] = '\0';
		mz_line_foreign(l, part, NULL);
		mz_line_put(l, "\n");
		mz_line_blanks(l, indent);
		text += n;
	}
}

void mz_text_facts(struct mz_report *r, const struct mz_fact *facts, size_t n)
{
	size_t width = 0;
	struct mz_line l;

	for (size_t i = 0; i < n; i++)
		if (is_line(&facts[i]) && strlen(facts[i].name) > width)
			width = strlen(facts[i].name);
	mz_line_init(&l, r->color_out);
	for (size_t i = 0; i < n; i++) {
		if (!is_line(&facts[i]))
			continue;
		mz_line_paint(&l, MZ_PAINT_DIM, facts[i].name);
		mz_line_blanks(&l, width - strlen(facts[i].name) + 2);
		put_wrapped(&l, facts[i].text, width + 2);
	}
	mz_line_out(&l, r);
}

/* ---- the last line */

static const char *s_of(size_t n)
{
	return n == 1 ? "" : "s";
}

static void put_migrated(struct mz_line *l, const struct mz_result *res)
{
	if (res->applied == 0 && res->pending == 0) {
		mz_line_printf(l, "nothing to do: %zu migration%s applied\n",
			       res->present,
			       res->present == 1 ? " is" : "s are");
		return;
	}
	mz_line_printf(l, "applied %zu migration%s in ", res->applied,
		       s_of(res->applied));
	mz_line_time(l, res->us);
	if (res->pending > 0)
		mz_line_printf(l, "; %zu left pending", res->pending);
	mz_line_put(l, "\n");
}

static void put_rolled_back(struct mz_line *l, const struct mz_result *res)
{
	if (res->applied == 0) {
		mz_line_put(l, "nothing to roll back\n");
		return;
	}
	mz_line_printf(l, "rolled back %zu migration%s in ", res->applied,
		       s_of(res->applied));
	mz_line_time(l, res->us);
	mz_line_put(l, "\n");
}

static void put_undoing(struct mz_line *l, const struct mz_result *res)
{
	if (res->applied == 0)
		mz_line_put(l, "nothing to roll back\n");
	else
		mz_line_printf(l, "%zu migration%s would be rolled back\n",
			       res->applied, s_of(res->applied));
}

static void put_repaired(struct mz_line *l, const struct mz_result *res,
			 bool would)
{
	if (res->repaired == 0)
		mz_line_put(l, "nothing to repair: history and folder agree\n");
	else
		mz_line_printf(l, "%zu change%s %s made to the history\n",
			       res->repaired, s_of(res->repaired),
			       would		 ? "would be" :
			       res->repaired > 1 ? "were" :
						   "was");
}

static void put_counts(struct mz_line *l, const struct mz_result *res)
{
	size_t total = 0, kinds = 0;

	for (size_t i = 0; i < MZ_STATES; i++)
		total += res->counts[i];
	mz_line_printf(l, "%zu migration%s", total, s_of(total));
	for (size_t i = 0; i < MZ_STATES; i++) {
		if (res->counts[i] == 0)
			continue;
		mz_line_put(l, kinds++ == 0 ? ": " : ", ");
		mz_line_put(l, mz_paint_on(l, looks[i].paint));
		mz_line_printf(l, "%zu %s", res->counts[i],
			       mz_state_name((enum mz_state)i));
		mz_line_put(l, mz_paint_off(l));
	}
	mz_line_put(l, "\n");
}

static void put_plan(struct mz_line *l, const struct mz_result *res)
{
	if (res->pending == 0) {
		mz_line_put(l, "nothing would be applied\n");
		return;
	}
	mz_line_printf(l, "%zu migration%s would be applied", res->pending,
		       s_of(res->pending));
	if (res->destructive > 0)
		mz_line_printf(l, "; %zu statement%s destructive",
			       res->destructive,
			       res->destructive == 1 ? " is" : "s are");
	mz_line_put(l, "\n");
	if (res->plan[0])
		mz_line_printf(l, "plan %s: mizzle migrate --approve %s\n",
			       res->plan, res->plan);
}

static void put_checked(struct mz_line *l, const struct mz_result *res)
{
	mz_line_printf(l, "checked %zu migration%s: ", res->checked,
		       s_of(res->checked));
	if (res->errors + res->warnings == 0)
		mz_line_put(l, "nothing was found\n");
	else
		mz_line_printf(l, "%zu error%s, %zu warning%s\n", res->errors,
			       s_of(res->errors), res->warnings,
			       s_of(res->warnings));
}

static void put_recorded(struct mz_line *l, const struct mz_result *res)
{
	if (res->applied == 0)
		mz_line_put(l, "nothing to record\n");
	else
		mz_line_printf(l,
			       "recorded %zu migration%s as applied; none "
			       "was run\n",
			       res->applied, s_of(res->applied));
}

/* What was found is found, also when that is an error. */
static bool is_told_anyway(enum mz_result_kind kind)
{
	return kind == MZ_RESULT_LISTING || kind == MZ_RESULT_FINDINGS;
}

void mz_text_result(struct mz_report *r, const struct mz_result *result,
		    const struct mz_err *err)
{
	struct mz_line l;

	if (err && err->msg[0] && !is_told_anyway(result->kind))
		return; /* the error has told what was done */
	mz_line_init(&l, r->color_out);
	switch (result->kind) {
	case MZ_RESULT_NONE:
	case MZ_RESULT_EXEC: /* the results are out already */
		break;
	case MZ_RESULT_MIGRATE:
		put_migrated(&l, result);
		break;
	case MZ_RESULT_BASELINE:
		put_recorded(&l, result);
		break;
	case MZ_RESULT_ROLLBACK:
		put_rolled_back(&l, result);
		break;
	case MZ_RESULT_UNDOING:
		put_undoing(&l, result);
		break;
	case MZ_RESULT_REPAIR:
	case MZ_RESULT_REPAIRING:
		put_repaired(&l, result, result->kind == MZ_RESULT_REPAIRING);
		break;
	case MZ_RESULT_LISTING:
		put_counts(&l, result);
		break;
	case MZ_RESULT_PLAN:
		put_plan(&l, result);
		break;
	case MZ_RESULT_FINDINGS:
		put_checked(&l, result);
		break;
	case MZ_RESULT_LOCKS:
		if (result->roles[MZ_ROLE_HOLDER] == 0)
			mz_line_put(&l, "nobody migrates\n");
		break;
	}
	mz_line_out(&l, r);
}
