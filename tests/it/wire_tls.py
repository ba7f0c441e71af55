# SPDX-License-Identifier: MIT
"""The server's end of TLS for tests, over memory: how its bytes are cut, and
what comes before, between and after them, is up to the script.
"""
import hashlib
import os
import ssl
import struct
import subprocess

from harness import HERE, newdir, skip
from wire import SSL_REQUEST, Gone, Peer, Scram

SETTINGS = {'dir': None}


def certificates():
    """The folder of tests/certs.sh, made once."""
    if not SETTINGS['dir']:
        place = newdir('certs')
        made = subprocess.run(
            ['sh', os.path.join(HERE, '..', 'certs.sh'), place],
            capture_output=True, text=True)
        if made.returncode:
            skip('no certificates can be made here: ' + made.stderr)
        SETTINGS['dir'] = place
    return SETTINGS['dir']


def named(name):
    return os.path.join(certificates(), name)


def context(name='direct', alpn=('postgresql',), version=None, chain=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(chain or named(name + '.crt'), named(name + '.key'))
    if alpn:
        c.set_alpn_protocols(list(alpn))
    if version:
        c.set_ciphers('ALL:@SECLEVEL=0')
        c.minimum_version = c.maximum_version = version
    return c


class Secured(Peer):
    """A peer that speaks through TLS.  cut(data) says in what pieces the
    ciphertext is sent."""

    def __init__(self, raw, with_context, cut=None):
        super().__init__(raw.sock)
        self.raw = raw
        self.cut = cut or (lambda data: [data])
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = with_context.wrap_bio(self.incoming, self.outgoing,
                                         server_side=True)

    def flush(self):
        data = self.outgoing.read()
        for piece in self.cut(data) if data else ():
            self.raw.send(piece)

    def until(self, action):
        """Do it; for what it needs to read, wait."""
        while True:
            try:
                done = action()
                self.flush()
                return done
            except ssl.SSLWantReadError:
                self.flush()
            except ssl.SSLError:
                self.flush()
                raise Gone
            try:
                data = self.sock.recv(65536)
            except OSError:
                raise Gone
            if not data:
                raise Gone
            self.incoming.write(data)

    def handshake(self):
        self.until(self.tls.do_handshake)
        return self

    def read(self, n):
        got = b''
        while len(got) < n:
            part = self.until(lambda: self.tls.read(n - len(got)))
            if not part:
                raise Gone
            got += part
            self.raw.sent += part   # what was said, also in secret
        return got

    def send(self, *what):
        self.tls.write(b''.join(what))
        self.flush()

    def say_goodbye(self):
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        self.flush()

    def end_point(self, name='direct'):
        """tls-server-end-point of a certificate of ours (SHA-256)."""
        with open(named(name + '.crt'), encoding='ascii') as f:
            pem = f.read().split('-----END CERTIFICATE-----')[0]
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(
            pem + '-----END CERTIFICATE-----')).digest()


def asked(peer):
    """The client's wish for TLS, still without an answer."""
    length, code = struct.unpack('>II', peer.read(8))
    assert (length, code) == (8, SSL_REQUEST), code


def secure(peer, *args, cut=None, **more):
    asked(peer)
    peer.send(b'S')
    return Secured(peer, context(*args, **more), cut).handshake()


def one_by_one(data):
    return [data[i:i + 1] for i in range(len(data))]


def oddly(data):
    """In pieces of 1, 2, 3, 5, 8 ... bytes, again and again."""
    pieces, at, a, b = [], 0, 1, 2
    while at < len(data):
        pieces.append(data[at:at + a])
        at, a, b = at + a, b, a + b
        if a > 20000:
            a, b = 1, 2
    return pieces


class ScramPlus(Scram):
    """With channel binding, and with lies about it."""

    def first(self, mechanisms=('SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256')):
        mechanism = super().first(mechanisms)
        self.gs2 = self.client_first.split(',n=')[0] + ','
        return mechanism
