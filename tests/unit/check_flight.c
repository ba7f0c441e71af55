/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "flight.h"

#include "unit.h"

static struct mz_flight f;
static struct mz_arena arena;

static void setup(void)
{
	mz_arena_init(&arena);
	mz_flight_init(&f);
}

static void teardown(void)
{
	mz_arena_release(&arena);
}

static void push(size_t line)
{
	mz_flight_push(&f, &(struct mz_sent){ .purpose = MZ_FOR_STATEMENT,
					      .line = line });
}

START_TEST(answers_come_in_the_order_in_which_was_sent)
{
	for (size_t i = 0; i < 3 * MZ_FLIGHT_FIRST; i++) {
		push(i);
		push(i + 1000);
		ck_assert_uint_eq(mz_flight_pop(&f).line, i);
		ck_assert_uint_eq(mz_flight_pop(&f).line, i + 1000);
	}
}

END_TEST

static void grow_from(size_t first)
{
	size_t next = 0;

	mz_flight_init(&f);
	for (size_t i = 0; i < first; i++) {
		push(0);
		mz_flight_pop(&f);
	}
	for (; next < MZ_FLIGHT_MAX; push(next++))
		if (f.count == f.size)
			mz_flight_grow(&f, &arena);
	for (size_t i = 0; i < next; i++)
		ck_assert_uint_eq(mz_flight_pop(&f).line, i);
	ck_assert_uint_eq(f.count, 0);
}

START_TEST(growing_keeps_the_order_wherever_the_first_is)
{
	for (size_t first = 0; first < MZ_FLIGHT_FIRST; first += 51)
		grow_from(first);
}

END_TEST

START_TEST(there_is_an_end_to_growing)
{
	for (int i = 0; i < 20; i++)
		mz_flight_grow(&f, &arena);
	ck_assert_uint_eq(f.size, MZ_FLIGHT_MAX);
}

END_TEST

START_TEST(what_is_on_its_way_is_found_after_growing)
{
	push(1);
	mz_flight_push(&f, &(struct mz_sent){ .purpose = MZ_FOR_COMMIT });
	mz_flight_grow(&f, &arena);
	ck_assert(mz_flight_has(&f, MZ_FOR_COMMIT));
	ck_assert(!mz_flight_has(&f, MZ_FOR_ROLLBACK));
}

END_TEST

UNIT_MAIN_WITH("flight", setup, teardown,
	       answers_come_in_the_order_in_which_was_sent,
	       growing_keeps_the_order_wherever_the_first_is,
	       there_is_an_end_to_growing,
	       what_is_on_its_way_is_found_after_growing)
