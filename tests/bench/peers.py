# SPDX-License-Identifier: MIT
"""Who is compared: how each is called, and what it wants for a folder.

A peer has a name, a version, or none where it is not installed, and makes
ready a folder of migrations for itself once; then it can be run on a database.
Those of one family read the same history.
"""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import HERE, MIZZLE, workdir, write

BENCH = os.path.join(os.path.dirname(HERE), 'bench')
NODE = ('/usr/bin/env', 'node')


def in_modules(*names):
    """Of the packages of package.json, where they are installed, if they are."""
    return os.path.join(os.environ.get('BENCH_HOME') or '/nonexistent',
                        'node_modules', *names)


def said(*command):
    """The first version number that it says of itself."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = re.search(r'\d+(\.\d+)+', done.stdout + done.stderr)
    return found and found.group()


def package_version(name):
    try:
        with open(in_modules(name, 'package.json')) as f:
            return json.load(f)['version']
    except OSError:
        return None


class Mizzle:
    name, family = 'mizzle', 'drizzle'

    def __init__(self, program=MIZZLE, named=''):
        self.program, self.name = program, self.name + named

    def version(self):
        return said(self.program, '--version')

    def ready(self, folder):
        return folder.path

    def run(self, where, place, *more):
        return [self.program, 'migrate', '-q', '--dir', where, '--url',
                place.url(), *more], {}

    again = run

    def ask(self, command, where, place):
        """status, verify, or check, which needs no database."""
        url = [] if command == 'check' else ['--url', place.url()]
        return [self.program, command, '-q', '--dir', where, *url], {}

    def script(self, name, place):
        return [self.program, 'exec', '-q', name, '--url', place.url()], {}


class MizzleAll(Mizzle):
    """Drizzle's way, and that of psql -1; looking is the same as above."""
    name = 'mizzle --transaction all'
    again = None

    def run(self, where, place, *more):
        return super().run(where, place, '--transaction', 'all', *more)


class Psql:
    """It keeps no history: a first run is the files in one transaction, and
    in place of looking what is to be done there is the least that it can."""
    name, family = 'psql', 'drizzle'

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
        return self.command(['-c', 'select 1'], place)

    def script(self, name, place):
        return self.command(['-f', name], place)


class Drizzle:
    family = 'drizzle'

    def __init__(self, driver):
        self.driver = driver
        self.name = 'drizzle-orm (%s)' % {'postgres': 'postgres.js'}.get(
            driver, driver)

    def version(self):
        versions = [package_version(p) for p in ('drizzle-orm', self.driver)]
        node = said(*NODE, '--version')
        if None in versions or not node:
            return None
        return '%s, %s %s, node %s' % (versions[0], self.driver, versions[1],
                                       node)

    def ready(self, folder):
        return folder.path

    def run(self, where, place):
        return [*NODE, os.path.join(BENCH, 'drizzle.cjs'), self.driver,
                where], place.env()

    again = run


class Kit:
    """drizzle-kit migrate; pg brings it to the server."""
    name, family = 'drizzle-kit', 'drizzle'
    program = in_modules('drizzle-kit', 'bin.cjs')

    def version(self):
        return package_version('drizzle-kit') if os.access(
            self.program, os.R_OK) and said(*NODE, '--version') else None

    def ready(self, folder):
        return folder.path

    def run(self, where, place):
        to = {'host': place.host, 'port': place.port, 'user': 'tester',
              'password': place.password, 'database': place.db, 'ssl': False}
        if place.ca:
            with open(place.ca) as f:
                to['ssl'] = {'ca': f.read()}
        config = write(os.path.join(workdir(), 'kit.config.json'), json.dumps(
            {'dialect': 'postgresql', 'out': where, 'dbCredentials': to}))
        return [*NODE, self.program, 'migrate', '--config',
                os.path.relpath(config, workdir())], {}

    again = run


class Dbmate:
    """It has a layout of its own, and sends a file as one message."""
    name = family = 'dbmate'
    program = in_modules('@dbmate', 'linux-x64', 'bin', 'dbmate')

    def version(self):
        return said(self.program, '--version')

    def ready(self, folder):
        where = os.path.join(workdir(), folder.name + '.dbmate')
        if not os.path.isdir(where):
            for i, text in enumerate(folder.contents()):
                write('%s/%014d_m.sql' % (where, i + 1), b'-- migrate:up\n' +
                      text + b'\n-- migrate:down\n')
        return where

    def run(self, where, place):
        return [self.program, '--no-dump-schema', '--migrations-dir', where,
                '--url', place.url(), 'migrate'], {}

    again = run


def peers(server, beside=None):
    """Those that are here with their versions, and the names of the rest."""
    found, absent = [], []
    others = [kind(beside, ', the other one') for kind in (
        Mizzle, MizzleAll)] if beside else []
    for peer in (Mizzle(), MizzleAll(), Psql(server), Dbmate(), Drizzle('pg'),
                 Drizzle('postgres'), Kit(), *others):
        peer.is_version = peer.version()
        (found if peer.is_version else absent).append(peer)
    return found, [p.name for p in absent]
