# SPDX-License-Identifier: MIT
"""What is seen of a statement that takes long: who blocks it, how far it is,
and that --lock-timeout with retries stands in nobody's way."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
import time

from bouncer import PgBouncer, there
from gate import Gate
from harness import (LONG, check, finish, heard, journal, mizzle,
                     needs_program, newdir, note, start, verdict, wait_for)
from tlsworld import SECRET, TlsServer

needs_program()
server = TlsServer(roles=('app',), hba=(
    'hostssl all app 127.0.0.1/32 scram-sha-256',
    'host all all 127.0.0.1/32 scram-sha-256'))
ALTER = journal(newdir('alter'), [
    ('0000_alter', 'SELECT 1;\nALTER TABLE t ADD COLUMN c int;'
                   'INSERT INTO t SELECT 1 FROM generate_series(1, 5);')])


def fresh(db='m'):
    server.fresh(db)
    server.sql(db, 'CREATE TABLE t (id int)', 'ALTER TABLE t OWNER TO tester')
    return db


def waits_for(db, table='t'):
    """Does somebody wait for that table?"""
    return server.sql(db, 'SELECT count(*) FROM pg_locks WHERE NOT granted '
                      "AND relation = to_regclass('%s')" % table) != '0'


def ours(db):
    return int(server.sql('postgres', "SELECT count(*) FROM pg_stat_activity "
                          "WHERE datname = '%s' AND application_name = "
                          "'mizzle'" % db))


def migrate(db, *args, folder=ALTER, url=None, **more):
    return start('migrate', '--url', url or server.url(db), '--dir', folder,
                 *args, **more)


def blocked():
    """In a pipe: one line that names it, and one JSON event."""
    db = fresh()
    server.sql('postgres', 'GRANT pg_read_all_stats TO tester')
    gate = Gate(server, db, 'SELECT count(*)\n FROM t')
    run = migrate(db, '--json')
    began = time.monotonic()
    check('blocked: it is said', True, heard(run, 'blocked: pid %d,' %
                                             gate.pid))
    took = time.monotonic() - began
    check('blocked: soon (%.1f s)' % took, True, took < 20)
    check('blocked: by two connections', 2, ours(db))
    gate.open()
    got = finish(run)
    check('blocked: then it ends well', (0, 1), (
        got.status, got.event('result').get('applied')))
    events = [e for e in got.events() if e['event'] == 'blocked']
    check('blocked: one event', 1, len(events))
    event = events[0]
    check('blocked: of whom', ('0000_alter', gate.pid, 'postgres', 'bob',
                               'idle in transaction', []),
          tuple(event[k] for k in ('tag', 'pid', 'user', 'application',
                                   'state', 'blocked_by')))
    check('blocked: with the query', 'SELECT count(*)\n FROM t;',
          event['query'])
    check('blocked: since', re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$'),
          event['since'])
    check('blocked: in words', re.compile(
        r'^blocked: pid %d, user postgres, application bob, idle in '
        r'transaction for \d+s: "SELECT count\(\*\)…"$' % gate.pid,
        re.M), got.err)
    check('blocked: no control characters', None, re.search(
        r'[^\n -~…]', got.err))
    check('blocked: no session is left', True, wait_for(
        lambda: ours(db) == 0))
    server.sql('postgres', 'REVOKE pg_read_all_stats FROM tester')


def unprivileged():
    db = fresh()
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run = migrate(db)
    check('without rights: pid, user and application are seen', True, heard(
        run, 'blocked: pid %d, user postgres, application bob, doing what '
        'this role may not see\n' % gate.pid))
    gate.open()
    check('without rights: then it ends well', 0, finish(run).status)


def changes():
    """Another blocker is another line; the same one is not."""
    db = fresh()
    first = Gate(server, db, 'SELECT count(*) FROM t')
    second = Gate(server, db, 'SELECT count(*) FROM t')
    run = migrate(db, '--json')
    for gate in sorted((first, second), key=lambda g: g.pid):
        check('two blockers: both', True, heard(run, 'pid %d' % gate.pid))
    first.open()
    check('two blockers: one is gone', True, wait_for(
        lambda: heard_again(run, 'pid %d' % second.pid, 2)))
    second.open()
    got = finish(run)
    check('two blockers: events', sorted((first.pid, second.pid)) + [
        second.pid], [e['pid'] for e in got.events()
                      if e['event'] == 'blocked'])
    check('two blockers: it ends well', 0, got.status)


def heard_again(run, text, times):
    heard(run, '\0', 0.2)
    return getattr(run, 'said', b'').count(text.encode()) >= times


def never():
    """--no-monitor; and what is quick opens nothing."""
    db = fresh()
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run = migrate(db, '--no-monitor')
    check('--no-monitor: it is blocked', True, wait_for(
        lambda: waits_for(db)))
    check('--no-monitor: says nothing', False, heard(run, 'blocked', 2.5))
    check('--no-monitor: one connection', 1, ours(db))
    gate.open()
    got = finish(run)
    check('--no-monitor: then it ends well', (0, False), (
        got.status, 'blocked' in got.err))


def one_connection():
    """The server takes no second one: a remark, once, and no failure."""
    db = fresh()
    server.sql('postgres', 'ALTER ROLE tester CONNECTION LIMIT 1')
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run = migrate(db)
    check('no second connection: it is remarked', True, heard(
        run, 'no second connection'))
    check('no second connection: once', False, wait_for(
        lambda: heard_again(run, 'no second connection', 2), 2))
    gate.open()
    got = finish(run)
    check('no second connection: it ends well', 0, got.status)
    check('no second connection: why', re.compile('too many connections'),
          got.err)
    server.sql('postgres', 'ALTER ROLE tester CONNECTION LIMIT -1')


def killed():
    """The monitor's session ends: the migration does not care."""
    db = fresh()
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run = migrate(db)
    check('killed monitor: it looks', True, heard(run, 'blocked: pid'))
    server.sql(db, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
               "WHERE application_name = 'mizzle' AND state = 'idle' "
               'AND datname = current_database()')
    check('killed monitor: one is left', True, wait_for(
        lambda: ours(db) == 1))
    gate.open()
    got = finish(run)
    check('killed monitor: it ends well', 0, got.status)


def interrupted():
    db = fresh()
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run = migrate(db)
    check('SIGTERM while it looks', True, heard(run, 'blocked: pid'))
    run.send_signal(signal.SIGTERM)
    got = finish(run)
    check('SIGTERM: status', 143, got.status)
    check('SIGTERM: no session is left', True, wait_for(
        lambda: ours(db) == 0))
    check('SIGTERM: and nobody waits', False, waits_for(db))
    gate.open()


def statements():
    """-v names the tag and the rows of each statement, and its time."""
    db = fresh()
    got = mizzle('migrate', '-v', '--url', server.url(db), '--dir', ALTER)
    for line in ('line 1: SELECT 1', 'line 2: ALTER TABLE',
                 'line 2: INSERT 0 5'):
        check('-v: ' + line, re.compile(
            r'^  %s  [\d.]+ m?s$' % line, re.M), got.err)


# ---- --lock-timeout

def retries():
    """The other session goes away in the end; meanwhile a reader that comes
    is never behind us for longer than the limit."""
    db = fresh()
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run = migrate(db, '--json', '--lock-timeout', '300ms')
    check('retries: the blocker is named', True, heard(
        run, 'blocked: pid %d' % gate.pid))
    slowest, done = [], threading.Event()

    def read():
        """What an application does all the time; psql itself is slow."""
        reader = Gate(server, db)
        while not done.is_set():
            slowest.append(reader.time('SELECT count(*) FROM t'))
        reader.open()

    reader = threading.Thread(target=read)
    reader.start()
    tries = heard(run, 'trying again', 60) and wait_for(
        lambda: heard_again(run, 'trying again', 3))
    check('retries: it tries again and again', True, tries)
    gate.open()
    got = finish(run)
    done.set()
    reader.join()
    check('retries: then it ends well', (0, 1), (
        got.status, got.event('result').get('applied')))
    check('retries: the reader got on', True, len(slowest) > 3)
    # The limit, the time that its own statement takes, and a busy machine.
    note('retries: %d readings, the slowest in %.2f s' % (
        len(slowest), max(slowest)))
    check('retries: nobody was blocked for longer than the limit', True,
          max(slowest) < 5)
    check('retries: once', '5', server.sql(db, 'SELECT count(*) FROM t'))
    check('retries: the same blocker is named once', 1, got.err.count(
        'blocked: pid %d' % gate.pid))


def used_up():
    db = fresh()
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    got = finish(migrate(db, '--json', '--lock-timeout', '50ms',
                         '--lock-retries', '2'))
    check('retries are used up: status', 4, got.status)
    check('retries are used up: the error', ('locked', '55P03', 2), (
        got.event('error').get('code'), got.event('error').get('sqlstate'),
        got.event('error').get('line')))
    check('retries are used up: after so many', 2, got.err.count(
        'trying again'))
    got = finish(migrate(db, '--lock-timeout', '50ms', '--lock-retries', '0'))
    check('no retries', (4, 0), (got.status, got.err.count('trying again')))
    check('retries are used up: nothing was kept', '', server.history(db)
          if server.sql(db, "SELECT to_regclass('drizzle."
                        "__drizzle_migrations')") else '')
    gate.open()


def raised():
    """Deadlock and serialization, also without --lock-timeout: the server
    has rolled all of it back."""
    for state in '40P01', '40001', '55P03':
        db = fresh()
        server.sql(db, 'CREATE SEQUENCE s', 'ALTER SEQUENCE s OWNER TO tester')
        folder = journal(newdir('raised'), [
            ('0000_r', "DO $$BEGIN IF nextval('s') < 3 THEN RAISE EXCEPTION "
             "'so' USING ERRCODE = '%s'; END IF; END$$;" % state)])
        got = finish(migrate(db, '--json', folder=folder))
        check(state + ': it is tried again', (0, 1, 2), (
            got.status, got.event('result').get('applied'),
            got.err.count('trying again')))
    db = fresh()
    got = finish(migrate(db, folder=journal(newdir('raised'), [
        ('0000_r', "DO $$BEGIN RAISE EXCEPTION 'so' USING ERRCODE = "
         "'40003'; END$$;")])))
    check('another error is not', (1, 0), (
        got.status, got.err.count('trying again')))


def deadlock():
    """A real one: we hold t and want u, the other holds u and wants t."""
    db = fresh()
    server.sql(db, 'CREATE TABLE u (id int)', 'ALTER TABLE u OWNER TO tester',
               "ALTER DATABASE %s SET deadlock_timeout = '100ms'" % db)
    folder = journal(newdir('deadlock'), [
        ('0000_d', 'ALTER TABLE t ADD c int; ALTER TABLE u ADD c int;')])
    # So that it is always we who notice it.
    gate = Gate(server, db, "SET deadlock_timeout = '1h'; LOCK TABLE u")
    run = migrate(db, folder=folder)
    check('deadlock: we wait', True, wait_for(lambda: waits_for(db, 'u')))
    gate.say('LOCK TABLE t;')
    check('deadlock: it is tried again', True, heard(run, 'trying again'))
    gate.open()
    got = finish(run)
    check('deadlock: then it ends well', 0, got.status) or note(str(got))


# ---- how far it is

def progress():
    """CREATE INDEX stands still in a function that waits at a gate."""
    db = fresh()
    server.sql(db, 'CREATE TABLE shut ()', 'GRANT ALL ON shut TO tester',
               'INSERT INTO t SELECT 1 FROM generate_series(1, 50000)',
               'CREATE FUNCTION slow(id int) RETURNS int LANGUAGE plpgsql '
               'IMMUTABLE AS $$BEGIN PERFORM 1 FROM public.shut; RETURN id; '
               'END$$')
    gate = Gate(server, db, 'LOCK TABLE shut', application='gatekeeper')
    folder = journal(newdir('progress'), [
        ('0000_i', 'SELECT 1;--> statement-breakpoint\n'
         'CREATE INDEX ON t (public.slow(id));SELECT 2;')])
    for color in 'never', 'always':
        with Terminal('migrate', '--color', color, '--url', server.url(db),
                      '--dir', folder) as terminal:
            check('terminal: the statement, its time, and how far it is',
                  True, terminal.shows(
                      r'\[1/1\] 0000_i  statement 2 of 3  [\d.]+ s  blocked '
                      r'by pid %d  building index: scanning table \d+ %%'
                      % gate.pid)) or note(terminal.text[-500:])
            check('terminal: the blocker has a line of its own', True,
                  terminal.shows(r'blocked:\S* pid %d, user postgres, '
                                 r'application gatekeeper[^\r]*\r\n'
                                 % gate.pid))
            check('terminal: the time goes on', True, len(set(
                terminal.times(4))) > 3)
            terminal.interrupt()
            check('terminal: ^C', 130, terminal.status())
            check('terminal: the line is taken away at the end', re.compile(
                r'\r\x1b\[K\S*error:\S* interrupted; nothing of 0000_i was '
                r'kept\r\n$'), terminal.text)
    if LONG:
        run = migrate(db, '--json', folder=folder)
        check('pipe: after half a minute', True, heard(
            run, 'still running: 0000_i, line 2: CREATE INDEX ON t '
            '(public.slow(id)), 30s, blocked by pid %d, building index: '
            'scanning table ' % gate.pid, 60))
        gate.open()
        got = finish(run)
        check('pipe: the event', ('0000_i', 2, 3, 2), tuple(
            got.event('progress').get(k) for k in (
                'tag', 'statement', 'statements', 'line')))
    gate.open()


class Terminal:
    """The program on a terminal of 120 columns."""

    def __init__(self, *args):
        self.args = args
        self.text = ''

    def __enter__(self):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack(
            'HHHH', 24, 200, 0, 0))
        self.fd = master
        self.run = start(*self.args, env={'TERM': 'xterm', 'CI': None},
                         stdin=slave, stdout=slave, stderr=slave,
                         start_new_session=True)
        os.close(slave)
        return self

    def __exit__(self, *_):
        if self.run.poll() is None:
            self.run.kill()
        self.run.wait()
        os.close(self.fd)

    def more(self, seconds):
        try:
            if not select.select([self.fd], [], [], seconds)[0]:
                return False
            part = os.read(self.fd, 65536)
        except OSError:     # nobody has it open any more
            return False
        self.text += part.decode('utf-8', 'replace')
        return bool(part)

    def shows(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            if time.monotonic() > end or (
                    not self.more(1) and self.run.poll() is not None):
                return False
        return True

    def times(self, count):
        """The next times that the line shows."""
        seen, at = [], len(self.text)
        while len(seen) < count and self.more(10):
            seen = re.findall(r'  ([\d.]+ s)  ', self.text[at:])
        return seen

    def interrupt(self):
            self.run.send_signal(signal.SIGINT)

    def status(self):
        while self.more(60):
            pass
        return self.run.wait(60)


# ---- through a pooler

def pooled():
    """In transaction mode nobody knows our process before it has begun."""
    for mode in 'session', 'transaction':
        db = server.fresh('p_' + mode, 'app')
        server.sql(db, 'CREATE TABLE t (id int)', 'ALTER TABLE t OWNER TO app',
                   'GRANT pg_read_all_stats TO app')
        pool = PgBouncer(server, [('app', SECRET)], pool_mode=mode)
        # Whoever greets is not whoever works: others take the first ones.
        words = server.words(port=pool.port, user='app', dbname=db,
                             password=SECRET, sslmode='require')
        mizzle('status', '--url', words, '--dir', ALTER)
        gate = Gate(server, db, 'SELECT count(*) FROM t')
        run = migrate(db, url=words)
        check(mode + ' pool: the blocker is named', True, heard(
            run, 'blocked: pid %d, user postgres, application bob, idle in '
            'transaction for ' % gate.pid)) or note(str(finish(run, 1)))
        gate.open()
        check(mode + ' pool: then it ends well', 0, finish(run).status)


def pooled_outside():
    """Outside of a transaction a pooler may give us another process for each
    statement: what runs is known by its text."""
    db = server.fresh('p_out', 'app')
    server.sql(db, 'CREATE TABLE t (id int)', 'ALTER TABLE t OWNER TO app')
    pool = PgBouncer(server, [('app', SECRET)], pool_mode='transaction')
    words = server.words(port=pool.port, user='app', dbname=db,
                         password=SECRET, sslmode='require')
    folder = journal(newdir('p_out'), [
        ('0000_i', "CREATE INDEX CONCURRENTLY \"i'\" ON t (id);")])
    gate = Gate(server, db, 'INSERT INTO t VALUES (1)')
    run = migrate(db, '--json', folder=folder, url=words)
    check('pool, outside: the blocker is named', True, heard(
        run, 'blocked: pid %d' % gate.pid))
    gate.open()
    got = finish(run)
    check('pool, outside: then it ends well', 0, got.status) or note(str(got))
    check('pool, outside: of whom', '0000_i', got.event('blocked').get('tag'))


def pool_of_one():
    """The only connection of the pool is ours: the monitor waits in vain, and
    is in nobody's way."""
    db = server.fresh('p_one', 'app')
    server.sql(db, 'CREATE TABLE t (id int)', 'ALTER TABLE t OWNER TO app')
    pool = PgBouncer(server, [('app', SECRET)], pool_mode='transaction',
                     default_pool_size=1)
    words = server.words(port=pool.port, user='app', dbname=db,
                         password=SECRET, sslmode='require')
    gate = Gate(server, db, 'SELECT count(*) FROM t')
    run = migrate(db, url=words)
    check('pool of one: it is blocked', True, wait_for(
        lambda: waits_for(db)))
    check('pool of one: the monitor waits for its turn', True, wait_for(
        lambda: 'login attempt' in pool.log() and pool.log().count(
            'login attempt') >= 2))
    gate.open()
    got = finish(run)
    check('pool of one: then it ends well', 0, got.status) or note(str(got))


for test in (blocked, unprivileged, changes, never, one_connection, killed,
             interrupted, statements, retries, used_up, raised, deadlock,
             progress):
    test()
if there():
    pooled()
    pooled_outside()
    pool_of_one()
else:
    note('no PgBouncer here: it was left out')
sys.exit(verdict())
