/* SPDX-License-Identifier: MIT */
/*
 * The edges of mizzle.h: what a program may hand over, and what it is told
 * then.  With a server: tests/it/library.py.
 */
#include <config.h>

#include "mizzle.h"
#include "tree.h"
#include "unit.h"

#include <dirent.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

static struct mizzle *m;
static struct mizzle_options o;

static void before(void)
{
	m = NULL;
	mizzle_options_init(&o, sizeof(o));
	o.url = "postgresql://nobody@127.0.0.1:1/none";
	o.dir = "/nonexistent";
}

static void after(void)
{
	mizzle_close(m);
}

static bool says(const char *message)
{
	return strstr(mizzle_error(m)->message, message) != NULL;
}

/* Opening fails so; so do the calls, without doing anything. */
static void refused(const struct mizzle_options *options, const char *message)
{
	ck_assert_int_eq(mizzle_open(&m, options), MIZZLE_USAGE);
	ck_assert_ptr_nonnull(m);
	ck_assert_msg(says(message), "%s", mizzle_error(m)->message);
	ck_assert_int_eq(mizzle_migrate(m), MIZZLE_USAGE);
	ck_assert_int_eq(mizzle_status(m, NULL, NULL), MIZZLE_USAGE);
	ck_assert_msg(says(message), "%s", mizzle_error(m)->message);
	ck_assert_uint_eq(mizzle_result(m)->round_trips, 0);
	mizzle_close(m);
	m = NULL;
}

START_TEST(null_is_refused_everywhere)
{
	ck_assert_int_eq(mizzle_open(NULL, &o), MIZZLE_USAGE);
	refused(NULL, "there are no options");
	ck_assert_int_eq(mizzle_migrate(NULL), MIZZLE_USAGE);
	ck_assert_int_eq(mizzle_status(NULL, NULL, NULL), MIZZLE_USAGE);
	mizzle_cancel(NULL);
	mizzle_close(NULL);
	mizzle_options_init(NULL, sizeof(o));
	ck_assert_int_eq(mizzle_error(NULL)->code, MIZZLE_INTERNAL);
	ck_assert_str_ne(mizzle_error(NULL)->message, "");
	ck_assert_uint_eq(mizzle_result(NULL)->applied, 0);
}

END_TEST

START_TEST(options_of_no_size_are_refused)
{
	static const size_t sizes[] = {
		0,	 1, sizeof(o.size), sizeof(o) - 1, 4097, SIZE_MAX / 2,
		SIZE_MAX
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		o.size = sizes[i];
		refused(&o, "of no size");
	}
}

END_TEST

START_TEST(options_of_a_newer_program_count_unless_they_are_unknown)
{
	struct {
		struct mizzle_options known;
		uint64_t later;
	} newer;

	memset(&newer, 0xff, sizeof(newer));
	mizzle_options_init(&newer.known, sizeof(newer));
	ck_assert_uint_eq(newer.later, 0);
	ck_assert_uint_eq(newer.known.size, sizeof(newer));
	newer.known.url = o.url;
	ck_assert_int_eq(mizzle_open(&m, &newer.known), MIZZLE_OK);
	mizzle_close(m);
	newer.later = 1;
	refused(&newer.known, "does not know");
}

END_TEST

START_TEST(nothing_is_written_behind_options_that_are_shorter)
{
	struct mizzle_options space;

	memset(&space, 0x55, sizeof(space));
	mizzle_options_init(&space, sizeof(space) - 8);
	ck_assert_uint_eq(space.size, sizeof(space) - 8);
	for (size_t i = sizeof(space) - 8; i < sizeof(space); i++)
		ck_assert_uint_eq(((unsigned char *)&space)[i], 0x55);
	mizzle_options_init(&space, 4);
	ck_assert_uint_eq(space.size, sizeof(space) - 8);
}

END_TEST

START_TEST(presets_are_those_of_the_command)
{
	ck_assert_uint_eq(o.size, sizeof(o));
	ck_assert_int_eq(o.lock_wait, 300000);
	ck_assert_uint_eq(o.lock_retries, 10);
	ck_assert_int_eq(o.wait, 0);
	ck_assert_int_eq(o.lock_timeout, 0);
	ck_assert_int_eq(o.statement_timeout, 0);
	ck_assert_int_eq(o.transaction, MIZZLE_EACH);
	ck_assert_int_eq(o.out_of_order, MIZZLE_ORDER_AUTO);
	ck_assert_int_eq(o.environment, 0);
	ck_assert_ptr_null(o.schema);
}

END_TEST

START_TEST(what_is_out_of_range_is_named)
{
	static const struct {
		const char *name;
		size_t at;
		int32_t value;
	} cases[] = {
		{ "transaction", offsetof(struct mizzle_options, transaction),
		  MIZZLE_ALL + 1 },
		{ "transaction", offsetof(struct mizzle_options, transaction),
		  -1 },
		{ "out_of_order", offsetof(struct mizzle_options, out_of_order),
		  MIZZLE_ORDER_SKIP + 1 },
		{ "allow_modified",
		  offsetof(struct mizzle_options, allow_modified), 2 },
		{ "environment", offsetof(struct mizzle_options, environment),
		  INT32_MIN },
		{ "reserved", offsetof(struct mizzle_options, reserved), 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mizzle_options bad = o;

		memcpy((char *)&bad + cases[i].at, &cases[i].value,
		       sizeof(cases[i].value));
		refused(&bad, cases[i].name);
	}
	o.lock_wait = -1;
	refused(&o, "lock_wait: -1 is not from 0 to 2147483647 ms");
	o.lock_wait = (int64_t)INT32_MAX + 1;
	refused(&o, "lock_wait");
	o.lock_wait = INT32_MAX;
	o.to = "";
	refused(&o, "--to is empty");
}

END_TEST

START_TEST(without_a_url_nothing_is_guessed)
{
	o.url = NULL;
	setenv("DATABASE_URL", "postgresql://127.0.0.1:1/x", 1);
	setenv("PGHOST", "127.0.0.1", 1);
	refused(&o, "url is not given");
	ck_assert_int_eq(mizzle_error(NULL)->code, MIZZLE_INTERNAL);
}

END_TEST

START_TEST(texts_are_copied_and_none_is_null)
{
	char dir[] = "/nonexistent/folder";
	const struct mizzle_error *e;

	o.dir = dir;
	ck_assert_int_eq(mizzle_open(&m, &o), MIZZLE_OK);
	e = mizzle_error(m);
	ck_assert_int_eq(e->code, MIZZLE_OK);
	ck_assert_str_eq(e->name, "ok");
	ck_assert_str_eq(e->message, "");
	memset(dir, 'x', sizeof(dir) - 1);
	ck_assert_int_eq(mizzle_migrate(m), MIZZLE_USAGE);
	ck_assert_str_eq(e->file, "/nonexistent/folder");
	ck_assert_str_eq(e->message, "no folder /nonexistent/folder");
	ck_assert_str_ne(e->hint, "");
	ck_assert_str_eq(e->name, "usage");
	ck_assert_int_eq(e->fate, MIZZLE_FATE_NOTHING);
	ck_assert_str_eq(e->tag, "");
	ck_assert_str_eq(e->source, "");
	ck_assert_str_eq(e->sqlstate, "");
	ck_assert_str_eq(e->sql_message, "");
	ck_assert_str_eq(e->sql_detail, "");
	ck_assert_str_eq(e->sql_hint, "");
	ck_assert_str_eq(e->sql_context, "");
}

END_TEST

/* A folder with one migration, and nobody who answers. */
static void tree_of_one(struct tree *t)
{
	tree_init(t);
	tree_put(t, "1.sql", "SELECT 1;");
	o.dir = t->dir;
}

START_TEST(without_a_server_the_call_fails_and_the_next_one_too)
{
	struct tree t;

	tree_of_one(&t);
	ck_assert_int_eq(mizzle_open(&m, &o), MIZZLE_OK);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(mizzle_migrate(m), MIZZLE_CONNECT);
		ck_assert(says("refused"));
		ck_assert_int_eq(mizzle_status(m, NULL, NULL), MIZZLE_CONNECT);
	}
	ck_assert_uint_eq(mizzle_result(m)->applied, 0);
	tree_release(&t);
}

END_TEST

struct heard {
	int events;
	int32_t kind;
	int32_t inner; /* what a call from within says */
};

static void on_event(void *ctx, const struct mizzle_event *e)
{
	struct heard *h = ctx;

	h->events++;
	h->kind = e->kind;
	ck_assert_str_ne(e->text, "");
	ck_assert_str_eq(e->tag, "");
	h->inner = mizzle_migrate(m);
	mizzle_cancel(m);
}

START_TEST(a_call_from_an_event_is_refused_but_cancelling_is_not)
{
	struct heard h = { 0 };
	struct tree t;

	tree_of_one(&t);
	o.wait = 600000;
	o.event = on_event;
	o.ctx = &h;
	ck_assert_int_eq(mizzle_open(&m, &o), MIZZLE_OK);
	ck_assert_int_eq(mizzle_migrate(m), MIZZLE_CANCELLED);
	ck_assert_int_eq(h.events, 1);
	ck_assert_int_eq(h.kind, MIZZLE_EVENT_WAITING);
	ck_assert_int_eq(h.inner, MIZZLE_USAGE);
	ck_assert_str_eq(mizzle_error(m)->name, "cancelled");
	ck_assert_int_eq(mizzle_migrate(m), MIZZLE_CANCELLED);
	ck_assert_int_eq(h.events, 1);
	tree_release(&t);
}

END_TEST

START_TEST(a_million_cancellations_are_one)
{
	struct tree t;

	tree_of_one(&t);
	ck_assert_int_eq(mizzle_open(&m, &o), MIZZLE_OK);
	for (int i = 0; i < 1000000; i++)
		mizzle_cancel(m);
	ck_assert_int_eq(mizzle_migrate(m), MIZZLE_CANCELLED);
	tree_release(&t);
}

END_TEST

static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

START_TEST(a_handle_leaves_no_descriptor_behind)
{
	int n = descriptors();
	struct tree t;

	tree_of_one(&t);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(mizzle_open(&m, &o), MIZZLE_OK);
		ck_assert_int_eq(mizzle_migrate(m), MIZZLE_CONNECT);
		mizzle_close(m);
	}
	m = NULL;
	ck_assert_int_eq(descriptors(), n);
	tree_release(&t);
}

END_TEST

/* What a program was compiled with stays where it is. */
START_TEST(no_field_moves)
{
#if defined(__LP64__)
#define LAST(type, field, at, size)                                           \
	do {                                                                  \
		ck_assert_uint_eq(offsetof(struct mizzle_##type, field), at); \
		ck_assert_uint_eq(sizeof(struct mizzle_##type), size);        \
	} while (0)
	LAST(options, url, 8, 144);
	LAST(options, event, 56, 144);
	LAST(options, wait, 72, 144);
	LAST(options, transaction, 108, 144);
	LAST(options, environment, 136, 144);
	LAST(options, reserved, 140, 144);
	LAST(event, tag, 8, 136);
	LAST(event, phase, 72, 136);
	LAST(event, pid, 128, 136);
	LAST(migration, when, 48, 56);
	LAST(error, line, 56, 112);
	LAST(error, sql_context, 104, 112);
	LAST(result, counts, 40, 168);
#undef LAST
#endif
	ck_assert_int_eq(MIZZLE_EVENT_WARNING, 11);
	ck_assert_int_eq(MIZZLE_STATES, 7);
	ck_assert_int_eq(MIZZLE_CANCELLED, 128);
}

END_TEST

START_TEST(without_a_descriptor_there_is_no_handle)
{
	struct rlimit was, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){ 0, was.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(mizzle_open(&m, &o), MIZZLE_INTERNAL);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	ck_assert_ptr_null(m);
	ck_assert(says("descriptors"));
	ck_assert_int_eq(mizzle_migrate(m), MIZZLE_USAGE);
}

END_TEST

/* Texts of any length and of any bytes are no more than wrong. */
START_TEST(strange_texts_are_only_wrong)
{
	static const char *const bytes[] = { "\xff\xfe", "\x1b[31m", "a\nb",
					     "'; DROP TABLE x; --" };
	static char endless[1 << 20];

	memset(endless, 'x', sizeof(endless) - 1);
	o.dir = endless;
	ck_assert_int_eq(mizzle_open(&m, &o), MIZZLE_OK);
	ck_assert_int_eq(mizzle_migrate(m), MIZZLE_USAGE);
	mizzle_close(m);
	o.dir = "/nonexistent";
	o.url = endless;
	ck_assert_int_eq(mizzle_open(&m, &o), MIZZLE_OK);
	ck_assert_int_eq(mizzle_migrate(m), MIZZLE_USAGE);
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		mizzle_close(m);
		o.url = o.dir = o.schema = o.table = o.to = o.approve =
			bytes[i];
		ck_assert_int_eq(mizzle_open(&m, &o), MIZZLE_OK);
		ck_assert_int_eq(mizzle_migrate(m), MIZZLE_USAGE);
	}
}

END_TEST

START_TEST(states_have_the_names_of_the_command)
{
	ck_assert_str_eq(mizzle_state_name(MIZZLE_OUT_OF_ORDER),
			 "out-of-order");
	ck_assert_str_eq(mizzle_state_name(MIZZLE_PARTLY), "partial");
	ck_assert_str_eq(mizzle_state_name(MIZZLE_STATES), "unknown");
	ck_assert_str_eq(mizzle_state_name(-1), "unknown");
	ck_assert_str_eq(mizzle_state_name(INT32_MAX), "unknown");
	ck_assert_str_eq(mizzle_version(), PACKAGE_VERSION);
}

END_TEST

UNIT_MAIN_WITH("mizzle", before, after, null_is_refused_everywhere,
	       options_of_no_size_are_refused,
	       options_of_a_newer_program_count_unless_they_are_unknown,
	       nothing_is_written_behind_options_that_are_shorter,
	       presets_are_those_of_the_command, what_is_out_of_range_is_named,
	       without_a_url_nothing_is_guessed,
	       texts_are_copied_and_none_is_null,
	       without_a_server_the_call_fails_and_the_next_one_too,
	       a_call_from_an_event_is_refused_but_cancelling_is_not,
	       a_million_cancellations_are_one,
	       a_handle_leaves_no_descriptor_behind, no_field_moves,
	       without_a_descriptor_there_is_no_handle,
	       strange_texts_are_only_wrong,
	       states_have_the_names_of_the_command)
