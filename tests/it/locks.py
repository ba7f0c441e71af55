# SPDX-License-Identifier: MIT
"""Who migrates, who is in the way, and the line that ends them."""
import re
import sys

from bouncer import PgBouncer, there
from gate import Gate
from harness import (check, finish, heard, journal, mizzle, needs_program,
                     newdir, note, start, verdict, wait_for)
from tlsworld import SECRET, TlsServer

needs_program()
server = TlsServer('max_prepared_transactions=2', roles=('app',), hba=(
    'hostssl all app 127.0.0.1/32 scram-sha-256',
    'host all all 127.0.0.1/32 scram-sha-256'))
ALTER = journal(newdir('alter'), [
    ('0000_alter', 'ALTER TABLE t ADD COLUMN c int;')])
EMPTY = newdir('empty')


def fresh(db='l'):
    server.fresh(db)
    server.sql(db, 'CREATE TABLE t (id int)', 'ALTER TABLE t OWNER TO tester')
    return db


def locks(db, *args, user='tester', **more):
    """From a directory without a folder of migrations."""
    url = server.socket(db, 'postgres') if user == 'postgres' else \
        server.url(db)
    return mizzle('locks', '--url', url, *args, cwd=EMPTY, **more)


def sessions(db, user='postgres'):
    got = locks(db, '--json', user=user)
    check('locks: status', 0, got.status) or note(str(got))
    return [e for e in got.events() if e['event'] == 'session']


def roles(db):
    return [(s['role'], s['pid'], s.get('blocks')) for s in sessions(db)]


def waits_for(db, table='t'):
    return server.sql(db, 'SELECT count(*) FROM pg_locks WHERE NOT granted '
                      "AND relation = to_regclass('%s')" % table) != '0'


def begin(db, *args):
    run = start('migrate', '--url', server.url(db), '--dir', ALTER, *args)
    check('it is at work, and blocked', True, wait_for(
        lambda: waits_for(db)))
    pid = int(server.sql(db, "SELECT pid FROM pg_locks WHERE NOT granted "
                         "AND relation = 't'::regclass"))
    return run, pid


def nobody():
    for what, db in (('before the first run', server.fresh('l')),
                     ('after it', fresh())):
        if what == 'after it':
            check(what, 0, mizzle('migrate', '--url', server.url(db), '--dir',
                                  ALTER).status)
        got = locks(db)
        check('nobody, ' + what, (0, 'nobody migrates\n', ''),
              (got.status, got.out, got.err))
        got = locks(db, '--json')
        check('nobody, %s, in JSON' % what, [
            {'event': 'result', 'command': 'locks', 'ok': True, 'holders': 0,
             'workers': 0, 'blockers': 0, 'waiters': 0}], got.events())
    reader = Gate(server, db, 'SELECT * FROM drizzle.__drizzle_migrations')
    check('a reader of the history is nobody', [], sessions(db))
    reader.open()


def blocked():
    db = fresh()
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run, pid = begin(db)
    check('blocked: who', [('holder', pid, None), ('blocker', gate.pid, pid)],
          roles(db))
    holder, blocker = sessions(db)
    check('blocked: what it holds', 'the history table (AccessExclusiveLock), '
          'the migration lock', holder['holds'])
    check('blocked: the holder', ('tester', 'mizzle', '127.0.0.1', 'active',
                                  'ALTER TABLE t ADD COLUMN c int',
                                  [gate.pid]),
          tuple(holder[k] for k in ('user', 'application', 'address', 'state',
                                    'query', 'blocked_by')))
    check('blocked: what would cancel it',
          'SELECT pg_cancel_backend(%d)' % pid, holder['remedy'])
    check('blocked: what would end the other',
          'SELECT pg_terminate_backend(%d)' % gate.pid, blocker['remedy'])
    text = locks(db, user='postgres').out
    check('blocked: in words', re.compile(
        r'''^migrates: pid %d, user tester, application mizzle, from 127.0.0.1, active for \d+s[^:]*, blocked by pid %d: "ALTER TABLE t ADD COLUMN c int"
  holds the history table \(AccessExclusiveLock\), the migration lock
  SELECT pg_cancel_backend\(%d\)  -- cancels its statement[^\n]*
blocks pid %d: pid %d, user postgres, application bob, idle in transaction for \d+s: "SELECT count\(\*\) FROM t;"
  SELECT pg_terminate_backend\(%d\)  -- ends its connection[^\n]*
$''' % (pid, gate.pid, pid, pid, gate.pid, gate.pid)), text)
    seen = sessions(db, 'tester')[1]
    check('blocked: without rights pid, user and application are seen',
          (gate.pid, 'postgres', 'bob', None, None),
          tuple(seen[k] for k in ('pid', 'user', 'application', 'state',
                                  'query')))
    # The line works.
    server.sql(db, blocker['remedy'])
    check('blocked: once that was run, it ends well', 0, finish(run).status)
    check('blocked: and nobody is left', [], sessions(db))
    gate.psql.kill()
    gate.open()


def cancelled():
    db = fresh()
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run, _ = begin(db)
    server.sql(db, sessions(db)[0]['remedy'])
    got = finish(run)
    check('cancelled: it fails', (1, True), (got.status, '57014' in got.err))
    check('cancelled: the lock is free', [], sessions(db))
    gate.open()


def chain():
    """Who blocks the blocker is named, too."""
    db = fresh()
    server.sql(db, 'CREATE TABLE u (id int)')
    last = Gate(server, db, 'LOCK TABLE u', application='last')
    middle = Gate(server, db, 'SELECT count(*) FROM t', application='middle')
    middle.say('SELECT * FROM u;')
    check('chain: the middle one waits', True, wait_for(
        lambda: waits_for(db, 'u')))
    run, pid = begin(db)
    check('chain: both', sorted([('blocker', middle.pid, pid),
                                 ('blocker', last.pid, middle.pid)]),
          sorted(roles(db)[1:]))
    found = {s['pid']: s for s in sessions(db)}
    check('chain: the one in the middle is cancelled, the last is ended',
          ['SELECT pg_cancel_backend(%d)' % middle.pid,
           'SELECT pg_terminate_backend(%d)' % last.pid],
          [found[p]['remedy'] for p in (middle.pid, last.pid)])
    last.open()
    middle.open()
    check('chain: then it ends well', 0, finish(run).status)


def prepared():
    """It has no process, and no line ends it."""
    db = fresh()
    server.sql(db, "BEGIN; LOCK TABLE t; PREPARE TRANSACTION 'old'")
    run, pid = begin(db)
    check('prepared: who', [('holder', pid, None), ('blocker', 0, pid)],
          roles(db))
    check('prepared: in words', re.compile(
        r'^blocks pid %d: a prepared transaction\n  pg_prepared_xacts ' % pid,
        re.M), locks(db).out)
    check('prepared: migrate says it', True, heard(
        run, 'blocked: a prepared transaction\n'))
    server.sql(db, "ROLLBACK PREPARED 'old'")
    check('prepared: then it ends well', 0, finish(run).status)


def history():
    """Somebody else has the history table; somebody waits for it."""
    db = fresh()
    check('history: it is there', 0, mizzle(
        'migrate', '--url', server.url(db), '--dir', ALTER).status)
    gate = Gate(server, db, 'DELETE FROM drizzle.__drizzle_migrations')
    waiter = Gate(server, db, application='waiter')
    waiter.say('BEGIN; LOCK TABLE drizzle.__drizzle_migrations;')
    check('history: somebody waits', True, wait_for(
        lambda: waits_for(db, 'drizzle.__drizzle_migrations')))
    check('history: both', [('holder', gate.pid, None),
                            ('waiter', waiter.pid, None)], roles(db))
    check('history: what it holds', 'the history table (RowExclusiveLock)',
          sessions(db)[0]['holds'])
    gate.open()
    waiter.open()


def hurried():
    """The role's own statement_timeout is no reason not to wait."""
    db = fresh()
    folder = journal(newdir('hurried'), [
        ('0000_alter', 'ALTER TABLE t ADD COLUMN c int;'),
        ('0001_alter', 'ALTER TABLE t ADD COLUMN d int;')])
    words = '--url', server.url(db), '--dir', folder
    check('hurried: the first', 0, mizzle('migrate', *words, '--to',
                                          '0000_alter').status)
    server.sql(db, "ALTER ROLE tester SET statement_timeout = '300ms'")
    gate = Gate(server, db, 'LOCK TABLE drizzle.__drizzle_migrations')
    got = mizzle('migrate', *words, '--lock-wait', '500ms')
    check('hurried: locked, and by whom', (4, True), (
        got.status, 'held the lock: pid %d' % gate.pid in got.err or
        'holds the lock: pid %d' % gate.pid in got.err)) or note(str(got))
    got = mizzle('status', *words)
    check('hurried: who only looks is told the same', (4, True), (
        got.status, 'pid %d' % gate.pid in got.err)) or note(str(got))
    run = start('migrate', *words)
    check('hurried: it waits', True, heard(run, 'pid %d' % gate.pid))
    gate.open()
    check('hurried: then it ends well', 0, finish(run).status)
    server.sql(db, 'ALTER ROLE tester RESET statement_timeout')


def outside():
    """Two sessions: one holds the lock, the other works."""
    db = fresh()
    folder = journal(newdir('outside'), [
        ('0000_i', 'CREATE TABLE u ();CREATE INDEX CONCURRENTLY i ON t (id);')])
    gate = Gate(server, db, 'INSERT INTO t VALUES (1)')
    run = start('migrate', '--url', server.url(db), '--dir', folder)
    check('outside: it is said who blocks it', True, heard(
        run, 'blocked: pid %d, user postgres, application bob' % gate.pid))
    check('outside: three roles', True, wait_for(
        lambda: [r[0] for r in roles(db)] == ['holder', 'worker', 'blocker']))
    holder, worker, blocker = sessions(db)
    check('outside: the worker', ('CREATE INDEX CONCURRENTLY i ON t (id)',
                                  'SELECT pg_cancel_backend(%d)' %
                                  worker['pid']),
          (worker['query'], worker['remedy']))
    check('outside: the holder is better left alone', (
        'idle in transaction', True),
        (holder['state'], 'better' in holder['effect']))
    check('outside: who blocks it', (gate.pid, worker['pid']),
          (blocker['pid'], blocker['blocks']))
    gate.open()
    check('outside: then it ends well', 0, finish(run).status)
    check('outside: and nobody is left', [], sessions(db))


def waiting():
    """A second migrator says who is in the way, and so does its failure."""
    db = fresh()
    server.sql('postgres', 'GRANT pg_read_all_stats TO tester')
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run, pid = begin(db)
    other = start('migrate', '--json', '--url', server.url(db), '--dir',
                  ALTER)
    check('waiting: for whom', True, heard(
        other, 'waiting: pid %d, user tester, application mizzle, from '
        '127.0.0.1, active for ' % pid))
    gate.open()
    check('waiting: the first ends well', 0, finish(run).status)
    got = finish(other)
    check('waiting: so does the second', (0, 0), (
        got.status, got.event('result')['applied']))
    event = got.event('waiting')
    check('waiting: the event', (pid, 'tester', 'mizzle', '127.0.0.1',
                                 'active', [gate.pid]),
          tuple(event.get(k) for k in ('pid', 'user', 'application',
                                       'address', 'state', 'blocked_by')))
    check('waiting: with the query', re.compile('ALTER TABLE t ADD COLUMN c'),
          event['query'] + got.err)
    check('waiting: said once', 1, got.err.count('waiting: '))

    db = fresh()
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run, pid = begin(db)
    got = mizzle('migrate', '--lock-wait', '0', '--url', server.url(db),
                 '--dir', ALTER)
    check('no waiting: status', 4, got.status)
    check('no waiting: who it is', re.compile(
        r'holds the lock: pid %d, .*blocked by pid %d: "ALTER TABLE t ADD '
        r'COLUMN c int"' % (pid, gate.pid)), got.err)
    check('no waiting: what to do', re.compile('hint: .*mizzle locks'),
          got.err)
    gate.open()
    finish(run)
    server.sql('postgres', 'REVOKE pg_read_all_stats FROM tester')


def elsewhere():
    """Locks of another database and another table are not ours."""
    one, two = fresh('l'), server.fresh('l2')
    gate = Gate(server, one, 'SELECT count(*) FROM t')
    run, pid = begin(one)
    check('elsewhere: another database', [], sessions(two))
    check('elsewhere: another table', 'nobody migrates\n',
          locks(one, '--table', 'other').out)
    check('elsewhere: here', pid, sessions(one)[0]['pid'])
    gate.open()
    finish(run)


def hostile():
    """What others call themselves controls no terminal."""
    db = fresh()
    gate = Gate(server, db, "SELECT count(*) AS \"\x1b[31m\u202e\" FROM t",
                application="'x\ny'")
    run, _ = begin(db)
    text = locks(db, user='postgres').out
    check('hostile: no control characters', None, re.search(
        '[\x00-\x09\x0b-\x1f\x7f\u202e]', text))
    gate.open()
    finish(run)


def usage():
    check('locks takes no arguments', 2, locks('l', 'x').status)
    check('locks: no server', 3, mizzle(
        'locks', '--url', 'postgresql://u@127.0.0.1:1/d', cwd=EMPTY).status)
    server.sql('postgres', 'ALTER ROLE tester SET '
               'default_transaction_read_only = on')
    check('locks never writes', 0, locks('l').status)
    server.sql('postgres', 'ALTER ROLE tester RESET '
               'default_transaction_read_only')


def pooled():
    db = server.fresh('lp', 'app')
    server.sql(db, 'CREATE TABLE t (id int)', 'ALTER TABLE t OWNER TO app')
    pool = PgBouncer(server, [('app', SECRET)], pool_mode='transaction')
    words = server.words(port=pool.port, user='app', dbname=db,
                         password=SECRET, sslmode='require')
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run = start('migrate', '--url', words, '--dir', ALTER)
    check('pool: it is blocked', True, wait_for(lambda: waits_for(db)))
    got = mizzle('locks', '--json', '--url', words, cwd=EMPTY)
    check('pool: who', [('holder', 'app'), ('blocker', 'postgres')],
          [(e['role'], e['user']) for e in got.events()
           if e['event'] == 'session'])
    gate.open()
    check('pool: then it ends well', 0, finish(run).status)


for test in (nobody, blocked, cancelled, chain, prepared, history, hurried, outside,
             waiting, elsewhere, hostile, usage):
    test()
if there():
    pooled()
else:
    note('no PgBouncer here: it was left out')
sys.exit(verdict())
