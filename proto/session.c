/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "session.h"
#include "session_on.h"

#include <stdio.h>
#include <string.h>

/* protocol.sgml: no real server sends more before it is ready. */
#define STARTUP_BYTES_MAX (1u << 20)
#define SETTLING_MESSAGES_MAX 1000u
#define STARTUP_PACKET_MAX 10000u
#define CANCEL_CODE 80877102u
#define SSL_REQUEST_CODE 80877103u
/* A message, and what came with it. */
#define IN_MAX (2 * (size_t)PGW_QUERY_MAX)
#define OUT_MAX (2u * (size_t)PGW_QUERY_MAX)
#define SKIP_MIN (64u << 10) /* smaller ones are checked like all others */
#define SKIP_MAX PGW_QUERY_MAX
#define DIAG_KEEP PGW_DIAG_MAX /* of an error or notice, header included */

void pgw_session_init(struct pgw_session *s, const struct pgw_hooks *hooks)
{
	*s = (struct pgw_session){ .state = PGW_NEW };
	pgw_buf_init(&s->in, IN_MAX);
	pgw_buf_init(&s->out, OUT_MAX);
	pgw_buf_init(&s->error, PGW_DIAG_MAX);
	pgw_scram_init(&s->scram, &(struct pgw_scram_params){ 0 });
	if (hooks)
		s->hooks = *hooks;
}

void pgw_session_release(struct pgw_session *s)
{
	pgw_buf_release(&s->in);
	pgw_buf_release(&s->out);
	pgw_buf_release(&s->error);
	pgw_scram_release(&s->scram);
	pgw_wipe(&s->key, sizeof(s->key));
	s->state = PGW_DEAD;
}

/* A trace that finds no memory is not worth a failure. */
static void trace(struct pgw_session *s, const struct pgw_msg *m)
{
	struct pgw_buf line;

	if (!s->hooks.trace)
		return;
	pgw_buf_init(&line, 4 * (size_t)PGW_BODY_MAX);
	pgw_msg_trace(&line, m);
	pgw_buf_put_u8(&line, 0);
	if (!line.failed)
		s->hooks.trace(s->hooks.ctx, (const char *)line.data);
	pgw_buf_release(&line);
}

bool pgw_session_put(struct pgw_session *s, const struct pgw_msg *m,
		     struct pgw_err *err)
{
	trace(s, m);
	pgw_msg_encode(&s->out, m);
	if (s->out.failed)
		return pgw_fail(err, PGW_E_NOMEM,
				"no memory to send a message");
	return true;
}

/*
 * Every transition.  A message that no rule allows in the present state is a
 * protocol error.  Authentication requests and the formats of COPY are told
 * apart by their kind, too.
 */
#define IN(state) (1u << (state))
#define LOGIN                                                      \
	(IN(PGW_STARTUP) | IN(PGW_PASSWORD) | IN(PGW_SASL_FIRST) | \
	 IN(PGW_SASL_FINAL) | IN(PGW_SASL_DONE))
#define ASKED (IN(PGW_BUSY) | IN(PGW_OFFERING))
#define OPEN (IN(PGW_IDLE) | ASKED | IN(PGW_COPYING))
#define LATE (IN(PGW_SETTLING) | OPEN)
#define ANY_KIND UINT32_MAX
#define SAME PGW_NEW /* nothing leads back to PGW_NEW */

static const struct rule {
	unsigned in;
	enum pgw_msg_id msg;
	uint32_t kind;
	bool (*act)(struct pgw_session *, const struct pgw_msg *,
		    struct pgw_err *);
	enum pgw_state next;
} rules[] = {
	/* clang-format off */
	{ IN(PGW_STARTUP),    PGW_MSG_negotiate,    ANY_KIND, pgw_on_negotiate,    SAME },
	{ IN(PGW_STARTUP),    PGW_MSG_auth,         0,        pgw_on_trust,        PGW_SETTLING },
	{ IN(PGW_STARTUP),    PGW_MSG_auth,         3,        pgw_on_cleartext,    PGW_PASSWORD },
	{ IN(PGW_STARTUP),    PGW_MSG_auth,         5,        pgw_on_md5,          PGW_PASSWORD },
	{ IN(PGW_STARTUP),    PGW_MSG_auth,         10,       pgw_on_sasl,         PGW_SASL_FIRST },
	{ IN(PGW_STARTUP),    PGW_MSG_auth,         ANY_KIND, pgw_on_unsupported,  PGW_DEAD },
	{ IN(PGW_SASL_FIRST), PGW_MSG_auth,         11,       pgw_on_server_first, PGW_SASL_FINAL },
	{ IN(PGW_SASL_FINAL), PGW_MSG_auth,         12,       pgw_on_server_final, PGW_SASL_DONE },
	{ IN(PGW_PASSWORD) | IN(PGW_SASL_DONE),
	                      PGW_MSG_auth,         0,        pgw_on_auth_ok,      PGW_SETTLING },
	{ LOGIN,              PGW_MSG_auth,         ANY_KIND, pgw_on_out_of_turn,  PGW_DEAD },
	{ LOGIN,              PGW_MSG_error,        ANY_KIND, pgw_on_fatal,        PGW_DEAD },

	{ IN(PGW_SETTLING),   PGW_MSG_error,        ANY_KIND, pgw_on_fatal,        PGW_DEAD },
	{ IN(PGW_SETTLING),   PGW_MSG_key_data,     ANY_KIND, pgw_on_key_data,     SAME },
	{ IN(PGW_SETTLING),   PGW_MSG_ready,        ANY_KIND, pgw_on_first_ready,  PGW_IDLE },

	{ IN(PGW_IDLE),       PGW_MSG_error,        ANY_KIND, pgw_on_fatal,        PGW_DEAD },
	{ ASKED,              PGW_MSG_row_desc,     ANY_KIND, pgw_on_row_desc,     SAME },
	{ ASKED,              PGW_MSG_data_row,     ANY_KIND, pgw_on_row,          SAME },
	{ ASKED,              PGW_MSG_complete,     ANY_KIND, pgw_on_complete,     SAME },
	{ ASKED,              PGW_MSG_empty_query,  ANY_KIND, pgw_on_empty_query,  SAME },
	{ IN(PGW_BUSY),       PGW_MSG_copy_in,      ANY_KIND, pgw_on_copy_in,      SAME },
	{ IN(PGW_OFFERING),   PGW_MSG_copy_in,      0,        pgw_on_copy_wanted,  PGW_COPYING },
	{ IN(PGW_OFFERING),   PGW_MSG_copy_in,      ANY_KIND, pgw_on_copy_refused, PGW_BUSY },
	{ ASKED,              PGW_MSG_copy_out,     ANY_KIND, pgw_on_copy_out,     SAME },
	{ ASKED,              PGW_MSG_copy_data,    ANY_KIND, pgw_on_copy_data,    SAME },
	{ ASKED,              PGW_MSG_copy_done,    ANY_KIND, pgw_on_copy_data,    SAME },
	{ ASKED | IN(PGW_COPYING),
	                      PGW_MSG_error,        ANY_KIND, pgw_on_query_error,  PGW_BUSY },
	{ ASKED,              PGW_MSG_ready,        ANY_KIND, pgw_on_ready,        SAME },

	{ LATE,               PGW_MSG_parameter,    ANY_KIND, pgw_on_parameter,    SAME },
	{ LATE,               PGW_MSG_notice,       ANY_KIND, pgw_on_notice,       SAME },
	{ OPEN,               PGW_MSG_notification, ANY_KIND, NULL,                SAME },
	/* clang-format on */
};

static uint32_t kind_of(const struct pgw_msg *m)
{
	return m->id == PGW_MSG_copy_in ? m->copy_in.format : m->auth.kind;
}

static const struct rule *find_rule(enum pgw_state state,
				    const struct pgw_msg *m)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].msg == m->id && (rules[i].in & IN(state)) &&
		    (rules[i].kind == ANY_KIND || rules[i].kind == kind_of(m)))
			return &rules[i];
	return NULL;
}

/*
 * What cannot be understood as the very first answer does not come from a
 * PostgreSQL server; err says what was wrong with it.
 */
static bool explain(const struct pgw_session *s, struct pgw_err *err)
{
	if (s->state != PGW_STARTUP || s->negotiated)
		return false;
	pgw_fail(err, PGW_E_PROTOCOL,
		 "what answers there is not a PostgreSQL server (expected an "
		 "authentication request)");
	return pgw_hint(err, "check host and port");
}

static bool endless(struct pgw_err *err)
{
	return pgw_fail(err, PGW_E_PROTOCOL,
			"the server talks endlessly before it is ready");
}

static bool step(struct pgw_session *s, const struct pgw_msg *m,
		 struct pgw_err *err)
{
	const struct rule *r = find_rule(s->state, m);

	trace(s, m);
	if (s->state == PGW_SETTLING &&
	    s->settling_messages++ == SETTLING_MESSAGES_MAX)
		return endless(err);
	if (!r) {
		pgw_fail(err, PGW_E_PROTOCOL, "unexpected %s message",
			 pgw_msg_name(m->id));
		return explain(s, err);
	}
	if (r->act && !r->act(s, m, err))
		return false;
	if (r->next != SAME)
		s->state = r->next;
	return true;
}

/*
 * Rows and COPY data that nobody asked for may be large; they are dropped
 * without being collected, and so up to what a server can send at all.
 */
static bool skip_unwanted(struct pgw_session *s, struct pgw_view rest)
{
	struct pgw_frame f;
	bool wanted = s->hooks.row != NULL;

	if (!pgw_session_is_open(s) || !pgw_msg_peek(rest, &f) ||
	    f.length <= rest.n || f.length < SKIP_MIN || f.length > SKIP_MAX)
		return false;
	if ((f.tag == 'D' && s->query.in_result && !wanted) ||
	    (f.tag == 'd' && s->query.in_copy_out && !s->hooks.copy))
		s->skip = f.length;
	return s->skip > 0;
}

static bool is_long_diag(const struct pgw_session *s, const struct pgw_frame *f)
{
	return pgw_session_is_open(s) && (f->tag == 'E' || f->tag == 'N') &&
	       f->length > DIAG_KEEP && f->length <= SKIP_MAX;
}

/* Make of such a message's beginning one that ends there; gives its length. */
static size_t shorten(unsigned char *p)
{
	bool between_fields = p[DIAG_KEEP - 3] == 0;
	size_t kept = DIAG_KEEP - between_fields, length = kept - 1;

	p[DIAG_KEEP - 2] = 0;
	p[DIAG_KEEP - 1] = 0;
	for (int i = 4; i >= 1; i--, length >>= 8)
		p[i] = (unsigned char)length;
	return kept;
}

/*
 * Of a long error or notice at this place only the beginning is kept: false
 * while that is not all there.  *beyond is what follows and is to be dropped.
 */
static bool cut_diag(struct pgw_session *s, size_t at, size_t *beyond)
{
	struct pgw_view rest = { s->in.data + at, s->in.len - at };
	struct pgw_frame f;

	*beyond = 0;
	if (!pgw_msg_peek(rest, &f) || !is_long_diag(s, &f))
		return true;
	if (rest.n < DIAG_KEEP)
		return false;
	*beyond = f.length - shorten(s->in.data + at);
	return true;
}

/* Drop n bytes: those that are in s->in from at on, and the others to come. */
static size_t skip(struct pgw_session *s, size_t at, size_t n)
{
	size_t here = s->in.len - at < n ? s->in.len - at : n;

	s->skip = n - here;
	return here;
}

/* Who takes COPY data, which is what was asked for, takes what there is. */
static bool is_bearable(const struct pgw_session *s, struct pgw_view rest,
			struct pgw_err *err)
{
	struct pgw_frame f;

	if (!pgw_msg_peek(rest, &f) || f.length - 1 <= PGW_BODY_MAX ||
	    (f.tag != 'D' && f.tag != 'd') || s->hooks.copy != NULL)
		return true;
	return pgw_fail(err, PGW_E_PROTOCOL, "%s message with a length of %zu",
			f.tag == 'D' ? "data_row" : "copy_data", f.length - 1);
}

static bool take_messages(struct pgw_session *s, struct pgw_err *err)
{
	size_t used, beyond, done = 0;
	struct pgw_msg m;

	do {
		struct pgw_view rest = { s->in.data + done, s->in.len - done };

		if (skip_unwanted(s, rest)) {
			done += skip(s, done, s->skip);
			break;
		}
		if (!cut_diag(s, done, &beyond))
			break;
		if (!is_bearable(s, rest, err) ||
		    !pgw_msg_decode(rest, &m, &used, err))
			return explain(s, err);
		if (used > 0 && !step(s, &m, err))
			return false;
		done += used;
		done += skip(s, done, beyond);
	} while (used > 0 && done < s->in.len);
	pgw_buf_drop(&s->in, done);
	return true;
}

static bool count_startup(struct pgw_session *s, size_t n, struct pgw_err *err)
{
	if (pgw_session_is_open(s))
		return true;
	s->startup_bytes += n;
	return s->startup_bytes <= STARTUP_BYTES_MAX || endless(err);
}

static bool feed(struct pgw_session *s, const unsigned char *data, size_t n,
		 struct pgw_err *err)
{
	size_t skipped = n < s->skip ? n : s->skip;

	s->skip -= skipped;
	data += skipped;
	n -= skipped;
	if (n == 0)
		return true;
	if (!count_startup(s, n, err))
		return false;
	pgw_buf_put(&s->in, data, n);
	if (s->in.failed)
		return pgw_fail(err, PGW_E_NOMEM,
				"no memory for a message from the server");
	return take_messages(s, err);
}

bool pgw_session_feed(struct pgw_session *s, const void *data, size_t n,
		      struct pgw_err *err)
{
	if (s->state == PGW_NEW || s->state == PGW_DEAD)
		return pgw_fail(err, PGW_E_USAGE, "the session is not open");
	if (feed(s, data, n, err))
		return true;
	s->state = PGW_DEAD;
	return false;
}

static bool build_params(struct pgw_buf *b, const struct pgw_login *login,
			 struct pgw_err *err)
{
	pgw_buf_put_str(b, "user");
	pgw_buf_put_str(b, login->user);
	pgw_buf_put_str(b, "database");
	pgw_buf_put_str(b, login->database);
	for (const char *const *p = login->params; p && *p; p++)
		pgw_buf_put_str(b, *p);
	pgw_buf_put_u8(b, 0);
	if (b->failed)
		return pgw_fail(err, PGW_E_NOMEM, "no memory to log in");
	if (b->len > STARTUP_PACKET_MAX - 8)
		return pgw_fail(err, PGW_E_LIMIT,
				"user, database and options are too long: "
				"%zu bytes, %u are possible",
				b->len, STARTUP_PACKET_MAX - 8);
	return true;
}

bool pgw_session_start(struct pgw_session *s, const struct pgw_login *login,
		       struct pgw_err *err)
{
	struct pgw_msg m = { .id = PGW_MSG_startup,
			     .startup = { .version = login->protocol } };
	struct pgw_buf params;
	bool ok;

	if (s->state != PGW_NEW)
		return pgw_fail(err, PGW_E_USAGE, "the session has started");
	s->login = *login;
	s->protocol = login->protocol;
	pgw_buf_init(&params, SIZE_MAX / 2);
	ok = build_params(&params, login, err);
	m.startup.params = pgw_buf_view(&params);
	ok = ok && pgw_session_put(s, &m, err);
	pgw_buf_release(&params);
	s->state = ok ? PGW_STARTUP : PGW_DEAD;
	return ok;
}

bool pgw_session_is_open(const struct pgw_session *s)
{
	return s->state >= PGW_IDLE && s->state < PGW_DEAD;
}

bool pgw_session_terminate(struct pgw_session *s, struct pgw_err *err)
{
	struct pgw_msg m = { .id = PGW_MSG_terminate };

	return pgw_session_put(s, &m, err);
}

struct pgw_view pgw_session_out(const struct pgw_session *s)
{
	return pgw_buf_view(&s->out);
}

void pgw_session_sent(struct pgw_session *s, size_t n)
{
	pgw_buf_drop(&s->out, n);
}

void pgw_session_warn(const struct pgw_session *s, const char *text)
{
	if (s->hooks.warning)
		s->hooks.warning(s->hooks.ctx, text);
}

void pgw_ssl_request(struct pgw_buf *out)
{
	struct pgw_msg m = { .id = PGW_MSG_ssl_request,
			     .ssl_request = { .code = SSL_REQUEST_CODE } };

	pgw_msg_encode(out, &m);
}

void pgw_cancel_request(struct pgw_buf *out, const struct pgw_key *key)
{
	struct pgw_msg m = { .id = PGW_MSG_cancel,
			     .cancel = { .code = CANCEL_CODE,
					 .pid = key->pid,
					 .key = { key->secret, key->n } } };

	pgw_msg_encode(out, &m);
}
