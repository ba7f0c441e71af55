/* SPDX-License-Identifier: MIT */
/* Servers, and those in between, that do not keep to TLS. */
#include <config.h>

#include "tls_pair.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FULL "host=localhost sslmode=verify-full sslrootcert=%/root.crt "

static const struct server plain = { .cert = NULL };

/* ---- what is no TLS at all */

struct bytes {
	const char *p;
	size_t n;
};

#define BYTES(text)                     \
	{                               \
		text, sizeof(text) - 1, \
	}

static const struct bytes garbage[] = {
	BYTES("E\0\0\0\x16SFATAL\0C28000\0Mno\0\0"),
	BYTES("R\0\0\0\x08\0\0\0\0Z\0\0\0\5I"),
	BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"),
	BYTES("SSSSSSSSSSSSSSSS"),
	BYTES("\x16\x03\x03\xff\xff................"),
	BYTES("\x16\x03\x03\0\4\2\0\0\0\0\0\0\0\0"),
	BYTES("\x15\x03\x03\0\2\2\x28"),
	BYTES("\x14\x03\x03\0\1\1\x17\x03\x03\0\1x"),
	BYTES("\x17\x03\x03\0\5hello"),
	BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
};

START_TEST(what_is_no_tls_is_refused)
{
	for (size_t i = 0; i < COUNT(garbage); i++) {
		struct pair p;
		bool ok;

		pair_start(&p, FULL, &plain);
		ck_assert(pgw_tls_handshake(p.client, &p.done, &p.err));
		ck_assert(!p.done);
		ck_assert(pgw_tls_feed(p.client, garbage[i].p, garbage[i].n,
				       &p.err));
		ok = pgw_tls_handshake(p.client, &p.done, &p.err);
		ck_assert_msg(!ok && !p.done, "%zu", i);
		ck_assert_int_eq(p.err.code, PGW_E_TLS);
		pair_end(&p);
	}
}

END_TEST

/* The text that came is not shown, and what to do is. */
START_TEST(a_server_without_tls_is_told_from_a_bad_one)
{
	struct pair p;

	pair_start(&p, FULL, &plain);
	ck_assert(pgw_tls_handshake(p.client, &p.done, &p.err));
	ck_assert(pgw_tls_feed(p.client, "HTTP/1.1 400 pay here\r\n", 23,
			       &p.err));
	ck_assert(!pgw_tls_handshake(p.client, &p.done, &p.err));
	ck_assert_ptr_null(strstr(p.err.msg, "pay"));
	ck_assert_ptr_nonnull(strstr(p.err.hint, "not TLS"));
	pair_end(&p);
}

END_TEST

START_TEST(records_of_nothing_are_not_taken_for_ever)
{
	struct pair p;

	pair_start(&p, FULL, &plain);
	for (int i = 0; i < 1000 && !p.refused; i++) {
		ck_assert(
			pgw_tls_feed(p.client, "\x16\x03\x03\0\0", 5, &p.err));
		p.refused = !pgw_tls_handshake(p.client, &p.done, &p.err);
	}
	ck_assert(p.refused && !p.done);
	pair_end(&p);
}

END_TEST

/* ---- bytes of a good server, cut, slowly or wrong */

static int version_of(size_t i)
{
	return i % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

START_TEST(a_handshake_may_come_byte_by_byte)
{
	static const size_t steps[] = { 1, 2, 3, 5, 6, 255, 1400 };

	for (size_t i = 0; i < 2 * COUNT(steps); i++) {
		const struct server s = { .max = version_of(i), .asks = true };
		struct pair p;

		pair_start(&p, FULL, &s);
		p.step = steps[i / 2];
		pair_handshake(&p);
		ck_assert_msg(p.done, "%s", p.err.msg);
		ck_assert(pair_talks(&p));
		pair_end(&p);
	}
}

END_TEST

struct meddler {
	size_t at;   /* the byte of the server's to change */
	size_t seen; /* how many have passed */
	bool cut;    /* or to let nothing pass from there on */
	bool reached;
};

/* As pair_to_client, with somebody in between. */
static bool meddle(struct pair *p, struct meddler *m)
{
	unsigned char chunk[4096];
	int n = BIO_read(p->to_client, chunk, sizeof(chunk));
	size_t len = n > 0 ? (size_t)n : 0;

	if (m->at >= m->seen && m->at - m->seen < len) {
		m->reached = true;
		if (m->cut)
			len = m->at - m->seen;
		else
			chunk[m->at - m->seen] ^= 0x21;
	} else if (m->cut && m->reached) {
		len = 0;
	}
	m->seen += len;
	return len > 0 && pgw_tls_feed(p->client, chunk, len, &p->err);
}

static void meddled_handshake(struct pair *p, struct meddler *m)
{
	bool moved = true;

	while (moved && !p->refused && !p->done) {
		if (!pgw_tls_handshake(p->client, &p->done, &p->err))
			p->refused = true;
		moved = pgw_tls_out(p->client).n > 0;
		pair_to_server(p);
		(void)SSL_do_handshake(p->server);
		if (!p->done)
			moved = meddle(p, m) || moved;
	}
	ERR_clear_error();
}

/* How many bytes of a server our side needs to be done. */
static size_t length(int version)
{
	const struct server s = { .max = version };
	struct meddler m = { .at = SIZE_MAX };
	struct pair p;

	pair_start(&p, FULL, &s);
	meddled_handshake(&p, &m);
	ck_assert(p.done);
	pair_end(&p);
	return m.seen;
}

START_TEST(a_handshake_that_is_cut_is_never_done)
{
	for (size_t i = 0; i < 2; i++) {
		const struct server s = { .max = version_of(i) };
		size_t n = length(version_of(i));

		for (size_t at = 0; at < n; at += 13) {
			struct meddler m = { .at = at, .cut = true };
			struct pair p;

			pair_start(&p, FULL, &s);
			meddled_handshake(&p, &m);
			ck_assert(m.reached);
			ck_assert_msg(!p.done && !p.refused, "%zu of %zu: %s",
				      at, n, p.err.msg);
			pair_end(&p);
		}
	}
}

END_TEST

/* A byte that means nothing, like a version in a record, may be wrong. */
START_TEST(a_byte_that_is_wrong_is_noticed)
{
	size_t noticed = 0, tried = 0;

	for (size_t i = 0; i < 2; i++) {
		const struct server s = { .max = version_of(i) };
		size_t n = length(version_of(i));

		for (size_t at = i; at < n; at += 7) {
			struct meddler m = { .at = at };
			struct pair p;

			pair_start(&p, FULL, &s);
			meddled_handshake(&p, &m);
			if (p.refused)
				ck_assert_int_eq(p.err.code, PGW_E_TLS);
			/* Half-way through a record of another length. */
			noticed += p.refused || !p.done;
			tried++;
			pair_end(&p);
		}
	}
	ck_assert_uint_gt(tried, 300);
	ck_assert_uint_ge(noticed, tried - tried / 50);
}

END_TEST

/* ---- after the handshake */

static void established(struct pair *p, int version)
{
	const struct server s = { .max = version };

	pair_start(p, FULL, &s);
	pair_handshake(p);
	ck_assert(p->done && pair_talks(p));
}

START_TEST(plaintext_inside_breaks_the_connection)
{
	static const struct bytes injected[] = {
		BYTES("Z\0\0\0\5I"),
		BYTES("\x17\x03\x03\0\6Z\0\0\0\5I"),
		BYTES("\x15\x03\x03\0\2\2\x28"),
		BYTES("\x15\x03\x03\0\2\1\0"),
		BYTES("\x16\x03\x03\0\4\0\0\0\0"),
	};

	for (size_t i = 0; i < 2 * COUNT(injected); i++) {
		const struct bytes *b = &injected[i / 2];
		char got[64];
		struct pair p;

		established(&p, version_of(i));
		ck_assert(pgw_tls_feed(p.client, b->p, b->n, &p.err));
		ck_assert_uint_eq(pair_get(&p, got, sizeof(got)), 0);
		ck_assert_msg(p.refused && !pgw_tls_over(p.client), "%zu", i);
		ck_assert_int_eq(p.err.code, PGW_E_TLS);
		pair_end(&p);
	}
}

END_TEST

START_TEST(a_record_that_was_changed_breaks_the_connection)
{
	for (size_t i = 0; i < 2; i++) {
		unsigned char record[256];
		char got[64];
		struct pair p;
		int n;

		established(&p, version_of(i));
		ck_assert_int_eq(SSL_write(p.server, "secret", 6), 6);
		n = BIO_read(p.to_client, record, sizeof(record));
		record[n - 1] ^= 1;
		ck_assert(pgw_tls_feed(p.client, record, (size_t)n, &p.err));
		ck_assert_uint_eq(pair_get(&p, got, sizeof(got)), 0);
		ck_assert(p.refused);
		pair_end(&p);
	}
}

END_TEST

START_TEST(the_end_is_what_the_server_says_not_what_is_missing)
{
	for (size_t i = 0; i < 2; i++) {
		char got[64];
		struct pair p;

		established(&p, version_of(i));
		ck_assert_int_eq(SSL_write(p.server, "last", 4), 4);
		ck_assert_uint_eq(pair_get(&p, got, sizeof(got)), 4);
		ck_assert(!pgw_tls_over(p.client)); /* nothing more is no end */
		(void)SSL_shutdown(p.server);
		ck_assert_uint_eq(pair_get(&p, got, sizeof(got)), 0);
		ck_assert(!p.refused && pgw_tls_over(p.client));
		pgw_tls_bye(p.client);
		pair_to_server(&p);
		ck_assert_int_eq(SSL_shutdown(p.server), 1);
		pair_end(&p);
	}
}

END_TEST

START_TEST(nobody_starts_another_handshake)
{
	unsigned char before[64], after[64];
	char got[64];
	struct pair p;
	size_t n;

	established(&p, TLS1_2_VERSION);
	n = SSL_get_peer_finished(p.server, before, sizeof(before));
	ck_assert_int_eq(SSL_renegotiate(p.server), 1);
	(void)SSL_do_handshake(p.server);
	for (int i = 0; i < 10; i++) {
		ck_assert_uint_eq(pair_get(&p, got, sizeof(got)), 0);
		pair_to_server(&p);
		(void)SSL_read(p.server, got, sizeof(got));
	}
	ck_assert_uint_eq(SSL_get_peer_finished(p.server, after, sizeof(after)),
			  n);
	ck_assert_mem_eq(before, after, n);
	pair_end(&p);
}

END_TEST

/* Each of them wants an answer, which nobody reads. */
START_TEST(a_flood_of_key_updates_does_not_fill_the_memory)
{
	struct pair p;
	size_t most = 0;
	int i;

	established(&p, TLS1_3_VERSION);
	for (i = 0; i < 200000 && !p.refused; i++) {
		char got[16];

		SSL_key_update(p.server, SSL_KEY_UPDATE_REQUESTED);
		(void)SSL_do_handshake(p.server);
		pair_get(&p, got, sizeof(got));
		if (pgw_tls_out(p.client).n > most)
			most = pgw_tls_out(p.client).n;
	}
	ck_assert(p.refused);
	ck_assert_int_eq(p.err.code, PGW_E_TLS);
	ck_assert_uint_lt(most, 2u << 20);
	pair_end(&p);
}

END_TEST

/* ---- much */

START_TEST(much_passes_both_ways)
{
	enum { MUCH = 300000 };

	static char said[MUCH], heard[MUCH];

	for (size_t i = 0; i < MUCH; i++)
		said[i] = (char)(i * 31 % 251);
	for (size_t i = 0; i < 2; i++) {
		struct pair p;
		size_t n, all = 0;

		established(&p, version_of(i));
		ck_assert(pgw_tls_put(p.client, said, MUCH, &p.err));
		pair_to_server(&p);
		while (all < MUCH &&
		       SSL_read_ex(p.server, heard + all, MUCH - all, &n) == 1)
			all += n;
		ck_assert_uint_eq(all, MUCH);
		ck_assert_mem_eq(said, heard, MUCH);
		memset(heard, 0, MUCH);
		ck_assert_int_eq(SSL_write_ex(p.server, said, MUCH, &n), 1);
		p.step = 1000;
		ck_assert_uint_eq(pair_get(&p, heard, MUCH), MUCH);
		ck_assert_mem_eq(said, heard, MUCH);
		pair_end(&p);
	}
}

END_TEST

/* What was sent is said piece by piece, as a socket takes it. */
START_TEST(what_is_sent_may_go_out_in_pieces)
{
	char said[5000], heard[5000];
	struct pair p;
	size_t n = 0;

	memset(said, 's', sizeof(said));
	established(&p, TLS1_3_VERSION);
	ck_assert(pgw_tls_put(p.client, said, sizeof(said), &p.err));
	while (pgw_tls_out(p.client).n > 0) {
		struct pgw_view v = pgw_tls_out(p.client);
		size_t some = v.n < 7 ? v.n : 7;

		BIO_write(p.to_server, v.p, (int)some);
		pgw_tls_sent(p.client, some);
	}
	ck_assert_int_eq(SSL_read_ex(p.server, heard, sizeof(heard), &n), 1);
	ck_assert_uint_eq(n, sizeof(said));
	ck_assert_mem_eq(said, heard, n);
	pair_end(&p);
}

END_TEST

UNIT_MAIN_WITH_CERTS("tls_hostile", what_is_no_tls_is_refused,
		     records_of_nothing_are_not_taken_for_ever,
		     a_server_without_tls_is_told_from_a_bad_one,
		     a_handshake_may_come_byte_by_byte,
		     a_handshake_that_is_cut_is_never_done,
		     a_byte_that_is_wrong_is_noticed,
		     plaintext_inside_breaks_the_connection,
		     a_record_that_was_changed_breaks_the_connection,
		     the_end_is_what_the_server_says_not_what_is_missing,
		     nobody_starts_another_handshake,
		     a_flood_of_key_updates_does_not_fill_the_memory,
		     much_passes_both_ways, what_is_sent_may_go_out_in_pieces)
