# SPDX-License-Identifier: MIT
"""Many migrators at once: everything is applied exactly once."""
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count as counter

from harness import (LONG, Server, check, drizzle_home, finish, folders,
                     heard, journal, mizzle, needs_program, newdir, note, start,
                     start_drizzle, verdict, wait_for)

needs_program()
server = Server('autovacuum=off', 'max_connections=100')
ROUNDS = 20 if LONG else 3

# Migrations that nobody notices when they run twice, but for their effect.
DATA = [('a', 'CREATE TABLE IF NOT EXISTS log (what text);'
              'CREATE TABLE IF NOT EXISTS counter (n int);'
              "INSERT INTO log VALUES ('a'); INSERT INTO counter VALUES (0);"),
        ('b', "INSERT INTO log VALUES ('b');"
              'UPDATE counter SET n = n + 1;'),
        ('c', "INSERT INTO log VALUES ('c'); SELECT pg_sleep(0.05);"
              'UPDATE counter SET n = n + 10;'),
        ('d', "INSERT INTO log VALUES ('d');"
              'UPDATE counter SET n = n + 100;'),
        ('e', "INSERT INTO log VALUES ('e');")]


made = counter()


def make(layout, count, slow=None):
    """The first so many; `slow` sleeps for two seconds in its middle."""
    text = dict(DATA)
    if slow:
        first, _, rest = text[slow].partition(';')
        text[slow] = '%s; SELECT pg_sleep(2);%s' % (first, rest)
    where = newdir('race-%d' % next(made))
    if layout == 'v0':
        return journal(where, [('%04d_%s' % (i, n), text[n]) for i, (n, _)
                               in enumerate(DATA[:count])])
    return folders(where, [('2024010100000%d_%s' % (i, n), text[n])
                           for i, (n, _) in enumerate(DATA[:count])])


def exactly_once(what, rows=5, db='r'):
    check(what + ': every effect is there once', 'a b c d e|111|1', server.sql(
        db, "SELECT (SELECT string_agg(what, ' ' ORDER BY what) FROM log), "
        "(SELECT n FROM counter), (SELECT count(*) FROM counter)"))
    check(what + ': every row is there once', '%d|%d' % (rows, rows),
          server.sql(db, 'SELECT count(*), count(DISTINCT hash) FROM '
                     'drizzle.__drizzle_migrations'))


def at_once(count, layout, before, options=()):
    whole = make(layout, 5)
    part = make(layout, before) if before else None
    what = '%d at once, %s, %d applied before%s' % (
        count, layout, before, ' ' + ' '.join(options) if options else '')
    slowest = 0
    for _ in range(ROUNDS):
        server.fresh('r')
        if part:
            mizzle('migrate', '--url', server.url('r'), '--dir', part)
        began = time.monotonic()
        runs = [start('migrate', '--json', '--url', server.url('r'), '--dir',
                      whole, *options) for _ in range(count)]
        got = [finish(run) for run in runs]
        slowest = max(slowest, time.monotonic() - began)
        if not check(what + ': all end well', [0] * count,
                     [g.status for g in got]):
            note(str(next(g for g in got if g.status))[:600])
        check(what + ': the work is done by one or shared, once',
              5 - before, sum(g.event('result').get('applied', 0)
                              for g in got))
        exactly_once(what)
    note('%s: %.1f s at most' % (what, slowest))


def different_targets():
    """One stops earlier than the other: neither does too much."""
    whole = make('v0', 5)
    for _ in range(ROUNDS):
        server.fresh('r')
        runs = [start('migrate', '--url', server.url('r'), '--dir', whole,
                      *more) for more in ([], ['--to', '0001_b']) * 3]
        check('different targets', [0] * 6, [finish(r).status for r in runs])
        exactly_once('different targets')


def readers():
    """Whoever only looks at the history all the time is no obstacle."""
    tags = [('%04d_n%d' % (i, i), 'CREATE TABLE n%d (id int);' % i)
            for i in range(60)]
    server.fresh('r')
    first = journal(newdir('readers1'), tags[:1])
    mizzle('migrate', '--url', server.url('r'), '--dir', first)
    whole = journal(newdir('readers'), tags)
    looking = [subprocess.Popen(
        [server.psql, '-X', '-q', '-h', server.dir, '-p', str(server.port),
         '-U', 'postgres', '-d', 'r'], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True) for _ in range(2)]
    for psql in looking:
        psql.stdin.write('SELECT * FROM drizzle.__drizzle_migrations;\n'
                         '\\watch 0.1\n')
        psql.stdin.flush()
    seen = []
    began = time.monotonic()
    run = start('migrate', '--url', server.url('r'), '--dir', whole)
    while run.poll() is None and time.monotonic() - began < 100:
        seen.append(mizzle('status', '--url', server.url('r'), '--dir',
                           whole).status)
        time.sleep(0.2)
    got = finish(run, 1)
    took = time.monotonic() - began
    for psql in looking:
        psql.kill()
        psql.wait()
    check('readers: mizzle ends well', 0, got.status) or note(str(got)[:600])
    check('readers: in time (%.1f s)' % took, True, took < 100)
    check('readers: status works meanwhile, or says who migrates', True,
          set(seen) <= {0, 4})
    check('readers: all were applied', '60', server.sql(
        'r', 'SELECT count(*) FROM drizzle.__drizzle_migrations'))
    note('60 migrations among readers: %.1f s, %d times status: %s' % (
        took, len(seen), sorted(set(seen))))


def counted():
    """What another recorded between two of ours is not counted as ours.  A
    trigger stands for the other: it records c in the moment b is."""
    whole = make('v0', 5)
    server.fresh('r')
    mizzle('migrate', '--url', server.url('r'), '--dir', whole)
    rows = server.sql('r', 'SELECT hash, created_at FROM '
                      'drizzle.__drizzle_migrations ORDER BY id').split('\n')
    (b, _), (c, c_at) = (row.split('|') for row in rows[1:3])
    server.sql('r', 'DELETE FROM drizzle.__drizzle_migrations WHERE id > 1;'
               'CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS '
               '$$BEGIN INSERT INTO drizzle.__drizzle_migrations '
               "(hash, created_at) VALUES ('%s', %s); RETURN NULL; END$$;"
               'CREATE TRIGGER other AFTER INSERT ON '
               'drizzle.__drizzle_migrations FOR EACH ROW '
               "WHEN (NEW.hash = '%s') EXECUTE FUNCTION other()"
               % (c, c_at, b))
    got = mizzle('migrate', '--json', '--url', server.url('r'), '--dir', whole)
    check('counted: the status', 0, got.status)
    check('counted: those that were ours', 3,
          got.event('result').get('applied'))
    check('counted: and told', ['0001_b', '0003_d', '0004_e'],
          [e['tag'] for e in got.events() if e['event'] == 'migration'])


def failing():
    """All fail in the same way; nothing is half done, nobody hangs."""
    where = journal(newdir('failing'), [
        ('0000_a', DATA[0][1]), ('0001_bad', "INSERT INTO log VALUES ('x');"
                                 "SELECT 1/0;")])
    server.fresh('r')
    runs = [start('migrate', '--url', server.url('r'), '--dir', where)
            for _ in range(6)]
    check('a failing migration, six at once', [1] * 6,
          [finish(r).status for r in runs])
    check('a failing migration: kept before it', 'a|1', server.sql(
        'r', "SELECT (SELECT string_agg(what, ' ') FROM log), count(*) FROM "
        'drizzle.__drizzle_migrations'))


def busy(db):
    """Is a migration in its pg_sleep?"""
    return server.sleeping(db) != '0'


def drizzle_meanwhile(db, layout, version, before, count=1, options=()):
    """Drizzle, started while mizzle applies, waits; nothing runs twice."""
    what = '%d Drizzle during mizzle, %s, %d applied before %s' % (
        count, layout, before, ' '.join(options))
    for _ in range(3 if LONG else 1):
        server.fresh(db)
        if before:
            mizzle('migrate', '--url', server.url(db), '--dir',
                   make(layout, before))
        whole = make(layout, 5, slow='c')
        ours = start('migrate', '--json', '--url', server.url(db), '--dir',
                     whole, *options)
        check(what + ': it is at work', True,
              wait_for(lambda: busy(db)))
        theirs = [start_drizzle(version, server.url(db), whole)
                  for _ in range(count)]
        got = finish(ours)
        check(what + ': mizzle ends well', 0, got.status)
        for run in theirs:
            done = finish(run)
            check(what + ': Drizzle ends well', (0, ''),
                  (done.status, done.err))
        note('%s: mizzle applied %s of %d' % (
            what, got.event('result').get('applied'), 5 - before))
        exactly_once(what, db=db)


def mizzle_meanwhile(db, layout, version):
    """mizzle, started while Drizzle applies: it must not run things twice.
    Drizzle takes no lock, but its tables and rows are seen in time."""
    server.fresh(db)
    mizzle('migrate', '--url', server.url(db), '--dir', make(layout, 2))
    whole = make(layout, 5, slow='c')
    theirs = start_drizzle(version, server.url(db), whole)
    if not wait_for(lambda: busy(db)):
        return
    ours = finish(start('migrate', '--json', '--url', server.url(db),
                        '--dir', whole), 60)
    done = finish(theirs)
    what = 'mizzle during Drizzle, ' + layout
    note('%s: statuses %s and %s; log %s, history %s' % (
        what, ours.status, done.status,
        server.sql(db, "SELECT string_agg(what, '' ORDER BY what) FROM log"),
        server.sql(db, 'SELECT count(*) FROM '
                   'drizzle.__drizzle_migrations')))


def killed_in_between():
    """The one that works dies; those that wait take over."""
    server.fresh('r')
    server.sql('r', 'CREATE TABLE gate ()', 'GRANT ALL ON gate TO tester')
    gate = subprocess.Popen(
        [server.psql, '-X', '-q', '-h', server.dir, '-p', str(server.port),
         '-U', 'postgres', '-d', 'r'], stdin=subprocess.PIPE, text=True)
    gate.stdin.write('BEGIN; LOCK TABLE gate;\n')
    gate.stdin.flush()

    def at_the_gate(granted):
        return server.sql('r', "SELECT count(*) FROM pg_locks WHERE relation "
                          "= 'gate'::regclass AND granted = %s" % granted)
    check('killed: the gate is shut', True, wait_for(
        lambda: at_the_gate('true') == '1'))
    whole = journal(newdir('killed'), [
        ('%04d_%s' % (i, n), ('SELECT FROM gate;' if n == 'c' else '') + text)
        for i, (n, text) in enumerate(DATA)])
    first = start('migrate', '--url', server.url('r'), '--dir', whole)
    check('killed: it is at work', True, wait_for(
        lambda: at_the_gate('false') == '1'))
    others = [start('migrate', '--url', server.url('r'), '--dir', whole)
              for _ in range(3)]
    for run in others:
        check('killed: the others wait', True, heard(run, 'waiting: '))
    first.kill()
    finish(first)
    gate.stdin.close()
    gate.wait()
    check('killed: the others end well', [0] * 3,
          [finish(r).status for r in others])
    exactly_once('killed')


for layout in 'v0', 'v1':
    for before in 0, 2:
        at_once(2, layout, before)
        at_once(20, layout, before)
at_once(5, 'v0', 0, ('--transaction', 'all'))
different_targets()
readers()
counted()
failing()
killed_in_between()
if drizzle_home():
    # They sleep most of the time, so all at once, each with its database.
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(race, 'r%d' % i, layout, version, *more)
                for layout, version in (('v0', 0), ('v1', 1))
                for i, (race, *more) in enumerate((
                    (drizzle_meanwhile, 0), (drizzle_meanwhile, 2),
                    (drizzle_meanwhile, 2, 2, ('--transaction', 'all')),
                    (mizzle_meanwhile,)), 10 * version)]
    for one in done:
        one.result()    # or its exception
else:
    note('no drizzle-orm here: it was left out of the races')
sys.exit(verdict())
