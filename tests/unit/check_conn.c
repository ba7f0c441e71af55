/* SPDX-License-Identifier: MIT */
/* A connection that works, waits, is interrupted, and is lost. */
#include <config.h>

#include "fake_server.h"

static const struct pgw_conn_options plain = { .interrupt_fd = -1 };

static struct pgw_config cfg;

static struct pgw_conn *open_conn(const struct fake *f,
				  const struct pgw_conn_options *options)
{
	struct pgw_conn *c;
	struct pgw_err err = { 0 };

	cfg = fake_config(f->port, "connect_timeout=60");
	ck_assert_msg(pgw_connect(&c, &cfg, options, &err), "%s", err.msg);
	return c;
}

static void close_all(struct pgw_conn *c, struct fake f)
{
	pgw_conn_close(c);
	fake_end(f);
	pgw_config_release(&cfg);
}

/* ---- much at once */

#define BIG (1 << 20)
#define QUERIES 20

/* Reads a query, then writes, and reads nothing while it writes. */
static void stubborn(int listener, const void *arg)
{
	static char row[BIG];
	const char head[] = "D\0\x10\0\x0a\0\x01\0\x10\0\0";
	int fd = fake_login(listener);

	(void)arg;
	for (int i = 0; i < QUERIES; i++) {
		FAKE_MUST(fake_message(fd, 'Q') == BIG / 2 + 1);
		FAKE_SEND(fd, ROW_DESC);
		fake_send(fd, head, sizeof(head) - 1);
		fake_send(fd, row, sizeof(row));
		FAKE_SEND(fd, COMPLETE READY);
	}
	fake_message(fd, 'X');
}

struct seen {
	size_t bytes, done, failed;
	struct pgw_err err;
};

static void on_row(void *ctx, const struct pgw_row *row)
{
	((struct seen *)ctx)->bytes += row->cols.n;
}

static void on_done(void *ctx, const struct pgw_outcome *outcome)
{
	struct seen *seen = ctx;

	seen->done++;
	seen->failed += !outcome->ok;
	if (!outcome->ok)
		pgw_diag_to_err(&outcome->diag, &seen->err);
}

START_TEST(both_sides_may_talk_at_once)
{
	static unsigned char sql[BIG / 2];
	struct fake f = fake_start(stubborn, NULL);
	struct pgw_conn *c = open_conn(&f, &plain);
	struct seen seen = { 0 };
	struct pgw_err err = { 0 };

	memset(sql, 'x', sizeof(sql));
	pgw_conn_answers(c, on_row, on_done, &seen);
	for (int i = 0; i < QUERIES; i++)
		ck_assert_msg(pgw_conn_send(c,
					    (struct pgw_view){ sql,
							       sizeof(sql) },
					    &err),
			      "%s", err.msg);
	ck_assert_msg(pgw_conn_wait(c, 0, &err), "%s", err.msg);
	ck_assert_uint_eq(seen.done, QUERIES);
	ck_assert_uint_eq(seen.bytes, (size_t)QUERIES * (BIG + 4));
	close_all(c, f);
}

END_TEST

/* Answers two, and the rest when a sixth has come. */
static void slow_one(int listener, const void *arg)
{
	int fd = fake_login(listener);

	(void)arg;
	for (int i = 0; i < 5; i++)
		fake_message(fd, 'Q');
	FAKE_SEND(fd, COMPLETE READY COMPLETE READY);
	fake_message(fd, 'Q');
	for (int i = 0; i < 4; i++)
		FAKE_SEND(fd, COMPLETE READY);
	fake_message(fd, 'X');
}

START_TEST(some_answers_may_be_waited_for)
{
	struct fake f = fake_start(slow_one, NULL);
	struct pgw_conn *c = open_conn(&f, &plain);
	struct pgw_err err = { 0 };

	for (int i = 0; i < 5; i++)
		ck_assert(pgw_conn_send(c, pgw_view_of("x"), &err));
	ck_assert_msg(pgw_conn_wait(c, 3, &err), "%s", err.msg);
	ck_assert_uint_eq(pgw_conn_outstanding(c), 3);
	ck_assert(pgw_conn_send(c, pgw_view_of("x"), &err));
	ck_assert_msg(pgw_conn_wait(c, 0, &err), "%s", err.msg);
	ck_assert_uint_eq(pgw_conn_outstanding(c), 0);
	close_all(c, f);
}

END_TEST

static void one_error(int listener, const void *arg)
{
	int fd = fake_login(listener);

	(void)arg;
	fake_message(fd, 'Q');
	FAKE_SEND(fd, "E\0\0\0\x18SERROR\0C42601\0Mbad\0\0" READY);
	fake_message(fd, 'Q');
	FAKE_SEND(fd, COMPLETE READY);
	fake_message(fd, 'X');
}

START_TEST(an_error_of_the_server_is_not_the_end)
{
	struct fake f = fake_start(one_error, NULL);
	struct pgw_conn *c = open_conn(&f, &plain);
	struct pgw_err err = { 0 };

	ck_assert(!pgw_conn_query(c, "x", &err));
	ck_assert_int_eq(err.code, PGW_E_SERVER);
	ck_assert_str_eq(err.sqlstate, "42601");
	ck_assert_msg(pgw_conn_query(c, "x", &err), "%s", err.msg);
	close_all(c, f);
}

END_TEST

/* ---- COPY data */

#define PIECES 100
#define PIECE ((size_t)100 << 10)

struct copied {
	size_t pulled;
	bool breaks; /* the data, when it should end */
};

static bool pull(void *ctx, struct pgw_view *data, struct pgw_err *err)
{
	static unsigned char piece[PIECE];
	struct copied *d = ctx;

	if (d->pulled == PIECES && d->breaks)
		return pgw_fail(err, PGW_E_CLOSED, "the file is broken");
	*data = (struct pgw_view){ piece, d->pulled < PIECES ? PIECE : 0 };
	d->pulled += data->n > 0;
	return true;
}

/* Takes messages of that kind until n bytes have come. */
static void take_data(int fd, size_t n)
{
	while (n > 0) {
		size_t got = fake_message(fd, 'd');

		FAKE_MUST(got > 0 && got <= 64 << 10 && got <= n);
		n -= got;
	}
}

/* Talks all the while. */
static void takes_all(int listener, const void *arg)
{
	const struct copied *d = arg;
	int fd = fake_login(listener);

	fake_message(fd, 'Q');
	FAKE_SEND(fd, COPY_IN);
	for (int i = 0; i < PIECES; i++) {
		FAKE_SEND(fd, "N\0\0\0\x05\0");
		take_data(fd, PIECE);
	}
	if (d->breaks) {
		FAKE_MUST(fake_message(fd, 'f') ==
			  sizeof("the file is broken"));
		FAKE_SEND(fd, ERROR READY);
	} else {
		FAKE_MUST(fake_message(fd, 'c') == 0);
		FAKE_SEND(fd, COMPLETE READY);
	}
	fake_message(fd, 'Q');
	FAKE_SEND(fd, COMPLETE READY);
	fake_message(fd, 'X');
}

/* Has enough early, and gets little more: then comes the next Query. */
static void takes_a_piece(int listener, const void *arg)
{
	int fd = fake_login(listener);
	char tag;

	(void)arg;
	fake_message(fd, 'Q');
	FAKE_SEND(fd, COPY_IN);
	take_data(fd, 32 << 10);
	FAKE_SEND(fd, ERROR READY);
	while (recv(fd, &tag, 1, MSG_PEEK) == 1 && tag == 'd')
		fake_message(fd, 'd');
	fake_message(fd, 'Q');
	FAKE_SEND(fd, COMPLETE READY);
	fake_message(fd, 'X');
}

/* Wants none of it. */
static void takes_nothing(int listener, const void *arg)
{
	int fd = fake_login(listener);

	(void)arg;
	fake_message(fd, 'Q');
	FAKE_SEND(fd, COMPLETE READY);
	fake_message(fd, 'Q');
	FAKE_SEND(fd, COMPLETE READY);
	fake_message(fd, 'X');
}

static void copy(fake_role *role, struct copied *d, size_t failed)
{
	struct fake f = fake_start(role, d);
	struct pgw_conn *c = open_conn(&f, &plain);
	const struct pgw_copy_source from = { pull, d };
	struct seen seen = { 0 };
	struct pgw_err err = { 0 };

	pgw_conn_answers(c, on_row, on_done, &seen);
	ck_assert_msg(pgw_conn_copy(c, pgw_view_of("copy"), &from, &err), "%s",
		      err.msg);
	ck_assert_uint_eq(seen.done, 1);
	ck_assert_uint_eq(seen.failed, failed);
	ck_assert_msg(pgw_conn_query(c, "x", &err), "%s", err.msg);
	close_all(c, f);
}

START_TEST(data_is_copied_while_the_server_talks)
{
	struct copied d = { 0 };

	copy(takes_all, &d, 0);
	ck_assert_uint_eq(d.pulled, PIECES);
}

END_TEST

START_TEST(data_that_breaks_off_is_not_taken_for_all)
{
	struct copied d = { .breaks = true };

	copy(takes_all, &d, 1);
	ck_assert_uint_eq(d.pulled, PIECES);
}

END_TEST

START_TEST(a_server_that_has_enough_gets_no_more)
{
	struct copied d = { 0 };

	copy(takes_a_piece, &d, 1);
	ck_assert_uint_ge(d.pulled, 1);
}

END_TEST

START_TEST(data_that_nobody_asks_for_is_not_even_read)
{
	struct copied d = { 0 };

	copy(takes_nothing, &d, 0);
	ck_assert_uint_eq(d.pulled, 0);
}

END_TEST

/* ---- waiting no longer */

static const char long_key[] = "0123456789abcdef0123456789ABCDEF";

struct cancelled {
	bool is_long;  /* the key */
	int interrupt; /* written to while the query runs; -1 = none */
};

/* Runs a query until somebody cancels it, then another. */
static void cancelled(int listener, const void *arg)
{
	const struct cancelled *how = arg;
	bool is_long = how->is_long;
	unsigned char request[44];
	size_t n = is_long ? 44 : 16;
	uint32_t version;
	int fd = fake_accept(listener, &version), other;

	FAKE_MUST(version == (is_long ? 0x30002 : 0x30000));
	if (is_long)
		FAKE_SEND(fd, AUTH_OK "K\0\0\0\x28\0\0\0\x07"
				      "0123456789abcdef0123456789ABCDEF" READY);
	else
		FAKE_SEND(fd, AUTH_OK KEY READY);
	fake_message(fd, 'Q');
	FAKE_MUST(how->interrupt < 0 || write(how->interrupt, "", 1) == 1);
	other = accept(listener, NULL, NULL);
	fake_take(other, request, n);
	FAKE_MUST(fake_u32(request) == n);
	FAKE_MUST(memcmp(request + 4, "\x04\xd2\x16\x2e\0\0\0\x07", 8) == 0);
	FAKE_MUST(memcmp(request + 12, is_long ? long_key : "abcd", n - 12) ==
		  0);
	FAKE_MUST(send(other, "", 0, MSG_NOSIGNAL) == 0);
	close(other);
	FAKE_SEND(fd, "E\0\0\0\x18SERROR\0C57014\0Mbad\0\0" READY);
	fake_message(fd, 'Q');
	FAKE_SEND(fd, COMPLETE READY);
	fake_message(fd, 'X');
}

/* What a program does that is asked to stop. */
static void cancel_and_go_on(struct pgw_conn *c)
{
	struct seen seen = { 0 };
	struct pgw_err err = { 0 };

	ck_assert(pgw_conn_alive(c));
	ck_assert_uint_eq(pgw_conn_outstanding(c), 1);
	pgw_conn_answers(c, NULL, on_done, &seen);
	pgw_conn_ignore_interrupt(c);
	pgw_conn_deadline(c, PGW_FOREVER);
	ck_assert_msg(pgw_conn_cancel(c, 30000, &err), "%s", err.msg);
	ck_assert_msg(pgw_conn_wait(c, 0, &err), "%s", err.msg);
	ck_assert_uint_eq(seen.failed, 1);
	ck_assert_str_eq(seen.err.sqlstate, "57014");
	ck_assert_msg(pgw_conn_query(c, "x", &err), "%s", err.msg);
}

START_TEST(an_interrupt_leaves_the_connection_usable)
{
	struct cancelled how = { false, -1 };
	struct pgw_conn_options options = plain;
	struct pgw_conn *c;
	struct pgw_err err = { 0 };
	struct fake f;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	how.interrupt = ends[1];
	f = fake_start(cancelled, &how);
	options.interrupt_fd = ends[0];
	c = open_conn(&f, &options);
	ck_assert(!pgw_conn_query(c, "x", &err));
	ck_assert_int_eq(err.code, PGW_E_INTERRUPTED);
	cancel_and_go_on(c);
	close_all(c, f);
}

END_TEST

START_TEST(a_deadline_leaves_the_connection_usable)
{
	const struct cancelled how = { false, -1 };
	struct fake f = fake_start(cancelled, &how);
	struct pgw_conn *c = open_conn(&f, &plain);
	struct pgw_err err = { 0 };
	int64_t start = pgw_clock_ms();

	pgw_conn_deadline(c, start + 500);
	ck_assert(!pgw_conn_query(c, "x", &err));
	ck_assert_int_eq(err.code, PGW_E_TIMEOUT);
	ck_assert_int_ge(pgw_clock_ms() - start, 499);
	ck_assert_int_lt(pgw_clock_ms() - start, 20000);
	cancel_and_go_on(c);
	close_all(c, f);
}

END_TEST

START_TEST(a_long_key_cancels_too)
{
	const struct cancelled how = { true, -1 };
	struct fake f = fake_start(cancelled, &how);
	struct pgw_conn *c;
	struct pgw_err err = { 0 };

	cfg = fake_config(f.port, "max_protocol_version=3.2");
	ck_assert_msg(pgw_connect(&c, &cfg, &plain, &err), "%s", err.msg);
	pgw_conn_deadline(c, pgw_clock_ms() + 500);
	ck_assert(!pgw_conn_query(c, "x", &err));
	cancel_and_go_on(c);
	close_all(c, f);
}

END_TEST

static void no_key(int listener, const void *arg)
{
	int fd = fake_accept(listener, NULL);

	(void)arg;
	FAKE_SEND(fd, AUTH_OK READY);
	fake_message(fd, 'X');
}

START_TEST(without_a_key_nothing_can_be_cancelled)
{
	struct fake f = fake_start(no_key, NULL);
	struct pgw_conn *c = open_conn(&f, &plain);
	struct pgw_err err = { 0 };

	ck_assert_uint_eq(pgw_conn_pid(c), 0);
	ck_assert(!pgw_conn_cancel(c, 1000, &err));
	ck_assert_int_eq(err.code, PGW_E_UNSUPPORTED);
	close_all(c, f);
}

END_TEST

START_TEST(an_interrupted_program_says_goodbye_all_the_same)
{
	struct fake f = fake_start(no_key, NULL);
	struct pgw_conn_options options = plain;
	struct pgw_conn *c;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	options.interrupt_fd = ends[0];
	c = open_conn(&f, &options);
	ck_assert_int_eq(write(ends[1], "", 1), 1);
	close_all(c, f); /* the server waits for it */
}

END_TEST

/* ---- losing it */

/* Says why, and closes while bytes of ours are still unread: a reset. */
static void shut_down(int listener, const void *arg)
{
	int fd = fake_login(listener);
	char some[100];

	(void)arg;
	fake_take(fd, some, sizeof(some));
	FAKE_SEND(fd, "E\0\0\0\x18SFATAL\0C57P01\0Mbad\0\0");
}

START_TEST(the_servers_last_words_are_the_cause)
{
	static unsigned char sql[1 << 20];

	memset(sql, 'x', sizeof(sql));
	for (int i = 0; i < 20; i++) {
		struct fake f = fake_start(shut_down, NULL);
		struct pgw_conn *c = open_conn(&f, &plain);
		struct pgw_err err = { 0 };
		bool ok = true;

		for (int k = 0; ok && k < 10; k++)
			ok = pgw_conn_send(c,
					   (struct pgw_view){ sql,
							      sizeof(sql) },
					   &err);
		if (ok)
			ok = pgw_conn_wait(c, 0, &err);
		ck_assert(!ok);
		ck_assert_msg(err.code == PGW_E_SERVER, "%s", err.msg);
		ck_assert_str_eq(err.sqlstate, "57P01");
		ck_assert(!pgw_conn_alive(c));
		ck_assert(!pgw_conn_send(c, pgw_view_of("x"), &err));
		ck_assert_int_eq(err.code, PGW_E_CLOSED);
		ck_assert(!pgw_conn_wait(c, 0, &err));
		ck_assert_int_eq(err.code, PGW_E_CLOSED);
		close_all(c, f);
	}
}

END_TEST

/* Hangs up after so much of its answer. */
static void hang_up(int listener, const void *arg)
{
	static const char answer[] = ROW_DESC DATA_ROW COMPLETE READY;
	int fd = fake_login(listener);

	fake_message(fd, 'Q');
	fake_send(fd, answer, *(const size_t *)arg);
}

START_TEST(an_answer_without_its_end_is_none)
{
	size_t whole = sizeof(ROW_DESC DATA_ROW COMPLETE READY) - 1;

	for (size_t n = 0; n < whole; n++) {
		struct fake f = fake_start(hang_up, &n);
		struct pgw_conn *c = open_conn(&f, &plain);
		struct seen seen = { 0 };
		struct pgw_err err = { 0 };

		pgw_conn_answers(c, NULL, on_done, &seen);
		ck_assert(!pgw_conn_query(c, "x", &err));
		ck_assert_int_eq(err.code, PGW_E_CLOSED);
		ck_assert_ptr_nonnull(strstr(err.msg, "while it worked"));
		ck_assert_uint_eq(seen.done, 0);
		close_all(c, f);
	}
}

END_TEST

START_TEST(sleep_ends_in_time_or_when_interrupted)
{
	struct pgw_err err = { 0 };
	int64_t start = pgw_clock_ms();
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert(pgw_sleep(50, ends[0], &err));
	ck_assert_int_ge(pgw_clock_ms() - start, 49);
	ck_assert(pgw_sleep(-1, -1, &err));
	ck_assert_int_eq(write(ends[1], "", 1), 1);
	ck_assert(!pgw_sleep(60000, ends[0], &err));
	ck_assert_int_eq(err.code, PGW_E_INTERRUPTED);
}

END_TEST

/* A pooler may have lent our connection to somebody who changed it. */
static void changes_its_mind(int listener, const void *arg)
{
	const struct bytes *b = arg;
	int fd = fake_login(listener);

	fake_message(fd, 'Q');
	FAKE_SEND(fd, COMPLETE);
	fake_send(fd, b->p, b->n);
	FAKE_SEND(fd, READY);
	fake_message(fd, 'X');
}

START_TEST(what_was_agreed_on_is_looked_at_before_the_next_query)
{
	static const struct {
		struct bytes change;
		const char *text;
	} changes[] = {
		{ BYTES("S\0\0\0\x19"
			"client_encoding\0SJIS\0"),
		  "SJIS" },
		{ BYTES("S\0\0\0\x24"
			"standard_conforming_strings\0off\0"),
		  "standard_conforming_strings" },
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fake f = fake_start(changes_its_mind,
					   &changes[i].change);
		struct pgw_conn *c = open_conn(&f, &plain);
		struct pgw_err err = { 0 };

		ck_assert_msg(pgw_conn_query(c, "x", &err), "%s", err.msg);
		ck_assert(!pgw_conn_query(c, "y", &err));
		ck_assert_msg(err.code == PGW_E_UNSUPPORTED &&
				      strstr(err.msg, changes[i].text),
			      "%s", err.msg);
		close_all(c, f);
	}
}

END_TEST

UNIT_MAIN("conn", both_sides_may_talk_at_once, some_answers_may_be_waited_for,
	  an_error_of_the_server_is_not_the_end,
	  data_is_copied_while_the_server_talks,
	  data_that_breaks_off_is_not_taken_for_all,
	  a_server_that_has_enough_gets_no_more,
	  data_that_nobody_asks_for_is_not_even_read,
	  an_interrupt_leaves_the_connection_usable,
	  a_deadline_leaves_the_connection_usable, a_long_key_cancels_too,
	  without_a_key_nothing_can_be_cancelled,
	  an_interrupted_program_says_goodbye_all_the_same,
	  the_servers_last_words_are_the_cause,
	  an_answer_without_its_end_is_none,
	  sleep_ends_in_time_or_when_interrupted,
	  what_was_agreed_on_is_looked_at_before_the_next_query)
