# SPDX-License-Identifier: MIT
"""Adopting mizzle on a live database: what is there is recorded, not run."""
import os
import sys

from harness import (BREAK, Server, check, drizzle, drizzle_home, finish,
                     folders, journal, mizzle, needs_program, newdir, note,
                     shared, start, verdict)

needs_program()
server = Server('autovacuum=off')
TABLE = 'drizzle.__drizzle_migrations'
LAYOUTS = {
    'v0': (journal, ['0000_a', '0001_b', '0002_c'], 'hash, created_at', 0),
    'v1': (folders, ['20240101000000_a', '20240101000001_b',
                     '20240101000002_c'], 'hash, created_at, name', 1),
}


def texts(tags):
    return [(t, 'CREATE TABLE "%s" (id int);' % t[-1]) for t in tags]


def run(command, where, *args, **more):
    return mizzle(command, '--json', '--url', server.url('b'), '--dir', where,
                  *args, **more)


def outcome(got):
    """Status, and how many were recorded or applied."""
    result = got.event('result')
    return got.status, result.get('recorded', result.get('applied'))


def adopted(layout):
    """The rows are those of migrate, and what comes later is applied."""
    make, tags, columns, version = LAYOUTS[layout]
    what = 'a live database, %s: ' % layout
    first, whole = newdir('first'), newdir('whole')
    make(first, texts(tags[:2]))
    make(whole, texts(tags))
    server.fresh('b')
    check(what + 'migrate', (0, 2), outcome(run('migrate', first)))
    rows = server.history('b', columns)
    server.sql('b', 'DROP SCHEMA drizzle CASCADE')
    check(what + 'baseline', (0, 2), outcome(run('baseline', first)))
    check(what + 'the rows', rows, server.history('b', columns))
    check(what + 'a second baseline', (0, 0), outcome(run('baseline', first)))
    check(what + 'migrate has nothing to do', (0, 0),
          outcome(run('migrate', first)))
    if drizzle_home():
        done = drizzle(version, server.url('b'), first)
        check(what + 'nor has Drizzle', (0, ''), (done.status, done.err))
        check(what + 'which adds no row', rows, server.history('b', columns))
    check(what + 'what is new is applied', (0, 1),
          outcome(run('migrate', whole)))
    check(what + 'and all is well', 0, run('verify', whole).status)


def up_to():
    where = journal(newdir('upto'), texts(LAYOUTS['v0'][1]))
    server.fresh('b')
    check('up to a tag', (0, 2), outcome(run('baseline', where, '0001_b')))
    check('the rest is pending', 1,
          run('status', where).event('result').get('pending'))
    check('and is applied', (0, 1), outcome(run('migrate', where)))
    check('nothing that was recorded was run', '|f', server.sql(
        'b', "SELECT to_regclass('a'), to_regclass('c') IS NULL"))


def not_run():
    """What the files say does not matter, not even whether it is SQL."""
    where = journal(newdir('notrun'), [
        ('0000_pull', '-- Current sql file was generated after introspecting '
                      'the database\n/*\nCREATE TABLE x (id int);\n*/'),
        ('0001_bad', "SELECT 'open"),
        ('0002_alone', 'CREATE INDEX CONCURRENTLY i ON t (x); COMMIT;')])
    server.fresh('b')
    check('not run', (0, 3), outcome(run('baseline', where)))


PULLED = ('-- Current sql file was generated after introspecting the '
          'database\n-- If you want to run this migration please uncomment '
          'this code before executing migrations\n/*\n%s*/')


def pulled(layout, where):
    """What drizzle-kit pull wrote: migrate says that it is to be recorded,
    that is done, and both go on from there."""
    make, _, columns, version = LAYOUTS[layout]
    what = 'pulled, %s: ' % layout
    server.fresh('b')
    for command in 'migrate', 'plan':
        got = run(command, where)
        error = got.event('error')
        check(what + command, (2, True), (
            got.status, 'unterminated /* comment' in error['message']))
        check(what + command + ' says what to do', True,
              'mizzle baseline TAG' in error.get('hint', ''))
    check(what + 'nothing was sent', '0', server.sql(
        'b', "SELECT count(*) FROM pg_namespace WHERE nspname = 'drizzle'"))
    tag = run('status', where).event('migration')['tag']
    check(what + 'baseline', (0, 1), outcome(run('baseline', where, tag)))
    check(what + 'the rest is well', 0, run('verify', where).status)
    rows = server.history('b', columns)
    if drizzle_home():
        done = drizzle(version, server.url('b'), where)
        check(what + 'Drizzle is content', (0, '', rows), (
            done.status, done.err, server.history('b', columns)))
    check(what + 'migrate is content', (0, 0), outcome(run('migrate', where)))


def pulled_in_one_piece(layout):
    """Such a comment is sound SQL: recorded, as by Drizzle, and told."""
    make, tags, columns, version = LAYOUTS[layout]
    what = 'pulled in one piece, %s: ' % layout
    where = make(newdir('piece'), [
        (tags[0], PULLED % 'CREATE TABLE a (id int);\n'),
        (tags[1], 'CREATE TABLE b (id int);')])
    server.fresh('b')
    got = run('migrate', where)
    check(what + 'applied', (0, 2), outcome(got))
    check(what + 'told', 1, got.err.count(
        'warning: %s is one comment, as drizzle-kit pull wrote it' % tags[0]))
    check(what + 'not run', '|b', server.sql(
        'b', "SELECT to_regclass('a'), to_regclass('b')"))
    check(what + 'only then', '', run('migrate', where).err)


def gaps():
    tags = LAYOUTS['v0'][1]
    all_three = journal(newdir('gap'), texts(tags))
    two = journal(newdir('two'), [
        (t, s, 1700000000123 + (0 if t == tags[0] else 2000))
        for t, s in texts([tags[0], tags[2]])])
    server.fresh('b')
    run('baseline', two)
    got = run('baseline', all_three)
    check('a gap: refused', 5, got.status)
    check('a gap: named', True, tags[1] in got.event('error')['message'])
    check('a gap: wanted', (0, 1), outcome(
        run('baseline', all_three, '--out-of-order', 'apply')))
    check('a gap: closed', 0, run('verify', all_three).status)


def at_once():
    where = journal(newdir('once'), texts(LAYOUTS['v0'][1]))
    server.fresh('b')
    runs = [start('baseline', '--json', '--url', server.url('b'), '--dir',
                  where) for _ in range(8)]
    got = [finish(r) for r in runs]
    check('eight at once: all end well', [0] * 8, [g.status for g in got])
    check('eight at once: one records', 3,
          sum(g.event('result')['recorded'] for g in got))
    check('eight at once: three rows', '3',
          server.sql('b', 'SELECT count(*) FROM ' + TABLE))


def bad():
    where = journal(newdir('bad'), texts(LAYOUTS['v0'][1]))
    server.fresh('b')
    got = run('baseline', where, '0001_bb')
    check('an unknown tag', (2, True),
          (got.status, '0001_b' in got.event('error').get('hint', '')))
    check('two tags', 2, run('baseline', where, '0000_a', '0001_b').status)
    check('nothing was sent', '', server.sql(
        'b', "SELECT to_regnamespace('drizzle')"))
    got = mizzle('baseline', '--url', server.url('b'), '--dir', where)
    check('for people', (0, 'recorded 3 migrations as applied; none was '
                            'run\n'), (got.status, got.out)) or note(str(got))


for layout in LAYOUTS:
    adopted(layout)
    pulled(layout, LAYOUTS[layout][0](newdir('pulled'), [(
        LAYOUTS[layout][1][0], PULLED % (
            'CREATE TABLE x (id int);%s\nCREATE TABLE y (id int);\n'
            % BREAK))]))
    pulled_in_one_piece(layout)
if shared():
    for layout, name in ('v0', 'v0-pulled'), ('v1', 'v1-rc5-pulled'):
        pulled(layout, os.path.join(shared(), 'samples', name))
else:
    note('no samples here: folders of the real drizzle-kit pull left out')
up_to()
not_run()
gaps()
at_once()
bad()
sys.exit(verdict())
