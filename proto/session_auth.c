/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "session_on.h"

#include <string.h>

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

/* Only SCRAM can be bound to the connection; pgw_on_sasl sees to that. */
static bool may_be_unbound(const struct pgw_session *s, struct pgw_err *err)
{
	if (s->login.channel_binding != PGW_BINDING_REQUIRE)
		return true;
	pgw_fail(err, PGW_E_AUTH,
		 "channel_binding=require, but the server wants to let us in "
		 "without channel binding");
	return pgw_hint(err, "it must ask for scram-sha-256 over TLS; or say "
			     "channel_binding=prefer");
}

bool pgw_auth_allowed(struct pgw_session *s, unsigned method, const char *name,
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
	return may_be_unbound(s, err);
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
	if (!pgw_auth_allowed(s, PGW_AUTH_PASSWORD, "cleartext password",
			      err) ||
	    !may_be_unbound(s, err))
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
	if (!pgw_auth_allowed(s, PGW_AUTH_MD5, "MD5 password", err) ||
	    !may_be_unbound(s, err))
		return false;
	if (!s->login.cleartext_allowed)
		pgw_session_warn(s, "the password was sent as an MD5 hash over "
				    "an unencrypted connection; use "
				    "scram-sha-256 and TLS");
	ok = pgw_md5_password(s->login.password, s->login.user, m->auth.data.p,
			      answer, err) &&
	     put_password(s, answer, err);
	pgw_wipe(answer, sizeof(answer));
	return ok;
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
