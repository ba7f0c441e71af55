/* SPDX-License-Identifier: MIT */
/*
 * The part of a session that logs in: what is done on each authentication
 * request.  The rules in session.c say in which state each may come.  Stricter
 * than libpq: one method a connection, and SCRAM only with the server's proof.
 */
#ifndef PGW_SESSION_AUTH_H
#define PGW_SESSION_AUTH_H

#include "session.h"

/* Queue a message. */
bool pgw_session_put(struct pgw_session *s, const struct pgw_msg *m,
		     struct pgw_err *err) PGW_MUST_CHECK;

typedef bool pgw_on_message(struct pgw_session *s, const struct pgw_msg *m,
			    struct pgw_err *err);

pgw_on_message pgw_on_negotiate;
pgw_on_message pgw_on_trust;
pgw_on_message pgw_on_cleartext;
pgw_on_message pgw_on_md5;
pgw_on_message pgw_on_sasl;
pgw_on_message pgw_on_server_first;
pgw_on_message pgw_on_server_final;
pgw_on_message pgw_on_auth_ok;
pgw_on_message pgw_on_unsupported;
pgw_on_message pgw_on_out_of_turn;

#endif
