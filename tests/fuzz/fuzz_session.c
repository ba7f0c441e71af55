/* SPDX-License-Identifier: MIT */
/*
 * A hostile server: the first byte chooses how we log in and who listens, the
 * rest comes from the server, at once, message by message, and in pieces of
 * these: what we are told, say and do must not depend on how they are cut.  The
 * nonce is the one of the recorded conversations, so that their SCRAM proofs
 * hold and what follows is reached.
 */
#include <config.h>

#include "conninfo.h"
#include "session.h"

#include <stdlib.h>
#include <string.h>

#define QUERIES_MAX 9
#define SEEN_MAX (1u << 24)
#define OVERHEAD (1u << 20) /* no message is reserved that did not come */

enum {
	WITH_ROWS = 1,
	WITH_OTHERS = 2,
	NEWER = 4,
	WITH_KEYS = 8,
	ONLY_SCRAM = 16,
	NOT_IN_CLEAR = 32,
	STRICT = 64,
	WITH_DATA = 128,
};

/* How the server's bytes are cut. */
enum cut {
	AT_ONCE,
	BY_MESSAGE,
	IN_PIECES, /* of messages */
};

/* It is nobody's word by chance. */
static const char mark[] = "secret";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One of the ways through it. */
struct way {
	uint8_t flags;
	enum cut cut;
	struct pgw_buf seen; /* all that is told, said and done, as bytes */
};

/* Keep all that is shown: what is not there would be noticed. */
static void keep(void *ctx, struct pgw_view v)
{
	struct pgw_buf *seen = ctx;

	pgw_buf_put(seen, v.p, v.n);
}

static void keep_number(void *ctx, size_t n)
{
	keep(ctx, (struct pgw_view){ (const unsigned char *)&n, sizeof(n) });
}

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct pgw_view cols = row->cols, value;

	keep_number(ctx, row->ncols);
	for (uint16_t i = 0; i < row->ncols; i++) {
		if (!pgw_column_next(&cols, &value))
			abort();
		keep_number(ctx, value.n);
		keep(ctx, value);
	}
	if (cols.n != 0)
		abort();
}

static void on_columns(void *ctx, const struct pgw_columns *columns)
{
	struct pgw_view fields = columns->fields;
	struct pgw_field field;

	keep_number(ctx, columns->n);
	for (uint16_t i = 0; i < columns->n; i++) {
		if (!pgw_field_next(&fields, &field))
			abort();
		keep(ctx, pgw_view_of(field.name));
	}
	if (fields.n != 0)
		abort();
}

static void on_copy(void *ctx, struct pgw_view data)
{
	keep(ctx, data);
}

static void on_notice(void *ctx, const struct pgw_diag *diag)
{
	for (int field = 'A'; field <= 'z'; field++) {
		const char *text = pgw_diag_get(diag,
						(enum pgw_diag_field)field);

		if (text)
			keep(ctx, pgw_view_of(text));
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
	keep(ctx, pgw_view_of(outcome->tag));
	if (outcome->ok && outcome->diag.fields.n > 0)
		abort();
}

static void on_trace(void *ctx, const char *line)
{
	keep(ctx, pgw_view_of(line));
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
		.strict = flags & STRICT,
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

/* How long the message is that begins there; all of it when that is no length.
 */
static size_t message_size(struct pgw_view v)
{
	size_t n = v.n;

	if (v.n >= 5)
		n = 1 + ((size_t)v.p[1] << 24 | (size_t)v.p[2] << 16 |
			 (size_t)v.p[3] << 8 | v.p[4]);
	return n >= 5 && n < v.n ? n : v.n;
}

/* Feed it, in pieces if need be. */
static bool feed(struct pgw_session *s, struct pgw_view v, enum cut cut,
		 struct pgw_err *err)
{
	size_t piece = 1;

	while (v.n > 0) {
		size_t n = cut == IN_PIECES && piece < v.n ? piece : v.n;

		if (!pgw_session_feed(s, v.p, n, err))
			return false;
		piece = piece % 61 + 1;
		v.p += n;
		v.n -= n;
	}
	return true;
}

static bool serve(struct pgw_session *s, struct way *w, struct pgw_view bytes,
		  struct pgw_err *err)
{
	size_t asked = 0, fed = 0;

	while (bytes.n > 0) {
		struct pgw_view part = bytes;

		if (w->cut != AT_ONCE)
			part.n = message_size(bytes);
		if (!feed(s, part, w->cut, err))
			return false;
		bytes.p += part.n;
		bytes.n -= part.n;
		fed += part.n;
		check(s, w->flags, fed);
		keep(&w->seen, pgw_session_out(s));
		keep_number(&w->seen, s->state);
		pgw_session_sent(s, pgw_session_out(s).n);
		if (s->state == PGW_IDLE && !ask(s, w->flags, &asked, err))
			return false;
		if (!give(s, fed, err))
			return false;
	}
	return true;
}

static struct pgw_hooks hooks_for(uint8_t flags, struct pgw_buf *seen)
{
	struct pgw_hooks hooks = { .ctx = seen };

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

static struct way play(uint8_t flags, struct pgw_view bytes, enum cut cut)
{
	struct way w = { .flags = flags, .cut = cut };
	struct pgw_hooks hooks;
	struct pgw_session s;
	struct pgw_login login = login_for(flags);
	struct pgw_err err = { 0 };

	pgw_buf_init(&w.seen, SEEN_MAX);
	hooks = hooks_for(flags, &w.seen);
	pgw_session_init(&s, &hooks);
	if (!pgw_session_start(&s, &login, &err))
		abort();
	pgw_session_sent(&s, pgw_session_out(&s).n);
	if (!serve(&s, &w, bytes, &err) &&
	    (err.code == PGW_OK || err.msg[0] == '\0' || s.state != PGW_DEAD))
		abort();
	check(&s, flags, bytes.n + 1);
	keep(&w.seen, pgw_view_of(err.msg));
	keep(&w.seen, pgw_view_of(err.hint));
	pgw_session_release(&s);
	return w;
}

static bool same(const struct pgw_buf *a, const struct pgw_buf *b)
{
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct way once, messages, pieces;
	struct pgw_view bytes;

	if (size == 0)
		return 0;
	bytes = (struct pgw_view){ data + 1, size - 1 };
	once = play(data[0], bytes, AT_ONCE);
	messages = play(data[0], bytes, BY_MESSAGE);
	pieces = play(data[0], bytes, IN_PIECES);
	if (!same(&messages.seen, &pieces.seen))
		abort();
	pgw_buf_release(&once.seen);
	pgw_buf_release(&messages.seen);
	pgw_buf_release(&pieces.seen);
	return 0;
}
