/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "session_on.h"

#include "conninfo.h"

#include <stdio.h>
#include <string.h>

#define SCRAM_NAME "SCRAM-SHA-256"
#define SCRAM_PLUS_NAME "SCRAM-SHA-256-PLUS"
#define SCRAM_MESSAGE_MAX 4096u

/* ---- protocol version */

/*
 * What libpq 18 checks: a server may only offer less than was asked, and never
 * 3.1, which has not existed; no protocol option of ours can be unknown to it,
 * because none is sent.
 */
bool pgw_on_negotiate(struct pgw_session *s, const struct pgw_msg *m,
		      struct pgw_err *err)
{
	uint32_t version = m->negotiate.version;

	if (s->negotiated || m->negotiate.count != 0 ||
	    m->negotiate.names.n != 0 || version >= s->login.protocol ||
	    version < PGW_PROTOCOL_3_0 || version == PGW_PROTOCOL_3_0 + 1)
		return pgw_fail(err, PGW_E_PROTOCOL,
				"the server's protocol negotiation makes no "
				"sense (version %u.%u, %u options)",
				version >> 16, version & 0xffff,
				m->negotiate.count);
	s->negotiated = true;
	s->protocol = version;
	if (version >= s->login.protocol_min)
		return true;
	pgw_fail(err, PGW_E_UNSUPPORTED,
		 "the server speaks protocol version %u.%u, but "
		 "min_protocol_version is %u.%u",
		 version >> 16, version & 0xffff, s->login.protocol_min >> 16,
		 s->login.protocol_min & 0xffff);
	return pgw_hint(err, "ask for less, or for a newer server");
}

/* ---- what require_auth and the password allow */

static bool has_secret(const struct pgw_login *login, unsigned method)
{
	if (method == PGW_AUTH_SCRAM && login->client_key)
		return true;
	return login->password && login->password[0] != '\0';
}

static bool allow(struct pgw_session *s, unsigned method, const char *name,
		  struct pgw_err *err)
{
	if (!(s->login.require_auth & method))
		return pgw_fail(err, PGW_E_AUTH,
				"the server asks for %s authentication, which "
				"require_auth does not allow",
				name);
	if (!has_secret(&s->login, method)) {
		pgw_fail(err, PGW_E_AUTH,
			 "the server asks for a password, and none is given");
		return pgw_hint(err, "put it into the URL, PGPASSWORD or a "
				     "password file");
	}
	s->method = method;
	return true;
}

static bool put_password(struct pgw_session *s, const char *password,
			 struct pgw_err *err)
{
	struct pgw_msg m = { .id = PGW_MSG_password };

	m.password.password = pgw_view_of(password);
	m.password.password.n++; /* with its NUL */
	return pgw_session_put(s, &m, err);
}

bool pgw_on_trust(struct pgw_session *s, const struct pgw_msg *m,
		  struct pgw_err *err)
{
	if (m->auth.data.n != 0)
		return pgw_fail(err, PGW_E_PROTOCOL, "malformed auth message");
	if (!(s->login.require_auth & PGW_AUTH_NONE))
		return pgw_fail(err, PGW_E_AUTH,
				"the server lets everyone in, which "
				"require_auth does not allow");
	s->method = PGW_AUTH_NONE;
	return true;
}

bool pgw_on_auth_ok(struct pgw_session *s, const struct pgw_msg *m,
		    struct pgw_err *err)
{
	(void)s;
	if (m->auth.data.n != 0)
		return pgw_fail(err, PGW_E_PROTOCOL, "malformed auth message");
	return true;
}

bool pgw_on_cleartext(struct pgw_session *s, const struct pgw_msg *m,
		      struct pgw_err *err)
{
	if (m->auth.data.n != 0)
		return pgw_fail(err, PGW_E_PROTOCOL, "malformed auth message");
	if (!allow(s, PGW_AUTH_PASSWORD, "cleartext password", err))
		return false;
	if (!s->login.cleartext_allowed) {
		pgw_fail(err, PGW_E_AUTH,
			 "the server asks for the password in clear text over "
			 "an unencrypted connection");
		return pgw_hint(err, "use TLS, or allow it with "
				     "require_auth=password");
	}
	return put_password(s, s->login.password, err);
}

bool pgw_on_md5(struct pgw_session *s, const struct pgw_msg *m,
		struct pgw_err *err)
{
	char answer[36];
	bool ok;

	if (m->auth.data.n != 4)
		return pgw_fail(err, PGW_E_PROTOCOL, "an MD5 salt of %zu bytes",
				m->auth.data.n);
	if (!allow(s, PGW_AUTH_MD5, "MD5 password", err))
		return false;
	ok = pgw_md5_password(s->login.password, s->login.user, m->auth.data.p,
			      answer, err) &&
	     put_password(s, answer, err);
	pgw_wipe(answer, sizeof(answer));
	return ok;
}

/* ---- SASL */

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

static bool choose_mechanism(struct pgw_view list, struct pgw_err *err)
{
	struct offer o = { 0 };

	if (!read_mechanisms(list, &o))
		return pgw_fail(err, PGW_E_AUTH,
				"malformed list of SASL mechanisms");
	if (o.plus)
		return pgw_fail(err, PGW_E_AUTH,
				"server offered SCRAM-SHA-256-PLUS "
				"authentication over a non-SSL connection");
	if (!o.scram)
		return pgw_fail(err, PGW_E_UNSUPPORTED,
				"the server offers none of our SASL "
				"mechanisms: %s",
				o.names[0] ? o.names : "none at all");
	return true;
}

static bool start_scram(struct pgw_session *s, struct pgw_buf *data,
			struct pgw_err *err)
{
	const struct pgw_scram_params params = {
		.password = pgw_view_of(s->login.password ? s->login.password :
							    ""),
		.client_key = s->login.client_key,
		.server_key = s->login.server_key,
		.nonce = s->login.nonce,
		.gs2 = "n,,",
		.max_iterations = s->login.max_iterations,
		.go_on = s->login.go_on,
		.ctx = s->login.ctx,
	};
	struct pgw_msg m = { .id = PGW_MSG_sasl_initial,
			     .sasl_initial = { .mechanism = SCRAM_NAME } };

	pgw_scram_init(&s->scram, &params);
	if (!pgw_scram_first(&s->scram, data, err))
		return false;
	m.sasl_initial.data = pgw_buf_view(data);
	return pgw_session_put(s, &m, err);
}

bool pgw_on_sasl(struct pgw_session *s, const struct pgw_msg *m,
		 struct pgw_err *err)
{
	struct pgw_buf data;
	bool ok;

	if (!choose_mechanism(m->auth.data, err) ||
	    !allow(s, PGW_AUTH_SCRAM, SCRAM_NAME, err))
		return false;
	pgw_buf_init(&data, SCRAM_MESSAGE_MAX);
	ok = start_scram(s, &data, err);
	pgw_buf_release(&data);
	return ok;
}

bool pgw_on_server_first(struct pgw_session *s, const struct pgw_msg *m,
			 struct pgw_err *err)
{
	struct pgw_msg answer = { .id = PGW_MSG_sasl_response };
	struct pgw_buf data;
	bool ok;

	pgw_buf_init(&data, SCRAM_MESSAGE_MAX);
	ok = pgw_scram_final(&s->scram, m->auth.data, &data, err);
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

/* ---- what is refused */

bool pgw_on_unsupported(struct pgw_session *s, const struct pgw_msg *m,
			struct pgw_err *err)
{
	static const struct {
		uint32_t kind;
		const char *name;
	} known[] = {
		{ 2, "Kerberos 5" }, { 6, "SCM credential" }, { 7, "GSSAPI" },
		{ 8, "GSSAPI" },     { 9, "SSPI" },
	};

	(void)s;
	if (m->auth.kind == 11 || m->auth.kind == 12)
		return pgw_on_out_of_turn(s, m, err);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].kind == m->auth.kind)
			return pgw_fail(err, PGW_E_UNSUPPORTED,
					"the server asks for %s "
					"authentication, which is not "
					"supported",
					known[i].name);
	return pgw_fail(err, PGW_E_UNSUPPORTED,
			"the server asks for authentication method %u, which "
			"is not supported",
			m->auth.kind);
}

bool pgw_on_out_of_turn(struct pgw_session *s, const struct pgw_msg *m,
			struct pgw_err *err)
{
	(void)s;
	if (m->auth.kind == 0)
		return pgw_fail(err, PGW_E_AUTH,
				"the server let us in without proving that it "
				"knows the password");
	return pgw_fail(err, PGW_E_AUTH,
			"the server asks for authentication method %u out of "
			"turn",
			m->auth.kind);
}
