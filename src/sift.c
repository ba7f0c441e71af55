/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sift.h"

#include "script.h"

#include <string.h>

struct sifter {
	struct mz_sifted *out;
	struct mz_arena *arena;
	const struct mz_migration *m;
	struct mz_directives asked;
	bool begun;   /* that is known */
	size_t lines; /* that were looked at */
	bool markers; /* there may be a conflict */
	bool ill;     /* err tells of a statement that cannot be sent */

	/* The first problem of the first kind that there is */
	size_t kind; /* mz_script_tests() = none */
	struct mz_script_problem problem;
	size_t line, column;
};

static bool fail(const struct sifter *f, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "%s %s", f->m->path, f->problem.message);
	mz_hint(err, "%s", f->problem.hint);
	return mz_at(err, f->m->path, f->line, f->column);
}

/* ---- bytes */

static void test_lines(struct sifter *f, struct pgw_view lines, bool first,
		       size_t line)
{
	struct mz_script_problem p;

	for (size_t k = 0; k < f->kind; k++) {
		enum mz_script_scope scope = mz_script_scope(k);

		if (scope == MZ_SCOPE_WHOLE ||
		    (scope == MZ_SCOPE_START && !first) ||
		    !mz_script_find(lines, k, &p))
			continue;
		f->kind = k;
		f->problem = p;
		mz_sql_place(lines, p.at, &f->line, &f->column);
		f->line += line;
	}
}

/* What is said of all of a file stands in the comments at its beginning. */
static void look_at_start(struct sifter *f, struct mz_scroll *s)
{
	struct pgw_view text = { s->base, s->given };
	struct pgw_view *unknown = &f->asked.unknown;

	f->out->introspection = mz_script_is_introspection(text);
	s->keep_to = s->given;
	if (mz_directives_go_on(text) && !s->eof)
		return;
	s->keep_to = 0;
	f->begun = true;
	mz_directives_read(&f->asked, text);
	f->asked.none = (struct pgw_view){ 0 };
	if (!unknown->p)
		return;
	mz_sql_place(text, (size_t)(unknown->p - text.p), &f->out->line,
		     &f->out->column);
	unknown->p = (const unsigned char *)mz_strndup(f->arena,
						       (const char *)unknown->p,
						       unknown->n);
}

static void look_at_lines(void *ctx, struct pgw_view lines)
{
	struct sifter *f = ctx;

	test_lines(f, lines, f->lines == 0, f->lines);
	f->markers = f->markers || mz_script_has_markers(lines);
	f->lines += mz_sql_lines(lines);
}

/* Until it is known what the file asks for. */
static bool sift_start(struct sifter *f, struct mz_scroll *s,
		       struct mz_err *err)
{
	struct pgw_view lines = { NULL, 1 };

	while (!f->begun && lines.n > 0) {
		if (!mz_scroll_lines(s, &lines, err))
			return false;
		if (lines.n == 0)
			break;
		look_at_lines(f, lines);
		look_at_start(f, s);
	}
	return true;
}

/* What its bytes are counts more than what its statements are. */
static bool sift_end(struct sifter *f, struct mz_scroll *s, struct mz_err *err)
{
	struct pgw_view lines;

	s->look = NULL;
	while (mz_scroll_lines(s, &lines, err)) {
		if (lines.n == 0)
			return f->kind < mz_script_tests() ? fail(f, err) :
							     !f->ill;
		look_at_lines(f, lines);
	}
	return false;
}

/* ---- statements */

static bool fail_at_conflict(struct sifter *f, const struct mz_statements *list,
			     size_t from, size_t end, struct mz_err *err)
{
	size_t at = mz_script_conflict_within(list->text, from, end), unused;
	struct mz_statements there = *list;

	if (at == end)
		return true;
	there.sql.problem_at = at - list->chunk_at;
	mz_script_describe_conflict(&f->problem);
	mz_statements_problem(&there, &unused, &f->line, &f->column);
	return fail(f, err);
}

static bool fail_at_problem(struct sifter *f, const struct mz_statements *list,
			    struct mz_err *err)
{
	size_t unused;
	const char *hint = mz_script_hint(list->sql.problem,
					  f->out->introspection, list->rest.p);

	if (f->markers &&
	    !fail_at_conflict(f, list, list->from, list->text.n, err))
		return false;
	mz_script_describe(&list->sql, &f->problem);
	if (hint)
		f->problem.hint = hint;
	mz_statements_problem(list, &unused, &f->line, &f->column);
	return fail(f, err);
}

/* False when the file is not what it was. */
static bool sift_statements(struct sifter *f, struct mz_scroll *s,
			    struct mz_err *err)
{
	struct mz_dangers_taker dangers = { .d = &f->out->dangers,
					    .arena = f->arena };
	struct mz_surveyor v;
	struct mz_sql_statement st;
	bool more;

	mz_surveyor_init(&v, &f->out->survey, &f->asked);
	v.arena = f->arena;
	s->look = look_at_lines;
	s->look_ctx = f;
	mz_statements_grow(&s->list, s->text, s->eof);
	while (mz_scroll_next(s, &st, &more, err)) {
		if (f->kind < mz_script_tests())
			return true;
		if (!more)
			f->ill = s->list.sql.problem != MZ_SQL_OK &&
				 !fail_at_problem(f, &s->list, err);
		else if (f->markers)
			f->ill = !fail_at_conflict(f, &s->list, st.start,
						   st.end, err);
		if (!more || f->ill)
			return true;
		mz_surveyor_take(&v, &s->list, &st);
		mz_dangers_take(&dangers, &s->list, &st);
	}
	return false;
}

bool mz_sift(struct mz_sifted *out, struct mz_arena *a,
	     const struct mz_migration *m, size_t window, struct mz_err *err)
{
	struct sifter f = {
		.out = out, .arena = a, .m = m, .kind = mz_script_tests()
	};
	struct mz_scroll s = { .file.fd = -1 };
	struct mz_hold hold;
	bool ok;

	*out = (struct mz_sifted){ 0 };
	mz_hold(a, &hold, mz_scroll_drop, &s);
	ok = mz_scroll_open(&s, m, window, err) && sift_start(&f, &s, err) &&
	     sift_statements(&f, &s, err) && sift_end(&f, &s, err);
	mz_let_go(a, &hold);
	mz_scroll_close(&s);
	return ok;
}
