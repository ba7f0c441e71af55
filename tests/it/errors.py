# SPDX-License-Identifier: MIT
"""How a failed statement is told: what, where, and what became of it."""
import os
import re
import sys

from harness import (BREAK, Server, check, journal, mizzle, needs_program,
                     newdir, verdict)

needs_program()
server = Server('autovacuum=off', 'client_min_messages=notice')
GOOD = [('0000_a', 'CREATE TABLE a (id int PRIMARY KEY);'),
        ('0001_b', 'CREATE TABLE b (id int);'),
        ('0002_c', 'INSERT INTO a VALUES (1);')]


def run(name, text, *options, **more):
    """The three good ones, then 0003_bad with this text."""
    work = newdir(name)
    journal(os.path.join(work, 'drizzle'), GOOD + [('0003_bad', text)])
    return mizzle('migrate', '--url', server.url('errors'), *options,
                  cwd=work, **more)


def kept(what):
    """The three before it, whole; of the bad one nothing."""
    check(what + ': those before it are kept', '3', server.sql(
        'errors', 'SELECT count(*) FROM drizzle.__drizzle_migrations'))
    check(what + ': nothing of it is kept', 'a b', server.sql(
        'errors', "SELECT string_agg(relname, ' ' ORDER BY relname) "
        "FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relkind = 'r'"))


# ---- the form

def the_contract_to_the_letter():
    """cli.md's own example: three before it, line 12, column 34."""
    server.fresh('errors')
    text = ('CREATE TABLE orders (\n' + '  c%d integer,\n' * 10
            + '  customer_id integer REFERENCES custmers(id)\n);\n')
    text = text % tuple(range(10))
    work = newdir('letter')
    journal(os.path.join(work, 'drizzle'), GOOD + [('0007_add_orders', text)])
    got = mizzle('migrate', '--url', server.url('errors'), cwd=work)
    want = '''error: 0007_add_orders failed; nothing of it was kept (3 migrations before it were applied)
 --> drizzle/0007_add_orders.sql:12:34
   |
12 |   customer_id integer REFERENCES custmers(id)
   |                                  ^
   = 42P01: relation "custmers" does not exist
'''
    check('the contract: status', 1, got.status)
    at = got.err.find('error: ')
    check('the contract: the report', want.rstrip(), got.err[at:].rstrip())


def block(line, column, source, failure):
    """The report's form, whatever the widths."""
    return re.compile(
        r'^error: 0003_bad failed; nothing of it was kept.*\n'
        r' *--> drizzle/0003_bad\.sql:%d:%d\n'
        r' +\|\n'
        r' *%d \| %s\n'
        r' +\| {%d}\^\n'
        r' += %s' % (line, column, line, re.escape(source), column,
                     re.escape(failure)), re.MULTILINE)


# ---- the place: @@ marks it

PLACES = [
    # what, SQLSTATE, text
    ('the first statement', '42703', 'SELECT @@nope;'),
    ('the second statement of a chunk', '42703',
     'CREATE TABLE t (id int);\nSELECT @@nope FROM t;\nSELECT 1;'),
    ('two statements on a line', '42703',
     'CREATE TABLE t (id int); SELECT @@nope FROM t;'),
    ('the second chunk', '42703',
     'CREATE TABLE t (id int);\n' + BREAK + '\n\nSELECT @@nope;'),
    ('a breakpoint behind the semicolon', '42703',
     'CREATE TABLE t (id int);' + BREAK + '\nSELECT @@nope;'),
    ('the third statement of the third chunk', '42703',
     'SELECT 1;\n%s\nSELECT 2;%s\nSELECT 3;\nSELECT 4;\n SELECT @@nope'
     % (BREAK, BREAK)),
    ('two chunks on one line', '42703',
     'SELECT 1; %s SELECT @@nope; %s SELECT 2' % (BREAK, BREAK)),
    ('behind multi-byte text on the line', '42703',
     "SELECT 'é', @@nope;"),
    ('behind emoji on the line', '42703',
     "SELECT 'é€😀日本', @@nope;"),
    ('behind lines of multi-byte text', '42703',
     "-- ключ 日本語 😀😀\nSELECT 'ü€';\nSELECT 'ß',\n  @@nope;"),
    ('behind a chunk of multi-byte text', '42703',
     "SELECT '日本語 😀';\n%s\nSELECT @@nope;" % BREAK),
    ('CRLF', '42703',
     'CREATE TABLE t (id int);\r\n\r\nSELECT\r\n  @@nope;\r\n'),
    ('CRLF and chunks', '42703',
     'CREATE TABLE t (id int);\r\n%s\r\nSELECT 1,\r\n  @@nope;\r\n' % BREAK),
    ('CRLF and multi-byte text', '42703',
     "-- é\r\nSELECT '€', @@nope;\r\n"),
    ('a syntax error', '42601', 'CREATE @@TABLES t (id int);'),
    ('a syntax error late in a chunk', '42601',
     'CREATE TABLE t (id int);\nCREATE INDEX ON t (id);\nSELEC@@ 1;'),
    ('semicolons that end nothing', '42703',
     "SELECT ';', $$;$$, \";\" FROM (SELECT 1 AS \";\") s; -- ;\n"
     "/* ; /* ; */ */ SELECT @@nope;"),
    ('behind a function', '42703',
     'CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$\nBEGIN\n'
     '  RETURN 1; -- ;\nEND $f$;\nSELECT f(), @@nope;'),
    ('a function body in SQL', '42703',
     'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n  SELECT @@nope\n$$;'),
    ('inside DO', '42P01',
     'SELECT 1;\nDO $$\nBEGIN\n  INSERT INTO @@nothere VALUES (1);\nEND $$;'),
    ('inside DO, behind multi-byte text', '42P01',
     "DO $$\nBEGIN\n  -- é€😀\n  INSERT INTO a SELECT length('é') "
     "FROM @@nothere;\nEND $$;"),
    ('tabs before it', '42703', 'SELECT\n\t\t@@nope;'),
    ('a long line', '42703', "SELECT '%s', @@nope;" % ('x' * 5000)),
    ('no newline at the end, last character', '42703', 'SELECT @@x'),
]


def marked(text):
    before = text[:text.index('@@')]
    line = before.count('\n') + 1
    column = len(before) - (before.rfind('\n') + 1) + 1
    clean = text.replace('@@', '', 1)
    if 'SELEC@@' in text:  # the whole word is the culprit
        column -= 5
    return clean, line, column, clean.split('\n')[line - 1].rstrip('\r')


def places():
    server.fresh('errors')
    for what, state, text in PLACES:
        text, line, column, source = marked(text)
        got = run('places', text, '--json')
        error = got.event('error') if got.status == 1 else {}
        check(what + ': place', ('sql', state, line, column, '0003_bad',
                                 'drizzle/0003_bad.sql'),
              tuple(error.get(k) for k in ('code', 'sqlstate', 'line',
                                           'column', 'tag', 'file')))
        kept(what)
        got = run('places', text)
        wide = re.search(r'[^\x00-\u1fff€]|\t', source) or len(source) > 200
        if wide:  # how wide these are depends on the terminal
            check(what + ': report', re.compile(
                r' *--> drizzle/0003_bad\.sql:%d:%d\n' % (line, column)),
                got.err)
        else:
            check(what + ': report', block(line, column, source, state + ': '),
                  got.err)


# ---- without a position: the statement is named

def no_position():
    server.fresh('errors')
    for what, state, line, text in (
            ('a violated constraint', '23505', 3,
             'SELECT 1;\n\nINSERT INTO a VALUES (5), (5);\nSELECT 2;'),
            ('a table that is not there', '42P01', 4,
             'SELECT 1;\n%s\n-- why\nALTER TABLE nothere ADD c int;' % BREAK),
            ('a table that is there', '42P07', 2,
             "SELECT 'é';\nCREATE TABLE b (id int);"),
            ('a division', '22012', 2, 'SELECT 1;\nSELECT 1/0;\nSELECT 2;')):
        got = run('nowhere', text, '--json')
        error = got.event('error') if got.status == 1 else {}
        check(what + ': the statement is named', (state, line),
              (error.get('sqlstate'), error.get('line')))
        kept(what)
        check(what + ': and in words', re.compile(
            r'--> drizzle/0003_bad\.sql:%d\b[\s\S]*= %s: ' % (line, state)),
            run('nowhere', text).err)


# ---- what the server said

def words():
    server.fresh('errors')
    raise_ = ("DO $$ BEGIN RAISE EXCEPTION %s USING ERRCODE = 'P0007', "
              "DETAIL = 'some detail', HINT = 'some hint'; END $$;")
    text = raise_ % "'boom'"
    got = run('words', text)
    check('message, detail, hint in this order', re.compile(
        r' = P0007: boom\n(.*\n)*?.*some detail(.*\n)*?.*some hint'), got.err)
    event = run('words', text, '--json').event('error')
    check('the same as JSON', ('P0007', 'boom', 'some detail', 'some hint'),
          tuple(event.get(k) for k in ('sqlstate', 'message', 'detail',
                                       'server_hint')))

    text = raise_ % r"E'one\n::set-output name=x::y\n\x1b[31mred\x07\rover'"
    got = run('words', text)
    check('no line of the server stands at the margin', [],
          [line for line in got.err.splitlines()
           if line.startswith(('::', 'over', 'red'))])
    check('no control characters from the server', [],
          re.findall(r'[\x00-\x08\x0b-\x1f\x7f]', got.err))
    check('as JSON it is whole', True, str(
        run('words', text, '--json').event('error').get('message')
    ).startswith('one\n::set-output name=x::y\n'))

    got = run('words', 'SELECT 1;\nSELECT nope;',
              env={'GITHUB_ACTIONS': 'true'})
    check('an annotation for GitHub', re.compile(
        r'^::error file=drizzle/0003_bad\.sql,line=2,col=8[,:].*nope',
        re.MULTILINE), got.err)
    got = run('words', text, env={'GITHUB_ACTIONS': 'true'})
    check('one annotation, which the server cannot forge', 1,
          len([line for line in got.err.splitlines()
               if line.startswith('::')]))

    server.fresh('errors')
    got = run('words', "DO $$ BEGIN RAISE NOTICE 'hello there'; END $$;")
    check('a notice is shown', re.compile('hello there'), got.err)
    server.fresh('errors')
    got = run('words', "DO $$ BEGIN RAISE NOTICE 'hello there'; END $$;",
              '--json')
    check('a notice as JSON', re.compile('hello there'),
          str(got.event('notice')))
    check('a terminal is not needed', [],
          re.findall(r'[\x00-\x08\x0b-\x1f\x7f]', got.err + got.out))


# ---- what is kept

def each_and_all():
    server.fresh('errors')
    got = run('all', 'CREATE TABLE t (id int);\nSELECT nope;',
              '--transaction', 'all')
    check('--transaction all: status', 1, got.status)
    check('--transaction all: keeps nothing', '0', server.sql(
        'errors', "SELECT count(*) FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace"))
    got = run('all', 'CREATE TABLE t (id int);\nSELECT nope;', '--json')
    check('each: says how many were applied', (False, 3, 1),
          tuple(got.event('result').get(k)
                for k in ('ok', 'applied', 'pending')))
    kept('each')
    got = run('all', 'CREATE TABLE t (id int);', '--json')
    check('mended, it goes on', (0, True, 1, 0), (got.status, *(
        got.event('result').get(k) for k in ('ok', 'applied', 'pending'))))
    got = run('all', 'CREATE TABLE t (id int);', '--json')
    check('and then there is nothing to do', (0, True, 0, 0), (
        got.status, *(got.event('result').get(k)
                      for k in ('ok', 'applied', 'pending'))))


# A text of one migration, and what is said of it.
NOT_IN_ONE = (
    ('CREATE INDEX CONCURRENTLY i ON t (id);',
     'CREATE INDEX CONCURRENTLY runs in none'),
    ("ALTER TYPE e ADD VALUE 'x';\nSELECT 'x'::e;",
     'a statement needs what one before it commits'),
    ('SELECT 1;\nCOMMIT;', 'COMMIT leaves it'),
    ('-- mizzle: no-transaction\nSELECT 1;', 'it asks for none'),
)


def what_cannot_be_in_one():
    server.fresh('errors')
    for text, why in NOT_IN_ONE:
        got = run('one', text, '--transaction', 'all')
        check('not in one transaction: ' + why, (9, True, '0'), (
            got.status, 'with the others: %s\n' % why in got.err, server.sql(
                'errors', "SELECT count(*) FROM pg_class WHERE "
                "relnamespace = 'public'::regnamespace")))


def deferred():
    """A constraint that fails only at COMMIT."""
    server.fresh('errors')
    text = ('CREATE TABLE d (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n'
            'INSERT INTO d VALUES (1), (1);')
    got = run('deferred', text, '--json')
    error = got.event('error')
    check('an error at COMMIT is one of that migration', (1, '23505',
                                                          '0003_bad'),
          (got.status, error.get('sqlstate'), error.get('tag')))
    kept('an error at COMMIT')


def json_is_stable():
    server.fresh('errors')
    got = run('json', 'SELECT 1;\n%s\nSELECT 2;' % BREAK, '--json')
    events = got.events()
    check('the first event', 'start', events[0].get('event'))
    check('the last event', 'result', events[-1].get('event'))
    check('every line is an event', True, all('event' in e for e in events))
    done = [e for e in events if e['event'] == 'migration']
    check('each migration', ['0000_a', '0001_b', '0002_c', '0003_bad'],
          [e.get('tag') for e in done])
    check('its fields', True, all(
        {'tag', 'hash', 'state', 'statements', 'ms'} <= set(e) for e in done))
    check('its state', {'applied'}, {e.get('state') for e in done})
    check('the result', ('migrate', True, 4, 0), tuple(
        events[-1].get(k) for k in ('command', 'ok', 'applied', 'pending')))
    check('the result measures', True, {'ms', 'round_trips'} <= set(
        events[-1]))


the_contract_to_the_letter()
places()
no_position()
words()
each_and_all()
what_cannot_be_in_one()
deferred()
json_is_stable()
sys.exit(verdict())
