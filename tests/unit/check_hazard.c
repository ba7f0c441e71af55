/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "hazard.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What was found: each as its name and what stands there; ? if not for sure. */
struct notes {
	const char *text;
	char said[1024];
};

static void note(void *ctx, const struct mz_danger *d)
{
	struct notes *n = ctx;
	size_t used = strlen(n->said);

	ck_assert(d->at < strlen(n->text));
	ck_assert(d->why[0] != '\0');
	snprintf(n->said + used, sizeof(n->said) - used, "%s%s%s@%zu",
		 used ? ", " : "", d->what, d->destructive ? "" : "?", d->at);
}

static const struct {
	const char *text, *said;
} cases[] = {
	/* DROP */
	{ "DROP TABLE t", "DROP TABLE@0" },
	{ "drop table if exists a, b", "DROP TABLE@0" },
	{ "DROP/**/TABLE t", "DROP TABLE@0" },
	{ "DROP TABLE t CASCADE", "DROP TABLE@0, CASCADE@13" },
	{ "DROP TABLE t RESTRICT", "DROP TABLE@0" },
	{ "DROP TABLE \"cascade\"", "DROP TABLE@0" },
	{ "DROP FOREIGN TABLE t", "DROP FOREIGN TABLE@0" },
	{ "DROP SCHEMA s", "DROP SCHEMA@0" },
	{ "DROP SCHEMA s CASCADE", "DROP SCHEMA@0, CASCADE@14" },
	{ "DROP TYPE t", "DROP TYPE@0" },
	{ "DROP DOMAIN d", "DROP DOMAIN@0" },
	{ "DROP VIEW v", "DROP VIEW@0" },
	{ "DROP MATERIALIZED VIEW v", "DROP MATERIALIZED VIEW@0" },
	{ "DROP SEQUENCE s", "DROP SEQUENCE@0" },
	{ "DROP DATABASE d", "DROP DATABASE@0" },
	{ "DROP EXTENSION e", "DROP EXTENSION@0" },
	{ "DROP OWNED BY r", "DROP OWNED@0" },
	{ "DROP INDEX i", "" },
	{ "DROP INDEX CONCURRENTLY i", "" },
	{ "DROP INDEX i CASCADE", "CASCADE@13" },
	{ "DROP FUNCTION f(int)", "" },
	{ "DROP FUNCTION f(int) CASCADE", "CASCADE@21" },
	{ "DROP POLICY p ON t", "" },
	{ "DROP TRIGGER table_x ON t", "" },
	{ "DROP ROLE r", "" },
	{ "DROP", "DROP@0" },

	/* ALTER TABLE */
	{ "ALTER TABLE t DROP COLUMN c", "DROP COLUMN@14" },
	{ "ALTER TABLE t DROP c", "DROP COLUMN@14" },
	{ "ALTER TABLE IF EXISTS ONLY s.\"t\" * DROP COLUMN IF EXISTS c",
	  "DROP COLUMN@35" },
	{ "ALTER TABLE t DROP a, DROP COLUMN b",
	  "DROP COLUMN@14, DROP COLUMN@22" },
	{ "ALTER TABLE t DROP a CASCADE, ADD b int",
	  "DROP COLUMN@14, CASCADE@21" },
	{ "ALTER TABLE t ADD a int, DROP b", "DROP COLUMN@25" },
	{ "ALTER TABLE t ADD CHECK (a, drop), DROP b", "DROP COLUMN@35" },
	{ "ALTER TABLE t ALTER COLUMN c SET DATA TYPE int",
	  "ALTER COLUMN TYPE@14" },
	{ "ALTER TABLE t ALTER c TYPE int USING c::int, ALTER d TYPE text",
	  "ALTER COLUMN TYPE@14, ALTER COLUMN TYPE@45" },
	{ "ALTER TABLE t ALTER type TYPE int", "ALTER COLUMN TYPE@14" },
	{ "ALTER TABLE t ALTER type SET DEFAULT 1", "" },
	{ "ALTER TABLE t ALTER c DROP NOT NULL", "" },
	{ "ALTER TABLE t ALTER COLUMN c DROP DEFAULT, ALTER d DROP IDENTITY",
	  "" },
	{ "ALTER TABLE t DROP CONSTRAINT c", "" },
	{ "ALTER TABLE t DROP CONSTRAINT c CASCADE", "CASCADE@32" },
	{ "ALTER TABLE t ADD COLUMN drop int", "" },
	{ "ALTER TABLE \"drop\" ADD COLUMN c int", "" },
	{ "ALTER TABLE drop ADD c int", "" },
	{ "ALTER TABLE t RENAME COLUMN drop TO c", "" },
	{ "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u ON DELETE CASCADE",
	  "" },
	{ "ALTER FOREIGN TABLE t DROP c", "DROP COLUMN@22" },
	{ "ALTER TYPE t DROP ATTRIBUTE a, ADD ATTRIBUTE b int",
	  "DROP ATTRIBUTE@13" },
	{ "ALTER TYPE t ALTER ATTRIBUTE a TYPE int", "ALTER COLUMN TYPE@13" },
	{ "ALTER TYPE t ADD VALUE 'drop'", "" },
	{ "ALTER DOMAIN d DROP CONSTRAINT c", "" },
	{ "ALTER DOMAIN d DROP CONSTRAINT c CASCADE", "CASCADE@33" },
	{ "ALTER VIEW v ALTER c DROP DEFAULT", "" },

	/* rows */
	{ "TRUNCATE t", "TRUNCATE@0" },
	{ "TRUNCATE TABLE ONLY a, b RESTART IDENTITY CASCADE",
	  "TRUNCATE@0, CASCADE@42" },
	{ "DELETE FROM t", "DELETE without WHERE@0" },
	{ "DELETE FROM t WHERE id = 1", "" },
	{ "DELETE FROM t WHERE true", "DELETE without WHERE@0" },
	{ "DELETE FROM t WHERE true AND id = 1", "" },
	{ "DELETE FROM t WHERE true RETURNING *", "DELETE without WHERE@0" },
	{ "DELETE FROM t USING (SELECT 1 FROM u WHERE x) s",
	  "DELETE without WHERE@0" },
	{ "DELETE FROM t USING u WHERE t.a = u.a", "" },
	{ "DELETE FROM t -- WHERE id = 1", "DELETE without WHERE@0" },
	{ "DELETE FROM \"where\"", "DELETE without WHERE@0" },
	{ "DELETE FROM t WHERE CURRENT OF c", "" },
	{ "UPDATE t SET a = 1", "UPDATE without WHERE?@0" },
	{ "UPDATE t SET a = (SELECT b FROM u WHERE c)",
	  "UPDATE without WHERE?@0" },
	{ "UPDATE t SET a = 1 WHERE b", "" },
	{ "MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE",
	  "MERGE with DELETE@43" },
	{ "MERGE INTO t USING u ON a = b WHEN MATCHED THEN DO NOTHING", "" },
	{ "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1", "" },
	{ "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
	  "DELETE without WHERE@11" },
	{ "WITH x AS (DELETE FROM t WHERE a) SELECT 1 WHERE b", "" },
	{ "WITH x AS (SELECT 1 WHERE a) DELETE FROM t USING x",
	  "DELETE without WHERE@29" },
	{ "WITH x AS (SELECT 1), y AS MATERIALIZED (UPDATE t SET a = 1) "
	  "SELECT 1",
	  "UPDATE without WHERE?@41" },
	{ "WITH x AS (SELECT * FROM t FOR UPDATE) SELECT 1", "" },
	{ "COPY (DELETE FROM t RETURNING *) TO STDOUT",
	  "DELETE without WHERE@6" },
	{ "EXPLAIN DELETE FROM t", "" },
	{ "EXPLAIN ANALYZE VERBOSE DELETE FROM t", "DELETE without WHERE@24" },
	{ "EXPLAIN (COSTS, ANALYZE) DELETE FROM t", "DELETE without WHERE@25" },
	{ "PREPARE p (int) AS DELETE FROM t", "DELETE without WHERE@19" },

	/* what only looks so */
	{ "SELECT 'DROP TABLE t'", "" },
	{ "SELECT $$DROP TABLE t$$", "" },
	{ "SELECT 1 -- DROP TABLE t", "" },
	{ "SELECT 1 /* DROP TABLE t; TRUNCATE t */", "" },
	{ "COMMENT ON TABLE t IS 'DELETE FROM t'", "" },
	{ "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DROP TABLE t'",
	  "" },
	{ "CREATE FUNCTION f() RETURNS void BEGIN ATOMIC DELETE FROM t; END",
	  "" },
	{ "CREATE RULE r AS ON DELETE TO t DO INSTEAD DELETE FROM u", "" },
	{ "CREATE TABLE t (\"drop\" int, truncate int, delete int)", "" },
	{ "GRANT DELETE, TRUNCATE ON t TO u", "" },
	{ "CREATE POLICY p ON t FOR DELETE USING (true)", "" },
	{ "CREATE TRIGGER g BEFORE DELETE OR TRUNCATE ON t EXECUTE FUNCTION "
	  "f()",
	  "" },
	{ "REVOKE ALL ON t FROM u CASCADE", "" },
	{ "SELECT delete FROM t", "" },

	/* DO */
	{ "DO $$ BEGIN DROP TABLE t; END $$", "DROP TABLE@12" },
	{ "DO LANGUAGE plpgsql $x$BEGIN DELETE FROM t; END$x$",
	  "DELETE without WHERE@29" },
	{ "DO $$ BEGIN DELETE FROM t; PERFORM 1 WHERE x; END $$",
	  "DELETE without WHERE@12" },
	{ "DO 'BEGIN TRUNCATE t; END' LANGUAGE 'plpgsql'", "TRUNCATE@10" },
	{ "DO $$ BEGIN IF a THEN ALTER TABLE t DROP c; ELSE DROP VIEW v; END "
	  "IF; END $$",
	  "DROP COLUMN@36, DROP VIEW@49" },
	{ "DO $$ BEGIN FOR r IN DELETE FROM t RETURNING * LOOP TRUNCATE u; "
	  "END LOOP; END $$",
	  "DELETE without WHERE@21, TRUNCATE@52" },
	{ "DO $$ BEGIN WITH x AS (DELETE FROM t RETURNING 1) SELECT 1; END $$",
	  "DELETE without WHERE@23" },
	{ "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$", "DROP TABLE@21" },
	{ "DO $$ BEGIN EXECUTE format('ALTER TABLE %I DROP COLUMN c', t); "
	  "END $$",
	  "DROP COLUMN@43" },
	{ "DO $$ BEGIN EXECUTE format($q$DROP TABLE %I$q$, t); END $$",
	  "DROP TABLE@30" },
	{ "DO $$ BEGIN EXECUTE 'DROP ' || kind || ' t'; END $$", "DROP@21" },
	{ "DO $$ BEGIN EXECUTE format('DROP %s x', kind); END $$", "DROP@28" },
	{ "DO $$ BEGIN RAISE NOTICE 'DROP TABLE t'; END $$", "" },
	{ "DO $$ BEGIN -- DROP TABLE t\nPERFORM 1; END $$", "" },
	{ "DO $$ DECLARE drop int; BEGIN UPDATE t SET drop = 1 WHERE a; END "
	  "$$",
	  "" },
	{ "DO $$ BEGIN DELETE FROM t WHERE a; END $$", "" },
	{ "DO $$ 'unterminated $$", "" },

	/* nonsense is no danger to us */
	{ "ALTER", "" },
	{ "ALTER TABLE", "" },
	{ "ALTER TABLE t", "" },
	{ "DELETE", "" },
	{ "WITH", "" },
	{ "DO", "" },
	{ "EXPLAIN", "" },
	{ "EXPLAIN (ANALYZE", "" },
	{ "PREPARE", "" },
	{ "UPDATE", "" },
	{ "COPY (", "" },
};

START_TEST(what_a_statement_destroys_is_told)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct notes n = { .text = cases[i].text };
		struct mz_danger_sink sink = { note, &n };

		mz_hazard_find(pgw_view_of(n.text), false, &sink);
		ck_assert_msg(strcmp(n.said, cases[i].said) == 0,
			      "%s\n  want %s\n  got  %s", n.text, cases[i].said,
			      n.said);
	}
}

END_TEST

START_TEST(backslashes_in_strings_are_followed)
{
	const char *text = "WITH x AS (SELECT 'a\\' (DELETE FROM t') SELECT 1";
	struct notes n = { .text = text };
	struct mz_danger_sink sink = { note, &n };

	mz_hazard_find(pgw_view_of(text), true, &sink);
	ck_assert_str_eq(n.said, "");
	mz_hazard_find(pgw_view_of(text), false, &sink);
	ck_assert_str_eq(n.said, "DELETE without WHERE@24");
}

END_TEST

static void count(void *ctx, const struct mz_danger *d)
{
	size_t *n = ctx;

	(void)d;
	(*n)++;
}

START_TEST(a_script_made_to_be_slow_is_not)
{
	enum { REPEAT = 200000 };

	const char *part = "(DELETE FROM ";
	size_t n = strlen(part), found = 0;
	char *text = malloc(5 + n * REPEAT);
	struct mz_danger_sink sink = { count, &found };

	ck_assert_ptr_nonnull(text);
	memcpy(text, "WITH ", 5);
	for (size_t i = 0; i < REPEAT; i++)
		memcpy(text + 5 + i * n, part, n);
	mz_hazard_find((struct pgw_view){ (unsigned char *)text,
					  5 + n * REPEAT },
		       false, &sink);
	ck_assert_uint_eq(found, REPEAT);
	free(text);
}

END_TEST

UNIT_MAIN("hazard", what_a_statement_destroys_is_told,
	  backslashes_in_strings_are_followed, a_script_made_to_be_slow_is_not)
