/* SPDX-License-Identifier: MIT */
/*
 * recorder ADDRESS PORT FOLDER [NAME]: hold every conversation, or that one,
 * and write it down.  Within TLS it is the plaintext that is written.
 */
#include <config.h>

#include "golden.h"
#include "sock.h"
#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 36

struct tape {
	struct pgw_sock k;
	struct pgw_tls *tls; /* NULL = plaintext */
	FILE *wire;
};

static void note(FILE *f, char side, struct pgw_view v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (i % LINE_BYTES == 0)
			fprintf(f, "%s%c ", i ? "\n" : "", side);
		fprintf(f, "%02x", v.p[i]);
	}
	fprintf(f, "\n");
}

static bool send_all(struct tape *t, struct pgw_view rest, struct pgw_err *err)
{
	while (rest.n > 0) {
		struct pgw_move m = { .out = rest.p, .pending = rest.n };

		if (!pgw_sock_move(&t->k, &m, err))
			return false;
		rest.p += m.put;
		rest.n -= m.put;
	}
	return true;
}

/* What TLS has for the server. */
static bool flush(struct tape *t, struct pgw_err *err)
{
	struct pgw_view out = pgw_tls_out(t->tls);

	if (!send_all(t, out, err))
		return false;
	pgw_tls_sent(t->tls, out.n);
	return true;
}

/* What the server has for TLS. */
static bool take(struct tape *t, struct pgw_err *err)
{
	char chunk[4096];
	ssize_t n = pgw_sock_read(&t->k, chunk, sizeof(chunk), err);

	if (n == 0)
		return pgw_fail(err, PGW_E_CLOSED, "closed");
	return n > 0 && pgw_tls_feed(t->tls, chunk, (size_t)n, err);
}

static bool on_write(void *ctx, struct pgw_view bytes, struct pgw_err *err)
{
	struct tape *t = ctx;

	if (t->tls ? !pgw_tls_put(t->tls, bytes.p, bytes.n, err) ||
			     !flush(t, err) :
		     !send_all(t, bytes, err))
		return false;
	note(t->wire, '>', bytes);
	return true;
}

static ssize_t decrypted(struct tape *t, void *buf, size_t n,
			 struct pgw_err *err)
{
	size_t got = 0;

	while (pgw_tls_get(t->tls, buf, n, &got, err)) {
		if (got > 0)
			return (ssize_t)got;
		if (!take(t, err))
			return -1;
	}
	return -1;
}

static ssize_t on_read(void *ctx, void *buf, size_t n, struct pgw_err *err)
{
	struct tape *t = ctx;
	ssize_t got = t->tls ? decrypted(t, buf, n, err) :
			       pgw_sock_read(&t->k, buf, n, err);

	if (got > 0)
		note(t->wire, '<', (struct pgw_view){ buf, (size_t)got });
	return got;
}

/* ---- TLS, whoever the server is */

static bool settle(struct pgw_config *cfg, struct pgw_err *err)
{
	static const struct pgw_outside nothing;
	struct pgw_conninfo c;
	bool ok;

	pgw_conninfo_init(&c);
	ok = pgw_conninfo_parse(&c, "host=localhost user=x sslmode=require",
				err) &&
	     pgw_conninfo_complete(&c, &nothing, err) &&
	     pgw_config_settle(cfg, &c, &nothing, err);
	pgw_conninfo_release(&c);
	return ok;
}

static bool shake_hands(struct tape *t, struct pgw_err *err)
{
	for (bool done = false;;) {
		if (!pgw_tls_handshake(t->tls, &done, err) || !flush(t, err))
			return false;
		if (done)
			return true;
		if (!take(t, err))
			return false;
	}
}

static bool secure(struct tape *t, const struct pgw_config *cfg,
		   struct pgw_err *err)
{
	static const unsigned char request[] = {
		0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f
	};
	char answer;

	if (!send_all(t, (struct pgw_view){ request, sizeof(request) }, err) ||
	    pgw_sock_read(&t->k, &answer, 1, err) != 1)
		return false;
	if (answer != 'S')
		return pgw_fail(err, PGW_E_TLS, "the server has no TLS");
	return pgw_tls_new(&t->tls, cfg, cfg->hosts, err) &&
	       shake_hands(t, err);
}

/* ---- to files */

static FILE *create(const char *folder, const char *name, const char *ext)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.%s", folder, name, ext);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	return f;
}

static bool converse(const struct golden *g, struct tape *t,
		     const struct pgw_config *cfg, struct pgw_buf *trace)
{
	struct golden_io io = { on_write, on_read, .ctx = t };
	struct pgw_err err = { 0 };

	if (g->bound && !secure(t, cfg, &err)) {
		printf("%s: %s\n", g->name, err.msg);
		return false;
	}
	if (t->tls) {
		io.binding = pgw_tls_binding(t->tls);
		note(t->wire, '=', io.binding);
	}
	if (!golden_run(g, &io, trace, &err))
		printf("%s: %s\n", g->name, err.msg); /* some are meant to */
	return true;
}

static bool record(const struct golden *g, const struct pgw_addr *a,
		   const struct pgw_config *cfg, const char *folder)
{
	struct tape t = { .k = { .fd = -1,
				 .interrupt_fd = -1,
				 .deadline = pgw_clock_ms() + 10000 },
			  .wire = create(folder, g->name, "wire") };
	const struct pgw_tcp tcp = { 0 };
	FILE *f = create(folder, g->name, "trace");
	struct pgw_err err = { 0 };
	struct pgw_buf trace;
	bool ok;

	pgw_buf_init(&trace, 1 << 20);
	ok = pgw_sock_open(&t.k, a, &tcp, &err) && converse(g, &t, cfg, &trace);
	fwrite(trace.data, 1, trace.len, f);
	pgw_buf_release(&trace);
	pgw_tls_free(t.tls);
	pgw_sock_close(&t.k);
	return fclose(f) == 0 && fclose(t.wire) == 0 && ok;
}

int main(int argc, char **argv)
{
	struct pgw_config cfg;
	struct pgw_err err = { 0 };
	struct pgw_addr a;

	if ((argc != 4 && argc != 5) || !settle(&cfg, &err) ||
	    !pgw_addr_numeric(&a, argv[1],
			      (uint16_t)strtoul(argv[2], NULL, 10))) {
		fprintf(stderr,
			"%s\nusage: recorder ADDRESS PORT FOLDER "
			"[NAME]\n",
			err.msg);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < golden_count; i++) {
		if (argc == 5 && strcmp(argv[4], goldens[i].name) != 0)
			continue;
		if (!record(&goldens[i], &a, &cfg, argv[3])) {
			fprintf(stderr, "%s was not recorded\n",
				goldens[i].name);
			return EXIT_FAILURE;
		}
	}
	pgw_config_release(&cfg);
	return EXIT_SUCCESS;
}
