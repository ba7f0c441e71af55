# SPDX-License-Identifier: MIT
"""SQL as people really and rarely write it: cut into statements, it does what
it does when Drizzle sends it in one piece."""
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from harness import (BREAK, Server, check, drizzle, drizzle_home, journal,
                     mizzle, needs_program, newdir, note, verdict)

needs_program()
server = Server('autovacuum=off')
T = 'CREATE TABLE t (a int);'

SAME = {  # both apply it, with the same result
    'savepoints in chunks': BREAK.join((
        T, 'SAVEPOINT x;', 'INSERT INTO t VALUES (1);', 'ROLLBACK TO x;',
        'RELEASE x;')),
    'savepoints in one chunk':
        T + 'SAVEPOINT x; INSERT INTO t VALUES (1); ROLLBACK TO SAVEPOINT x;'
        'INSERT INTO t VALUES (2);',
    'deferred constraints': T + 'SET CONSTRAINTS ALL DEFERRED;',
    'the history is read':
        'CREATE TABLE t AS SELECT count(*) FROM drizzle.__drizzle_migrations;',
    'the history gets a column':
        'ALTER TABLE drizzle.__drizzle_migrations ADD extra int;',
    'prepared statements': 'PREPARE p AS SELECT 1; EXECUTE p; DEALLOCATE p;',
    'LISTEN and NOTIFY': 'LISTEN x; NOTIFY x;' + T,
    'a cursor': T + 'DECLARE c CURSOR FOR SELECT 1; FETCH ALL FROM c; CLOSE c;',
    'a temporary table':
        'CREATE TEMP TABLE tt (a int) ON COMMIT DROP; INSERT INTO tt '
        'VALUES (1); CREATE TABLE t AS SELECT * FROM tt;',
    'COPY TO STDOUT': T + 'INSERT INTO t VALUES (1); COPY t TO STDOUT;'
        'INSERT INTO t VALUES (2);',
    'COPY FROM PROGRAM': T + "COPY t FROM PROGRAM 'echo 1';",
    'a large result': "SELECT repeat('x', 1000) FROM generate_series(1, 50000);",
    'many results': ';'.join('SELECT %d' % i for i in range(5000)),
    'an advisory lock': 'SELECT pg_advisory_lock(1);' + T,
    'a lock on the history':
        'LOCK TABLE drizzle.__drizzle_migrations IN ACCESS EXCLUSIVE MODE;' + T,
    'a setting that is reset': 'SET ROLE NONE; RESET ALL;' + T,
    'names that are not ASCII':
        "CREATE TABLE \"таблица😀\" (\"столбец\" text DEFAULT 'ü');",
    'escapes of Unicode':
        "CREATE TABLE t AS SELECT U&'\\0441' AS x, U&\"d\\0061t\\+000061\" "
        'FROM (SELECT 1 AS data) q;',
    'BEGIN ATOMIC':
        'CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC '
        'SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END; SELECT 2; END;' + T,
    'a rule of two commands':
        T + 'CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2);',
    'a procedure':
        T + 'CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t '
        'VALUES (1); END $$; CALL p();',
    'only comments': '-- a\n/* b */\n',
    'only semicolons': ';;;\n;\n',
    'nothing': '',
    'only blanks': ' \n\t',
    'CRLF': 'CREATE TABLE t (a int);\r\n%s\r\nCREATE TABLE u (a int);\r\n'
            % BREAK,
    'CR alone': 'CREATE TABLE t (a int);\r-- x\rCREATE TABLE u (a int);',
    'a nested comment': '/* a /* b */ ; */' + T,
    'EXPLAIN and SHOW': 'EXPLAIN SELECT 1; SHOW all;' + T,
    'DISCARD TEMP': 'DISCARD TEMP;' + T,
    'a default of read-only': 'SET default_transaction_read_only = on;' + T,
    'a timeout of statements': "SET statement_timeout = '5min';" + T,
    'an enum': "CREATE TYPE e AS ENUM ('a'); ALTER TYPE e ADD VALUE 'b';",
    'a role': 'CREATE ROLE oddrole; DROP ROLE oddrole;',
    'maintenance': 'CREATE TABLE t (a int PRIMARY KEY); REINDEX TABLE t;'
        'CLUSTER t USING t_pkey; ANALYZE t; TRUNCATE t;',
    'REFRESH CONCURRENTLY':
        'CREATE MATERIALIZED VIEW v AS SELECT 1 AS a; CREATE UNIQUE INDEX '
        'ON v (a); REFRESH MATERIALIZED VIEW CONCURRENTLY v;',
    'dollars in names':
        'CREATE TABLE t$1$x (a int); SELECT 1 AS a$b$c;' + T,
    'parameters of functions':
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1';"
        'SELECT f(1);',
    'escape strings': "CREATE TABLE t AS SELECT E'a\\';b' AS x, 'c\\' AS y;",
    'a string in two parts': "CREATE TABLE t AS SELECT 'a'\n'b;' AS x;",
    'strings with a letter':
        "CREATE TABLE t AS SELECT N'a;b' AS x, B'01' AS y, X'ff' AS z;",
    'operators that look like comments':
        'SELECT 1 -- ;\n; SELECT 1 /* ; */ + 2; SELECT 5 - -1; CREATE '
        'OPERATOR ### (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);'
        'SELECT 1 ### 2;',
    'no semicolon at the end': T + '\nCREATE TABLE u (a int)',
    'a comment at the end': 'CREATE TABLE t (a int) -- end',
    'empty chunks': T + BREAK + BREAK + '\n' + BREAK + 'SELECT 1',
    'deep parentheses': 'SELECT %s1%s;' % ('(' * 3000, ')' * 3000),
    'a name of 100 characters': 'CREATE TABLE "%s" (a int);' % ('x' * 100),
    'a statement of 5 MB': "CREATE TABLE t AS SELECT '%s' AS a;"
        % ('y' * 5000000),
    'an event trigger':
        'CREATE FUNCTION et() RETURNS event_trigger LANGUAGE plpgsql AS $$ '
        "BEGIN RAISE NOTICE 'x'; END $$; CREATE EVENT TRIGGER et ON "
        'ddl_command_end EXECUTE FUNCTION et();' + T,
    'COMMIT': T + 'COMMIT;' + 'CREATE TABLE u (a int);',
    'END': T + 'END;',
    'COMMIT in a chunk': BREAK.join((T, 'COMMIT;', 'CREATE TABLE u (a int);')),
    'COMMIT twice': T + 'COMMIT; COMMIT;',
    'a transaction of its own': 'BEGIN; %s COMMIT; CREATE TABLE u (a int);' % T,
    'one that is rolled back':
        T + 'COMMIT; BEGIN; CREATE TABLE u (a int); ROLLBACK;',
    'one without an end': 'START TRANSACTION;' + T,
    'COMMIT AND CHAIN': 'BEGIN; %s COMMIT AND CHAIN; CREATE TABLE u (a int);'
        'COMMIT;' % T,
    'two transactions': BREAK.join((
        'BEGIN;', T, 'COMMIT;', 'BEGIN ISOLATION LEVEL SERIALIZABLE;',
        'INSERT INTO t VALUES (1);', 'SAVEPOINT s;', 'DELETE FROM t;',
        'ROLLBACK TO s;', 'COMMIT;')),
    'a build behind a COMMIT':
        BREAK.join((T, 'COMMIT;', 'CREATE INDEX CONCURRENTLY i ON t (a);',
                    'VACUUM t;', 'INSERT INTO t VALUES (1);')),
    'settings across a COMMIT':
        "CREATE SCHEMA s; SET search_path = s; %s COMMIT; CREATE TABLE u ("
        'a int); RESET search_path;' % T,
    'settings of one\'s own':
        "SET my.var = '1'; CREATE TABLE t AS SELECT current_setting('my.var');",
}

BETTER = {  # what Drizzle fails on, in a form that is right as well
    'ABORT': T + 'ABORT;',
    'DISCARD ALL': 'DISCARD ALL;',
    'CREATE DATABASE': 'CREATE DATABASE oddx;',
    'CREATE INDEX CONCURRENTLY':
        T + BREAK + 'CREATE INDEX CONCURRENTLY i ON t (a);',
    'a value of an enum':
        "CREATE TYPE e AS ENUM ('a'); COMMIT; ALTER TYPE e ADD VALUE 'b';"
        "CREATE TABLE t (a e DEFAULT 'b'); INSERT INTO t VALUES ('b');",
    'a value that a procedure of the server needs':
        "CREATE TYPE e AS ENUM ('a'); COMMIT; ALTER TYPE e ADD VALUE 'b';"
        "SELECT ('{' || chr(98) || '}')::e[];",
    'a procedure that commits':
        T + 'CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t '
        'VALUES (1); COMMIT; INSERT INTO t VALUES (2); END $$; CALL p();',
    'a DO that commits':
        T + 'DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$;',
}


names = count()


def folder(text):
    return journal(newdir('odd%d' % next(names)), [
        ('0000_z', 'CREATE TABLE z (a int);'), ('0001_odd', text),
        ('0002_y', 'CREATE TABLE y (a int);')])


def same(what, text):
    db = 'o%d' % next(names)
    where = folder(text)
    want = None

    def outcome():
        return server.history(db, 'id, hash, created_at'), server.dump(db)
    if drizzle_home():
        server.fresh(db, 'postgres')
        done = drizzle(0, server.url(db, 'postgres'), where)
        check(what + ': Drizzle applies it', (0, ''), (done.status, done.err))
        want = outcome()
    server.fresh(db, 'postgres')
    got = mizzle('migrate', '--url', server.url(db, 'postgres'), '--dir',
                 where)
    if check(what + ': mizzle applies it', 0, got.status):
        if want:
            check(what + ': with the same result', want, outcome())
    else:
        note(str(got)[:500])
    server.sql('postgres', 'DROP DATABASE "%s" WITH (FORCE)' % db)


def better(what, text):
    db = server.fresh('o%d' % next(names), 'postgres')
    got = mizzle('migrate', '--url', server.url(db, 'postgres'), '--dir',
                 folder(text))
    check(what + ': applied', 0, got.status) or note(str(got)[:500])
    check(what + ': with all three, and nothing of ours left', '3|t',
          server.sql(db, "SELECT count(*), to_regclass('drizzle."
                     "__mizzle_progress') IS NULL "
                     'FROM drizzle.__drizzle_migrations'))
    server.sql('postgres', 'DROP DATABASE "%s" WITH (FORCE)' % db)


with ThreadPoolExecutor(4) as pool:
    done = [pool.submit(test, what, text) for test, cases in (
        (same, SAME), (better, BETTER)) for what, text in cases.items()]
for one in done:
    one.result()    # or its exception
if not drizzle_home():
    note('no drizzle-orm here: the comparison was left out')
sys.exit(verdict())
