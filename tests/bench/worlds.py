# SPDX-License-Identifier: MIT
"""Ways to the server: socket, TCP, TLS, and any of these from far away."""
import os
import re
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import wait_for, workdir
from costs import TOOLS

ROOTS = 140     # about as many as systems trust
SIGNER = ROOTS // 2
KEYS = ('rsa4096', 'rsa2048', 'p384')
TITLES = {'socket': 'local socket', 'tcp': 'TCP, SCRAM',
          'tls': 'TLS 1.3, verify-full with %d roots, SCRAM' % ROOTS}


def title(world):
    """What 'socket', 'tcp20' or 'tls100' means."""
    if not world:
        return 'no server'
    kind, ms = re.fullmatch(r'([a-z]+)(\d*)', world).groups()
    return TITLES[kind] + (', a round trip takes %s ms' % ms if ms else '')


class Place:
    """A database, and the way to it, as each peer wants to be told."""

    def __init__(self, server, db, port=None, ca=None, more=''):
        self.db, self.port, self.tcp = db, port or server.port, bool(port)
        self.host = '127.0.0.1' if self.tcp else server.dir
        self.password, self.ca, self.more = server.password, ca, more

    def env(self):
        env = {'PGHOST': self.host, 'PGPORT': str(self.port),
               'PGUSER': 'tester', 'PGDATABASE': self.db,
               'PGSSLMODE': 'verify-full' if self.ca else 'disable'}
        if self.ca:
            env['PGSSLROOTCERT'] = self.ca
        return {**env, 'PGPASSWORD': self.password} if self.tcp else env

    def url(self):
        ssl = 'sslmode=disable' if not self.ca else \
            'sslmode=verify-full&sslrootcert=' + self.ca
        if not self.tcp:
            return 'postgresql://tester@/%s?host=%s&port=%d&%s' % (
                self.db, self.host, self.port, ssl)
        quoted = ''.join(c if c.isalnum() else '%%%02X' % ord(c)
                         for c in self.password)
        return 'postgresql://tester:%s@127.0.0.1:%d/%s?%s%s' % (
            quoted, self.port, self.db, ssl, self.more)


class Delay:
    """The way through delay.c; it counts round trips and bytes."""

    def __init__(self, server, ms):
        self.process = subprocess.Popen(
            [TOOLS + '/delay', str(server.port), str(ms)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def seen(self, failed=False):
        """Of the connections since the last time; their end is waited for.
        Who failed may not have come at all."""
        if failed:
            socket.create_connection(('127.0.0.1', self.port)).close()
        taken, ended = 0, []
        while not taken or taken > len(ended):
            line = self.process.stdout.readline()
            if line == '+\n':
                taken += 1
            else:
                ended.append(tuple(map(int, line.split())))
        return {'round_trips': sum(s[0] for s in ended),
                'bytes_up': sum(s[1] for s in ended),
                'bytes_down': sum(s[2] for s in ended),
                'connections': len(ended)}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class World:
    """A way to the server, by its name."""

    def __init__(self, name, server, delay=None, ca=None):
        self.name, self.server, self.delay, self.ca = name, server, delay, ca
        self.port = delay.port if delay else \
            None if name == 'socket' else server.port

    def place(self, db, more=''):
        return Place(self.server, db, self.port, self.ca, more)


class Worlds:
    """Makes what a world needs when it is first asked for."""

    def __init__(self, server):
        self.server, self.delays, self.ca, self.known = server, {}, None, {}

    def get(self, name):
        if name not in self.known:
            kind, ms = re.fullmatch(r'(socket|tcp|tls)(\d*)', name).groups()
            if kind == 'tls' and not self.ca:
                self.ca = with_tls(self.server)
            self.known[name] = World(name, self.server, self.delay(ms),
                                     self.ca if kind == 'tls' else None)
        return self.known[name]

    def delay(self, ms):
        if ms and ms not in self.delays:
            self.delays[ms] = Delay(self.server, int(ms) / 2)
        return self.delays.get(ms)

    def close(self):
        for delay in self.delays.values():
            delay.close()


# ---- certificates

def openssl(*words):
    done = subprocess.run(['openssl', *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError('openssl %s: %s' % (words[0], done.stderr))


def root(where, number, key):
    openssl('req', '-x509', '-new', '-key', key, '-sha256', '-days', '3650',
            '-subj', '/O=Authority %d of a benchmark/CN=Root %d' % (
                number, number), '-out', '%s/%d.crt' % (where, number))


def certificates():
    """A bundle of roots as systems have it, in size and in kinds of keys; one
    in the middle signs the server.  (bundle, certificate, key)"""
    where = os.path.join(workdir(), 'certificates')
    os.makedirs(where, exist_ok=True)
    keys = ['%s/%s.key' % (where, name) for name in KEYS]
    for name, bits in zip(keys, ('4096', '2048')):
        openssl('genrsa', '-out', name, bits)
    for name in (keys[2], where + '/signer.key', where + '/server.key'):
        openssl('ecparam', '-name', 'secp384r1' if name == keys[2] else
                'prime256v1', '-genkey', '-noout', '-out', name)
    with open(where + '/bundle.crt', 'w') as bundle:
        for i in range(ROOTS):
            root(where, i, where + '/signer.key' if i == SIGNER
                 else keys[i % len(keys)])
            with open('%s/%d.crt' % (where, i)) as f:
                bundle.write(f.read())
    openssl('req', '-x509', '-new', '-key', where + '/server.key', '-CA',
            '%s/%d.crt' % (where, SIGNER), '-CAkey', where + '/signer.key',
            '-subj', '/CN=localhost', '-days', '30', '-addext',
            'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext',
            'basicConstraints=CA:false', '-out', where + '/server.crt')
    return where + '/bundle.crt', where + '/server.crt', where + '/server.key'


def with_tls(server):
    """The server speaks TLS from now on; the bundle that clients trust."""
    bundle, *of_server = certificates()
    data = os.path.join(server.dir, 'data')
    owner = os.stat(data).st_uid
    for name in of_server:
        copy = shutil.copy(name, data)
        os.chmod(copy, 0o600)
        os.chown(copy, owner, -1)
    server.sql('postgres',
               "ALTER SYSTEM SET ssl_cert_file = 'server.crt'",
               "ALTER SYSTEM SET ssl_key_file = 'server.key'",
               "ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.3'",
               'ALTER SYSTEM SET ssl = on', 'SELECT pg_reload_conf()')
    if not wait_for(lambda: server.sql('postgres', 'SHOW ssl') == 'on'):
        raise RuntimeError('the server does not speak TLS')
    return bundle
