# SPDX-License-Identifier: MIT
"""What stands between mizzle and a server, and breaks the connection.

It knows the protocol's messages in both directions, and TLS too, which ends
here: what it passes on to the server is in the clear.
"""
import select
import socket
import ssl
import struct
import threading
import time

from relay import Relay, hang_up
from wire import CANCEL_REQUEST, SSL_REQUEST


class Cut:
    """So many bytes of this message pass (negative: all), then it is over;
    rst: with a reset in place of an end; away: and nobody is taken from then
    on, until proxy.refuses is set to false."""

    def __init__(self, passes=0, rst=False, away=False):
        self.passes, self.rst, self.away = passes, rst, away


class Freeze(Cut):
    """So many bytes pass, then nothing in either direction, until melt(); nor
    on any connection that comes later, unless it is alone."""

    def __init__(self, passes=0, alone=False):
        super().__init__(passes)
        self.alone = alone


class Delay:
    """It passes so many seconds later, and so does what comes behind it."""

    def __init__(self, seconds):
        self.seconds = seconds


def framed(buffer, tagged):
    """The first whole message of it, or None."""
    head = 5 if tagged else 4
    if len(buffer) < head:
        return None
    length = head - 4 + struct.unpack('>I', buffer[head - 4:head])[0]
    return bytes(buffer[:length]) if len(buffer) >= length else None


class Way:
    """One direction of a session."""

    def __init__(self, name, source, target, tagged):
        self.name, self.source, self.target = name, source, target
        self.tagged = tagged
        self.read = bytearray()     # not a whole message yet
        self.out = []               # [when, bytes]
        self.count = 0

    def take(self):
        message = framed(self.read, self.tagged)
        if message is not None:
            del self.read[:len(message)]
            self.tagged = True
        return message

    def put(self, data, when=0.0):
        if self.out:    # nothing overtakes what is before it
            when = max(when, self.out[-1][0])
        self.out.append([when, data])


class Session(threading.Thread):
    def __init__(self, proxy, client, number):
        super().__init__(daemon=True)
        self.proxy, self.client, self.number = proxy, client, number
        self.server = None
        self.cut = None
        self.seen = {'front': [], 'back': []}   # tags that came

    # ---- the beginning

    def run(self):
        try:
            if self.proxy.frozen:
                self.stay()
            elif self.secure():
                self.server = self.proxy.dial()
                self.server.setblocking(False)
                self.client.setblocking(False)
                self.pump()
        except (OSError, ssl.SSLError, ValueError):
            pass
        self.hang_up()

    def secure(self):
        """TLS, if that is what is asked for; false when that is all."""
        if not self.proxy.tls:
            return True
        head = self.client.recv(8, socket.MSG_PEEK | socket.MSG_WAITALL)
        if len(head) < 8:
            return False
        if struct.unpack('>I', head[4:])[0] == SSL_REQUEST:
            self.client.recv(8)
            self.client.sendall(b'S')
        self.client = self.proxy.tls.wrap_socket(self.client,
                                                 server_side=True)
        return True

    # ---- passing on

    def pump(self):
        ways = [Way('front', self.client, self.server, False),
                Way('back', self.server, self.client, True)]
        open_ways = set(ways)
        while open_ways:
            now = time.monotonic()
            for way in ways:
                self.flush(way, now)
            if self.cut and not any(
                    w.out for w in ways if w.name == self.cut_way):
                return self.stop_here()
            due = [w.out[0][0] - now for w in ways if w.out]
            writers = [w.target for w in ways if w.out and w.out[0][0] <= now]
            readers = [] if self.cut else [w.source for w in open_ways]
            pending = any(isinstance(s, ssl.SSLSocket) and s.pending()
                          for s in readers)
            later = [d for d in due if d > 0]
            ready, _, _ = select.select(
                readers, writers, [],
                0 if pending else min(later) if later else None)
            for way in list(open_ways):
                if not self.cut and (way.source in ready or pending) and \
                        not self.listen(way):
                    open_ways.discard(way)
                    if self.drain(way):
                        return None
        return None

    def listen(self, way):
        """Take what has come; false at its end."""
        try:
            data = way.source.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            data = b''
        if not data:
            return False
        way.read += data
        while not self.cut:
            message = way.take()
            if message is None:
                break
            self.pass_on(way, message)
        return True

    def pass_on(self, way, message):
        what = self.proxy.fault(self.number, way.name, way.count, message)
        self.seen[way.name].append(message[:1] if way.tagged and
                                   message[:1] != b'\0' else b'')
        way.count += 1
        if isinstance(what, Cut):
            n = len(message) if what.passes < 0 else what.passes
            self.cut, self.cut_way = what, way.name
            self.proxy.frozen |= isinstance(what, Freeze) and not what.alone
            self.proxy.refuses |= what.away
            self.proxy.hit.set()
            if n:
                way.put(message[:n])
        elif isinstance(what, Delay):
            way.put(message, time.monotonic() + what.seconds)
        else:
            way.put(message)

    def flush(self, way, now):
        try:
            while way.out and way.out[0][0] <= now:
                data = way.out[0][1]
                if self.proxy.piece:
                    data = data[:self.proxy.piece]
                n = way.target.send(data)
                way.out[0][1] = way.out[0][1][n:]
                if not way.out[0][1]:
                    del way.out[0]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            way.out.clear()

    def drain(self, way):
        """One side has ended: the other gets the rest, then the end."""
        end = time.monotonic() + 20
        while way.out and time.monotonic() < end:
            self.flush(way, time.monotonic())
            if way.out:
                time.sleep(0.001)
        return True

    # ---- the end

    def stop_here(self):
        if isinstance(self.cut, Freeze):
            self.stay()
        elif self.cut.rst:
            for s in (self.client, self.server):
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack('ii', 1, 0))

    def stay(self):
        self.proxy.melted.wait()

    def hang_up(self):
        for s in (self.client, self.server):
            if s:
                try:
                    s.close()
                except OSError:
                    pass


class Proxy(Relay):
    """fault(session, way, k, message) says what becomes of message k, from 0,
    of that way ('front' is the client's): None passes it on.  tls is the
    context of a server.  piece is how many bytes are sent at a time.  target
    is a port, or the path of a socket; listener one that is made already."""

    def __init__(self, target, fault=lambda *_: None, tls=None, piece=0,
                 listener=None):
        self.fault, self.tls, self.piece = fault, tls, piece
        self.frozen = False
        self.refuses = False        # whoever comes now
        self.hit, self.melted = threading.Event(), threading.Event()
        self.sessions = []
        super().__init__(target, listener)

    def dial(self):
        if isinstance(self.target, str):
            s = socket.socket(socket.AF_UNIX)
            s.connect(self.target)
            return s
        s = socket.create_connection(('127.0.0.1', self.target))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def join(self, client):
        if self.refuses:
            client.close()
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sessions.append(Session(self, client, len(self.sessions)))
        self.sessions[-1].start()

    def seen(self):
        """For each session, the tags that came of each way."""
        return [s.seen for s in self.sessions]

    def melt(self):
        """What was frozen is cut, and whoever comes now is served."""
        self.frozen = False
        self.melted.set()

    def close(self):
        self.melt()
        super().close()
        for session in self.sessions:
            hang_up(*(s for s in (session.client, session.server) if s))
        for session in self.sessions:
            session.join(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def is_cancel(message):
    """The start packet that asks to cancel."""
    return len(message) == 16 and \
        struct.unpack('>I', message[4:8])[0] == CANCEL_REQUEST


def server_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(['postgresql'])
    return context
