# SPDX-License-Identifier: MIT
"""What mizzle, dbmate and psql do with the same migrations: case by case.

Each cell is measured, and must be as docs/beside-others.md has it.  dbmate is
that of BENCH_HOME (./check bench installs it); without, it is left out.
"""
import os
import re
import subprocess
import sys

import harness
from harness import (SRCDIR, Server, check, finish, mizzle,
                     needs_program, note, start, verdict, wait_for, write)

needs_program()
server = Server('autovacuum=off')
DBMATE = os.path.join(os.environ.get('BENCH_HOME') or '/nonexistent',
                      'node_modules', '@dbmate', 'linux-x64', 'bin', 'dbmate')


class World:
    """A tool, a database and a folder.  Migrations are (letter, sql)."""
    number = 0

    def __init__(self):
        World.number += 1
        self.db = server.fresh('others%d' % World.number, 'postgres')
        self.where = harness.newdir(self.db)

    def sql(self, statement):
        return server.sql(self.db, statement)

    def path(self, letter):
        return os.path.join(self.where, '%04d_%s.sql' % (
            ord(letter) - ord('a') + 1, letter))

    def put(self, *migrations):
        for letter, text in migrations:
            write(self.path(letter), self.dressed(text))

    def dressed(self, text):
        return text

    def run(self, *command, env=None):
        return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE,
                                env={**os.environ, **(env or {})})

    def go(self, *migrations):
        self.put(*migrations)
        return finish(self.begin())

    def url(self):
        return server.url(self.db, 'postgres') + '?sslmode=disable'


class Mizzle(World):
    name = 'mizzle'

    def begin(self):
        return start('migrate', '--dir', self.where, '--url', self.url())


class Dbmate(World):
    name = 'dbmate'

    def dressed(self, text):
        return '-- migrate:up\n%s\n-- migrate:down\n' % text

    def begin(self):
        return self.run(DBMATE, '--no-dump-schema', '--migrations-dir',
                        self.where, '--url', self.url(), 'migrate')


class Psql(World):
    """Every file, as in a script of one's own."""
    name = 'psql'
    more = ('-v', 'ON_ERROR_STOP=1')

    def begin(self):
        files = sorted(os.listdir(self.where))
        return self.run(server.psql, '-X', '-q', *self.more, *(
            word for f in files for word in (
                '-f', os.path.join(self.where, f))), self.url())


A = ('a', 'CREATE TABLE a (n int);')
SLOW = 'CREATE TABLE b (n int);\nINSERT INTO b SELECT 1 FROM pg_sleep(0.5);'


def outcome(world, got):
    """"refused (5)", "fails", or "" when it went well."""
    if got.status == 0:
        return ''
    if world.name == 'mizzle' and got.status in (2, 5, 9):
        return 'refused (%d)' % got.status
    return 'fails'


def edited(world):
    world.go(A)
    got = world.go(('a', 'CREATE TABLE a (n bigint);'))
    return outcome(world, got) or 'not noticed'


def deleted(world):
    world.go(A, ('b', 'CREATE TABLE b (n int);'))
    os.unlink(world.path('b'))
    return outcome(world, finish(world.begin())) or 'not noticed'


def again(world):
    world.go(A)
    return outcome(world, finish(world.begin())) or 'nothing to do'


def together(world, text):
    """Two start while the first one's statement still runs."""
    world.go(A)
    if isinstance(world, Psql):
        os.unlink(world.path('a'))  # whoever runs it knows what is new
    world.put(('b', text))
    both = [world.begin(), world.begin()]
    failed = sum(finish(p).status != 0 for p in both)
    return failed


def two(world):
    failed = together(world, SLOW)
    return 'one fails' if failed else 'once'


def two_with_data(world):
    failed = together(world, 'INSERT INTO a SELECT 1 FROM pg_sleep(0.5);')
    rows = world.sql('SELECT count(*) FROM a')
    return {('1', 0): 'once', ('1', 1): 'once; one fails',
            ('2', 0): 'applied twice, both exit 0'}.get((rows, failed), '?')


BROKEN = '''CREATE TABLE b (n int);

ALTER TABLE b
  ADD COLUMN m intt,
  ADD COLUMN o int;
'''


def named(world):
    """What the message of an error has: the place is line 4, column 16."""
    got = world.go(A, ('b', BROKEN))
    said = got.out + got.err
    words = []
    if re.search(r'0002_b\.sql', said):
        words.append('file')
    line = re.search(r'0002_b\.sql:(\d+)|line: (\d+)', said)
    number = int(line.group(1) or line.group(2)) if line else 0
    if number == 4:
        words.append('line')
    elif number:
        words.append('line %d for 4' % number)
    if re.search(r':4:16|column: 16', said):
        words.append('column')
    if re.search(r'^ *(LINE \d+:|\d+ \|).*intt', said, re.MULTILINE) and \
            '^' in said:
        words.append('source with a caret')
    return ', '.join(words)


def middle(world):
    """A statement in the middle fails; what is there of the file?"""
    got = world.go(A, ('b', 'CREATE TABLE b (n int);\nSELECT 1/0;\n'
                       'CREATE TABLE c (n int);'))
    kept = world.sql("SELECT coalesce(string_agg(relname, '' ORDER BY "
                     "relname), 'nothing') FROM pg_class WHERE relname IN "
                     "('b', 'c') AND relkind = 'r'")
    return '%s is kept, exit %d' % (
        {'b': 'what stands before it', 'bc': 'the rest'}.get(kept, kept),
        got.status)


CONCURRENTLY = ('b', 'CREATE TABLE b (n int);\n'
                'CREATE INDEX CONCURRENTLY i ON b (n);')


def concurrently(world):
    return outcome(world, world.go(A, CONCURRENTLY)) or 'applied'


def midway(world):
    """It stops at an index that cannot be; that is mended, and run again."""
    text = CONCURRENTLY[1].replace('INDEX', 'UNIQUE INDEX').replace(
        '(n int);', '(n int);\nINSERT INTO b VALUES (1), (1);')
    got = world.go(A, ('b', text))
    if got.status == 0 or world.sql("SELECT to_regclass('b')") == '':
        return '–'
    world.sql('DELETE FROM b WHERE ctid = (SELECT min(ctid) FROM b)')
    got = finish(world.begin())
    valid = world.sql("SELECT bool_and(indisvalid) FROM pg_index WHERE "
                      "indrelid = 'b'::regclass")
    return 'goes on' if (got.status, valid) == (0, 't') else 'fails'


def ended(world):
    """SIGTERM while a statement runs: does the server go on with it?"""
    world.put(('a', 'SELECT pg_sleep(60);'))
    process = world.begin()
    if not wait_for(lambda: server.sleeping(world.db) == '1'):
        return '?'
    process.terminate()
    finish(process)
    gone = wait_for(lambda: server.sleeping(world.db) == '0', 2)
    server.sql('postgres', "SELECT pg_terminate_backend(pid) FROM "
               "pg_stat_activity WHERE datname = '%s'" % world.db)
    return 'is cancelled' if gone else 'runs on'


def copied(world):
    got = world.go(('a', 'CREATE TABLE a (n int);\nCOPY a FROM stdin;\n1\n'
                    '\\.\n'))
    return outcome(world, got) or 'applied'


# what, how, mizzle, dbmate, psql
TABLE = (
    ('run once more', again, 'nothing to do', 'nothing to do', 'fails'),
    ('an applied file was edited', edited, 'refused (5)', 'not noticed', '–'),
    ('an applied file is gone', deleted, 'refused (5)', 'not noticed', '–'),
    ('two at once, tables are pending', two, 'once', 'one fails',
     'one fails'),
    ('two at once, data is pending', two_with_data, 'once',
     'once; one fails', 'applied twice, both exit 0'),
    ('an error names', named, 'file, line, column, source with a caret',
     'file, line 5 for 4, column', 'file, line 5 for 4, source with a caret'),
    ('the second of three statements fails', middle, 'nothing is kept, exit 1',
     'nothing is kept, exit 2', 'what stands before it is kept, exit 3'),
    ('CREATE TABLE and CREATE INDEX CONCURRENTLY', concurrently, 'applied',
     'fails', 'applied'),
    ('stopped midway at the index, run again', midway, 'goes on', '–',
     'fails'),
    ('SIGTERM: the statement on the server', ended, 'is cancelled', 'runs on',
     'runs on'),
    ('rows of COPY in a file', copied, 'applied', 'fails', 'applied'),
)


def documented():
    with open(os.path.join(SRCDIR, 'docs', 'beside-others.md'),
              encoding='utf-8') as f:
        lines = re.findall(r'^\| (.*) \|$', f.read(), re.MULTILINE)
    rows = [tuple(line.split(' | ')) for line in lines]
    return [row for row in rows if len(row) == 4][1:]


for what, how, *wanted in TABLE:
    for tool, want in zip((Mizzle, Dbmate, Psql), wanted):
        if want == '–' and how is not midway:
            continue
        if tool is Dbmate and not os.access(DBMATE, os.X_OK):
            continue
        check('%s: %s' % (what, tool.name), want, how(tool()))
check('the documentation has the same table',
      '\n'.join(str((row[0], *row[2:])) for row in TABLE),
      '\n'.join(map(str, documented())))
if not os.access(DBMATE, os.X_OK):
    note('no dbmate here: what it does was not measured')
sys.exit(verdict())
