# SPDX-License-Identifier: MIT
"""A proxy that cuts a connection at one message, counted from its start."""
import struct

from relay import Relay, hang_up


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


class Cutter(Relay):
    """Stands before a real server; clients must not ask for TLS.

    at is (which connection, 'front' or 'back', which message of that way), all
    from 0: that message does not pass, and neither does anything after it.  Or
    it is a function of (connection, way, message) that says whether it is that.
    first() is called before the client can notice; with cuts=False that is all,
    and the message passes.  seen[i] has, for each connection, what passed of
    each way, by tag.
    """

    def __init__(self, port, at=None, first=lambda: None, cuts=True):
        self.at, self.first, self.cuts = at, first, cuts
        self.seen = []
        self.was_cut = False
        super().__init__(port)

    def begin(self, client, server):
        self.seen.append({'front': [], 'back': []})
        return len(self.seen) - 1

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
        hang_up(a, b)
