# SPDX-License-Identifier: MIT
"""A `mizzle serve` for tests: requests to it, and all that it ever said."""
import atexit
import json
import os
import re
import signal
import socket
import ssl
import threading
import time

from harness import Result, check, start, wait_for, workdir

BASE = '/api/admin/migrate'
SECURITY = {
    'cache-control': 'no-store', 'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': "default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
_count = 0
received = []       # all bytes of all answers, to be searched
servings = []


class Answer:
    """One answer; data is its body, chunks put together."""

    def __init__(self, status, headers, data, raw):
        self.status, self.headers, self.data = status, headers, data
        self.raw = raw

    def __str__(self):
        return '%s %s\n%s' % (self.status, self.headers,
                              self.data.decode('utf-8', 'replace')[:2000])

    def json(self):
        try:
            return json.loads(self.data)
        except ValueError:
            return {}

    @property
    def error(self):
        return self.json().get('error') or {}

    @property
    def code(self):
        return self.error.get('code')


class Broken(Exception):
    """The peer has closed in the midst of an answer, or says no HTTP."""


class Wire:
    """A connection, read with a buffer."""

    def __init__(self, where, tls=None, timeout=60):
        if isinstance(where, str):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(where)
        else:
            self.sock = socket.create_connection(('127.0.0.1', where),
                                                 timeout)
        if tls:
            self.sock = tls.wrap_socket(self.sock,
                                        server_hostname='localhost')
        self.buffer = b''

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def more(self):
        """False at the end."""
        try:
            part = self.sock.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            part = b''
        self.buffer += part
        received.append(part)
        return bool(part)

    def until(self, mark):
        while mark not in self.buffer:
            if not self.more():
                raise Broken(self.buffer)
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def take(self, n):
        while len(self.buffer) < n:
            if not self.more():
                raise Broken(self.buffer)
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def rest(self):
        while self.more():
            pass
        data, self.buffer = self.buffer, b''
        return data

    def head(self):
        """The status and the headers of an answer."""
        raw = self.until(b'\r\n\r\n')
        first, *lines = raw.split(b'\r\n')
        found = re.match(rb'HTTP/1\.[01] (\d{3}) ', first)
        if not found:
            raise Broken(raw)
        headers = {}
        for line in lines:
            name, value = line.decode('latin-1').split(':', 1)
            name = name.lower()
            if name in headers:
                raise Broken('%s twice: %r' % (name, raw))
            headers[name] = value.strip()
        return int(found[1]), headers, raw

    def chunk(self):
        """One chunk; empty at the end."""
        n = int(self.until(b'\r\n'), 16)
        data = self.take(n)
        if self.take(2) != b'\r\n':
            raise Broken('a chunk without its end')
        return data

    def answer(self, method='GET'):
        status, headers, raw = self.head()
        data = b''
        if method == 'HEAD':
            pass
        elif headers.get('transfer-encoding') == 'chunked':
            while True:
                part = self.chunk()
                if not part:
                    break
                data += part
        elif 'content-length' in headers:
            data = self.take(int(headers['content-length']))
        else:
            data = self.rest()
        return Answer(status, headers, data, raw)

    def closed(self, seconds=60):
        """Whether it is closed within that time; what comes is thrown away."""
        self.sock.settimeout(seconds)
        try:
            self.rest()
        except (TimeoutError, socket.timeout):
            return False
        except OSError:
            pass
        return True

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def lines_of(method, path, headers=None, body=None, host='localhost'):
    """The bytes of a request."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    all_headers = {'Host': host}
    if body is not None:
        all_headers['Content-Type'] = 'application/json'
        all_headers['Content-Length'] = str(len(body))
    all_headers.update(headers or {})
    text = '%s %s HTTP/1.1\r\n' % (method, path) + ''.join(
        '%s: %s\r\n' % (k, v) for k, v in all_headers.items()
        if v is not None) + '\r\n'
    return text.encode('latin-1') + (body or b'')


class Stream:
    """Events of an answer, in a thread of its own."""

    def __init__(self, wire):
        self.wire = wire
        self.status, self.headers, _ = wire.head()
        self.events = []        # (id, kind, data)
        self.beats = 0
        self.ended = False      # properly, by the last chunk
        self.rest = b''
        self.thread = threading.Thread(target=self.run, daemon=True)
        if self.status == 200:
            self.thread.start()

    def run(self):
        text = b''
        try:
            while True:
                part = self.wire.chunk()
                if not part:
                    self.ended = True
                    break
                text += part
                while b'\n\n' in text:
                    piece, text = text.split(b'\n\n', 1)
                    self.take(piece.decode())
        except (Broken, OSError, ValueError):
            pass
        self.rest = text

    def take(self, piece):
        if piece.startswith(':'):
            self.beats += 1
            return
        fields = dict(line.split(': ', 1) for line in piece.split('\n'))
        self.events.append((int(fields['id']), fields['event'],
                            json.loads(fields['data'])))

    def kinds(self):
        return [kind for _, kind, _ in self.events]

    def data(self, kind):
        return [data for _, k, data in self.events if k == kind]

    def heard(self, kind, n=1, seconds=60):
        return wait_for(lambda: self.kinds().count(kind) >= n, seconds)

    def end(self, seconds=60):
        self.thread.join(seconds)
        return self.ended

    def close(self):
        """As a client that goes away."""
        try:
            self.wire.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(60)
        self.wire.close()


class Serving:
    """The program; what it says goes to files, so that it never waits."""

    def __init__(self, server, db, where, *args, env=None, prefix=(),
                 listen='127.0.0.1:0', url=None, tls=None, secret=None,
                 ready=True, base=BASE, command=('serve',), **more):
        global _count
        _count += 1
        self.secret, self.tls, self.base = secret, tls, base
        self.files = [os.path.join(workdir(), 'serve%d.%s' % (_count, kind))
                      for kind in ('out', 'err')]
        options = [*command, '--listen', listen, *args]
        if where:
            options += ['--dir', where]
        options += ['--url', url or server.url(db)]
        with open(self.files[0], 'wb') as out, \
                open(self.files[1], 'wb') as err:
            self.process = start(*options, env=env, prefix=prefix, stdout=out,
                                 stderr=err, **more)
        servings.append(self)
        atexit.register(self.kill)
        self.where = None
        if ready:
            self.find(listen)

    def find(self, listen):
        """Where it listens, once it does."""
        if listen.startswith('unix:'):
            self.where = listen[5:]
            known = wait_for(lambda: 'serving ' in self.log() or
                             self.process.poll() is not None)
        else:
            known = wait_for(lambda: self.port() or
                             self.process.poll() is not None)
            self.where = self.port()
        if not known or self.process.poll() is not None:
            check('it serves', True, self.log())

    def port(self):
        found = re.search(r'serving https?://[^ ]*:(\d+)/', self.log())
        return int(found[1]) if found else None

    def out(self):
        return self.read(0)

    def err(self):
        return self.read(1)

    def log(self):
        """What it tells people, or with --json machines."""
        return self.read(1) + self.read(0)

    def read(self, which):
        with open(self.files[which], 'rb') as f:
            return f.read().decode('utf-8', 'replace')

    def wire(self, **more):
        return Wire(self.where, self.tls, **more)

    def headers(self, headers, secret):
        found = {}
        secret = self.secret if secret is None else secret
        if secret:
            found['Authorization'] = 'Bearer ' + secret
        found.update(headers or {})
        return found

    def ask(self, method, path, body=None, headers=None, secret=None,
            host='localhost', wire=None, timeout=60):
        """path is that behind the base when it does not begin with /."""
        if not path.startswith('/'):
            path = self.base + ('/' if path and path[0] != '?' else '') + path
        found = {**self.headers(headers, secret)}
        if not wire:
            found['Connection'] = 'close'
        w = wire or self.wire(timeout=timeout)
        try:
            w.send(lines_of(method, path, found, body, host))
            return w.answer(method)
        finally:
            if not wire:
                w.close()

    def get(self, path='status', **more):
        return self.ask('GET', path, **more)

    def post(self, body=None, **more):
        return self.ask('POST', '', body, **more)

    def stream(self, method='GET', path='events', body=None, headers=None,
               secret=None):
        wire = self.wire()
        found = {'Accept': 'text/event-stream',
                 **self.headers(headers, secret)}
        wire.send(lines_of(method, self.base + ('/' + path if path else ''),
                           found, body))
        return Stream(wire)

    def running(self):
        return self.get('status').json().get('running')

    def memory(self, what='VmRSS'):
        with open('/proc/%d/status' % self.process.pid,
                  encoding='ascii') as f:
            for line in f:
                if line.startswith(what + ':'):
                    return int(line.split()[1])
        return 0

    def descriptors(self):
        return len(os.listdir('/proc/%d/fd' % self.process.pid))

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, seconds=60):
        try:
            status = self.process.wait(seconds)
        except Exception:       # it is killed, and that is told
            self.process.kill()
            self.process.wait()
            status = 'timeout'
        return Result(status, self.out(), self.err())

    def kill(self):
        """A test that fails must not leave it behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self, want=0):
        """SIGTERM while nothing runs."""
        self.signal()
        got = self.wait()
        check('it ends when it is told to', want, got.status) or print(
            got.err[-3000:])
        return got


def at_once(n, act):
    """act(i) in n threads that begin together; what each gave, or raised."""
    results = [None] * n
    gate = threading.Barrier(n)

    def one(i):
        gate.wait()
        try:
            results[i] = act(i)
        except Exception as e:      # told by whoever looks at it
            results[i] = e
    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


def secure(what, answer):
    """Every answer has the headers that keep browsers in bounds."""
    for name, value in SECURITY.items():
        if answer.headers.get(name) != value:
            return check('%s: %s' % (what, name), value,
                         answer.headers.get(name))
    return True


def leaked(*secrets):
    """Those of them that were in any answer or in any log."""
    text = b''.join(received)
    for s in servings:
        text += (s.out() + s.err()).encode()
    return [s for s in secrets if s.encode() in text]


def until(moment):
    time.sleep(max(0, moment - time.monotonic()))
