/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "session_on.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

bool pgw_on_parameter(struct pgw_session *s, const struct pgw_msg *m,
		      struct pgw_err *err)
{
	static const struct {
		const char *name;
		size_t at, size;
	} wanted[] = {

#define WANT(n, field)                           \
	{ n, offsetof(struct pgw_server, field), \
	  sizeof(((struct pgw_server *)NULL)->field) }
		WANT("server_version", version),
		WANT("client_encoding", encoding),
		WANT("standard_conforming_strings", conforming),
#undef WANT
	};

	(void)err;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (strcmp(m->parameter.name, wanted[i].name) == 0)
			snprintf((char *)&s->server + wanted[i].at,
				 wanted[i].size, "%s", m->parameter.value);
	return true;
}

bool pgw_on_key_data(struct pgw_session *s, const struct pgw_msg *m,
		     struct pgw_err *err)
{
	size_t n = m->key_data.key.n;
	bool fits = s->protocol == PGW_PROTOCOL_3_0 ? n == 4 :
						      n >= 4 && n <= 256;

	if (s->key.n > 0)
		return pgw_fail(err, PGW_E_PROTOCOL,
				"the server sent two cancel keys");
	if (!fits)
		return pgw_fail(err, PGW_E_PROTOCOL,
				"the server sent a cancel key of %zu bytes", n);
	s->key.pid = m->key_data.pid;
	s->key.n = n;
	memcpy(s->key.secret, m->key_data.key.p, n);
	return true;
}

static bool valid_txn(unsigned char txn)
{
	return txn == 'I' || txn == 'T' || txn == 'E';
}

bool pgw_on_first_ready(struct pgw_session *s, const struct pgw_msg *m,
			struct pgw_err *err)
{
	if (m->ready.txn != 'I')
		return pgw_fail(err, PGW_E_PROTOCOL,
				"the server starts in transaction state 0x%02x",
				m->ready.txn);
	s->txn = 'I';
	return true;
}

/* One Query is answered in full. */
bool pgw_on_ready(struct pgw_session *s, const struct pgw_msg *m,
		  struct pgw_err *err)
{
	struct pgw_outcome outcome = {
		.ok = !s->query.failed,
		.txn = (char)m->ready.txn,
		.tag = s->query.tag,
		.diag = { pgw_buf_view(&s->error) },
	};

	if (!valid_txn(m->ready.txn))
		return pgw_fail(err, PGW_E_PROTOCOL,
				"unknown transaction state 0x%02x",
				m->ready.txn);
	if (!s->query.answered || s->query.in_result || s->query.in_copy_out)
		return pgw_fail(err, PGW_E_PROTOCOL,
				"the server gave no result for a query");
	s->txn = (char)m->ready.txn;
	s->outstanding--;
	if (s->hooks.done)
		s->hooks.done(s->hooks.ctx, &outcome);
	s->query = (struct pgw_query_state){ 0 };
	pgw_buf_drop(&s->error, s->error.len);
	s->state = s->outstanding > 0 ? PGW_BUSY : PGW_IDLE;
	return true;
}

bool pgw_in_turn(const struct pgw_session *s, const struct pgw_msg *m,
		 struct pgw_err *err)
{
	if (!s->query.in_result && !s->query.in_copy_out)
		return true;
	return pgw_fail(err, PGW_E_PROTOCOL, "%s message inside of a result",
			pgw_msg_name(m->id));
}

bool pgw_on_row_desc(struct pgw_session *s, const struct pgw_msg *m,
		     struct pgw_err *err)
{
	struct pgw_view fields = m->row_desc.cols;
	struct pgw_field field;
	uint16_t n = 0;

	while (n < m->row_desc.ncols && pgw_field_next(&fields, &field))
		n++;
	if (n < m->row_desc.ncols || fields.n > 0 || n > INT16_MAX)
		return pgw_fail(err, PGW_E_PROTOCOL,
				"malformed row_desc message");
	if (!pgw_in_turn(s, m, err))
		return false;
	s->query.in_result = !s->query.failed;
	s->query.ncols = m->row_desc.ncols;
	if (s->query.in_result && s->hooks.columns)
		s->hooks.columns(s->hooks.ctx,
				 &(struct pgw_columns){ s->query.ncols,
							m->row_desc.cols });
	return true;
}

static bool row_is_sound(const struct pgw_row *row)
{
	struct pgw_view cols = row->cols, value;

	for (uint16_t i = 0; i < row->ncols; i++)
		if (!pgw_column_next(&cols, &value))
			return false;
	return cols.n == 0;
}

bool pgw_on_row(struct pgw_session *s, const struct pgw_msg *m,
		struct pgw_err *err)
{
	struct pgw_row row = { m->data_row.ncols, m->data_row.cols };

	if (s->query.failed)
		return true; /* noise after an error, up to ReadyForQuery */
	if (!s->query.in_result || row.ncols != s->query.ncols ||
	    !row_is_sound(&row))
		return pgw_fail(err, PGW_E_PROTOCOL,
				"malformed data_row message");
	if (s->hooks.row)
		s->hooks.row(s->hooks.ctx, &row);
	return true;
}

bool pgw_on_complete(struct pgw_session *s, const struct pgw_msg *m,
		     struct pgw_err *err)
{
	if (s->query.failed)
		return true;	    /* noise */
	s->query.in_result = false; /* this is what ends one */
	if (!pgw_in_turn(s, m, err))
		return false;
	s->query.answered = true;
	snprintf(s->query.tag, sizeof(s->query.tag), "%s", m->complete.tag);
	return true;
}

bool pgw_on_empty_query(struct pgw_session *s, const struct pgw_msg *m,
			struct pgw_err *err)
{
	s->query.answered = true;
	return pgw_in_turn(s, m, err);
}

bool pgw_on_notice(struct pgw_session *s, const struct pgw_msg *m,
		   struct pgw_err *err)
{
	struct pgw_diag diag = { m->notice.fields };

	(void)err;
	if (s->hooks.notice)
		s->hooks.notice(s->hooks.ctx, &diag);
	return true;
}

bool pgw_on_fatal(struct pgw_session *s, const struct pgw_msg *m,
		  struct pgw_err *err)
{
	struct pgw_diag diag = { m->error.fields };

	(void)s;
	pgw_diag_to_err(&diag, err);
	return false;
}

bool pgw_on_query_error(struct pgw_session *s, const struct pgw_msg *m,
			struct pgw_err *err)
{
	struct pgw_diag diag = { m->error.fields };
	size_t n = diag.fields.n;

	if (pgw_diag_is_fatal(&diag))
		return pgw_on_fatal(s, m, err);
	s->query.answered = true;
	s->query.in_result = s->query.in_copy_out = false;
	if (s->query.failed)
		return true; /* the first one is the cause */
	s->query.failed = true;
	pgw_buf_put(&s->error, diag.fields.p,
		    n < PGW_DIAG_MAX ? n : PGW_DIAG_MAX);
	return s->error.failed ?
		       pgw_fail(err, PGW_E_NOMEM, "no memory for an error") :
		       true;
}
