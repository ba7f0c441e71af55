# SPDX-License-Identifier: MIT
"""A proxy that cuts a connection at one message, counted from its start."""
import socket
import struct
import threading


def messages(stream, tagged):
    """Whole messages, as they come; what is cut short is not passed on."""
    while True:
        head = stream.read(5 if tagged else 4)
        if len(head) < (5 if tagged else 4):
            return
        length, = struct.unpack('>I', head[-4:])
        body = stream.read(length - 4)
        if len(body) < length - 4:
            return
        yield head + body
        tagged = True   # only the first one of a client has no tag


class Cutter:
    """Stands before a real server; clients must not ask for TLS.

    at is (which connection, 'front' or 'back', which message of that way), all
    from 0: that message does not pass, and neither does anything after it.  Or
    it is a function of (connection, way, message) that says whether it is that.
    first() is called before the client can notice; with cuts=False that is all,
    and the message passes.  seen[i] has, for each
    connection, what passed of each way, by tag.
    """

    def __init__(self, port, at=None, first=lambda: None, cuts=True):
        self.target, self.at, self.first = port, at, first
        self.cuts = cuts
        self.seen = []
        self.was_cut = False
        self.listener = socket.socket()
        self.listener.bind(('127.0.0.1', 0))
        self.listener.listen(50)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(('127.0.0.1', self.target))
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = len(self.seen)
            self.seen.append({'front': [], 'back': []})
            for way, a, b in (('front', client, server),
                              ('back', server, client)):
                threading.Thread(target=self.copy, daemon=True,
                                 args=(number, way, a, b)).start()

    def is_it(self, number, way, k, one):
        return self.at(number, way, one) if callable(self.at) else \
            self.at == (number, way, k)

    def copy(self, number, way, a, b):
        passed = self.seen[number][way]
        try:
            for one in messages(a.makefile('rb'), way == 'back'):
                if self.is_it(number, way, len(passed), one):
                    self.was_cut = True
                    self.first()
                    if self.cuts:
                        break
                passed.append(one[:1] if one[0] else b'')
                b.sendall(one)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
