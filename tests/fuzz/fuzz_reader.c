/* SPDX-License-Identifier: MIT */
/*
 * A script that comes in pieces, as one does from a pipe: it has the
 * statements, lines, rows and problems that it has when all of it is there.
 * The first byte says how large the pieces are.
 */
#include <config.h>

#include "fuzz.h"
#include "reader.h"

#include <sys/socket.h>

#define TEXT_MAX 4096
#define PIECES_MAX 100

static void put(struct pgw_buf *b, size_t line, struct pgw_view text,
		const struct mz_sql_statement *st)
{
	must(st->start < st->end && st->end <= text.n);
	put_number(b, "line ", line);
	put_number(b, "count ", st->count);
	put_number(b, st->what ? st->what : "kind ", st->kind);
	pgw_buf_put(b, text.p + st->start, st->end - st->start);
}

static bool put_rows(struct pgw_buf *b, struct mz_reader *r, struct mz_err *err)
{
	struct pgw_view rows;

	pgw_buf_put_text(b, "[");
	do {
		if (!mz_reader_rows(r, &rows, err))
			return false;
		pgw_buf_put(b, rows.p, rows.n);
	} while (rows.n > 0);
	pgw_buf_put_text(b, "]");
	return mz_reader_rows_end(r, err);
}

/* Rows that nobody wants are passed over when wanted is false. */
static bool take(struct pgw_buf *b, struct mz_reader *r,
		 struct mz_sql_statement *st, bool wanted, struct mz_err *err)
{
	if (st->kind != MZ_SQL_COPY_STDIN) {
		put(b, st->line, r->text, st);
		return true;
	}
	if (!mz_reader_rows_begin(r, st, err))
		return false;
	put(b, st->line, pgw_buf_view(&r->head), st);
	return wanted ? put_rows(b, r, err) : mz_reader_rows_end(r, err);
}

static void read_all(struct pgw_buf *b, struct mz_reader *r, bool wanted,
		     struct mz_err *err)
{
	struct mz_sql_statement st;
	bool more = true, ok = true;

	while (ok && more) {
		ok = mz_reader_next(r, &st, &more, err);
		if (ok && more)
			ok = take(b, r, &st, wanted, err);
	}
	must(ok || (err->msg[0] && err->status == MZ_usage));
}

/* Each read gives one of them. */
static int pieces_of(struct pgw_view text, size_t n)
{
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	while (text.n > 0) {
		size_t piece = text.n < n ? text.n : n;

		must(write(ends[1], text.p, piece) == (ssize_t)piece);
		text.p += piece;
		text.n -= piece;
	}
	close(ends[1]);
	return ends[0];
}

static void read_pieces(struct pgw_buf *b, struct pgw_view text, size_t n,
			bool wanted, struct mz_err *err)
{
	struct mz_reader r;

	mz_reader_text(&r, "x", "");
	r.literal = NULL;
	r.rewinds = r.eof = false;
	r.fd = pieces_of(text, n);
	r.owned = true;
	read_all(b, &r, wanted, err);
	mz_reader_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view text = { data, size };
	uint8_t first = take_byte(&text);
	size_t least = text.n / PIECES_MAX + 1, n = (first >> 1) + least;
	struct mz_err want = { 0 }, got = { 0 };
	struct pgw_buf whole, pieces;

	if (text.n > TEXT_MAX)
		return 0;
	pgw_buf_init(&whole, 1u << 24);
	pgw_buf_init(&pieces, 1u << 24);
	read_pieces(&whole, text, TEXT_MAX, first % 2, &want);
	read_pieces(&pieces, text, n, first % 2, &got);
	must(!whole.failed && !pieces.failed);
	must(same_text(want.msg, got.msg) && same_text(want.hint, got.hint));
	must(want.place.line == got.place.line);
	must(want.place.column == got.place.column);
	must(same_view(pgw_buf_view(&whole), pgw_buf_view(&pieces)));
	pgw_buf_release(&whole);
	pgw_buf_release(&pieces);
	return 0;
}
