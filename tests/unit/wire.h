/* SPDX-License-Identifier: MIT */
/* The server's messages as bytes of C strings, and a session to feed. */
#ifndef WIRE_H
#define WIRE_H

#include "conninfo.h"
#include "session.h"

#include <stdlib.h>
#include <string.h>

struct bytes {
	const char *p;
	size_t n;
};

#define BYTES(literal)                        \
	{                                     \
		literal, sizeof(literal) - 1, \
	}

#define AUTH_OK "R\0\0\0\x08\0\0\0\0"
#define AUTH_CLEAR "R\0\0\0\x08\0\0\0\x03"
#define AUTH_MD5 "R\0\0\0\x0c\0\0\0\x05salt"
#define AUTH_SASL "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"
#define AUTH_FIRST                           \
	"R\0\0\0\x35\0\0\0\x0b"              \
	"r=" WIRE_NONCE "more,s=c2FsdA==,i=" \
	"1"
#define READY "Z\0\0\0\x05I"
#define KEY                     \
	"K\0\0\0\x0c\0\0\0\x07" \
	"abcd"
#define ROW_DESC "T\0\0\0\x1a\0\x01n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define DATA_ROW "D\0\0\0\x0b\0\x01\0\0\0\x01x"
#define COMPLETE "C\0\0\0\x0bSELECT\0"
#define COPY_IN "G\0\0\0\x07\0\0\0"
#define ERROR "E\0\0\0\x11SERROR\0Mbad\0\0"
#define FATAL "E\0\0\0\x11SFATAL\0Mbad\0\0"

#define WIRE_NONCE "nonce-nonce-nonce-nonce-"

static inline struct pgw_login wire_login(void)
{
	return (struct pgw_login){
		.user = "user",
		.database = "db",
		.password = "secret",
		.nonce = WIRE_NONCE,
		.protocol = PGW_PROTOCOL_3_0,
		.require_auth = PGW_AUTH_ANY,
		.cleartext_allowed = true,
	};
}

/* From memory that ends where the bytes end: who reads on is caught. */
static inline bool wire_feed(struct pgw_session *s, struct bytes b,
			     struct pgw_err *err)
{
	char *exact = malloc(b.n ? b.n : 1);
	bool ok;

	if (!exact)
		return pgw_fail(err, PGW_E_NOMEM, "no memory for a test");
	memcpy(exact, b.p, b.n);
	ok = pgw_session_feed(s, exact, b.n, err);
	free(exact);
	return ok;
}

/* A session whose query is not answered yet. */
static inline void wire_start_query(struct pgw_session *s,
				    const struct pgw_hooks *hooks)
{
	struct pgw_login login = wire_login();
	struct bytes way = BYTES(AUTH_OK READY);
	struct pgw_err err = { 0 };

	pgw_session_init(s, hooks);
	ck_assert(pgw_session_start(s, &login, &err));
	ck_assert(wire_feed(s, way, &err));
	ck_assert(pgw_session_query(s, pgw_view_of("x"), &err));
}

#endif
