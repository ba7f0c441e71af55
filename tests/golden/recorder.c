/* SPDX-License-Identifier: MIT */
/* recorder ADDRESS PORT FOLDER: hold every conversation and write it down. */
#include <config.h>

#include "golden.h"
#include "sock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 36

struct tape {
	struct pgw_sock k;
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

static bool on_write(void *ctx, struct pgw_view bytes, struct pgw_err *err)
{
	struct tape *t = ctx;
	struct pgw_view rest = bytes;

	while (rest.n > 0) {
		ssize_t n = pgw_sock_write(&t->k, rest.p, rest.n, err);

		if (n < 0)
			return false;
		rest.p += n;
		rest.n -= (size_t)n;
	}
	note(t->wire, '>', bytes);
	return true;
}

static ssize_t on_read(void *ctx, void *buf, size_t n, struct pgw_err *err)
{
	struct tape *t = ctx;
	ssize_t got = pgw_sock_read(&t->k, buf, n, err);

	if (got > 0)
		note(t->wire, '<', (struct pgw_view){ buf, (size_t)got });
	return got;
}

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

static bool record(const struct golden *g, const struct pgw_addr *a,
		   const char *folder)
{
	struct tape t = { .k = { .fd = -1,
				 .interrupt_fd = -1,
				 .deadline = pgw_clock_ms() + 10000 },
			  .wire = create(folder, g->name, "wire") };
	const struct golden_io io = { on_write, on_read, &t };
	const struct pgw_tcp tcp = { 0 };
	FILE *f = create(folder, g->name, "trace");
	struct pgw_err err = { 0 };
	struct pgw_buf trace;
	bool open = pgw_sock_open(&t.k, a, &tcp, &err);

	pgw_buf_init(&trace, 1 << 20);
	if (open && !golden_run(g, &io, &trace, &err))
		printf("%s: %s\n", g->name, err.msg); /* some are meant to */
	fwrite(trace.data, 1, trace.len, f);
	pgw_buf_release(&trace);
	pgw_sock_close(&t.k);
	return fclose(f) == 0 && fclose(t.wire) == 0 && open;
}

int main(int argc, char **argv)
{
	struct pgw_addr a;

	if (argc != 4 ||
	    !pgw_addr_numeric(&a, argv[1],
			      (uint16_t)strtoul(argv[2], NULL, 10))) {
		fprintf(stderr, "usage: recorder ADDRESS PORT FOLDER\n");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < golden_count; i++) {
		if (!record(&goldens[i], &a, argv[3])) {
			fprintf(stderr, "%s was not recorded\n",
				goldens[i].name);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
