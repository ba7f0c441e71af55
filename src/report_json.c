/* SPDX-License-Identifier: MIT */
/* What programs read: one JSON object a line on stdout. */
#include <config.h>

#include "line.h"
#include "report_json.h"
#include "sanitise.h"

#include <errno.h>
#include <string.h>

json_t *mz_json_text(struct pgw_view text)
{
	struct pgw_buf clean;
	struct pgw_view rest = text;
	json_t *string;
	uint32_t cp;

	pgw_buf_init(&clean, SIZE_MAX);
	while (rest.n > 0) {
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

/* Foreign text; null for NULL. */
void mz_json_put_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key,
			    text ? mz_json_text(pgw_view_of(text)) :
				   json_null());
}

/* Only when there is something to say. */
void mz_json_put_some(json_t *o, const char *key, const char *text)
{
	if (text && text[0])
		mz_json_put_text(o, key, text);
}

void mz_json_put_int(json_t *o, const char *key, int64_t n)
{
	json_object_set_new(o, key, json_integer(n));
}

void mz_json_put_size(json_t *o, const char *key, size_t n)
{
	mz_json_put_int(o, key, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

void mz_json_put_bool(json_t *o, const char *key, bool value)
{
	json_object_set_new(o, key, json_boolean(value));
}

void mz_json_put_ms(json_t *o, uint64_t us)
{
	mz_json_put_int(o, "ms", (int64_t)((us + 500) / 1000));
}

json_t *mz_json_event_of(const char *name)
{
	json_t *o = json_object();

	json_object_set_new(o, "event", json_string(name));
	return o;
}

bool mz_json_line(struct mz_report *r, json_t *o, struct mz_line *l)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	if (!text) {
		r->write_errno = ENOMEM;
		return false;
	}
	mz_line_init(l, false);
	mz_line_put(l, text);
	mz_line_put(l, "\n");
	free(text);
	return true;
}

void mz_json_say(struct mz_report *r, json_t *o)
{
	struct mz_line l;

	if (mz_json_line(r, o, &l))
		mz_line_out(&l, r);
}

/* "12,34" as numbers */
static json_t *pids(const char *text)
{
	json_t *list = json_array();

	while (text && *text) {
		char *end;
		long long pid = strtoll(text, &end, 10);

		if (end == text)
			break;
		json_array_append_new(list, json_integer(pid));
		text = end + (*end == ',');
	}
	return list;
}

/* Another session; null is what we may not see. */
void mz_json_put_backend(json_t *o, const struct mz_backend *b)
{
	mz_json_put_int(o, "pid", b->pid);
	mz_json_put_text(o, "user", b->user);
	mz_json_put_text(o, "application", b->application);
	mz_json_put_text(o, "address", b->address);
	mz_json_put_text(o, "type", b->type);
	mz_json_put_text(o, "state", b->state);
	mz_json_put_text(o, "since", b->since);
	mz_json_put_text(o, "query", b->state ? b->query : NULL);
	json_object_set_new(o, "blocked_by", pids(b->blocked_by));
}

void mz_json_put_place(json_t *o, const char *file, size_t line, size_t column)
{
	mz_json_put_some(o, "file", file);
	if (line > 0)
		mz_json_put_size(o, "line", line);
	if (column > 0)
		mz_json_put_size(o, "column", column);
}

/* ---- what happens */

static json_t *notice(const struct pgw_diag *d, const char *tag)
{
	json_t *o = mz_json_event_of("notice");

	mz_json_put_some(o, "tag", tag);
	mz_json_put_some(o, "severity", pgw_diag_get(d, PGW_DIAG_SEVERITY));
	mz_json_put_some(o, "sqlstate", pgw_diag_sqlstate(d));
	mz_json_put_text(o, "message", pgw_diag_get(d, PGW_DIAG_MESSAGE));
	mz_json_put_some(o, "detail", pgw_diag_get(d, PGW_DIAG_DETAIL));
	mz_json_put_some(o, "hint", pgw_diag_get(d, PGW_DIAG_HINT));
	return o;
}

void mz_json_remark(struct mz_report *r, const char *level, const char *text)
{
	json_t *o = mz_json_event_of("notice");

	mz_json_put_text(o, "severity", level);
	mz_json_put_text(o, "message", text);
	mz_json_say(r, o);
}

static json_t *start(const struct mz_report *r, const struct mz_event *e)
{
	json_t *o = mz_json_event_of("start");

	mz_json_put_text(o, "command", r->command);
	mz_json_put_text(o, "dir", e->file);
	mz_json_put_size(o, e->undone ? "to_roll_back" : "pending", e->k);
	mz_json_put_size(o, "total", e->n);
	return o;
}

static json_t *begin(const struct mz_event *e)
{
	json_t *o = mz_json_event_of("begin");

	mz_json_put_text(o, "tag", e->tag);
	mz_json_put_size(o, "number", e->k);
	mz_json_put_size(o, "total", e->n);
	mz_json_put_size(o, "statements", e->statements);
	return o;
}

static json_t *statement(const struct mz_event *e)
{
	json_t *o = mz_json_event_of("statement");

	mz_json_put_text(o, "tag", e->tag);
	mz_json_put_size(o, "line", e->line);
	mz_json_put_text(o, "text", e->text);
	mz_json_put_ms(o, e->us);
	return o;
}

static json_t *applied(const struct mz_event *e)
{
	json_t *o = mz_json_event_of("migration");

	mz_json_put_text(o, "tag", e->tag);
	mz_json_put_text(o, "hash", e->hash);
	mz_json_put_text(o, "state",
			 e->undone ? "rolled-back" : mz_state_name(MZ_APPLIED));
	mz_json_put_size(o, "statements", e->statements);
	mz_json_put_ms(o, e->us);
	return o;
}

static json_t *waiting(const struct mz_event *e)
{
	json_t *o = mz_json_event_of("waiting");

	mz_json_put_text(o, "message", e->text);
	if (e->backend)
		mz_json_put_backend(o, e->backend);
	return o;
}

static json_t *blocked(const struct mz_event *e)
{
	json_t *o = mz_json_event_of(e->backend ? "blocked" : "unblocked");

	mz_json_put_text(o, "tag", e->tag);
	if (e->backend)
		mz_json_put_backend(o, e->backend);
	return o;
}

static json_t *progress(const struct mz_running *run)
{
	json_t *o = mz_json_event_of("progress");

	mz_json_put_text(o, "tag", run->tag);
	mz_json_put_size(o, "statement", run->statement);
	mz_json_put_size(o, "statements", run->statements);
	if (run->line > 0)
		mz_json_put_size(o, "line", run->line);
	mz_json_put_some(o, "text", run->head);
	mz_json_put_ms(o, (uint64_t)run->us);
	mz_json_put_text(o, "phase", run->phase);
	if (run->percent >= 0)
		mz_json_put_int(o, "percent", run->percent);
	if (run->blocker > 0)
		mz_json_put_int(o, "blocked_by", run->blocker);
	return o;
}

void mz_json_event(struct mz_report *r, const struct mz_event *e)
{
	switch (e->kind) {
	case MZ_EV_START:
		mz_json_say(r, start(r, e));
		break;
	case MZ_EV_WAITING:
		mz_json_say(r, waiting(e));
		break;
	case MZ_EV_STATEMENT:
		if (r->verbose)
			mz_json_say(r, statement(e));
		break;
	case MZ_EV_APPLIED:
		mz_json_say(r, applied(e));
		break;
	case MZ_EV_NOTICE:
		mz_json_say(r, notice(e->diag, e->tag));
		break;
	case MZ_EV_REMARK:
		mz_json_remark(r, "note", e->text);
		break;
	case MZ_EV_WARNING:
		mz_json_remark(r, "warning", e->text);
		break;
	case MZ_EV_BLOCKED:
	case MZ_EV_UNBLOCKED:
		mz_json_say(r, blocked(e));
		break;
	case MZ_EV_PROGRESS:
		mz_json_say(r, progress(e->running));
		break;
	case MZ_EV_BEGIN:
		if (r->closely)
			mz_json_say(r, begin(e));
		break;
	case MZ_EV_STILL:
		break;
	}
}

/* ---- errors */

static void put_sql(json_t *o, const struct mz_sql_error *sql)
{
	mz_json_put_some(o, "sqlstate", sql->sqlstate);
	mz_json_put_some(o, "tag", sql->tag);
	mz_json_put_some(o, "detail", sql->detail);
	mz_json_put_some(o, "server_hint", sql->hint);
	mz_json_put_some(o, "context", sql->where);
	mz_json_put_some(o, "source", sql->source);
}

void mz_json_error(struct mz_report *r, const struct mz_err *err)
{
	json_t *o = mz_json_event_of("error");

	mz_json_put_text(o, "code", mz_status_name(err->status));
	if (err->signal)
		mz_json_put_int(o, "signal", err->signal);
	mz_json_put_text(o, "message",
			 err->sql && err->sql->message ? err->sql->message :
							 err->msg);
	if (err->sql && err->sql->message)
		mz_json_put_text(o, "summary", err->msg);
	mz_json_put_place(o, err->place.file, err->place.line,
			  err->place.column);
	if (err->sql)
		put_sql(o, err->sql);
	else
		mz_json_put_some(o, "sqlstate", err->sqlstate);
	mz_json_put_some(o, "hint", err->hint);
	mz_json_say(r, o);
}

/* ---- the result */

static void put_roles(json_t *o, const struct mz_result *result)
{
	mz_json_put_size(o, "holders", result->roles[MZ_ROLE_HOLDER]);
	mz_json_put_size(o, "workers", result->roles[MZ_ROLE_WORKER]);
	mz_json_put_size(o, "blockers", result->roles[MZ_ROLE_BLOCKER]);
	mz_json_put_size(o, "waiters", result->roles[MZ_ROLE_WAITER]);
}

static void put_counts(json_t *o, const struct mz_result *result)
{
	for (int i = 0; i < MZ_STATES; i++)
		mz_json_put_size(o, mz_state_name((enum mz_state)i),
				 result->counts[i]);
}

/* What this kind of result counts. */
static void put_result(json_t *o, const struct mz_result *result)
{
	switch (result->kind) {
	case MZ_RESULT_NONE:
		break;
	case MZ_RESULT_MIGRATE:
		mz_json_put_size(o, "applied", result->applied);
		mz_json_put_size(o, "pending", result->pending);
		mz_json_put_ms(o, result->us);
		break;
	case MZ_RESULT_BASELINE:
		mz_json_put_size(o, "recorded", result->applied);
		mz_json_put_size(o, "pending", result->pending);
		break;
	case MZ_RESULT_ROLLBACK:
		mz_json_put_size(o, "rolled_back", result->applied);
		mz_json_put_size(o, "pending", result->pending);
		mz_json_put_ms(o, result->us);
		break;
	case MZ_RESULT_UNDOING:
		mz_json_put_size(o, "to_roll_back", result->applied);
		break;
	case MZ_RESULT_REPAIR:
		mz_json_put_size(o, "repaired", result->repaired);
		break;
	case MZ_RESULT_REPAIRING:
		mz_json_put_size(o, "to_repair", result->repaired);
		break;
	case MZ_RESULT_LISTING:
		put_counts(o, result);
		break;
	case MZ_RESULT_PLAN:
		mz_json_put_size(o, "pending", result->pending);
		mz_json_put_size(o, "destructive", result->destructive);
		mz_json_put_some(o, "plan", result->plan);
		break;
	case MZ_RESULT_EXEC:
		mz_json_put_size(o, "statements", result->applied);
		mz_json_put_ms(o, result->us);
		break;
	case MZ_RESULT_FINDINGS:
		mz_json_put_size(o, "checked", result->checked);
		mz_json_put_size(o, "errors", result->errors);
		mz_json_put_size(o, "warnings", result->warnings);
		break;
	case MZ_RESULT_LOCKS:
		put_roles(o, result);
		break;
	}
}

/* The others ask no server, or tell it in another way. */
static bool has_round_trips(enum mz_result_kind kind)
{
	return kind != MZ_RESULT_NONE && kind != MZ_RESULT_FINDINGS &&
	       kind != MZ_RESULT_LOCKS;
}

void mz_json_result(struct mz_report *r, const struct mz_result *result,
		    const struct mz_err *err)
{
	json_t *o = mz_json_event_of("result");

	mz_json_put_text(o, "command", r->command[0] ? r->command : NULL);
	mz_json_put_bool(o, "ok", !err);
	if (err)
		mz_json_put_text(o, "code", mz_status_name(err->status));
	put_result(o, result);
	if (has_round_trips(result->kind))
		mz_json_put_size(o, "round_trips", result->round_trips);
	mz_json_say(r, o);
}
