# SPDX-License-Identifier: MIT
"""Scripts: `mizzle exec` beside psql, and what it says when they fail."""
import os
import random
import re
import signal
import subprocess
import sys

from harness import (BREAK, LONG, Server, check, finish, journal, mizzle,
                     needs_program, newdir, note, shared, start, verdict,
                     wait_for, workdir, write)

needs_program()
server = Server('autovacuum=off', 'client_min_messages=notice')


def run(*args, text=None, db='x', **more):
    if text is not None:
        more['stdin'] = open(write(os.path.join(workdir(), 'in'), text), 'rb')
    return mizzle('exec', '--url', server.socket(db, 'postgres'), *args,
                  **more)


def script(text, name='s.sql'):
    return write(os.path.join(workdir(), 'scripts', name), text)


def here(text, *options, **more):
    """Run it as a file, named s.sql."""
    script(text)
    return run(*options, 's.sql', cwd=os.path.join(workdir(), 'scripts'),
               **more)


def psql(path, *options, db='x'):
    done = subprocess.run(
        [server.psql, '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', server.dir,
         '-p', str(server.port), '-U', 'postgres', '-d', db, *options, '-f',
         path], stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode, done.stdout.decode('utf-8', 'replace')


def tables(db='x'):
    return server.sql(db, "SELECT coalesce(string_agg(relname, ' ' ORDER BY "
                      "relname), '') FROM pg_class WHERE relkind = 'r' AND "
                      "relnamespace = 'public'::regnamespace")


def dump(db, *options):
    """All that pg_dump says, but for the lines that differ by chance."""
    text = subprocess.run(
        [os.path.join(server.bin, 'pg_dump'), '-h', server.dir, '-p',
         str(server.port), '-U', 'postgres', *options, db],
        capture_output=True, check=True).stdout
    return text, b''.join(
        line for line in text.splitlines(keepends=True)
        if not line.startswith((b'\\restrict', b'\\unrestrict')))


# ---- the same as psql

SAME = {
    'nothing': '',
    'only comments': '-- a\n/* b; */\n;;\n',
    'values': "SELECT 1 AS id, NULL AS n, 'two' AS t, 3.5 AS num, true;\n"
              "SELECT -1::int8, 2::int2, 1.5::float8, 7::oid, '$1'::money;",
    'no columns': 'SELECT;\nSELECT FROM generate_series(1, 3);',
    'no rows': 'SELECT 1 AS a, 2 AS b WHERE false;',
    'one row, two rows': 'SELECT 1; VALUES (1), (2);',
    'lines in values': "SELECT E'a\\nbb\\n' AS a, 'x' AS b, E'\\n' AS c;\n"
                       "SELECT 1 AS \"n\nm\", E'1\\n22' AS \"long\nname\";",
    'lines and numbers': "SELECT 1 AS a, E'x\\ny' AS b, 3 AS c "
                         "UNION ALL SELECT 22, 'z', 4;",
    'wide characters': "SELECT 'é€' AS \"日本\", '日本語' AS b, 1 AS \"é\";",
    'tabs': "SELECT E'a\\tb' AS t, E'\\t' AS u, E'12345678\\tx';",
    'twice the same name': 'SELECT 1 AS a, 2 AS a;',
    'arrays and JSON': "SELECT ARRAY[1, NULL], '{\"a\": [1]}'::jsonb, "
                       "'\\x00ff'::bytea, 'a'::\"char\";",
    'CSV needs quotes': "SELECT 'a,b' AS \"x,y\", 'q\"q' AS \"\"\"\", "
                        "E'l\\nm', E'c\\r', ' ', '', NULL, '\\.';",
    'DO and NOTICE': "DO $$ BEGIN RAISE NOTICE 'n'; END $$; SELECT 1;",
    'COPY out': "COPY (SELECT 1, E'a\\tb', NULL) TO STDOUT;\n"
                "COPY (SELECT 1, 'a,b') TO STDOUT (FORMAT csv, HEADER);",
    'COPY in': 'CREATE TABLE t (a int, b text);\nCOPY t FROM STDIN;\n'
               '1\tx\n2\t\\N\n3\t;\'"$$/*--\n4\t\\\\.\n\\.\nTABLE t;',
    'COPY in and more on its line':
        'CREATE TABLE t (a int);\nCOPY t FROM STDIN; SELECT count(*) FROM t; '
        '-- it\'s\n1\n2\n\\.\nSELECT sum(a) FROM t;',
    'COPY twice on a line':
        'CREATE TABLE t (a int); CREATE TABLE u (a int);\n'
        'COPY t FROM STDIN; COPY u FROM STDIN; SELECT 9;\n1\n\\.\n2\n3\n\\.\n'
        'TABLE t; TABLE u;',
    'a statement around the rows':
        'CREATE TABLE t (a int);\nCOPY t FROM STDIN; SELECT\n1\n\\.\n'
        'count(*) FROM t;',
    'COPY as CSV': 'CREATE TABLE t (a int, b text);\n'
                   'COPY t FROM STDIN (FORMAT csv);\n1,"a\nb"\n2,"""",\n'
                   .replace('"""",', '""""') + '\\.\nTABLE t;',
    'COPY with CRLF': 'CREATE TABLE t (a int, b text);\r\n'
                      'COPY t FROM STDIN;\r\n1\tx\r\n2\ty\r\n\\.\r\n'
                      'SELECT a, length(b) FROM t;\r\n',
    'an empty COPY': 'CREATE TABLE t (a int);\nCOPY t FROM STDIN;\n\\.\n'
                     'SELECT count(*) FROM t;',
    'a transaction of its own': 'BEGIN;\nCREATE TABLE a ();\nCOMMIT;\n'
                                'BEGIN;\nCREATE TABLE b ();\nROLLBACK;',
    'savepoints': 'BEGIN;\nCREATE TABLE a ();\nSAVEPOINT s;\n'
                  'CREATE TABLE b ();\nROLLBACK TO s;\nCOMMIT;',
    'outside of transactions': 'CREATE TABLE t (a int);\nVACUUM t;\n'
                               'CREATE INDEX CONCURRENTLY i ON t (a);',
    'a byte order mark': '\ufeffCREATE TABLE t (a int);\nSELECT 1;',
    'CRLF': 'SELECT 1;\r\n-- x\r\nSELECT\r\n2;\r\n',
    'session settings': "SET search_path = pg_catalog;\nSHOW search_path;\n"
                        "SET standard_conforming_strings = off;\n"
                        "SET escape_string_warning = off;\n"
                        "SELECT 'a\\'b;c', 1;",
    'functions': 'CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$\n'
                 'BEGIN\n  RETURN 1; -- ;\nEND $f$;\nSELECT f();\n'
                 'CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; '
                 'SELECT 2; END;\nSELECT g();',
    'Latin-1': b"SET client_encoding = 'LATIN1';\nCREATE TABLE t (a text);\n"
               b"INSERT INTO t VALUES ('\xe9\xfc');\n"
               b"SET client_encoding = 'UTF8';\nTABLE t;",
    'many rows': "SELECT i, repeat('x', 10 + i % 5) AS s "
                 "FROM generate_series(1, 2500) i;",
    'a long value': "SELECT repeat('abc', 100000) AS s;",
}


def beside_psql():
    for what, text in SAME.items():
        path = script(text)
        for options in (), ('--csv',):
            server.fresh('x')
            status, want = psql(path, *options)
            kept = dump('x')[1]
            server.fresh('x')
            got = run(*options, path)
            name = what + ' '.join(options)
            check(name + ': status', (0, 0), (status, got.status)) or \
                note(got.err)
            if what == 'a long value' and not options:
                want = want.replace('\r', '')
            check(name + ': output', want, got.out)
            check(name + ': the database', kept, dump('x')[1])
        # through a pipe, and as one transaction, it is no other
        server.fresh('x')
        got = run(text=text)
        check(what + ': from stdin', (0, kept), (got.status, dump('x')[1]))


PIECES = ['SELECT 1;', '\n', "SELECT 'a;\n';", 'COPY e FROM STDIN;', ' ',
          '1\t2\n', '\\.\n', "-- it's\n", '/* y; */', 'DO $$ BEGIN END $$;',
          "SELECT E'\\';';", '\r\n', 'BEGIN;', 'COMMIT;', 'SELECT\n2 AS b;',
          'SELECT nope;', 'INSERT INTO e VALUES (3, 4);\n', 'TABLE e;\n']


def at_random():
    """What is not refused as a script ends as it does in psql."""
    seed = int(os.environ.get('SEED', '5'))
    pick = random.Random(seed)
    same = 0
    for _ in range(2000 if LONG else 150):
        text = ''.join(pick.choice(PIECES)
                       for _ in range(pick.randint(1, 14)))
        path = script(text)
        got = run(path)
        if got.status == 2:
            continue
        left = server.sql('x', 'TABLE e')
        server.sql('x', 'TRUNCATE e')
        status, out = psql(path)
        ok = check('at random (SEED=%d): %r' % (seed, text),
                   (status == 0, out, server.sql('x', 'TABLE e')),
                   (got.status == 0, got.out, left))
        server.sql('x', 'TRUNCATE e')
        same += ok
    check('at random: %d scripts were run' % same, True, same > 30)


def in_one_transaction():
    alone = ('outside of transactions', 'a transaction of its own',
             'savepoints')
    for what, text in SAME.items():
        if what in alone:
            continue
        path = script(text)
        server.fresh('x')
        psql(path)
        kept = dump('x')[1]
        server.fresh('x')
        got = run('-1', path)
        check(what + ' with -1', (0, kept), (got.status, dump('x')[1])) or \
            note(got.err)


def nothing_of_its_own():
    """What is sent is the script, and with -1 two statements more."""
    server.fresh('x')
    trace = os.path.join(workdir(), 'trace')
    for options, own in (((), []), (('-1',), ['BEGIN; ', 'COMMIT']),
                         (('-1', '--lock-timeout', '2s'),
                          ["BEGIN; SELECT pg_catalog.set_config("
                           "'lock_timeout', '2000', true); ", 'COMMIT'])):
        got = run('--trace', trace, *options, '-c', 'SELECT 1')
        sent = re.findall(r'^F query "(.*)"$', open(trace).read(), re.M)
        want = own[:1] + ['SELECT 1'] + own[1:]
        check('sent with %s' % (options,), (0, want), (got.status, sent))
    got = run('--lock-timeout', '2s', '--statement-timeout', '3s', '-c',
              'SHOW lock_timeout', '-c', 'SHOW statement_timeout', '--csv')
    check('timeouts', 'lock_timeout\n2s\nstatement_timeout\n3s\n', got.out)
    check('no history is made', '0', server.sql(
        'x', "SELECT count(*) FROM pg_namespace WHERE nspname = 'drizzle'"))


# ---- dumps

TYPES = r"""
CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE every (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, i2 smallint, i4 int,
  n numeric(20, 5), f4 real, f8 double precision, b boolean, t text,
  v varchar(20), c char(5), ba bytea, d date, tm time, tz timestamptz,
  ts timestamp, iv interval, u uuid, j json, jb jsonb, x xml, ip inet,
  mac macaddr, bits bit varying(8), m mood, p positive, pr pair, ia int[],
  ta text[], r int4range, pt point, tsv tsvector, mo money);
INSERT INTO every (i2, i4, n, f4, f8, b, t, v, c, ba, d, tm, tz, ts, iv, u, j,
  jb, x, ip, mac, bits, m, p, pr, ia, ta, r, pt, tsv, mo) VALUES
  (1, 2, 3.14159, 1.5, 2.5e300, true, E'tab\there', 'v', 'c', '\x00ff5c2e0a',
   '2024-02-29', '12:34:56.789', '2024-01-01 00:00:00+00', '2024-01-01',
   '1 year 2 days', '00000000-0000-0000-0000-000000000001', '{"a": "\n"}',
   '{"b": [1, null, "\\"]}', '<a>&amp;</a>', '10.0.0.1/8',
   '00:11:22:33:44:55', B'101', 'it''s ok', 7, ROW(1, 'x,"y'),
   ARRAY[1, NULL, 3], ARRAY['a,b', NULL, 'NULL', '\', ''], '[1,5)', '(1,2)',
   'a fat cat', 12.34);
INSERT INTO every DEFAULT VALUES;
INSERT INTO every (t) VALUES ('\.'), (E'\\.\n'), (E'a\nb'), (E'\r\n'), ('\'),
  (E'\\N'), ('\N'), (''), (E'\x01\x7f'), (';'), ('''"$$/*--'), ('COPY'),
  ('é€日本😀'), ('select 1; \connect x'), (repeat('long ', 20000));
CREATE TABLE "Odd ""Name"" ; $$" ("a;b" text, "ü" int);
INSERT INTO "Odd ""Name"" ; $$" VALUES ('\.', 1);
CREATE TABLE none (a int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $_$
BEGIN -- it's
  RETURN NEW; -- \.
END $_$;
CREATE TRIGGER tr BEFORE INSERT ON none FOR EACH ROW EXECUTE FUNCTION f();
CREATE VIEW vw AS SELECT t, ';' AS semi FROM every;
COMMENT ON TABLE every IS 'it''s; \. $$';
"""


def restored(what, db):
    text, want = dump(db)
    path = script(text, 'dump.sql')
    for options in (), ('-1',):
        server.fresh('again')
        got = run(*options, path, db='again')
        check('%s is restored %s' % (what, ' '.join(options)), (0, True),
              (got.status, dump('again')[1] == want)) or note(got.err[:500])
    server.fresh('again')
    got = run(text=text, db='again')
    check(what + ' is restored from stdin', (0, True),
          (got.status, dump('again')[1] == want))
    return text


def dumps():
    server.fresh('x')
    got = here(TYPES)
    check('every type: made', 0, got.status) or note(got.err)
    text = restored('every type', 'x')
    check('it has rows for COPY', True,
          text.count(b'FROM stdin;') == 3 and b'\n\\.\n' in text)
    server.fresh('again')
    for options in (('--inserts',), ('--column-inserts', '--no-owner')):
        server.fresh('again')
        path = script(dump('x', *options)[0], 'dump.sql')
        got = run(path, db='again')
        check('a dump with %s' % (options,), (0, dump('x')[1]),
              (got.status, dump('again')[1]))


CORPORA = ('folders', 8)  # how many of them; they are alike


def corpora():
    place = shared()
    where = place and os.path.join(place, 'corpora', CORPORA[0])
    if not where or not os.path.isdir(where):
        note('without corpora of others: their dumps are not tried')
        return
    done = 0
    for name in sorted(os.listdir(where)):
        if done == CORPORA[1]:
            break
        server.fresh('x')
        got = mizzle('migrate', '--url', server.socket('x', 'postgres'),
                     '--dir', os.path.join(where, name))
        if got.status == 0:
            restored(name, 'x')
            done += 1
    check('dumps of corpora were tried', CORPORA[1], done)


# ---- failures

def block(what, got, head, place, line, source, column, failure):
    check(what + ': status', 1, got.status)
    check(what + ': report', re.compile(
        r'^error: %s\n +--> %s:%d:%d\n +\|\n%d \| %s\n +\| {%d}\^\n +'
        r'= %s' % (re.escape(head), re.escape(place), line, column, line,
                   re.escape(source), column, re.escape(failure)),
        re.MULTILINE), got.err)


def failures():
    good = 'CREATE TABLE a (i int PRIMARY KEY, t text);\nSELECT 1;\n'
    server.fresh('x')
    block('a wrong name', here(good + 'SELECT\n  é.b, nope FROM a AS é;'),
          's.sql failed; the 2 statements before it were kept', 's.sql', 4,
          '  é.b, nope FROM a AS é;', 3, '42703: column é.b does not exist')
    check('what was before is kept', 'a', tables())
    server.fresh('x')
    block('with -1', here(good + 'SELECT nope;', '-1'),
          's.sql failed; nothing was kept', 's.sql', 3, 'SELECT nope;', 8,
          '42703: column "nope" does not exist')
    check('nothing is kept', '', tables())
    block('the first', here('SELECT nope;'),
          's.sql failed; it was the first statement', 's.sql', 1,
          'SELECT nope;', 8, '42703: ')
    block('its own transaction', here(
        'CREATE TABLE b ();\nBEGIN;\n' + good + 'SELECT nope;\nCOMMIT;'),
        's.sql failed; its transaction was rolled back; the 1 statement '
        'before that was kept', 's.sql', 5, 'SELECT nope;', 8, '42703: ')
    check('what was before that is kept', 'b', tables())
    block('-c', run('-c', 'SELECT 1', '-c', 'SELECT 2; SELEC 3'),
          '-c (no. 2) failed; the 2 statements before it were kept',
          '-c (no. 2)', 1, 'SELECT 2; SELEC 3', 11, '42601: syntax error')
    block('stdin', run(text='SELECT 1;\nSELEC 3;'),
          'stdin failed; the statement before it was kept', 'stdin', 2,
          'SELEC 3;', 1, '42601: syntax error')
    got = here('SELECT 1;\n\n\nSELECT nope;', '--json')
    error = got.event('error')
    check('JSON', ('sql', '42703', 's.sql', 's.sql', 4, 8), tuple(
        error.get(k) for k in ('code', 'sqlstate', 'tag', 'file', 'line',
                               'column')))
    check('JSON: the result is last', (False, 1), tuple(
        got.events()[-1].get(k) for k in ('ok', 'statements')))
    got = run('--csv', '-c', 'SELECT 1 / (3 - i) AS a '
              'FROM generate_series(1, 3) i')
    check('a result that fails', (1, 'a\n0\n1\n'), (got.status, got.out))
    got = run('-c', 'SELECT 1 / (3 - i) FROM generate_series(1, 3) i')
    check('a table that fails is not printed', (1, ''), (got.status, got.out))


    got = here(b'SELECT 1;\nSELECT \'\xc3\xa9 \xe9\';')
    check('what is not UTF-8: place', re.compile(r' --> s\.sql:2:11\n'), got.err)
    check('what is not UTF-8: hint', re.compile('client_encoding'), got.err)


def rows_that_fail():
    table = 'CREATE TABLE r (i int PRIMARY KEY, t text, CHECK (i <> 13));\n'
    head = 's.sql failed; the statement before it was kept'
    cases = [
        ('a bad value', '1\ta\nx1\tb\n2\tc\n', 4, 'x1\tb', 1, '22P02'),
        ('too few columns', '1\ta\n2\n', 4, '2', 1, '22P04: missing data'),
        ('too many columns', '1\ta\n2\tb\tc\n', 4, '2\tb\tc', 1,
         '22P04: extra data'),
        ('a constraint', '1\ta\n13\tb\n', 4, '13\tb', 1, '23514'),
        ('a second time', '1\ta\n2\tb\n1\tc\n', 5, '1\tc', 1, '23505'),
    ]
    for what, rows, line, source, column, failure in cases:
        for ends in '\n', '\r\n':
            text = (table + 'COPY r FROM STDIN;\n%s\\.\nDROP TABLE r;\n' %
                    rows).replace('\n', ends)
            for options in (), ('-1',):
                server.fresh('x')
                got = here(text, *options)
                name = '%s %r %s' % (what, ends, options)
                check(name + ': status', 1, got.status)
                check(name + ': report', re.compile(
                    r'^error: %s\n +--> s\.sql:%d:%d\n +\|\n%d \| %s' % (
                        re.escape('s.sql failed; nothing was kept' if options
                                  else head), line, column, line,
                        re.escape(source.expandtabs(1)).replace(
                            r'\ ', r'\s+')), re.M), got.err)
                check(name + ': why', re.compile('= ' + failure), got.err)
                check(name + ': is not run', '' if options else 'r', tables())
                if not options:
                    check(name + ': no row is kept', '0',
                          server.sql('x', 'SELECT count(*) FROM r'))
    # far behind the beginning, in a file and through a pipe
    rows = ''.join('%d\t%s\n' % (i, 'x' * 90) for i in range(14, 30014))
    text = table + '\n\nCOPY r FROM STDIN;\n' + rows + 'x\ty\n\\.\nSELECT 1;\n'
    server.fresh('x')
    got = here(text)
    check('row 30001', re.compile(r' --> s\.sql:30005:1\n'), got.err)
    got = run(text=text.replace(table, ''))
    check('row 30001 of stdin', re.compile(r' --> stdin:30004:1\n'), got.err)
    script(text.replace(table, ''))
    piped = subprocess.Popen(['cat', os.path.join(workdir(), 'scripts',
                                                  's.sql')],
                             stdout=subprocess.PIPE)
    got = run(stdin=piped.stdout)
    piped.wait()
    check('row 30001 of a pipe', re.compile(r' --> stdin:30004\n'), got.err)
    check('no row of a pipe is kept', '0',
          server.sql('x', 'SELECT count(*) FROM r'))


def never_sql():
    """Whatever becomes of the COPY, its rows are data."""
    rows = 'DROP TABLE keep;\nx\ty\tz\n1;\n'
    for what, copy in (
            ('no table', 'COPY nowhere FROM STDIN;'),
            ('no right syntax', 'COPY keep FROM STDIN nonsense;'),
            ('a column that is not there', 'COPY keep (x) FROM STDIN;'),
            ('binary', 'COPY keep FROM STDIN (FORMAT binary);'),
            ('other columns', 'COPY keep FROM STDIN;')):
        server.fresh('x')
        server.sql('x', 'CREATE TABLE keep (a int)')
        text = copy + '\n' + rows + '\\.\nDROP TABLE keep;\n'
        for how in 'file', 'pipe':
            if how == 'file':
                got = here(text)
            else:
                piped = subprocess.Popen(['printf', '%s', text],
                                         stdout=subprocess.PIPE)
                got = run(stdin=piped.stdout)
                piped.wait()
            check('%s, %s' % (what, how), (1, 'keep', '0'),
                  (got.status, tables(),
                   server.sql('x', 'SELECT count(*) FROM keep'))) or \
                note(got.err)


def not_run():
    """What is wrong with the script itself, before anything is sent."""
    cases = [
        ('a quote', "SELECT 1;\nSELECT 'a;\n", 2, 2, 8, 'unterminated quoted'),
        ('a comment', 'SELECT 1;\n/* a\n', 2, 2, 1, 'unterminated /* comment'),
        ('a dollar quote', 'SELECT 1;\nDO $$ a', 2, 2, 4, 'dollar-quoted'),
        ('rows', 'SELECT 1;\nCOPY t FROM STDIN;\n1\n2\n', 2, 3, 0,
         'ends inside of the rows'),
        ('rows, and nothing else', 'COPY t FROM STDIN', 2, 1, 1,
         'COPY data without its end'),
        ('\\connect', 'SELECT 1;\n\\connect x\n', 2, 2, 1, r'\connect'),
        ('\\set', '\\set a b\nSELECT :a;\n', 2, 1, 1, r'\set'),
        ('\\gset', 'SELECT 1 \\gset\n', 2, 1, 10, r'\gset'),
        ('\\copy', "\\copy t from 'x'\n", 2, 1, 1, r'\copy'),
        ('\\i', '\\i x.sql\n', 2, 1, 1, r'\i'),
        ('\\.', 'SELECT 1;\n\\.\n', 2, 2, 1, '\\.'),
        ('a NUL', 'SELECT 1;\nSELECT \0;\n', 2, 2, 8, 'NUL'),
        ('UTF-16', 'SELECT 1;'.encode('utf-16'), 2, 0, 0, 'UTF-16'),
    ]
    for what, text, status, line, column, pattern in cases:
        server.fresh('x')
        text = ('CREATE TABLE sent ();' if isinstance(text, str) else
                b'') + text
        got = here(text, '--json')
        error = got.event('error')
        shift = 21 if line == 1 else 0
        check(what + ': status', (status, 'usage'),
              (got.status, error.get('code')))
        check(what + ': place', (line or None, (column + shift * bool(column))
                                 or None),
              (error.get('line'), error.get('column')))
        check(what + ': words', True, pattern in error.get('message', ''))
        check(what + ': nothing was sent', '', tables())
        check(what + ': says what to do', True, bool(error.get('hint')))
        got = here(text)
        check(what + ': for people', True, pattern in got.err and
              got.status == 2)
    # a pipe is run as it comes, and that is said
    piped = subprocess.Popen(['printf', '%s', 'CREATE TABLE sent ();\n'
                              '\\connect x\nDROP TABLE sent;\n'],
                             stdout=subprocess.PIPE)
    got = run(stdin=piped.stdout)
    piped.wait()
    check('a pipe', (1, 'sent'), (got.status, tables()))
    check('a pipe: words', re.compile(r'stdin has \\connect .* the statement '
                                      r'before it was kept\n +--> stdin:2:1'),
          got.err)
    server.fresh('x')
    piped = subprocess.Popen(['printf', '%s', 'CREATE TABLE c ();\nCOMMIT;\n'],
                             stdout=subprocess.PIPE)
    got = run('-1', stdin=piped.stdout)
    piped.wait()
    check('COMMIT with -1 in a pipe', (9, ''), (got.status, tables()))
    for what, text in (('COMMIT', 'CREATE TABLE c ();\nCOMMIT;'),
                       ('ROLLBACK', 'CREATE TABLE c ();\nROLLBACK;')):
        server.fresh('x')
        got = here(text, '-1')
        check(what + ' with -1', (9, ''), (got.status, tables()))
        check(what + ' with -1: place', re.compile(r's\.sql:2:1'), got.err)


def usage():
    for what, args, pattern in (
            ('a missing file', ('nowhere.sql',), 'No such file'),
            ('a directory', ('/',), 'Is a directory'),
            ('-c and a file', ('-c', 'SELECT 1', 'x.sql'), 'exclude'),
            ('a URL as a file', ('postgres://u:secret@h/d',), '--url')):
        got = run(*args)
        check(what, 2, got.status)
        check(what + ': words', re.compile(pattern), got.err)
        check(what + ': no secret', False, 'secret' in got.err)
    server.fresh('x')
    first = script('CREATE TABLE a ();', 'first.sql')
    got = run(first, 'nowhere.sql')
    check('a later file that is missing', (2, ''), (got.status, tables()))
    got = run(first, script("SELECT 'x", 'second.sql'))
    check('a later file that is wrong', (2, ''), (got.status, tables()))
    got = run(first, '-', script('CREATE TABLE c ();', 'third.sql'),
              text='CREATE TABLE b ();')
    check('files in their order', (0, 'a b c'), (got.status, tables()))
    got = run('-v', '-c', 'CREATE TABLE d ()', '-c', 'INSERT INTO d DEFAULT '
              'VALUES')
    check('tags with -v', (0, True, True), (
        got.status, 'CREATE TABLE' in got.err, 'INSERT 0 1' in got.err))
    got = run('-c', "DO $$ BEGIN RAISE NOTICE 'hello'; END $$")
    check('notices on stderr', ('', True), (got.out, 'hello' in got.err))
    got = run('-c', 'BEGIN', '-c', 'CREATE TABLE e ()')
    check('an open transaction is told', (0, True), (
        got.status, 'still open' in got.err))
    got = run('-c', 'SELECT 1', env={'COLUMNS': '3'}, stdout=open(
        '/dev/full', 'w'))
    check('a full disk', 1, got.status)


def rows_of_c():
    server.fresh('x')
    got = run('-c', 'CREATE TABLE s (a int)', '-c', 'COPY s FROM STDIN', '-c',
              'SELECT sum(a) FROM s', '--csv', text='1\n2\n3\n')
    check('rows of stdin', (0, 'sum\n6\n'), (got.status, got.out))
    got = run('-c', 'COPY s FROM STDIN; COPY s FROM STDIN; SELECT sum(a) '
              'FROM s', '--csv', text='1\n\\.\n2\n')
    check('rows of stdin, twice', (0, 'sum\n9\n'), (got.status, got.out))
    got = run('-c', 'COPY s FROM STDIN', text='1\nx\n')
    check('a bad row of stdin', re.compile(r' --> stdin:2:1\n'), got.err)
    got = run('-c', 'COPY s FROM STDIN', text='')
    check('no rows of stdin', 0, got.status)


def as_json():
    got = run('--json', '-c', "SELECT 1 AS a, NULL AS b, E'x\\n\\u0001' AS a, "
              "'é' AS \"é\"", '-c', 'SELECT WHERE false', '-c',
              "COPY (SELECT 1, E'\\t') TO STDOUT")
    events = got.events()
    check('JSON: events', ['columns', 'row', 'columns', 'copy', 'result'],
          [e['event'] for e in events])
    check('JSON: columns', [('a', 23), ('b', 25), ('a', 25), ('é', 25)],
          [(c['name'], c['type']) for c in events[0]['columns']])
    check('JSON: row', {'a': '1', 'b': None, 'a_2': 'x\n\x01', 'é': 'é'},
          events[1]['row'])
    check('JSON: copy', '1\t\\t\n', events[3]['data'])
    check('JSON: result', ('exec', True, 3), tuple(
        events[4][k] for k in ('command', 'ok', 'statements')))


# ---- sent ahead

def sent_ahead():
    """Under -1 a slow line costs little, and a failure is where it is."""
    lines = ['CREATE TABLE many (i int PRIMARY KEY);']
    lines += ['INSERT INTO many VALUES (%d); -- é' % i for i in range(1000)]
    server.fresh('x')
    got = here('\n'.join(lines), '-1', '--json')
    result = got.event('result')
    check('sent ahead: done', (0, 1001, '1000'), (
        got.status, result.get('statements'),
        server.sql('x', 'SELECT count(*) FROM many')))
    check('sent ahead: %s round trips' % result.get('round_trips'), True,
          result['round_trips'] < 200)
    for at in 1, 2, 63, 64, 65, 66, 500, 999, 1000:
        bad = lines[:]
        bad[at] = '\n/* é */ INSERT INTO\n  "mäny" VALUES (1); -- behind'
        server.fresh('x')
        block('sent ahead: %d' % at, here('\n'.join(bad), '-1'),
              's.sql failed; nothing was kept', 's.sql', at + 3,
              '  "mäny" VALUES (1); -- behind', 3, '42P01: relation "mäny"')
        check('sent ahead: %d: nothing is kept' % at, '', tables())
    # a savepoint does not revive what has failed
    server.fresh('x')
    got = here('CREATE TABLE a ();\nSAVEPOINT s;\nSELECT nope;\n'
               'ROLLBACK TO s;\nCREATE TABLE b ();', '-1')
    check('a savepoint behind a failure', (1, ''), (got.status, tables()))
    # results come in their order, and rows for COPY in between
    server.fresh('x')
    text = ''.join('SELECT %d AS a;\n' % i for i in range(200))
    text += 'CREATE TABLE t (a int);\nCOPY t FROM STDIN;\n1\n\\.\nTABLE t;\n'
    got = here(text, '-1', '--csv')
    check('results in their order', ''.join(
        'a\n%d\n' % i for i in list(range(200)) + [1]), got.out)
    # a statement on a very long line
    server.fresh('x')
    got = here('SELECT 1;' * 10000 + 'SELECT nope;', '-1', '--json')
    error = got.event('error')
    check('a long line', (1, 1, 90008), (
        got.status, error.get('line'), error.get('column')))


# ---- stopping

def sleeping():
    return server.sleeping('x') != '0'


def copying():
    return server.sql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE "
                      "datname = 'x' AND query LIKE 'COPY slow%' AND "
                      "state = 'active'") != '0'


def signals():
    for sig, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        for options in (), ('-1',):
            server.fresh('x')
            path = script('CREATE TABLE a ();\nSELECT pg_sleep(600);\n'
                          'CREATE TABLE b ();')
            going = start('exec', '--url', server.socket('x', 'postgres'),
                          *options, path)
            check('it is at work', True, wait_for(sleeping))
            going.send_signal(sig)
            got = finish(going)
            what = '%s %s' % (sig.name, options)
            check(what, (status, '' if options else 'a'),
                  (got.status, tables()))
            check(what + ': is told', re.compile(
                'interrupted in .*; ' + ('nothing was kept' if options else
                                         'the statement before it was kept')),
                got.err)
            check(what + ': nobody is left', True, wait_for(
                lambda: server.sessions('x') == '0'))
    # in the middle of rows that do not come, and of a script that does not
    for what, text, ready in (
            ('rows', 'CREATE TABLE slow (a int);\nCOPY slow FROM STDIN;\n1\n',
             copying),
            ('a script', 'CREATE TABLE slow (a int);\nSELECT\n',
             lambda: tables() == 'slow')):
        server.fresh('x')
        going = start('exec', '--url', server.socket('x', 'postgres'),
                      stdin=subprocess.PIPE)
        going.stdin.write(text.encode())
        going.stdin.flush()
        check(what + ': it waits', True, wait_for(ready))
        going.send_signal(signal.SIGTERM)
        writer, going.stdin = going.stdin, None
        got = finish(going)
        writer.close()
        check(what + ': ends', 143, got.status) or note(str(got))
        check(what + ': no row is kept', '0',
              server.sql('x', 'SELECT count(*) FROM slow'))
        check(what + ': nobody is left', True, wait_for(
            lambda: server.sessions('x') == '0'))


def server_dies():
    server.fresh('x')
    path = script('CREATE TABLE a ();\n'
                  'SELECT pg_terminate_backend(pg_backend_pid());\n')
    got = run(path)
    check('the server hangs up', 3, got.status)
    check('the server hangs up: words', re.compile(
        'the statement before it was kept\n +--> .*s.sql:2'), got.err)


# ---- memory

def large():
    """A COPY of 40 MB, within 16 MiB; a value of 20 MB."""
    for sql in ("SELECT repeat('x', 20000000) AS a",
                "COPY (SELECT repeat('x', 20000000)) TO STDOUT"):
        got = run('--csv', '-c', sql)
        check('a large value', (0, 20000000), (got.status,
                                               got.out.count('x')))
    server.fresh('x')
    path = os.path.join(workdir(), 'large.sql')
    with open(path, 'w') as f:
        f.write('CREATE TABLE l (a int, b text);\nCOPY l FROM STDIN;\n')
        for i in range(200000):
            f.write('%d\t%s\n' % (i, 'x' * 200))
        f.write('\\.\nSELECT count(*), sum(a) FROM l;\n')
    out = os.path.join(workdir(), 'peak')
    got = run('--csv', path, prefix=(
        sys.executable, '-c', 'import resource, subprocess, sys\n'
        'done = subprocess.run(sys.argv[2:])\n'
        'peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n'
        'open(sys.argv[1], "w").write(str(peak))\n'
        'sys.exit(done.returncode)', out))
    check('a large COPY', (0, 'count,sum\n200000,19999900000\n'),
          (got.status, got.out))
    peak = int(open(out).read())
    if b'__asan_init' in open(os.environ.get('MIZZLE', './mizzle'),
                              'rb').read():
        note('with sanitizers: its memory is not looked at (%d kB)' % peak)
    else:
        check('its memory: %d kB' % peak, True, peak < 16384)


# ---- migrations with rows

def migrations():
    rows = ('CREATE TABLE r (i int PRIMARY KEY, t text);\n'
            'COPY r FROM STDIN; INSERT INTO r VALUES (9, \'nine\');\n'
            '1\tit\'s; $$\n2\t\\N\n\\.\nINSERT INTO r VALUES (3, \'x\');\n')
    bad = rows.replace('2\t\\N', '1\ttwice')
    for layout in 'journal', 'plain':
        for options in (), ('--transaction', 'all'):
            what = '%s %s' % (layout, options)
            server.fresh('x')
            where = newdir('rows')
            files = [('0000_a', 'CREATE TABLE a ();'), ('0001_r', rows),
                     ('0002_c', 'CREATE TABLE c ();' + BREAK)]
            if layout == 'journal':
                journal(where, files)
            else:
                for tag, text in files:
                    write(os.path.join(where, tag + '.sql'), text)
            url = server.socket('x', 'postgres')
            got = mizzle('migrate', '--url', url, '--dir', where, *options)
            check(what + ': applied', (0, '1 2 3 9'), (got.status, server.sql(
                'x', "SELECT string_agg(i::text, ' ' ORDER BY i) FROM r"))) \
                or note(got.err)
            write(os.path.join(where, '0001_r.sql'), bad)
            server.fresh('x')
            got = mizzle('migrate', '--url', url, '--dir', where, '--json',
                         *options)
            error = got.event('error')
            check(what + ': a bad row', (1, '23505', 4), (
                got.status, error.get('sqlstate'), error.get('line')))
            check(what + ': nothing of it is kept', '' if options else 'a',
                  tables())


beside_psql()
server.fresh('x')
server.sql('x', 'CREATE TABLE e (a int, b int)')
at_random()
in_one_transaction()
nothing_of_its_own()
dumps()
corpora()
failures()
rows_that_fail()
never_sql()
not_run()
usage()
rows_of_c()
as_json()
sent_ahead()
signals()
server_dies()
large()
migrations()
sys.exit(verdict())
