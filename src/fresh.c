/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "fresh.h"

#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* /dev/stdout is not to be replaced, nor a link that leads to it. */
static bool is_replaceable(const char *path, struct mz_err *err)
{
	struct stat st;

	if (stat(path, &st) != 0 || S_ISREG(st.st_mode))
		return true;
	mz_fail(err, MZ_usage, "%s is %s, not a file; nothing was made", path,
		S_ISDIR(st.st_mode) ? "a directory" : "something else");
	mz_hint(err, "give the name of the file that is to be written");
	return mz_at(err, path, 0, 0);
}

bool mz_fresh_open(struct mz_fresh *f, struct mz_arena *a, const char *path,
		   unsigned mode, struct mz_err *err)
{
	unsigned char salt[4];
	struct pgw_err e;

	*f = (struct mz_fresh){ .path = path, .fd = -1 };
	if (!is_replaceable(path, err))
		return false;
	if (!pgw_random(salt, sizeof(salt), &e))
		return mz_fail(err, MZ_internal, "%s", e.msg);
	f->unfinished = mz_printf(a, "%s.%02x%02x%02x%02x", path, salt[0],
				  salt[1], salt[2], salt[3]);
	f->fd = open(f->unfinished, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		     mode);
	return f->fd >= 0 || mz_cannot_write(path, errno, err);
}

void mz_fresh_put(struct mz_fresh *f, const void *data, size_t n)
{
	mz_fresh_put_at(f, f->size, data, n);
	f->size += n;
}

void mz_fresh_put_at(struct mz_fresh *f, uint64_t at, const void *data,
		     size_t n)
{
	const unsigned char *p = data;

	while (n > 0 && f->error == 0) {
		ssize_t some = pwrite(f->fd, p, n, (off_t)at);

		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0) {
			f->error = some < 0 ? errno : ENOSPC;
			return;
		}
		p += some;
		at += (uint64_t)some;
		n -= (size_t)some;
	}
}

bool mz_fresh_place(struct mz_fresh *f, struct mz_err *err)
{
	/* some file systems cannot, and say EINVAL */
	if (f->error == 0 && fsync(f->fd) != 0 && errno != EINVAL)
		f->error = errno;
	if (close(f->fd) != 0 && f->error == 0)
		f->error = errno;
	f->fd = -1;
	if (f->error == 0 && rename(f->unfinished, f->path) == 0)
		return true;
	if (f->error == 0)
		f->error = errno;
	unlink(f->unfinished);
	return mz_cannot_write(f->path, f->error, err);
}

void mz_fresh_abandon(struct mz_fresh *f)
{
	if (f->fd < 0)
		return;
	close(f->fd);
	f->fd = -1;
	unlink(f->unfinished);
}
