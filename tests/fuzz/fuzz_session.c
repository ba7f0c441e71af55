/* SPDX-License-Identifier: MIT */
/*
 * A hostile server: the first byte chooses how we log in and who listens, the
 * rest comes from the server, in pieces.  The nonce is the one of the recorded
 * conversations, so that their SCRAM proofs hold and what follows is reached.
 */
#include <config.h>

#include "conninfo.h"
#include "session.h"

#include <stdlib.h>
#include <string.h>

#define QUERIES_MAX 9
#define OVERHEAD (1u << 20) /* no message is reserved that did not come */

enum {
	WITH_ROWS = 1,
	WITH_OTHERS = 2,
	NEWER = 4,
	WITH_KEYS = 8,
	ONLY_SCRAM = 16,
	NOT_IN_CLEAR = 32,
	PIECES = 64,
	WITH_DATA = 128,
};

/* It is nobody's word by chance. */
static const char mark[] = "secret";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touch all that is shown: what is not there would be noticed. */
static void read_all(struct pgw_view v)
{
	volatile unsigned char sum = 0;

	for (size_t i = 0; i < v.n; i++)
		sum = (unsigned char)(sum ^ v.p[i]);
}

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct pgw_view cols = row->cols, value;

	(void)ctx;
	for (uint16_t i = 0; i < row->ncols; i++) {
		if (!pgw_column_next(&cols, &value))
			abort();
		read_all(value);
	}
	if (cols.n != 0)
		abort();
}

static void on_columns(void *ctx, const struct pgw_columns *columns)
{
	struct pgw_view fields = columns->fields;
	struct pgw_field field;

	(void)ctx;
	for (uint16_t i = 0; i < columns->n; i++) {
		if (!pgw_field_next(&fields, &field))
			abort();
		read_all(pgw_view_of(field.name));
	}
	if (fields.n != 0)
		abort();
}

static void on_copy(void *ctx, struct pgw_view data)
{
	(void)ctx;
	read_all(data);
}

static void on_notice(void *ctx, const struct pgw_diag *diag)
{
	(void)ctx;
	for (int field = 'A'; field <= 'z'; field++) {
		const char *text = pgw_diag_get(diag,
						(enum pgw_diag_field)field);

		if (text)
			read_all(pgw_view_of(text));
	}
	(void)pgw_diag_number(diag, PGW_DIAG_POSITION);
	if (strlen(pgw_diag_sqlstate(diag)) % 5 != 0)
		abort();
}

static void on_done(void *ctx, const struct pgw_outcome *outcome)
{
	struct pgw_err err;

	on_notice(ctx, &outcome->diag);
	pgw_diag_to_err(&outcome->diag, &err);
	read_all(pgw_view_of(outcome->tag));
	if (outcome->ok && outcome->diag.fields.n > 0)
		abort();
}

static void on_trace(void *ctx, const char *line)
{
	(void)ctx;
	if (strncmp(line, "F ", 2) == 0 && strstr(line, mark))
		abort();
}

static struct pgw_login login_for(uint8_t flags)
{
	static const unsigned char key[PGW_SHA256_LEN];
	struct pgw_login login = {
		.user = "quick",
		.database = "postgres",
		.password = mark,
		.nonce = "rOprNGfwEbeRWgbNEkqOgold",
		.protocol = flags & NEWER ? PGW_PROTOCOL_3_2 : PGW_PROTOCOL_3_0,
		.require_auth = flags & ONLY_SCRAM ? PGW_AUTH_SCRAM :
						     PGW_AUTH_ANY,
		.cleartext_allowed = !(flags & NOT_IN_CLEAR),
		.max_iterations = 8,
	};

	if (flags & WITH_KEYS) {
		login.password = NULL;
		login.client_key = login.server_key = key;
	}
	return login;
}

static bool holds_mark(struct pgw_view v)
{
	return v.n > 0 && memmem(v.p, v.n, mark, strlen(mark));
}

/*
 * What must hold however mean the server is.  Only a nonce of its own may
 * bring the password's word into what we send, as it must be repeated.
 */
static void check(const struct pgw_session *s, uint8_t flags, size_t fed)
{
	bool in = s->state >= PGW_SETTLING && s->state < PGW_DEAD;
	struct pgw_view out = pgw_session_out(s);

	if (in && s->method == PGW_AUTH_SCRAM && !s->scram.verified)
		abort();
	if (in && (flags & ONLY_SCRAM) && s->method != PGW_AUTH_SCRAM)
		abort();
	if (holds_mark(out) &&
	    !holds_mark(pgw_buf_view(&s->scram.auth_message)) &&
	    ((flags & (NOT_IN_CLEAR | ONLY_SCRAM)) ||
	     s->method != PGW_AUTH_PASSWORD))
		abort();
	if (s->in.cap > 4 * fed + OVERHEAD)
		abort();
	if (s->outstanding > 0 && s->state < PGW_BUSY)
		abort();
	if (s->state == PGW_COPYING && !(flags & WITH_DATA))
		abort();
}

static bool ask(struct pgw_session *s, uint8_t flags, size_t *asked,
		struct pgw_err *err)
{
	bool ok = true;

	if (flags & WITH_DATA && ++*asked < QUERIES_MAX)
		return pgw_session_offer(s, pgw_view_of("copy"), err);
	while (ok && s->state != PGW_DEAD && *asked < QUERIES_MAX &&
	       (s->state == PGW_IDLE || *asked % 3 != 0)) {
		ok = pgw_session_query(s, pgw_view_of("select"), err);
		++*asked;
	}
	return ok;
}

/* A bit more at a time, then the end of it, or a reason for none. */
static bool give(struct pgw_session *s, size_t n, struct pgw_err *err)
{
	if (s->state != PGW_COPYING)
		return true;
	if (n % 5 == 3)
		return pgw_session_give_end(s, err);
	if (n % 7 == 3)
		return pgw_session_give_up(s, "no more", err);
	return pgw_session_give(s, pgw_view_of("1\n"), err);
}

static bool serve(struct pgw_session *s, uint8_t flags, struct pgw_view bytes,
		  struct pgw_err *err)
{
	size_t asked = 0, fed = 0, piece = 1;

	while (fed < bytes.n) {
		size_t n = bytes.n - fed;

		if ((flags & PIECES) && piece < n)
			n = piece;
		piece = piece % 61 + 1;
		if (!pgw_session_feed(s, bytes.p + fed, n, err))
			return false;
		fed += n;
		check(s, flags, fed);
		pgw_session_sent(s, pgw_session_out(s).n);
		if (s->state == PGW_IDLE && !ask(s, flags, &asked, err))
			return false;
		if (!give(s, fed, err))
			return false;
	}
	return true;
}

static struct pgw_hooks hooks_for(uint8_t flags)
{
	struct pgw_hooks hooks = { 0 };

	if (flags & WITH_ROWS) {
		hooks.row = on_row;
		hooks.columns = on_columns;
		hooks.copy = on_copy;
	}
	if (flags & WITH_OTHERS) {
		hooks.done = on_done;
		hooks.notice = on_notice;
		hooks.trace = on_trace;
	}
	return hooks;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pgw_hooks hooks = hooks_for(size ? data[0] : 0);
	struct pgw_session s;
	struct pgw_login login;
	struct pgw_err err = { 0 };

	if (size == 0)
		return 0;
	login = login_for(data[0]);
	pgw_session_init(&s, &hooks);
	if (!pgw_session_start(&s, &login, &err))
		abort();
	pgw_session_sent(&s, pgw_session_out(&s).n);
	if (!serve(&s, data[0], (struct pgw_view){ data + 1, size - 1 },
		   &err) &&
	    (err.code == PGW_OK || err.msg[0] == '\0' || s.state != PGW_DEAD))
		abort();
	check(&s, data[0], size);
	pgw_session_release(&s);
	return 0;
}
