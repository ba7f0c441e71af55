/* SPDX-License-Identifier: MIT */
/* Lists, one object a line. */
#include <config.h>

#include "report_json.h"

#include <string.h>

void mz_json_listed(struct mz_report *r, const struct mz_listed *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mz_listed *m = &list[i];
		json_t *o = mz_json_event_of("migration");

		mz_json_put_text(o, "tag", m->tag);
		mz_json_put_text(o, "state", mz_state_name(m->state));
		mz_json_put_text(o, "hash", m->hash);
		mz_json_put_int(o, "when", m->when);
		mz_json_put_text(o, "recorded_hash", m->recorded_hash);
		mz_json_put_text(o, "recorded_at", m->recorded_at);
		if (m->has_recorded_when)
			mz_json_put_int(o, "recorded_when", m->recorded_when);
		mz_json_put_some(o, "note", m->note);
		mz_json_say(r, o);
	}
}

static json_t *hazard(const struct mz_hazard *h)
{
	json_t *o = json_object();

	if (h->line > 0)
		mz_json_put_size(o, "line", h->line);
	if (h->column > 0)
		mz_json_put_size(o, "column", h->column);
	mz_json_put_text(o, "statement", h->what);
	mz_json_put_text(o, "reason", h->why);
	mz_json_put_bool(o, "destructive", h->destructive);
	return o;
}

void mz_json_planned(struct mz_report *r, const struct mz_planned *list,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mz_planned *p = &list[i];
		json_t *o = mz_json_event_of("migration");
		json_t *hazards = json_array();

		mz_json_put_text(o, "tag", p->tag);
		mz_json_put_text(o, "state", mz_state_name(p->state));
		mz_json_put_text(o, "hash", p->hash);
		mz_json_put_text(o, "file", p->path);
		mz_json_put_text(o, "transaction",
				 mz_planned_transaction_name(p->transaction));
		mz_json_put_size(o, "statements", p->statements);
		mz_json_put_some(o, "note", p->note);
		for (size_t k = 0; k < p->nhazards; k++)
			json_array_append_new(hazards, hazard(&p->hazards[k]));
		json_object_set_new(o, "hazards", hazards);
		mz_json_say(r, o);
	}
}

void mz_json_new(struct mz_report *r, const struct mz_new *n)
{
	json_t *o = mz_json_event_of("migration");
	json_t *files = json_array();

	mz_json_put_text(o, "tag", n->tag);
	mz_json_put_text(o, "state", mz_state_name(MZ_PENDING));
	mz_json_put_text(o, "layout", n->layout);
	mz_json_put_int(o, "when", n->when);
	mz_json_put_text(o, "file", n->files[0]);
	for (size_t i = 0; n->files[i]; i++)
		json_array_append_new(files,
				      mz_json_text(pgw_view_of(n->files[i])));
	json_object_set_new(o, "files", files);
	mz_json_say(r, o);
}

void mz_json_files(struct mz_report *r, const struct mz_listed_file *list,
		   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_t *o = mz_json_event_of("file");

		mz_json_put_text(o, "path", list[i].path);
		mz_json_put_int(o, "size", (int64_t)list[i].size);
		mz_json_say(r, o);
	}
}

void mz_json_repairs(struct mz_report *r, const struct mz_repair *list,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mz_repair *one = &list[i];
		json_t *o = mz_json_event_of("repair");

		mz_json_put_text(o, "action", one->to ? "update" : "delete");
		if (strcmp(one->what, "progress") != 0)
			mz_json_put_int(o, "row", one->row);
		mz_json_put_text(o, "tag", one->tag);
		if (one->to) {
			mz_json_put_text(o, "column", one->what);
			mz_json_put_text(o, "from", one->from);
			mz_json_put_text(o, "to", one->to);
		}
		mz_json_put_text(o, "reason", one->why);
		mz_json_say(r, o);
	}
}

void mz_json_finding(struct mz_report *r, const struct mz_finding *f)
{
	json_t *o = mz_json_event_of("finding");

	mz_json_put_text(o, "level",
			 f->level == MZ_LEVEL_ERROR ? "error" : "warning");
	mz_json_put_text(o, "rule", f->rule);
	mz_json_put_text(o, "message", f->message);
	mz_json_put_some(o, "tag", f->tag);
	mz_json_put_place(o, f->file, f->line, f->column);
	mz_json_put_some(o, "hint", f->hint);
	mz_json_say(r, o);
}

static void put_fact(json_t *o, const struct mz_fact *f)
{
	if (!f->text)
		mz_json_put_text(o, f->key, NULL);
	else if (f->kind == MZ_FACT_NUMBER)
		mz_json_put_int(o, f->key, f->number);
	else if (f->kind == MZ_FACT_BOOL)
		mz_json_put_bool(o, f->key, f->number != 0);
	else
		mz_json_put_text(o, f->key, f->text);
}

void mz_json_facts(struct mz_report *r, const char *event,
		   const struct mz_fact *facts, size_t n)
{
	json_t *o = mz_json_event_of(event);

	for (size_t i = 0; i < n; i++)
		if (facts[i].key)
			put_fact(o, &facts[i]);
	mz_json_say(r, o);
}

void mz_json_lockers(struct mz_report *r, const struct mz_locker *list,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mz_locker *k = &list[i];
		json_t *o = mz_json_event_of("session");

		mz_json_put_text(o, "role", mz_role_name(k->role));
		if (k->role == MZ_ROLE_BLOCKER)
			mz_json_put_int(o, "blocks", k->of);
		mz_json_put_some(o, "holds", k->what);
		mz_json_put_backend(o, &k->backend);
		mz_json_put_text(o, "remedy", k->remedy);
		mz_json_put_text(o, "effect", k->effect);
		mz_json_say(r, o);
	}
}
