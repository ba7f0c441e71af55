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

struct seen {
	size_t rows, done, bytes;
	bool ok;
	char text[100];
};

static void on_row(void *ctx, const struct pgw_row *row)
{
	struct seen *seen = ctx;

	seen->rows++;
	seen->bytes += row->cols.n;
}

static void on_done(void *ctx, const struct pgw_outcome *outcome)
{
	struct seen *seen = ctx;
	const char *text = pgw_diag_get(&outcome->diag, PGW_DIAG_MESSAGE);

	seen->done++;
	seen->ok = outcome->ok;
	snprintf(seen->text, sizeof(seen->text), "%s",
		 text ? text : outcome->tag);
}

static void start_query(struct pgw_session *s, const struct pgw_hooks *hooks)
{
	struct pgw_login login = wire_login();
	struct bytes way = BYTES(AUTH_OK READY);
	struct pgw_err err = { 0 };

	pgw_session_init(s, hooks);
	ck_assert(pgw_session_start(s, &login, &err));
	ck_assert(wire_feed(s, way, &err));
	ck_assert(pgw_session_query(s, pgw_view_of("x"), &err));
}

static void feed_zeros(struct pgw_session *s, size_t n)
{
	static const char zeros[65536];
	struct pgw_err err = { 0 };

	while (n > 0) {
		size_t part = n < sizeof(zeros) ? n : sizeof(zeros);

		ck_assert_msg(pgw_session_feed(s, zeros, part, &err), "%s",
			      err.msg);
		n -= part;
	}
}

#define BIG_ROW "D\x04\x00\x00\x0a\0\x01\x04\0\0\0" /* 64 MiB in a column */

START_TEST(a_big_row_that_nobody_wants_is_not_kept)
{
	struct seen seen = { 0 };
	const struct pgw_hooks hooks = { .done = on_done, .ctx = &seen };
	struct bytes first = BYTES(ROW_DESC BIG_ROW);
	struct bytes copy = BYTES(COMPLETE "H\0\0\0\x07\0\0\0"
					   "d\x04\0\0\x04");
	struct bytes rest = BYTES("c\0\0\0\x04" COMPLETE READY);
	struct pgw_session s;
	struct pgw_err err = { 0 };

	start_query(&s, &hooks);
	ck_assert(wire_feed(&s, first, &err));
	feed_zeros(&s, 64 << 20);
	ck_assert_uint_eq(s.skip, 0);
	ck_assert(wire_feed(&s, copy, &err));
	feed_zeros(&s, 64 << 20);
	ck_assert_msg(wire_feed(&s, rest, &err), "%s", err.msg);
	ck_assert_uint_lt(s.in.cap, 200000);
	ck_assert(seen.done == 1 && seen.ok);
	pgw_session_release(&s);
}

END_TEST

START_TEST(a_big_row_that_somebody_wants_arrives_whole)
{
	struct seen seen = { 0 };
	const struct pgw_hooks hooks = { .row = on_row,
					 .done = on_done,
					 .ctx = &seen };
	struct bytes first = BYTES(ROW_DESC "D\0\x7f\xff\xfe\0\x01"
					    "\0\x7f\xff\xf4");
	struct bytes rest = BYTES(COMPLETE READY);
	struct pgw_session s;
	struct pgw_err err = { 0 };

	start_query(&s, &hooks);
	ck_assert(wire_feed(&s, first, &err));
	feed_zeros(&s, (8 << 20) - 12);
	ck_assert_msg(wire_feed(&s, rest, &err), "%s", err.msg);
	ck_assert(seen.rows == 1 && seen.done == 1 && seen.ok);
	ck_assert_uint_eq(seen.bytes, (8 << 20) - 8);
	pgw_session_release(&s);
}

END_TEST

static void on_any_columns(void *ctx, const struct pgw_columns *columns)
{
	(void)ctx;
	(void)columns;
}

/* Who looks at names reads results, whatever they are. */
START_TEST(a_huge_row_arrives_where_results_are_read)
{
	for (int names = 0; names < 2; names++) {
		struct seen seen = { 0 };
		const struct pgw_hooks hooks = {
			.row = on_row,
			.columns = names ? on_any_columns : NULL,
			.done = on_done,
			.ctx = &seen,
		};
		struct bytes first = BYTES(ROW_DESC BIG_ROW);
		struct bytes rest = BYTES(COMPLETE READY);
		struct pgw_session s;
		struct pgw_err err = { 0 };

		start_query(&s, &hooks);
		ck_assert_int_eq(wire_feed(&s, first, &err), names);
		if (!names) {
			ck_assert_ptr_nonnull(
				strstr(err.msg,
				       "data_row message with a length of"));
			pgw_session_release(&s);
			continue;
		}
		feed_zeros(&s, 64 << 20);
		ck_assert_msg(wire_feed(&s, rest, &err), "%s", err.msg);
		ck_assert(seen.rows == 1 && seen.done == 1 && seen.ok);
		pgw_session_release(&s);
	}
}

END_TEST

/* It may hold the whole of a statement that ran inside of another. */
START_TEST(a_big_error_is_cut_but_not_lost)
{
	struct seen seen = { 0 };
	const struct pgw_hooks hooks = { .done = on_done, .ctx = &seen };
	struct bytes first = BYTES("E\0\x30\0\x11SERROR\0Mbad\0q");
	struct bytes rest = BYTES(READY);
	struct pgw_session s;
	struct pgw_err err = { 0 };

	start_query(&s, &hooks);
	ck_assert(wire_feed(&s, first, &err));
	feed_zeros(&s, 0x300011 - 4 - first.n + 5);
	ck_assert_msg(wire_feed(&s, rest, &err), "%s", err.msg);
	ck_assert(seen.done == 1 && !seen.ok);
	ck_assert_str_eq(seen.text, "bad");
	ck_assert_uint_le(s.error.cap, 1 << 17);
	pgw_session_release(&s);
}

END_TEST

/* An error whose message has n letters, with a hint behind it; its size. */
static size_t long_error(unsigned char *p, size_t n)
{
	static const char head[] = "SERROR\0M", tail[] = "\0Hmore\0";
	size_t size = 5 + sizeof(head) - 1 + n + sizeof(tail);

	p[0] = 'E';
	for (unsigned i = 1; i <= 4; i++)
		p[i] = (unsigned char)((size - 1) >> (8 * (4 - i)));
	memcpy(p + 5, head, sizeof(head) - 1);
	memset(p + 5 + sizeof(head) - 1, 'x', n);
	memcpy(p + size - sizeof(tail), tail, sizeof(tail));
	return size;
}

/* Wherever the cut falls, and in whatever pieces it comes. */
START_TEST(a_long_error_is_cut_at_any_place)
{
	static const size_t pieces[] = { 1, 999, 65535, 65536, 65537, 1 << 20 };
	static unsigned char bytes[200000];
	struct bytes rest = BYTES(READY);

	for (size_t n = 65536 - 40; n < 65536 + 10; n++) {
		size_t size = long_error(bytes, n);
		size_t piece = pieces[n % 6];
		struct seen seen = { 0 };
		const struct pgw_hooks hooks = { .done = on_done,
						 .ctx = &seen };
		struct pgw_session s;
		struct pgw_err err = { 0 };

		start_query(&s, &hooks);
		for (size_t at = 0; at < size; at += piece) {
			size_t part = size - at < piece ? size - at : piece;

			ck_assert_msg(pgw_session_feed(&s, bytes + at, part,
						       &err),
				      "%zu letters: %s", n, err.msg);
		}
		ck_assert_msg(wire_feed(&s, rest, &err), "%zu letters: %s", n,
			      err.msg);
		ck_assert(seen.done == 1 && !seen.ok);
		ck_assert_int_eq(seen.text[0], 'x');
		pgw_session_release(&s);
	}
}

END_TEST

/* ---- who listens */

struct heard {
	char text[200];
};

static void hear(void *ctx, const char *what, struct pgw_view v)
{
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	snprintf(h->text + n, sizeof(h->text) - n, "%s %.*s;", what, (int)v.n,
		 (const char *)v.p);
}

static void on_columns(void *ctx, const struct pgw_columns *columns)
{
	struct pgw_view fields = columns->fields;
	struct pgw_field field;

	for (uint16_t i = 0; i < columns->n; i++) {
		ck_assert(pgw_field_next(&fields, &field));
		hear(ctx, "column", pgw_view_of(field.name));
	}
	ck_assert_uint_eq(fields.n, 0);
	ck_assert(!pgw_field_next(&fields, &field));
}

static void on_copy(void *ctx, struct pgw_view data)
{
	hear(ctx, "data", data);
}

START_TEST(columns_and_copied_data_are_heard_until_an_error)
{
	struct heard heard = { "" };
	const struct pgw_hooks hooks = { .columns = on_columns,
					 .copy = on_copy,
					 .ctx = &heard };
	struct bytes all = BYTES(ROW_DESC DATA_ROW COMPLETE
				 "H\0\0\0\x07\0\0\0"
				 "d\0\0\0\x06"
				 "a\n"
				 "d\0\0\0\x04"
				 "c\0\0\0\x04" COMPLETE ERROR ROW_DESC
				 "H\0\0\0\x07\0\0\0"
				 "d\0\0\0\x05x" READY);
	struct pgw_session s;
	struct pgw_err err = { 0 };

	start_query(&s, &hooks);
	ck_assert_msg(wire_feed(&s, all, &err), "%s", err.msg);
	ck_assert_str_eq(heard.text, "column n;data a\n;data ;");
	ck_assert_int_eq(s.state, PGW_IDLE);
	pgw_session_release(&s);
}

END_TEST

START_TEST(the_first_error_counts_and_noise_after_it_does_not)
{
	struct seen seen = { 0 };
	const struct pgw_hooks hooks = { .row = on_row,
					 .done = on_done,
					 .ctx = &seen };
	struct bytes all = BYTES(
		ROW_DESC ERROR DATA_ROW COMPLETE
		"E\0\0\0\x13SERROR\0Mlater\0\0" ROW_DESC DATA_ROW READY);
	struct pgw_session s;
	struct pgw_err err = { 0 };

	start_query(&s, &hooks);
	ck_assert_msg(wire_feed(&s, all, &err), "%s", err.msg);
	ck_assert(seen.done == 1 && !seen.ok && seen.rows == 0);
	ck_assert_str_eq(seen.text, "bad");
	ck_assert_int_eq(s.state, PGW_IDLE);
	pgw_session_release(&s);
}

END_TEST

/* ---- what we ourselves do not do */

static const struct {
	const char *what;
	struct bytes bytes;
	unsigned require_auth; /* 0 = any */
	bool cleartext_allowed;
	const char *password;
	enum pgw_code code;
	const char *text;
} refusals[] = {
	/* clang-format off */
	{ "trust, but SCRAM wanted", BYTES(AUTH_OK), PGW_AUTH_SCRAM, true, "pw", PGW_E_AUTH, "lets everyone in" },
	{ "cleartext, but SCRAM wanted", BYTES(AUTH_CLEAR), PGW_AUTH_SCRAM, true, "pw", PGW_E_AUTH, "require_auth does not allow" },
	{ "md5, but SCRAM wanted", BYTES(AUTH_MD5), PGW_AUTH_SCRAM, true, "pw", PGW_E_AUTH, "require_auth does not allow" },
	{ "SCRAM, but md5 wanted", BYTES(AUTH_SASL), PGW_AUTH_MD5, true, "pw", PGW_E_AUTH, "require_auth does not allow" },
	{ "SCRAM, but none wanted", BYTES(AUTH_SASL), PGW_AUTH_NONE, true, "pw", PGW_E_AUTH, "require_auth does not allow" },
	{ "no password", BYTES(AUTH_SASL), 0, true, NULL, PGW_E_AUTH, "none is given" },
	{ "empty password", BYTES(AUTH_MD5), 0, true, "", PGW_E_AUTH, "none is given" },
	{ "cleartext over a public network", BYTES(AUTH_CLEAR), 0, false, "pw", PGW_E_AUTH, "in clear text" },
	/* clang-format on */
};

START_TEST(a_password_goes_only_where_it_may)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct pgw_login login = wire_login();
		struct pgw_session s;
		struct pgw_err err = { 0 };
		size_t sent;

		login.password = refusals[i].password;
		login.cleartext_allowed = refusals[i].cleartext_allowed;
		if (refusals[i].require_auth)
			login.require_auth = refusals[i].require_auth;
		pgw_session_init(&s, NULL);
		ck_assert(pgw_session_start(&s, &login, &err));
		sent = pgw_session_out(&s).n;
		ck_assert_msg(!wire_feed(&s, refusals[i].bytes, &err), "%s",
			      refusals[i].what);
		ck_assert_msg(err.code == refusals[i].code &&
				      strstr(err.msg, refusals[i].text),
			      "%s: %s", refusals[i].what, err.msg);
		ck_assert_uint_eq(pgw_session_out(&s).n, sent);
		pgw_session_release(&s);
	}
}

END_TEST

START_TEST(less_than_the_least_protocol_is_refused)
{
	struct bytes b = BYTES("v\0\0\0\x0c\0\x03\0\0\0\0\0\0");
	struct pgw_login login = wire_login();
	struct pgw_session s;
	struct pgw_err err = { 0 };

	login.protocol = login.protocol_min = PGW_PROTOCOL_3_2;
	pgw_session_init(&s, NULL);
	ck_assert(pgw_session_start(&s, &login, &err));
	ck_assert(!wire_feed(&s, b, &err));
	ck_assert_int_eq(err.code, PGW_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "3.0, but"));
	pgw_session_release(&s);
}

END_TEST

START_TEST(what_cannot_be_sent_is_not_begun)
{
	static char name[20000];
	struct pgw_login login = wire_login();
	struct pgw_session s;
	struct pgw_err err = { 0 };

	memset(name, 'n', sizeof(name) - 1);
	login.user = name;
	pgw_session_init(&s, NULL);
	ck_assert(!pgw_session_start(&s, &login, &err));
	ck_assert_int_eq(err.code, PGW_E_LIMIT);
	ck_assert_uint_eq(pgw_session_out(&s).n, 0);
	pgw_session_release(&s);

	start_query(&s, NULL);
	ck_assert(!pgw_session_query(&s,
				     (struct pgw_view){
					     (const unsigned char *)"a\0b", 3 },
				     &err));
	ck_assert_int_eq(err.code, PGW_E_USAGE);
	ck_assert(
		!pgw_session_query(&s,
				   (struct pgw_view){ (const unsigned char *)"",
						      PGW_QUERY_MAX },
				   &err));
	ck_assert_int_eq(err.code, PGW_E_LIMIT);
	ck_assert_int_eq(s.state, PGW_BUSY); /* and it goes on */
	pgw_session_release(&s);
}

END_TEST

START_TEST(keys_stand_in_for_the_password)
{
	static const unsigned char client[PGW_SHA256_LEN],
		server[PGW_SHA256_LEN];
	struct bytes sasl = BYTES(AUTH_SASL AUTH_FIRST);
	struct pgw_login login = wire_login();
	struct pgw_session s;
	struct pgw_err err = { 0 };

	login.password = NULL;
	login.client_key = client;
	login.server_key = server;
	pgw_session_init(&s, NULL);
	ck_assert(pgw_session_start(&s, &login, &err));
	ck_assert_msg(wire_feed(&s, sasl, &err), "%s", err.msg);
	ck_assert_int_eq(s.state, PGW_SASL_FINAL);
	pgw_session_release(&s);
}

END_TEST

UNIT_MAIN("session_hostile", a_strange_greeting_ends_the_session,
	  a_strange_negotiation_ends_the_session,
	  strange_words_after_the_login_end_the_session,
	  a_strange_answer_ends_the_session,
	  an_endless_greeting_ends_in_an_error,
	  a_server_that_says_too_much_before_it_is_ready_is_left,
	  a_big_row_that_nobody_wants_is_not_kept,
	  a_big_row_that_somebody_wants_arrives_whole,
	  a_huge_row_arrives_where_results_are_read,
	  a_big_error_is_cut_but_not_lost, a_long_error_is_cut_at_any_place,
	  columns_and_copied_data_are_heard_until_an_error,
	  the_first_error_counts_and_noise_after_it_does_not,
	  a_password_goes_only_where_it_may,
	  less_than_the_least_protocol_is_refused,
	  what_cannot_be_sent_is_not_begun, keys_stand_in_for_the_password)
