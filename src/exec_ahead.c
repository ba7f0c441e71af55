/* SPDX-License-Identifier: MIT */
/* Statements that are sent before those before them are answered. */
#include <config.h>

#include "exec.h"

#include <string.h>

/* Longer ones, and those on longer lines, are waited for. */
#define LENGTH_MAX ((size_t)16 << 10)

/* The lines that the statement is on, as far as they are not too long. */
static bool lines_of(const struct mz_exec *e, size_t *from, size_t *to)
{
	struct pgw_view text = e->reader->text;
	size_t start = e->st.start, end = e->st.end;
	size_t back = start < LENGTH_MAX ? start : LENGTH_MAX;
	size_t on = text.n - end < LENGTH_MAX ? text.n - end : LENGTH_MAX;
	const unsigned char *before = memrchr(text.p + start - back, '\n',
					      back);
	const unsigned char *behind = memchr(text.p + end, '\n', on);

	*from = before ? (size_t)(before - text.p) + 1 : start - back;
	*to = behind ? (size_t)(behind - text.p) : end + on;
	return end - start <= LENGTH_MAX && (before || back == start) &&
	       (behind || on == text.n - end);
}

/* How the next statement is to be read is for the server to say. */
static bool changes_quotes(const struct mz_exec *e)
{
	static const char name[] = "standard_conforming_strings";

	return memmem(e->reader->text.p + e->st.start, e->st.end - e->st.start,
		      name, sizeof(name) - 1) != NULL;
}

/*
 * A savepoint could revive what has failed; and whoever writes into a pipe may
 * wait for an answer.
 */
bool mz_exec_goes_ahead(const struct mz_exec *e)
{
	size_t from, to;

	return e->one_transaction && e->reader->rewinds &&
	       e->st.kind == MZ_SQL_PLAIN && lines_of(e, &from, &to) &&
	       !changes_quotes(e);
}

static bool keep(struct mz_exec *e)
{
	size_t at = (e->ahead_first + e->ahead_count) % MZ_EXEC_AHEAD;
	struct mz_ahead *a = &e->ahead[at];
	struct pgw_view text = e->reader->text;
	size_t from, to;

	lines_of(e, &from, &to);
	pgw_buf_release(&a->text);
	pgw_buf_init(&a->text, 4 * LENGTH_MAX);
	pgw_buf_put(&a->text, text.p + from, to - from);
	a->start = e->st.start - from;
	a->end = e->st.end - from;
	a->line = e->st.line;
	a->text_line = a->line - mz_sql_lines((struct pgw_view){ text.p + from,
								 a->start });
	e->ahead_count++;
	return a->text.failed ? pgw_fail(&e->lost, PGW_E_NOMEM, "no memory") :
				true;
}

bool mz_exec_send_ahead(struct mz_exec *e)
{
	struct pgw_view sql = { e->reader->text.p + e->st.start,
				e->st.end - e->st.start };

	if (e->ahead_count == MZ_EXEC_AHEAD &&
	    !pgw_conn_wait(e->db.conn, MZ_EXEC_AHEAD / 2, &e->lost))
		return false;
	return !e->failed && keep(e) &&
	       pgw_conn_send(e->db.conn, sql, &e->lost) && !e->failed;
}

const struct mz_ahead *mz_exec_answered(struct mz_exec *e)
{
	const struct mz_ahead *a = &e->ahead[e->ahead_first];

	if (e->ahead_count == 0)
		return NULL;
	e->ahead_first = (e->ahead_first + 1) % MZ_EXEC_AHEAD;
	e->ahead_count--;
	return a;
}

void mz_exec_release(struct mz_exec *e)
{
	for (size_t i = 0; i < MZ_EXEC_AHEAD; i++)
		pgw_buf_release(&e->ahead[i].text);
}
