# SPDX-License-Identifier: MIT
"""A session of the superuser by the Unix socket: a query costs a millisecond,
where psql takes ten to start."""
import os
import socket
import struct


class Ended(RuntimeError):
    """The server said good-bye, or does not take anybody now."""


class Talk:
    def __init__(self, server, db='postgres', user='postgres'):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(os.path.join(server.dir, '.s.PGSQL.%d' %
                                       server.port))
        self.stream = self.sock.makefile('rb')
        start = struct.pack('>I', 196608) + b'user\0' + user.encode() + \
            b'\0database\0' + db.encode() + b'\0client_encoding\0UTF8\0\0'
        self.sock.sendall(struct.pack('>I', len(start) + 4) + start)
        self.answer()

    def message(self):
        head = self.stream.read(5)
        if len(head) < 5:
            raise OSError('the server has hung up')
        return head[:1], self.stream.read(
            struct.unpack('>I', head[1:])[0] - 4)

    def answer(self):
        """Rows, up to the end; what failed is raised there."""
        rows, failed = [], None
        while True:
            tag, body = self.message()
            if tag == b'D':
                rows.append(tuple(self.values(body)))
            elif tag == b'E':
                fields = dict((f[:1], f[1:].decode('utf-8', 'replace'))
                              for f in body.split(b'\0') if f)
                text = '%s: %s' % (fields[b'C'], fields[b'M'])
                if fields[b'S'] != 'ERROR':
                    raise Ended(text)
                failed = RuntimeError(text)
            elif tag == b'Z':
                if failed:
                    raise failed
                return rows

    @staticmethod
    def values(body):
        at = 2
        while at < len(body):
            n, = struct.unpack('>i', body[at:at + 4])
            at += 4
            yield None if n < 0 else body[at:at + n].decode('latin-1')
            at += max(n, 0)

    def __call__(self, sql):
        """A query's rows, each a tuple of text."""
        text = sql.encode() + b'\0'
        self.sock.sendall(b'Q' + struct.pack('>I', len(text) + 4) + text)
        return self.answer()

    def close(self):
        self.stream.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
