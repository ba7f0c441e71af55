# SPDX-License-Identifier: MIT
"""COPY and results from servers that do not keep to the protocol."""
import os
import re
import sys

from harness import check, mizzle, needs_program, note, verdict, workdir, write
from wire import (FakeServer, SETTINGS, auth, columns, complete, error,
                  frontend, key, message, parameter, ready, row)

needs_program()
WANTED = message('G', b'\0\0\0')
BINARY = message('G', b'\1\0\0')
OUT = message('H', b'\0\0\0')
DONE = message('c')
ROWS = 'DROP TABLE keep;\n' * 50000     # more than is sent ahead


def script_of(*steps):
    """Greets, then for each Query a step: bytes, or a function of the peer."""
    def script(peer):
        peer.startup()
        peer.send(auth(0), SETTINGS, key(), ready())
        for step in steps:
            while peer.message()[0] != 'Q':
                pass
            if callable(step):
                step(peer)
            else:
                peer.send(step)
        peer.until_closed()
    return script


def run(what, steps, text, status, pattern, *options):
    fake = FakeServer(script_of(*steps))
    path = write(os.path.join(workdir(), 's.sql'), text)
    got = mizzle('exec', '--url', 'postgresql://u@127.0.0.1:%d/d?sslmode='
                 'disable&connect_timeout=25' % fake.port, *options, path,
                 timeout=60)
    fake.close()
    check(what + ': status', status, got.status) or note(got.err[:500])
    check(what + ': words', re.compile(pattern), got.err)
    check(what + ': one message', True, got.err.count('error:') <= 1)
    check(what + ': the server is content', None, fake.problem)
    sent = frontend(fake.sent())
    check(what + ': rows are never a statement', [], [
        b for t, b in sent if t == 'Q' and b'DROP TABLE keep' in b])
    check(what + ': no control character', False, any(
        c in got.out + got.err for c in '\x1b\x07\r\x9b'))
    return got, sent


COPY = 'COPY t FROM STDIN;\n' + ROWS + '\\.\nSELECT 2;\n'


def given(sent):
    return sum(len(b) for t, b in sent if t == 'd')


def takes(peer, n=len(ROWS)):
    """Take that many bytes of rows; gives how it goes on."""
    got = 0
    while got < n:
        tag, body = peer.message()
        if tag != 'd':
            raise ValueError(tag)
        got += len(body)


def all_is_well():
    def step(peer):
        peer.send(WANTED)
        takes(peer)
        if peer.message() != ('c', b''):
            raise ValueError('no end')
        peer.send(complete('COPY 50000'), ready())
    got, sent = run('all is well', [step, columns('a') + row('2') +
                                    complete('SELECT 1') + ready()], COPY, 0,
                    '')
    check('all is well: the rows', len(ROWS), given(sent))
    check('all is well: the result', ' a \n---\n 2\n(1 row)\n\n', got.out)


def fails_at_once():
    _, sent = run('fails at once', [error('42P01', 'no t') + ready()], COPY, 1,
                  r'no t')
    check('fails at once: no row is sent', 0, given(sent))


def fails_in_the_middle():
    def step(peer):
        peer.send(WANTED)
        takes(peer, 60000)
        peer.send(error('22P02', 'enough', W='COPY t, line 3'), ready())
    text = 'COPY t FROM STDIN;\n' + ROWS * 20 + '\\.\nSELECT 2;\n'
    _, sent = run('fails in the middle', [step], text, 1,
                  r'COPY t, line 3|enough')
    # what was under way is not taken back, but it does not go on
    check('fails in the middle: no end of rows is claimed', 0, sum(
        t in ('c', 'f') for t, b in sent))
    check('fails in the middle: one query', 1, sum(t == 'Q' for t, b in sent))


def asks_twice():
    def step(peer):
        peer.send(WANTED)
        takes(peer)
        peer.message()
        peer.send(complete('COPY 1'), WANTED)
        tag, body = peer.message()
        if tag != 'f':
            raise ValueError(tag)
        peer.send(error('57014', 'as you wish'), ready())
    run('asks twice', [step], COPY, 1, 'as you wish')


def asks_after_an_error():
    def step(peer):
        peer.send(error('XX000', 'first'), WANTED)
        if peer.message()[0] != 'f':
            raise ValueError('no refusal')
        peer.send(ready())
    _, sent = run('asks after an error', [step], COPY, 1, 'first')
    check('asks after an error: no row is sent', 0, given(sent))


def asks_for_nothing_known():
    def step(peer):
        peer.send(WANTED)
        if peer.message()[0] != 'f':
            raise ValueError('no refusal')
        peer.send(error('57014', 'no rows'), ready())
    run('asks where there are no rows', [step], 'SELECT 1;\n' + COPY, 1,
        'no rows')


def binary():
    def step(peer):
        peer.send(BINARY)
        tag, body = peer.message()
        if tag != 'f' or b'not binary' not in body:
            raise ValueError((tag, body))
        peer.send(error('57014', 'refused'), ready())
    _, sent = run('binary', [step], COPY, 1, 'refused')
    check('binary: no row is sent', 0, given(sent))


def does_not_ask():
    """Then they are passed over, and what follows them is run."""
    _, sent = run('does not ask', [complete('COPY 0') + ready()] * 2, COPY, 0,
                  '')
    check('does not ask: what follows is run', [b'SELECT 2\0'], [
        b for t, b in sent if t == 'Q'][1:])
    check('does not ask: no row is sent', 0, given(sent))


def answers_too_early():
    for what, bytes_ in (('complete', complete('COPY 1') + ready()),
                         ('ready', ready()), ('a row', columns('a')),
                         ('COPY data', message('d', b'x')),
                         ('wanted', WANTED), ('out', OUT)):
        def step(peer, bytes_=bytes_):
            peer.send(WANTED, bytes_)
            peer.until_closed()
        run('too early: ' + what, [step], COPY, 3, 'unexpected')


def hangs_up():
    def step(peer):
        peer.send(WANTED)
        takes(peer, 60000)
        peer.close()
    run('hangs up', [step], COPY, 3, 'clos|reset|Broken')
    run('dies', [WANTED + error('57P01', 'shut down', 'FATAL')], COPY, 3,
        'shut down')


def encoding_changes():
    """A script may change it; what it says is sent as it is."""
    run('an encoding', [parameter('client_encoding', 'LATIN1') +
                        complete('SET') + ready()] * 2,
        b'SET x;\nSELECT \'\xe9\';', 0, '')


def results():
    bad = '\x1b[2J\r\x07'
    got, _ = run('hostile text', [columns(bad, 'n') + row(bad, None)
                                  + complete(bad) + ready()], 'SELECT 1;', 0,
                 '', '-v')
    check('hostile text: it is shown', True, '\\x1B[2J' in got.out)
    run('a row that is none', [columns('a') + message('D', b'\0\1\0\0\0\4x')],
        'SELECT 1;', 3, 'malformed')
    got, _ = run('columns twice', [columns('a') + complete('SELECT 0')
                                   + columns('b') + row('1')
                                   + complete('SELECT 1') + ready()],
                 'SELECT 1;', 0, '')
    check('columns twice: both', (True, True),
          (' a \n---\n' in got.out, ' b \n---\n 1\n(1 row)' in got.out))
    big = message('d', b'x' * 999 + b'\n')
    got, _ = run('COPY out', [OUT + big * 20000 + DONE + complete('COPY 1')
                              + ready()], 'COPY t TO STDOUT;', 0, '')
    check('COPY out: all of it', 20000000, len(got.out))


all_is_well()
fails_at_once()
fails_in_the_middle()
asks_twice()
asks_after_an_error()
asks_for_nothing_known()
binary()
does_not_ask()
answers_too_early()
hangs_up()
encoding_changes()
results()
sys.exit(verdict())
