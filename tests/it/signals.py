# SPDX-License-Identifier: MIT
"""Stopping in the middle: by a signal, by death, by loss of the server."""
import os
import re
import signal
import struct
import sys
import time

from cutter import messages
from harness import (LONG, Server, check, finish, heard, journal, mizzle,
                     needs_program, newdir, note, start, verdict, wait_for)
from relay import Relay, hang_up
from wire import Proxy

needs_program()
server = Server('autovacuum=off')


def folder(seconds, name='signals', **more):
    """The second of three sleeps between two changes."""
    return journal(newdir(name), [
        ('0000_a', 'CREATE TABLE a (id int);'),
        ('0001_b', 'CREATE TABLE b (id int); SELECT pg_sleep(%s); '
         'INSERT INTO a VALUES (1);' % seconds),
        ('0002_c', 'CREATE TABLE c (id int);')])


SLOW = folder(60, 'slow')
QUICK = None  # the same text but for the time, which is another hash


def sleeping():
    return server.sleeping('s') != '0'


def tables():
    return server.sql('s', "SELECT coalesce(string_agg(relname, '' ORDER BY "
                      "relname), '') FROM pg_class WHERE relkind = 'r' AND "
                      "relnamespace = 'public'::regnamespace")


def recorded():
    if server.sql('s', "SELECT to_regclass('drizzle.__drizzle_migrations') "
                  'IS NULL') == 't':
        return 'no history'
    return server.sql('s', 'SELECT count(*) FROM drizzle.__drizzle_migrations')


def nobody_left():
    return wait_for(lambda: server.sessions('s') == '0')


def goes_on(what, want='abc'):
    """A second run finishes what the first one began."""
    where = folder(0, 'quick')
    got = mizzle('migrate', '--json', '--url', server.url('s'), '--dir',
                 where)
    check(what + ': the next run finishes', (0, want),
          (got.status, tables())) or note(str(got)[:600])
    check(what + ': once', '1', server.sql('s', 'SELECT count(*) FROM a'))


def begin(*options, where=SLOW, **more):
    server.fresh('s')
    run = start('migrate', '--url', more.pop('url', server.url('s')),
                '--dir', where, *options, **more)
    check('it is at work', True, wait_for(sleeping)) or \
        note(str(finish(run, 1))[:500])
    return run


def by_signal():
    for sig, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130),
                        (signal.SIGHUP, 129)):
        for options in (), ('--json',), ('--transaction', 'all'):
            what = '%s %s' % (sig.name, ' '.join(options))
            run = begin(*options)
            began = time.monotonic()
            run.send_signal(sig)
            got = finish(run)
            if sig == signal.SIGHUP:  # not promised: it only must not hang
                check(what + ': ends', True, got.status != 'timeout')
            else:
                check(what + ': status', True,
                      got.status in (status, -int(sig))) or \
                    note('        got %s' % got.status)
                check(what + ': as the contract says, by exit', status,
                      got.status)
            check(what + ': soon', True, time.monotonic() - began < 12)
            check(what + ': no session is left', True, nobody_left())
            if options != ('--transaction', 'all'):
                check(what + ': those before it are kept', 'a', tables())
                goes_on(what)
            else:
                check(what + ': nothing is kept', '', tables())
            if options == ('--json',) and sig != signal.SIGHUP:
                lines = got.out.splitlines()
                check(what + ': the last event is the result', True,
                      bool(lines) and '"result"' in lines[-1])


def while_waiting_for_the_lock():
    run = begin()
    other = start('migrate', '--url', server.url('s'), '--dir', SLOW)
    check('it waits for another', True, heard(other, 'waiting: '))
    other.send_signal(signal.SIGTERM)
    got = finish(other)
    check('a signal while it waits for another: ends', 143, got.status)
    check('and the other is not disturbed', None, run.poll())
    run.send_signal(signal.SIGINT)
    finish(run)


def while_connecting():
    """A server that says nothing."""
    import socket
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(1)
    run = start('migrate', '--dir', SLOW, '--url',
                'postgresql://u@127.0.0.1:%d/d?connect_timeout=30'
                % listener.getsockname()[1])
    listener.settimeout(60)
    peer, _ = listener.accept()
    peer.recv(1)
    run.send_signal(signal.SIGTERM)
    got = finish(run, 20)
    check('a signal while it connects: ends', 143, got.status)
    peer.close()
    listener.close()


def twice():
    run = begin()
    run.send_signal(signal.SIGTERM)
    run.send_signal(signal.SIGTERM)
    got = finish(run)
    check('two signals end it, too', True, got.status in (143, -15))
    check('two signals: no session is left', True, nobody_left())
    goes_on('two signals')


def ignored_by_the_parent():
    """nohup: SIGHUP that is ignored stays ignored."""
    run = begin(preexec_fn=lambda: signal.signal(signal.SIGHUP,
                                                 signal.SIG_IGN))
    run.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    check('an ignored SIGHUP stays ignored', None, run.poll())
    run.send_signal(signal.SIGTERM)
    finish(run)


def by_kill():
    for options in (), ('--transaction', 'all'):
        what = 'kill -9 ' + ' '.join(options)
        run = begin(*options, where=folder(2, 'killed'))
        run.kill()
        finish(run)
        check(what + ': the server is rid of it', True,
              wait_for(lambda: server.sessions('s') == '0'))
        check(what + ': nothing is half done', '' if options else 'a',
              tables())
        goes_on(what)


def backend_gone():
    for how in 'pg_terminate_backend', 'pg_cancel_backend':
        run = begin('--json')
        server.sql('postgres', "SELECT %s(pid) FROM pg_stat_activity WHERE "
                   "datname = 's' AND wait_event = 'PgSleep'" % how)
        got = finish(run)
        check(how + ': status', True, got.status in (1, 3))
        note('%s: status %s, %s' % (how, got.status, got.event('error').get(
            'message')))
        check(how + ': says what the server said', re.compile(
            'terminating connection|57P01' if 'terminate' in how
            else 'canceling statement|57014'), got.out)
        check(how + ': nothing is half done', 'a', tables())
        goes_on(how)


def server_gone(back):
    """The server dies, and is back while mizzle looks for it, or is not."""
    what = 'the server dies' + (' and comes back' if back else '')
    run = begin('--json')
    server.do('server_down')
    began = time.monotonic()
    if back:
        time.sleep(0.5)
        server.do('server_up')
    got = finish(run)
    note('%s: it ends after %.1f s' % (what, time.monotonic() - began))
    check(what + ': status', True, got.status in (1, 3)) or note(str(got))
    check(what + ': one error', 1, len(
        [e for e in got.events() if e['event'] == 'error']))
    if not back:
        server.do('server_up')
    # Its commit need not have been on the disk, nor that of the history.
    check(what + ': nothing is half done', True, (tables(), recorded()) in (
        ('a', '1'), ('', '0'), ('', 'no history')))
    goes_on(what)


def network_gone():
    """The connection is cut, without a word from the server."""
    proxy = Proxy(server.port)
    server.fresh('s')
    run = start('migrate', '--json', '--dir', folder(3, 'cut'), '--url',
                server.url('s').replace(':%d/' % server.port, ':%d/'
                                        % proxy.port) + '?sslmode=disable')
    check('it is at work', True, wait_for(sleeping))
    for s in proxy.sessions[0]['sockets']:
        s.shutdown(2)
    proxy.close()
    got = finish(run)
    check('the network is cut: status', True, got.status in (3,)) or \
        note(str(got)[:500])
    check('the network is cut: says so', re.compile(
        'connection|server closed', re.IGNORECASE), got.out)
    check('the network is cut: the server ends it', True, wait_for(
        lambda: server.sessions('s') == '0'))
    goes_on('the network is cut', 'abc')


def lost_at_commit():
    """Whether a COMMIT was done is found out, not guessed."""
    for cut in 'before', 'after':
        for options in (), ('--transaction', 'all'):
            seen = []

            def hook(data, cut=cut, seen=seen):
                at = 0 if seen else data.find(b'CREATE TABLE b')
                if at < 0:
                    return None
                seen.append('b')
                at = data.find(b'COMMIT\0', at)
                if at < 0 or 'cut' in seen:
                    return None
                seen.append('cut')
                return at - 5 if cut == 'before' else at + 7
            proxy = Proxy(server.port, hook)
            server.fresh('s')
            what = ' '.join(('lost', cut, 'COMMIT', *options))
            where = folder(0, 'commit')
            got = mizzle('migrate', '--json', '--dir', where, '--url',
                         server.url('s').replace(
                             ':%d/' % server.port, ':%d/' % proxy.port)
                         + '?sslmode=disable', *options)
            proxy.close()
            check(what + ': it was cut', True, 'cut' in seen)
            rows = int(server.sql('s', "SELECT count(*) FROM drizzle."
                                  "__drizzle_migrations"))
            made = tables()
            note('%s: status %s, %d rows, tables %s' % (
                what, got.status, rows, made))
            check(what + ': tables and rows agree', 'abc'[:rows], made)
            check(what + ': told is what was done', rows,
                  got.event('result').get('applied'))
            if got.status == 0:
                check(what + ': it went on', 3, rows)
            else:
                check(what + ': says so', (3, True), (got.status, bool(
                    re.search('COMMIT|outcome|connection', got.err)))) or \
                    note(str(got))
                goes_on(what)
            check(what + ': once', '1', server.sql(
                's', 'SELECT count(*) FROM a'))


class Goodbye(Relay):
    """The server ends the session in the same breath as the last answer."""
    FATAL = b'SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0'

    def __init__(self, port, commits):
        self.commits = commits
        super().__init__(port)

    def begin(self, client, server):
        return None

    def copy(self, session, way, a, b):
        try:
            for one in messages(a.makefile('rb'), way == 'back'):
                if way == 'back' and one[:1] == b'C' and b'COMMIT' in one:
                    self.commits -= 1
                elif way == 'back' and one[:1] == b'Z' and not self.commits:
                    b.sendall(one + b'E' + struct.pack(
                        '>I', 4 + len(self.FATAL)) + self.FATAL)
                    break
                b.sendall(one)
        except OSError:
            pass
        hang_up(a, b)


def ended_behind_commit():
    """All was committed, and the client was told so: that is well."""
    for options, commits in ((), 4), (('--transaction', 'all'), 2):
        what = ' '.join(('ended behind the last COMMIT', *options))
        relay = Goodbye(server.port, commits)
        server.fresh('s')
        got = mizzle('migrate', '--json', '--dir', folder(0, 'goodbye'),
                     '--url', server.url('s').replace(
                         ':%d/' % server.port, ':%d/' % relay.port)
                     + '?sslmode=disable', *options)
        relay.close()
        check(what, (0, 3, 0), (got.status, got.event('result').get(
            'applied'), relay.commits)) or note(str(got)[:600])
        check(what + ': it is there', 'abc', tables())


def timeouts():
    server.fresh('s')
    began = time.monotonic()
    got = mizzle('migrate', '--json', '--url', server.url('s'), '--dir',
                 SLOW, '--statement-timeout', '2s')
    check('--statement-timeout', (1, '57014', True), (
        got.status, got.event('error').get('sqlstate'),
        time.monotonic() - began < 30))
    check('--statement-timeout: kept', 'a', tables())
    where = journal(newdir('short'), [
        ('%04d_s' % i, 'SELECT pg_sleep(0.5); SELECT pg_sleep(0.5);')
        for i in range(3)])
    server.fresh('s')
    check('--statement-timeout is not over the whole run', 0, mizzle(
        'migrate', '--url', server.url('s'), '--dir', where,
        '--statement-timeout', '2500ms').status)


by_signal()
while_waiting_for_the_lock()
while_connecting()
twice()
ignored_by_the_parent()
by_kill()
backend_gone()
server_gone(True)
if LONG:
    server_gone(False)
network_gone()
lost_at_commit()
ended_behind_commit()
timeouts()
sys.exit(verdict())
