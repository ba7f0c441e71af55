/* SPDX-License-Identifier: MIT */
/* What fuzz targets share. */
#ifndef FUZZ_H
#define FUZZ_H

#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is. */
#define must(holds) \
	((holds) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #holds))

static inline void fuzz_broken(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

static inline bool same_view(struct pgw_view a, struct pgw_view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The next byte of the input; 0 when there is none. */
static inline uint8_t take_byte(struct pgw_view *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

/* What is before the next separator; all of it when there is none. */
static inline struct pgw_view take_part(struct pgw_view *in, char separator)
{
	const unsigned char *end =
		in->n ? memchr(in->p, (unsigned char)separator, in->n) : NULL;
	struct pgw_view part = { in->p, end ? (size_t)(end - in->p) : in->n };

	in->p += part.n + (end ? 1 : 0);
	in->n -= part.n + (end ? 1 : 0);
	return part;
}

/* The same as a text of the arena; what is behind a NUL is lost. */
static inline char *take_text(struct mz_arena *a, struct pgw_view *in,
			      char separator)
{
	struct pgw_view part = take_part(in, separator);

	return mz_strndup(a, part.n ? (const char *)part.p : "", part.n);
}

/* Of what is told in two ways, to be compared. */
static inline void put_number(struct pgw_buf *b, const char *what, size_t n)
{
	char number[64];

	snprintf(number, sizeof(number), "%s%zu|", what, n);
	pgw_buf_put_text(b, number);
}

/* A plain file in memory; its name is good while it is open. */
struct memory_file {
	int fd;
	char path[64];
};

static inline void memory_file_open(struct memory_file *f, struct pgw_view text)
{
	f->fd = memfd_create("fuzz", MFD_CLOEXEC);
	must(f->fd >= 0);
	must(write(f->fd, text.p, text.n) == (ssize_t)text.n);
	must(lseek(f->fd, 0, SEEK_SET) == 0);
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
}

#endif
