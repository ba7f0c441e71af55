# SPDX-License-Identifier: MIT
"""The v3 protocol for tests: a proxy that counts, and servers that misbehave.
"""
import base64
import hashlib
import hmac
import os
import socket
import struct
import threading
import time

from relay import Relay, hang_up

SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102


def message(tag, body=b'', length=None):
    """A message of the server; a false length may be told."""
    return tag.encode() + struct.pack(
        '>I', (len(body) + 4 if length is None else length) & 0xffffffff
    ) + body


def auth(code, more=b''):
    return message('R', struct.pack('>I', code) + more)


def parameter(name, value):
    return message('S', name.encode() + b'\0' + value.encode() + b'\0')


def key(pid=4711, secret=b'\1\2\3\4'):
    return message('K', struct.pack('>I', pid) + secret)


def ready(status='I'):
    return message('Z', status.encode())


def error(state='XX000', text='it failed', severity='ERROR', tag='E', **more):
    fields = {'S': severity, 'V': severity, 'C': state, 'M': text, **more}
    return message(tag, b''.join(k.encode() + v.encode() + b'\0'
                                 for k, v in fields.items()) + b'\0')


def negotiate(version, *names, count=None):
    return message('v', struct.pack('>II', version, (
        len(names) if count is None else count) & 0xffffffff) + b''.join(
        n.encode() + b'\0' for n in names))


def columns(*names):
    return message('T', struct.pack('>H', len(names)) + b''.join(
        n.encode() + b'\0' + struct.pack('>IHIhih', 0, 0, 25, -1, -1, 0)
        for n in names))


def row(*values):
    return message('D', struct.pack('>H', len(values)) + b''.join(
        struct.pack('>i', -1) if v is None
        else struct.pack('>I', len(v)) + v.encode() for v in values))


def complete(tag):
    return message('C', tag.encode() + b'\0')


SETTINGS = b''.join(parameter(*p) for p in (
    ('server_version', '15.5'), ('server_encoding', 'UTF8'),
    ('client_encoding', 'UTF8'), ('standard_conforming_strings', 'on'),
    ('DateStyle', 'ISO, MDY'), ('integer_datetimes', 'on'),
    ('TimeZone', 'UTC'), ('in_hot_standby', 'off'),
    ('default_transaction_read_only', 'off'), ('is_superuser', 'off'),
    ('session_authorization', 'u')))
WELCOME = auth(0) + SETTINGS + key() + ready()


class Gone(Exception):
    """The peer closed the connection."""


class Peer:
    """The server's end of a connection."""

    def __init__(self, sock):
        self.sock = sock
        self.sent = b''     # by the client, everything
        sock.settimeout(20)

    def read(self, n):
        got = b''
        while len(got) < n:
            try:
                part = self.sock.recv(n - len(got))
            except (OSError, socket.timeout):
                raise Gone
            if not part:
                raise Gone
            got += part
            self.sent += part
        return got

    def send(self, *what):
        try:
            self.sock.sendall(b''.join(what))
        except OSError:
            raise Gone

    def startup(self):
        """Version and parameters; refuses TLS before it."""
        while True:
            length, code = struct.unpack('>II', self.read(8))
            rest = self.read(length - 8)
            if code in (SSL_REQUEST, GSS_REQUEST):
                self.send(b'N')
                continue
            parts = rest.split(b'\0')
            return code, dict(zip(parts[0::2], parts[1::2]))

    def message(self):
        tag = self.read(1).decode('latin-1')
        length, = struct.unpack('>I', self.read(4))
        return tag, self.read(length - 4)

    def until_closed(self):
        try:
            while True:
                self.read(1)
        except Gone:
            pass

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass


class Scram:
    """The server's side of SCRAM-SHA-256, with places to go wrong."""

    def __init__(self, peer, password='p', iterations=4096):
        self.peer, self.password = peer, password
        self.iterations = iterations
        self.salt = b'0123456789abcdef'

    def first(self, mechanisms=('SCRAM-SHA-256',)):
        """Ask, and read the client's first message."""
        self.peer.send(auth(10, b''.join(
            m.encode() + b'\0' for m in mechanisms) + b'\0'))
        tag, body = self.peer.message()
        assert tag == 'p'
        mechanism, rest = body.split(b'\0', 1)
        self.client_first = rest[4:].decode()
        self.bare = self.client_first.split(',', 2)[2]
        self.client_nonce = self.bare.split(',r=')[1]
        return mechanism

    def challenge(self, nonce=None, salt=None, iterations=None, tail=''):
        self.nonce = nonce if nonce is not None else \
            self.client_nonce + 'serverNonce'
        text = 'r=%s,s=%s,i=%s%s' % (
            self.nonce, base64.b64encode(self.salt).decode()
            if salt is None else salt,
            self.iterations if iterations is None else iterations, tail)
        self.server_first = text
        self.peer.send(auth(11, text.encode()))

    def proof(self):
        tag, body = self.peer.message()
        assert tag == 'p', tag
        self.final = body.decode()
        return self.final

    def signature(self):
        salted = hashlib.pbkdf2_hmac('sha256', self.password.encode(),
                                     self.salt, self.iterations)
        server_key = hmac.digest(salted, b'Server Key', 'sha256')
        signed = ','.join((self.bare, self.server_first,
                           self.final.rsplit(',p=', 1)[0]))
        return base64.b64encode(hmac.digest(
            server_key, signed.encode(), 'sha256')).decode()

    def good(self):
        self.first()
        self.challenge()
        self.proof()
        self.peer.send(auth(12, ('v=' + self.signature()).encode()))


class FakeServer:
    """One script for every connection; it runs in a thread."""

    def __init__(self, script, host='127.0.0.1'):
        self.script = script
        self.peers = []
        self.listener = socket.socket()
        self.listener.bind((host, 0))
        self.listener.listen(20)
        self.port = self.listener.getsockname()[1]
        self.problem = None
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            peer = Peer(sock)
            self.peers.append(peer)
            threading.Thread(target=self.serve, args=(peer,),
                             daemon=True).start()

    def serve(self, peer):
        try:
            self.script(peer)
        except Gone:
            pass
        except Exception as e:  # pylint: disable=broad-except
            self.problem = e
        peer.close()

    def close(self):
        hang_up(self.listener)
        self.listener.close()
        for peer in self.peers:
            peer.close()

    def sent(self):
        return b''.join(p.sent for p in self.peers)


class Proxy(Relay):
    """Stands before a real server and keeps what clients send to it.

    cut(data) may say how many of these bytes of the client still reach the
    server; then the connection is cut, and nothing more comes back.
    change(data) makes something else of what the server sends.
    """

    def __init__(self, port, cut=lambda data: None,
                 change=lambda data: data, first_only=False):
        self.first_only = first_only    # who comes later is not heard
        self.cut, self.change = cut, change
        self.sessions = []
        super().__init__(port)

    def join(self, client):
        if self.first_only and self.sessions:
            self.sessions.append({'front': b'', 'sockets': (client,)})
        else:
            super().join(client)

    def begin(self, client, server):
        self.sessions.append({'front': b'', 'back': b'', 'turns': 0,
                              'last': None, 'parts': [],
                              'sockets': (client, server)})
        return self.sessions[-1]

    def copy(self, session, way, a, b):
        while True:
            try:
                data = a.recv(65536)
            except OSError:
                data = b''
            cut = self.cut(data) if way == 'front' else None
            if cut is not None:
                session['mute'] = True
                b.sendall(data[:cut])
                time.sleep(0.3)
            if not data or cut is not None:
                hang_up(a, b)
                return
            if way == 'back' and session.get('mute'):
                continue
            if way == 'back':
                data = self.change(data)
            session[way] += data
            session['parts'].append((way, len(data)))
            if way == 'front' and session['last'] != 'front':
                session['turns'] += 1
            session['last'] = way
            try:
                b.sendall(data)
            except OSError:
                return


def frontend(data):
    """The messages of a client: [(tag, body)]; the start packet is ''."""
    found, at = [], 0
    while at + 8 <= len(data):  # those without a tag
        length, code = struct.unpack('>II', data[at:at + 8])
        if length > 10000:
            break
        found.append(({SSL_REQUEST: 'ssl', GSS_REQUEST: 'gss',
                       CANCEL_REQUEST: 'cancel'}.get(code, ''),
                      data[at + 8:at + length]))
        at += length
        if found[-1][0] == '':
            break
    while at + 5 <= len(data):
        length, = struct.unpack('>I', data[at + 1:at + 5])
        found.append((chr(data[at]), data[at + 5:at + 1 + length]))
        at += 1 + length
    return found
