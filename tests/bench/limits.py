# SPDX-License-Identifier: MIT
"""What nobody can be quicker than: the server alone, and a hash alone."""
import hashlib
import os
import re
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import BREAK
from costs import measured


def ready(read):
    """The messages up to ReadyForQuery; an error is one of Python's."""
    while True:
        kind, size = struct.unpack('!cI', exactly(read, 5))
        body = exactly(read, size - 4)
        if kind == b'E':
            raise RuntimeError(body.replace(b'\0', b' ').decode(
                'utf-8', 'replace'))
        if kind == b'Z':
            return


def exactly(read, n):
    got = read(n)
    if len(got) != n:
        raise RuntimeError('the server is gone')
    return got


def in_one_message(texts):
    """The SQL of a folder, as one Query: in the server that is a transaction."""
    sql = b'\n;\n'.join(re.sub(BREAK.encode(), b'', t) for t in texts) + b'\0'
    return b'Q' + struct.pack('!I', len(sql) + 4) + sql


def server_alone(server, db, texts):
    """{'ms'} from when a session that is open and waits is sent all, in one
    message, to when it waits again; over the socket."""
    message = in_one_message(texts)
    hello = b'user\0tester\0database\0' + db.encode() + b'\0\0'
    with socket.socket(socket.AF_UNIX) as s:
        s.connect('%s/.s.PGSQL.%d' % (server.dir, server.port))
        read = s.makefile('rb').read
        try:
            s.sendall(struct.pack('!II', len(hello) + 8, 196608) + hello)
            ready(read)
            start = time.perf_counter()
            s.sendall(message)
            ready(read)
        except (OSError, RuntimeError) as e:
            return {'failed': str(e)[:200]}
        return {'ms': (time.perf_counter() - start) * 1000}


def hashing(texts):
    """{'ms', 'cpu_ms'} of SHA-256 alone, when all has been read already."""
    texts = list(texts)
    start, cpu = time.perf_counter(), time.process_time()
    for text in texts:
        hashlib.sha256(text).digest()
    return {'ms': (time.perf_counter() - start) * 1000,
            'cpu_ms': (time.process_time() - cpu) * 1000}


def sha256sum(files):
    return measured(['/usr/bin/sha256sum', *files], {})


def demanded(world, direct=False):
    """How many round trips the protocol wants before anything can be known,
    and for one question: connect, TLS asked for and agreed on, login, SCRAM
    twice, the question."""
    kind = re.match('[a-z]+', world).group()
    trips = {'socket': 2, 'tcp': 5, 'tls': 7}[kind]
    return trips - 1 if direct else trips
