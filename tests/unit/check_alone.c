/* SPDX-License-Identifier: MIT */
/* What there is to know of a statement that runs outside of a transaction. */
#include <config.h>

#include "alone.h"
#include "sql_lex.h"
#include "unit.h"

#include <stdio.h>

static const char *const kinds[] = {
	[MZ_ALONE_AGAIN] = "again",	[MZ_ALONE_INDEX] = "index",
	[MZ_ALONE_DROP_INDEX] = "drop", [MZ_ALONE_REINDEX] = "reindex",
	[MZ_ALONE_DETACH] = "detach",	[MZ_ALONE_MAKE] = "make",
	[MZ_ALONE_REMOVE] = "remove",	[MZ_ALONE_UNKNOWN] = "unknown",
};

static void look(struct mz_alone *k, struct mz_arena *a, const char *text)
{
	struct mz_sql_text s = { pgw_view_of(text), false };
	struct mz_lex l = { .text = s.statement };
	struct mz_sql_statement st = { .end = s.statement.n };

	mz_sql_classify(&l, &st);
	mz_alone_of(k, a, &s, st.what);
}

START_TEST(its_names_are_found)
{
	static const struct {
		const char *text, *want; /* kind name table */
	} cases[] = {
		/* clang-format off */
		{ "create index concurrently i on t (a)", "index i t" },
		{ "CREATE UNIQUE INDEX CONCURRENTLY \"I x\" ON ONLY s.t USING gin (a)", "index \"I x\" s.t" },
		{ "create index concurrently if not exists i on \"s\" . \"t\" (a)", "index i \"s\".\"t\"" },
		{ "create index concurrently on t (a)", "index - t" },
		{ "create index concurrently /* on */ on -- x\n t (a)", "index - t" },
		{ "create index concurrently i on s /* c */ . -- d\n t (a)", "index i s.t" },
		{ "create index concurrently U&\"\\0069\" on u&\"s\" . U&\"!0074!+01F600!!\" uescape '!' (a)", "index \"i\" \"s\".\"t\U0001F600!\"" },
		{ "create index concurrently i on U&\"\\d83d\\DE00\\00fc\\20ac\" (a)", "index i \"\U0001F600\u00fc\u20ac\"" },
		{ "create index concurrently i on U&\"a\"\"\\0022\" (a)", "index i \"a\"\"\"\"\"" },
		{ "create index concurrently i on U&\"\\d83d\" (a)", "index i -" },
		{ "create index concurrently i on U&\"\\00\" (a)", "index i -" },
		{ "create index concurrently i on U&\"\\0000\" (a)", "index i -" },
		{ "create index concurrently i on U&\"\\+110000\" (a)", "index i -" },
		{ "create index concurrently i", "index i -" },
		{ "create index concurrently", "index - -" },
		{ "drop index concurrently i", "drop i -" },
		{ "drop index concurrently if exists s.\"i\" cascade", "drop s.\"i\" -" },
		{ "reindex table concurrently t", "reindex - -" },
		{ "reindex (concurrently) index i", "reindex - -" },
		{ "reindex database d", "reindex - -" },
		{ "alter table p detach partition c concurrently", "detach c p" },
		{ "alter table if exists only s.p detach partition s.c concurrently", "detach s.c s.p" },
		{ "create database d", "make d -" },
		{ "create database \"d e\" template t", "make \"d e\" -" },
		{ "drop database if exists d with (force)", "remove d -" },
		{ "create tablespace x location '/x'", "make x -" },
		{ "drop tablespace x", "remove x -" },
		{ "create subscription s connection '' publication p", "make s -" },
		{ "drop subscription if exists s", "remove s -" },
		{ "commit prepared 'it''s'", "remove 'it''s' -" },
		{ "rollback prepared 'x'", "remove 'x' -" },
		{ "call p()", "unknown - -" },
		{ "do $$ begin commit; end $$", "unknown - -" },
		{ "vacuum t", "again - -" },
		{ "vacuum", "again - -" },
		{ "alter system set work_mem = '1MB'", "again - -" },
		{ "cluster", "again - -" },
		{ "alter database d set tablespace x", "again - -" },
		{ "discard all", "again - -" },
		/* clang-format on */
	};
	struct mz_arena a;

	mz_arena_init(&a);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mz_alone k;

		look(&k, &a, cases[i].text);
		ck_assert_str_eq(mz_printf(&a, "%s %s %s", kinds[k.kind],
					   k.name ? k.name : "-",
					   k.table ? k.table : "-"),
				 cases[i].want);
	}
	mz_arena_release(&a);
}

END_TEST

START_TEST(what_cannot_be_known_is_not_asked)
{
	static const char *const texts[] = {
		"create index concurrently",
		"drop index concurrently",
		"vacuum t",
		"call p()",
		"reindex table concurrently t",
	};
	struct mz_arena a;

	mz_arena_init(&a);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mz_alone k;

		look(&k, &a, texts[i]);
		ck_assert_ptr_null(mz_alone_done_sql(&a, &k, "{}", false));
		ck_assert_ptr_null(mz_alone_halfway_sql(&a, &k));
	}
	mz_arena_release(&a);
}

END_TEST

START_TEST(what_was_there_before_tells_nothing_later)
{
	struct mz_arena a;
	struct mz_alone k;

	mz_arena_init(&a);
	look(&k, &a, "create database d");
	ck_assert_ptr_null(mz_alone_done_sql(&a, &k, "{}", true));
	ck_assert_ptr_nonnull(mz_alone_done_sql(&a, &k, "{}", false));
	look(&k, &a, "drop database d");
	ck_assert_ptr_nonnull(mz_alone_done_sql(&a, &k, "{}", true));
	ck_assert_ptr_null(mz_alone_done_sql(&a, &k, "{}", false));
	mz_arena_release(&a);
}

END_TEST

START_TEST(a_statement_is_known_by_its_beginning)
{
	struct mz_arena a;
	unsigned char text[4000];

	mz_arena_init(&a);
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[0] = 'a'; /* so that the cut would be within a character */
	text[1] = 'b';
	text[2] = 'c';
	for (size_t n = 700; n < 900; n++) {
		struct pgw_view v = { text + (n & 1) * 3, n };
		const char *sql = mz_alone_running_sql(&a, v);
		size_t bad;

		if (!pgw_utf8_valid(v, &bad))
			continue;
		ck_assert(pgw_utf8_valid(pgw_view_of(sql), &bad));
	}
	ck_assert(strlen(mz_alone_running_sql(&a, (struct pgw_view){ text,
								     4000 })) <
		  2000);
	mz_arena_release(&a);
}

END_TEST

UNIT_MAIN("alone", its_names_are_found, what_cannot_be_known_is_not_asked,
	  what_was_there_before_tells_nothing_later,
	  a_statement_is_known_by_its_beginning)
