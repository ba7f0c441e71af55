/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "down.h"

#include "script.h"
#include "statements.h"

struct mz_migration mz_down_of(struct mz_arena *a, const struct mz_folder *f,
			       const struct mz_migration *m)
{
	const char *path =
		f->layout == MZ_LAYOUT_FOLDERS ?
			mz_printf(a, "%s/%s/down.sql", f->dir, m->tag) :
			mz_printf(a, "%s/%s.down.sql", f->dir, m->tag);

	return (struct mz_migration){ .tag = m->tag,
				      .path = path,
				      .bundle = f->bundle,
				      .when = m->when,
				      .utf8 = true,
				      .present = true };
}

static const char *why_not(enum mz_sql_kind kind)
{
	if (kind == MZ_SQL_ALONE)
		return "cannot run inside a transaction, which every rollback "
		       "is";
	return "would leave the transaction that rolls it back";
}

/* All of it is to run in the transaction that removes the row. */
static bool stays_inside(const struct mz_migration *down, struct pgw_view text,
			 struct mz_err *err)
{
	struct mz_sql_statement st;
	struct mz_statements list;
	size_t line, column;

	mz_statements_init(&list, text);
	while (mz_statements_next(&list, &st)) {
		if (st.kind == MZ_SQL_PLAIN || st.kind == MZ_SQL_SAVEPOINT ||
		    st.kind == MZ_SQL_COPY_STDIN)
			continue;
		mz_fail(err, MZ_refused, "%s down: %s %s", down->tag,
			st.what ? st.what : "a statement", why_not(st.kind));
		mz_hint(err, "take it out of the script, or run the script by "
			     "hand and then remove the row");
		mz_sql_place(text, st.start, &line, &column);
		return mz_at(err, down->path, line, column);
	}
	return true;
}

/* It may ask for other timeouts, but for no other way to be run. */
static bool asks_for_no_more(const struct mz_migration *down,
			     struct pgw_view text, struct mz_err *err)
{
	struct mz_directives d;
	size_t line, column;

	mz_directives_read(&d, text);
	if (!d.unknown.p && !d.no_transaction)
		return true;
	mz_sql_place(text,
		     (size_t)((d.unknown.p ? d.unknown.p : d.none.p) - text.p),
		     &line, &column);
	mz_fail(err, d.unknown.p ? MZ_usage : MZ_refused,
		"%s down asks to be run in another way", down->tag);
	mz_hint(err, "it runs in a transaction; a comment \"-- mizzle:\" may "
		     "ask for timeouts");
	return mz_at(err, down->path, line, column);
}

bool mz_down_sound(const struct mz_folder *f, const struct mz_migration *down,
		   struct pgw_view text, struct mz_err *err)
{
	return mz_folder_sendable(f, down, text, err) &&
	       asks_for_no_more(down, text, err) &&
	       stays_inside(down, text, err);
}
