# SPDX-License-Identifier: MIT
"""Servers that break the protocol until we are logged in: each ends in one
clear line, in time.
"""
import fcntl
import re
import socket
import struct
import subprocess
import sys
import time

from harness import check, journal, mizzle, newdir, note
from misbehave import CASES, SOON, case, endless, reply, run
from wire import (SETTINGS, WELCOME, FakeServer, Gone, Scram, auth, columns,
                  complete, error, key, message,
                  negotiate, parameter, ready, row)

# ---- before and during login

@case(1, 'says nothing', 'time')
def _(peer):
    peer.until_closed()


@case(1, 'says nothing, and nobody set a timeout', 'time', timeout='',
      within=60)
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
    reply(5, 'an R of length %d' % length, message('R', b'\0\0\0\0', length),
          timeout=SOON if length == 2001 else None)
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
reply(12, 'lets anybody in, but require_auth', WELCOME,
      query='&require_auth=scram-sha-256',
      pattern='require_auth|scram|authenti')
reply(12, 'channel binding without TLS', WELCOME, status=(2,),
      query='&channel_binding=require', pattern='channel_binding')


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


@case(16, 'wants clear text twice', secrets=1)
def _(peer):
    peer.startup()
    peer.send(auth(3))
    peer.message()
    peer.send(auth(3))
    peer.until_closed()


def challenge(what, within=6, query='', pattern='', **parts):
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
    case('17-27', 'SCRAM: ' + what, pattern, within=within,
         query=query)(script)


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
for i in '1', '4095':
    challenge('i=%s, and the server is to prove itself' % i, iterations=i,
              query='&require_auth=scram-sha-256', pattern='only %s times' % i)
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
for what, bytes_ in (
        ('the same version', negotiate(196610)),
        ('a higher version', negotiate(196611)),
        ('4.0', negotiate(262144)), ('2.0', negotiate(131072)),
        ('3.1', negotiate(196609)),
        ('twice', negotiate(196608) * 2),
        ('too late', auth(0) + negotiate(196608)),
        ('a million parameters', negotiate(196608, count=1000000))):
    reply(28, 'negotiates, asked for 3.2: ' + what, bytes_, WELCOME,
          query='&max_protocol_version=3.2')
reply(28, 'negotiates 3.0, but 3.2 is wanted', negotiate(196608), WELCOME,
      query='&min_protocol_version=3.2', pattern='min_protocol_version')
reply(28, 'negotiates twice', negotiate(196608, '_pq_.x') * 2, WELCOME)

reply(30, 'a key of 2 bytes', auth(0), SETTINGS, key(secret=b'ab'), ready())
reply(30, 'a key of 32 bytes in 3.0', auth(0), SETTINGS,
      key(secret=b'k' * 32), ready())
reply(30, 'a key of 300 bytes', auth(0), SETTINGS, key(secret=b'k' * 300),
      ready())
for n in 0, 3, 257, 300, 20000:
    reply(30, 'a key of %d bytes in 3.2' % n, auth(0), SETTINGS,
          key(secret=b'k' * n), ready(), query='&max_protocol_version=3.2')
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


endless(35, 'ParameterStatus', parameter('application_name', 'x' * 50))
reply(35, '1500 settings', auth(0), b''.join(
    parameter('n%d' % i, 'x') for i in range(1500)), key(), ready())
reply(36, '1500 notices', auth(0), error('00000', 'hi', 'NOTICE', 'N') * 1500,
      key(), ready())
endless(35, 'ParameterStatus of all names', b''.join(
    parameter('n%d' % i, 'x' * 30) for i in range(3000)))
endless(36, 'long notices', error('00000', 'x' * 60000, 'NOTICE', 'N'))
endless(36, 'notices', error('00000', 'hello', 'NOTICE', 'N'))
# ---- what is to be accepted

@case(11, 'wants clear text on the loopback', accepted=True, status=(0, 3),
      secrets=1, timeout=SOON)
def _(peer):
    peer.startup()
    peer.send(auth(3))
    peer.message()
    peer.until_closed()


@case('17-27', 'SCRAM: i=1 is told', 'only 1 times.*\n.*as far as here',
      status=(3, 1, 9))
def _(peer):
    peer.startup()
    Scram(peer, 'secretpw', 1).good()
    peer.send(WELCOME)
    peer.message()
    peer.send(error('XX000', 'as far as here'), ready())
    peer.until_closed()


def good():
    """The fake server can do it right, too."""
    where = journal(newdir('good'), [('0000_a', 'SELECT 1;')])

    def script(peer):
        peer.startup()
        Scram(peer, 'secretpw').good()
        peer.send(WELCOME)
        while True:
            tag, body = peer.message()
            if tag == 'Q':
                peer.send(error('XX000', 'as far as here'), ready())
    fake = FakeServer(script)
    got = mizzle('status', '--dir', where, '--url', 'postgresql://u:secretpw@'
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
    got = mizzle('status', '--dir', where, '--url', 'postgresql://u:secretpw@'
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
    got = mizzle('status', '--dir', where, '--url', 'postgresql://u:secretpw@'
                 '127.0.0.1:%d/d?sslmode=disable' % fake.port)
    check('byte by byte is accepted', re.compile('as far as here'), got.err)
    fake.close()


# ---- not on this machine

FAR = '192.0.2.1'


def far():
    """To whom it would be told over a network; in a network of its own."""
    told = {'secrets': 1, 'accepted': True, 'pattern': '', 'timeout': SOON}
    for what, login, asks, more in (
            ('clear text', '', auth(3), {}),
            ('clear text, sslmode=prefer', '&sslmode=prefer', auth(3), {}),
            ('clear text, require_auth without it',
             '&sslmode=prefer&require_auth=!password', auth(3),
             {'pattern': 'require_auth'}),
            ('clear text, but sslmode=disable', '&sslmode=disable', auth(3),
             told),
            ('clear text, but require_auth=password',
             '&require_auth=password', auth(3), told),
            ('MD5', '', auth(5, b'salt'), {
                'pattern': 'MD5 hash', 'timeout': SOON})):
        def script(peer, asks=asks):
            peer.startup()
            peer.send(asks)
            peer.until_closed()
        case(11, 'far away: ' + what, sslmode='prefer', host=FAR, query=login,
             **{'pattern': 'clear text', **more})(script)


def lo_has(address):
    """The loopback of this network gets an address that is none of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        def ask(what, name, rest):
            return fcntl.ioctl(s, what, struct.pack('16s', name) + rest)
        where = struct.pack('H2s4s8x', socket.AF_INET, b'',
                            socket.inet_aton(address))
        ask(0x8914, b'lo', struct.pack('H22x', 0x41))       # SIOCSIFFLAGS
        ask(0x8916, b'lo:1', where)                         # SIOCSIFADDR
        ask(0x8914, b'lo:1', struct.pack('H22x', 0x41))


def in_a_network_of_its_own():
    done = subprocess.run(
        ['unshare', '-rn', sys.executable, sys.argv[0], 'far away'],
        capture_output=True, text=True)
    if 'unshare' in done.stderr:
        note('no network of its own: ' + done.stderr)
        return
    note(done.stdout)
    check('11 far away', 0, done.returncode) or note(done.stderr)


if sys.argv[1:] == ['far away']:
    CASES.clear()
    far()
    lo_has(FAR)
    sys.exit(run())
in_a_network_of_its_own()
good()
sys.exit(run([*range(1, 37), 69], also=(29,)))
