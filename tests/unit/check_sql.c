/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "sql.h"
#include "unit.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What each text is cut into; "off": standard_conforming_strings is. */
static const struct {
	const char *text;
	const char *want[6];
	bool off;
} splits[] = {
	/* nothing */
	{ "", { NULL }, false },
	{ " \t\r\n\f\v", { NULL }, false },
	{ ";", { NULL }, false },
	{ " ; ;; ", { NULL }, false },
	{ "-- only a comment", { NULL }, false },
	{ "/* a */ -- b\n ; /* c */", { NULL }, false },
	{ "-- a;b\n", { NULL }, false },
	{ "/* a ; b */", { NULL }, false },

	/* where a statement begins and ends */
	{ "select 1", { "select 1" }, false },
	{ "select 1;", { "select 1" }, false },
	{ "\n select 1 \n ;\n", { "select 1" }, false },
	{ "select 1;select 2", { "select 1", "select 2" }, false },
	{ "select 1;;;select 2;", { "select 1", "select 2" }, false },
	{ "-- a\nselect 1 -- b\n; -- c\nselect 2 -- d",
	  { "select 1", "select 2" },
	  false },
	{ "/* a */ select /* b */ 1 /* c */; /* d */",
	  { "select /* b */ 1" },
	  false },
	{ "a -- b", { "a" }, false },
	{ "a\r\n;\r\nb\r\n", { "a", "b" }, false },
	{ "\xef\xbb\xbfselect 1;b", { "\xef\xbb\xbfselect 1", "b" }, false },
	{ "\x01;\xff;b", { "\x01", "\xff", "b" }, false },

	/* line comments end at LF and at CR */
	{ "a -- x;y\n;b", { "a", "b" }, false },
	{ "a -- x;y\r;b", { "a", "b" }, false },
	{ "a --'\n;b'c'", { "a", "b'c'" }, false },
	{ "a --$$\n;b", { "a", "b" }, false },
	{ "a -- /*\n;b", { "a", "b" }, false },
	{ "a - -1;b", { "a - -1", "b" }, false },
	{ "a+--;\n1;b", { "a+--;\n1", "b" }, false },
	{ "a @--;\n1;b", { "a @--;\n1", "b" }, false },
	{ "1e--;\n;b", { "1e", "b" }, false },

	/* block comments nest */
	{ "a /* ; */;b", { "a", "b" }, false },
	{ "a /* /* ; */ ; */;b", { "a", "b" }, false },
	{ "a /*/* ; */;*/;b", { "a", "b" }, false },
	{ "/*/ ; */ a;b", { "a", "b" }, false },
	{ "/*/*/;*/;*/a;b", { "a", "b" }, false },
	{ "/***/a;/****/b", { "a", "b" }, false },
	{ "/* ' */a;b/* \" */", { "a", "b" }, false },
	{ "/* -- */a;b", { "a", "b" }, false },
	{ "/* $$ */a;b", { "a", "b" }, false },
	{ "a*/**/b;c", { "a*/**/b", "c" }, false },
	{ "a+/*;*/b;c", { "a+/*;*/b", "c" }, false },
	{ "a //*;*/b;c", { "a //*;*/b", "c" }, false },
	{ "a */ b;c", { "a */ b", "c" }, false },
	{ "a -/*;*/- b;c", { "a -/*;*/- b", "c" }, false },

	/* quotes */
	{ "select ';';b", { "select ';'", "b" }, false },
	{ "select ''';';b", { "select ''';'", "b" }, false },
	{ "select '';b';c'", { "select ''", "b';c'" }, false },
	{ "select '--';b", { "select '--'", "b" }, false },
	{ "select '/*';b", { "select '/*'", "b" }, false },
	{ "select '$$';b", { "select '$$'", "b" }, false },
	{ "select '\"';b", { "select '\"'", "b" }, false },
	{ "select 'a\n;\nb';c", { "select 'a\n;\nb'", "c" }, false },
	{ "select '\\';b", { "select '\\'", "b" }, false },
	{ "select '\\';b;'", { "select '\\';b;'" }, true },
	{ "select '\\\\';b", { "select '\\\\'", "b" }, true },
	{ "select N'\\';b;'", { "select N'\\';b;'" }, true },
	{ "select N'\\';b", { "select N'\\'", "b" }, false },
	{ "select E'\\';';b", { "select E'\\';'", "b" }, false },
	{ "select e'\\';';b", { "select e'\\';'", "b" }, false },
	{ "select E'\\\\';b", { "select E'\\\\'", "b" }, false },
	{ "select E'\\\\\\';';b", { "select E'\\\\\\';'", "b" }, false },
	{ "select E'a'';';b", { "select E'a'';'", "b" }, false },
	{ "select E'\\\n';b", { "select E'\\\n'", "b" }, false },
	{ "select nameE'\\';b", { "select nameE'\\'", "b" }, false },
	{ "select a.E'\\';';b", { "select a.E'\\';'", "b" }, false },
	{ "select 1E'\\';b", { "select 1E'\\'", "b" }, false },
	{ "select 1.E'\\';b", { "select 1.E'\\'", "b" }, false },
	{ "select \xc3\xa9"
	  "E'\\';b",
	  { "select \xc3\xa9"
	    "E'\\'",
	    "b" },
	  false },
	{ "select E '\\';b", { "select E '\\'", "b" }, false },
	{ "select B'0;1';b", { "select B'0;1'", "b" }, false },
	{ "select x'\\';b", { "select x'\\'", "b" }, true },
	{ "select B'\\';b", { "select B'\\'", "b" }, true },
	{ "select U&'\\';b", { "select U&'\\'", "b" }, true },
	{ "select u&'a'';';b", { "select u&'a'';'", "b" }, false },
	{ "select U&\"a\"\";\";b", { "select U&\"a\"\";\"", "b" }, false },
	{ "select U& ';';b", { "select U& ';'", "b" }, false },
	{ "select aU&'\\';b", { "select aU&'\\'", "b" }, false },
	{ "select aU&'\\';b;'", { "select aU&'\\';b;'" }, true },
	{ "select \";\";b", { "select \";\"", "b" }, false },
	{ "select \"\"\";\";b", { "select \"\"\";\"", "b" }, false },
	{ "select \"\\\";b", { "select \"\\\"", "b" }, true },
	{ "select \"'\";b", { "select \"'\"", "b" }, false },
	{ "select \"a\nb;--\";c", { "select \"a\nb;--\"", "c" }, false },

	/* a string goes on after a line end */
	{ "select E'a'\n'\\';';b", { "select E'a'\n'\\';'", "b" }, false },
	{ "select E'a' -- c'\n -- d\n '\\';';b",
	  { "select E'a' -- c'\n -- d\n '\\';'", "b" },
	  false },
	{ "select E'a'\r'\\';';b", { "select E'a'\r'\\';'", "b" }, false },
	{ "select E'a' '\\';b", { "select E'a' '\\'", "b" }, false },
	{ "select E'a'/*\n*/'\\';b", { "select E'a'/*\n*/'\\'", "b" }, false },
	{ "select E'a'\n/**/'\\';b", { "select E'a'\n/**/'\\'", "b" }, false },
	{ "select 'a'\n'\\';b", { "select 'a'\n'\\'", "b" }, false },
	{ "select 'a'\nE'\\';';b", { "select 'a'\nE'\\';'", "b" }, false },
	{ "select x'0'\n'\\';b", { "select x'0'\n'\\'", "b" }, true },
	{ "select 'a' - 'b';c", { "select 'a' - 'b'", "c" }, false },
	{ "select 'a' -- b\n;c", { "select 'a'", "c" }, false },
	{ "select 'a'\n -- b", { "select 'a'" }, false },

	/* dollar quotes */
	{ "select $$;$$;b", { "select $$;$$", "b" }, false },
	{ "select $a$;$$;$a$;b", { "select $a$;$$;$a$", "b" }, false },
	{ "select $$ $a$ ; $$;b", { "select $$ $a$ ; $$", "b" }, false },
	{ "select $a$ $b$a$;b", { "select $a$ $b$a$", "b" }, false },
	{ "select $a$ $$a$;b", { "select $a$ $$a$", "b" }, false },
	{ "select $a$ $a $a$;b", { "select $a$ $a $a$", "b" }, false },
	{ "select $A$;$a$;$A$;b", { "select $A$;$a$;$A$", "b" }, false },
	{ "select $_1$;$_1$;b", { "select $_1$;$_1$", "b" }, false },
	{ "select $\xc3\xa9$;$\xc3\xa9$;b",
	  { "select $\xc3\xa9$;$\xc3\xa9$", "b" },
	  false },
	{ "select $1;b", { "select $1", "b" }, false },
	{ "select $1$;$2;b", { "select $1$", "$2", "b" }, false },
	{ "select $1$$;$$;b", { "select $1$$;$$", "b" }, false },
	{ "select a$b$;c$b$;d", { "select a$b$", "c$b$", "d" }, false },
	{ "select $b$c$b$d;e", { "select $b$c$b$d", "e" }, false },
	{ "select 1$b$;$b$;c", { "select 1$b$;$b$", "c" }, false },
	{ "select 1a$b$;c", { "select 1a$b$", "c" }, false },
	{ "select $a b$;c", { "select $a b$", "c" }, false },
	{ "select $a-$;c", { "select $a-$", "c" }, false },
	{ "select $;c", { "select $", "c" }, false },
	{ "do $$ begin perform 'x;'; end $$;b",
	  { "do $$ begin perform 'x;'; end $$", "b" },
	  false },
	{ "select $$'$$;b';'", { "select $$'$$", "b';'" }, false },
	{ "select $$ -- $$;b", { "select $$ -- $$", "b" }, false },

	/* parentheses */
	{ "create rule r as on insert to t do also (a; b);c",
	  { "create rule r as on insert to t do also (a; b)", "c" },
	  false },
	{ "f((;););b", { "f((;);)", "b" }, false },
	{ "a);b", { "a)", "b" }, false },
	{ "a)(;);b", { "a)(;)", "b" }, false },
	{ "(a;b", { "(a;b" }, false },
	{ "f(')');b", { "f(')')", "b" }, false },
	{ "f('(');b", { "f('(')", "b" }, false },
	{ "f(/*)*/;);b", { "f(/*)*/;)", "b" }, false },
	{ "a[;b", { "a[", "b" }, false },

	/* BEGIN ATOMIC */
	{ "create function f() returns int begin atomic a; b; end;c",
	  { "create function f() returns int begin atomic a; b; end", "c" },
	  false },
	{ "CREATE OR REPLACE PROCEDURE p()\nBEGIN\nATOMIC a; END; c",
	  { "CREATE OR REPLACE PROCEDURE p()\nBEGIN\nATOMIC a; END", "c" },
	  false },
	{ "create/**/or--\nreplace function f() begin/**/atomic a; end;c",
	  { "create/**/or--\nreplace function f() begin/**/atomic a; end",
	    "c" },
	  false },
	{ "create function f() begin atomic a case b when c then d end; e; "
	  "end;c",
	  { "create function f() begin atomic a case b when c then d end; e; "
	    "end",
	    "c" },
	  false },
	{ "create function f() begin atomic begin atomic a; end; b; end;c",
	  { "create function f() begin atomic begin atomic a; end; b; end",
	    "c" },
	  false },
	{ "create function f() begin atomic case case a end end; b; end;c",
	  { "create function f() begin atomic case case a end end; b; end",
	    "c" },
	  false },
	{ "create function f() begin atomic a 'end;'; b \"end\"; end;c",
	  { "create function f() begin atomic a 'end;'; b \"end\"; end", "c" },
	  false },
	{ "create function f() begin atomic a x.end; b as end; t.case; c as "
	  "case; end;c",
	  { "create function f() begin atomic a x.end; b as end; t.case; c as "
	    "case; end",
	    "c" },
	  false },
	{ "create function f() begin atomic select begin from t; end;c",
	  { "create function f() begin atomic select begin from t; end", "c" },
	  false },
	{ "create function f() begin atomic a weekend; ends; end_; end;c",
	  { "create function f() begin atomic a weekend; ends; end_; end",
	    "c" },
	  false },
	{ "create function f() begin atomic case a when b then 1. end; c; "
	  "end;c",
	  { "create function f() begin atomic case a when b then 1. end; c; "
	    "end",
	    "c" },
	  false },
	{ "create function f(a int default (case a end)) begin atomic (case a "
	  "end); end;c",
	  { "create function f(a int default (case a end)) begin atomic (case "
	    "a end); end",
	    "c" },
	  false },
	{ "create function f() return case when a then b end;c",
	  { "create function f() return case when a then b end", "c" },
	  false },
	{ "create function begin();b",
	  { "create function begin()", "b" },
	  false },
	{ "create function \"begin\" atomic;b",
	  { "create function \"begin\" atomic", "b" },
	  false },
	{ "create table t (); begin atomic;b",
	  { "create table t ()", "begin atomic", "b" },
	  false },
	{ "create view v as begin atomic;b",
	  { "create view v as begin atomic", "b" },
	  false },
	{ "create or function f() begin atomic;b",
	  { "create or function f() begin atomic", "b" },
	  false },
	{ "x create function f() begin atomic;b",
	  { "x create function f() begin atomic", "b" },
	  false },
	{ "begin; create function f() begin atomic a; end; commit",
	  { "begin", "create function f() begin atomic a; end", "commit" },
	  false },
	{ "create function f() begin atomic a; b", /* END is missing */
	  { "create function f() begin atomic a; b" },
	  false },

	/* what psql would do something about, and the server would not */
	{ "\\d;b", { "\\d", "b" }, false },
	{ "a \\; b", { "a \\", "b" }, false },
	{ "select :x, :'y;', :\"z;\";b",
	  { "select :x, :'y;', :\"z;\"", "b" },
	  false },
	{ "select :'a\\';b", { "select :'a\\'", "b" }, false },
	{ "copy t from stdin;\n1\t2\n\\.\n",
	  { "copy t from stdin", "1\t2\n\\." },
	  false },

	/* the text itself may change how it is read */
	{ "set standard_conforming_strings = off; a '\\';'; b",
	  { "set standard_conforming_strings = off", "a '\\';'", "b" },
	  false },
	{ "SET LOCAL standard_conforming_strings TO 'on'; a '\\'; b",
	  { "SET LOCAL standard_conforming_strings TO 'on'", "a '\\'", "b" },
	  true },
	{ "set session standard_conforming_strings = default; a '\\'; b",
	  { "set session standard_conforming_strings = default", "a '\\'",
	    "b" },
	  true },
	{ "set standard_conforming_strings = maybe; a '\\'; b",
	  { "set standard_conforming_strings = maybe", "a '\\'", "b" },
	  false },
};

static const struct {
	const char *text;
	enum mz_sql_kind kind;
	const char *what;
} kinds[] = {

#define PLAIN MZ_SQL_PLAIN
#define ALONE MZ_SQL_ALONE
	/* transactions */
	{ "begin", MZ_SQL_BEGIN, "BEGIN" },
	{ "BEGIN WORK ISOLATION LEVEL SERIALIZABLE", MZ_SQL_BEGIN, "BEGIN" },
	{ "Start /* x */ Transaction read only", MZ_SQL_BEGIN,
	  "START TRANSACTION" },
	{ "start -- x\n transaction", MZ_SQL_BEGIN, "START TRANSACTION" },
	{ "start", PLAIN, NULL },
	{ "begins", PLAIN, NULL },
	{ "\"begin\"", PLAIN, NULL },
	{ "commit", MZ_SQL_COMMIT, "COMMIT" },
	{ "COMMIT WORK", MZ_SQL_COMMIT, "COMMIT" },
	{ "commit and no chain", MZ_SQL_COMMIT, "COMMIT" },
	{ "commit and chain", MZ_SQL_COMMIT, "COMMIT AND CHAIN" },
	{ "commit transaction and chain", MZ_SQL_COMMIT, "COMMIT AND CHAIN" },
	{ "end", MZ_SQL_COMMIT, "END" },
	{ "end work and chain", MZ_SQL_COMMIT, "END AND CHAIN" },
	{ "prepare transaction 'x'", MZ_SQL_COMMIT, "PREPARE TRANSACTION" },
	{ "prepare transaction as select 1", PLAIN, NULL },
	{ "prepare p as commit", PLAIN, NULL },
	{ "commit prepared 'x'", ALONE, "COMMIT PREPARED" },
	{ "rollback prepared 'x'", ALONE, "ROLLBACK PREPARED" },
	{ "rollback", MZ_SQL_ROLLBACK, "ROLLBACK" },
	{ "rollback work", MZ_SQL_ROLLBACK, "ROLLBACK" },
	{ "rollback and chain", MZ_SQL_ROLLBACK, "ROLLBACK AND CHAIN" },
	{ "rollback transaction and no chain", MZ_SQL_ROLLBACK, "ROLLBACK" },
	{ "abort", MZ_SQL_ROLLBACK, "ABORT" },
	{ "abort work and chain", MZ_SQL_ROLLBACK, "ABORT AND CHAIN" },
	{ "rollback to s", MZ_SQL_SAVEPOINT, "ROLLBACK TO" },
	{ "rollback to savepoint s", MZ_SQL_SAVEPOINT, "ROLLBACK TO" },
	{ "rollback work to s", MZ_SQL_SAVEPOINT, "ROLLBACK TO" },
	{ "ROLLBACK TRANSACTION TO SAVEPOINT s", MZ_SQL_SAVEPOINT,
	  "ROLLBACK TO" },
	{ "savepoint s", MZ_SQL_SAVEPOINT, "SAVEPOINT" },
	{ "release s", MZ_SQL_SAVEPOINT, "RELEASE" },
	{ "release savepoint s", MZ_SQL_SAVEPOINT, "RELEASE" },
	{ "set transaction read only", PLAIN, NULL },

	/* indexes */
	{ "create index concurrently i on t (a)", ALONE,
	  "CREATE INDEX CONCURRENTLY" },
	{ "create unique index concurrently if not exists i on t (a)", ALONE,
	  "CREATE INDEX CONCURRENTLY" },
	{ "create index/**/concurrently on t (a)", ALONE,
	  "CREATE INDEX CONCURRENTLY" },
	{ "create index i on t (a)", PLAIN, NULL },
	{ "create index \"concurrently\" on t (a)", PLAIN, NULL },
	{ "create unique index i on concurrently (a)", PLAIN, NULL },
	{ "drop index concurrently if exists i", ALONE,
	  "DROP INDEX CONCURRENTLY" },
	{ "drop index if exists i", PLAIN, NULL },
	{ "reindex index i", PLAIN, NULL },
	{ "reindex table t", PLAIN, NULL },
	{ "reindex index concurrently i", ALONE, "REINDEX CONCURRENTLY" },
	{ "reindex (verbose) table concurrently t", ALONE,
	  "REINDEX CONCURRENTLY" },
	{ "reindex (concurrently) table t", ALONE, "REINDEX CONCURRENTLY" },
	{ "reindex (verbose, concurrently true) table t", ALONE,
	  "REINDEX CONCURRENTLY" },
	{ "reindex (concurrently false) table t", PLAIN, NULL },
	{ "reindex (concurrently 0, verbose) table t", PLAIN, NULL },
	{ "reindex (concurrently 'OFF') index i", PLAIN, NULL },
	{ "reindex (verbose) table t", PLAIN, NULL },
	{ "reindex (verbose off) table t", PLAIN, NULL },
	{ "reindex database d", ALONE, "REINDEX DATABASE" },
	{ "reindex database", ALONE, "REINDEX DATABASE" },
	{ "reindex (verbose) system d", ALONE, "REINDEX SYSTEM" },
	{ "reindex schema concurrently s", ALONE, "REINDEX SCHEMA" },
	{ "reindex schema s", ALONE, "REINDEX SCHEMA" },

	/* tables */
	{ "vacuum", ALONE, "VACUUM" },
	{ "vacuum (analyze, verbose) t", ALONE, "VACUUM" },
	{ "vacuum full t", ALONE, "VACUUM" },
	{ "analyze t", PLAIN, NULL },
	{ "cluster", ALONE, "CLUSTER" },
	{ "cluster verbose", ALONE, "CLUSTER" },
	{ "cluster (verbose)", ALONE, "CLUSTER" },
	{ "cluster t using i", PLAIN, NULL },
	{ "cluster verbose t", PLAIN, NULL },
	{ "cluster (verbose) t", PLAIN, NULL },
	{ "alter table t detach partition p concurrently", ALONE,
	  "ALTER TABLE DETACH PARTITION CONCURRENTLY" },
	{ "alter table if exists only s.\"T\" detach partition a . b "
	  "concurrently",
	  ALONE, "ALTER TABLE DETACH PARTITION CONCURRENTLY" },
	{ "alter table t detach partition p", PLAIN, NULL },
	{ "alter table t detach partition p finalize", PLAIN, NULL },
	{ "alter table t add column concurrently_ int", PLAIN, NULL },
	{ "refresh materialized view concurrently v", PLAIN, NULL },

	/* the cluster */
	{ "create database d", ALONE, "CREATE DATABASE" },
	{ "drop database if exists d", ALONE, "DROP DATABASE" },
	{ "alter database d set tablespace s", ALONE,
	  "ALTER DATABASE SET TABLESPACE" },
	{ "alter database d tablespace s", ALONE,
	  "ALTER DATABASE SET TABLESPACE" },
	{ "alter database d with tablespace = s", ALONE,
	  "ALTER DATABASE SET TABLESPACE" },
	{ "alter database d set search_path to a", PLAIN, NULL },
	{ "alter database d rename to e", PLAIN, NULL },
	{ "create tablespace s location '/x'", ALONE, "CREATE TABLESPACE" },
	{ "drop tablespace s", ALONE, "DROP TABLESPACE" },
	{ "alter tablespace s rename to r", PLAIN, NULL },
	{ "alter system set a = 1", ALONE, "ALTER SYSTEM" },
	{ "discard all", ALONE, "DISCARD ALL" },
	{ "discard temp", PLAIN, NULL },
	{ "checkpoint", PLAIN, NULL },
	{ "listen x", PLAIN, NULL },
	{ "notify x", PLAIN, NULL },

	/* subscriptions */
	{ "create subscription s connection '' publication p", ALONE,
	  "CREATE SUBSCRIPTION" },
	{ "create subscription s connection '' publication p with (enabled)",
	  ALONE, "CREATE SUBSCRIPTION" },
	{ "create subscription s connection '' publication p with "
	  "(create_slot = true)",
	  ALONE, "CREATE SUBSCRIPTION" },
	{ "create subscription s connection '' publication p with "
	  "(slot_name = NONE, create_slot = false)",
	  PLAIN, NULL },
	{ "create subscription s connection '' publication p with (Connect = "
	  "'off')",
	  PLAIN, NULL },
	{ "create subscription s connection 'a (create_slot=off)' "
	  "publication p",
	  ALONE, "CREATE SUBSCRIPTION" },
	{ "drop subscription s", ALONE, "DROP SUBSCRIPTION" },
	{ "alter subscription s refresh publication", ALONE,
	  "ALTER SUBSCRIPTION REFRESH" },
	{ "alter subscription s set publication p", ALONE,
	  "ALTER SUBSCRIPTION SET PUBLICATION" },
	{ "alter subscription s set publication p with (refresh = false)",
	  PLAIN, NULL },
	{ "alter subscription s add publication p with (copy_data = false)",
	  ALONE, "ALTER SUBSCRIPTION ADD PUBLICATION" },
	{ "alter subscription s drop publication p with (\"refresh\" = 0)",
	  PLAIN, NULL },
	{ "alter subscription s set (failover = false)", ALONE,
	  "ALTER SUBSCRIPTION SET" },
	{ "alter subscription s set (two_phase = false)", ALONE,
	  "ALTER SUBSCRIPTION SET" },
	{ "alter subscription s set (two_phase)", PLAIN, NULL },
	{ "alter subscription s set (slot_name = failover)", PLAIN, NULL },
	{ "alter subscription s disable", PLAIN, NULL },

	/* COPY */
	{ "copy t from stdin", MZ_SQL_COPY_STDIN, "COPY FROM STDIN" },
	{ "COPY s.\"T\" (a, \"b)\", c) FROM STDIN WITH (FORMAT csv)",
	  MZ_SQL_COPY_STDIN, "COPY FROM STDIN" },
	{ "copy binary t from stdin", MZ_SQL_COPY_STDIN, "COPY FROM STDIN" },
	{ "copy t from stdout", MZ_SQL_COPY_STDIN, "COPY FROM STDIN" },
	{ "copy a.b.c from/**/stdin", MZ_SQL_COPY_STDIN, "COPY FROM STDIN" },
	{ "copy t from '/x'", PLAIN, NULL },
	{ "copy t from program 'x'", PLAIN, NULL },
	{ "copy t to stdout", PLAIN, NULL },
	{ "copy (select 1 from stdin) to stdout", PLAIN, NULL },
	{ "copy (select 1) from stdin", PLAIN, NULL },
	{ "copy t", PLAIN, NULL },
	{ "copy t (a", PLAIN, NULL },
	{ "copy t. from stdin", PLAIN, NULL },

	/* the rest */
	{ "alter type t add value 'x'", PLAIN, "ALTER TYPE ADD VALUE" },
	{ "alter type s.t add value if not exists 'x'", PLAIN,
	  "ALTER TYPE ADD VALUE" },
	{ "alter type t add attribute value int", PLAIN, NULL },
	{ "select 1", PLAIN, NULL },
	{ "select 'vacuum'", PLAIN, NULL },
	{ "(select 1)", PLAIN, NULL },
	{ "create", PLAIN, NULL },
	{ "alter table", PLAIN, NULL },
	{ "'begin'", PLAIN, NULL },
	{ "explain analyze vacuum", PLAIN, NULL },
	{ "set standard_conforming_strings = off", PLAIN, NULL },
};

static const struct {
	const char *text;
	enum mz_sql_problem problem;
	size_t at;
	size_t statements; /* before it */
} problems[] = {
	{ "select 'abc", MZ_SQL_UNTERMINATED_QUOTE, 7, 0 },
	{ "a; select 'abc''", MZ_SQL_UNTERMINATED_QUOTE, 10, 1 },
	{ "select '", MZ_SQL_UNTERMINATED_QUOTE, 7, 0 },
	{ "a;b;E'\\'", MZ_SQL_UNTERMINATED_QUOTE, 4, 2 },
	{ "E'\\", MZ_SQL_UNTERMINATED_QUOTE, 0, 0 },
	{ "select B'01", MZ_SQL_UNTERMINATED_QUOTE, 7, 0 },
	{ "select U&'01", MZ_SQL_UNTERMINATED_QUOTE, 7, 0 },
	{ "select E'a'\n'b", MZ_SQL_UNTERMINATED_QUOTE, 7, 0 },
	{ "select \"abc", MZ_SQL_UNTERMINATED_IDENTIFIER, 7, 0 },
	{ "select \"abc\"\"", MZ_SQL_UNTERMINATED_IDENTIFIER, 7, 0 },
	{ "select U&\"a", MZ_SQL_UNTERMINATED_IDENTIFIER, 7, 0 },
	{ "a;do $$ begin", MZ_SQL_UNTERMINATED_DOLLAR, 5, 1 },
	{ "$a$ $b$ $", MZ_SQL_UNTERMINATED_DOLLAR, 0, 0 },
	{ "$a$ $a", MZ_SQL_UNTERMINATED_DOLLAR, 0, 0 },
	{ "$$", MZ_SQL_UNTERMINATED_DOLLAR, 0, 0 },
	{ "$$$", MZ_SQL_UNTERMINATED_DOLLAR, 0, 0 },
	{ "a; /* b", MZ_SQL_UNTERMINATED_COMMENT, 3, 1 },
	{ "a /* b /* c */", MZ_SQL_UNTERMINATED_COMMENT, 2, 0 },
	{ "/*/", MZ_SQL_UNTERMINATED_COMMENT, 0, 0 },
	{ "/*", MZ_SQL_UNTERMINATED_COMMENT, 0, 0 },
	{ "/* a *", MZ_SQL_UNTERMINATED_COMMENT, 0, 0 },
	{ "/**/ /* a /* */", MZ_SQL_UNTERMINATED_COMMENT, 5, 0 },
};

START_TEST(a_script_is_cut_where_the_server_would)
{
	for (size_t i = 0; i < COUNT(splits); i++) {
		struct mz_sql_statement st;
		struct mz_sql s;
		size_t n = 0;

		mz_sql_init(&s, pgw_view_of(splits[i].text));
		s.standard_conforming_strings = !splits[i].off;
		for (; mz_sql_next(&s, &st); n++) {
			const char *want = splits[i].want[n];

			ck_assert_msg(
				want && st.count == n + 1 &&
					pgw_view_is(
						(struct pgw_view){
							s.text.p + st.start,
							st.end - st.start },
						want),
				"row %zu: %s\nstatement %zu: %.*s", i,
				splits[i].text, n + 1, (int)(st.end - st.start),
				splits[i].text + st.start);
		}
		ck_assert_msg(!splits[i].want[n] && s.problem == MZ_SQL_OK,
			      "row %zu: %s", i, splits[i].text);
		ck_assert(!mz_sql_next(&s, &st));
	}
}

END_TEST

START_TEST(a_statement_is_known_by_its_keywords)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct mz_sql_statement st;
		struct mz_sql s;

		mz_sql_init(&s, pgw_view_of(kinds[i].text));
		ck_assert(mz_sql_next(&s, &st));
		ck_assert_msg(st.kind == kinds[i].kind, "%s", kinds[i].text);
		ck_assert_pstr_eq(st.what, kinds[i].what);
		ck_assert(!mz_sql_next(&s, &st));
	}
}

END_TEST

START_TEST(keywords_behind_the_semicolon_are_another_statements)
{
	struct mz_sql_statement st;
	struct mz_sql s;

	mz_sql_init(&s, pgw_view_of("cluster; t; create; database d"));
	ck_assert(mz_sql_next(&s, &st));
	ck_assert_int_eq(st.kind, MZ_SQL_ALONE);
	ck_assert(mz_sql_next(&s, &st));
	ck_assert(mz_sql_next(&s, &st));
	ck_assert_int_eq(st.kind, MZ_SQL_PLAIN);
}

END_TEST

START_TEST(what_is_not_terminated_is_found_where_it_began)
{
	for (size_t i = 0; i < COUNT(problems); i++) {
		struct mz_sql_statement st;
		struct mz_sql s;

		mz_sql_init(&s, pgw_view_of(problems[i].text));
		while (mz_sql_next(&s, &st))
			continue;
		ck_assert_msg(s.problem == problems[i].problem &&
				      s.problem_at == problems[i].at &&
				      s.count == problems[i].statements,
			      "%s: %s at %zu after %zu", problems[i].text,
			      mz_sql_problem_text(s.problem), s.problem_at,
			      s.count);
		ck_assert(!mz_sql_next(&s, &st));
		ck_assert_int_eq(s.problem, problems[i].problem);
	}
}

END_TEST

START_TEST(every_problem_has_its_text)
{
	ck_assert_str_eq(mz_sql_problem_text(MZ_SQL_OK), "no problem");
	ck_assert_str_eq(mz_sql_problem_text(MZ_SQL_UNTERMINATED_QUOTE),
			 "unterminated quoted string");
	ck_assert_str_eq(mz_sql_problem_text(MZ_SQL_UNTERMINATED_IDENTIFIER),
			 "unterminated quoted identifier");
	ck_assert_str_eq(mz_sql_problem_text(MZ_SQL_UNTERMINATED_DOLLAR),
			 "unterminated dollar-quoted string");
	ck_assert_str_eq(mz_sql_problem_text(MZ_SQL_UNTERMINATED_COMMENT),
			 "unterminated /* comment");
}

END_TEST

START_TEST(statements_know_their_line)
{
	static const size_t lines[] = { 2, 2, 5, 7 };
	struct mz_sql_statement st;
	struct mz_sql s;
	size_t n = 0;

	mz_sql_init(&s,
		    pgw_view_of("-- x\na; b\n'\n'; ;\r\n c\r;\n\n/**/d;\n"));
	for (; mz_sql_next(&s, &st); n++)
		ck_assert_uint_eq(st.line, lines[n]);
	ck_assert_uint_eq(n, COUNT(lines));
}

END_TEST

START_TEST(a_nul_is_a_byte_like_another)
{
	static const unsigned char bytes[] = "a\0;'b\0;';$\0$;c";
	static const size_t ends[] = { 2, 8, 12, 14 };
	struct mz_sql_statement st;
	struct mz_sql s;
	size_t n = 0;

	mz_sql_init(&s, (struct pgw_view){ bytes, sizeof(bytes) - 1 });
	for (; mz_sql_next(&s, &st); n++)
		ck_assert_uint_eq(st.end, ends[n]);
	ck_assert_uint_eq(n, COUNT(ends));
}

END_TEST

START_TEST(deep_nesting_is_only_a_number)
{
	static unsigned char text[3000000];
	struct mz_sql_statement st;
	struct mz_sql s;

	memset(text, '(', sizeof(text));
	mz_sql_init(&s, (struct pgw_view){ text, sizeof(text) });
	ck_assert(mz_sql_next(&s, &st));
	ck_assert_uint_eq(st.end, sizeof(text));

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '*' : '/';
	mz_sql_init(&s, (struct pgw_view){ text, sizeof(text) });
	ck_assert(!mz_sql_next(&s, &st));
	ck_assert_int_eq(s.problem, MZ_SQL_UNTERMINATED_COMMENT);
}

END_TEST

/* Each of these takes seconds or hours if the time is not linear. */
START_TEST(long_texts_take_linear_time)
{
	static const char *const units[] = {
		"$a",	    "$a$b$",	"'a'\n",
		"'",	    "\"",	"E'\\'",
		"/*",	    "$a$",	";",
		"a;",	    "--",	"create function f() begin atomic ",
		"copy t (", "a.",	"u&",
		"1e",	    "cluster ",
	};
	static unsigned char text[1000000];

	for (size_t u = 0; u < COUNT(units); u++) {
		size_t n = strlen(units[u]);
		struct mz_sql_statement st;
		struct mz_sql s;

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = (unsigned char)units[u][i % n];
		mz_sql_init(&s, (struct pgw_view){ text, sizeof(text) });
		while (mz_sql_next(&s, &st))
			ck_assert_uint_le(st.end, sizeof(text));
	}
}

END_TEST

static const struct {
	const char *text;
	size_t at, line, column;
} places[] = {
	{ "", 0, 1, 1 },
	{ "", 9, 1, 1 },
	{ "abc", 0, 1, 1 },
	{ "abc", 2, 1, 3 },
	{ "abc", 3, 1, 4 },
	{ "abc", 99, 1, 4 },
	{ "a\nb", 1, 1, 2 },
	{ "a\nb", 2, 2, 1 },
	{ "a\r\nb", 1, 1, 2 },
	{ "a\r\nb", 2, 1, 3 },
	{ "a\r\nb", 3, 2, 1 },
	{ "a\r\n\r\nbc", 6, 3, 2 },
	{ "a\rb", 2, 1, 3 },
	{ "\n\n", 2, 3, 1 },
	{ "\xef\xbb\xbfx", 3, 1, 2 },
	{ "\xc3\xa9x", 2, 1, 2 },
	{ "\xc3\xa9x", 1, 1, 1 }, /* inside of a character */
	{ "\xe2\x82\xac\xf0\x9f\x98\x80x", 7, 1, 3 },
	{ "\xff\xc3x", 2, 1, 3 },
	{ "\xc3\xa9\n\xc3\xa9x", 5, 2, 2 },
	{ "\t\tx", 2, 1, 3 },
};

START_TEST(a_byte_has_a_line_and_a_column)
{
	for (size_t i = 0; i < COUNT(places); i++) {
		size_t line, column;

		mz_sql_place(pgw_view_of(places[i].text), places[i].at, &line,
			     &column);
		ck_assert_msg(line == places[i].line &&
				      column == places[i].column,
			      "row %zu: %zu:%zu", i, line, column);
	}
}

END_TEST

static const struct {
	const char *text;
	size_t position, offset;
} offsets[] = {
	{ "", 0, 0 },
	{ "", 1, 0 },
	{ "", 5, 0 },
	{ "abc", 0, 0 },
	{ "abc", 1, 0 },
	{ "abc", 3, 2 },
	{ "abc", 4, 3 },
	{ "abc", 99, 3 },
	{ "a\r\nb", 4, 3 },
	{ "\xef\xbb\xbfx", 2, 3 },
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80x", 2, 2 },
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80x", 4, 9 },
	{ "\xff\xfex", 3, 2 },
	{ "\xe2\x82", 2, 1 },
};

START_TEST(a_position_of_the_server_is_a_byte)
{
	for (size_t i = 0; i < COUNT(offsets); i++)
		ck_assert_msg(mz_sql_offset(pgw_view_of(offsets[i].text),
					    offsets[i].position) ==
				      offsets[i].offset,
			      "row %zu", i);
}

END_TEST

UNIT_MAIN("sql", a_script_is_cut_where_the_server_would,
	  a_statement_is_known_by_its_keywords,
	  keywords_behind_the_semicolon_are_another_statements,
	  what_is_not_terminated_is_found_where_it_began,
	  every_problem_has_its_text, statements_know_their_line,
	  a_nul_is_a_byte_like_another, deep_nesting_is_only_a_number,
	  long_texts_take_linear_time, a_byte_has_a_line_and_a_column,
	  a_position_of_the_server_is_a_byte)
