/* SPDX-License-Identifier: MIT */
/* The session against recorded servers, in pieces of every size. */
#include <config.h>

#include "../golden/player.h"
#include "unit.h"

static const char *const versions[] = { "13", "14", "15", "16", "17", "18" };

#define EACH_GOLDEN                                                         \
	for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) \
		for (size_t i = 0; i < golden_count; i++)

static void read_trace(const char *version, const char *name,
		       struct pgw_buf *out)
{
	FILE *f = player_open(version, name, "trace");
	char chunk[4096];
	size_t n;

	ck_assert_msg(f != NULL, "%s/%s.trace", version, name);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		pgw_buf_put(out, chunk, n);
	fclose(f);
	pgw_buf_put_u8(out, 0);
}

/* Some conversations are meant to end badly; the trace says how. */
static void replay(const char *version, const struct golden *g, size_t step,
		   struct pgw_buf *trace)
{
	static struct player p;
	struct golden_io io = { player_write, player_read, .ctx = &p };
	struct pgw_err err = { 0 };

	ck_assert_msg(player_load(&p, version, g->name), "%s/%s.wire", version,
		      g->name);
	p.step = step;
	io.binding = p.binding;
	if (!golden_run(g, &io, trace, &err))
		ck_assert_msg(err.code == PGW_E_SERVER, "%s/%s: %s", version,
			      g->name, err.msg);
	ck_assert_msg(player_done(&p), "%s/%s ended too early", version,
		      g->name);
}

static void compare(const char *version, const struct golden *g, size_t step)
{
	struct pgw_buf got, want;

	pgw_buf_init(&got, 1 << 20);
	pgw_buf_init(&want, 1 << 20);
	read_trace(version, g->name, &want);
	replay(version, g, step, &got);
	pgw_buf_put_u8(&got, 0);
	ck_assert_str_eq((char *)got.data, (char *)want.data);
	pgw_buf_release(&got);
	pgw_buf_release(&want);
}

static size_t longest_turn(const char *version, const char *name)
{
	static struct player p;
	size_t longest = 0;

	ck_assert(player_load(&p, version, name));
	for (size_t i = 0; i < p.count; i++)
		if (p.turns[i].to - p.turns[i].from > longest)
			longest = p.turns[i].to - p.turns[i].from;
	return longest;
}

START_TEST(recorded_conversations_go_as_they_went)
{
	EACH_GOLDEN compare(versions[v], &goldens[i], PLAYER_MAX);
}

END_TEST

/* Thousands of iterations are too slow to be done for every size, and from
 * some size on its neighbours are as good. */
START_TEST(it_does_not_matter_how_the_bytes_are_cut)
{
	EACH_GOLDEN
	{
		bool slow = strcmp(goldens[i].name, "scram") == 0;
		size_t n = longest_turn(versions[v], goldens[i].name);

		for (size_t step = 1; step <= n;
		     step += slow ? 97 : 1 + step / 64)
			compare(versions[v], &goldens[i], step);
	}
}

END_TEST

START_TEST(no_trace_shows_a_password)
{
	EACH_GOLDEN
	{
		struct pgw_buf trace;

		pgw_buf_init(&trace, 1 << 20);
		replay(versions[v], &goldens[i], PLAYER_MAX, &trace);
		ck_assert_ptr_null(memmem(trace.data, trace.len,
					  GOLDEN_PASSWORD,
					  strlen(GOLDEN_PASSWORD)));
		pgw_buf_release(&trace);
	}
}

END_TEST

START_TEST(nobody_has_to_listen)
{
	EACH_GOLDEN replay(versions[v], &goldens[i], 5, NULL);
}

END_TEST

/* A bit less of the server's proof, and it is not believed. */
START_TEST(a_proof_that_is_off_by_a_bit_ends_the_session)
{
	static struct player p;
	const struct golden_io io = { player_write, player_read, .ctx = &p };
	struct pgw_err err = { 0 };
	const struct golden *g = goldens;
	unsigned char *proof;

	while (strcmp(g->name, "scram-once") != 0)
		g++;
	ck_assert(player_load(&p, versions[0], g->name));
	proof = memmem(p.bytes, p.len, "v=", 2);
	ck_assert_ptr_nonnull(proof);
	proof[5] = proof[5] == 'A' ? 'B' : 'A';
	ck_assert(!golden_run(g, &io, NULL, &err));
	ck_assert_int_eq(err.code, PGW_E_AUTH);
}

END_TEST

UNIT_MAIN("session", recorded_conversations_go_as_they_went,
	  it_does_not_matter_how_the_bytes_are_cut, no_trace_shows_a_password,
	  nobody_has_to_listen, a_proof_that_is_off_by_a_bit_ends_the_session)
