# SPDX-License-Identifier: MIT
"""Who is compared: how each is called, and what it wants for a folder.

A peer has a name, a version, or none where it is not installed, and makes
ready a folder of migrations for itself once; then it can be run on a database.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import HERE, MIZZLE, workdir, write

BENCH = os.path.join(os.path.dirname(HERE), 'bench')


def bench_home():
    """Where the packages of package.json are installed, if they are."""
    return os.environ.get('BENCH_HOME') or '/nonexistent'


def said(*command):
    """The first version number that it says of itself."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = re.search(r'\d+(\.\d+)+', done.stdout + done.stderr)
    return found and found.group()


class Place:
    """A database, by socket or TCP, as each of them wants to be told."""

    def __init__(self, server, db, port=None):
        self.db, self.port, self.tcp = db, port or server.port, bool(port)
        self.host = '127.0.0.1' if self.tcp else server.dir
        self.password = server.password

    def env(self):
        env = {'PGHOST': self.host, 'PGPORT': str(self.port),
               'PGUSER': 'tester', 'PGDATABASE': self.db,
               'PGSSLMODE': 'disable'}
        return {**env, 'PGPASSWORD': self.password} if self.tcp else env

    def url(self):
        if not self.tcp:
            return 'postgresql://tester@/%s?host=%s&port=%d&sslmode=disable' \
                % (self.db, self.host, self.port)
        quoted = ''.join(c if c.isalnum() else '%%%02X' % ord(c)
                         for c in self.password)
        return 'postgresql://tester:%s@127.0.0.1:%d/%s?sslmode=disable' % (
            quoted, self.port, self.db)


class Mizzle:
    name = 'mizzle'

    def version(self):
        return said(MIZZLE, '--version')

    def ready(self, folder):
        return folder.path

    def run(self, where, place):
        return [MIZZLE, 'migrate', '-q', '--dir', where, '--url',
                place.url()], {}

    again = run


class MizzleAll(Mizzle):
    """Drizzle's way, and that of psql -1; looking is the same as above."""
    name = 'mizzle --transaction all'

    def run(self, where, place):
        command, env = super().run(where, place)
        return command + ['--transaction', 'all'], env

    again = None


class Psql:
    """It keeps no history: the files in one transaction, and in place of
    looking what is to be done, mizzle's history is read."""
    name = 'psql'

    def __init__(self, server):
        self.psql = server.psql

    def version(self):
        return said(self.psql, '--version')

    def ready(self, folder):
        return [w for f in folder.files() for w in ('-f', f)]

    def command(self, words, place):
        return [self.psql, '-X', '-q', '-o', '/dev/null', '-v',
                'ON_ERROR_STOP=1', *words], place.env()

    def run(self, where, place):
        return self.command(['-1', *where], place)

    def again(self, where, place):
        return self.command(['-c', 'SELECT id, hash, created_at FROM '
                             'drizzle.__drizzle_migrations'], place)


class Drizzle:
    def __init__(self, driver):
        self.driver = driver
        self.name = 'drizzle-orm (%s)' % {'postgres': 'postgres.js'}.get(
            driver, driver)

    def version(self):
        versions = []
        for package in ('drizzle-orm', self.driver):
            place = os.path.join(bench_home(), 'node_modules', package,
                                 'package.json')
            if not os.path.exists(place):
                return None
            with open(place) as f:
                versions.append(re.search(r'"version": "(.*?)"',
                                          f.read()).group(1))
        node = said('node', '--version')
        return node and '%s, %s %s, node %s' % (versions[0], self.driver,
                                                versions[1], node)

    def ready(self, folder):
        return folder.path

    def run(self, where, place):
        return ['/usr/bin/env', 'node', os.path.join(BENCH, 'drizzle.cjs'),
                self.driver, where], {**place.env(),
                                      'BENCH_HOME': bench_home()}

    again = run


class Dbmate:
    """It has a layout of its own, and sends a file as one message."""
    name = 'dbmate'

    def __init__(self):
        self.program = os.path.join(bench_home(), 'node_modules', '@dbmate',
                                    'linux-x64', 'bin', 'dbmate')

    def version(self):
        return said(self.program, '--version')

    def ready(self, folder):
        where = os.path.join(workdir(), folder.name + '.dbmate')
        for i, name in enumerate(folder.files()):
            with open(name, encoding='utf-8') as f:
                write('%s/%014d_m.sql' % (where, i + 1),
                      '-- migrate:up\n' + f.read() + '\n-- migrate:down\n')
        return where

    def run(self, where, place):
        return [self.program, '--no-dump-schema', '--migrations-dir', where,
                '--url', place.url(), 'migrate'], {}

    again = run


def peers(server):
    """Those that are here with their versions, and the names of the rest."""
    found, absent = [], []
    for peer in (Mizzle(), MizzleAll(), Psql(server), Dbmate(),
                 Drizzle('pg'), Drizzle('postgres')):
        peer.is_version = peer.version()
        (found if peer.is_version else absent).append(peer)
    return found, [p.name for p in absent]
