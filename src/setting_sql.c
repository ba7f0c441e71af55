/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "setting_sql.h"

#include "sqltext.h"

#include <string.h>

static bool is_overridden(const struct mz_apply_options *o, const char *name)
{
	return (o->lock_timeout_given && strcmp(name, "lock_timeout") == 0) ||
	       (o->statement_timeout_given &&
		strcmp(name, "statement_timeout") == 0);
}

/* set_config with true is SET LOCAL. */
static const char *add(struct mz_arena *a, const char *sql, const char *name,
		       const char *value, bool local)
{
	return mz_printf(a, "%s; SELECT pg_catalog.set_config('%s', %s, %s)",
			 sql, name, mz_quote_literal(a, value),
			 local ? "true" : "false");
}

const char *mz_wanted_sql(struct mz_arena *a, const struct mz_apply_options *o,
			  bool local)
{
	struct pgw_cur cur = pgw_cur_of(o->local);
	const char *sql = "";

	while (!cur.bad && cur.p < cur.end) {
		const char *name = pgw_cur_str(&cur);
		const char *value = pgw_cur_str(&cur);

		if (!cur.bad && !is_overridden(o, name))
			sql = add(a, sql, name, value, local);
	}
	return sql;
}

static const char *add_timeout(struct mz_arena *a, const char *sql,
			       const char *name, int64_t ms)
{
	if (ms <= 0)
		return sql;
	return add(a, sql, name, mz_printf(a, "%lld", (long long)ms), true);
}

const char *mz_timeouts_sql(struct mz_arena *a,
			    const struct mz_apply_options *o)
{
	const char *sql = add_timeout(a, "", "lock_timeout",
				      o->lock_timeout_ms);

	return add_timeout(a, sql, "statement_timeout",
			   o->statement_timeout_ms);
}
