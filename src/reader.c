/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "reader_inner.h"

#include "file.h"
#include "script.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (64u << 10)
#define LINE_MAX_BYTES 4096 /* of a line that is shown */

/* ---- opening and closing */

/* Only whole lines are looked at, until there are no more. */
static void set_text(struct mz_reader *r)
{
	const unsigned char *lf = r->window.len == 0 ?
					  NULL :
					  memrchr(r->window.data, '\n',
						  r->window.len);

	r->text = pgw_buf_view(&r->window);
	if (!r->eof)
		r->text.n = lf ? (size_t)(lf - r->window.data) + 1 : 0;
	r->sql.text = r->text;
}

static void start(struct mz_reader *r)
{
	r->eof = r->fd < 0;
	r->started = false;
	r->line = 1;
	r->line_start = r->given = r->cut_at = r->cut_lines = 0;
	if (r->literal)
		pgw_buf_put_text(&r->window, r->literal);
	mz_sql_init(&r->sql, r->text);
	r->sql.backslash = true;
	set_text(r);
}

static void init(struct mz_reader *r, const char *name)
{
	*r = (struct mz_reader){ .name = name, .fd = -1, .interrupt_fd = -1 };
	pgw_buf_init(&r->window, MZ_FILE_MAX);
	pgw_buf_init(&r->head, MZ_FILE_MAX);
	pgw_buf_init(&r->rest, MZ_FILE_MAX);
}

static void look_at_file(struct mz_reader *r)
{
	struct stat st;

	r->rewinds = fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode);
	if (r->rewinds)
		r->origin = lseek(r->fd, 0, SEEK_CUR);
	r->rewinds = r->rewinds && r->origin >= 0;
}

static bool unreadable(const struct mz_reader *r, int error, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "cannot read %s: %s", r->name, strerror(error));
	return r->path ? mz_at(err, r->path, 0, 0) : false;
}

bool mz_reader_open(struct mz_reader *r, const char *path, int interrupt_fd,
		    struct mz_err *err)
{
	bool standard = strcmp(path, "-") == 0;

	init(r, standard ? "stdin" : path);
	r->interrupt_fd = interrupt_fd;
	r->path = standard ? NULL : path;
	r->owned = !standard;
	/* a pipe that nobody writes to yet is waited for when it is read */
	r->fd = standard ? STDIN_FILENO : pgw_open(path, O_RDONLY | O_NONBLOCK);
	if (r->fd < 0)
		return unreadable(r, errno, err);
	look_at_file(r);
	start(r);
	return true;
}

void mz_reader_text(struct mz_reader *r, const char *name, const char *text)
{
	init(r, name);
	r->literal = text;
	r->rewinds = true;
	start(r);
}

void mz_reader_rows_only(struct mz_reader *r, int interrupt_fd)
{
	init(r, "stdin");
	r->fd = STDIN_FILENO;
	r->interrupt_fd = interrupt_fd;
	r->raw = true;
	start(r);
	look_at_file(r);
}

void mz_reader_close(struct mz_reader *r)
{
	if (r->owned && r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	pgw_buf_release(&r->window);
	pgw_buf_release(&r->head);
	pgw_buf_release(&r->rest);
}

bool mz_reader_rewind(struct mz_reader *r, struct mz_err *err)
{
	if (r->fd >= 0 && lseek(r->fd, (off_t)r->origin, SEEK_SET) < 0)
		return unreadable(r, errno, err);
	pgw_buf_drop(&r->window, r->window.len);
	start(r);
	return true;
}

/* ---- the window */

/* Lines that are missing in the window before the byte at. */
static size_t missing_lines(const struct mz_reader *r, size_t at)
{
	return at >= r->cut_at ? r->cut_lines : 0;
}

size_t mz_reader_line_of(const struct mz_reader *r, size_t at)
{
	return r->line + mz_sql_lines((struct pgw_view){ r->window.data, at }) +
	       missing_lines(r, at);
}

void mz_reader_drop(struct mz_reader *r, size_t n)
{
	if (n == 0)
		return;
	r->line = mz_reader_line_of(r, n);
	if (n >= r->cut_at)
		r->cut_at = r->cut_lines = 0;
	else
		r->cut_at -= n;
	pgw_buf_drop(&r->window, n);
	r->sql.at -= n < r->sql.at ? n : r->sql.at;
	r->sql.line_at = 0;
	r->sql.line = 1;
	r->sql.seen.at = 0;
	r->line_start -= n < r->line_start ? n : r->line_start;
	set_text(r);
}

static bool read_some(struct mz_reader *r, unsigned char *piece, ssize_t *n,
		      struct mz_err *err)
{
	do {
		if (!mz_signals_wait(r->fd, r->interrupt_fd, err))
			return false;
		*n = read(r->fd, piece, PIECE);
	} while (*n < 0 && (errno == EINTR || errno == EAGAIN));
	return *n >= 0 || unreadable(r, errno, err);
}

static bool is_utf16(const struct pgw_buf *b)
{
	return b->len >= 2 && ((b->data[0] == 0xff && b->data[1] == 0xfe) ||
			       (b->data[0] == 0xfe && b->data[1] == 0xff));
}

/* What editors put before a script; psql passes over it, too. */
static bool look_at_start(struct mz_reader *r, struct mz_err *err)
{
	if (r->started || r->raw || (r->window.len < 3 && !r->eof))
		return true;
	r->started = true;
	if (is_utf16(&r->window)) {
		mz_fail(err, MZ_usage, "%s is UTF-16, not UTF-8", r->name);
		mz_hint(err, "save it as UTF-8; PowerShell's > writes UTF-16");
		return mz_at(err, r->name, 0, 0);
	}
	if (r->window.len >= 3 &&
	    memcmp(r->window.data, "\xef\xbb\xbf", 3) == 0)
		pgw_buf_drop(&r->window, 3);
	return true;
}

/* As much again as there is, so that a long statement is not read for ever. */
bool mz_reader_fill(struct mz_reader *r, struct mz_err *err)
{
	size_t want = r->window.len > PIECE ? r->window.len : PIECE;
	MZ_ROOM unsigned char piece[PIECE];
	ssize_t n;

	while (want > 0 && !r->eof) {
		if (!read_some(r, piece, &n, err))
			return false;
		r->eof = n == 0;
		pgw_buf_put(&r->window, piece, (size_t)n);
		if (r->window.failed)
			return mz_fail(err, MZ_usage,
				       "%s has a statement or a row of more "
				       "than 1 GiB",
				       r->name);
		want -= (size_t)n < want ? (size_t)n : want;
		if (!look_at_start(r, err))
			return false;
		if (!r->rewinds && memchr(piece, '\n', (size_t)n))
			break; /* whoever writes it may wait for us */
	}
	set_text(r);
	return true;
}

void mz_reader_restart(struct mz_reader *r)
{
	r->line_start = 0;
	r->sql.at = 0;
	r->sql.seen.at = 0;
	r->sql.line_at = 0;
	r->sql.line = 1;
	set_text(r);
}

/* ---- statements */

static bool fail_at(const struct mz_reader *r, const char *message,
		    const char *hint, size_t at, struct mz_err *err)
{
	size_t line, column;

	mz_fail(err, MZ_usage, "%s %s", r->name, message);
	mz_hint(err, "%s", hint);
	mz_reader_place(r, at, &line, &column);
	return mz_at(err, r->name, line, column);
}

bool mz_reader_fail(const struct mz_reader *r, struct mz_err *err)
{
	struct mz_script_problem p;

	mz_script_describe(&r->sql, &p);
	return fail_at(r, p.message, p.hint, p.at, err);
}

static bool is_sendable(const struct mz_reader *r,
			const struct mz_sql_statement *st, struct mz_err *err)
{
	const unsigned char *start = r->text.p + st->start;
	const unsigned char *nul = memchr(start, '\0', st->end - st->start);

	return !nul ||
	       fail_at(r, "has a NUL byte, which the protocol cannot carry",
		       "remove it", (size_t)(nul - r->text.p), err);
}

/* What is before the present line is not needed any more. */
static void pass_lines(struct mz_reader *r)
{
	size_t from = r->line_start, n = r->sql.at - from;
	const unsigned char *lf = n ? memrchr(r->text.p + from, '\n', n) : NULL;

	if (lf)
		r->line_start = (size_t)(lf - r->text.p) + 1;
	if (r->line_start > PIECE || r->line_start == r->text.n)
		mz_reader_drop(r, r->line_start);
}

bool mz_reader_next(struct mz_reader *r, struct mz_sql_statement *st,
		    bool *more, struct mz_err *err)
{
	pass_lines(r);
	for (;;) {
		struct mz_sql before = r->sql;

		*more = mz_sql_next(&r->sql, st);
		if (*more && (st->ended || r->eof))
			break;
		if (r->sql.problem == MZ_SQL_BACKSLASH ||
		    (r->eof && r->sql.problem != MZ_SQL_OK))
			return mz_reader_fail(r, err);
		if (r->eof)
			return true;
		mz_sql_back(&r->sql, &before);
		if (!mz_reader_fill(r, err))
			return false;
	}
	st->line += r->line - 1 + missing_lines(r, st->start);
	return is_sendable(r, st, err);
}

void mz_reader_place(const struct mz_reader *r, size_t at, size_t *line,
		     size_t *column)
{
	mz_sql_place(r->text, at, line, column);
	*line = mz_reader_line_of(r, at);
}

/* ---- one line again */

const char *mz_reader_line(const struct mz_reader *r, struct mz_arena *a,
			   size_t line)
{
	char found[LINE_MAX_BYTES];
	unsigned char piece[PIECE];
	off_t at = (off_t)r->origin;
	size_t kept = 0;
	ssize_t n;

	if (r->fd < 0 || !r->rewinds || line == 0)
		return NULL;
	while (line > 0 && (n = pread(r->fd, piece, sizeof(piece), at)) > 0) {
		at += n;
		for (ssize_t i = 0; i < n && line > 0; i++) {
			if (piece[i] == '\n')
				line--;
			else if (line == 1 && kept < sizeof(found))
				found[kept++] = (char)piece[i];
		}
	}
	if (kept > 0 && found[kept - 1] == '\r')
		kept--;
	return line <= 1 ? mz_strndup(a, found, kept) : NULL;
}
