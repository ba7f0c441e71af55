# SPDX-License-Identifier: MIT
"""Where the server is: lists of hosts, sockets, names; in an empty root, too.

The part with names runs in a network of its own, in a child of this program:
nobody else's DNS is asked, and no file of this machine is looked at.
"""
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

from harness import (MIZZLE, check, closed_port, finish, heard, mizzle,
                     needs_program, newdir, note, start, verdict)
from wire import WELCOME, FakeServer, error

needs_program()
SOON = 20       # seconds: a busy machine is slow, but it does not wait


def welcomes(peer):
    peer.startup()
    peer.send(WELCOME)
    peer.until_closed()


def starts_up(peer):
    peer.startup()
    peer.send(error('57P03', 'the database system is starting up', 'FATAL'))


def reach(conninfo, *args, **more):
    """One try: is there somebody who lets us in?"""
    return mizzle('wait', '--wait', '0', '--url', conninfo, *args, **more)


# ---- lists, against a port where nobody listens

def lists():
    """What is tried, in which order, for each way to write a list."""
    port = closed_port()
    refused = r'%s:\d+: Connection refused'
    v4 = re.escape('127.0.0.1')
    path = r'\S*/\.s\.PGSQL\.%d: No such file or directory' % port
    for text, wanted in (
            ('host=127.0.0.1', [refused % v4]),
            ('host=127.0.0.1,127.0.0.2', [refused % v4,
                                          refused % r'127\.0\.0\.2']),
            ('hostaddr=127.0.0.1,127.0.0.2', [refused % v4,
                                              refused % r'127\.0\.0\.2']),
            ('hostaddr=127.0.0.1 host=nowhere.invalid', [refused % v4]),
            ('host=a.invalid,b.invalid hostaddr=127.0.0.1,127.0.0.2',
             [refused % v4, refused % r'127\.0\.0\.2']),
            ('host=,127.0.0.1', [path, refused % v4]),
            ('host=127.0.0.1,', [refused % v4, path]),
            ('host=/nonexistent,127.0.0.1', [r'/nonexistent/' + path[4:],
                                             refused % v4]),
            ('host=@nobody', [r'@nobody/\.s\.PGSQL\.%d: Connection refused'
                              % port]),
            ('host=localhost', [refused % r'localhost: 127\.0\.0\.1']),
            ('host=db.localhost.', [refused % r'db\.localhost\.: '
                                    r'127\.0\.0\.1'])):
        got = reach('%s port=%d user=u target_session_attrs=any' % (
            text, port))
        check('%s: status' % text, 3, got.status)
        check('%s: what was tried' % text, re.compile(
            '^error: connect to ' + '; connect to '.join(
                w.replace(r':\d+: ', r':%d(, \[::1\]:%d)?: '
                          % (port, port)) if 'localhost' in w else w
                for w in wanted)), got.err)
    for text, why in (
            ('host=a,b,c port=1,2', 'match 2 port numbers to 3 hosts'),
            ('host=a port=1,2', 'match 2 port numbers to 1 hosts'),
            ('host=a,b hostaddr=127.0.0.1', 'match 2 host names to 1'),
            ('hostaddr=localhost', 'not an IP address'),
            ('host=127.1', 'not an address'),
            ('host=2130706433', 'not an address'),
            ('host=[::1]', 'brackets'),
            ('host=/%s' % ('x' * 107), 'longer than 107 bytes'),
            ('host=127.0.0.1 port=0', 'invalid port number'),
            ('host=127.0.0.1 port=65536', 'invalid port number'),
            ('host=127.0.0.1 connect_timeout=10s', 'invalid integer value'),
            ('host=127.0.0.1 keepalives_idle=40000', 'at most 32767'),
            ('host=127.0.0.1 target_session_attrs=master',
             'invalid target_session_attrs value'),
            ('host=127.0.0.1 load_balance_hosts=yes',
             'invalid load_balance_hosts value')):
        got = reach(text + ' user=u')
        check('%s: is a wrong setting' % text, 2, got.status)
        check('%s: says why' % text, True, why in got.err) or note(got.err)


def ports():
    """One port for all, or one for each."""
    server = FakeServer(welcomes)
    for hosts, numbers in (('127.0.0.2,127.0.0.1', '%d' % server.port),
                           ('127.0.0.1,127.0.0.1', '%d,%d' % (
                               closed_port(), server.port)),
                           ('127.0.0.1,127.0.0.1', '%d,' % server.port)):
        got = reach('host=%s port=%s user=u target_session_attrs=any' % (
            hosts, numbers))
        check('host=%s port=%s' % (hosts, numbers.replace(
            str(server.port), 'P')), 0, got.status) or note(got.err)
    server.close()
    server = FakeServer(starts_up)
    other = FakeServer(welcomes)
    got = reach('host=127.0.0.1,127.0.0.1 port=%d,%d user=u '
                'target_session_attrs=any' % (server.port, other.port))
    check('a server that starts up is passed by', 0, got.status)
    server.close()
    other.close()


def silent(peer):
    peer.until_closed()


def timed(conninfo, limit):
    """The result, and its seconds; a machine may be busy for a moment, so the
    quickest of a few counts if the first is not in time."""
    best = None
    for _ in range(10):
        began = time.monotonic()
        got = reach(conninfo)
        took = time.monotonic() - began
        best = min(took, best or took)
        if best < limit:
            break
    return got, best


def timeouts():
    """connect_timeout is what it says; 1 is not made 2."""
    server = FakeServer(silent)
    for seconds in 1, 2:
        got, took = timed('host=127.0.0.1 port=%d user=u connect_timeout=%d'
                          % (server.port, seconds), seconds + 0.9)
        check('connect_timeout=%d: in time' % seconds, (3, True), (
            got.status, seconds - 0.1 < took < seconds + 0.9)) or \
            note('%.1f s' % took)
        check('connect_timeout=%d: says where' % seconds, re.compile(
            r'127\.0\.0\.1:%d: timed out' % server.port), got.err)
    server.close()


class WithoutTimeout:
    """There is a time-out without one; the other tests run meanwhile."""

    def __init__(self):
        self.server = FakeServer(silent)
        self.began = time.monotonic()
        self.thread = threading.Thread(target=self.wait)
        self.thread.start()

    def wait(self):
        self.got = mizzle('wait', '--wait', '0', '--url',
                          'host=127.0.0.1 user=u port=%d' % self.server.port)
        self.took = time.monotonic() - self.began

    def finish(self):
        self.thread.join()
        got = self.got
        check('there is a time-out by default', (3, True), (
            got.status, 10 < self.took < 15 + SOON)) or note(self.took)
        check('and it is said', re.compile('timed out'), got.err)


# ---- Unix sockets

class UnixServer(FakeServer):
    """The same over a Unix socket; a path with @ is abstract."""

    def __init__(self, path, script=welcomes):
        self.script, self.peers, self.problem = script, [], None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind('\0' + path[1:] if path[0] == '@' else path)
        self.listener.listen(20)
        if path[0] != '@':
            os.chmod(path, 0o777)
        threading.Thread(target=self.accept, daemon=True).start()


def sockets():
    place = newdir('sockets')
    name = '@mizzle-%d' % os.getpid()
    servers = [UnixServer(place + '/.s.PGSQL.5432'),
               UnixServer(name + '/.s.PGSQL.5433')]
    me = mizzle('ping', '--print-config', '--url', 'host=h').out
    me = re.search(r"user='([^']*)'", me)
    for text in ('host=%s' % place, 'host=%s port=5433' % name):
        for more, status in (('', 0), (' sslmode=verify-full', 0),
                             (' requirepeer=nobody-of-that-name', 3)):
            got = reach(text + ' user=u' + more)
            check(text + more, status, got.status) or note(got.err)
        if me:
            got = reach(text + ' user=u requirepeer=' + me.group(1))
            check(text + ' requirepeer=(me)', 0, got.status) or \
                note(got.err)
    got = reach('postgresql://u@%s/d' % place.replace('/', '%2F'))
    check('a directory in a URL', 0, got.status) or note(got.err)
    for server in servers:
        server.close()


# ---- names, in a network of our own

A, AAAA = 1, 28
NAMES = {  # to the addresses of each kind
    'db.example': {A: ['127.0.0.1'], AAAA: ['::1']},
    'four.example': {A: ['127.0.0.1']},
    'late.example': {A: ['127.0.0.9', '127.0.0.8', '127.0.0.1']},
    'crowd.example': {A: ['127.1.0.%d' % i for i in range(100)]},
    'six.example': {AAAA: ['2001:db8::1', '2001:db8::2']},
}


def dns_answer(query, known):
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += query[at] + 1
    kind, = struct.unpack('>H', query[at + 1:at + 3])
    name = '.'.join(labels).lower()
    found = known.get(name, {}).get(kind, [])
    code = 0x8180 if name in known else 0x8183
    records = b''.join(struct.pack('>HHHIH', 0xc00c, kind, 1, 1, len(a)) + a
                       for a in (socket.inet_pton(
                           socket.AF_INET if kind == A else socket.AF_INET6,
                           text) for text in found))
    head = query[:2] + struct.pack('>HHHHH', code, 1, len(found), 0, 0)
    question = query[12:at + 5]
    return head, question, records


class Dns:
    """A name server at 127.0.0.1, which is where one looks without a
    resolv.conf; what does not fit is told by TCP."""

    def __init__(self, known):
        self.known = known
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind(('127.0.0.1', 53))
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(('127.0.0.1', 53))
        self.tcp.listen(5)
        threading.Thread(target=self.serve_udp, daemon=True).start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()

    def serve_udp(self):
        while True:
            query, client = self.udp.recvfrom(512)
            head, question, records = dns_answer(query, self.known)
            if len(head + question + records) > 512:
                head = head[:2] + struct.pack('>HHHHH', 0x8380, 1, 0, 0, 0)
                records = b''
            self.udp.sendto(head + question + records, client)

    def serve_tcp(self):
        while True:
            peer, _ = self.tcp.accept()
            peer.settimeout(2)
            try:
                while True:
                    size = peer.recv(2, socket.MSG_WAITALL)
                    if len(size) < 2:
                        break
                    query = peer.recv(struct.unpack('>H', size)[0],
                                      socket.MSG_WAITALL)
                    answer = b''.join(dns_answer(query, self.known))
                    peer.sendall(struct.pack('>H', len(answer)) + answer)
            except OSError:
                pass
            peer.close()


def is_static():
    with open(MIZZLE, 'rb') as f:
        return b'/ld-linux' not in f.read(4096)


def in_an_empty_root():
    """Only the program is there: no /etc, no libraries, nobody's home."""
    root = newdir('root')
    shutil.copy(MIZZLE, root + '/mizzle')
    server = FakeServer(welcomes)

    def alone(url, *args):
        run = subprocess.run(
            [shutil.which('chroot'), root, '/mizzle', 'wait', '--wait', '0',
             '--url', url, *args], env={}, capture_output=True, text=True,
            timeout=60, check=False)
        return run.returncode, run.stdout + run.stderr
    for host in ('127.0.0.1', 'localhost', 'any.localhost', 'four.example',
                 'db.example', 'late.example'):
        got = alone('postgresql://u:p@%s:%d/d' % (host, server.port))
        check('in an empty root: ' + host, 0, got[0]) or note(got[1])
    got = alone('postgresql://%s:%d/d' % ('127.0.0.1', server.port))
    check('in an empty root: nobody has a name', (2, True), (
        got[0], 'user' in got[1])) or note(got[1])
    server.close()


def names():
    dns = Dns(dict(NAMES))
    server = FakeServer(welcomes)

    def at(host):
        return timed('postgresql://u@%s:%d/d' % (host, server.port), 2)
    for host in 'db.example', 'four.example', 'four.example.', 'FOUR.Example':
        got, took = at(host)
        check(host, (0, True), (got.status, took < 2)) or note(got.err)
    # one that refuses costs nothing, one that is nowhere a quarter second
    got, took = at('late.example')
    check('the third address answers', (0, True), (got.status, took < 2)) or \
        note(got.err)
    got, took = at('six.example')
    check('only IPv6: status', 3, got.status)
    check('only IPv6, which is not there: a hint', re.compile(
        r'connect to six\.example: \[2001:db8::1\]:\d+, '
        r'\[2001:db8::2\]:\d+: .*\n.*hint: .*IPv6.*pooler'), got.err)
    got, took = at('absent.example')
    check('no such name', (3, True), (got.status, took < 2))
    check('no such name: says so', re.compile('absent.example'), got.err)

    # 100 addresses at which a full queue swallows every packet
    queue = socket.socket()
    queue.bind(('0.0.0.0', 0))  # of this network: the loopback
    queue.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(('127.0.0.1', queue.getsockname()[1]))
    began = time.monotonic()
    got = reach('postgresql://u@crowd.example:%d/d?connect_timeout=3'
                % queue.getsockname()[1])
    took = time.monotonic() - began
    check('100 addresses are in time', (3, True), (
        got.status, 2.5 < took < 3 + SOON)) or note('%.1f s' % took)
    check('100 addresses are told in short', re.compile(
        r'^error: connect to crowd\.example: 127\.1\.0\.\d+:\d+, \S+, \S+ and '
        r'97 more: timed out$', re.M), got.err)
    check('100 addresses: no long line', True,
          max(map(len, got.err.splitlines())) < 160)

    # a name that comes while we wait for it
    run = start('wait', '--url', 'postgresql://u@new.example:%d/d'
                % server.port)
    heard(run, 'waiting: ')
    dns.known['new.example'] = {A: ['127.0.0.1']}
    got = finish(run)
    check('a name that comes later', 0, got.status) or note(got.err)
    check('a name that comes later: one line', 1,
          got.err.count('waiting: '))
    server.close()
    if is_static():
        in_an_empty_root()
    else:
        note('the program is not static: left out')


def default_directories():
    """/var/run/postgresql where that is, else /tmp, as psql has it."""
    name = '.s.PGSQL.%d' % (20000 + os.getpid() % 40000)
    text = 'port=%s user=u' % name[9:]
    server = UnixServer('/tmp/' + name)
    got = reach(text)
    check('by default in /tmp', 0, got.status) or note(got.err)
    os.mkdir('/run/postgresql')
    got = reach(text)
    check('by default in /var/run/postgresql', (3, True), (
        got.status, 'connect to /var/run/postgresql/%s: ' % name in got.err)
    ) or note(got.err)
    other = UnixServer('/run/postgresql/' + name)
    got = reach(text)
    check('and there it is found', 0, got.status) or note(got.err)
    server.close()
    other.close()
    os.unlink('/tmp/' + name)


def in_a_network_of_its_own():
    command = ['unshare', '--net', '--mount', 'sh', '-c', '''
        ip link set lo up && mount -t tmpfs none /run &&
        if [ -e /etc/resolv.conf ]; then
            mount --bind /dev/null /etc/resolv.conf
        fi && exec "$0" "$@"
    ''', sys.executable, os.path.abspath(__file__), 'names']
    if os.getuid() != 0 or not shutil.which('ip') or subprocess.run(
            [*command[:5], 'ip link set lo up && mount -t tmpfs none /run'],
            stderr=subprocess.DEVNULL, check=False).returncode:
        note('no network of its own for this user: left out')
        return
    done = subprocess.run(command, check=False, env={
        **os.environ, 'MIZZLE': MIZZLE})
    check('in a network of its own', 0, done.returncode)


if sys.argv[1:] == ['names']:
    names()
    default_directories()
else:
    patient = WithoutTimeout()
    lists()
    ports()
    sockets()
    timeouts()
    in_a_network_of_its_own()
    patient.finish()
sys.exit(verdict())
