# SPDX-License-Identifier: MIT
"""Who may ask `mizzle serve`, by what way, and where it listens."""
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

from harness import (Server, check, closed_port, finish, journal, mizzle,
                     needs_program, newdir, note, start, verdict, wait_for,
                     workdir, write)
from serveworld import (BASE, Serving, Wire, at_once, leaked, lines_of,
                        received, secure)

needs_program()
server = Server('autovacuum=off')
server.fresh('w')
WHERE = journal(newdir('who'), [('0000_a', 'CREATE TABLE a (id int);')])
ONE, TWO = 'first-secret-0123456789abcdef', 'second-secret-0123456789abcde'
READ, FILED = 'reading-secret-0123456789abc', 'filed secret with blanks'


def file(name, *lines):
    return write(os.path.join(workdir(), 'secrets', name),
                 ''.join(line + '\n' for line in lines))


def serving(*args, **more):
    return Serving(server, 'w', WHERE, *args, **more)


def refused(*args, env=None):
    """It does not begin to serve."""
    got = mizzle('serve', '--dir', WHERE, '--url', server.url('w'), *args,
                 env=env, timeout=30)
    return got


# ---- secrets

def secrets():
    s = serving('--secret-file', file('several', ONE, '', '  ' + FILED +
                                      ' \t', TWO + '\r'),
                '--read-secret-file', file('reading', READ))
    for secret, status, may in ((ONE, 200, True), (TWO, 200, True),
                                (FILED, 200, True), (READ, 200, False)):
        got = s.get('status', secret=secret)
        check('a secret of a file: %s' % secret, (status, may), (
            got.status, got.json().get('may_migrate')))
    got = s.get('status', headers={'Authorization': 'bearer  ' + ONE + ' '})
    check('the scheme in other letters, and blanks', 200, got.status)
    for what, secret in (('none', ''), ('empty', None)):
        got = s.get('status', headers={} if what == 'none' else
                    {'Authorization': 'Bearer '})
        check('no secret (%s)' % what, (401, False, 'refused',
                                        'Bearer realm="mizzle"'), (
            got.status, got.json()['ok'], got.code,
            got.headers.get('www-authenticate')))
        secure('401', got)
    for path in ('plan', 'sql?tag=0000_a', 'events', '/metrics', ''):
        got = s.get(path)
        check('no secret: ' + path, 401, got.status)
        check('read only: ' + path, 200, s.get(
            path, secret=READ).status if path != 'events' else s.stream(
                secret=READ).status)
    got = s.post()
    check('no secret: POST', 401, got.status)
    got = s.post(secret=READ)
    check('read only: POST', (403, False, 'refused'), (
        got.status, got.json()['ok'], got.code))
    secure('403', got)
    check('read only: dry_run', 403, s.post({'dry_run': True},
                                            secret=READ).status)
    for path in '/healthz', '/readyz':
        check('no secret is needed for ' + path, True, s.get(
            path).status in (200, 503))
    page = s.get('', headers={'Accept': 'text/html'})
    check('nor for the page', (200, False), (
        page.status, '0000_a' in page.data.decode()))
    check('nor its files', 200, s.get('?page.js').status)
    check('nothing was applied', False, s.get('/readyz').json()['ok'])
    s.stop()

    s = serving(env={'MIGRATION_SECRET': ONE, 'MIGRATION_READ_SECRET': READ})
    for secret, status in ((ONE, 200), (READ, 200), (TWO, 401)):
        check('a secret of the environment', status, s.get(
            'status', secret=secret).status)
    s.stop()
    s = serving('--secret-file', file('more', TWO),
                env={'MIGRATION_SECRET': ONE})
    check('of both', [200, 200], [s.get('status', secret=x).status
                                  for x in (ONE, TWO)])
    s.stop()
    s = serving(env={'MIGRATION_SECRET': ONE + '\n' + TWO + '\n'})
    check('several in the environment', [200, 200], [
        s.get('status', secret=x).status for x in (ONE, TWO)])
    s.stop()
    place = newdir('dotenv')
    write(os.path.join(place, '.env'), 'MIGRATION_SECRET=%s\n' % ONE)
    s = serving(cwd=place)
    check('of .env', [200, 401], [s.get('status', secret=x).status
                                  for x in (ONE, '')])
    s.stop()
    s = serving('--read-secret-file', file('reading', READ))
    check('only one that reads: told', True,
          'no secret may migrate' in s.err())
    check('only one that reads: nobody may migrate', [401, 403], [
        s.post(secret='').status, s.post(secret=READ).status])
    s.stop()
    long = 'x' * 9000
    s = serving('--secret-file', file('long', long))
    check('a long one', [200, 401], [s.get('status', secret=x).status
                                     for x in (long, long[1:])])
    s.stop()
    s = serving(env={'MIGRATION_SECRET': 'short'})
    check('a short one: told, without it', (True, False), (
        'is short' in s.err(), "'short'" in s.err()))
    s.stop()
    s = serving(env={'MIGRATION_SECRET': ''})
    check('an empty variable is none', 200, s.get('status').status)
    check('none: told', True, 'there is no secret' in s.err())
    s.stop()


def without():
    for where in '0.0.0.0:0', '[::]:0', '0.0.0.0:8080':
        got = refused('--listen', where)
        check('without a secret, %s' % where, (9, True), (
            got.status, 'MIGRATION_SECRET' in got.err)) or note(str(got))
    got = refused('--listen', '0.0.0.0:0', '--secret-file',
                  file('empty', '', '  '))
    check('a file without a secret', 2, got.status)
    got = refused('--secret-file', '/nonexistent')
    check('no file', True, got.status != 0 and '/nonexistent' in got.err)
    got = refused('--listen', '0.0.0.0:0', env={'MIGRATION_SECRET': ' \n '})
    check('a variable of blanks is none', 9, got.status) or note(str(got))
    s = serving(listen='0.0.0.0:0', env={'MIGRATION_SECRET': ONE}, secret=ONE)
    check('with one', 200, s.get('status').status)
    check('with one, by another name', 200, s.get(
        'status', host='example.org').status)
    s.stop()


def throttled():
    s = serving(env={'MIGRATION_SECRET': ONE})
    statuses = []
    for i in range(12):
        got = s.get('status', secret='wrong-%d' % i)
        statuses.append(got.status)
    check('a few guesses are free, then it takes a while', [401] * 5 +
          [429] * 7, statuses)
    check('how long', True, 1 <= int(got.headers.get('retry-after', 0)) <= 60)
    secure('429', got)
    check('with the right one, too', 429, s.get('status',
                                                secret=ONE).status)
    check('what needs none goes on', 200, s.get('/healthz').status)
    check('logged', 5, s.err().count('a wrong secret from 127.0.0.1'))
    check('without what was tried', False, 'wrong-' in s.log())
    check('after a while', True, wait_for(lambda: s.get(
        'status', secret=ONE).status == 200, 20))
    check('and it is forgotten', 401, s.get('status', secret='x').status)
    m = s.get('/metrics', secret=ONE).data.decode()
    check('counted', True, '\nmizzle_wrong_secrets_total 6\n' in m)
    for i in range(8):
        s.get('status', secret='')
    check('no secret at all is no guess', 200, s.get('status',
                                                     secret=ONE).status)
    s.stop()


# ---- Host and Origin

def names():
    s = serving()
    port = s.where
    for host in ('localhost', 'localhost:%d' % port, '127.0.0.1',
                 'LOCALHOST', '[::1]', '[::1]:80'):
        check('Host %s' % host, 200, s.get('status', host=host).status)
    for host in ('example.org', 'localhost.example.org', '127.0.0.1.nip.io',
                 '', 'localhost@example.org', '0.0.0.0', '169.254.169.254'):
        for path in 'status', '/healthz', '':
            got = s.get(path, host=host)
            check('Host %r, %s' % (host, path), (403, 'refused'), (
                got.status, got.code))
        check('Host %r: POST' % host, 403, s.post(host=host).status)
    s.stop()
    s = serving('--allow-host', 'db.example.org', '--allow-host', 'other')
    check('--allow-host', [200, 200, 200, 200, 403], [
        s.get('status', host=h).status for h in (
            'db.example.org', 'DB.example.org:443', 'other', 'localhost',
            'example.org')])
    s.stop()
    s = serving(env={'MIGRATION_SECRET': ONE}, secret=ONE)
    own = 'http://localhost:%d' % s.where
    for headers, ok in (
            ({}, True), ({'Origin': own}, True),
            ({'Origin': own, 'Sec-Fetch-Site': 'same-origin'}, True),
            ({'Sec-Fetch-Site': 'none'}, True),
            ({'Origin': 'https://evil.example'}, False),
            ({'Origin': 'null'}, False), ({'Origin': ''}, False),
            ({'Origin': 'http://localhost:1'}, False),
            ({'Origin': own + '.evil.example'}, False),
            ({'Sec-Fetch-Site': 'cross-site'}, False),
            ({'Sec-Fetch-Site': 'same-site'}, False),
            ({'Sec-Fetch-Site': ''}, False),
            ({'Sec-Fetch-Site': 'cross-site', 'Origin': own}, False)):
        got = s.post({'dry_run': True}, headers=headers,
                     host='localhost:%d' % s.where)
        check('POST by %s' % headers, 200 if ok else 403, got.status)
        check('GET by %s' % headers, 200, s.get(
            'status', headers=headers, host='localhost:%d' % s.where).status)
    s.stop()


def proxies():
    def last(s):
        return [line.split(' ')[0] for line in s.err().splitlines()
                if ' GET ' in line][-1]
    s = serving()
    s.get('/healthz', headers={'X-Forwarded-For': '9.9.9.9'})
    check('nobody is believed', '127.0.0.1', last(s))
    s.stop()
    s = serving('--trusted-proxy', '127.0.0.0/8', '--trusted-proxy',
                '10.0.0.0/8', env={'MIGRATION_SECRET': ONE})
    for forwarded, want in (
            (None, '127.0.0.1'), ('9.9.9.9', '9.9.9.9'),
            ('1.1.1.1, 9.9.9.9', '9.9.9.9'),
            ('1.1.1.1,9.9.9.9, 10.1.2.3 ,10.0.0.1', '9.9.9.9'),
            ('10.0.0.7', '10.0.0.7'), ('9.9.9.9, ::ffff:10.2.3.4', '9.9.9.9'),
            ('2001:db8::1', '2001:db8::1')):
        s.get('/healthz', headers={'X-Forwarded-For': forwarded})
        check('X-Forwarded-For: %s' % forwarded, want, last(s))
    with s.wire() as w:
        w.send(b'GET /healthz HTTP/1.1\r\nHost: localhost\r\n'
               b'X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 9.9.9.8\r\n'
               b'\r\n').answer()
    check('a header of its own, as HAProxy adds it', '9.9.9.8', last(s))
    s.get('/healthz', headers={'X-Forwarded-For': 'a' * 9000})
    s.get('/healthz', headers={'X-Forwarded-For': '\x1b[31m\x0b'})
    check('no control characters in the log', [], re.findall(
        '[\x00-\x09\x0b-\x1f]', s.err()))
    for _ in range(8):
        got = s.get('status', secret='x', headers={
            'X-Forwarded-For': '7.7.7.7'})
    check('one of them guesses', 429, got.status)
    check('the others do not wait', [200, 200], [s.get(
        'status', secret=ONE, headers=h).status for h in (
            {'X-Forwarded-For': '7.7.7.8'}, {})])
    s.stop()


# ---- where

def sockets():
    place = os.path.join(newdir('sockets'), 's')
    left = socket.socket(socket.AF_UNIX)
    left.bind(place)
    left.close()
    s = serving(listen='unix:' + place)
    check('a Unix socket, in place of one that was left', 200,
          s.get('status').status)
    check('by any name', 200, s.get('status', host='what.ever').status)
    check('it migrates', 200, s.post().status)
    check('and is told', True, place in s.err())
    got = refused('--listen', 'unix:' + place)
    check('one that is in use', (2, True), (got.status,
                                            'another' in got.err))
    check('is not taken away', 200, s.get('status').status)
    s.stop()
    check('removed at the end', False, os.path.exists(place))
    write(place, 'a file')
    got = refused('--listen', 'unix:' + place)
    check('a file is not removed', (2, True), (got.status,
                                               os.path.isfile(place)))
    for bad in 'unix:', 'unix:' + 'x' * 200, 'unix:/proc/none/s':
        check('no socket: %.20s' % bad, 2, refused('--listen', bad).status)
    s = serving('--trusted-proxy', 'unix', listen='unix:' + place + '2')
    s.get('/healthz', headers={'X-Forwarded-For': '9.9.9.9'})
    check('a proxy by the socket', True, '9.9.9.9 GET' in s.err())
    s.stop()


def addresses():
    for bad in ('x', '127.0.0.1:', '127.0.0.1:65536', '127.0.0.1:-1', ':',
                '127.0.0.1:80x', '::1:80', '[::1]', '300.0.0.1:80',
                'example.org:80', '127.0.0.1:8080:1'):
        got = refused('--listen', bad)
        check('--listen %r' % bad, (2, True), (got.status, 'such as' in
                                               got.err))
    taken = socket.socket()
    taken.bind(('127.0.0.1', 0))
    taken.listen(1)
    port = taken.getsockname()[1]
    for where in '127.0.0.1:%d', ':%d', '%d', 'localhost:%d':
        got = refused('--listen', where % port)
        check('a port in use: ' + where, (2, True, True), (
            got.status, 'another' in got.err, str(port) in got.err))
    taken.close()
    got = refused('--listen', '192.0.2.1:0', env={'MIGRATION_SECRET': ONE})
    check('an address of elsewhere', 2, got.status)
    s = serving(listen='[::1]:0', ready=False)
    if wait_for(lambda: 'serving ' in s.err() or s.process.poll() is
                not None) and s.process.poll() is None:
        port = int(re.search(r'\[::1\]:(\d+)/', s.err())[1])
        with socket.create_connection(('::1', port)) as c:
            c.sendall(lines_of('GET', '/healthz', {'Connection': 'close'}))
            check('IPv6', b'HTTP/1.1 200', c.recv(12))
        s.stop()
    else:
        note('no IPv6 here')
    port = closed_port()
    got = refused('--listen', '127.0.0.1:0', '--url', 'nonsense://x')
    check('a bad URL is told at once', 2, got.status)
    s = serving(url='postgresql://u:p@127.0.0.1:%d/x' % port)
    check('a database that is not there is no reason not to begin', 503,
          s.get('status').status)
    check('and not told by its password', False, 'u:p@' in s.log())
    s.stop()


def limits():
    """Few descriptors; few clients at a time."""
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
    s = serving(preexec_fn=few)
    wires = []
    for _ in range(100):
        try:
            wires.append(s.wire(timeout=5))
        except OSError:
            break
    time.sleep(1)
    check('few descriptors: no flood in the log', True,
          len(s.log()) < 5000) or note(s.log()[-600:])
    for w in wires:
        w.close()
    check('few descriptors: it recovers', True, wait_for(
        lambda: s.get('status').status == 200))
    s.stop()

    s = serving('--max-connections', '5')
    idle = [s.wire() for _ in range(5)]
    for w in idle:
        w.send(lines_of('GET', '/healthz')).answer()
    late = [s.wire() for _ in range(3)]
    for w in late:
        w.send(lines_of('GET', s.base + '/status'))
    late[0].sock.settimeout(0.7)
    try:
        late[0].more()
        check('--max-connections: the sixth waits', True, not
              late[0].buffer)
    except TimeoutError:
        check('--max-connections: the sixth waits', True, True)
    late[0].sock.settimeout(60)
    idle.pop().close()
    check('--max-connections: then it is its turn', 200,
          late[0].answer().status)
    for w in idle:
        w.close()
    check('--max-connections: all others, too', [200, 200], [
        w.answer().status for w in late[1:]])
    for w in late:
        w.close()
    results = at_once(30, lambda i: s.get('status').status)
    check('--max-connections: nothing is lost', [200] * 30, results)
    s.stop()
    for bad in '0', '-1', 'x', '99999999999':
        check('--max-connections %s' % bad, 2, refused(
            '--max-connections', bad, '--listen', '127.0.0.1:0').status)


# ---- TLS

def openssl(*args):
    done = subprocess.run(['openssl', *args], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)


def tls():
    if not shutil.which('openssl'):
        note('no openssl here')
        return
    place = newdir('tls')
    key, cert, other = (os.path.join(place, n) for n in ('key', 'crt', 'k2'))
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt',
            'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out',
            cert, '-subj', '/CN=localhost', '-addext',
            'subjectAltName=DNS:localhost', '-days', '2')
    openssl('genpkey', '-algorithm', 'ed25519', '-out', other)
    context = ssl.create_default_context(cafile=cert)
    s = serving('--tls-cert', cert, '--tls-key', key, tls=context)
    check('TLS: told', True, 'serving https://127.0.0.1' in s.err())
    got = s.get('status')
    check('TLS', 200, got.status)
    secure('TLS', got)
    with s.wire() as w:
        check('TLS 1.3', 'TLSv1.3', w.sock.version())
        for _ in range(3):
            check('TLS: one after the other', 200, w.send(lines_of(
                'GET', s.base + '/status')).answer().status)
    run = s.stream('POST', '')
    check('TLS: a stream', (True, True), (run.end(), bool(run.data(
        'result'))))
    got = s.get('?page.js')
    check('TLS: the page', True, len(got.data) > 1000)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(cert)
    old.set_ciphers('DEFAULT@SECLEVEL=0')
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        Wire(s.where, old).close()
        check('TLS 1.1 is refused', True, False)
    except (ssl.SSLError, OSError):
        check('TLS 1.1 is refused', True, True)
    for garbage in (b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
                    b'\x16\x03\x01\xff\xff' + b'x' * 70000, b'\0' * 100,
                    os.urandom(500)):
        with Wire(s.where) as w:
            try:
                w.send(garbage)
            except OSError:
                pass
            check('no TLS on its port', True, w.closed(40))
    with Wire(s.where) as w:
        began = time.monotonic()
        check('nothing at all on its port', True, w.closed(40))
        took = time.monotonic() - began
        check('closed after some 15 s', True, 5 < took < 35) or note(took)
    for _ in range(50):
        w = s.wire()
        w.send(lines_of('GET', s.base + '/status'))
        w.close()
    check('TLS: it goes on', 200, s.get('status').status)
    s.stop()
    s = serving()
    with s.wire() as w:
        try:
            context.wrap_socket(w.sock, server_hostname='localhost')
            check('no TLS on the plain port', True, False)
        except (ssl.SSLError, OSError):
            check('no TLS on the plain port', True, True)
    s.stop()
    write(os.path.join(place, 'bad'), 'nonsense')
    for what, c, k in (('the key of another', cert, other),
                       ('no key', cert, '/nonexistent'),
                       ('no certificate', '/nonexistent', key),
                       ('a key that is none', cert, os.path.join(place,
                                                                 'bad')),
                       ('a certificate that is none', os.path.join(
                           place, 'bad'), key), ('swapped', key, cert)):
        got = refused('--listen', '127.0.0.1:0', '--tls-cert', c,
                      '--tls-key', k)
        check(what, (2, True), (got.status, 'cannot be used' in got.err)) \
            or note(str(got))
    for args in ('--tls-cert', cert), ('--tls-key', key):
        check('one without the other', 2, refused(*args).status)


secrets()
without()
throttled()
names()
proxies()
sockets()
addresses()
limits()
tls()
check('no password, no secret in any answer or log', [], leaked(
    server.password, 'p%40ss', ONE, TWO, READ, FILED))
check('much was read', True, len(b''.join(received)) > 100000)
sys.exit(verdict())
