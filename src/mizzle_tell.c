/* SPDX-License-Identifier: MIT */
/* From what we know to what a program is told: no text is NULL. */
#include <config.h>

#include "mizzle_inner.h"

static const char *text(const char *s)
{
	return s ? s : "";
}

/* ---- events */

static const struct {
	enum mz_event_kind ours;
	enum mizzle_event_kind kind;
} kinds[] = {
	{ MZ_EV_START, MIZZLE_EVENT_START },
	{ MZ_EV_BEGIN, MIZZLE_EVENT_BEGIN },
	{ MZ_EV_APPLIED, MIZZLE_EVENT_APPLIED },
	{ MZ_EV_STATEMENT, MIZZLE_EVENT_STATEMENT },
	{ MZ_EV_PROGRESS, MIZZLE_EVENT_PROGRESS },
	{ MZ_EV_WAITING, MIZZLE_EVENT_WAITING },
	{ MZ_EV_BLOCKED, MIZZLE_EVENT_BLOCKED },
	{ MZ_EV_UNBLOCKED, MIZZLE_EVENT_UNBLOCKED },
	{ MZ_EV_NOTICE, MIZZLE_EVENT_NOTICE },
	{ MZ_EV_REMARK, MIZZLE_EVENT_NOTE },
	{ MZ_EV_WARNING, MIZZLE_EVENT_WARNING },
};

/* 0 = nothing that is told. */
static int32_t kind_of(const struct mz_event *e)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].ours == e->kind)
			return (int32_t)kinds[i].kind;
	return 0;
}

static void put_notice(struct mizzle_event *to, const struct pgw_diag *d)
{
	to->severity = text(pgw_diag_get(d, PGW_DIAG_SEVERITY));
	to->sqlstate = pgw_diag_sqlstate(d);
	to->text = text(pgw_diag_get(d, PGW_DIAG_MESSAGE));
	to->detail = text(pgw_diag_get(d, PGW_DIAG_DETAIL));
	to->hint = text(pgw_diag_get(d, PGW_DIAG_HINT));
}

static void put_running(struct mizzle_event *to, const struct mz_running *r)
{
	to->tag = text(r->tag);
	to->number = r->k;
	to->total = r->n;
	to->statement = r->statement;
	to->statements = r->statements;
	to->line = r->line;
	to->text = text(r->head);
	to->us = (uint64_t)r->us;
	to->phase = text(r->phase);
	to->percent = r->percent;
	to->pid = r->blocker;
}

static void on_event(void *ctx, const struct mz_event *e)
{
	const struct mizzle *m = ctx;
	struct mizzle_event to = {
		.kind = kind_of(e),
		.percent = -1,
		.tag = text(e->tag),
		.hash = text(e->hash),
		.file = text(e->file),
		.text = text(e->text),
		.severity = "",
		.sqlstate = "",
		.detail = "",
		.hint = "",
		.phase = "",
		.number = e->k,
		.total = e->n,
		.statements = e->statements,
		.line = e->line,
		.us = e->us,
	};

	if (!m->event || to.kind == 0)
		return;
	if (e->diag)
		put_notice(&to, e->diag);
	if (e->running)
		put_running(&to, e->running);
	if (e->backend)
		to.pid = e->backend->pid;
	m->event(m->event_ctx, &to);
}

static void on_listed(void *ctx, const struct mz_listed *list, size_t n)
{
	const struct mizzle *m = ctx;

	for (size_t i = 0; i < n && m->each; i++) {
		const struct mz_listed *l = &list[i];

		m->each(m->each_ctx,
			&(struct mizzle_migration){
				.state = (int32_t)l->state,
				.recorded = l->recorded_hash != NULL,
				.tag = text(l->tag),
				.hash = text(l->hash),
				.recorded_hash = text(l->recorded_hash),
				.recorded_at = text(l->recorded_at),
				.note = text(l->note),
				.when = l->when,
			});
	}
}

void mz_mizzle_listen(struct mizzle *m)
{
	m->audience = (struct mz_audience){
		.events = { .event = on_event, .ctx = m },
		.listed = on_listed,
	};
}

/* ---- the end */

static void put_error(struct mizzle *m)
{
	static const struct mz_sql_error none = { 0 };
	const struct mz_err *err = &m->err;
	const struct mz_sql_error *sql = err->sql ? err->sql : &none;
	bool cancelled = err->signal != 0;

	m->error = (struct mizzle_error){
		.code = cancelled ? MIZZLE_CANCELLED : (int32_t)err->status,
		.fate = (int32_t)err->fate,
		.name = cancelled ? "cancelled" : mz_status_name(err->status),
		.message = err->msg,
		.hint = err->hint,
		.tag = text(sql->tag),
		.file = err->place.file,
		.source = text(sql->source),
		.line = err->place.line,
		.column = err->place.column,
		.sqlstate = sql->sqlstate ? sql->sqlstate : err->sqlstate,
		.sql_message = text(sql->message),
		.sql_detail = text(sql->detail),
		.sql_hint = text(sql->hint),
		.sql_context = text(sql->where),
	};
}

_Static_assert(MIZZLE_STATES <= sizeof(((struct mizzle_result *)0)->counts) /
					sizeof(uint64_t),
	       "there is room for each state");

static void put_result(struct mizzle *m)
{
	const struct mz_result *r = &m->c.result;

	m->result = (struct mizzle_result){
		.applied = r->applied,
		.pending = r->pending,
		.total = r->present,
		.us = r->us,
		.round_trips = r->round_trips,
	};
	for (int i = 0; i < MZ_STATES; i++)
		m->result.counts[i] = r->counts[i];
}

void mz_mizzle_conclude(struct mizzle *m, bool ok)
{
	if (ok)
		m->err = (struct mz_err){ .status = MZ_ok };
	put_error(m);
	put_result(m);
}
