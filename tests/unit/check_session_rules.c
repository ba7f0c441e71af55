/* SPDX-License-Identifier: MIT */
/*
 * Which message may come when: a second opinion on the table in session.c,
 * asked for every pair of a state and a message.
 */
#include <config.h>

#include "../golden/player.h"
#include "unit.h"
#include "wire.h"

/*
 * One letter a state, in the order of the columns below:
 *
 *   S startup  P password sent  F first of SASL sent  N final sent  D proved
 *   T settling  I idle  B busy  R in a result  C in COPY OUT  A answered
 *   X failed  O offering COPY data  Y giving it  Z all given
 */
static const char states[] = "SPFNDTIBRCAXOYZ";

/* y accepted, - refused, e the session ends with the server's error */
static const struct {
	const char *what;
	struct bytes message; /* empty: taken from the recording */
	const char *allowed;
} rules[] = {
	/* clang-format off */
	/*                                                               SPFNDTIBRCAXOYZ */
	{ "ok",           BYTES(AUTH_OK),                               "yy--y----------" },
	{ "cleartext",    BYTES(AUTH_CLEAR),                            "y--------------" },
	{ "md5",          BYTES(AUTH_MD5),                              "y--------------" },
	{ "sasl",         BYTES(AUTH_SASL),                             "y--------------" },
	{ "first",        { NULL, 1 },                                  "--y------------" },
	{ "final",        { NULL, 2 },                                  "---y-----------" },
	{ "kerberos",     BYTES("R\0\0\0\x08\0\0\0\x02"),               "---------------" },
	{ "gss",          BYTES("R\0\0\0\x08\0\0\0\x07"),               "---------------" },
	{ "gss continue", BYTES("R\0\0\0\x09\0\0\0\x08x"),              "---------------" },
	{ "sspi",         BYTES("R\0\0\0\x08\0\0\0\x09"),               "---------------" },
	{ "auth 99",      BYTES("R\0\0\0\x08\0\0\0\x63"),               "---------------" },
	{ "negotiate",    BYTES("v\0\0\0\x0c\0\x03\0\0\0\0\0\0"),       "y--------------" },
	{ "key",          BYTES(KEY),                                   "-----y---------" },
	{ "parameter",    BYTES("S\0\0\0\x08" "a\0b\0"),                "-----yyyyyyyyyy" },
	{ "ready",        BYTES(READY),                                 "-----y----yy---" },
	{ "row_desc",     BYTES(ROW_DESC),                              "-------y--yyy-y" },
	{ "data_row",     BYTES(DATA_ROW),                              "--------y--y---" },
	{ "complete",     BYTES(COMPLETE),                              "-------yy-yyy-y" },
	{ "empty_query",  BYTES("I\0\0\0\x04"),                         "-------y--yyy-y" },
	{ "error",        BYTES(ERROR),                                 "eeeeeeeyyyyyyyy" },
	{ "fatal",        BYTES(FATAL),                                 "eeeeeeeeeeeeeee" },
	{ "notice",       BYTES("N\0\0\0\x05\0"),                       "-----yyyyyyyyyy" },
	{ "notification", BYTES("A\0\0\0\x0c\0\0\0\x01" "c\0p\0"),      "------yyyyyyyyy" },
	{ "copy_in",      BYTES("G\0\0\0\x07\0\0\0"),                   "-------y--yyy-y" },
	{ "copy_in, binary", BYTES("G\0\0\0\x07\1\0\0"),                "-------y--yyy-y" },
	{ "copy_out",     BYTES("H\0\0\0\x07\0\0\0"),                   "-------y--yyy-y" },
	{ "copy_both",    BYTES("W\0\0\0\x07\0\0\0"),                   "---------------" },
	{ "copy_data",    BYTES("d\0\0\0\x05x"),                        "---------y-y---" },
	{ "copy_done",    BYTES("c\0\0\0\x04"),                         "---------y-y---" },
	{ "parse done",   BYTES("1\0\0\0\x04"),                         "---------------" },
	{ "bind done",    BYTES("2\0\0\0\x04"),                         "---------------" },
	{ "close done",   BYTES("3\0\0\0\x04"),                         "---------------" },
	{ "no data",      BYTES("n\0\0\0\x04"),                         "---------------" },
	{ "suspended",    BYTES("s\0\0\0\x04"),                         "---------------" },
	{ "function",     BYTES("V\0\0\0\x08\xff\xff\xff\xff"),         "---------------" },
	{ "our query",    BYTES("Q\0\0\0\x05\0"),                       "---------------" },
	{ "unknown",      BYTES("~\0\0\0\x04"),                         "---------------" },
	/* clang-format on */
};

/* What the server sends to bring a session there, after what is above it. */
static const struct {
	char state;
	struct bytes way[4];
} ways[] = {
	{ 'S', { { NULL, 0 } } },
	{ 'P', { BYTES(AUTH_CLEAR) } },
	{ 'F', { BYTES(AUTH_SASL) } },
	{ 'N', { BYTES(AUTH_SASL), { NULL, 1 } } },
	{ 'D', { BYTES(AUTH_SASL), { NULL, 1 }, { NULL, 2 } } },
	{ 'T', { BYTES(AUTH_OK) } },
	{ 'I', { BYTES(AUTH_OK READY) } },
	{ 'B', { BYTES(AUTH_OK READY) } },
	{ 'R', { BYTES(AUTH_OK READY), BYTES(ROW_DESC) } },
	{ 'C', { BYTES(AUTH_OK READY), BYTES("H\0\0\0\x07\0\0\0") } },
	{ 'A', { BYTES(AUTH_OK READY), BYTES(COMPLETE) } },
	{ 'X', { BYTES(AUTH_OK READY), BYTES(ROW_DESC), BYTES(ERROR) } },
	{ 'O', { BYTES(AUTH_OK READY) } },
	{ 'Y', { BYTES(AUTH_OK READY), BYTES(COPY_IN) } },
	{ 'Z', { BYTES(AUTH_OK READY), BYTES(COPY_IN) } },
};

static struct player recording;

/* The SASL messages of a real server; a test of their bytes is elsewhere. */
static struct bytes resolve(struct bytes b)
{
	const struct turn *t;
	struct pgw_frame frame;

	if (b.p || b.n == 0)
		return b;
	t = &recording.turns[2 * b.n + 1];
	ck_assert(pgw_msg_peek((struct pgw_view){ recording.bytes + t->from,
						  t->to - t->from },
			       &frame));
	return (struct bytes){ (char *)recording.bytes + t->from,
			       frame.length };
}

static void start(struct pgw_session *s)
{
	struct pgw_login login = wire_login();
	struct pgw_err err = { 0 };

	login.nonce = "rOprNGfwEbeRWgbNEkqOgold"; /* the recording's */
	login.protocol = PGW_PROTOCOL_3_2;
	pgw_session_init(s, NULL);
	ck_assert(pgw_session_start(s, &login, &err));
}

static void bring(struct pgw_session *s, size_t column)
{
	struct pgw_err err = { 0 };

	start(s);
	ck_assert_int_eq(ways[column].state, states[column]);
	for (size_t i = 0; i < 4 && ways[column].way[i].n > 0; i++) {
		struct bytes b = resolve(ways[column].way[i]);

		ck_assert_msg(pgw_session_feed(s, b.p, b.n, &err), "%c: %s",
			      states[column], err.msg);
		if (s->state == PGW_IDLE && strchr("OYZ", states[column]))
			ck_assert(pgw_session_offer(s, pgw_view_of("x"), &err));
		else if (s->state == PGW_IDLE && states[column] != 'I')
			ck_assert(pgw_session_query(s, pgw_view_of("x"), &err));
	}
	if (states[column] == 'Z')
		ck_assert(pgw_session_give_end(s, &err));
}

static char try_pair(struct pgw_session *s, struct bytes message)
{
	struct pgw_err err = { 0 };

	if (wire_feed(s, resolve(message), &err))
		return 'y';
	ck_assert_int_eq(s->state, PGW_DEAD);
	ck_assert_str_ne(err.msg, "");
	return err.code == PGW_E_SERVER ? 'e' : '-';
}

START_TEST(every_message_is_taken_in_its_states_only)
{
	ck_assert(player_load(&recording, "15", "scram-once"));
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		for (size_t k = 0; states[k]; k++) {
			struct pgw_session s;
			char got;

			bring(&s, k);
			got = try_pair(&s, rules[i].message);
			ck_assert_msg(got == rules[i].allowed[k],
				      "%s in %c: %c instead of %c",
				      rules[i].what, states[k], got,
				      rules[i].allowed[k]);
			pgw_session_release(&s);
		}
	}
}

END_TEST

START_TEST(a_dead_session_takes_and_gives_nothing)
{
	struct pgw_session s;
	struct pgw_err err = { 0 };
	struct bytes ready = BYTES(READY);

	bring(&s, 0);
	ck_assert(!pgw_session_feed(&s, ready.p, ready.n, &err));
	ck_assert(!pgw_session_feed(&s, ready.p, ready.n, &err));
	ck_assert_int_eq(err.code, PGW_E_USAGE);
	ck_assert(!pgw_session_query(&s, pgw_view_of("x"), &err));
	ck_assert_int_eq(err.code, PGW_E_USAGE);
	pgw_session_release(&s);
}

END_TEST

START_TEST(a_session_starts_once_and_queries_when_it_is_ready)
{
	struct pgw_session s;
	struct pgw_login login = wire_login();
	struct pgw_err err = { 0 };

	start(&s);
	ck_assert(!pgw_session_start(&s, &login, &err));
	ck_assert_int_eq(err.code, PGW_E_USAGE);
	ck_assert(!pgw_session_query(&s, pgw_view_of("x"), &err));
	ck_assert_int_eq(err.code, PGW_E_USAGE);
	pgw_session_release(&s);
}

END_TEST

/* One letter a state, as above: who may do it. */
START_TEST(data_is_given_where_it_is_asked_for)
{
	ck_assert(player_load(&recording, "15", "scram-once"));
	for (size_t k = 0; states[k]; k++) {
		bool may_offer = states[k] == 'I', may_give = states[k] == 'Y';
		struct pgw_session s;
		struct pgw_err err = { 0 };
		size_t sent;

		bring(&s, k);
		sent = pgw_session_out(&s).n;
		ck_assert_msg(pgw_session_give(&s, pgw_view_of("1"), &err) ==
				      may_give,
			      "give in %c", states[k]);
		ck_assert_msg(may_give || pgw_session_out(&s).n == sent,
			      "%c says something", states[k]);
		ck_assert_msg(pgw_session_give_up(&s, "why", &err) == may_give,
			      "give up in %c", states[k]);
		ck_assert(!pgw_session_give_end(&s, &err));
		ck_assert_int_eq(err.code, PGW_E_USAGE);
		ck_assert_msg(pgw_session_offer(&s, pgw_view_of("x"), &err) ==
				      may_offer,
			      "offer in %c", states[k]);
		pgw_session_release(&s);
	}
}

END_TEST

static size_t column_of(char state)
{
	return strcspn(states, (const char[]){ state, '\0' });
}

/* What waits to be sent, and forget it. */
static struct pgw_view sent(struct pgw_session *s)
{
	struct pgw_view out = pgw_session_out(s);

	pgw_session_sent(s, out.n);
	return out; /* its bytes stay where they were until more are queued */
}

static bool is_bytes(struct pgw_view v, struct bytes b)
{
	return v.n == b.n && memcmp(v.p, b.p, b.n) == 0;
}

START_TEST(data_goes_out_as_data_and_nothing_after_an_error)
{
	struct bytes error = BYTES(ERROR), ready = BYTES(READY);
	struct bytes done = BYTES(COMPLETE READY);
	struct bytes data = BYTES("d\0\0\0\x0a"
				  "drop;\n"),
		     end = BYTES("c\0\0\0\4");
	struct pgw_session s;
	struct pgw_err err = { 0 };
	struct pgw_view drop = pgw_view_of("drop;\n");

	bring(&s, column_of('Y'));
	sent(&s);
	ck_assert(pgw_session_give(&s, drop, &err));
	ck_assert(is_bytes(sent(&s), data));
	ck_assert(pgw_session_give_end(&s, &err));
	ck_assert(is_bytes(sent(&s), end));
	ck_assert(wire_feed(&s, done, &err) && s.state == PGW_IDLE);
	pgw_session_release(&s);

	bring(&s, column_of('Y'));
	sent(&s);
	ck_assert(wire_feed(&s, error, &err) && s.state == PGW_BUSY);
	ck_assert(!pgw_session_give(&s, drop, &err));
	ck_assert(!pgw_session_give_end(&s, &err));
	ck_assert(wire_feed(&s, ready, &err) && s.state == PGW_IDLE);
	ck_assert(!pgw_session_give(&s, drop, &err));
	ck_assert_uint_eq(sent(&s).n, 0);
	pgw_session_release(&s);
}

END_TEST

/* A hostile server asks twice, in another format, or out of turn. */
START_TEST(an_offer_is_for_one_copy_of_text)
{
	static const struct {
		struct bytes from_server, answer;
	} cases[] = {
		{ BYTES("G\0\0\0\x07\1\0\0"),
		  BYTES("f\0\0\0\x26"
			"the data here is text, not binary\0") },
		{ BYTES(ERROR COPY_IN),
		  BYTES("f\0\0\0\x25"
			"COPY FROM STDIN has no data here\0") },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pgw_session s;
		struct pgw_err err = { 0 };

		bring(&s, column_of('O'));
		sent(&s);
		ck_assert(wire_feed(&s, cases[i].from_server, &err));
		ck_assert_int_eq(s.state, PGW_BUSY);
		ck_assert(is_bytes(sent(&s), cases[i].answer));
		ck_assert(!pgw_session_give(&s, pgw_view_of("x"), &err));
		pgw_session_release(&s);
	}
}

END_TEST

UNIT_MAIN("session_rules", every_message_is_taken_in_its_states_only,
	  a_dead_session_takes_and_gives_nothing,
	  a_session_starts_once_and_queries_when_it_is_ready,
	  data_is_given_where_it_is_asked_for,
	  data_goes_out_as_data_and_nothing_after_an_error,
	  an_offer_is_for_one_copy_of_text)
