# SPDX-License-Identifier: MIT
"""Servers that misbehave before, in and after TLS, and whoever is between:
nothing is said in clear that was meant for TLS.
"""
import base64
import os
import ssl
import struct
import sys
import time
import warnings

from harness import LONG, check, write
from misbehave import SOON, case, run
from wire import WELCOME, auth, columns, complete, error, ready
from wire_tls import (ScramPlus, asked, certificates, context, named, oddly,
                      one_by_one, secure, Secured)

warnings.simplefilter('ignore', DeprecationWarning)     # TLS 1.1 is the test
HOME = {'HOME': '/nonexistent'}
ROOT = '&sslrootcert=' + named('root.crt')
FINE = error('XX000', 'as far as here') + ready()


def tls(number, what, *args, **more):
    """A case with sslmode=require, unless told otherwise."""
    more = {'sslmode': 'require', 'env': HOME, **more}
    return case(number, what, *args, **more)


def in_clear(c, _, fake):
    """Nobody is told in clear who we are."""
    check(c.name + ': nothing was said in clear', [], [
        p.sent[:40] for p in fake.peers
        if p.sent[4:8] == b'\0\3\0\0' and not getattr(p, 'secured', False)])


def secured(peer, *args, **more):
    """TLS, and a note that what was said was not in clear."""
    peer.secured = True
    return secure(peer, *args, **more)


# ---- the answer to the question for TLS

def answered(number, what, *bytes_, pause=None, close=False, **more):
    def script(peer):
        asked(peer)
        for part in bytes_:
            peer.send(part)
            if pause:
                time.sleep(pause)
        if not close:
            peer.until_closed()
    tls(number, what, **{'after': in_clear, **more})(script)


for mode in 'require', 'verify-ca', 'verify-full':
    answered(38, 'has no TLS, but sslmode=' + mode, b'N', sslmode=mode,
             host='localhost', query='' if mode == 'require' else ROOT,
             pattern='does not have TLS|TLS')


def nobody(c, got, fake):
    in_clear(c, got, fake)
    check(c.name + ': the words of nobody are not shown', False,
          'not to be shown' in got.err)


for mode in 'require', 'prefer':
    answered(39, 'an error of whoever, sslmode=' + mode, error(
        'XX000', 'not to be shown', 'FATAL'), sslmode=mode, after=nobody)
    answered(39, 'an old error, sslmode=' + mode, b'Enot to be shown\n\0',
             sslmode=mode, after=nobody)
    for what, bytes_ in (
            ('X', b'X'), ('G', b'G'), ('NUL', b'\0'), ('HTTP', b'HTTP/1.1 400'),
            ('SS', b'SS'), ('SN', b'SN'), ('S and Ok', b'S' + WELCOME),
            ('S and a request for the password', b'S' + auth(3)),
            ('S and zeros', b'S' + b'\0' * 5000),
            ('R', auth(3)), ('escapes', b'\x1b[31m')):
        answered(40, '%s, sslmode=%s' % (what, mode), bytes_, sslmode=mode,
                 pattern='before TLS' if what[0] == 'S' else 'byte 0x')
    answered(40, 'S and the end, sslmode=' + mode, b'S', close=True,
             sslmode=mode)
    answered(40, 'the end, sslmode=' + mode, close=True, sslmode=mode)
    answered(41, 'nothing, sslmode=' + mode, sslmode=mode, pattern='time')
    answered(41, 'nothing after S, sslmode=' + mode, b'S', sslmode=mode,
             pattern='time')
    answered(43, 'an alert, sslmode=' + mode, b'S',
             b'\x15\x03\x03\0\2\x02\x28', sslmode=mode)
    answered(43, 'an alert in TLS 1.0, sslmode=' + mode, b'S',
             b'\x15\x03\x01\0\2\x02\x46', sslmode=mode)
for what, bytes_ in (('a request for the password', auth(3)),
                     ('a request for MD5', auth(5, b'salt')),
                     ('Ok', WELCOME), ('one byte', b'R'),
                     ('an error', error('XX000', 'not to be shown'))):
    answered(42, 'N and ' + what, b'N' + bytes_, sslmode='prefer',
             after=nobody)
answered('38-45', 'N, but the login is to be bound', b'N', sslmode='prefer',
         query='&channel_binding=require', pattern='channel_binding')
answered(40, 'a record of 16 MB', b'S', b'\x16\x03\x03\xff\xff' +
         b'\2' * (16 << 20))
answered(40, 'a handshake message of 16 MB', b'S', b''.join(
    b'\x16\x03\x03\x40\0' + (b'\2\xff\xff\xff' if i == 0 else b'') +
    b'\0' * (16384 - (4 if i == 0 else 0)) for i in range(1024)))
answered(41, 'a handshake that drips', b'S', *[b'\x16'] + [b'\3'] * 40,
         pause=0.2, timeout=SOON)
answered(40, 'warnings without an end', b'S',
         b'\x15\x03\x03\0\2\x01\x5a' * 100000)
answered(40, 'empty records without an end', b'S',
         b'\x16\x03\x03\0\0' * 100000)


# ---- TLS that fails, and what must not follow it

def wrong(what, name, pattern, mode='verify-full', root=ROOT, **more):
    @tls(46, what, pattern, sslmode=mode, query=root, host='localhost',
         after=in_clear, **more)
    def _(peer):
        s = secured(peer, name)
        s.startup()
        s.send(auth(3))
        s.until_closed()


wrong('nobody knows the authority', 'server', 'root|self.signed|issuer',
      root='&sslrootcert=' + named('other.crt'))
wrong('nobody knows the authority, verify-ca', 'server',
      'root|self.signed|issuer', 'verify-ca',
      '&sslrootcert=' + named('other.crt'))
wrong('signed by itself', 'self-ec256-sha256', 'self.signed')
wrong('expired', 'expired', 'expired')
wrong('not yet valid', 'future', 'not yet valid')
wrong('expired, verify-ca', 'expired', 'expired', 'verify-ca')
wrong('another name', 'wrong', 'other.example.test')
wrong('a name with NUL', 'nul', 'name|NUL')
wrong('an address of five bytes', 'odd-ip', 'address|name')
wrong('partial wildcards', 'partial', 'name|loc')
wrong('for clients alone', 'client-use', 'purpose|use')
wrong('signed by who may not', 'forged', 'authority|CA|issuer')
wrong('revoked', 'revoked', 'revoked', root=ROOT + '&sslcrl=' +
      named('root.crl'))
wrong('escapes in the subject', 'odd-name', 'odd-name|31m', 'verify-ca',
      '&sslrootcert=' + named('other.crt'))
for version, name in ((ssl.TLSVersion.TLSv1_1, '1.1'),
                      (ssl.TLSVersion.TLSv1, '1.0')):
    for mode in 'require', 'prefer', 'allow':
        @tls(46, 'TLS %s alone, sslmode=%s' % (name, mode),
             'version|protocol', sslmode=mode, after=in_clear
             if mode != 'allow' else None)
        def _(peer, version=version, mode=mode):
            if mode == 'allow' and first_in_clear(peer):
                return
            secured(peer, version=version)


def first_in_clear(peer):
    """sslmode=allow begins without TLS; it is not let in so."""
    first = peer.read(8)
    if first[4:] != b'\0\3\0\0':
        # put back what secure() wants to read
        was, rest = peer.read, [first]
        peer.read = lambda n: rest.pop() if rest else was(n)
        return False
    peer.read(struct.unpack('>I', first[:4])[0] - 8)
    peer.send(error('28000', 'no encryption', 'FATAL'))
    return True


for mode in 'prefer', 'require':
    for what, bytes_ in (('an error', error('28P01', 'wrong password',
                                            'FATAL')),
                         ('no database', auth(0) + error(
                             '3D000', 'no such database', 'FATAL')),
                         ('no entry', error('28000', 'no pg_hba.conf entry',
                                            'FATAL'))):
        @tls(44, '%s in TLS, sslmode=%s' % (what, mode), what.split()[-1]
             if what != 'an error' else 'wrong password', sslmode=mode,
             after=in_clear)
        def _(peer, bytes_=bytes_):
            s = secured(peer)
            s.startup()
            s.send(bytes_)
            s.until_closed()


@tls(44, 'the wrong password by SCRAM in TLS', 'wrong password',
     sslmode='prefer', after=in_clear)
def _(peer):
    s = secured(peer)
    s.startup()
    scram = ScramPlus(s, 'secretpw')
    scram.first()
    scram.challenge()
    scram.proof()
    s.send(error('28P01', 'wrong password', 'FATAL'))


# ---- channel binding

@tls(45, 'PLUS is stripped', 'negotiation', after=in_clear)
def _(peer):
    s = secured(peer)
    s.startup()
    scram = ScramPlus(s, 'secretpw')
    assert scram.first(('SCRAM-SHA-256',)) == b'SCRAM-SHA-256'
    assert scram.gs2 == 'y,,', scram.gs2
    # who has PLUS knows by the y that it was stripped
    s.send(error('28000', 'SCRAM channel binding negotiation error', 'FATAL'))


BOUND = {'query': '&channel_binding=require', 'after': in_clear}
for what, bytes_ in (('PLUS is stripped', auth(10, b'SCRAM-SHA-256\0\0')),
                     ('no login at all', WELCOME),
                     ('the password in clear', auth(3)),
                     ('MD5', auth(5, b'salt'))):
    @tls(45, what + ', but it is required', 'channel.binding', **BOUND)
    def _(peer, bytes_=bytes_):
        s = secured(peer)
        s.startup()
        s.send(bytes_)
        s.until_closed()


def plus(what, act, pattern='', **more):
    @tls(45, 'PLUS: ' + what, pattern, **{**BOUND, **more})
    def _(peer):
        s = secured(peer)
        s.startup()
        scram = ScramPlus(s, 'secretpw')
        assert scram.first() == b'SCRAM-SHA-256-PLUS'
        assert scram.gs2 == 'p=tls-server-end-point,,', scram.gs2
        scram.challenge()
        bound = scram.proof().split(',')[0]
        assert bound == 'c=' + base64.b64encode(
            b'p=tls-server-end-point,,' + s.end_point()).decode(), bound
        act(s, scram)
        s.until_closed()


plus('the other end saw another certificate', lambda s, scram: s.send(
    auth(12, b'e=channel-bindings-dont-match')), 'channel-bindings')
plus('a proof without the binding', lambda s, scram: (
    setattr(scram, 'final', scram.final.replace(
        scram.final.split(',')[0], 'c=biws')),
    s.send(auth(12, ('v=' + scram.signature()).encode()), WELCOME)),
    'prove|proof|signature')
plus('let in without a proof', lambda s, scram: s.send(WELCOME), 'prov')
plus('the password in clear after it', lambda s, scram: s.send(auth(3)),
     'out of turn')


def good(s, scram):
    s.send(auth(12, ('v=' + scram.signature()).encode()), WELCOME)
    assert s.message()[0] == 'Q'
    s.send(FINE)


plus('as it should be', good, 'as far as here', status=(3, 1, 9))
plus('as it should be, by default', good, 'as far as here', status=(3, 1, 9),
     query='')


for binding, pattern in (('prefer', 'as far as here'),
                         ('disable', 'as far as here'),
                         ('require', 'channel_binding')):
    @tls(45, 'PLUS with Ed25519, channel_binding=' + binding, pattern,
         status=(3, 1, 9), query='&channel_binding=' + binding, after=in_clear)
    def _(peer, binding=binding):
        s = secured(peer, 'self-ed25519')
        s.startup()
        scram = ScramPlus(s, 'secretpw')
        assert scram.first() == b'SCRAM-SHA-256', binding
        assert scram.gs2 == 'n,,', scram.gs2
        scram.challenge()
        scram.proof()
        good(s, scram)


# ---- after the handshake

def inside(number, what, pattern, act, **more):
    """act(raw, secured) after a good login and the first query."""
    @tls(number, what, pattern, **more)
    def _(peer):
        s = secured(peer)
        s.startup()
        s.send(WELCOME)
        while s.message()[0] != 'Q':
            pass
        act(peer, s)


inside(47, 'plaintext in the stream', 'TLS', lambda raw, s: (
    raw.send(columns('a'), complete('SELECT 0'), ready()), s.until_closed()))
inside(47, 'zeros in the stream', 'TLS', lambda raw, s: (
    raw.send(b'\0' * 100), s.until_closed()))
inside(47, 'a record of another version', 'TLS', lambda raw, s: (
    raw.send(b'\x17\x02\x00\x00\x20' + b'x' * 32), s.until_closed()))
inside(47, 'a record that was not encrypted by us', 'TLS', lambda raw, s: (
    raw.send(b'\x17\x03\x03\x00\x20' + b'x' * 32), s.until_closed()))
inside(48, 'the end without a farewell', 'clos', lambda raw, s: None)
inside(48, 'the end in a message', 'clos', lambda raw, s: s.send(
    columns('a')[:9]))
inside(48, 'the end between messages', 'clos', lambda raw, s: s.send(
    columns('a'), complete('SELECT 0')))
inside(48, 'the end in a record', 'clos|broke', lambda raw, s: raw.send(
    b'\x17\x03\x03\x01\x00' + b'x' * 32))
inside(48, 'a farewell in a message', 'clos', lambda raw, s: (
    s.send(columns('a')[:9]), s.say_goodbye(), s.until_closed()))


@tls(48, 'a farewell instead of a login', 'clos')
def _(peer):
    s = secured(peer)
    s.startup()
    s.say_goodbye()
    s.until_closed()


@tls(40, 'a farewell instead of a handshake', 'clos|TLS')
def _(peer):
    asked(peer)
    peer.send(b'S', b'\x15\x03\x03\0\2\x01\x00')
    peer.until_closed()


# ---- what is to be taken, however it is cut

def cut(what, by, chunks, **more):
    @tls(72, what, 'as far as here', status=(3, 1, 9), within=60, **more)
    def _(peer):
        s = secured(peer, cut=by)
        s.startup()
        for part in chunks(WELCOME):
            s.send(part)
        s.message()
        for part in chunks(FINE):
            s.send(part)
        s.until_closed()


cut('a record for each byte', None, one_by_one)
cut('a segment for each byte', one_by_one, lambda data: [data])
cut('a record for each byte, cut oddly', oddly, one_by_one)
cut('all at once', None, lambda data: [data])


@tls(72, 'large records, cut oddly', 'as far as here', status=(3, 1, 9),
     within=60)
def _(peer):
    s = secured(peer, cut=oddly)
    s.startup()
    s.send(WELCOME)
    s.message()
    s.send(error('00000', 'x' * 20000, 'NOTICE', 'N') * 20, FINE)
    s.until_closed()


# ---- direct TLS

DIRECT = '&sslnegotiation=direct'


def direct(what, pattern, alpn=('postgresql',), answer_=None, **more):
    @tls(46, 'direct: ' + what, pattern, query=DIRECT, **{
        'after': in_clear, **more})
    def _(peer):
        peer.secured = answer_ is None
        if answer_ is not None:
            peer.read(5)
            peer.send(answer_)
            return peer.until_closed()
        s = Secured(peer, context(alpn=alpn)).handshake()
        s.startup()
        s.send(WELCOME)
        s.message()
        s.send(FINE)
        return s.until_closed()


direct('as it should be', 'as far as here', status=(3, 1, 9), after=None)
direct('no ALPN', 'ALPN', alpn=())
direct('another protocol', 'ALPN', alpn=('http/1.1',))
direct('answers as to a question', 'time|TLS', answer_=b'S')
direct('has no TLS', 'time|TLS', answer_=b'N')
direct('in clear', 'TLS', answer_=auth(3))
direct('an error in clear', 'TLS', answer_=error('08P01', 'not to be shown',
                                                 'FATAL'), after=nobody)


# ---- certificates that are too much

def chain_of(megabytes):
    """A chain that is that long."""
    place = os.path.join(certificates(), 'long-%d.crt' % megabytes)
    with open(named('direct.crt'), encoding='ascii') as f:
        leaf = f.read()
    with open(named('root.crt'), encoding='ascii') as f:
        root = f.read()
    size = len(ssl.PEM_cert_to_DER_cert(root)) + 5
    write(place, leaf + root * ((megabytes << 20) // size))
    return place


for n in (1, 15) if LONG else (1,):
    @tls(40, 'a chain of %d MB' % n, 'TLS', within=100, after=in_clear,
         timeout='&connect_timeout=60')
    def _(peer, chain=chain_of(n)):
        peer.secured = True
        s = secure(peer, chain=chain)
        s.startup()
        s.send(WELCOME)
        s.until_closed()


sys.exit(run([*range(38, 49), 72]))
