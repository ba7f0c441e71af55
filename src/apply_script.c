/* SPDX-License-Identifier: MIT */
/* The statements of a script, sent as its file is read. */
#include <config.h>

#include "applying.h"
#include "backend.h"
#include "scroll.h"

#include <string.h>

/* A script on its way to the server. */
struct script {
	struct mz_applying *ap;
	size_t migration;
	const struct mz_survey *survey;
	struct mz_scroll scroll;
	struct mz_err *err;
	bool broken; /* the file; err tells how */
	size_t statements;
};

static bool pull_rows(void *ctx, struct pgw_view *rows, struct pgw_err *why)
{
	struct script *s = ctx;

	s->broken = !mz_scroll_rows(&s->scroll, rows, s->err) ||
		    (s->scroll.list.sql.problem != MZ_SQL_OK &&
		     !mz_folder_changed(s->scroll.m, s->err));
	if (!s->broken)
		return true;
	return pgw_fail(why, PGW_E_USAGE, "the file was changed");
}

/* A COPY with its rows; everything before it is answered. */
static bool send_rows(struct script *s, const struct mz_sent *sent,
		      struct pgw_view sql)
{
	struct mz_applying *ap = s->ap;
	const struct pgw_copy_source from = { pull_rows, s };

	mz_applying_note(ap, sent);
	return pgw_conn_copy(ap->db->conn, sql, &from, &ap->lost) &&
	       !ap->failed && !s->broken;
}

/*
 * That a large file has been changed is known only at its end.  Whatever is
 * in it until then, it must not end the transaction that is rolled back then.
 */
static bool is_as_surveyed(struct script *s, const struct mz_sql_statement *st,
			   struct pgw_view sql)
{
	bool waits = st->kind == MZ_SQL_SAVEPOINT ||
		     st->kind == MZ_SQL_COPY_STDIN;

	return ++s->statements <= s->survey->statements &&
	       (st->kind == MZ_SQL_PLAIN || (waits && s->survey->one_by_one)) &&
	       !memchr(sql.p, '\0', sql.n);
}

static bool send_one(struct script *s, const struct mz_sql_statement *st)
{
	struct mz_applying *ap = s->ap;
	struct pgw_view sql = { s->scroll.text.p + st->start,
				st->end - st->start };
	struct mz_sent sent = { .purpose = MZ_FOR_STATEMENT,
				.migration = s->migration,
				.start = st->start,
				.end = st->end,
				.data_start = st->data_start,
				.line = st->line };

	if (!is_as_surveyed(s, st, sql)) {
		s->broken = true;
		return mz_folder_changed(s->scroll.m, s->err);
	}
	mz_first_line(sent.head, sizeof(sent.head), sql);
	return (st->data_start ? send_rows(s, &sent, sql) :
				 mz_applying_send_as(ap, &sent, sql)) &&
	       (!s->survey->one_by_one || mz_applying_settle(ap));
}

/* At the end of the file it is known to be what was hashed. */
static bool send_statements(struct script *s)
{
	struct mz_sql_statement st;
	bool more;

	if (s->survey->one_by_one && !mz_applying_settle(s->ap))
		return false;
	for (;;) {
		s->broken = !mz_scroll_next(&s->scroll, &st, &more, s->err);
		if (s->broken)
			return false;
		if (!more)
			break;
		if (!send_one(s, &st))
			return false;
	}
	s->broken = s->scroll.list.sql.problem != MZ_SQL_OK;
	return !s->broken || mz_folder_changed(s->scroll.m, s->err);
}

bool mz_applying_script(struct mz_applying *ap, size_t i, struct mz_err *err)
{
	struct script s = { .ap = ap,
			    .migration = i,
			    .survey = &ap->job->surveys[i],
			    .err = err,
			    .scroll.file.fd = -1 };
	struct mz_hold hold;
	bool ok;

	mz_hold(ap->arena, &hold, mz_scroll_drop, &s.scroll);
	s.broken = !mz_scroll_open(&s.scroll, ap->job->scripts[i], 0, err);
	ok = !s.broken && send_statements(&s);
	if (s.broken)
		ap->out->ending = MZ_END_FAILED;
	mz_let_go(ap->arena, &hold);
	mz_scroll_close(&s.scroll);
	return ok;
}
