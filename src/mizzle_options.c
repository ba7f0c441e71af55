/* SPDX-License-Identifier: MIT */
/* What a program asks for, which may be anything, checked. */
#include <config.h>

#include "mizzle_inner.h"

#include <string.h>

/* Larger than any struct mizzle_options will be: what is larger is none. */
#define SIZE_LIMIT 4096

/* What the first version had; none is shorter. */
#define SIZE_LEAST sizeof(struct mizzle_options)

#define AT(field) offsetof(struct mizzle_options, field)

static const struct {
	size_t at;
	enum mz_option_id id;
} texts[] = {
	{ AT(url), MZ_OPT_url },       { AT(dir), MZ_OPT_dir },
	{ AT(schema), MZ_OPT_schema }, { AT(table), MZ_OPT_table },
	{ AT(to), MZ_OPT_to },	       { AT(approve), MZ_OPT_approve },
};

static const struct {
	const char *name;
	size_t at;
	int32_t most;
} choices[] = {
	{ "transaction", AT(transaction), MIZZLE_ALL },
	{ "out_of_order", AT(out_of_order), MIZZLE_ORDER_SKIP },
	{ "allow_modified", AT(allow_modified), 1 },
	{ "allow_missing", AT(allow_missing), 1 },
	{ "require_approval", AT(require_approval), 1 },
	{ "no_monitor", AT(no_monitor), 1 },
	{ "statements", AT(statements), 1 },
	{ "environment", AT(environment), 1 },
	{ "reserved", AT(reserved), 0 },
};

static const struct {
	const char *name;
	size_t at;
} durations[] = {
	{ "wait", AT(wait) },
	{ "lock_wait", AT(lock_wait) },
	{ "lock_timeout", AT(lock_timeout) },
	{ "statement_timeout", AT(statement_timeout) },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void mizzle_options_init(struct mizzle_options *o, size_t size)
{
	struct mz_options preset;
	struct mizzle_options known = { .size = size };
	struct mz_err ignored;

	if (!o || size < sizeof(o->size) || size > SIZE_LIMIT)
		return;
	if (mz_options_preset(&preset, &ignored)) {
		known.wait = preset.wait;
		known.lock_wait = preset.lock_wait;
		known.lock_timeout = preset.lock_timeout;
		known.statement_timeout = preset.statement_timeout;
		known.lock_retries = preset.lock_retries;
	}
	memset(o, 0, size);
	memcpy(o, &known, size < sizeof(known) ? size : sizeof(known));
}

/* ---- what they are */

/* A newer program may know more, as long as it does not ask for it. */
static bool copy(struct mizzle_options *to, const struct mizzle_options *from,
		 struct mz_err *err)
{
	const unsigned char *bytes = (const unsigned char *)from;

	if (!from || from->size < SIZE_LEAST || from->size > SIZE_LIMIT) {
		mz_fail(err, MZ_usage, "there are no options, or of no size");
		return mz_hint(err, "call mizzle_options_init(&o, sizeof(o)) "
				    "before anything is set");
	}
	for (size_t i = sizeof(*to); i < from->size; i++)
		if (bytes[i] != 0)
			return mz_fail(err, MZ_usage,
				       "an option is set that mizzle %s does "
				       "not know",
				       PACKAGE_VERSION);
	memcpy(to, from, sizeof(*to));
	return true;
}

static bool check_choices(const struct mizzle_options *o, struct mz_err *err)
{
	const char *bytes = (const char *)o;

	for (size_t i = 0; i < COUNT(choices); i++) {
		int32_t value;

		memcpy(&value, bytes + choices[i].at, sizeof(value));
		if (value < 0 || value > choices[i].most)
			return mz_fail(err, MZ_usage,
				       "%s: %d is not from 0 to %d",
				       choices[i].name, value, choices[i].most);
	}
	return true;
}

static bool check_durations(const struct mizzle_options *o, struct mz_err *err)
{
	const char *bytes = (const char *)o;

	for (size_t i = 0; i < COUNT(durations); i++) {
		int64_t value;

		memcpy(&value, bytes + durations[i].at, sizeof(value));
		if (value < 0 || value > INT32_MAX)
			return mz_fail(err, MZ_usage,
				       "%s: %lld is not from 0 to %d ms",
				       durations[i].name, (long long)value,
				       INT32_MAX);
	}
	return true;
}

/* ---- what they become */

static bool take_texts(struct mizzle *m, const struct mizzle_options *o,
		       struct mz_err *err)
{
	const char *bytes = (const char *)o;

	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *text;

		memcpy(&text, bytes + texts[i].at, sizeof(text));
		if (text && !mz_options_set(&m->opt, texts[i].id,
					    mz_strdup(&m->own, text),
					    MZ_FROM_OPTION, err))
			return false;
	}
	return true;
}

/* What is as it was preset was not given: a variable may say it. */
static void take_duration(struct mz_options *opt, enum mz_option_id id,
			  int64_t *to, int64_t ms)
{
	if (*to == ms)
		return;
	*to = ms;
	opt->from[id] = MZ_FROM_OPTION;
}

static void take_numbers(struct mz_options *opt, const struct mizzle_options *o)
{
	take_duration(opt, MZ_OPT_wait, &opt->wait, o->wait);
	take_duration(opt, MZ_OPT_lock_wait, &opt->lock_wait, o->lock_wait);
	take_duration(opt, MZ_OPT_lock_timeout, &opt->lock_timeout,
		      o->lock_timeout);
	take_duration(opt, MZ_OPT_statement_timeout, &opt->statement_timeout,
		      o->statement_timeout);
	opt->lock_retries = o->lock_retries;
	opt->transaction = (mz_kind_transaction)o->transaction;
	opt->out_of_order = (mz_kind_order)o->out_of_order;
	opt->allow_modified = o->allow_modified;
	opt->allow_missing = o->allow_missing;
	opt->require_approval = o->require_approval;
	opt->no_monitor = o->no_monitor || !o->event;
}

static bool has_place(const struct mizzle_options *o, struct mz_err *err)
{
	if (o->url || o->environment)
		return true;
	mz_fail(err, MZ_usage, "url is not given");
	return mz_hint(err, "say where the database is, or let environment be "
			    "1 to take DATABASE_URL and libpq's variables");
}

bool mz_mizzle_take(struct mizzle *m, const struct mizzle_options *asked,
		    struct mz_err *err)
{
	struct mizzle_options o = { 0 };

	if (!copy(&o, asked, err) || !check_choices(&o, err) ||
	    !check_durations(&o, err) || !has_place(&o, err) ||
	    !mz_options_preset(&m->opt, err) || !take_texts(m, &o, err))
		return false;
	take_numbers(&m->opt, &o);
	m->environment = o.environment;
	m->event = o.event;
	m->event_ctx = o.ctx;
	m->audience.events.statements = o.event && o.statements;
	return true;
}
