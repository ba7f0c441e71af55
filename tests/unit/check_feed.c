/* SPDX-License-Identifier: MIT */
/* What has happened: the newest of it, each with its number. */
#include <config.h>

#include "feed.h"
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct mz_feed *feed;

static void begin(void)
{
	feed = malloc(sizeof(*feed));
	ck_assert_ptr_nonnull(feed);
	mz_feed_init(feed);
}

static void end(void)
{
	mz_feed_release(feed);
	free(feed);
}

static void add(const char *text)
{
	ck_assert(mz_feed_add(feed, pgw_view_of(text)));
}

static void is(uint64_t number, const char *want)
{
	const struct mz_feed_event *e = mz_feed_get(feed, number);

	if (!want) {
		ck_assert_msg(!e, "%" PRIu64, number);
		return;
	}
	ck_assert_msg(e && e->n == strlen(want) && strcmp(e->text, want) == 0,
		      "%" PRIu64, number);
}

START_TEST(numbers_begin_with_1_and_go_up)
{
	is(0, NULL);
	is(1, NULL);
	add("a");
	add("");
	add("c");
	is(0, NULL);
	is(1, "a");
	is(2, "");
	is(3, "c");
	is(4, NULL);
	is(UINT64_MAX, NULL);
	ck_assert_uint_eq(feed->next, 4);
}

END_TEST

START_TEST(the_oldest_go_when_there_are_too_many)
{
	const uint64_t last = 3 * (uint64_t)MZ_FEED_EVENTS + 7;
	char text[32];

	for (uint64_t i = 1; i <= last; i++) {
		snprintf(text, sizeof(text), "%" PRIu64, i);
		add(text);
		ck_assert_uint_le(feed->next - feed->first, MZ_FEED_EVENTS);
	}
	is(last + 1, NULL);
	is(last - MZ_FEED_EVENTS, NULL);
	for (uint64_t i = last - MZ_FEED_EVENTS + 1; i <= last; i++) {
		snprintf(text, sizeof(text), "%" PRIu64, i);
		is(i, text);
	}
}

END_TEST

START_TEST(the_oldest_go_when_they_are_too_large)
{
	const size_t size = MZ_FEED_BYTES / 4;
	unsigned char *text = malloc(size);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', size);
	add("small");
	for (int i = 0; i < 4; i++)
		ck_assert(mz_feed_add(feed, (struct pgw_view){ text, size }));
	is(1, NULL);
	for (uint64_t i = 2; i <= 5; i++)
		ck_assert_ptr_nonnull(mz_feed_get(feed, i));
	ck_assert(mz_feed_add(feed, (struct pgw_view){ text, size }));
	is(2, NULL);
	ck_assert_uint_eq(feed->bytes, MZ_FEED_BYTES);
	add("y");
	is(3, NULL);
	is(7, "y");
	ck_assert_uint_le(feed->bytes, MZ_FEED_BYTES);
	free(text);
}

END_TEST

START_TEST(one_that_is_larger_than_all_is_kept_alone)
{
	const size_t size = MZ_FEED_BYTES + 1;
	unsigned char *text = malloc(size);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', size);
	add("a");
	ck_assert(mz_feed_add(feed, (struct pgw_view){ text, size }));
	is(1, NULL);
	ck_assert_ptr_nonnull(mz_feed_get(feed, 2));
	add("b");
	is(2, NULL);
	is(3, "b");
	ck_assert_uint_eq(feed->bytes, 1);
	free(text);
}

END_TEST

START_TEST(released_it_begins_to_be_empty_but_goes_on_counting)
{
	add("a");
	add("b");
	mz_feed_release(feed);
	is(1, NULL);
	is(2, NULL);
	ck_assert_uint_eq(feed->bytes, 0);
	add("c");
	is(3, "c");
}

END_TEST

START_TEST(the_kind_is_what_our_json_begins_with)
{
	static const struct {
		const char *text, *kind;
	} cases[] = {
		{ "{\"event\":\"result\",\"ok\":true}", "result" },
		{ "{\"event\":\"\"}", "" },
		{ "{\"event\":\"cut", "" },
		{ "{\"event\":\"", "" },
		{ "{\"event\":", "" },
		{ "{\"ok\":true,\"event\":\"x\"}", "" },
		{ "{ \"event\":\"x\"}", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(pgw_view_is(mz_feed_kind(
						  pgw_view_of(cases[i].text)),
					  cases[i].kind),
			      "case %zu", i);
}

END_TEST

UNIT_MAIN_WITH("feed", begin, end, numbers_begin_with_1_and_go_up,
	       the_oldest_go_when_there_are_too_many,
	       the_oldest_go_when_they_are_too_large,
	       one_that_is_larger_than_all_is_kept_alone,
	       released_it_begins_to_be_empty_but_goes_on_counting,
	       the_kind_is_what_our_json_begins_with)
