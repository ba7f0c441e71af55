/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "apply.h"

#include "apply_sql.h"
#include "applying.h"
#include "failure.h"

#include <stdlib.h>
#include <string.h>

/* ---- what comes back */

static size_t statements_of(const struct mz_job *job, size_t migration)
{
	return job->options.doing == MZ_RECORD ?
		       0 :
		       job->surveys[migration].statements;
}

static void tell(struct mz_applying *ap, enum mz_event_kind kind,
		 size_t migration, int64_t since_us)
{
	const struct mz_migration *m = ap->job->todo[migration];

	mz_tell(&ap->db->listener,
		&(struct mz_event){
			.kind = kind,
			.tag = m->tag,
			.hash = m->hash,
			.file = ap->job->scripts[migration]->path,
			.undone = ap->job->options.doing == MZ_UNDO,
			.k = ap->job->before + migration + 1,
			.n = ap->job->total,
			.statements = statements_of(ap->job, migration),
			.us = (uint64_t)(pgw_clock_us() - since_us),
		});
}

static void tell_statement(struct mz_applying *ap, const struct mz_sent *sent,
			   const char *tag)
{
	const struct mz_migration *m = ap->job->scripts[sent->migration];

	mz_tell(&ap->db->listener,
		&(struct mz_event){
			.kind = MZ_EV_STATEMENT,
			.tag = m->tag,
			.file = m->path,
			.line = sent->line,
			.text = tag,
			.us = (uint64_t)(pgw_clock_us() - ap->answer_us),
		});
}

/* The server has come to the next message: whose is it? */
static void take_turn(struct mz_applying *ap)
{
	const struct mz_sent *next = &ap->flight.ring[ap->flight.first];

	if (ap->flight.count == 0 || next->purpose == MZ_FOR_CREATE ||
	    next->migration == ap->answering)
		return;
	ap->answering = next->migration;
	ap->statement = 0;
	ap->turn_us = pgw_clock_us();
	ap->db->tag = ap->job->todo[next->migration]->tag;
	if (!ap->failed)
		tell(ap, MZ_EV_BEGIN, next->migration, ap->turn_us);
}

static void keep_failure(struct mz_applying *ap, const struct mz_sent *sent,
			 const struct pgw_outcome *o)
{
	if (ap->failed)
		return;
	ap->failed = true;
	ap->surprised = o->ok;
	ap->culprit = *sent;
	ap->diag = mz_failure_keep(ap->arena, &o->diag);
}

/* What must be true after each message for the next to be safe. */
static bool as_expected(const struct mz_sent *sent, const struct pgw_outcome *o)
{
	switch (sent->purpose) {
	case MZ_FOR_COMMIT:
		return o->ok && o->txn == 'I' && strcmp(o->tag, "COMMIT") == 0;
	case MZ_FOR_ROLLBACK:
		return o->ok && o->txn == 'I';
	case MZ_FOR_CREATE:
	case MZ_FOR_OPEN:
	case MZ_FOR_STATEMENT:
	case MZ_FOR_RECORD:
		break;
	}
	return o->ok && o->txn == 'T';
}

/*
 * One COMMIT may be that of all; else it is that of its own migration alone:
 * one before it may have failed to open, because another runner applied it.
 */
static void on_commit(struct mz_applying *ap, const struct mz_sent *sent)
{
	size_t i = ap->job->options.one_transaction ? 0 : sent->migration;

	for (; i <= sent->migration; i++) {
		ap->out->count++;
		tell(ap, MZ_EV_APPLIED, i, ap->turn_us);
	}
}

static void on_done(void *ctx, const struct pgw_outcome *o)
{
	struct mz_applying *ap = ctx;
	struct mz_sent sent = mz_flight_pop(&ap->flight);

	ap->statement += sent.purpose == MZ_FOR_STATEMENT;
	if (!as_expected(&sent, o))
		keep_failure(ap, &sent, o);
	else if (sent.purpose == MZ_FOR_COMMIT && !sent.creates)
		on_commit(ap, &sent);
	else if (sent.purpose == MZ_FOR_STATEMENT &&
		 ap->db->listener.statements)
		tell_statement(ap, &sent, o->tag);
	ap->answer_us = pgw_clock_us();
	take_turn(ap);
}

/* What the server is at: the next message that it has not answered. */
static bool running(void *ctx, struct mz_running *r)
{
	const struct mz_applying *ap = ctx;
	const struct mz_sent *next = &ap->flight.ring[ap->flight.first];

	if (ap->flight.count == 0)
		return false;
	r->us = pgw_clock_us() - ap->answer_us;
	if (next->purpose == MZ_FOR_CREATE)
		return true;
	r->tag = ap->job->todo[next->migration]->tag;
	r->k = ap->job->before + next->migration + 1;
	r->n = ap->job->total;
	r->statements = statements_of(ap->job, next->migration);
	if (next->purpose == MZ_FOR_STATEMENT) {
		r->statement = ap->statement + 1;
		r->line = next->line;
		r->head = next->head;
	}
	return true;
}

/* ---- what is sent */

/* The half of what is on its way is waited for; then there is room for more. */
static bool make_room(struct mz_applying *ap)
{
	struct mz_flight *f = &ap->flight;

	if (f->count < f->size)
		return true;
	if (!mz_db_wait(ap->db, f->size / 2, &ap->lost))
		return false;
	if (!ap->failed)
		mz_flight_grow(f, ap->arena);
	return true;
}

void mz_applying_note(struct mz_applying *ap, const struct mz_sent *sent)
{
	mz_flight_push(&ap->flight, sent);
	take_turn(ap);
}

bool mz_applying_send_as(struct mz_applying *ap, const struct mz_sent *sent,
			 struct pgw_view sql)
{
	if (!make_room(ap))
		return false;
	if (ap->failed && sent->purpose != MZ_FOR_ROLLBACK)
		return false;
	if (ap->flight.count == 0)
		ap->answer_us = pgw_clock_us(); /* the server has been idle */
	mz_applying_note(ap, sent);
	return mz_db_send(ap->db, sql, &ap->lost) &&
	       (!ap->failed || sent->purpose == MZ_FOR_ROLLBACK);
}

bool mz_applying_send(struct mz_applying *ap, enum mz_purpose purpose,
		      size_t migration, const char *sql)
{
	return mz_applying_send_as(ap,
				   &(struct mz_sent){ .purpose = purpose,
						      .migration = migration },
				   pgw_view_of(sql));
}

bool mz_applying_settle(struct mz_applying *ap)
{
	return mz_db_wait(ap->db, 0, &ap->lost) && !ap->failed;
}

static bool create_history(struct mz_applying *ap)
{
	const struct mz_job *job = ap->job;
	struct mz_sent commit = { .purpose = MZ_FOR_COMMIT, .creates = true };

	return job->history->shape != MZ_SHAPE_ABSENT ||
	       (mz_applying_send(ap, MZ_FOR_CREATE, 0,
				 mz_apply_create_sql(&ap->words, job)) &&
		mz_applying_send_as(ap, &commit, pgw_view_of("COMMIT")));
}

/* The OID of our database is in the last row of the first answer. */
static void on_row(void *ctx, const struct pgw_row *row)
{
	struct mz_applying *ap = ctx;
	struct pgw_view cols = row->cols;
	const char *text = mz_db_text(&ap->words, &cols);

	ap->database = text ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

/* The first is waited for: most who lose a race lose it here. */
static bool open_first(struct mz_applying *ap, const char *sql)
{
	bool ok;

	mz_db_hooks(ap->db, on_row, on_done, ap);
	ok = mz_applying_send(ap, MZ_FOR_OPEN, 0, sql) &&
	     mz_applying_settle(ap);
	mz_db_hooks(ap->db, NULL, on_done, ap); /* rows may be large */
	return ok;
}

static bool open_transaction(struct mz_applying *ap, size_t i)
{
	const char *sql = mz_apply_open_sql(&ap->words, ap->job, i);

	return i == 0 ? open_first(ap, sql) :
			mz_applying_send(ap, MZ_FOR_OPEN, i, sql);
}

/* In one transaction around all: the file before it leaves no settings. */
static bool begin_anew(struct mz_applying *ap, size_t i)
{
	return ap->job->options.doing == MZ_RECORD ||
	       mz_applying_send(ap, MZ_FOR_OPEN, i,
				mz_apply_anew_sql(&ap->words, ap->job, i));
}

/*
 * COMMIT goes by itself: a server whose client was killed in a statement finds
 * that out at its second answer after that, so nothing is committed by then.
 */
static bool close_migration(struct mz_applying *ap, size_t i)
{
	const struct mz_job *job = ap->job;
	bool commits = !job->options.one_transaction || i + 1 == job->count;
	const char *sql = mz_apply_record_sql(&ap->words, job, i, ap->database);

	return (!*sql || mz_applying_send(ap, MZ_FOR_RECORD, i, sql)) &&
	       (!commits || mz_applying_send(ap, MZ_FOR_COMMIT, i, "COMMIT"));
}

static bool send_migration(struct mz_applying *ap, size_t i, struct mz_err *err)
{
	const struct mz_apply_options *o = &ap->job->options;

	mz_arena_clear(&ap->words);
	return (i > 0 && o->one_transaction ? begin_anew(ap, i) :
					      open_transaction(ap, i)) &&
	       (o->doing == MZ_RECORD || mz_applying_script(ap, i, err)) &&
	       close_migration(ap, i);
}

void mz_apply(struct mz_applied *out, const struct mz_job *job,
	      struct mz_arena *a, struct mz_db *db, struct mz_err *err)
{
	struct mz_applying ap = { .job = job,
				  .arena = a,
				  .db = db,
				  .out = out,
				  .words.escape = a->escape,
				  .answering = SIZE_MAX };
	struct mz_hold hold;
	bool ok;

	*out = (struct mz_applied){ .ending = MZ_END_DONE };
	mz_flight_init(&ap.flight);
	mz_hold(a, &hold, mz_arena_drop, &ap.words);
	mz_db_hooks(db, NULL, on_done, &ap);
	mz_db_running(db, running, &ap);
	ok = pgw_conn_agrees(db->conn, &ap.lost) && create_history(&ap);
	for (size_t i = 0; ok && i < job->count; i++)
		ok = send_migration(&ap, i, err);
	if (ap.lost.code == PGW_OK)
		mz_applying_roll_back(&ap);
	out->ending = mz_applying_end(&ap, err);
	mz_db_hooks(db, NULL, NULL, NULL);
	mz_db_running(db, NULL, NULL);
	db->tag = NULL;
	mz_let_go(a, &hold);
	mz_arena_release(&ap.words);
}
