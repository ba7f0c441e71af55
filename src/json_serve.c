/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "json_serve.h"

#include "report_json.h"

#include <stdlib.h>
#include <string.h>

static void put(struct pgw_buf *out, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	if (text)
		pgw_buf_put_text(out, text);
	else
		out->failed = true;
	free(text);
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* ---- what a task has said */

struct said {
	json_t *migrations, *notices, *result, *error, *script;
};

/* The last one of its kind. */
static void keep(json_t **to, json_t *o)
{
	json_decref(*to);
	*to = json_incref(o);
}

static void sort_line(struct said *s, json_t *o)
{
	const char *event = text_of(o, "event");

	if (!event)
		return;
	if (strcmp(event, "migration") == 0)
		json_array_append(s->migrations, o);
	else if (strcmp(event, "notice") == 0)
		json_array_append(s->notices, o);
	else if (strcmp(event, "result") == 0)
		keep(&s->result, o);
	else if (strcmp(event, "error") == 0)
		keep(&s->error, o);
	else if (strcmp(event, "script") == 0)
		keep(&s->script, o);
}

static struct pgw_view take_line(struct pgw_view *rest)
{
	const unsigned char *end = memchr(rest->p, '\n', rest->n);
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	struct pgw_view line = { rest->p, n };

	rest->p += n + (end != NULL);
	rest->n -= n + (end != NULL);
	return line;
}

static struct said read_lines(struct pgw_view rest)
{
	struct said s = { .migrations = json_array(), .notices = json_array() };

	while (rest.n > 0) {
		struct pgw_view line = take_line(&rest);
		json_t *o = json_loadb((const char *)line.p, line.n, 0, NULL);

		sort_line(&s, o);
		json_decref(o);
	}
	return s;
}

static void set_if(json_t *o, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(o, key, value);
}

static json_t *unless_empty(json_t *array)
{
	if (json_array_size(array) > 0)
		return array;
	json_decref(array);
	return NULL;
}

void mz_serve_document(struct pgw_buf *out, const struct mz_task *task)
{
	struct said s = read_lines(pgw_buf_view(&task->lines));
	json_t *o = s.script ? s.script : json_object();

	json_object_set_new(o, "ok", json_boolean(task->ok));
	if (task->kind == MZ_TASK_MIGRATE && s.result)
		json_object_update_missing(o, s.result);
	if (task->kind == MZ_TASK_SCRIPT) {
		json_decref(s.migrations);
		json_decref(s.result);
	} else {
		json_object_set_new(o, "migrations", s.migrations);
		set_if(o, "result", s.result);
	}
	set_if(o, "notices", unless_empty(s.notices));
	set_if(o, "error", s.error);
	put(out, o);
}

/* ---- what was seen, and applied since */

/* Tags, each with its event. */
static json_t *read_applied(struct pgw_view rest)
{
	json_t *all = json_object();

	while (rest.n > 0) {
		struct pgw_view line = take_line(&rest);
		json_t *o = json_loadb((const char *)line.p, line.n, 0, NULL);
		const char *state = text_of(o, "state");
		const char *tag = text_of(o, "tag");

		if (tag && state && strcmp(state, "applied") == 0)
			json_object_set(all, tag, o);
		json_decref(o);
	}
	return all;
}

static void move_count(size_t counts[MZ_STATES], const char *state)
{
	for (int i = 0; i < MZ_STATES; i++) {
		if (strcmp(state, mz_state_name((enum mz_state)i)) != 0)
			continue;
		counts[i] -= counts[i] > 0;
		counts[MZ_APPLIED]++;
	}
}

/* A line of a status, which is another one when it was applied. */
static void mark(json_t *o, const json_t *applied, size_t counts[MZ_STATES])
{
	const char *event = text_of(o, "event");
	const char *state = text_of(o, "state");
	const char *tag = text_of(o, "tag");
	const json_t *by = tag ? json_object_get(applied, tag) : NULL;

	if (event && strcmp(event, "result") == 0)
		for (int i = 0; i < MZ_STATES; i++)
			mz_json_put_size(o, mz_state_name((enum mz_state)i),
					 counts[i]);
	if (!by || !state || strcmp(state, "applied") == 0)
		return;
	move_count(counts, state);
	json_object_set_new(o, "state", json_string("applied"));
	if (json_object_get(by, "hash"))
		json_object_set(o, "recorded_hash",
				json_object_get(by, "hash"));
}

void mz_serve_mark(struct mz_task *status, struct pgw_view applied)
{
	json_t *tags = read_applied(applied);
	struct pgw_view rest = pgw_buf_view(&status->lines);
	struct pgw_buf lines;

	pgw_buf_init(&lines, SIZE_MAX);
	while (rest.n > 0) {
		struct pgw_view line = take_line(&rest);
		json_t *o = json_loadb((const char *)line.p, line.n, 0, NULL);

		if (!o)
			continue;
		mark(o, tags, status->result.counts);
		put(&lines, o);
		pgw_buf_put_text(&lines, "\n");
	}
	json_decref(tags);
	pgw_buf_release(&status->lines);
	status->lines = lines;
}

void mz_serve_refusal(struct pgw_buf *out, const char *code,
		      const char *message, const char *hint)
{
	json_t *error = json_object();
	json_t *o = json_object();

	mz_json_put_text(error, "code", code);
	mz_json_put_text(error, "message", message);
	mz_json_put_some(error, "hint", hint);
	json_object_set_new(o, "ok", json_false());
	json_object_set_new(o, "error", error);
	put(out, o);
}

/* ---- what the process knows */

static json_t *present(const struct mz_served_run *run)
{
	if (!run)
		return json_null();
	return json_pack("{s:I, s:s, s:I}", "run", (json_int_t)run->number,
			 "started", run->started, "event_id",
			 (json_int_t)run->first_event);
}

static json_t *loaded(const struct pgw_buf *text)
{
	json_t *o = NULL;

	if (text->len > 0)
		o = json_loadb((const char *)text->data, text->len, 0, NULL);
	return o ? o : json_null();
}

static json_t *ended(const struct mz_served_run *run)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:o}", "run",
			 (json_int_t)run->number, "started", run->started,
			 "ended", run->ended, "result", loaded(&run->result),
			 "error", loaded(&run->error));
}

void mz_serve_busy(struct pgw_buf *out, const struct mz_served_run *run)
{
	json_t *error = json_object();
	json_t *o = json_object();

	mz_json_put_text(error, "code", "locked");
	mz_json_put_text(error, "message", "this server is migrating already");
	mz_json_put_text(error, "hint", "its events tell how far it is");
	json_object_set_new(o, "ok", json_false());
	json_object_set_new(o, "error", error);
	json_object_set_new(o, "running", present(run));
	put(out, o);
}

void mz_serve_status(struct pgw_buf *out, struct pgw_view document,
		     const struct mz_serve_state *s)
{
	json_t *runs = json_array();
	size_t before;

	for (size_t i = 0; i < s->nruns; i++)
		json_array_append_new(runs, ended(s->runs[i]));
	if (document.n > 0)
		pgw_buf_put(out, document.p, document.n - 1);
	before = out->len;
	put(out, json_pack("{s:b, s:o, s:o}", "may_migrate", s->may_migrate,
			   "running", present(s->present), "runs", runs));
	if (!out->failed && document.n > 0)
		out->data[before] = ',';
}

void mz_serve_run_event(struct pgw_buf *out, const struct mz_served_run *run)
{
	put(out, json_pack("{s:s, s:I, s:s}", "event", "run", "run",
			   (json_int_t)run->number, "started", run->started));
}

/* ---- what a body asks for */

static bool take_text(const char **to, struct mz_arena *a, const json_t *v)
{
	if (!json_is_string(v) || json_string_length(v) == 0 ||
	    strlen(json_string_value(v)) != json_string_length(v))
		return false;
	*to = mz_strdup(a, json_string_value(v));
	return true;
}

static bool take_bool(bool *to, const json_t *v)
{
	*to = json_is_true(v);
	return json_is_boolean(v);
}

static bool take_transaction(struct mz_ask *ask, const json_t *v)
{
	const char *const *words = mz_kind_words(MZ_KIND_transaction);
	const char *word = json_string_value(v);

	for (int i = 0; word && words[i]; i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		ask->transaction = (mz_kind_transaction)i;
		ask->has_transaction = true;
		return true;
	}
	return false;
}

static bool take_field(struct mz_ask *ask, struct mz_arena *a, const char *key,
		       const json_t *v, const char **why)
{
	*why = mz_printf(a, "\"%s\" has a value that it cannot have", key);
	if (strcmp(key, "to") == 0)
		return take_text(&ask->to, a, v);
	if (strcmp(key, "approve") == 0)
		return take_text(&ask->approve, a, v);
	if (strcmp(key, "transaction") == 0)
		return take_transaction(ask, v);
	if (strcmp(key, "dry_run") == 0)
		return take_bool(&ask->dry_run, v);
	if (strcmp(key, "require_approval") == 0)
		return take_bool(&ask->require_approval, v);
	*why = mz_printf(a,
			 "\"%s\" is not known; there are to, transaction, "
			 "dry_run, approve and require_approval",
			 key);
	return false;
}

bool mz_serve_parse(struct mz_ask *ask, struct mz_arena *a,
		    struct pgw_view body, const char **why)
{
	bool ok = true;
	json_error_t e;
	const char *key;
	json_t *o, *v;

	*ask = (struct mz_ask){ 0 };
	if (body.n == 0)
		return true;
	o = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES,
		       &e);
	if (!json_is_object(o)) {
		*why = o ? "the body is no JSON object" :
			   mz_printf(a, "the body is no JSON: %s, line %d",
				     e.text, e.line);
		json_decref(o);
		return false;
	}
	json_object_foreach(o, key, v)
	{
		ok = take_field(ask, a, key, v, why);
		if (!ok)
			break;
	}
	json_decref(o);
	return ok;
}
