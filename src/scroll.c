/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "scroll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- memory */

static unsigned char *map(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool reserve(struct mz_scroll *s, struct mz_err *err)
{
	s->room = s->file.size;
	if (s->room <= s->window)
		s->base = malloc(s->room + 1); /* NULL is none */
	else
		s->base = map(s->room);
	s->mapped = s->base && s->room > s->window;
	return s->base ||
	       mz_fail(err, MZ_internal, "no memory for %s", s->m->path);
}

/* Give whole pages back; what is left of others stays. */
static void forget(const struct mz_scroll *s, size_t from, size_t to)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	from = (from + page - 1) / page * page;
	to = to / page * page;
	if (s->mapped && from < to)
		(void)madvise(s->base + from, to - from, MADV_DONTNEED);
}

static void forget_before(struct mz_scroll *s, size_t at)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (at <= s->forgotten)
		return;
	forget(s, s->forgotten / page * page, at);
	s->forgotten = at;
}

/* ---- reading */

static bool hash_more(struct mz_scroll *s, struct mz_err *err)
{
	struct pgw_view v = { s->base + s->hashed, s->filled - s->hashed };
	char hash[MZ_HASH_LEN + 1];

	s->hashed += mz_hasher_feed(&s->hasher, v, s->eof);
	if (!s->eof)
		return true;
	mz_hasher_final(&s->hasher, hash);
	return strcmp(hash, s->m->hash) == 0 || mz_folder_changed(s->m, err);
}

/* Only whole lines are shown, until there is no more. */
static void show(struct mz_scroll *s)
{
	size_t old = s->text.n, new = s->filled - old;
	const unsigned char *lf = new > 0 ? memrchr(s->base + old, '\n', new) :
					    NULL;

	if (s->eof)
		s->text.n = s->filled;
	else if (lf)
		s->text.n = (size_t)(lf - s->base) + 1;
	if (!s->look || s->text.n == s->given)
		return;
	s->look(s->look_ctx,
		(struct pgw_view){ s->base + s->given, s->text.n - s->given });
	s->given = s->text.n;
}

static bool read_more(struct mz_scroll *s, size_t want, struct mz_err *err)
{
	size_t got = 1;

	if (want > s->room - s->filled)
		want = s->room - s->filled;
	while (want > 0 && got > 0) {
		if (!mz_file_take(&s->file, s->base + s->filled, want, &got))
			return mz_file_fail(&s->file, err);
		s->filled += got;
		want -= got;
	}
	s->eof = got == 0 || s->filled == s->room;
	if (!hash_more(s, err))
		return false;
	show(s);
	return true;
}

bool mz_scroll_open(struct mz_scroll *s, const struct mz_migration *m,
		    size_t window, struct mz_err *err)
{
	*s = (struct mz_scroll){ .m = m, .window = window };
	if (window == 0)
		s->window = MZ_SCROLL_WINDOW;
	mz_hasher_init(&s->hasher);
	if (!mz_file_open_in(&s->file, m->bundle, m->path))
		return mz_file_fail(&s->file, err);
	if (m->size > 0 && m->size != s->file.size)
		return mz_folder_changed(m, err);
	if (!reserve(s, err) || !read_more(s, s->window, err))
		return false;
	mz_statements_begin(&s->list, s->base);
	s->text.p = s->base;
	mz_statements_grow(&s->list, s->text, s->eof);
	return true;
}

void mz_scroll_close(struct mz_scroll *s)
{
	mz_file_close(&s->file);
	if (s->mapped)
		munmap(s->base, s->room);
	else
		free(s->base);
	s->base = NULL;
	s->mapped = false;
}

void mz_scroll_drop(void *scroll)
{
	mz_scroll_close(scroll);
}

/* ---- statements */

/* Where the line of that byte begins, with the line end before it. */
static size_t line_start(const struct mz_scroll *s, size_t at)
{
	const unsigned char *lf = memrchr(s->base + s->forgotten, '\n',
					  at - s->forgotten);

	return lf ? (size_t)(lf - s->base) : s->forgotten;
}

/*
 * What was looked at in vain is looked at again, and so more is read each
 * time: a long statement takes no more than twice its length.
 */
static bool grow(struct mz_scroll *s, struct mz_err *err)
{
	size_t front = mz_statements_front(&s->list);
	size_t vain = s->filled - front;

	if (!s->has_rows)
		forget_before(s, line_start(s, mz_statements_at(&s->list)));
	if (!read_more(s, vain > s->window ? vain : s->window, err))
		return false;
	mz_statements_grow(&s->list, s->text, s->eof);
	return true;
}

static bool pass_rows(struct mz_scroll *s, struct mz_err *err)
{
	struct pgw_view rows = { 0 };

	while (s->has_rows)
		if (!mz_scroll_rows(s, &rows, err))
			return false;
	return true;
}

bool mz_scroll_next(struct mz_scroll *s, struct mz_sql_statement *st,
		    bool *more, struct mz_err *err)
{
	*more = false;
	if (!pass_rows(s, err))
		return false;
	while (s->list.sql.problem == MZ_SQL_OK && !*more) {
		*more = mz_statements_next(&s->list, st);
		if (*more || !s->list.starved)
			break;
		if (!grow(s, err))
			return false;
	}
	s->has_rows = *more && st->data_start > 0;
	s->present = *st;
	return true;
}

bool mz_scroll_rows(struct mz_scroll *s, struct pgw_view *rows,
		    struct mz_err *err)
{
	size_t front = mz_statements_front(&s->list);

	*rows = (struct pgw_view){ 0 };
	forget(s, s->present.data_start, front);
	while (s->has_rows &&
	       !mz_statements_rows(&s->list, &s->present, rows)) {
		if (!s->list.starved)
			s->has_rows = false;
		else if (!grow(s, err))
			return false;
	}
	s->has_rows = s->has_rows && rows->n > 0;
	return true;
}

/* ---- lines */

bool mz_scroll_lines(struct mz_scroll *s, struct pgw_view *lines,
		     struct mz_err *err)
{
	size_t at = s->given;

	if (s->keep_from < s->keep_to) {
		forget_before(s, s->keep_from);
		forget(s, s->keep_to, at);
	} else {
		forget_before(s, at);
	}
	while (s->text.n == at && !s->eof) {
		size_t vain = s->filled - at;

		if (!read_more(s, vain > s->window ? vain : s->window, err))
			return false;
	}
	s->given = s->text.n;
	*lines = (struct pgw_view){ s->base + at, s->given - at };
	return true;
}
