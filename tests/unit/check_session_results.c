/* SPDX-License-Identifier: MIT */
/* What comes of a query, however large it is, and who hears it. */
#include <config.h>

#include "unit.h"
#include "wire.h"

#include <stdio.h>

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

	wire_start_query(&s, &hooks);
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

	wire_start_query(&s, &hooks);
	ck_assert(wire_feed(&s, first, &err));
	feed_zeros(&s, (8 << 20) - 12);
	ck_assert_msg(wire_feed(&s, rest, &err), "%s", err.msg);
	ck_assert(seen.rows == 1 && seen.done == 1 && seen.ok);
	ck_assert_uint_eq(seen.bytes, (8 << 20) - 8);
	pgw_session_release(&s);
}

END_TEST

static void on_any_copy(void *ctx, struct pgw_view data)
{
	(void)ctx;
	(void)data;
}

/* Who hears COPY data reads results, whatever they are. */
START_TEST(a_huge_row_arrives_where_results_are_read)
{
	for (int copies = 0; copies < 2; copies++) {
		struct seen seen = { 0 };
		const struct pgw_hooks hooks = {
			.row = on_row,
			.copy = copies ? on_any_copy : NULL,
			.done = on_done,
			.ctx = &seen,
		};
		struct bytes first = BYTES(ROW_DESC BIG_ROW);
		struct bytes rest = BYTES(COMPLETE READY);
		struct pgw_session s;
		struct pgw_err err = { 0 };

		wire_start_query(&s, &hooks);
		ck_assert_int_eq(wire_feed(&s, first, &err), copies);
		if (!copies) {
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

	wire_start_query(&s, &hooks);
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

		wire_start_query(&s, &hooks);
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

	wire_start_query(&s, &hooks);
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

	wire_start_query(&s, &hooks);
	ck_assert_msg(wire_feed(&s, all, &err), "%s", err.msg);
	ck_assert(seen.done == 1 && !seen.ok && seen.rows == 0);
	ck_assert_str_eq(seen.text, "bad");
	ck_assert_int_eq(s.state, PGW_IDLE);
	pgw_session_release(&s);
}

END_TEST

UNIT_MAIN("session_results", a_big_row_that_nobody_wants_is_not_kept,
	  a_big_row_that_somebody_wants_arrives_whole,
	  a_huge_row_arrives_where_results_are_read,
	  a_big_error_is_cut_but_not_lost, a_long_error_is_cut_at_any_place,
	  columns_and_copied_data_are_heard_until_an_error,
	  the_first_error_counts_and_noise_after_it_does_not)
