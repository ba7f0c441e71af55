# SPDX-License-Identifier: MIT
"""The proxy that is far away (tests/bench/delay.c): it delays, in order, and
counts round trips, and takes as much as comes."""
import os
import socket
import subprocess
import sys
import threading
import time

from harness import check, skip, verdict

PROGRAM = os.path.abspath('tests/bench/delay')
MS = 250    # in each direction; more than a busy machine makes of nothing
if not os.access(PROGRAM, os.X_OK):
    skip('no program to test: ' + PROGRAM)


def echo(client):
    """Every line comes back."""
    with client, client.makefile('rb') as lines:
        for line in lines:
            client.sendall(line)


def serve():
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=echo, args=(client,), daemon=True).start()


def read(sock, n):
    got = b''
    while len(got) < n:
        part = sock.recv(min(n - len(got), 1 << 20))
        if not part:
            break
        got += part
    return got


def counted():
    """What is said of a connection that has come to its end."""
    check('a connection is taken', '+\n', proxy.stdout.readline())
    return list(map(int, proxy.stdout.readline().split()))


listener = socket.create_server(('127.0.0.1', 0))
threading.Thread(target=serve, daemon=True).start()
proxy = subprocess.Popen(
    [PROGRAM, str(listener.getsockname()[1]), str(MS)], text=True,
    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
at = ('127.0.0.1', int(proxy.stdout.readline()))

with socket.create_connection(at) as s:
    start = time.monotonic()
    for i in range(3):
        s.sendall(b'%d\n' % i)
        check('an answer comes back', b'%d\n' % i, read(s, 2))
    took = time.monotonic() - start
check('connecting and three answers take four round trips', True,
      took >= 4 * 2 * MS / 1000)
check('... and are counted', [4, 6, 6], counted())

with socket.create_connection(at) as s:
    for i in range(10):
        s.sendall(b'%d\n' % i)
    check('what is sent ahead comes in order', b''.join(
        b'%d\n' % i for i in range(10)), read(s, 20))
check('... and is one round trip', [2, 20, 20], counted())

with socket.create_connection(at) as s:
    sent = b''.join(b'%07d\n' % i for i in range(4 << 20))
    threading.Thread(target=s.sendall, args=(sent,), daemon=True).start()
    start = time.monotonic()
    check('32 MiB come back as they were', True, read(s, len(sent)) == sent)
    took = time.monotonic() - start
check('... and not 64 KiB in each round trip', True,
      took < len(sent) / 65536 * 2 * MS / 1000)
check('... and all are counted', [len(sent)] * 2, counted()[1:])

gone = socket.create_connection(at)
gone.sendall(b'1\n')
gone.close()
check('who does not wait for an answer has not had one', 1, counted()[0])

listener.shutdown(socket.SHUT_RDWR)
listener.close()
with socket.create_connection(at) as s:
    check('where no server is, the connection is closed', b'', read(s, 1))
proxy.stdin.close()
check('it ends with its input', 0, proxy.wait(20))
sys.exit(verdict())
