# SPDX-License-Identifier: MIT
"""Waiting for a server: for what passes, and not for what does not."""
import os
import pty
import re
import shutil
import signal
import ssl
import struct
import subprocess
import sys
import threading
import time

from harness import (Server, check, closed_port, finish, heard, journal,
                     mizzle, needs_program, newdir, note, start, verdict,
                     workdir)
from wire import SSL_REQUEST, WELCOME, FakeServer, error

needs_program()
SOON = 20       # seconds: a busy machine is slow, but it does not wait


def lines(got, word='waiting: '):
    return [l for l in got.err.splitlines() if l.startswith(word)]


def url(port, more=''):
    return 'postgresql://u:pass@127.0.0.1:%d/d%s' % (port, more)


class Script:
    """What each connection gets, in turn; the last one again and again."""

    def __init__(self, *steps):
        self.steps, self.n = steps, 0

    def __call__(self, peer):
        step = self.steps[min(self.n, len(self.steps) - 1)]
        self.n += 1
        peer.startup()
        step(peer)
        peer.until_closed()


def says(state, text):
    def step(peer):
        peer.send(error(state, text, 'FATAL'))
        peer.close()
    return step


def hangs_up(peer):
    peer.close()


def welcomes(peer):
    peer.send(WELCOME)


def is_silent(peer):
    peer.until_closed()


STARTING = says('57P03', 'the database system is starting up')
CONSISTENT = says('57P03', 'the database system is not yet accepting '
                  'connections')
FULL = says('53300', 'sorry, too many clients already')


def play(*steps, args=('--wait', '60s'), command='wait', more='', env=None):
    """Result, tries, seconds."""
    server = FakeServer(Script(*steps))
    began = time.monotonic()
    got = mizzle(command, '--url', url(server.port, more), *args, env=env)
    took = time.monotonic() - began
    server.close()
    return got, server.script.n, took


def what_passes():
    got, tries, _ = play(STARTING, STARTING, CONSISTENT, FULL, hangs_up,
                         hangs_up, welcomes)
    check('what passes is waited for', (0, 7), (got.status, tries)) or \
        note(str(got))
    told = lines(got)
    check('a line for each change', 4, len(told)) or note(got.err)
    for i, word in enumerate(('starting up', 'not yet accepting',
                              'too many clients', 'closed the connection')):
        check('it says: ' + word, True, i < len(told) and word in told[i])
    check('what it found is on stdout', re.compile('127.0.0.1:'), got.out)
    check('no control characters', None, re.search(
        r'[\x00-\x09\x0b-\x1f\x7f]', got.out + got.err))

    got, _, _ = play(STARTING, hangs_up, welcomes, args=('-q',))
    check('-q: nothing on stderr', (0, ''), (got.status, got.err))

    got, _, _ = play(STARTING, STARTING, FULL, welcomes, args=('--json',))
    check('--json: its events', ['waiting', 'waiting', 'ready', 'result'],
          [e['event'] for e in got.events()])
    check('--json: the reason', re.compile('starting up'),
          got.event('waiting').get('message', ''))
    check('--json: the result', {'event': 'result', 'command': 'wait',
                                 'ok': True}, got.events()[-1])

    for text in ('no more connections allowed (max_client_conn)',
                 'client_login_timeout (server down)',
                 'server login has been failing, try again later '
                 '(server_login_retry)'):
        got, _, _ = play(says('08P01', text), welcomes)
        check('a pooler passes: ' + text, 0, got.status)


def what_does_not_pass():
    for state, text in (('28P01', 'password authentication failed'),
                        ('28000', 'no pg_hba.conf entry for host'),
                        ('3D000', 'database "d" does not exist'),
                        ('08P01', 'no such database: d'),
                        ('42704', 'unrecognized configuration parameter')):
        got, tries, took = play(says(state, text))
        check('%s ends it at once' % state, (3, 1, True, []),
              (got.status, tries, took < SOON, lines(got))) or note(str(got))
        check('%s: says it first' % state, True, got.err.splitlines()[0]
              .startswith('error: ') and text in got.err.splitlines()[0])
    got, _, _ = play(says('28P01', 'no'), args=('--json',))
    check('--json: the state', ('connect', '28P01'), tuple(
        got.event('error').get(k) for k in ('code', 'sqlstate')))
    got, tries, _ = play(STARTING, says('3D000', 'database "d" does not exist'))
    check('also later', (3, 2, 1), (got.status, tries, len(lines(got))))
    got, tries, _ = play(lambda peer: peer.send(b'HTTP/1.1 400 Bad\r\n\r\n'))
    check('what is no PostgreSQL ends it at once', (3, 1),
          (got.status, tries))
    for what, args, env in (
            ('a bad option', ('--wait', 'soon'), {}),
            ('a bad variable', (), {'MIZZLE_WAIT': 'soon'})):
        got = mizzle('wait', '--url', url(1), *args, env=env)
        check(what, 2, got.status)
    began = time.monotonic()
    got = mizzle('wait', '--url', 'postgresql://u@h.example:5432/d?'
                 'sslmode=sometimes')
    check('a bad setting', (2, True), (got.status,
                                       time.monotonic() - began < SOON))


def tls():
    """What is wrong with TLS does not pass."""
    server = FakeServer(Script(welcomes))
    got = mizzle('wait', '--url', url(server.port, '?sslmode=require'))
    check('a server without TLS ends it', (3, []), (got.status, lines(got))) \
        or note(str(got))
    server.close()
    if not shutil.which('openssl'):
        note('no openssl here: left out')
        return
    crt, pem = (os.path.join(workdir(), name) for name in ('crt', 'pem'))
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
         'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=elsewhere',
         '-days', '2', '-keyout', pem, '-out', crt], check=True,
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, pem)
    tries = []

    def secure(peer):
        tries.append(1)
        assert peer.read(8)[4:] == struct.pack('>I', SSL_REQUEST)
        peer.send(b'S')
        try:
            context.wrap_socket(peer.sock, server_side=True).recv(1)
        except OSError:
            pass
    server = FakeServer(secure)
    for roots, why in ((crt, 'elsewhere|127.0.0.1'),
                       (None, 'certificate|sslrootcert')):
        del tries[:]
        got = mizzle('wait', '--url', url(
            server.port, '?sslmode=verify-full' + (
                '&sslrootcert=' + roots if roots else '')),
            env={'HOME': '/nonexistent'})
        check('a certificate that is not right ends it', (3, []), (
            got.status, lines(got))) or note(str(got))
        check('and is said', re.compile(why), got.err)
        check('at the first try', True, len(tries) <= 1)
    server.close()


def limits():
    port = closed_port()
    for seconds, more in ((1, ()), (2, ('--json',))):
        began = time.monotonic()
        got = mizzle('wait', '--url', url(port), '--wait', '%ds' % seconds,
                     *more)
        took = time.monotonic() - began
        check('refused: ends at the limit', (3, True), (
            got.status, seconds - 0.3 < took < seconds + SOON)) or \
            note('%.2f s, %s' % (took, got))
        if more:
            check('--json: the last reason', True, 'refused' in
                  got.event('error').get('message', ''))
            check('--json: result is last', ('result', False, 'connect'),
                  tuple(got.events()[-1].get(k)
                        for k in ('event', 'ok', 'code')))
        else:
            check('refused: one line while it waits', 1, len(lines(got)))
            check('refused: the last reason', re.compile(
                r'^error: connect to 127.0.0.1:%d: Connection refused '
                r'\(tried for \d+\.\d s\)$' % port, re.M), got.err)
    for what, step in ('silent', is_silent), ('closes', hangs_up):
        got, tries, took = play(step, args=('--wait', '2500ms'))
        check('%s: ends at the limit' % what, (3, True), (
            got.status, 2 < took < 2.5 + SOON)) or note('%.2f s, %s' % (took, got))
    check('closes: pauses grow', True, 2 <= tries <= 10) or note(tries)

    # cut short by the limit, the last try is not what is wrong
    got, _, _ = play(STARTING, is_silent, args=('--wait', '4s'))
    check('the reason is what was seen', (3, True), (
        got.status, 'starting up' in got.err.splitlines()[-1]
        or 'error: FATAL: the database system is starting up' in got.err)) \
        or note(str(got))

    # a try that hangs is given up for the next one
    got, tries, took = play(is_silent, welcomes, more='?connect_timeout=3')
    check('connect_timeout holds for each try', (0, 2, True),
          (got.status, tries, 2.9 < took < 3 + SOON)) or note(str(got))

    got, tries, _ = play(STARTING, welcomes, command='ping', args=())
    check('without --wait there is one try', (3, 1), (got.status, tries))
    got, tries, _ = play(STARTING, welcomes, args=('--wait', '0'))
    check('--wait 0 is one try', (3, 1), (got.status, tries))
    got, tries, _ = play(STARTING, welcomes, args=(),
                         env={'MIZZLE_WAIT': '0'})
    check('MIZZLE_WAIT=0 is one try', (3, 1), (got.status, tries))


def names():
    """DNS that fails passes, too; the name may never leave this machine."""
    got = mizzle('wait', '--url', 'postgresql://u@nothere.invalid/d',
                 '--wait', '4s')
    check('an unknown name: waited for', (3, 1), (
        got.status, len(lines(got)))) or note(str(got))
    check('an unknown name: says which', re.compile('nothere.invalid'),
          got.err)


def by_signal():
    port = closed_port()
    for sig, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        for what, where in (('between tries', url(port)), ('in a try', None)):
            asked = threading.Event()
            silent = FakeServer(Script(lambda peer, asked=asked: asked.set()))
            run = start('wait', '--url', where or url(silent.port), '--wait',
                        '60s')
            check('%s %s: it is there' % (sig.name, what), True,
                  heard(run, 'waiting: ') if where else asked.wait(60))
            began = time.monotonic()
            run.send_signal(sig)
            got = finish(run)
            check('%s %s' % (sig.name, what), (status, True), (
                got.status, time.monotonic() - began < SOON)) or \
                note(str(got))
            silent.close()
    if os.getuid() == 0:  # PID 1 has no default actions
        run = start('wait', '--url', url(port), '--wait', '60s',
                    prefix=('unshare', '--fork', '--pid', '--kill-child'))
        if heard(run, 'waiting: '):
            with open('/proc/%d/task/%d/children' % (run.pid, run.pid),
                      encoding='ascii') as f:
                os.kill(int(f.read().split()[0]), signal.SIGTERM)
            check('PID 1 ends by SIGTERM', 143, finish(run).status)
        else:
            note('no PID namespaces here: left out: ' + finish(run, 1).err)


def on_a_terminal():
    """One line that is drawn again, and taken away at the end."""
    main, side = pty.openpty()
    server = FakeServer(Script(STARTING, STARTING, hangs_up, welcomes))
    run = start('wait', '--url', url(server.port), stderr=side,
                env={'TERM': 'xterm', 'CI': None, 'GITHUB_ACTIONS': None})
    os.close(side)
    seen = b''
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    check('on a terminal', 0, finish(run).status)
    check('on a terminal: one line', (0, True), (
        seen.count(b'\n'), b'starting up' in seen)) or note(seen)
    check('on a terminal: nothing is left', True, seen.endswith(
        b'\r\x1b[K'))
    server.close()


def real():
    """A server that is started while we wait for it."""
    server = Server('autovacuum=off')
    where = journal(newdir('wait'), [('0000_a', 'CREATE TABLE a (id int);')])
    server.fresh('w')
    server.do('server_down')
    runs = [start(*args, '--url', at) for args, at in (
        (('wait',), server.url('w')), (('wait',), server.socket('w')),
        (('migrate', '--dir', where, '--wait', '60s'), server.url('w')),
        (('status', '--dir', where, '--wait', '60s'), server.url('w')))]
    for run in runs:
        check('it waits', True, heard(run, 'waiting: '))
    server.do('server_up')
    for run in runs:
        got = finish(run)
        check('started while it waits', 0, got.status) or note(str(got))
    check('and then it works', '1', server.sql(
        'w', 'SELECT count(*) FROM drizzle.__drizzle_migrations'))
    for what, at in (('password', server.url('w', password='wrong')),
                     ('database', server.url('nothere'))):
        began = time.monotonic()
        got = mizzle('wait', '--url', at)
        check('a wrong %s ends it' % what, (3, True, []), (
            got.status, time.monotonic() - began < SOON, lines(got)))
        check('a wrong %s is said' % what, re.compile(what), got.err)


what_passes()
what_does_not_pass()
tls()
limits()
names()
by_signal()
on_a_terminal()
real()
sys.exit(verdict())
