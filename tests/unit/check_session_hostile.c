/* SPDX-License-Identifier: MIT */
/*
 * Servers that are broken or mean: each must end the session with an error
 * that says what was wrong, read nothing that is not there, and not make us
 * reserve what it only claims to send.
 */
#include <config.h>

#include "unit.h"
#include "wire.h"

#include <stdio.h>

#define BUSY_WAY AUTH_OK READY /* then a query is sent */
#define NOT_POSTGRES "not a PostgreSQL server"

struct hostile {
	const char *what;
	struct bytes bytes;
	enum pgw_code code;
	const char *text; /* is in the message */
};

/* Before anything else came. */
static const struct hostile at_startup[] = {
	/* clang-format off */
	{ "HTTP", BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "SSH", BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "MySQL", BYTES("J\0\0\0\x0a" "8.0.36\0"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "auth of length 0", BYTES("R\0\0\0\0\0\0\0\0"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "auth of length 3", BYTES("R\0\0\0\x03"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "auth of length 4", BYTES("R\0\0\0\x04"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "auth of length 6", BYTES("R\0\0\0\x06\0\0"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "auth of length -1", BYTES("R\xff\xff\xff\xff"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "auth of length 2005", BYTES("R\0\0\x07\xd5"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "auth of length 2^31-1", BYTES("R\x7f\xff\xff\xff"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "ok with data", BYTES("R\0\0\0\x09\0\0\0\0x"), PGW_E_PROTOCOL, "malformed auth" },
	{ "auth 99", BYTES("R\0\0\0\x08\0\0\0\x63"), PGW_E_UNSUPPORTED, "method 99" },
	{ "Kerberos", BYTES("R\0\0\0\x08\0\0\0\x02"), PGW_E_UNSUPPORTED, "Kerberos" },
	{ "GSSAPI", BYTES("R\0\0\0\x08\0\0\0\x07"), PGW_E_UNSUPPORTED, "GSSAPI" },
	{ "SSPI", BYTES("R\0\0\0\x08\0\0\0\x09"), PGW_E_UNSUPPORTED, "SSPI" },
	{ "continue first", BYTES("R\0\0\0\x09\0\0\0\x0bx"), PGW_E_AUTH, "out of turn" },
	{ "final first", BYTES("R\0\0\0\x09\0\0\0\x0cx"), PGW_E_AUTH, "out of turn" },
	{ "no mechanism", BYTES("R\0\0\0\x09\0\0\0\x0a\0"), PGW_E_UNSUPPORTED, "none at all" },
	{ "no list", BYTES("R\0\0\0\x08\0\0\0\x0a"), PGW_E_AUTH, "malformed list" },
	{ "unknown mechanism", BYTES("R\0\0\0\x10\0\0\0\x0aO\x1b[1m\0\0\0"), PGW_E_AUTH, "malformed list" },
	{ "strange mechanism", BYTES("R\0\0\0\x0f\0\0\0\x0aO\x1b[1m\0\0"), PGW_E_UNSUPPORTED, "mechanisms: O?[1m" },
	{ "unterminated mechanism", BYTES("R\0\0\0\x0a\0\0\0\x0aOK"), PGW_E_AUTH, "malformed list" },
	{ "unterminated list", BYTES("R\0\0\0\x0b\0\0\0\x0aOK\0"), PGW_E_AUTH, "malformed list" },
	{ "PLUS without TLS", BYTES("R\0\0\0\x1c\0\0\0\x0aSCRAM-SHA-256-PLUS\0\0"), PGW_E_AUTH, "non-SSL connection" },
	{ "salt of 2 bytes", BYTES("R\0\0\0\x0a\0\0\0\x05sa"), PGW_E_PROTOCOL, "salt of 2 bytes" },
	{ "salt of 5 bytes", BYTES("R\0\0\0\x0d\0\0\0\x05salty"), PGW_E_PROTOCOL, "salt of 5 bytes" },
	{ "cleartext with data", BYTES("R\0\0\0\x09\0\0\0\x03x"), PGW_E_PROTOCOL, "malformed auth" },
	{ "md5, then cleartext", BYTES(AUTH_MD5 AUTH_CLEAR), PGW_E_AUTH, "method 3 out of turn" },
	{ "md5 twice", BYTES(AUTH_MD5 AUTH_MD5), PGW_E_AUTH, "method 5 out of turn" },
	{ "cleartext after SCRAM", BYTES(AUTH_SASL AUTH_CLEAR), PGW_E_AUTH, "method 3 out of turn" },
	{ "SASL twice", BYTES(AUTH_SASL AUTH_SASL), PGW_E_AUTH, "method 10 out of turn" },
	{ "ok without a proof", BYTES(AUTH_SASL AUTH_OK), PGW_E_AUTH, "without proving" },
	{ "ok without the last proof", BYTES(AUTH_SASL AUTH_FIRST AUTH_OK), PGW_E_AUTH, "without proving" },
	{ "first twice", BYTES(AUTH_SASL AUTH_FIRST AUTH_FIRST), PGW_E_AUTH, "method 11 out of turn" },
	{ "nonce is ours", BYTES(AUTH_SASL "R\0\0\0\x31\0\0\0\x0br=" WIRE_NONCE ",s=c2FsdA==,i=1"), PGW_E_PROTOCOL, "nonce" },
	{ "foreign nonce", BYTES(AUTH_SASL "R\0\0\0\x1a\0\0\0\x0br=x,s=c2FsdA==,i=1"), PGW_E_PROTOCOL, "SCRAM" },
	{ "endless iterations", BYTES(AUTH_SASL "R\0\0\0\x3e\0\0\0\x0br=" WIRE_NONCE "more,s=c2FsdA==,i=2147483647"), PGW_E_LIMIT, "more than 1000000" },
	{ "wrong proof", BYTES(AUTH_SASL AUTH_FIRST "R\0\0\0\x36\0\0\0\x0cv=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), PGW_E_AUTH, "" },
	{ "SCRAM error", BYTES(AUTH_SASL AUTH_FIRST "R\0\0\0\x17\0\0\0\x0c" "e=invalid-proof"), PGW_E_AUTH, "invalid-proof" },
	{ "notice before login", BYTES("N\0\0\0\x05\0"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "error without fields", BYTES("E\0\0\0\x05\0"), PGW_E_SERVER, "error without text" },
	{ "error of nothing", BYTES("E\0\0\0\x04"), PGW_E_SERVER, "error without text" },
	{ "error without its end", BYTES("E\0\0\0\x08SABC"), PGW_E_SERVER, "error without text" },
	{ "error of 100 MB", BYTES("E\x06\x00\x00\x00SFATAL"), PGW_E_PROTOCOL, NOT_POSTGRES },
	{ "error with a long state", BYTES("E\0\0\0\x1a" "CEPSSIMPLEQUERY\0Mbad\0\0"), PGW_E_SERVER, "bad" },
	{ "two states", BYTES("E\0\0\0\x16" "C12345\0C54321\0Mx\0\0"), PGW_E_SERVER, "x" },
	{ "negotiates without need", BYTES("v\0\0\0\x0c\0\x03\0\0\0\0\0\0"), PGW_E_PROTOCOL, "makes no sense" },
	/* clang-format on */
};

/* We asked for 3.2. */
static const struct hostile at_negotiation[] = {
	/* clang-format off */
	{ "the same", BYTES("v\0\0\0\x0c\0\x03\0\x02\0\0\0\0"), PGW_E_PROTOCOL, "version 3.2" },
	{ "more", BYTES("v\0\0\0\x0c\0\x03\0\x03\0\0\0\0"), PGW_E_PROTOCOL, "version 3.3" },
	{ "4.0", BYTES("v\0\0\0\x0c\0\x04\0\0\0\0\0\0"), PGW_E_PROTOCOL, "version 4.0" },
	{ "2.0", BYTES("v\0\0\0\x0c\0\x02\0\0\0\0\0\0"), PGW_E_PROTOCOL, "version 2.0" },
	{ "3.1", BYTES("v\0\0\0\x0c\0\x03\0\x01\0\0\0\0"), PGW_E_PROTOCOL, "version 3.1" },
	{ "an option that was not sent", BYTES("v\0\0\0\x13\0\x03\0\0\0\0\0\x01_pq_.x\0"), PGW_E_PROTOCOL, "1 options" },
	{ "-1 options", BYTES("v\0\0\0\x0c\0\x03\0\0\xff\xff\xff\xff"), PGW_E_PROTOCOL, "makes no sense" },
	{ "10^6 options", BYTES("v\0\0\0\x0c\0\x03\0\0\0\x0f\x42\x40"), PGW_E_PROTOCOL, "makes no sense" },
	{ "twice", BYTES("v\0\0\0\x0c\0\x03\0\0\0\0\0\0v\0\0\0\x0c\0\x03\0\0\0\0\0\0"), PGW_E_PROTOCOL, "makes no sense" },
	{ "late", BYTES(AUTH_MD5 "v\0\0\0\x0c\0\x03\0\0\0\0\0\0"), PGW_E_PROTOCOL, "unexpected negotiate" },
	{ "key of 3 bytes", BYTES(AUTH_OK "K\0\0\0\x0b\0\0\0\x01" "abc"), PGW_E_PROTOCOL, "key of 3 bytes" },
	/* clang-format on */
};

/* After we were let in. */
static const struct hostile at_settling[] = {
	/* clang-format off */
	{ "key of 2 bytes", BYTES("K\0\0\0\x0a\0\0\0\x01" "ab"), PGW_E_PROTOCOL, "key of 2 bytes" },
	{ "key of 5 bytes", BYTES("K\0\0\0\x0d\0\0\0\x01" "abcde"), PGW_E_PROTOCOL, "key of 5 bytes" },
	{ "two keys", BYTES(KEY KEY), PGW_E_PROTOCOL, "two cancel keys" },
	{ "a result", BYTES(ROW_DESC), PGW_E_PROTOCOL, "unexpected row_desc" },
	{ "COPY", BYTES("G\0\0\0\x07\0\0\0"), PGW_E_PROTOCOL, "unexpected copy_in" },
	{ "ok again", BYTES(AUTH_OK), PGW_E_PROTOCOL, "unexpected auth" },
	{ "cleartext", BYTES(AUTH_CLEAR), PGW_E_PROTOCOL, "unexpected auth" },
	{ "in a transaction", BYTES("Z\0\0\0\x05T"), PGW_E_PROTOCOL, "transaction state" },
	{ "ready of length 30000", BYTES("Z\0\0\x75\x30"), PGW_E_PROTOCOL, "length of 30000" },
	{ "unknown role", BYTES("E\0\0\0\x21" "SFATAL\0C28000\0Mno such role\0\0"), PGW_E_SERVER, "no such role" },
	/* clang-format on */
};

/* While a query runs. */
static const struct hostile at_query[] = {
	/* clang-format off */
	{ "row of 2 GiB", BYTES("D\x7f\xff\xff\xff\0\x01"), PGW_E_PROTOCOL, "data_row message with a length" },
	{ "row of 100 MB", BYTES(ROW_DESC "D\x06\0\0\0\0\x01"), PGW_OK, "" },
	{ "row without a result", BYTES(DATA_ROW), PGW_E_PROTOCOL, "malformed data_row" },
	{ "too few columns", BYTES(ROW_DESC "D\0\0\0\x06\0\0"), PGW_E_PROTOCOL, "malformed data_row" },
	{ "too many columns", BYTES(ROW_DESC "D\0\0\0\x0e\0\x02\xff\xff\xff\xff\xff\xff\xff\xff"), PGW_E_PROTOCOL, "malformed data_row" },
	{ "column beyond the message", BYTES(ROW_DESC "D\0\0\0\x0b\0\x01\0\0\0\x02x"), PGW_E_PROTOCOL, "malformed data_row" },
	{ "column of -2", BYTES(ROW_DESC "D\0\0\0\x0b\0\x01\xff\xff\xff\xfex"), PGW_E_PROTOCOL, "malformed data_row" },
	{ "bytes after the columns", BYTES(ROW_DESC "D\0\0\0\x0c\0\x01\0\0\0\x01xy"), PGW_E_PROTOCOL, "malformed data_row" },
	{ "half a count", BYTES(ROW_DESC "D\0\0\0\x05\0"), PGW_E_PROTOCOL, "malformed data_row" },
	{ "-1 columns", BYTES("T\0\0\0\x06\xff\xff"), PGW_E_PROTOCOL, "malformed row_desc" },
	{ "32767 columns", BYTES("T\0\0\0\x06\x7f\xff"), PGW_E_PROTOCOL, "malformed row_desc" },
	{ "truncated column", BYTES("T\0\0\0\x0b\0\x01n\0\0\0\0"), PGW_E_PROTOCOL, "malformed row_desc" },
	{ "unterminated name", BYTES("T\0\0\0\x08\0\x01nn"), PGW_E_PROTOCOL, "malformed row_desc" },
	{ "bytes after the description", BYTES("T\0\0\0\x07\0\0x"), PGW_E_PROTOCOL, "malformed row_desc" },
	{ "tag without its end", BYTES("C\0\0\0\x06OK"), PGW_E_PROTOCOL, "malformed complete" },
	{ "bytes after the tag", BYTES("C\0\0\0\x08OK\0x"), PGW_E_PROTOCOL, "malformed complete" },
	{ "empty with a body", BYTES("I\0\0\0\x05x"), PGW_E_PROTOCOL, "empty_query message with a length of 5" },
	{ "state Q", BYTES(COMPLETE "Z\0\0\0\x05Q"), PGW_E_PROTOCOL, "transaction state 0x51" },
	{ "ready without a state", BYTES(COMPLETE "Z\0\0\0\x04"), PGW_E_PROTOCOL, "malformed ready" },
	{ "ready without a result", BYTES(READY), PGW_E_PROTOCOL, "no result" },
	{ "ready in a result", BYTES(ROW_DESC READY), PGW_E_PROTOCOL, "no result" },
	{ "ready twice", BYTES(COMPLETE READY READY), PGW_E_PROTOCOL, "unexpected ready" },
	{ "auth", BYTES(AUTH_OK), PGW_E_PROTOCOL, "unexpected auth" },
	{ "negotiation", BYTES("v\0\0\0\x0c\0\x03\0\0\0\0\0\0"), PGW_E_PROTOCOL, "unexpected negotiate" },
	{ "key", BYTES(KEY), PGW_E_PROTOCOL, "unexpected key_data" },
	{ "parameter without its end", BYTES("S\0\0\0\x07" "a\0b"), PGW_E_PROTOCOL, "malformed parameter" },
	{ "length 3", BYTES("S\0\0\0\x03"), PGW_E_PROTOCOL, "length of 3" },
	{ "parameter of 30005", BYTES("S\0\0\x75\x35"), PGW_E_PROTOCOL, "length of 30005" },
	{ "unknown type", BYTES("~\0\0\0\x04"), PGW_E_PROTOCOL, "unknown message type 0x7e" },
	{ "COPY BOTH", BYTES("W\0\0\0\x07\0\0\0"), PGW_E_PROTOCOL, "unexpected copy_both" },
	{ "COPY data of 2 GiB", BYTES("H\0\0\0\x07\0\0\0d\x7f\xff\xff\xff"), PGW_E_PROTOCOL, "length of 2147483647" },
	{ "COPY that does not end", BYTES("H\0\0\0\x07\0\0\0" COMPLETE), PGW_E_PROTOCOL, "inside of a result" },
	{ "fatal", BYTES(FATAL), PGW_E_SERVER, "FATAL: bad" },
	{ "translated fatal", BYTES("E\0\0\0\x19SFATALE\0VFATAL\0Mbad\0\0"), PGW_E_SERVER, "FATAL: bad" },
	/* clang-format on */
};

static void check_end(const struct hostile *h, const struct pgw_session *s,
		      bool ok, const struct pgw_err *err)
{
	ck_assert_msg(s->in.cap < 100000, "%s reserved %zu bytes", h->what,
		      s->in.cap);
	if (h->code == PGW_OK) {
		ck_assert_msg(ok && s->skip > 0, "%s: %s", h->what, err->msg);
		return;
	}
	ck_assert_msg(!ok, "%s was accepted", h->what);
	ck_assert_msg(err->code == h->code && strstr(err->msg, h->text),
		      "%s: %d %s", h->what, (int)err->code, err->msg);
	ck_assert_int_eq(s->state, PGW_DEAD);
	ck_assert_ptr_null(strstr(err->msg, "secret"));
}

/* All at once, then byte by byte. */
static void meet(const struct hostile *h, struct bytes way,
		 const struct pgw_login *login, bool whole)
{
	struct pgw_session s;
	struct pgw_err err = { 0 };
	bool ok = true;

	pgw_session_init(&s, NULL);
	ck_assert(pgw_session_start(&s, login, &err));
	ck_assert(way.n == 0 || pgw_session_feed(&s, way.p, way.n, &err));
	if (s.state == PGW_IDLE)
		ck_assert(pgw_session_query(&s, pgw_view_of("x"), &err));
	if (whole)
		ok = wire_feed(&s, h->bytes, &err);
	for (size_t i = 0; !whole && ok && i < h->bytes.n; i++)
		ok = wire_feed(&s, (struct bytes){ h->bytes.p + i, 1 }, &err);
	check_end(h, &s, ok, &err);
	pgw_session_release(&s);
}

#define MEET_ALL(table, way, login)                                           \
	for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) {     \
		meet(&(table)[i], (struct bytes)BYTES(way), &(login), true);  \
		meet(&(table)[i], (struct bytes)BYTES(way), &(login), false); \
	}

START_TEST(a_strange_greeting_ends_the_session)
{
	struct pgw_login login = wire_login();

	MEET_ALL(at_startup, "", login);
}

END_TEST

START_TEST(a_strange_negotiation_ends_the_session)
{
	struct pgw_login login = wire_login();

	login.protocol = PGW_PROTOCOL_3_2;
	MEET_ALL(at_negotiation, "", login);
}

END_TEST

START_TEST(strange_words_after_the_login_end_the_session)
{
	struct pgw_login login = wire_login();

	MEET_ALL(at_settling, AUTH_OK, login);
}

END_TEST

START_TEST(a_strange_answer_ends_the_session)
{
	struct pgw_login login = wire_login();

	MEET_ALL(at_query, BUSY_WAY, login);
}

END_TEST

START_TEST(an_endless_greeting_ends_in_an_error)
{
	static const struct bytes endless[] = {
		BYTES("S\0\0\0\x08"
		      "a\0b\0"),
		BYTES("N\0\0\0\x05\0"),
		BYTES("E\0\x7f\xff\xff"), /* its body never ends */
	};

	for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
		struct pgw_login login = wire_login();
		struct bytes ok = BYTES(AUTH_OK);
		struct pgw_session s;
		struct pgw_err err = { 0 };
		size_t fed = 0;

		pgw_session_init(&s, NULL);
		ck_assert(pgw_session_start(&s, &login, &err));
		ck_assert(wire_feed(&s, ok, &err));
		while (fed < 2000000 && wire_feed(&s, endless[i], &err))
			fed += endless[i].n;
		ck_assert_uint_lt(fed, (1 << 20) + 100);
		ck_assert_int_eq(err.code, PGW_E_PROTOCOL);
		ck_assert_ptr_nonnull(strstr(err.msg, "talks endlessly"));
		pgw_session_release(&s);
	}
}

END_TEST

/* Small ones would be many in what their sum may be. */
START_TEST(a_server_that_says_too_much_before_it_is_ready_is_left)
{
	static const struct bytes each[] = {
		BYTES("S\0\0\0\x08"
		      "a\0b\0"),
		BYTES("N\0\0\0\x05\0"),
	};

	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct pgw_login login = wire_login();
		struct bytes ok = BYTES(AUTH_OK);
		struct pgw_session s;
		struct pgw_err err = { 0 };
		size_t n = 0;

		pgw_session_init(&s, NULL);
		ck_assert(pgw_session_start(&s, &login, &err));
		ck_assert(wire_feed(&s, ok, &err));
		while (n < 5000 && wire_feed(&s, each[i], &err))
			n++;
		ck_assert_uint_eq(n, 1000);
		ck_assert_int_eq(err.code, PGW_E_PROTOCOL);
		ck_assert_ptr_nonnull(strstr(err.msg, "talks endlessly"));
		pgw_session_release(&s);
	}
}

END_TEST

UNIT_MAIN("session_hostile", a_strange_greeting_ends_the_session,
	  a_strange_negotiation_ends_the_session,
	  strange_words_after_the_login_end_the_session,
	  a_strange_answer_ends_the_session,
	  an_endless_greeting_ends_in_an_error,
	  a_server_that_says_too_much_before_it_is_ready_is_left)
