/* SPDX-License-Identifier: MIT */
/* Logging in by SCRAM, bound to the TLS connection where that can be. */
#include <config.h>

#include "session_on.h"

#include <stdio.h>
#include <string.h>

#define SCRAM_NAME "SCRAM-SHA-256"
#define SCRAM_PLUS_NAME "SCRAM-SHA-256-PLUS"
#define SCRAM_MESSAGE_MAX 4096u

struct offer {
	bool scram, plus;
	char names[128]; /* what was offered, for a message */
};

static bool read_mechanisms(struct pgw_view list, struct offer *o)
{
	struct pgw_cur c = pgw_cur_of(list);

	for (;;) {
		const char *name = pgw_cur_str(&c);
		size_t used = strlen(o->names);

		if (c.bad)
			return false;
		if (name[0] == '\0')
			return pgw_cur_done(&c);
		o->scram |= strcmp(name, SCRAM_NAME) == 0;
		o->plus |= strcmp(name, SCRAM_PLUS_NAME) == 0;
		snprintf(o->names + used, sizeof(o->names) - used, "%s%s",
			 used ? ", " : "", name);
		for (char *p = o->names + used; *p; p++)
			if (*p < ' ' || *p > '~')
				*p = '?';
	}
}

/* channel_binding=require, and there is none to be had. */
static bool unbound(const struct pgw_session *s, const struct offer *o,
		    struct pgw_err *err)
{
	if (!s->login.encrypted)
		return pgw_fail(err, PGW_E_AUTH,
				"channel_binding=require needs TLS, and this "
				"connection has none");
	if (!o->plus)
		return pgw_fail(err, PGW_E_AUTH,
				"channel_binding=require, but the server does "
				"not offer " SCRAM_PLUS_NAME);
	return pgw_fail(err, PGW_E_AUTH,
			"channel_binding=require, but nothing can be bound to "
			"the signature algorithm of the server's certificate "
			"(Ed25519 and Ed448 have no hash)");
}

/*
 * Which of the two, and what the server is to know of channel binding.  "y"
 * says that we could and it could not: a server that could takes it for a
 * sign that somebody has taken away its offer.
 */
static bool choose_mechanism(struct pgw_session *s, struct pgw_view list,
			     const char **gs2, struct pgw_err *err)
{
	const struct pgw_login *login = &s->login;
	bool able = login->encrypted && login->binding.n > 0 &&
		    login->channel_binding != PGW_BINDING_DISABLE;
	struct offer o = { 0 };

	if (!read_mechanisms(list, &o))
		return pgw_fail(err, PGW_E_AUTH,
				"malformed list of SASL mechanisms");
	if (o.plus && !login->encrypted)
		return pgw_fail(err, PGW_E_AUTH,
				"server offered " SCRAM_PLUS_NAME
				" authentication over a non-SSL connection");
	s->bound = able && o.plus;
	if (!s->bound && login->channel_binding == PGW_BINDING_REQUIRE)
		return unbound(s, &o, err);
	if (!s->bound && !o.scram)
		return pgw_fail(err, PGW_E_UNSUPPORTED,
				"the server offers none of our SASL "
				"mechanisms: %s",
				o.names[0] ? o.names : "none at all");
	if (o.plus && !able && login->channel_binding == PGW_BINDING_PREFER)
		pgw_session_warn(s, "no channel binding: the server's "
				    "certificate is signed by an algorithm "
				    "without a hash");
	*gs2 = s->bound ? "p=tls-server-end-point,," : able ? "y,," : "n,,";
	return true;
}

static bool start_scram(struct pgw_session *s, const char *gs2,
			struct pgw_buf *data, struct pgw_err *err)
{
	const struct pgw_login *login = &s->login;
	const struct pgw_scram_params params = {
		.password = pgw_view_of(login->password ? login->password : ""),
		.client_key = login->client_key,
		.server_key = login->server_key,
		.nonce = login->nonce,
		.gs2 = gs2,
		.cbind = s->bound ? login->binding : (struct pgw_view){ 0 },
		.max_iterations = login->max_iterations,
		.go_on = login->go_on,
		.ctx = login->ctx,
	};
	struct pgw_msg m = { .id = PGW_MSG_sasl_initial };

	m.sasl_initial.mechanism = s->bound ? SCRAM_PLUS_NAME : SCRAM_NAME;
	pgw_scram_init(&s->scram, &params);
	if (!pgw_scram_first(&s->scram, data, err))
		return false;
	m.sasl_initial.data = pgw_buf_view(data);
	return pgw_session_put(s, &m, err);
}

bool pgw_on_sasl(struct pgw_session *s, const struct pgw_msg *m,
		 struct pgw_err *err)
{
	const char *gs2 = NULL;
	struct pgw_buf data;
	bool ok;

	if (!choose_mechanism(s, m->auth.data, &gs2, err) ||
	    !pgw_auth_allowed(s, PGW_AUTH_SCRAM, SCRAM_NAME, err))
		return false;
	pgw_buf_init(&data, SCRAM_MESSAGE_MAX);
	ok = start_scram(s, gs2, &data, err);
	pgw_buf_release(&data);
	return ok;
}

/* With few iterations, whoever poses as the server can guess the password. */
static bool enough_iterations(struct pgw_session *s, struct pgw_err *err)
{
	uint32_t n = s->scram.iterations;
	char text[128];

	if (n >= PGW_SCRAM_FEW_ITERATIONS || s->login.client_key)
		return true;
	if (s->login.strict && !s->login.verified) {
		pgw_fail(err, PGW_E_AUTH,
			 "the server asks for a password hashed only %u times, "
			 "and nothing shows that it is the right one",
			 n);
		return pgw_hint(err, "use sslmode=verify-full, or at the "
				     "server scram_iterations of at least "
				     "4096");
	}
	snprintf(text, sizeof(text),
		 "the server asks for a password hashed only %u times; "
		 "4096 are the least that is usual",
		 n);
	pgw_session_warn(s, text);
	return true;
}

bool pgw_on_server_first(struct pgw_session *s, const struct pgw_msg *m,
			 struct pgw_err *err)
{
	struct pgw_msg answer = { .id = PGW_MSG_sasl_response };
	struct pgw_buf data;
	bool ok;

	pgw_buf_init(&data, SCRAM_MESSAGE_MAX);
	ok = pgw_scram_final(&s->scram, m->auth.data, &data, err) &&
	     enough_iterations(s, err);
	answer.sasl_response.data = pgw_buf_view(&data);
	ok = ok && pgw_session_put(s, &answer, err);
	pgw_buf_release(&data);
	return ok;
}

bool pgw_on_server_final(struct pgw_session *s, const struct pgw_msg *m,
			 struct pgw_err *err)
{
	return pgw_scram_verify(&s->scram, m->auth.data, err);
}
