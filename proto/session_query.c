/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "session_on.h"

#include <string.h>

/* ---- asking */

static bool put_query(struct pgw_session *s, struct pgw_view sql,
		      enum pgw_state next, struct pgw_err *err)
{
	struct pgw_msg m = { .id = PGW_MSG_query, .query = { .sql = sql } };

	if (sql.n >= PGW_QUERY_MAX - 4)
		return pgw_fail(err, PGW_E_LIMIT,
				"a statement of %zu bytes is larger than "
				"PostgreSQL takes (1 GiB)",
				sql.n);
	if (sql.n > 0 && memchr(sql.p, 0, sql.n))
		return pgw_fail(err, PGW_E_USAGE, "a NUL byte in SQL");
	if (!pgw_session_put(s, &m, err)) {
		s->state = PGW_DEAD;
		return false;
	}
	s->outstanding++;
	s->state = next;
	return true;
}

bool pgw_session_query(struct pgw_session *s, struct pgw_view sql,
		       struct pgw_err *err)
{
	if (s->state != PGW_IDLE && s->state != PGW_BUSY)
		return pgw_fail(err, PGW_E_USAGE, "the session is not open");
	return put_query(s, sql, PGW_BUSY, err);
}

bool pgw_session_offer(struct pgw_session *s, struct pgw_view sql,
		       struct pgw_err *err)
{
	if (s->state != PGW_IDLE)
		return pgw_fail(err, PGW_E_USAGE, "the session is not idle");
	return put_query(s, sql, PGW_OFFERING, err);
}

/* ---- data for the server */

static bool give(struct pgw_session *s, const struct pgw_msg *m,
		 enum pgw_state next, struct pgw_err *err)
{
	if (s->state != PGW_COPYING)
		return pgw_fail(err, PGW_E_USAGE,
				"the server does not ask for data");
	s->state = pgw_session_put(s, m, err) ? next : PGW_DEAD;
	return s->state == next;
}

bool pgw_session_give(struct pgw_session *s, struct pgw_view data,
		      struct pgw_err *err)
{
	struct pgw_msg m = { .id = PGW_MSG_copy_give,
			     .copy_give = { .data = data } };

	if (data.n > PGW_BODY_MAX)
		return pgw_fail(err, PGW_E_USAGE,
				"%zu bytes are too many for a message", data.n);
	return give(s, &m, PGW_COPYING, err);
}

bool pgw_session_give_end(struct pgw_session *s, struct pgw_err *err)
{
	struct pgw_msg m = { .id = PGW_MSG_copy_end };

	return give(s, &m, PGW_BUSY, err);
}

bool pgw_session_give_up(struct pgw_session *s, const char *reason,
			 struct pgw_err *err)
{
	struct pgw_msg m = { .id = PGW_MSG_copy_fail, .copy_fail = { reason } };

	return give(s, &m, PGW_BUSY, err);
}

static bool refuse(struct pgw_session *s, const struct pgw_msg *m,
		   const char *reason, struct pgw_err *err)
{
	struct pgw_msg fail = { .id = PGW_MSG_copy_fail,
				.copy_fail = { reason } };

	return pgw_in_turn(s, m, err) && pgw_session_put(s, &fail, err);
}

bool pgw_on_copy_in(struct pgw_session *s, const struct pgw_msg *m,
		    struct pgw_err *err)
{
	return refuse(s, m, "COPY FROM STDIN has no data here", err);
}

bool pgw_on_copy_wanted(struct pgw_session *s, const struct pgw_msg *m,
			struct pgw_err *err)
{
	return pgw_in_turn(s, m, err);
}

bool pgw_on_copy_refused(struct pgw_session *s, const struct pgw_msg *m,
			 struct pgw_err *err)
{
	return refuse(s, m, "the data here is text, not binary", err);
}

/* ---- data from the server */

bool pgw_on_copy_out(struct pgw_session *s, const struct pgw_msg *m,
		     struct pgw_err *err)
{
	if (!pgw_in_turn(s, m, err))
		return false;
	s->query.in_copy_out = !s->query.failed;
	return true;
}

bool pgw_on_copy_data(struct pgw_session *s, const struct pgw_msg *m,
		      struct pgw_err *err)
{
	if (s->query.failed)
		return true; /* noise */
	if (!s->query.in_copy_out)
		return pgw_fail(err, PGW_E_PROTOCOL, "unexpected %s message",
				pgw_msg_name(m->id));
	if (m->id == PGW_MSG_copy_done)
		s->query.in_copy_out = false;
	else if (s->hooks.copy)
		s->hooks.copy(s->hooks.ctx, m->copy_data.data);
	return true;
}
