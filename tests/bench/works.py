# SPDX-License-Identifier: MIT
"""The works: what is done in a turn, by whom, in which worlds.

A work has a title, the worlds it is done in, how many turns at most, and
players(bench, world): {name: what takes a turn and returns what it cost}.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import MIZZLE
from costs import TOOLS, measured
from folders import folder, largest, one_file, seed
from limits import hashing, server_alone, sha256sum
from peers import NODE, Mizzle

HASH = 'SHA-256 of the files alone'
ALONE = 'the server alone, one message'
TRUE = 'a static `true`'
SELECT = "psql -c 'select 1'"
NEAR = ('socket', 'tcp', 'tls')


class Work:
    worlds, most, often = ('',), None, 1
    warm = 1            # turns before those that count
    counted = False     # a turn more tells round trips, and instructions
    grows = False       # its players are sizes

    def turns(self, runs):
        return min(self.most or runs, runs) * self.often


class StartUp(Work):
    """So short that a turn is many of them."""

    title = 'start-up: `--version`'
    often, at_once = 3, 20

    def players(self, bench, world):
        commands = {'mizzle': [MIZZLE, '--version'],
                    TRUE: [TOOLS + '/nothing'],
                    'psql': [bench.server.psql, '--version']}
        for p in bench.peers:
            if p.name == 'dbmate' or p.name.startswith('mizzle, '):
                commands[p.name] = [p.program, '--version']
            elif p.name == 'drizzle-kit':
                commands['node'] = [*NODE, '--version']
                commands[p.name] = [*NODE, p.program, '--version']
        return {name: lambda c=c: measured(
            c, {}, 1 if 'node' in c else self.at_once)
            for name, c in commands.items()}


class Nothing(Work):
    """Everything is applied already."""

    counted = True

    def __init__(self, migrations, *far):
        self.of = folder('made', migrations)
        self.worlds = NEAR + far
        self.title = 'nothing to do, %d migration%s applied' % (
            migrations, 's' * (migrations > 1))

    def commands(self, bench, world):
        """{name: (command, environment)}"""
        found = {}
        for p in bench.peers:
            if p.again:
                db = bench.applied(self.of, p)
                name = SELECT if p.name == 'psql' else p.name
                found[name] = p.again(p.ready(self.of), world.place(db))
        if world.ca and bench.direct_tls:
            place = world.place(bench.applied(self.of, bench.mizzle),
                                '&sslnegotiation=direct')
            found['mizzle, direct TLS'] = bench.mizzle.run(self.of.path, place)
        return found

    def players(self, bench, world):
        found = {name: lambda c=c: bench.through(world, *c)
                 for name, c in self.commands(bench, world).items()}
        if not world.delay:
            texts = list(self.of.contents())
            found[HASH] = lambda: hashing(texts)
        return found


class First(Work):
    """On an empty database."""

    def __init__(self, of, title, worlds, most=None, alone=True, without=()):
        self.of, self.title, self.worlds = of, title, worlds
        self.most, self.alone, self.without = most, alone, without
        self.warm = 0 if most else 1

    def players(self, bench, world):
        def turn(peer, through):
            where, db = peer.ready(self.of), bench.server.fresh('first')
            return bench.through(through, *peer.run(where, through.place(db)))

        def alone():
            return server_alone(bench.server, bench.server.fresh('first'),
                                self.of.contents())
        found = {p.name: lambda p=p: turn(p, world) for p in bench.peers
                 if p.name not in self.without}
        if world.delay:
            near = bench.worlds.get(world.name.rstrip('0123456789'))
            for p in bench.peers[:2]:
                found[p.name + ', near'] = lambda p=p: turn(p, near)
        elif self.alone:
            found[ALONE] = alone
        return found


class Seed(Work):
    """A script, and the same as a migration."""

    worlds, most = ('tcp',), 5

    def __init__(self, mb, **more):
        self.mb = mb
        self.title = 'a seed file of %g MB' % mb
        vars(self).update(more)

    def players(self, bench, world):
        of, name = one_file(self.mb), seed(self.mb)

        def turn(peer, call, what):
            db = bench.server.fresh('first')
            return bench.through(world, *call(what, world.place(db)))

        def alone():
            return server_alone(bench.server, bench.server.fresh('first'),
                                of.contents())
        found = {}
        for p in bench.peers:
            if p.again:
                found[p.name + ' -1 -f' * (p.name == 'psql')] = \
                    lambda p=p: turn(p, p.run, p.ready(of))
            if p.name == 'psql' or p.again and isinstance(p, Mizzle):
                found[p.name + (' -f' if p.name == 'psql' else ' exec')] = \
                    lambda p=p: turn(p, p.script, name)
        found[ALONE] = alone
        found['sha256sum'] = lambda: sha256sum([name])
        return found


class Asked(Work):
    """Ten thousand files, all applied, and what can be asked of them."""

    worlds = ('tcp',)

    def __init__(self, migrations):
        self.of = folder('tiny', migrations)
        self.title = '%s files, nothing pending' % '{:,}'.format(migrations)

    def players(self, bench, world):
        of, mizzle = self.of, bench.mizzle
        db = bench.applied(of, mizzle)
        files, texts = of.files(), list(of.contents())
        found = {'mizzle': mizzle.run(of.path, world.place(db))}
        for c in ('status', 'check', 'verify'):
            found['mizzle ' + c] = mizzle.ask(c, of.path, world.place(db))
        for p in bench.peers:
            if p.name in ('dbmate', 'drizzle-orm (pg)') or \
                    p.name.startswith('mizzle, '):
                found[p.name] = p.again(p.ready(of), world.place(
                    bench.applied(of, p)))
        found = {name: lambda c=c: bench.through(world, *c)
                 for name, c in found.items()}
        found['sha256sum'] = lambda: sha256sum(files)
        found[HASH] = lambda: hashing(texts)
        return found


def works(options):
    """{key: what makes the work}, or nothing where it cannot be done."""
    far = options.far.split(',') if options.far else []
    real, statements = largest()
    slow = {'most': 3}
    tiny = options.migrations
    return {
        'start': StartUp,
        'noop1': lambda: Nothing(1),
        'noop100': lambda: Nothing(100, *far),
        'noop1000': lambda: Nothing(1000),
        'first': lambda: First(
            folder('made', 100),
            'first run of 100 migrations, 300 statements', NEAR),
        'firstfar': lambda: First(
            folder('made', 100), 'first run of 100 migrations, 300 '
            'statements, from afar', far if options.long else far[:1],
            **slow),
        'real': lambda: real and First(
            real, 'first run of a real folder, %d migrations, %d statements'
            % (len(real.files()), statements),
            ('socket', 'tcp', *(far[:1] if options.long else []))),
        'tiny': lambda: First(
            folder('tiny', tiny), 'first run of %s tiny migrations' %
            '{:,}'.format(tiny), ('tcp',), **slow,
            without=('drizzle-orm (postgres.js)', 'drizzle-kit')),
        'huge': lambda: First(
            one_file(options.huge), 'one file of %g MB' % options.huge,
            ('tcp',), **slow, alone=False, without=(
                'drizzle-orm (postgres.js)', 'drizzle-kit',
                'mizzle --transaction all')),
        'seed': lambda: Seed(options.seed),
        'asked': lambda: Asked(tiny),
    }


# ---- what has a server of its own

def newest_server():
    """Of those that npm brings, one that begins with TLS at once (17)."""
    places = {version: os.path.join(
        os.environ.get('POSTGRES_HOME', '/nonexistent'), 'node_modules',
        'postgres-%d' % version, 'native', 'bin') for version in (18, 17)}
    return next(((version, place) for version, place in places.items()
                 if os.access(place + '/initdb', os.X_OK)), (None, None))


def direct():
    """Nothing to do, and TLS from the first byte on."""
    version, place = newest_server()

    def make():
        work = Nothing(100)
        work.worlds, work.title = ('tls',), '%s, PostgreSQL %d' % (
            work.title, version)
        return work
    return place and make, {'PG_BIN': place}, ()


def disk():
    """Commits wait for a disk, as they do elsewhere."""
    def make():
        return First(folder('made', 100), 'first run of 100 migrations, 300 '
                     'statements, on a disk, with fsync', ('tcp',))
    return make, {'ON_DISK': '1'}, ('fsync=on',)


ELSEWHERE = {'direct': direct, 'disk': disk}
