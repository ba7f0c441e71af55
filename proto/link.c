/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "link.h"

#include "crypto.h"

#include <stdlib.h>

#define RECORD (16u << 10) /* what TLS puts into one record at most */
#define GOODBYE_MS 20	   /* a socket that has room needs no time */

void pgw_link_close(struct pgw_link *l)
{
	pgw_tls_free(l->tls);
	if (l->chunk)
		pgw_wipe(l->chunk, PGW_LINK_CHUNK);
	free(l->chunk);
	l->tls = NULL;
	l->chunk = NULL;
	l->owed = 0;
	l->asked = false;
	pgw_sock_close(&l->sock);
}

/* ---- moving bytes */

/* Whoever has sent something and now waits has begun a round trip. */
static bool sock_move(struct pgw_link *l, struct pgw_move *m,
		      struct pgw_err *err)
{
	if (l->asked && m->pending == 0) {
		l->round_trips++;
		l->asked = false;
	}
	if (!pgw_sock_move(&l->sock, m, err))
		return false;
	if (m->put > 0)
		l->asked = true;
	return true;
}

/* Move ciphertext: what waits to be sent out, and what comes, if wanted, in. */
static bool move_cipher(struct pgw_link *l, bool in, bool *eof,
			struct pgw_err *err)
{
	struct pgw_view out = pgw_tls_out(l->tls);
	struct pgw_move m = { .in = l->chunk,
			      .room = in ? PGW_LINK_CHUNK : 0,
			      .out = out.p,
			      .pending = out.n };

	if (!sock_move(l, &m, err))
		return false;
	*eof = m.eof;
	pgw_tls_sent(l->tls, m.put);
	return pgw_tls_feed(l->tls, l->chunk, m.got, err);
}

/* A record at a time: the next one only when this one is all sent. */
static bool encrypt(struct pgw_link *l, const struct pgw_move *m,
		    struct pgw_err *err)
{
	size_t n = m->pending < RECORD ? m->pending : RECORD;

	if (l->owed > 0 || n == 0)
		return true;
	l->owed = n;
	return pgw_tls_put(l->tls, m->out, n, err);
}

static bool tls_move(struct pgw_link *l, struct pgw_move *m,
		     struct pgw_err *err)
{
	m->got = 0;
	m->put = 0;
	m->eof = false;
	for (;;) {
		if (m->room > 0 &&
		    !pgw_tls_get(l->tls, m->in, m->room, &m->got, err))
			return false;
		m->eof = m->eof || pgw_tls_over(l->tls);
		if (m->got > 0 || m->put > 0 || m->eof)
			return true;
		if (!encrypt(l, m, err) ||
		    !move_cipher(l, m->room > 0, &m->eof, err))
			return false;
		if (l->owed > 0 && pgw_tls_out(l->tls).n == 0) {
			m->put = l->owed;
			l->owed = 0;
		}
	}
}

bool pgw_link_move(struct pgw_link *l, struct pgw_move *m, struct pgw_err *err)
{
	return l->tls ? tls_move(l, m, err) : sock_move(l, m, err);
}

bool pgw_link_write(struct pgw_link *l, struct pgw_view v, struct pgw_err *err)
{
	while (v.n > 0) {
		struct pgw_move m = { .out = v.p, .pending = v.n };

		if (!pgw_link_move(l, &m, err))
			return false;
		v.p += m.put;
		v.n -= m.put;
	}
	return true;
}

bool pgw_link_drain(struct pgw_link *l, struct pgw_err *err)
{
	unsigned char unused[256];
	struct pgw_move m = { .in = unused, .room = sizeof(unused) };

	while (!m.eof)
		if (!pgw_link_move(l, &m, err))
			return err->code == PGW_E_CLOSED;
	return true;
}

/* ---- TLS */

static bool shake_hands(struct pgw_link *l, struct pgw_err *err)
{
	bool done = false, eof = false;

	while (!done || pgw_tls_out(l->tls).n > 0) {
		if (!done && !pgw_tls_handshake(l->tls, &done, err))
			return false;
		if (done && pgw_tls_out(l->tls).n == 0)
			break;
		if (!move_cipher(l, !done, &eof, err))
			return false;
		if (eof && !done)
			return pgw_fail(err, PGW_E_CLOSED,
					"the server closed the connection "
					"during the TLS handshake");
	}
	return true;
}

bool pgw_link_secure(struct pgw_link *l, struct pgw_tls *tls,
		     struct pgw_err *err)
{
	l->tls = tls;
	l->chunk = malloc(PGW_LINK_CHUNK);
	if (!l->chunk)
		return pgw_fail(err, PGW_E_NOMEM, "no memory for TLS");
	if (shake_hands(l, err))
		return true;
	pgw_link_bye(l, (struct pgw_view){ 0 });
	return false;
}

/* ---- farewell */

static void say(struct pgw_link *l, struct pgw_view farewell)
{
	struct pgw_err ignored;
	bool eof;

	if (!pgw_link_write(l, farewell, &ignored) || !l->tls)
		return;
	pgw_tls_bye(l->tls);
	while (pgw_tls_out(l->tls).n > 0)
		if (!move_cipher(l, false, &eof, &ignored))
			return;
}

void pgw_link_bye(struct pgw_link *l, struct pgw_view farewell)
{
	struct pgw_sock before = l->sock;

	l->sock.interrupt_fd = -1;
	l->sock.deadline = pgw_clock_ms() + GOODBYE_MS;
	say(l, farewell);
	l->sock.interrupt_fd = before.interrupt_fd;
	l->sock.deadline = before.deadline;
}
