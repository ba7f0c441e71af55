/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "self.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The 16 bytes that it is found by, which stand nowhere else in a program,
 * then where the payload begins, its size and its SHA-256; zeros when there is
 * none.  It is written by others, so the compiler must not know what it is.
 */
#define NAME_SIZE 16

static const volatile unsigned char own_mark[MZ_MARK_SIZE]
	__attribute__((used, aligned(MZ_MARK_SIZE))) = "\x7Fmizzle bundle\x01";

static void own_mark_get(unsigned char out[MZ_MARK_SIZE])
{
	for (size_t i = 0; i < MZ_MARK_SIZE; i++)
		out[i] = own_mark[i];
}

static bool is_used(const unsigned char mark[MZ_MARK_SIZE])
{
	for (size_t i = NAME_SIZE; i < MZ_MARK_SIZE; i++)
		if (mark[i])
			return true;
	return false;
}

bool mz_self_is_bundle(void)
{
	unsigned char mark[MZ_MARK_SIZE];

	own_mark_get(mark);
	return is_used(mark);
}

static void put_u64(unsigned char *out, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		out[i] = (unsigned char)(v & 0xFF);
}

static uint64_t get_u64(const unsigned char *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

void mz_mark_make(unsigned char mark[MZ_MARK_SIZE],
		  const struct mz_payload_facts *facts)
{
	own_mark_get(mark);
	put_u64(mark + NAME_SIZE, facts->at);
	put_u64(mark + NAME_SIZE + 8, facts->size);
	memcpy(mark + NAME_SIZE + 16, facts->sha256, PGW_SHA256_LEN);
}

/* ---- files */

static bool cannot_read(const char *path, int error, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "the program %s cannot be read: %s", path,
		strerror(error));
	if (error == EACCES)
		mz_hint(err,
			"let the user with id %ju read it, for example with "
			"chmod a+r",
			(uintmax_t)geteuid());
	return mz_at(err, path, 0, 0);
}

/* In an empty root there is no /proc, but the name it was started by. */
static int open_self(const char **path)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	/* the kernel gives addresses as numbers */
	*path = (const char *)getauxval(AT_EXECFN); /* NOLINT */
	if (!*path)
		*path = "/proc/self/exe";
	return fd >= 0 ? fd : open(*path, O_RDONLY | O_CLOEXEC);
}

/* The bytes from at on, from the beginning of their page; NULL with errno. */
static void *map_from(int fd, uint64_t at, size_t n)
{
	void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, (off_t)at);

	return p == MAP_FAILED ? NULL : p;
}

/* ---- what stands behind the program that runs */

static bool damaged(const char *path, const char *what, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "the bundle %s is damaged: %s", path, what);
	mz_hint(err, "copy it again, or make it again with mizzle bundle; "
		     "nothing was done");
	return mz_at(err, path, 0, 0);
}

static bool has_sha256(struct pgw_view v, const unsigned char *expected)
{
	unsigned char sha256[PGW_SHA256_LEN];
	struct pgw_sha256 h;

	pgw_sha256_init(&h);
	pgw_sha256_update(&h, v.p, v.n);
	pgw_sha256_final(&h, sha256);
	return memcmp(sha256, expected, sizeof(sha256)) == 0;
}

/* Nobody can write to a program that runs: what is mapped stays. */
static bool map_payload(struct mz_payload *p, int fd, const char *path,
			struct mz_err *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned char mark[MZ_MARK_SIZE];
	uint64_t at, size, before;
	struct stat st;

	own_mark_get(mark);
	at = get_u64(mark + NAME_SIZE);
	size = get_u64(mark + NAME_SIZE + 8);
	if (fstat(fd, &st) != 0)
		return cannot_read(path, errno, err);
	if (at > INT64_MAX || size == 0 || size > SIZE_MAX / 2 ||
	    at + size > (uint64_t)st.st_size)
		return damaged(path, "its end is missing", err);
	if (at + size < (uint64_t)st.st_size)
		return damaged(path, "something was added at its end", err);
	before = at % page;
	p->mapped = (size_t)(before + size);
	p->map = map_from(fd, at - before, p->mapped);
	if (!p->map)
		return cannot_read(path, errno, err);
	p->bytes = (struct pgw_view){ (unsigned char *)p->map + before,
				      (size_t)size };
	if (!has_sha256(p->bytes, mark + NAME_SIZE + 16))
		return damaged(path, "its folder is not what was packed", err);
	return true;
}

bool mz_payload_open(struct mz_payload *p, struct mz_err *err)
{
	const char *path;
	int fd;
	bool ok;

	*p = (struct mz_payload){ 0 };
	fd = open_self(&path);
	if (fd < 0)
		return cannot_read(path, errno, err);
	ok = map_payload(p, fd, path, err);
	close(fd);
	return ok;
}

void mz_payload_close(struct mz_payload *p)
{
	if (p->map)
		munmap(p->map, p->mapped);
	*p = (struct mz_payload){ 0 };
}

/* ---- a program that can carry a folder */

static bool no_program(const char *path, struct mz_err *err)
{
	mz_fail(err, MZ_usage,
		"%s is not a mizzle program that can carry a folder", path);
	mz_hint(err, "name the program of a release, as it was built: not "
		     "compressed, and no script that calls it");
	return mz_at(err, path, 0, 0);
}

static bool map_program(struct mz_program *p, int fd, struct mz_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return cannot_read(p->path, errno, err);
	if (!S_ISREG(st.st_mode) || st.st_size < MZ_MARK_SIZE ||
	    (uintmax_t)st.st_size > SIZE_MAX / 2)
		return no_program(p->path, err);
	p->file.n = (size_t)st.st_size;
	p->map = map_from(fd, 0, p->file.n);
	p->file.p = p->map;
	return p->map || cannot_read(p->path, errno, err);
}

/* One mark, unless the folder of a bundle looks like a second one. */
static bool find_mark(struct mz_program *p, struct mz_err *err)
{
	const unsigned char *end = p->file.p + p->file.n, *at;
	unsigned char mark[MZ_MARK_SIZE];
	uint64_t plain;

	own_mark_get(mark);
	at = memmem(p->file.p, p->file.n, mark, NAME_SIZE);
	if (!at || end - at < MZ_MARK_SIZE)
		return no_program(p->path, err);
	p->mark = (size_t)(at - p->file.p);
	p->plain = p->file.n;
	if (!is_used(at))
		return !memmem(at + 1, (size_t)(end - at) - 1, mark,
			       NAME_SIZE) ||
		       no_program(p->path, err);
	plain = get_u64(at + NAME_SIZE);
	if (plain < p->mark + MZ_MARK_SIZE || plain > p->file.n)
		return damaged(p->path, "its end is missing", err);
	p->plain = (size_t)plain;
	return true;
}

bool mz_program_open(struct mz_program *p, const char *path, struct mz_err *err)
{
	int fd;
	bool ok;

	*p = (struct mz_program){ .path = path };
	fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) :
		    open_self(&p->path);
	if (fd < 0)
		return cannot_read(p->path, errno, err);
	ok = map_program(p, fd, err);
	close(fd);
	return ok && find_mark(p, err);
}

void mz_program_close(struct mz_program *p)
{
	if (p->map)
		munmap(p->map, p->file.n);
	*p = (struct mz_program){ 0 };
}
