# SPDX-License-Identifier: MIT
"""libmizzle in a program, which is library_tool: what it is told, cancelling,
threads, and that an allocation that fails does no harm."""
import json
import os
import re
import signal
import subprocess
import sys

from gate import Gate
from harness import (BREAK, Server, check, environment, folders, journal,
                     mizzle, needs_program, newdir, note, skip, verdict,
                     wait_for, write)
from tlsworld import SECRET, TlsServer

TOOL = os.path.abspath(os.environ.get('LIBRARY_TOOL',
                                      './tests/it/library_tool'))
TABLE = 'drizzle.__drizzle_migrations'

# What a sanitizer says stands on stderr, where the library says nothing.
OK, SQL, USAGE, CONNECT, LOCKED, HISTORY, PARTIAL, REFUSED, CANCELLED = (
    0, 1, 2, 3, 4, 5, 6, 9, 128)
NOTHING, PART, UNKNOWN = 0, 1, 2

needs_program()
if not os.access(TOOL, os.X_OK):
    skip('no library_tool here: %s' % TOOL)
server = Server()


class Run:
    """The tool at work, and what it has told so far."""

    def __init__(self, *words, env=None, cwd=None):
        self.told = []
        self.process = subprocess.Popen(
            [TOOL, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment(env),
            cwd=cwd or newdir('cwd'))

    def until(self, event):
        """Read on until that was told; None when it never is."""
        for line in self.process.stdout:
            self.told.append(json.loads(line))
            if self.told[-1]['event'] == event:
                return self.told[-1]
        return None

    def cancel(self):
        self.process.stdin.write('.')
        self.process.stdin.flush()

    def finish(self):
        self.until(None)
        err = self.process.stderr.read()
        self.process.stdin.close()
        check('nothing is printed, and it ends well', (0, ''),
              (self.process.wait(), err))
        return self

    def events(self, kind):
        return [e for e in self.told if e['event'] == kind]

    def end(self):
        return (self.events('end') or [{}])[-1]


def tool(*words, **more):
    return Run(*words, **more).finish()


def place(db, where, **more):
    return ['url=' + server.url(db), 'dir=' + where] + [
        '%s=%s' % (k, v) for k, v in more.items()]


def pick(e, *names):
    return tuple(e.get(n) for n in names)


THREE = journal(newdir('three'), [
    ('0000_a', 'CREATE TABLE a (id int);' + BREAK + 'CREATE TABLE b (id int);'),
    ('0001_b', "DO $$ BEGIN RAISE WARNING 'careful' USING DETAIL = 'why', "
               "HINT = 'how', ERRCODE = '01007'; END $$;"),
    ('0002_c', 'CREATE INDEX CONCURRENTLY a_id ON a (id);')])


def migrates():
    db = server.fresh('m')
    run = tool(*place(db, THREE, statements=1), 'status', 'migrate', 'migrate',
               'status')
    first, done, again, after = run.events('end')
    check('status before: code, pending, total', (0, 3, 3, 3), pick(
        first, 'code', 'pending', 'total') + (first['counts']['pending'],))
    check('migrate: code, applied, pending, total', (0, 0, 3, 0, 3), pick(
        done, 'returned', 'code', 'applied', 'pending', 'total'))
    check('migrate: no error', ('ok', '', '', NOTHING), pick(
        done, 'name', 'message', 'hint', 'fate'))
    check('migrate again: nothing, in a round trip', (0, 0, 0, True), (
        *pick(again, 'code', 'applied', 'pending'),
        again['round_trips'] < done['round_trips']))
    check('status after', (0, 0, 3), (*pick(after, 'code', 'pending'),
                                      after['counts']['applied']))
    check('states', [('0000_a', 'pending', 0), ('0001_b', 'pending', 0),
                     ('0002_c', 'pending', 0), ('0000_a', 'applied', 1),
                     ('0001_b', 'applied', 1), ('0002_c', 'applied', 1)],
          [pick(e, 'tag', 'state', 'recorded')
           for e in run.events('migration')])
    last = run.events('migration')[-1]
    check('hashes', (last['hash'], True, True), (
        last['recorded_hash'], len(last['hash']) == 64, last['when'] > 0))
    start = run.events('start')[0]
    check('start: folder, number, total', (THREE, 3, 3),
          pick(start, 'file', 'number', 'total'))
    check('begin', [('0000_a', 1, 3, 2), ('0001_b', 2, 3, 1),
                    ('0002_c', 3, 3, 1)],
          [pick(e, 'tag', 'number', 'total', 'statements')
           for e in run.events('begin')])
    check('applied', ['0000_a', '0001_b', '0002_c'],
          [e['tag'] for e in run.events('applied')])
    check('statements', [('0000_a', 'CREATE TABLE')],
          [pick(e, 'tag', 'text') for e in run.events('statement')][:1])
    check('notice', [('0001_b', 'WARNING', '01007', 'careful', 'why', 'how')],
          [pick(e, 'tag', 'severity', 'sqlstate', 'text', 'detail', 'hint')
           for e in run.events('notice')])
    check('verify agrees', 0, mizzle('verify', '--url', server.url(db),
                                     '--dir', THREE).status)


def options():
    db = server.fresh('m')
    run = tool(*place(db, THREE, to='0000_a', schema='other', table='history'),
               'migrate')
    check('to, schema and table', (1, 2, '1'), (
        *pick(run.end(), 'applied', 'pending'),
        server.sql(db, 'SELECT count(*) FROM other.history')))
    run = tool(*place(db, THREE, to='0001_x'), 'migrate')
    check('to what is not there', (USAGE, 0), pick(
        run.end(), 'code', 'round_trips'))
    run = tool(*place(db, THREE, transaction=1), 'migrate')
    check('all in one, where that cannot be', (REFUSED, NOTHING, 0),
          pick(run.end(), 'code', 'fate', 'applied'))
    check('and where', (THREE + '/0002_c.sql', 1, 1),
          pick(run.end(), 'file', 'line', 'column'))
    drop = journal(newdir('drop'), [('0000_d', 'CREATE TABLE d (id int);'),
                                    ('0001_d', 'DROP TABLE d;')])
    db = server.fresh('m')
    run = tool(*place(db, drop, require_approval=1), 'migrate')
    check('approval is required', REFUSED, run.end()['code'])
    plan = mizzle('plan', '--json', '--url', server.url(db), '--dir',
                  drop).event('result')['plan']
    run = tool(*place(db, drop, require_approval=1, approve=plan), 'migrate')
    check('and given', (0, 2), pick(run.end(), 'code', 'applied'))
    write(os.path.join(drop, '0001_d.sql'), 'DROP TABLE d; -- edited')
    check('edited', HISTORY, tool(*place(db, drop), 'migrate').end()['code'])
    run = tool(*place(db, drop, allow_modified=1), 'migrate', 'status')
    check('and allowed', [0, 0], [e['code'] for e in run.events('end')])
    check('modified is no pending one', (0, 1), (
        run.end()['pending'], run.end()['counts']['modified']))


def surroundings():
    """Environment, .env and home are nobody's business unless asked for."""
    db = server.fresh('m')
    where = newdir('app')
    journal(os.path.join(where, 'drizzle'), [('0000_a', 'SELECT 1;')])
    write(os.path.join(where, '.env'), 'DATABASE_URL=' + server.url(db))
    write(os.path.join(where, 'drizzle.config.json'), '{"out": "./nowhere"}')
    env = {'MIZZLE_DIR': '/nowhere', 'PGHOST': '/nowhere',
           'MIZZLE_WAIT': 'nonsense', 'PGOPTIONS': '--nonsense',
           'HOME': newdir('home')}
    write(os.path.join(env['HOME'], '.pgpass'), 'nonsense')
    run = tool('url=' + server.url(db), 'migrate', cwd=where, env=env)
    check('nothing of it counts', (0, 1), pick(run.end(), 'code', 'applied'))
    check('nothing was noticed', [], run.events('note') +
          run.events('warning'))
    passfile = write(os.path.join(env['HOME'], '.pgpass'),
                     '*:*:*:*:' + server.password)
    os.chmod(passfile, 0o600)
    url = server.url(db).replace(':' + server.url(db).split(':')[2].split(
        '@')[0], '', 1)
    run = tool('url=' + url, 'migrate', cwd=where, env=env)
    check('no password of the home', CONNECT, run.end()['code'])
    run = tool('url=' + url, 'dir=drizzle', 'environment=1', 'migrate',
               cwd=where, env={'HOME': env['HOME']})
    check('unless it is asked for', (0, 0), pick(run.end(), 'code', 'applied'))
    os.remove(os.path.join(where, 'drizzle.config.json'))
    run = tool('environment=1', 'migrate', cwd=where)
    check('.env, when it is asked for', (0, 0, 1),
          pick(run.end(), 'code', 'applied', 'total'))
    run = tool('environment=1', 'migrate', cwd=where,
               env={'MIZZLE_DIR': '/nowhere'})
    check('and variables', (USAGE, '/nowhere'), pick(run.end(), 'code', 'file'))
    run = tool('dir=drizzle', 'migrate', cwd=where)
    check('without any url', (USAGE, 'url is not given'),
          pick(run.end(), 'code', 'message'))


def fails():
    db = server.fresh('m')
    bad = journal(newdir('bad'), [
        ('0000_a', 'CREATE TABLE a (id int);'),
        ('0001_b', 'CREATE TABLE b (id int);\n'
                   'ALTER TABLE b ADD x int REFERENCES nowhere (id);')])
    run = tool(*place(db, bad), 'migrate', 'status')
    end = run.events('end')[0]
    check('SQL: code, fate, applied, pending', (SQL, NOTHING, 1, 1),
          pick(end, 'code', 'fate', 'applied', 'pending'))
    check('SQL: where', ('0001_b', bad + '/0001_b.sql', 2, 36), pick(
        end, 'tag', 'file', 'line', 'column'))
    check('SQL: the line', 'ALTER TABLE b ADD x int REFERENCES nowhere (id);',
          end['source'])
    check('SQL: what the server said', (
        '42P01', 'relation "nowhere" does not exist'),
        pick(end, 'sqlstate', 'sql_message'))
    check('SQL: what became of it', 'sql 0001_b failed; nothing of it was '
          'kept (1 migration before it was applied)',
          end['name'] + ' ' + end['message'])
    check('the next call of the handle is a new one', (0, 'ok', '', ''),
          pick(run.end(), 'code', 'name', 'message', 'sqlstate'))
    check('a wrong password', (CONNECT, '28P01'), pick(tool(
        'url=' + server.url(db, password='wrong'), 'dir=' + bad,
        'migrate').end(), 'code', 'sqlstate'))
    parts = journal(newdir('parts'), [
        ('0000_p', 'CREATE TABLE p (id int);' + BREAK +
         'CREATE INDEX CONCURRENTLY p_id ON p (id);' + BREAK +
         'SELECT 1 / 0;')])
    end = tool(*place(server.fresh('m'), parts), 'migrate').end()
    check('partly: code, fate, applied', (PARTIAL, PART, 0),
          pick(end, 'code', 'fate', 'applied'))


def locked():
    db = server.fresh('m')
    check('the first', 0, tool(*place(db, THREE, to='0000_a'),
                               'migrate').end()['code'])
    gate = Gate(server, db, 'LOCK TABLE %s IN ACCESS EXCLUSIVE MODE' % TABLE)
    run = tool(*place(db, THREE, lock_wait=300), 'migrate')
    check('locked: code, fate', (LOCKED, NOTHING), pick(run.end(), 'code',
                                                        'fate'))
    check('locked: told while it waits', gate.pid,
          (run.events('waiting') or [{}])[0].get('pid'))
    gate.open()
    table = journal(newdir('table'), [
        ('0000_a', 'CREATE TABLE a (id int);'),
        ('0001_x', 'ALTER TABLE a ADD x int;')])
    db = server.fresh('m')
    tool(*place(db, table, to='0000_a'), 'migrate')
    gate = Gate(server, db, 'SELECT count(*) FROM a')
    run = Run(*place(db, table), 'migrate')
    check('blocked: by whom', gate.pid, (run.until('blocked') or {}).get('pid'))
    check('blocked: who that is', True, 'pid %d' % gate.pid in
          run.events('blocked')[0]['text'])
    gate.open()
    check('and then not any more', 0, run.finish().end()['code'])
    gate = Gate(server, db, 'LOCK TABLE a')
    write(os.path.join(table, '0001_x.sql'), 'ALTER TABLE a ADD x int;')
    more = journal(table, [
        ('0000_a', 'CREATE TABLE a (id int);'),
        ('0001_x', 'ALTER TABLE a ADD x int;'),
        ('0002_y', 'ALTER TABLE a ADD y int;')])
    run = tool(*place(db, more, lock_timeout=50, lock_retries=1), 'migrate')
    check('lock retries ran out', (LOCKED, 1, '55P03'), (
        run.end()['code'], len(run.events('warning')), run.end()['sqlstate']))
    gate.open()


SLEEP = journal(newdir('sleep'), [
    ('0000_a', 'CREATE TABLE a (id int);'),
    ('0001_s', 'CREATE TABLE s (id int);' + BREAK + 'SELECT pg_sleep(600);')])


def cancelled():
    def by_signal(run):
        run.process.send_signal(signal.SIGUSR1)

    for how, cancel in ('from a thread', Run.cancel), ('by a signal',
                                                       by_signal):
        db = server.fresh('m')
        run = Run(*place(db, SLEEP), 'migrate', 'migrate')
        check(how + ': it runs', True, wait_for(
            lambda: server.sleeping(db) == '1'))
        cancel(run)
        first, second = run.finish().events('end')
        check(how + ': code, name, fate, applied', (
            CANCELLED, 'cancelled', NOTHING, 1),
            pick(first, 'code', 'name', 'fate', 'applied'))
        check(how + ': rolled back', '', server.sql(
            db, "SELECT to_regclass('s')"))
        check(how + ': nothing runs any more', '0', server.sleeping(db))
        check(how + ': it stays so', CANCELLED, second['code'])
    db = server.fresh('m')
    end = tool(*place(db, SLEEP, cancel='applied'), 'migrate').end()
    check('from an event', (CANCELLED, 1, '1'), (
        *pick(end, 'code', 'applied'), server.sql(
            db, 'SELECT count(*) FROM ' + TABLE)))
    end = tool(*place(db, SLEEP, statement_timeout=200), 'migrate').end()
    check('a statement that takes too long', (SQL, '57014'),
          pick(end, 'code', 'sqlstate'))


def leftover():
    """While it is at work: what a child of the program would inherit, and a
    connection that the server ends, without any SIGPIPE."""
    db = server.fresh('m')
    run = Run(*place(db, SLEEP), 'migrate')
    check('at work', True, wait_for(lambda: server.sleeping(db) == '1'))
    flags = {}
    for fd in os.listdir('/proc/%d/fdinfo' % run.process.pid):
        with open('/proc/%d/fdinfo/%s' % (run.process.pid, fd),
                  encoding='ascii') as f:
            flags[int(fd)] = int(re.search(r'flags:\t(\d+)', f.read()
                                           ).group(1), 8) & os.O_CLOEXEC
    ours = {fd for fd in flags if fd > 2}
    check('it has descriptors: a pipe and a connection', True, len(ours) >= 3)
    check('none is inherited', [], [fd for fd in ours if not flags[fd]])
    server.sql('postgres', 'SELECT pg_terminate_backend(pid) FROM '
               "pg_stat_activity WHERE datname = '%s'" % db)
    end = run.finish().end()
    check('the connection is lost: code, fate, applied', (
        CONNECT, NOTHING, 1), pick(end, 'code', 'fate', 'applied'))


def alarmed():
    """Programs have timers and children, and threads that get their signals:
    a system call that is interrupted goes on."""
    world = newdir('alarmed')
    journal(world, [('0000_a', 'CREATE TABLE a (t text);'),
                    ('0001_b', 'SELECT pg_sleep(0.3);'),
                    ('0002_c', "INSERT INTO a VALUES ('%s');" % ('x' * 3000000)),
                    ('0003_d', "SELECT repeat('y', 3000000);"),
                    ('0004_e', 'CREATE INDEX CONCURRENTLY a_t ON a (md5(t));')])
    db = server.fresh('m')
    run = tool(*place(db, world, wait=60000), 'alarms', 'migrate', 'status',
               'migrate')
    check('under a hail of signals', [(0, 5), (0, 0), (0, 0)], [
        pick(e, 'code', 'applied') for e in run.events('end')])
    check('nothing of it is lost', '1|3000000', server.sql(
        db, 'SELECT count(*), max(length(t)) FROM a'))


def tls():
    """OpenSSL is the whole program's: its configuration is read before we use
    it, so that what others ask of it then is what they have configured."""
    conf = write(os.path.join(newdir('openssl'), 'openssl.cnf'), '''
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = default
[default]
MinProtocol = TLSv1.3
''')
    world = TlsServer(roles=('app',))
    url = 'postgresql://app:%s@127.0.0.1:%d/postgres?sslmode=require' % (
        SECRET.replace(' ', '%20'), world.port)
    for what, words in ('before', ['tls', 'status']), (
            'after', ['status', 'tls']):
        run = tool('url=' + url, 'dir=' + THREE, *words,
                   env={'OPENSSL_CONF': conf})
        check('TLS: a call, ' + what, OK, run.end()['code'])
        check("OpenSSL's configuration, %s it" % what, 0x0304,
              run.events('tls')[0]['least'])


def progress():
    db = server.fresh('m')
    run = Run(*place(db, SLEEP), 'migrate')
    told = run.until('progress')
    while told and not told['tag']:
        told = run.until('progress')
    check('progress', ('0001_s', 2, 2), pick(
        told, 'tag', 'statement', 'statements'))
    run.cancel()
    run.finish()


def together():
    words = []
    for i in range(4):
        words += [*place(server.fresh('t%d' % i), THREE), 'migrate', 'status',
                  '--']
    run = tool(*words)
    check('four databases at once', [0] * 8, [e['code'] for e in
                                              run.events('end')])
    check('each has its own events', [3] * 4, [
        len([e for e in run.events('applied') if e['thread'] == i])
        for i in range(4)])
    check('each is whole', ['3'] * 4, [server.sql(
        't%d' % i, 'SELECT count(*) FROM ' + TABLE) for i in range(4)])
    db = server.fresh('m')
    run = tool(*[w for i in range(8) for w in (
        *place(db, THREE), 'migrate', '--')])
    ends = run.events('end')
    check('eight on one database: all end well', [0] * 8,
          [e['code'] for e in ends])
    check('eight on one database: exactly once', (3, '3'), (
        sum(e['applied'] for e in ends),
        server.sql(db, 'SELECT count(*) FROM ' + TABLE)))
    run = Run(*place(server.fresh('m'), SLEEP), 'migrate', '--',
              *place(server.fresh('t0'), THREE), 'migrate')
    check('one is cancelled: it runs', True, wait_for(
        lambda: server.sleeping('m') == '1'))
    run.cancel()
    ends = {e['thread']: e['code'] for e in run.finish().events('end')}
    check('one is cancelled, the other is not', {0: CANCELLED, 1: OK}, ends)


def starved():
    """Each allocation of ours fails in turn: the call ends in a clear way,
    nothing of it stays open, and the next call does the rest, once."""
    where = folders(newdir('lean'), [
        ('20260101000000_a', 'SELECT 1;'), ('20260101000001_b', 'SELECT 2;'),
        ('20260101000002_c', 'VACUUM t;')])
    db = server.fresh('m')
    server.sql(db, 'CREATE TABLE t ()', 'ALTER TABLE t OWNER TO tester')
    at, codes, over = 1, set(), False
    while not over and at < 5000:
        run = tool(*[w for n in range(at, at + 16) for w in (
            'url=' + server.socket(db), 'dir=' + where, 'schema=h%d' % n,
            'starve=%d' % n, 'migrate', 'starve=-1', 'migrate', '--')])
        firsts, seconds = {}, {}
        for e in run.events('end'):
            (seconds if e['thread'] in firsts else firsts)[e['thread']] = e
        for i, e in seconds.items():
            if (e['code'], firsts[i]['code'] in (OK, CONNECT, 70)) != (0, True):
                check('starved of allocation %d' % (at + i), 'a clear end',
                      '%s, then %s' % (firsts[i], e))
        codes |= {e['name'] for e in firsts.values()}
        over = all(pick(e, 'code', 'applied') == (0, 3)
                   for e in firsts.values())
        if run.events('closed')[0]['descriptors'] != 0:
            check('starved of %d to %d: descriptors' % (at, at + 15), 0,
                  run.events('closed'))
        at += 16
    note('%d allocations failed, one a run: %s' % (at, sorted(codes)))
    check('starved: to the end', (True, True), (over, at > 90))
    check('starved: each exactly once', '%d|3|3' % (at - 1), server.sql(
        db, "SELECT count(*), min(n), max(n) FROM (SELECT (xpath('//n/text()',"
        "query_to_xml('SELECT count(*) AS n FROM ' || nspname || "
        "'.__drizzle_migrations', true, true, '')))[1]::text::int AS n "
        "FROM pg_namespace WHERE nspname LIKE 'h%') AS t"))


migrates()
options()
surroundings()
fails()
locked()
cancelled()
leftover()
progress()
alarmed()
tls()
together()
starved()
sys.exit(verdict())
