# SPDX-License-Identifier: MIT
"""Servers that break the protocol in their answers to a query."""
import re
import signal
import sys
import threading
import time

from harness import (Server, check, finish, journal, mizzle, newdir, note,
                     start, wait_for)
from misbehave import SOON, answer, case, endless, run, until_query
from wire import (SETTINGS, FakeServer, Proxy, auth, columns, complete, error,
                  key, message, negotiate, parameter, ready, row)

# ---- during a query

for length in 0, 1, 2, 3, -1, 0x7fffffff:
    answer(49, 'a Z of length %d' % length, message('Z', b'I', length))
    answer(49, 'a C of length %d' % length, message('C', b'SELECT\0', length))
answer(49, 'a tag that is none', message('~', b'abc'), ready())
for what, bytes_ in (
        ('of 2 GB', message('D', b'\0\1', 0x7ffffff0)),
        ('of 1 GB', message('D', b'\0\1', 0x3ffffff0)),
        ('of 100 MB', message('D', b'\0\1', 100 << 20))):
    answer(50, 'a row ' + what, columns('a'), bytes_)
answer(51, 'a row without columns', row('1'), complete('SELECT 1'), ready())
answer(51, 'a row with too many fields', columns('a'), row('1', '2'),
       complete('SELECT 1'), ready())
answer(51, 'a row with too few fields', columns('a', 'b'), row('1'),
       complete('SELECT 1'), ready())
answer(51, 'a field beyond the message', columns('a'),
       message('D', b'\0\1\0\0\1\0abc'), complete('SELECT 1'), ready())
answer(51, 'a field of -2', columns('a'),
       message('D', b'\0\1\xff\xff\xff\xfeabc'), complete('SELECT 1'),
       ready())
answer(51, 'bytes behind the fields', columns('a'),
       message('D', b'\0\1\0\0\0\1abc'), complete('SELECT 1'), ready())
answer(51, 'an empty row message', columns('a'), message('D'),
       complete('SELECT 1'), ready())
answer(52, '-1 columns', message('T', b'\xff\xff'), complete('SELECT 1'),
       ready())
answer(52, 'columns cut short', message('T', columns('a')[5:-3]),
       complete('SELECT 1'), ready())
answer(52, '32767 columns claimed', message('T', b'\x7f\xff'
                                            + columns('a')[7:]),
       complete('SELECT 1'), ready())
answer(53, 'a C without an end', message('C', b'SELECT 1'), ready())
answer(53, 'a C with bytes behind', message('C', b'SELECT 1\0x'), ready())
answer(54, 'a Z of status Q', columns('a'), complete('SELECT 0'), ready('Q'))
answer(54, 'an empty Z', columns('a'), complete('SELECT 0'), message('Z'))
answer(54, 'a Z of two bytes', columns('a'), complete('SELECT 0'),
       message('Z', b'II'))
answer(55, 'no result', ready())
answer(55, 'columns but no end', columns('a'), ready())
answer(56, 'hangs up before Z', columns('a'), complete('SELECT 0'),
       hang_up=True, pattern='clos')
answer(56, 'hangs up in a message', columns('a')[:9], hang_up=True,
       pattern='clos')
answer(56, 'hangs up', hang_up=True, pattern='clos')
answer(57, 'rows after an error', error('XX000', 'first'), row('1'),
       complete('SELECT 1'), ready(), pattern='first', status=(1, 3, 9))
answer(57, 'two errors', error('XX000', 'first'), error('XX001', 'second'),
       ready(), pattern='first', status=(1, 3, 9))
answer(58, 'a fatal error and the end', error(
    '57P01', 'terminating connection due to administrator command',
    'FATAL'), hang_up=True, pattern='terminating connection')


@case(59, 'CopyIn', 'COPY', status=(1, 3, 9))
def _(peer):
    until_query(peer)
    peer.send(message('G', b'\0\0\0'))
    while peer.message()[0] != 'f':
        pass
    peer.send(error('57014', 'COPY from stdin failed'), ready())
    peer.until_closed()


answer(59, 'CopyBoth', message('W', b'\0\0\0'))
answer(59, 'CopyOut and nothing', message('H', b'\0\0\0'), hang_up=True)
answer(60, 'a second Ok', auth(0), columns('a'), complete('SELECT 0'),
       ready())
answer(60, 'a password request', auth(3))
answer(60, 'negotiation', negotiate(196608), columns('a'),
       complete('SELECT 0'), ready())
answer(61, 'another key', key(), columns('a'), complete('SELECT 0'), ready())
answer(63, 'a setting without an end', message('S', b'a\0b'), columns('a'),
       complete('SELECT 0'), ready())
answer(64, 'an unknown message', message('~', b'x'), columns('a'),
       complete('SELECT 0'), ready())
for tag, name in (('1', 'ParseComplete'), ('2', 'BindComplete'),
                  ('s', 'PortalSuspended'), ('V', 'FunctionCallResponse'),
                  ('n', 'NoData'), ('t', 'ParameterDescription')):
    answer(65, name, message(tag, b'\0\0\0\0' if tag in 'Vt' else b''),
           columns('a'), complete('SELECT 0'), ready())
answer(65, 'two Z for one query', columns('a'), complete('SELECT 0'),
       ready(), ready())
answer(66, 'another result than was asked for', columns('x'), row('y'),
       complete('SELECT 1'), ready())
answer(66, 'one column instead of many, and NULL', columns('x'), row(None),
       complete('SELECT 1'), ready())
endless(37, 'notices during a query', error('00000', 'x' * 100, 'NOTICE',
                                            'N'), at=b'', pattern='time')
endless(37, 'long notices during a query', error(
    '00000', 'x' * 60000, 'NOTICE', 'N'), at=b'',
        pattern='more notices are not shown', timeout=SOON)
endless(66, 'rows', row('1' * 100), at=columns('a'))
endless(66, 'COPY data', message('d', b'x' * 1000), pattern='time',
        at=message('H', b'\0\0\0'))
endless(37, 'settings during a query', parameter('a', 'b'), at=b'',
        pattern='time')
answer(66, 'nothing', pattern='time')
answer(66, 'columns, and then nothing', columns('a'), pattern='time')

# ---- what no server is asked to be

def versions():
    """What a server calls itself is for people, not for decisions."""
    where = journal(newdir('versions'), [('0000_a', 'SELECT 1;')])
    for version in ('18.4 (Debian 18.4-1)', '15.20', '9.6.1', '', '16beta1',
                    'CockroachDB CCL v23.2.0', '1' * 300, 'x\x1b[31m', '-1',
                    '99999999999999999999.1', '1.18.0/pooled'):
        def script(peer, version=version):
            peer.startup()
            peer.send(auth(0), parameter('server_version', version), SETTINGS
                      if version == '' else b'', key(), ready())
            peer.message()
            peer.send(error('XX000', 'as far as here'), ready())
        fake = FakeServer(script)
        got = mizzle('status', '--dir', where, '--url', 'postgresql://u@'
                     '127.0.0.1:%d/d?sslmode=disable' % fake.port)
        check('70 server_version %r is taken' % version[:30], re.compile(
            'as far as here'), got.err)
        check('70 server_version %r: no control characters' % version[:30],
              None, re.search('[\x00-\x08\x0b-\x1f\x7f-\x9f]', got.err))
        fake.close()


def rolled_back():
    """A COMMIT that is answered by ROLLBACK has not been one."""
    server = Server()
    where = journal(newdir('commit'), [('0000_a', 'CREATE TABLE a ();')])
    server.fresh('h')
    proxy = Proxy(server.port, change=lambda data: data.replace(
        complete('COMMIT'), complete('ROLLBACK')))
    got = mizzle('migrate', '--json', '--dir', where, '--url', server.url(
        'h').replace(':%d/' % server.port, ':%d/' % proxy.port) +
        '?sslmode=disable')
    proxy.close()
    check('67 COMMIT is answered by ROLLBACK: it has failed', True,
          got.status not in (0, 'timeout')) or note(str(got))
    check('67 COMMIT is answered by ROLLBACK: says so', re.compile(
        'COMMIT|rolled back', re.IGNORECASE), got.err + got.out)
    check('67 COMMIT is answered by ROLLBACK: nothing is called applied', [],
          [e for e in got.events() if e['event'] == 'applied'])


def interrupted():
    """Whoever asks to stop does not wait for a server that says nothing."""
    where = journal(newdir('stop'), [('0000_a', 'CREATE TABLE a ();')])
    for command in 'status', 'migrate':
        working = threading.Event()

        def script(peer, working=working):
            until_query(peer)       # the second one gets no answer at all
            working.set()
            peer.until_closed()
        fake = FakeServer(script)
        run_ = start(command, '--dir', where, '--url', 'postgresql://u@'
                     '127.0.0.1:%d/d?sslmode=disable' % fake.port)
        check('%s asks' % command, True, working.wait(60))
        began = time.monotonic()
        run_.send_signal(signal.SIGINT)
        got = finish(run_)
        check('%s is interrupted: status' % command, 130, got.status)
        check('%s is interrupted: soon' % command, True,
              time.monotonic() - began < 13)
        fake.close()


def cancel_unanswered():
    """The request to cancel reaches nobody; the statement goes on and ends."""
    server = Server()
    server.fresh('c')
    where = journal(newdir('deaf'), [('0000_a', 'SELECT pg_sleep(4);')])
    deaf = Proxy(server.port, first_only=True)
    run_ = start('migrate', '--json', '--dir', where, '--url', server.url('c').replace(
        ':%d/' % server.port, ':%d/' % deaf.port) + '?sslmode=disable')
    check('it is at work', True, wait_for(
        lambda: server.sleeping('c') == '1'))
    began = time.monotonic()
    run_.send_signal(signal.SIGINT)
    got = finish(run_, 60)
    check('a cancel without an answer: status', 130, got.status) or \
        note(str(got))
    check('a cancel without an answer: in time (%.1f s)' % (
        time.monotonic() - began), True, time.monotonic() - began < 14)
    deaf.close()
    check('a cancel without an answer: nothing is left', True, wait_for(
        lambda: server.sessions('c') == '0'))
    check('a cancel without an answer: told is what was done', server.sql(
        'c', 'SELECT count(*) FROM drizzle.__drizzle_migrations'),
          str(got.event('result').get('applied')))


def disagreeing():
    """What was agreed on at login holds, or nothing of ours is sent."""
    server = Server()
    where = journal(newdir('agreed'), [('0000_a', 'CREATE TABLE a ();')])
    for name, value in (('client_encoding', 'SJIS'),
                        ('client_encoding', 'x\x1b[31m'),
                        ('standard_conforming_strings', 'off')):
        server.fresh('g')
        proxy = Proxy(server.port, change=lambda data: data.replace(
            ready(), parameter(name, value) + ready()))
        for when in 'login', 'query':
            if when == 'query':
                seen = []

                def change(data):
                    if not seen:
                        seen.append(ready() in data)
                        return data
                    return data.replace(ready(), parameter(
                        name, value) + ready())
                proxy = Proxy(server.port, change=change)
            got = mizzle('migrate', '--dir', where, '--url', server.url(
                'g').replace(':%d/' % server.port, ':%d/' % proxy.port) +
                '?sslmode=disable')
            what = '62 %s=%r at the %s' % (name, value, when)
            check(what + ': is refused', 3, got.status) or note(str(got))
            check(what + ': says it', re.compile(name), got.err)
            check(what + ': no control characters', False, '\x1b' in got.err)
            check(what + ': nothing was done', '', server.sql(
                'g', "SELECT to_regclass('a')"))
            proxy.close()


versions()
disagreeing()
rolled_back()
cancel_unanswered()
interrupted()
sys.exit(run([37, *range(49, 68), 70], also=(62, 67, 70)))
