/* SPDX-License-Identifier: MIT */
/*
 * What a session does on each message; the rules in session.c say in which
 * state each may come.
 */
#ifndef PGW_SESSION_ON_H
#define PGW_SESSION_ON_H

#include "session.h"

/* Queue a message. */
bool pgw_session_put(struct pgw_session *s, const struct pgw_msg *m,
		     struct pgw_err *err) PGW_MUST_CHECK;

/* Results follow each other, they do not nest. */
bool pgw_in_turn(const struct pgw_session *s, const struct pgw_msg *m,
		 struct pgw_err *err) PGW_MUST_CHECK;

void pgw_session_warn(const struct pgw_session *s, const char *text);

/*
 * What require_auth and the given secrets allow; notes the method.  name is
 * for the error.
 */
bool pgw_auth_allowed(struct pgw_session *s, unsigned method, const char *name,
		      struct pgw_err *err) PGW_MUST_CHECK;

typedef bool pgw_on_message(struct pgw_session *s, const struct pgw_msg *m,
			    struct pgw_err *err);

/*
 * session_auth.c: logging in.  Stricter than libpq: one method a connection,
 * and SCRAM only with the server's proof.
 */
pgw_on_message pgw_on_negotiate;
pgw_on_message pgw_on_trust;
pgw_on_message pgw_on_cleartext;
pgw_on_message pgw_on_md5;
pgw_on_message pgw_on_auth_ok;
pgw_on_message pgw_on_unsupported;
pgw_on_message pgw_on_out_of_turn;

/* session_sasl.c: the same, by SCRAM. */
pgw_on_message pgw_on_sasl;
pgw_on_message pgw_on_server_first;
pgw_on_message pgw_on_server_final;

/* session_answer.c: what follows. */
pgw_on_message pgw_on_fatal;
pgw_on_message pgw_on_key_data;
pgw_on_message pgw_on_first_ready;
pgw_on_message pgw_on_parameter;
pgw_on_message pgw_on_notice;
pgw_on_message pgw_on_row_desc;
pgw_on_message pgw_on_row;
pgw_on_message pgw_on_complete;
pgw_on_message pgw_on_empty_query;
pgw_on_message pgw_on_query_error;
pgw_on_message pgw_on_ready;

/* session_query.c: what we ask for, and the data of COPY both ways. */
pgw_on_message pgw_on_copy_in;
pgw_on_message pgw_on_copy_wanted;
pgw_on_message pgw_on_copy_refused;
pgw_on_message pgw_on_copy_out;
pgw_on_message pgw_on_copy_data;

#endif
