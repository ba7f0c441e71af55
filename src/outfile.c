/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void mz_making_init(struct mz_making *m, struct mz_arena *a)
{
	*m = (struct mz_making){ .arena = a };
}

bool mz_cannot_write(const char *path, int error, struct mz_err *err)
{
	if (error == EEXIST) {
		mz_fail(err, MZ_usage, "%s is there already; nothing was made",
			path);
		mz_hint(err, "choose another name, or remove it if it is a "
			     "left-over");
		return mz_at(err, path, 0, 0);
	}
	mz_fail(err, MZ_usage, "%s cannot be written: %s; nothing was made",
		path, strerror(error));
	if (error == EACCES || error == EPERM)
		mz_hint(err, "let the user with id %ju write to the folder",
			(uintmax_t)geteuid());
	else if (error == EROFS)
		mz_hint(err, "the file system is mounted read-only");
	else if (error == ENOSPC || error == EDQUOT)
		mz_hint(err, "make room, then run it again");
	return mz_at(err, path, 0, 0);
}

static void note(struct mz_making *m, const char *path, bool is_dir)
{
	m->made = mz_grow(m->arena, m->made, m->count, &m->room,
			  sizeof(*m->made));
	m->made[m->count].path = mz_strdup(m->arena, path);
	m->made[m->count].is_dir = is_dir;
	m->count++;
}

bool mz_making_dir(struct mz_making *m, const char *path, struct mz_err *err)
{
	int error;

	note(m, path, true);
	if (mkdir(path, 0777) == 0)
		return true;
	error = errno;
	m->count--;
	mz_cannot_write(path, error, err);
	errno = error;
	return false;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What should become a directory is something else. */
static bool not_dir(const char *path, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "%s is not a folder; nothing was made", path);
	mz_hint(err, "name the folder of your migrations with --dir");
	return mz_at(err, path, 0, 0);
}

bool mz_making_dirs(struct mz_making *m, const char *path, struct mz_err *err)
{
	size_t n = strlen(path), at = 0;

	while (at < n) {
		const char *part;

		at += strspn(path + at, "/");
		at += strcspn(path + at, "/");
		part = mz_strndup(m->arena, path, at);
		if (is_dir(part) || mz_making_dir(m, part, err))
			continue;
		if (errno != EEXIST)
			return false;
		/* another process may have made it meanwhile */
		if (!is_dir(part))
			return not_dir(part, err);
	}
	return true;
}

/* False with errno set; the file is on the disk when this returns. */
static bool write_all(int fd, struct pgw_view text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text.p += n;
		text.n -= (size_t)n;
	}
	/* some file systems cannot, and say EINVAL */
	return fsync(fd) == 0 || errno == EINVAL;
}

/* Closes fd. */
static bool finish(int fd, struct pgw_view text, const char *path,
		   struct mz_err *err)
{
	int error = write_all(fd, text) ? 0 : errno;

	if (close(fd) != 0 && error == 0)
		error = errno;
	return error == 0 || mz_cannot_write(path, error, err);
}

bool mz_making_file(struct mz_making *m, const char *path, struct pgw_view text,
		    struct mz_err *err)
{
	int fd;

	note(m, path, false);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0666);
	if (fd >= 0)
		return finish(fd, text, path, err);
	m->count--;
	return mz_cannot_write(path, errno, err);
}

/* Mode and, as far as that is allowed, owner of the old one. */
static bool take_after(int fd, const char *old, const char *path,
		       struct mz_err *err)
{
	struct stat st;

	if (stat(old, &st) != 0)
		return mz_cannot_write(path, errno, err);
	if (fchown(fd, st.st_uid, st.st_gid) != 0)
		errno = 0; /* then it is ours */
	return fchmod(fd, st.st_mode & 07777) == 0 ||
	       mz_cannot_write(path, errno, err);
}

static bool swap(const char *real, struct pgw_view text, const char *path,
		 struct mz_arena *a, struct mz_err *err)
{
	char *fresh = mz_printf(a, "%s.XXXXXX", real);
	int fd = mkostemp(fresh, O_CLOEXEC);

	if (fd < 0)
		return mz_cannot_write(path, errno, err);
	if (!take_after(fd, real, path, err)) {
		close(fd);
	} else if (finish(fd, text, path, err)) {
		if (rename(fresh, real) == 0)
			return true;
		mz_cannot_write(path, errno, err);
	}
	unlink(fresh);
	return false;
}

bool mz_making_replace(struct mz_making *m, const char *path,
		       struct pgw_view text, struct mz_err *err)
{
	char *real = realpath(path, NULL);
	bool ok;

	if (!real)
		return mz_cannot_write(path, errno, err);
	ok = swap(real, text, path, m->arena, err);
	free(real);
	return ok;
}

void mz_making_undo(struct mz_making *m)
{
	while (m->count > 0) {
		const struct mz_made *one = &m->made[--m->count];

		if (one->is_dir)
			rmdir(one->path);
		else
			unlink(one->path);
	}
}
