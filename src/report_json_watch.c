/* SPDX-License-Identifier: MIT */
/* What takes long, who is in the way, and how to end them: for programs. */
#include <config.h>

#include "json_watch.h"
#include "voices.h"

#include <jansson.h>
#include <stdlib.h>

static void put_int(json_t *o, const char *key, int64_t n)
{
	json_object_set_new(o, key, json_integer(n));
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
static void put_backend(json_t *o, const struct mz_backend *b)
{
	put_int(o, "pid", b->pid);
	mz_json_put(o, "user", b->user);
	mz_json_put(o, "application", b->application);
	mz_json_put(o, "address", b->address);
	mz_json_put(o, "type", b->type);
	mz_json_put(o, "state", b->state);
	mz_json_put(o, "since", b->since);
	mz_json_put(o, "query", b->state ? b->query : NULL);
	json_object_set_new(o, "blocked_by", pids(b->blocked_by));
}

void mz_json_waiting(struct mz_report *r, const struct mz_event *e)
{
	json_t *o = mz_json_begin("waiting");

	mz_json_put(o, "message", e->text);
	if (e->backend)
		put_backend(o, e->backend);
	mz_json_say(r, o);
}

void mz_json_blocked(struct mz_report *r, const struct mz_event *e)
{
	json_t *o = mz_json_begin(e->backend ? "blocked" : "unblocked");

	mz_json_put(o, "tag", e->tag);
	if (e->backend)
		put_backend(o, e->backend);
	mz_json_say(r, o);
}

void mz_json_progress(struct mz_report *r, const struct mz_running *run)
{
	json_t *o = mz_json_begin("progress");

	mz_json_put(o, "tag", run->tag);
	put_int(o, "statement", (int64_t)run->statement);
	put_int(o, "statements", (int64_t)run->statements);
	if (run->line > 0)
		put_int(o, "line", (int64_t)run->line);
	if (run->head)
		mz_json_put(o, "text", run->head);
	put_int(o, "ms", run->us / 1000);
	mz_json_put(o, "phase", run->phase);
	if (run->percent >= 0)
		put_int(o, "percent", run->percent);
	if (run->blocker > 0)
		put_int(o, "blocked_by", run->blocker);
	mz_json_say(r, o);
}

void mz_json_lockers(struct mz_report *r, const struct mz_locker *list,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mz_locker *k = &list[i];
		json_t *o = mz_json_begin("session");

		mz_json_put(o, "role", mz_role_name(k->role));
		if (k->role == MZ_ROLE_BLOCKER)
			put_int(o, "blocks", k->of);
		if (k->what)
			mz_json_put(o, "holds", k->what);
		put_backend(o, &k->backend);
		mz_json_put(o, "remedy", k->remedy);
		mz_json_put(o, "effect", k->effect);
		mz_json_say(r, o);
	}
}
