/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (64u << 10)

static bool give_up(struct mz_file *f, enum mz_file_problem problem, int error)
{
	mz_file_close(f);
	f->problem = problem;
	f->error = error;
	return false;
}

static enum mz_file_problem problem_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return MZ_FILE_MISSING;
	case EACCES:
	case EPERM:
		return MZ_FILE_DENIED;
	case EISDIR:
		return MZ_FILE_IS_DIR;
	case ENXIO: /* a socket */
		return MZ_FILE_SPECIAL;
	default:
		return MZ_FILE_BROKEN;
	}
}

bool mz_file_open(struct mz_file *f, const char *path)
{
	struct stat st;

	*f = (struct mz_file){ .path = path, .fd = -1, .limit = MZ_FILE_MAX };
	/* O_NONBLOCK: opening a pipe that nobody writes to must not hang. */
	f->fd = pgw_open(path, O_RDONLY | O_NONBLOCK);
	if (f->fd < 0)
		return give_up(f, problem_of(errno), errno);
	if (fstat(f->fd, &st) != 0)
		return give_up(f, MZ_FILE_BROKEN, errno);
	if (S_ISDIR(st.st_mode))
		return give_up(f, MZ_FILE_IS_DIR, EISDIR);
	if (!S_ISREG(st.st_mode))
		return give_up(f, MZ_FILE_SPECIAL, EINVAL);
	if (st.st_size >= (off_t)MZ_FILE_MAX)
		return give_up(f, MZ_FILE_TOO_LARGE, EFBIG);
	f->size = (size_t)st.st_size;
	return true;
}

static bool open_packed(struct mz_file *f)
{
	const char *below = mz_bundle_below(f->bundle, f->path);

	f->packed = mz_bundle_find(f->bundle, f->path);
	if (!f->packed && below && mz_bundle_has_dir(f->bundle, below))
		return give_up(f, MZ_FILE_IS_DIR, EISDIR);
	if (!f->packed)
		return give_up(f, MZ_FILE_MISSING, ENOENT);
	if (f->packed->size >= MZ_FILE_MAX)
		return give_up(f, MZ_FILE_TOO_LARGE, EFBIG);
	f->size = f->packed->size;
	return true;
}

bool mz_file_open_in(struct mz_file *f, struct mz_bundle *bundle,
		     const char *path)
{
	if (!bundle)
		return mz_file_open(f, path);
	*f = (struct mz_file){
		.path = path, .fd = -1, .bundle = bundle, .limit = MZ_FILE_MAX
	};
	return open_packed(f);
}

void mz_file_close(struct mz_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static bool take_packed(struct mz_file *f, void *out, size_t room, size_t *got)
{
	size_t n = f->size - f->read;

	if (n > room)
		n = room;
	if (!mz_bundle_copy(f->bundle, f->packed->at + f->read, out, n))
		return give_up(f, MZ_FILE_BROKEN, EBADMSG);
	if (n >= f->limit - f->read)
		return give_up(f, MZ_FILE_TOO_LARGE, EFBIG);
	f->read += n;
	*got = n;
	return true;
}

bool mz_file_take(struct mz_file *f, void *out, size_t room, size_t *got)
{
	ssize_t n = 0;

	*got = 0;
	if (f->bundle)
		return take_packed(f, out, room, got);
	/* The size was told: the call that would only say 0 is saved. */
	if (f->read > 0 && f->read == f->size)
		return true;
	do
		n = read(f->fd, out, room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return give_up(f, problem_of(errno), errno);
	if ((size_t)n >= f->limit - f->read)
		return give_up(f, MZ_FILE_TOO_LARGE, EFBIG);
	f->read += (size_t)n;
	*got = (size_t)n;
	return true;
}

bool mz_file_read(struct mz_file *f, const char *path, struct pgw_buf *text)
{
	return mz_file_read_in(f, NULL, path, text);
}

bool mz_file_read_in(struct mz_file *f, struct mz_bundle *bundle,
		     const char *path, struct pgw_buf *text)
{
	MZ_ROOM unsigned char piece[PIECE];
	size_t got;

	if (!mz_file_open_in(f, bundle, path))
		return false;
	if (f->limit > text->max - text->len)
		f->limit = text->max - text->len + 1;
	do {
		if (!mz_file_take(f, piece, sizeof(piece), &got))
			return false;
		pgw_buf_put(text, piece, got);
		if (text->failed)
			return give_up(f, MZ_FILE_BROKEN, ENOMEM);
	} while (got > 0);
	mz_file_close(f);
	return true;
}

bool mz_file_fail(const struct mz_file *f, struct mz_err *err)
{
	const char *path = f->path;

	switch (f->problem) {
	case MZ_FILE_MISSING:
		mz_fail(err, MZ_usage, "%s is missing", path);
		mz_hint(err, "restore it from version control");
		break;
	case MZ_FILE_IS_DIR:
		mz_fail(err, MZ_usage, "%s is a directory, not a file", path);
		mz_hint(err, "put the file itself there; a container runtime "
			     "makes a directory of a mount whose source does "
			     "not exist");
		break;
	case MZ_FILE_SPECIAL:
		mz_fail(err, MZ_usage, "%s is not a plain file", path);
		mz_hint(err, "put a plain file there");
		break;
	case MZ_FILE_DENIED:
		mz_fail(err, MZ_usage, "%s cannot be read: permission denied",
			path);
		mz_hint(err,
			"let the user with id %ju read it, for example "
			"with chmod a+r",
			(uintmax_t)geteuid());
		break;
	case MZ_FILE_TOO_LARGE:
		if (f->limit == MZ_FILE_MAX)
			mz_fail(err, MZ_usage, "%s is larger than 1 GiB", path);
		else
			mz_fail(err, MZ_usage, "%s is larger than %zu KiB",
				path, f->limit >> 10);
		mz_hint(err, "split it, or load bulk data in another way");
		break;
	case MZ_FILE_OK:
	case MZ_FILE_BROKEN:
		mz_fail(err, f->error == ENOMEM ? MZ_internal : MZ_usage,
			"%s cannot be read: %s", path, strerror(f->error));
		break;
	}
	return mz_at(err, path, 0, 0);
}
