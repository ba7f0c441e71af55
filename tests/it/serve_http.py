# SPDX-License-Identifier: MIT
"""HTTP that `mizzle serve` must not mind: slow, too large, malformed,
smuggled, pipelined, given up; and mutated at random, with LONG=1 for ten
minutes, with FUZZ_SECONDS for so long and nothing else."""
import os
import random
import socket
import sys
import threading
import time

from harness import (LONG, Server, check, journal, needs_program, newdir, note,
                     verdict)
from misbehave import sanitized
from serveworld import (BASE, Broken, Serving, lines_of, secure)

needs_program()
server = Server('autovacuum=off')
server.fresh('h')
WHERE = journal(newdir('http'), [
    ('%04d_a' % i, 'CREATE TABLE t%d (id int);' % i) for i in range(5)])
HOST = b'Host: localhost\r\n'
OK = b'GET /healthz HTTP/1.1\r\n' + HOST + b'\r\n'


def lives(s):
    return s.get('/healthz').status


def answers(s, data, half=False):
    """The statuses of all answers to these bytes, until it closes; a request
    for it to close is added by those that want it."""
    found = []
    with s.wire(timeout=30) as w:
        try:
            w.send(data)
            if half:
                w.sock.shutdown(socket.SHUT_WR)
            while True:
                found.append(w.answer().status)
        except (Broken, OSError, ValueError):
            pass
        if w.buffer:
            found.append(w.buffer[:60])
    return found


CLOSE = b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'


# ---- slow and large

def slow(s):
    """A byte a second comes to nothing; all at a time, which takes a while."""
    def drip(data, took):
        with s.wire(timeout=60) as w:
            began = time.monotonic()
            try:
                for byte in data * 100:
                    w.send(bytes([byte]))
                    w.sock.settimeout(0.8)
                    try:
                        if not w.more():
                            break
                    except (TimeoutError, socket.timeout):
                        pass
                    if time.monotonic() - began > 60:
                        break
            except OSError:
                pass
            took.append(time.monotonic() - began)
    took = [[] for _ in range(5)]
    bodies = (b'GET /healthz HTTP/1.1\r\nX: ',
              b'GET /healthz HTTP/1.1\r\n' + HOST + b'X-Y: 1\r\n',
              b'POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000'
              b'\r\n\r\n' % BASE.encode(), b'GET /' + b'a' * 100)
    threads = [threading.Thread(target=drip, args=(b, took[i]))
               for i, b in enumerate(bodies)]

    def idle():
        with s.wire(timeout=60) as w:
            began = time.monotonic()
            w.closed()
            took[4].append(time.monotonic() - began)
    threads.append(threading.Thread(target=idle))

    def kept():
        with s.wire(timeout=60) as w:
            w.send(OK).answer()
            began = time.monotonic()
            w.closed()
            took.append([time.monotonic() - began])
    threads.append(threading.Thread(target=kept))
    for t in threads:
        t.start()
    check('while slow ones are there, others are served', 200, lives(s))
    for t in threads:
        t.join()
    check('slow ones are sent away after some 15 s', [], [
        t for t in took if not 10 < t[0] < 40])


def large(s):
    for what, data, want in (
            ('a long target', b'GET /' + b'a' * 15000 + b' HTTP/1.1\r\n' +
             HOST + b'\r\n' + CLOSE, [404, 200]),
            ('too long a target', b'GET /' + b'a' * 17000 + b' HTTP/1.1\r\n' +
             HOST + b'\r\n' + CLOSE, [400]),
            ('large headers', b'GET /healthz HTTP/1.1\r\n' + HOST + b'X: ' +
             b'a' * 15000 + b'\r\n\r\n' + CLOSE, [200, 200]),
            ('too large headers', b'GET /healthz HTTP/1.1\r\n' + HOST + b'X: '
             + b'a' * 17000 + b'\r\n\r\n' + CLOSE, [400]),
            ('too many headers', b'GET /healthz HTTP/1.1\r\n' + HOST +
             b'X: a\r\n' * 6000 + b'\r\n' + CLOSE, [400]),
            ('a header without an end', b'GET /healthz HTTP/1.1\r\n' + HOST +
             b'X: ' + b'a' * 1000000, [400]),
            ('no line at all', b'a' * 1000000, [400]),
            ('a large body', lines_of('POST', BASE, body=b' ' * 65536) +
             CLOSE, [400, 200])):
        got = answers(s, data)
        # what it did not read may take the answer away
        check(what, True, got == want or (want == [400] and got == [])) or \
            note(got)
    for n in 65537, 1 << 20, 1 << 31, 1 << 62:
        got = answers(s, lines_of('POST', BASE, {'Content-Length': str(n)}) +
                      b'x' * 70000)
        check('too large a body: %d' % n, True, got in ([413], [])) or \
            note(got)
    got = answers(s, lines_of('POST', BASE, {'Content-Length': str(1 << 20)}))
    check('told before it comes', [413], got)
    chunk = b'%x\r\n' % 32768 + b'x' * 32768 + b'\r\n'
    got = answers(s, lines_of('POST', BASE, {
        'Transfer-Encoding': 'chunked'}) + chunk * 30)
    check('too large in chunks', True, got in ([413], [])) or note(got)
    got = answers(s, lines_of('POST', BASE, {
        'Transfer-Encoding': 'chunked'}) + b'7fffffff\r\n' + b'x' * 100000)
    check('too large a chunk', True, got in ([413], [])) or note(got)


# ---- where a request ends, and whom it is for

def lengths(s):
    post = b'POST %s HTTP/1.1\r\nHost: localhost\r\n' % BASE.encode()
    body = b'{"dry_run":true}'
    chunked = b'10\r\n' + body + b'\r\n0\r\n\r\n'
    long = b'Content-Length: 16\r\n'
    coding = b'Transfer-Encoding: chunked\r\n'
    # (what, bytes, the statuses): a request that is not clear is the last
    cases = [
        ('a body', post + long + b'\r\n' + body, [200, 200]),
        ('chunks', post + coding + b'\r\n' + chunked, [200, 200]),
        ('chunks, byte by byte', post + coding + b'\r\n' + b''.join(
            b'1\r\n%c\r\n' % c for c in body) + b'0\r\n\r\n', [200, 200]),
        ('an extension of a chunk', post + coding + b'\r\n10;a=b\r\n' + body +
         b'\r\n0\r\n\r\n', None),
        ('a trailer', post + coding + b'\r\n10\r\n' + body +
         b'\r\n0\r\nX: y\r\n\r\n', None),
        ('both', post + long + coding + b'\r\n' + chunked, [400]),
        ('both, turned', post + coding + long + b'\r\n' + chunked, [400]),
        ('another coding', post + b'Transfer-Encoding: gzip, chunked\r\n\r\n'
         + chunked, [400]),
        ('identity', post + b'Transfer-Encoding: identity\r\n' + long +
         b'\r\n' + body, [400]),
        ('a coding like it', post + b'Transfer-Encoding: xchunked\r\n\r\n' +
         chunked, [400]),
        ('a coding twice', post + coding + coding + b'\r\n' + chunked, [400]),
        ('a length twice', post + long + long + b'\r\n' + body, [400]),
        ('two lengths', post + long + b'Content-Length: 3\r\n\r\n' + body,
         [400]),
        ('two in one', post + b'Content-Length: 16, 16\r\n\r\n' + body,
         [400]),
        ('a negative one', post + b'Content-Length: -1\r\n\r\n' + body,
         [400]),
        ('one that is none', post + b'Content-Length: x\r\n\r\n' + body,
         [400]),
        ('an empty one', post + b'Content-Length:\r\n\r\n' + body, [400]),
        ('a hexadecimal one', post + b'Content-Length: 0x10\r\n\r\n' + body,
         [400]),
        ('one that overflows', post + b'Content-Length: '
         b'99999999999999999999\r\n\r\n' + body, None),
        ('a blank before the colon', post + b'Content-Length : 16\r\n\r\n' +
         body, [400]),
        ('a line that is no header', post + b'nonsense\r\n\r\n', [400]),
        ('a header without a name', post + b': x\r\n\r\n', [400]),
        ('two hosts', b'GET /healthz HTTP/1.1\r\n' + HOST +
         b'Host: example.org\r\n\r\n', [400]),
        ('no host', b'GET /healthz HTTP/1.1\r\n\r\n', [400]),
        ('no host, 1.0', b'GET /healthz HTTP/1.0\r\n\r\n', [403]),
        ('two secrets', b'GET /healthz HTTP/1.1\r\n' + HOST +
         b'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n',
         [400]),
        ('a length of chunks that is none', post + coding + b'\r\nxyz\r\n' +
         body, None),
        ('a negative chunk', post + coding + b'\r\n-1\r\n' + body, None),
    ]
    for what, data, want in cases:
        got = answers(s, data + CLOSE)
        if want is None:    # libevent's affair, but it must be an answer
            check(what, True, got != [] and all(
                isinstance(x, int) and x < 500 for x in got)) or note(got)
        else:
            check(what, want, got)


def lines(s):
    for what, data, want in (
            ('HTTP/1.0', b'GET /healthz HTTP/1.0\r\n' + HOST + b'\r\n',
             [200]),
            ('HTTP/1.0 that is kept', b'GET /healthz HTTP/1.0\r\n' + HOST +
             b'Connection: keep-alive\r\n\r\n' + CLOSE, [200, 200]),
            ('HTTP/2.0', b'GET /healthz HTTP/2.0\r\n' + HOST + b'\r\n',
             [400]),
            ('HTTP/0.9', b'GET /healthz\r\n', [400]),
            ('HTTP/-1.1', b'GET /healthz HTTP/-1.1\r\n' + HOST + b'\r\n',
             [400]),
            ('HTTP/1.-1', b'GET /healthz HTTP/1.-1\r\n' + HOST + b'\r\n',
             [400]),
            ('HTTP/0.1 with two hosts', b'GET /healthz HTTP/0.1\r\n' + HOST +
             HOST + b'\r\n', [400]),
            ('HTTP/2, as it begins', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
             [400]),
            ('another program', b'SSH-2.0-OpenSSH_9.2\r\n', [400]),
            ('nothing but an end', b'\r\n', [400]),
            ('bytes', bytes(range(256)) * 3, [400]),
            ('CONNECT', b'CONNECT localhost:80 HTTP/1.1\r\n' + HOST +
             b'\r\n', [501]),
            ('a method of nobody', b'BREW /healthz HTTP/1.1\r\n' + HOST +
             b'\r\n', [501]),
            ('a method in small letters', b'get /healthz HTTP/1.1\r\n' + HOST
             + b'\r\n', [501]),
            ('OPTIONS *', b'OPTIONS * HTTP/1.1\r\n' + HOST + b'\r\n' + CLOSE,
             [404, 200]),
            ('an absolute target', b'GET http://localhost/healthz HTTP/1.1'
             b'\r\n' + HOST + b'\r\n' + CLOSE, [200]),
            ('one that is no URL', b'GET http://[ HTTP/1.1\r\n' + HOST +
             b'\r\n', [400]),
            ('Expect', lines_of('POST', BASE, {'Expect': '100-continue'},
                                {'dry_run': True}) + CLOSE, [200, 200]),
            ('Expect something else', lines_of('POST', BASE, {
                'Expect': 'x'}, {'dry_run': True}), [417]),
            ('line feeds alone', b'GET /healthz HTTP/1.1\nHost: localhost\n\n'
             + CLOSE, [200, 200]),
            ('a header that goes on', b'GET /healthz HTTP/1.1\r\n' + HOST +
             b'X: a\r\n b\r\n\r\n' + CLOSE, [200, 200])):
        got = answers(s, data)
        check(what, want, got)
    for path, want in (('/%68ealthz', 200), ('/healthz%00', 400),
                       ('/healthz%2500', 404), ('/./healthz', 404),
                       (BASE + '/../../healthz', 404), ('/%', 404),
                       ('/%zz', 404), ('/\u00e9', 404), ('/%c3%a9', 404),
                       ('/%ff%fe', 404), ('//', 404), ('/healthz?', 200),
                       ('/healthz?x=%00', 400), ('/healthz?' + 'a=b&' * 3000,
                                                 200),
                       ('/healthz#x', 200), ('/healthz;x', 404),
                       ('/api%2fadmin%2fmigrate', 200),
                       (BASE + '/plan?to=%0d%0aX:%20y', 422),
                       (BASE + '?to&transaction', 200)):
        got = s.get(path)
        check('the path %.40s' % path, want, got.status)
        if want != 501:
            secure(path[:40], got)


def pipelined(s):
    with s.wire() as w:
        w.send(OK * 10)
        check('ten in one packet', [200] * 10, [w.answer().status
                                                for _ in range(10)])
        requests = [lines_of('GET', BASE + '/status'), OK,
                    lines_of('POST', BASE, body={'dry_run': True}),
                    lines_of('HEAD', BASE + '/status'),
                    lines_of('GET', '/nothing'), lines_of('HEAD', '/nothing'),
                    lines_of('GET', BASE + '/plan'),
                    lines_of('GET', BASE + '?page.js')]
        w.send(b''.join(requests) * 3)
        check('in their order', [200, 200, 200, 200, 404, 404, 200, 200] * 3, [
            w.answer(r[:4].decode().strip()).status for r in requests * 3])
        for _ in range(100):
            w.send(OK)
            w.answer()
        check('and it goes on', 200, w.send(OK).answer().status)
    with s.wire() as w:
        w.send(lines_of('POST', BASE, {'Accept': 'text/event-stream'}) + OK)
        got = w.answer()
        check('behind a stream', (200, True, 200), (
            got.status, b'event: result' in got.data, w.answer().status))
    with s.wire() as w:
        data = OK * 2
        for byte in data:
            w.send(bytes([byte]))
        check('byte by byte', [200, 200], [w.answer().status, w.answer(
            ).status])
    # what follows an endless stream is not read for ever
    before = s.memory()
    with s.wire() as w:
        w.send(lines_of('GET', BASE + '/events'))
        w.head()
        w.sock.settimeout(1)
        sent = 0
        try:
            while sent < 200 << 20:
                sent += w.sock.send(OK * 2000)
        except OSError:
            pass
        check('what comes behind a stream is not kept', True,
              s.memory() < before + 8192) or note((before, s.memory(), sent))
    # answers that nobody reads
    with s.wire() as w:
        w.sock.settimeout(1)
        try:
            for _ in range(2000):
                w.sock.sendall(lines_of('GET', BASE + '?page.js') * 20)
        except OSError:
            pass
        check('nor are answers that nobody takes', True,
              s.memory() < before + 8192) or note((before, s.memory()))
    check('it lives', 200, lives(s))


def half_closed(s):
    for path in '/healthz', BASE + '/status', BASE + '/events':
        got = answers(s, lines_of('GET', path, {'Connection': 'close'}),
                      half=True)
        check('half closed: %s' % path, True, got in ([200], [])) or note(got)
    check('it lives', 200, lives(s))


def given_up(s):
    import struct
    before = s.descriptors()
    for i in range(100):
        for path in (BASE + '/status', BASE + '/events', '/metrics',
                     '/healthz', BASE + '?page.js'):
            w = s.wire()
            w.send(lines_of('GET', path)[:-1 if i % 5 == 0 else None])
            if i % 2:   # with a reset
                w.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack('ii', 1, 0))
            w.close()
    check('given up: it lives', 200, lives(s))
    from harness import wait_for
    check('given up: nothing is left', True, wait_for(
        lambda: s.descriptors() <= before + 2)) or note(
            (before, s.descriptors()))


# ---- at random

WORDS = [b'GET', b'POST', b'HEAD', b'PUT', b' HTTP/1.1', b' HTTP/1.0',
         b'\r\n', b'\n', b'\r\n\r\n', b': ', b'Host', b'localhost',
         b'Content-Length', b'Transfer-Encoding', b'chunked', b'0\r\n\r\n',
         b'Connection: close\r\n', b'Connection: keep-alive\r\n',
         b'Expect: 100-continue\r\n', b'Accept: text/event-stream\r\n',
         b'Accept: text/html\r\n', b'Authorization: Bearer x\r\n',
         b'Last-Event-ID: 3\r\n', b'Origin: null\r\n', b'%00', b'%2f', b'..',
         b'?', b'&', b'=', b'#', b'\0', b'\xff', b'-1', b'99999999999999999',
         b'{"to":"x"}', b'{"dry_run":true}', b'[' * 50, b'"', b'\\u0000',
         b'X-Forwarded-For: 1.2.3.4\r\n', b'http://', b'[::1]', b':', b',',
         BASE.encode(), b'/status', b'/plan', b'/sql?tag=', b'/events',
         b'/metrics', b'?page.js', b'A' * 200, b' ' * 40, b'\t']
SEEDS = [lines_of('GET', p) for p in (
    '/healthz', '/readyz', '/metrics', '/', BASE, BASE + '/status',
    BASE + '/plan?to=0001_a', BASE + '/sql?tag=0001_a', BASE + '/events',
    BASE + '?page.css')] + [
        lines_of('POST', BASE, body={'dry_run': True}),
        lines_of('POST', BASE, body={'to': '0001_a', 'transaction': 'all'}),
        lines_of('POST', BASE, {'Accept': 'text/event-stream'}, {}),
        lines_of('POST', BASE, {'Transfer-Encoding': 'chunked'}) +
        b'10\r\n{"dry_run":true}\r\n0\r\n\r\n',
        lines_of('HEAD', BASE + '/status'), OK * 3]


def mutated(r):
    data = bytearray(r.choice(SEEDS) + (r.choice(SEEDS) if r.random() < .3
                                        else b''))
    for _ in range(r.choice((0, 1, 1, 2, 3, 8))):
        at = r.randrange(len(data) + 1)
        how = r.randrange(6)
        if how == 0 and at < len(data):
            data[at] = r.randrange(256)
        elif how == 1:
            data[at:at] = r.choice(WORDS)
        elif how == 2:
            del data[at:at + r.choice((1, 2, 10, 50))]
        elif how == 3:
            data[at:at] = data[at:at + r.choice((5, 20, 100))]
        elif how == 4:
            data[at:at + len(data)] = b''
        else:
            end = min(len(data), at + r.choice((1, 4, 16)))
            data[at:end] = r.choice(WORDS)
    return bytes(data)


def fuzz(s, seconds):
    """Several at a time; it must live, answer HTTP, and hold no more."""
    seed = int(os.environ.get('SEED') or random.randrange(1 << 30))
    note('SEED=%d' % seed)
    end = time.monotonic() + seconds
    counts, statuses, wrong = [0] * 4, {}, []

    def client(i):
        r = random.Random(seed + i)
        while time.monotonic() < end and not wrong:
            data = mutated(r)
            try:
                with s.wire(timeout=r.choice((.01, .05, .2))) as w:
                    parts = r.choice((1, 1, 1, 2, 4))
                    for k in range(parts):
                        w.send(data[k * len(data) // parts:
                                    (k + 1) * len(data) // parts])
                    if r.random() < .1:
                        w.sock.shutdown(socket.SHUT_WR)
                    if r.random() < .8:
                        status = w.answer().status
                        statuses[status] = statuses.get(status, 0) + 1
            except (ConnectionError, TimeoutError, socket.timeout):
                if s.process.poll() is not None:
                    wrong.append(data)
            except Broken as e:
                text = e.args[0]
                if text and not text.startswith(b'HTTP/'):
                    wrong.append((data, text[:200]))
            except (ValueError, IndexError) as e:
                wrong.append((data, e))
            except OSError:
                time.sleep(.01)
            counts[i] += 1
    sizes = []
    threads = [threading.Thread(target=client, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        sizes.append(s.memory())
        threads[0].join(max(1, seconds / 20))
        for t in threads:
            t.join(.1)
    note('%d requests, answers %s' % (sum(counts), dict(sorted(
        statuses.items()))))
    note('memory in kB: %s' % sizes)
    check('at random: nothing is wrong', [], wrong)
    check('at random: no 5xx of its own', [], [
        x for x in statuses if x >= 500 and x not in (500, 501, 503)])
    check('at random: it lives', 200, lives(s))
    early = max(sizes[:max(2, len(sizes) // 4)])
    if not sanitized():
        check('at random: memory is bounded', True,
              s.memory() < early * 1.5 + 8192)


def begin(*args):
    return Serving(server, 'h', WHERE, *args)


if not os.environ.get('FUZZ_SECONDS'):
    s = begin()
    slow(s)
    large(s)
    lengths(s)
    lines(s)
    pipelined(s)
    half_closed(s)
    given_up(s)
    s.stop()
s = begin()
fuzz(s, float(os.environ.get('FUZZ_SECONDS') or (600 if LONG else 10)))
s.stop()
sys.exit(verdict())
