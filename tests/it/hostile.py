# SPDX-License-Identifier: MIT
"""Servers that break the protocol: each ends in one clear line, in time.

The numbers are those of the table of hostile servers that the client was
written against; rows that need TLS are tested elsewhere.
"""
import os
import re
import struct
import sys
import threading
import time

from harness import (check, finish, mizzle, needs_program, newdir, note,
                     start, verdict, journal)
from wire import (SETTINGS, SSL_REQUEST, WELCOME, FakeServer, Gone, Peer,
                  Scram, auth, columns, complete, error, key, message,
                  parameter, ready, row)

needs_program()
WHERE = journal(newdir('hostile'), [('0000_a', 'SELECT 1;')])
CASES = []


def case(number, what, pattern='', status=(3,), query='', within=6,
         accepted=False, command='status', url='u:secretpw'):
    """Registers a script; `accepted` means that it may end well."""
    def register(script):
        CASES.append((number, what, pattern, status, query, within, accepted,
                      command, url, script))
        return script
    return register


def reply(number, what, *bytes_, **more):
    """After the start packet, these bytes and no more."""
    def script(peer):
        peer.startup()
        peer.send(*bytes_)
        peer.until_closed()
    case(number, what, **more)(script)


def answer(number, what, *bytes_, hang_up=False, **more):
    """After a good login, these bytes to the first query."""
    def script(peer):
        peer.startup()
        peer.send(WELCOME)
        while peer.message()[0] != 'Q':
            pass
        peer.send(*bytes_)
        if not hang_up:
            peer.until_closed()
    case(number, what, **more)(script)


# ---- before and during login

@case(1, 'says nothing', 'time')
def _(peer):
    peer.until_closed()


@case(2, 'one byte now and then', 'time')
def _(peer):
    peer.startup()
    for byte in auth(0) * 100:
        peer.send(bytes((byte,)))
        time.sleep(0.3)


@case(3, 'closes at once', r'127\.0\.0\.1.*(close|reset)|close.*127\.0\.0\.1')
def _(peer):
    pass


@case(3, 'closes after the start packet', 'close|reset')
def _(peer):
    peer.startup()


reply(4, 'speaks HTTP', b'HTTP/1.1 400 Bad Request\r\n\r\n',
      pattern='PostgreSQL|HTTP')
reply(4, 'speaks SSH', b'SSH-2.0-OpenSSH_9.2\r\n', pattern='PostgreSQL')
reply(4, 'speaks MySQL', b'J\0\0\0\n8.0.34\0' + b'x' * 70,
      pattern='PostgreSQL|protocol|unexpected')
for length in 0, 3, 4, -1, 2001, 0x7fffffff:
    reply(5, 'an R of length %d' % length, message('R', b'\0\0\0\0', length))
for code, name in ((99, '99'), (2, 'Kerberos|KRB5'), (7, 'GSS'), (9, 'SSPI'),
                   (6, '6|SCM|not supported'), (1, '1|not supported')):
    reply(6, 'authentication %d' % code, auth(code, b'\0\0\0\0')
          if code == 6 else auth(code), pattern=name)
reply(7, 'SASLContinue first', auth(11, b'r=x,s=eA==,i=4096'))
reply(7, 'SASLFinal first', auth(12, b'v=x'))
reply(8, 'no mechanism', auth(10, b'\0'))
reply(8, 'an unknown mechanism', auth(10, b'FOO-1\0BAR\0\0'),
      pattern='FOO-1')
reply(8, 'an unknown mechanism with escapes', auth(10, b'F\x1b[31m\0\0'))
reply(8, 'a list without an end', auth(10, b'SCRAM-SHA-256'))
reply(9, 'PLUS without TLS', auth(10, b'SCRAM-SHA-256-PLUS\0\0'),
      pattern='PLUS|TLS|SSL')
reply(10, 'MD5 with a short salt', auth(5, b'xy'))
reply(10, 'MD5 with a long salt', auth(5, b'xyxyx'))
for query in '&require_auth=scram-sha-256', '&channel_binding=require':
    reply(12, 'lets anybody in, but' + query, WELCOME, query=query,
          pattern='require_auth|channel_binding|scram|authenti')


@case(13, 'lets in after the start of SCRAM')
def _(peer):
    peer.startup()
    Scram(peer).first()
    peer.send(WELCOME)
    peer.until_closed()


@case(14, 'lets in without its proof')
def _(peer):
    peer.startup()
    scram = Scram(peer, 'secretpw')
    scram.first()
    scram.challenge()
    scram.proof()
    peer.send(WELCOME)
    peer.until_closed()


@case(15, 'wants it in clear after SCRAM')
def _(peer):
    peer.startup()
    scram = Scram(peer, 'secretpw')
    scram.first()
    peer.send(auth(3))
    peer.until_closed()


@case(15, 'wants it in clear after the proof')
def _(peer):
    peer.startup()
    scram = Scram(peer, 'secretpw')
    scram.first()
    scram.challenge()
    scram.proof()
    peer.send(auth(3))
    peer.until_closed()


@case(16, 'wants MD5, then clear text')
def _(peer):
    peer.startup()
    peer.send(auth(5, b'salt'))
    peer.message()
    peer.send(auth(3))
    peer.until_closed()


@case(16, 'wants clear text twice')
def _(peer):
    peer.startup()
    peer.send(auth(3))
    peer.message()
    peer.send(auth(3))
    peer.until_closed()


def challenge(what, within=6, **parts):
    """SCRAM as it should be, but for these parts of the first answer."""
    def script(peer):
        peer.startup()
        scram = Scram(peer, 'secretpw')
        scram.first()
        if 'nonce' in parts:
            made = parts['nonce'](scram)
            scram.challenge(**{**parts, 'nonce': made})
        else:
            scram.challenge(**parts)
        try:
            scram.proof()
        except Gone:
            return
        peer.send(auth(12, ('v=' + scram.signature()).encode())
                  if parts.get('iterations', 1) == 1 else b'', WELCOME)
        peer.until_closed()
    case('17-27', 'SCRAM: ' + what, within=within)(script)


challenge('a nonce of its own', nonce=lambda s: 'completelyOther')
challenge('our nonce and nothing more', nonce=lambda s: s.client_nonce)
challenge('no nonce', nonce=lambda s: '')
challenge('a nonce with a control character',
          nonce=lambda s: s.client_nonce + '\x01')
challenge('a nonce of 1 kB', nonce=lambda s: s.client_nonce + 'x' * 1100)
challenge('a nonce of 100 kB', nonce=lambda s: s.client_nonce + 'x' * 100000)
for i in '0', '-1', '4096x', '4294967297', '2147483647', '+4096', ' 4096', \
        '', '1e3', '99999999999999999999', '10000001':
    challenge('i=%s' % i, iterations=i)
challenge('an empty salt', salt='')
challenge('a salt that is not base64', salt='!!!!')
challenge('a salt of 5 kB', salt='QUJD' * 450)
challenge('an extension', tail=',m=x')
challenge('text behind it', tail=',x=y')
challenge('a NUL', tail='\0')
for text in ('', 'r=', 'hello', 'm=x,r=a,s=b,i=1', 's=eA==,r=x,i=4096',
             'e=other-error', 'r=x,s=eA=='):
    @case('17-27', 'SCRAM: first answer %r' % text)
    def _(peer, text=text):
        peer.startup()
        Scram(peer, 'secretpw').first()
        peer.send(auth(11, text.encode()))
        peer.until_closed()


def final(what, make, pattern='', good=False):
    """SCRAM as it should be, but for the last answer."""
    @case('17-27', 'SCRAM, last answer: ' + what, pattern)
    def _(peer):
        peer.startup()
        scram = Scram(peer, 'secretpw')
        scram.first()
        scram.challenge()
        scram.proof()
        peer.send(auth(12, make(scram).encode()), WELCOME)
        peer.until_closed()


final('a wrong signature', lambda s: 'v=' + 'A' * 43 + '=',
      'signature|proof|prove|server')
final('a short signature', lambda s: 'v=' + s.signature()[:20])
final('no signature', lambda s: 'v=')
final('an error', lambda s: 'e=invalid-proof', 'invalid-proof|password')
final('an error with escapes', lambda s: 'e=\x1b[31mx')
final('text behind it', lambda s: 'v=%s,x=y' % s.signature())
final('nothing', lambda s: '')
final('rubbish', lambda s: 'hello')


@case('17-27', 'SCRAM: a second challenge')
def _(peer):
    peer.startup()
    scram = Scram(peer, 'secretpw')
    scram.first()
    scram.challenge()
    scram.proof()
    scram.challenge()
    peer.until_closed()


@case('17-27', 'SCRAM: the start twice')
def _(peer):
    peer.startup()
    scram = Scram(peer, 'secretpw')
    scram.first()
    scram.peer.send(auth(10, b'SCRAM-SHA-256\0\0'))
    peer.until_closed()


def negotiate(version, *names, count=None):
    return message('v', struct.pack('>II', version, (
        len(names) if count is None else count) & 0xffffffff) + b''.join(
        n.encode() + b'\0' for n in names))


for what, bytes_ in (
        ('the same version', negotiate(196608)),
        ('a higher version', negotiate(196610)),
        ('2.0', negotiate(131072)), ('3.1', negotiate(196609)),
        ('a parameter that nobody asked for', negotiate(196608,
                                                        '_pq_.foo')),
        ('a parameter of another name', negotiate(196608, 'user')),
        ('-1 parameters', negotiate(196608, count=-1)),
        ('a million parameters', negotiate(196608, count=1000000)),
        ('cut short', message('v', b'\0\3'))):
    reply(28, 'negotiates: ' + what, bytes_, WELCOME)
reply(28, 'negotiates twice', negotiate(196608, '_pq_.x') * 2, WELCOME)

reply(30, 'a key of 2 bytes', auth(0), SETTINGS, key(secret=b'ab'), ready())
reply(30, 'a key of 32 bytes in 3.0', auth(0), SETTINGS,
      key(secret=b'k' * 32), ready())
reply(30, 'a key of 300 bytes', auth(0), SETTINGS, key(secret=b'k' * 300),
      ready())
reply(30, 'two keys', auth(0), SETTINGS, key(), key(), ready())
for what, bytes_ in (
        ('RowDescription', columns('a')), ('CopyIn', message('G', b'\0\0\0')),
        ('a second Ok', auth(0)), ('a password request', auth(3)),
        ('a row', row('1')), ('CommandComplete', complete('SELECT')),
        ('NotificationResponse', message('A', b'\0\0\0\1x\0y\0'))):
    reply(31, 'after login: ' + what, auth(0), bytes_, SETTINGS, key(),
          ready())
reply(31, 'a notice before login', error('00000', 'hi', 'NOTICE', 'N'),
      WELCOME)
reply(31, 'ready before login', ready())

reply(32, 'an error without fields', message('E', b'\0'),
      pattern='without|no message|no text|server')
reply(32, 'an error without a message', message('E', b'SERROR\0C28000\0\0'),
      pattern='28000')
reply(32, 'an error without an end', message('E', b'SERROR\0Mhello'))
reply(32, 'an empty error', message('E', b''))
reply(33, 'an error that claims 100 MB', message('E', b'SERROR\0', 100 << 20))
reply(33, 'an error that claims 2 GB', message('E', b'SERROR\0', 0x7fffffff))
reply(34, 'an error with control characters', error(
    '28000', 'one\x1b[31m\x07\r\n::set-output name=a::b\nlast\x9b', 'FATAL'),
    pattern='one')
reply(34, 'an error in Latin-1', message(
    'E', b'SFATAL\0VFATAL\0C28000\0Mcaf\xe9 closed\0\0'), pattern='closed')
reply(34, 'an error with a long text', error('28000', 'x' * 500000,
                                             'FATAL'), pattern='xxx')
reply(69, 'a SQLSTATE of 14 characters', error('EPSSIMPLEQUERY', 'hello',
                                               'FATAL'), pattern='hello')
reply(69, 'fields twice', message('E', b'SFATAL\0SFATAL\0VFATAL\0C28000\0'
                                  b'C28001\0Mone\0Mtwo\0\0'),
      pattern='one|two')


def endless(number, what, chunk, at='startup', **more):
    @case(number, 'endless: ' + what, **more)
    def _(peer):
        peer.startup()
        if at == 'startup':
            peer.send(auth(0))
        else:
            peer.send(WELCOME)
            while peer.message()[0] != 'Q':
                pass
            peer.send(at)
        block = chunk * (65536 // len(chunk) + 1)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            peer.send(block)


endless(35, 'ParameterStatus', parameter('application_name', 'x' * 50))
endless(35, 'ParameterStatus of all names', b''.join(
    parameter('n%d' % i, 'x' * 30) for i in range(3000)))
endless(36, 'notices', error('00000', 'hello', 'NOTICE', 'N'))
endless(49, 'zeros', b'\0' * 100)


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
    peer.startup()
    peer.send(WELCOME)
    while peer.message()[0] != 'Q':
        pass
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
                                            'N'),
        at=b'', accepted=True, within=20)
endless(66, 'rows', row('1' * 100), at=columns('a'), accepted=True,
        within=20)


# ---- what is to be accepted, or refused before anything is told

@case(11, 'wants clear text on the loopback', accepted=True, status=(0, 3))
def _(peer):
    peer.startup()
    peer.send(auth(3))
    peer.message()
    peer.until_closed()


# ---- the run

def one(number, what, pattern, status, query, within, accepted, command, url,
        script, program=()):
    fake = FakeServer(script)
    name = '%s %s' % (number, what)
    began = time.monotonic()
    got = finish(start(
        command, '--dir', WHERE, '--url', 'postgresql://%s@127.0.0.1:%d/d'
        '?sslmode=disable&connect_timeout=2%s' % (url, fake.port, query),
        prefix=program), within + 15)
    took = time.monotonic() - began
    fake.close()
    sent = fake.sent()
    if not check(name + ': ends as it should', True, got.status in status or
                 accepted and got.status != 'timeout'):
        note('        %s' % str(got)[:500])
    check(name + ': in time (%.1f s)' % took, True, took < within)
    lines = [l for l in got.err.splitlines() if l.startswith('error: ')]
    if got.status != 0:
        check(name + ': one line that begins with error:', 1, len(lines)) or \
            note('        %s' % got.err[:500])
        check(name + ': says it', re.compile(pattern, re.IGNORECASE),
              got.err)
    check(name + ': not too much (%d bytes)' % len(got.err), True,
          len(got.err) < 1000000)
    check(name + ': no control characters', [], re.findall(
        '[\x00-\x08\x0b-\x1f\x7f-\x9f]', got.err + got.out))
    check(name + ': nothing at the margin', [], [
        l for l in got.err.splitlines() if l.startswith(('::', 'last'))])
    check(name + ': no secret', False, 'secretpw' in got.err + got.out)
    allowed = 2 if number in (11,) or 'clear text twice' in what else 0
    check(name + ': the password was not given away', True,
          sent.count(b'secretpw') <= (1 if allowed else 0))
    check(name + ': nothing of the crashing kind', None, re.search(
        'Sanitizer|runtime error|core dumped', got.err))
    if fake.problem:
        note('        the script of %s: %r' % (name, fake.problem))


def good():
    """The fake server can do it right, too."""
    def script(peer):
        peer.startup()
        Scram(peer, 'secretpw').good()
        peer.send(WELCOME)
        while True:
            tag, body = peer.message()
            if tag == 'Q':
                peer.send(error('XX000', 'as far as here'), ready())
    fake = FakeServer(script)
    got = mizzle('status', '--dir', WHERE, '--url', 'postgresql://u:secretpw@'
                 '127.0.0.1:%d/d?sslmode=disable' % fake.port)
    check('a good login gets as far as the first query', re.compile(
        'as far as here'), got.err)
    fake.close()

    def keyless(peer):
        peer.startup()
        peer.send(auth(0), SETTINGS, ready())
        peer.message()
        peer.send(error('XX000', 'as far as here'), ready())
    fake = FakeServer(keyless)
    got = mizzle('status', '--dir', WHERE, '--url', 'postgresql://u:secretpw@'
                 '127.0.0.1:%d/d?sslmode=disable' % fake.port)
    check('29 no BackendKeyData is accepted', re.compile('as far as here'),
          got.err)
    fake.close()

    def slowly(peer):
        peer.startup()
        for byte in WELCOME:
            peer.send(bytes((byte,)))
        peer.message()
        for byte in error('XX000', 'as far as here') + ready():
            peer.send(bytes((byte,)))
    fake = FakeServer(slowly)
    got = mizzle('status', '--dir', WHERE, '--url', 'postgresql://u:secretpw@'
                 '127.0.0.1:%d/d?sslmode=disable' % fake.port)
    check('byte by byte is accepted', re.compile('as far as here'), got.err)
    fake.close()


def main():
    only = sys.argv[1:]
    good()
    waiting, lock = list(CASES), threading.Lock()

    def work():
        while True:
            with lock:
                if not waiting:
                    return
                item = waiting.pop(0)
            if only and not any(o in '%s %s' % item[:2] for o in only):
                continue
            one(*item)
    workers = [threading.Thread(target=work) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()


main()
sys.exit(verdict())
