/* SPDX-License-Identifier: MIT */
/* What programs read: one JSON object a line on stdout. */
#include <config.h>

#include "json_watch.h"
#include "line.h"
#include "sanitise.h"
#include "voices.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/*
 * Foreign text; null for NULL.  JSON escapes control characters by itself, but
 * takes no bytes that are not UTF-8.
 */
static json_t *text_of(const char *text)
{
	struct pgw_buf clean;
	struct pgw_view rest;
	json_t *string;
	uint32_t cp;

	if (!text)
		return json_null();
	pgw_buf_init(&clean, SIZE_MAX);
	for (rest = pgw_view_of(text); rest.n > 0;) {
		if (rest.p[0] < 0x20) {
			pgw_buf_put(&clean, rest.p, 1);
			rest.p++;
			rest.n--;
		} else if (mz_next_char(&rest, &cp)) {
			mz_put_char(&clean, cp);
		}
	}
	string = json_stringn(clean.data ? (const char *)clean.data : "",
			      clean.len);
	pgw_buf_release(&clean);
	return string;
}

static void put_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, text_of(text));
}

/* Only when there is something to say. */
static void put_some(json_t *o, const char *key, const char *text)
{
	if (text && text[0])
		put_text(o, key, text);
}

static void put_int(json_t *o, const char *key, int64_t n)
{
	json_object_set_new(o, key, json_integer(n));
}

static void put_size(json_t *o, const char *key, size_t n)
{
	put_int(o, key, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static void put_bool(json_t *o, const char *key, bool value)
{
	json_object_set_new(o, key, json_boolean(value));
}

static void put_ms(json_t *o, uint64_t us)
{
	put_int(o, "ms", (int64_t)((us + 500) / 1000));
}

static json_t *event_of(const char *name)
{
	json_t *o = json_object();

	json_object_set_new(o, "event", json_string(name));
	return o;
}

/* Print o and release it. */
static void say(struct mz_report *r, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	struct mz_line l;

	json_decref(o);
	if (!text) {
		r->write_errno = ENOMEM;
		return;
	}
	mz_line_init(&l, false);
	mz_line_put(&l, text);
	mz_line_put(&l, "\n");
	mz_line_out(&l, r);
	free(text);
}

/* ---- for report_json_watch.c */

json_t *mz_json_begin(const char *event)
{
	return event_of(event);
}

void mz_json_put(json_t *o, const char *key, const char *text)
{
	put_text(o, key, text);
}

void mz_json_say(struct mz_report *r, json_t *o)
{
	say(r, o);
}

/* ---- what happens */

static json_t *notice(const struct pgw_diag *d, const char *tag)
{
	json_t *o = event_of("notice");

	put_some(o, "tag", tag);
	put_some(o, "severity", pgw_diag_get(d, PGW_DIAG_SEVERITY));
	put_some(o, "sqlstate", pgw_diag_sqlstate(d));
	put_text(o, "message", pgw_diag_get(d, PGW_DIAG_MESSAGE));
	put_some(o, "detail", pgw_diag_get(d, PGW_DIAG_DETAIL));
	put_some(o, "hint", pgw_diag_get(d, PGW_DIAG_HINT));
	return o;
}

void mz_json_remark(struct mz_report *r, const char *level, const char *text)
{
	json_t *o = event_of("notice");

	put_text(o, "severity", level);
	put_text(o, "message", text);
	say(r, o);
}

static json_t *start(const struct mz_report *r, const struct mz_event *e)
{
	json_t *o = event_of("start");

	put_text(o, "command", r->command);
	put_text(o, "dir", e->file);
	put_size(o, e->undone ? "to_roll_back" : "pending", e->k);
	put_size(o, "total", e->n);
	return o;
}

static json_t *statement(const struct mz_event *e)
{
	json_t *o = event_of("statement");

	put_text(o, "tag", e->tag);
	put_size(o, "line", e->line);
	put_text(o, "text", e->text);
	put_ms(o, e->us);
	return o;
}

static json_t *applied(const struct mz_event *e)
{
	json_t *o = event_of("migration");

	put_text(o, "tag", e->tag);
	put_text(o, "hash", e->hash);
	put_text(o, "state",
		 e->undone ? "rolled-back" : mz_state_name(MZ_APPLIED));
	put_size(o, "statements", e->statements);
	put_ms(o, e->us);
	return o;
}

void mz_json_event(struct mz_report *r, const struct mz_event *e)
{
	switch (e->kind) {
	case MZ_EV_START:
		say(r, start(r, e));
		break;
	case MZ_EV_WAITING:
		mz_json_waiting(r, e);
		break;
	case MZ_EV_STATEMENT:
		if (r->verbose)
			say(r, statement(e));
		break;
	case MZ_EV_APPLIED:
		say(r, applied(e));
		break;
	case MZ_EV_NOTICE:
		say(r, notice(e->diag, e->tag));
		break;
	case MZ_EV_REMARK:
		mz_json_remark(r, "note", e->text);
		break;
	case MZ_EV_WARNING:
		mz_json_remark(r, "warning", e->text);
		break;
	case MZ_EV_BLOCKED:
	case MZ_EV_UNBLOCKED:
		mz_json_blocked(r, e);
		break;
	case MZ_EV_PROGRESS:
		mz_json_progress(r, e->running);
		break;
	case MZ_EV_STILL:
	case MZ_EV_BEGIN:
		break;
	}
}

/* ---- errors */

static void put_place(json_t *o, const char *file, size_t line, size_t column)
{
	put_some(o, "file", file);
	if (line > 0)
		put_size(o, "line", line);
	if (column > 0)
		put_size(o, "column", column);
}

static void put_sql(json_t *o, const struct mz_sql_error *sql)
{
	put_some(o, "sqlstate", sql->sqlstate);
	put_some(o, "tag", sql->tag);
	put_some(o, "detail", sql->detail);
	put_some(o, "server_hint", sql->hint);
	put_some(o, "context", sql->where);
}

void mz_json_error(struct mz_report *r, const struct mz_err *err)
{
	json_t *o = event_of("error");

	put_text(o, "code", mz_status_name(err->status));
	if (err->signal)
		put_int(o, "signal", err->signal);
	put_text(o, "message",
		 err->sql && err->sql->message ? err->sql->message : err->msg);
	if (err->sql && err->sql->message)
		put_text(o, "summary", err->msg);
	put_place(o, err->place.file, err->place.line, err->place.column);
	if (err->sql)
		put_sql(o, err->sql);
	else
		put_some(o, "sqlstate", err->sqlstate);
	put_some(o, "hint", err->hint);
	say(r, o);
}

/* ---- results */

void mz_json_listed(struct mz_report *r, const struct mz_listed *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mz_listed *m = &list[i];
		json_t *o = event_of("migration");

		put_text(o, "tag", m->tag);
		put_text(o, "state", mz_state_name(m->state));
		put_text(o, "hash", m->hash);
		put_int(o, "when", m->when);
		put_text(o, "recorded_hash", m->recorded_hash);
		put_text(o, "recorded_at", m->recorded_at);
		if (m->has_recorded_when)
			put_int(o, "recorded_when", m->recorded_when);
		put_some(o, "note", m->note);
		say(r, o);
	}
}

static json_t *hazard(const struct mz_hazard *h)
{
	json_t *o = json_object();

	if (h->line > 0)
		put_size(o, "line", h->line);
	if (h->column > 0)
		put_size(o, "column", h->column);
	put_text(o, "statement", h->what);
	put_text(o, "reason", h->why);
	put_bool(o, "destructive", h->destructive);
	return o;
}

void mz_json_planned(struct mz_report *r, const struct mz_planned *list,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mz_planned *p = &list[i];
		json_t *o = event_of("migration");
		json_t *hazards = json_array();

		put_text(o, "tag", p->tag);
		put_text(o, "state", mz_state_name(p->state));
		put_text(o, "hash", p->hash);
		put_text(o, "file", p->path);
		put_text(o, "transaction",
			 mz_planned_transaction_name(p->transaction));
		put_size(o, "statements", p->statements);
		put_some(o, "note", p->note);
		for (size_t k = 0; k < p->nhazards; k++)
			json_array_append_new(hazards, hazard(&p->hazards[k]));
		json_object_set_new(o, "hazards", hazards);
		say(r, o);
	}
}

void mz_json_new(struct mz_report *r, const struct mz_new *n)
{
	json_t *o = event_of("migration");
	json_t *files = json_array();

	put_text(o, "tag", n->tag);
	put_text(o, "state", mz_state_name(MZ_PENDING));
	put_text(o, "layout", n->layout);
	put_int(o, "when", n->when);
	put_text(o, "file", n->files[0]);
	for (size_t i = 0; n->files[i]; i++)
		json_array_append_new(files, text_of(n->files[i]));
	json_object_set_new(o, "files", files);
	say(r, o);
}

void mz_json_repairs(struct mz_report *r, const struct mz_repair *list,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mz_repair *one = &list[i];
		json_t *o = event_of("repair");

		put_text(o, "action", one->to ? "update" : "delete");
		put_int(o, "row", one->row);
		put_text(o, "tag", one->tag);
		if (one->to) {
			put_text(o, "column", one->what);
			put_text(o, "from", one->from);
			put_text(o, "to", one->to);
		}
		put_text(o, "reason", one->why);
		say(r, o);
	}
}

void mz_json_finding(struct mz_report *r, const struct mz_finding *f)
{
	json_t *o = event_of("finding");

	put_text(o, "level", f->level == MZ_LEVEL_ERROR ? "error" : "warning");
	put_text(o, "rule", f->rule);
	put_text(o, "message", f->message);
	put_some(o, "tag", f->tag);
	put_place(o, f->file, f->line, f->column);
	put_some(o, "hint", f->hint);
	say(r, o);
}

static void put_fact(json_t *o, const struct mz_fact *f)
{
	if (!f->text)
		put_text(o, f->key, NULL);
	else if (f->kind == MZ_FACT_NUMBER)
		put_int(o, f->key, f->number);
	else if (f->kind == MZ_FACT_BOOL)
		put_bool(o, f->key, f->number != 0);
	else
		put_text(o, f->key, f->text);
}

void mz_json_facts(struct mz_report *r, const char *event,
		   const struct mz_fact *facts, size_t n)
{
	json_t *o = event_of(event);

	for (size_t i = 0; i < n; i++)
		if (facts[i].key)
			put_fact(o, &facts[i]);
	say(r, o);
}

static void put_roles(json_t *o, const struct mz_result *result)
{
	put_size(o, "holders", result->roles[MZ_ROLE_HOLDER]);
	put_size(o, "workers", result->roles[MZ_ROLE_WORKER]);
	put_size(o, "blockers", result->roles[MZ_ROLE_BLOCKER]);
	put_size(o, "waiters", result->roles[MZ_ROLE_WAITER]);
}

static void put_counts(json_t *o, const struct mz_result *result)
{
	for (int i = 0; i < MZ_STATES; i++)
		put_size(o, mz_state_name((enum mz_state)i), result->counts[i]);
}

void mz_json_result(struct mz_report *r, const struct mz_result *result,
		    const struct mz_err *err)
{
	json_t *o = event_of("result");

	put_text(o, "command", r->command[0] ? r->command : NULL);
	put_bool(o, "ok", !err);
	if (err)
		put_text(o, "code", mz_status_name(err->status));
	switch (result->kind) {
	case MZ_RESULT_NONE:
		break;
	case MZ_RESULT_MIGRATE:
		put_size(o, "applied", result->applied);
		put_size(o, "pending", result->pending);
		put_ms(o, result->us);
		put_size(o, "round_trips", result->round_trips);
		break;
	case MZ_RESULT_BASELINE:
		put_size(o, "recorded", result->applied);
		put_size(o, "pending", result->pending);
		put_size(o, "round_trips", result->round_trips);
		break;
	case MZ_RESULT_ROLLBACK:
		put_size(o, "rolled_back", result->applied);
		put_size(o, "pending", result->pending);
		put_ms(o, result->us);
		put_size(o, "round_trips", result->round_trips);
		break;
	case MZ_RESULT_UNDOING:
		put_size(o, "to_roll_back", result->applied);
		put_size(o, "round_trips", result->round_trips);
		break;
	case MZ_RESULT_REPAIR:
		put_size(o, "repaired", result->repaired);
		put_size(o, "round_trips", result->round_trips);
		break;
	case MZ_RESULT_REPAIRING:
		put_size(o, "to_repair", result->repaired);
		put_size(o, "round_trips", result->round_trips);
		break;
	case MZ_RESULT_LISTING:
		put_counts(o, result);
		put_size(o, "round_trips", result->round_trips);
		break;
	case MZ_RESULT_PLAN:
		put_size(o, "pending", result->pending);
		put_size(o, "destructive", result->destructive);
		put_some(o, "plan", result->plan);
		put_size(o, "round_trips", result->round_trips);
		break;
	case MZ_RESULT_FINDINGS:
		put_size(o, "checked", result->checked);
		put_size(o, "errors", result->errors);
		put_size(o, "warnings", result->warnings);
		break;
	case MZ_RESULT_LOCKS:
		put_roles(o, result);
		break;
	}
	say(r, o);
}
