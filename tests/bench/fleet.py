# SPDX-License-Identifier: MIT
"""Many databases, one process each, four at a time, and the same again."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import workdir, write
from costs import measured
from folders import folder
from works import SELECT, Work

MIGRATIONS, AT_ONCE = 20, 4


class Fleet(Work):
    """Its turns have two results, {'apply', 'again'}."""

    worlds, most, warm = ('tcp',), 3, 0

    def __init__(self, databases):
        self.databases = databases
        self.of = folder('made', MIGRATIONS)
        self.title = '%d databases × %d migrations, one process each, ' \
            '`xargs -P%d`' % (databases, MIGRATIONS, AT_ONCE)

    def names(self):
        return ['fleet%d' % i for i in range(self.databases)]

    def create(self, server):
        """All, as they were; in one session, for that is quicker."""
        server.sql('postgres', *(s for name in self.names() for s in (
            'DROP DATABASE IF EXISTS %s WITH (FORCE)' % name,
            'CREATE DATABASE %s OWNER tester TEMPLATE template0 %s' % (
                name, server.quickly))))

    def drop(self, server):
        server.sql('postgres', *('DROP DATABASE IF EXISTS %s' % name
                                 for name in self.names()))

    def each(self, command, env):
        """The command once for each name, which is where it says {}."""
        names = write(os.path.join(workdir(), 'fleet'),
                      '\n'.join(self.names()) + '\n')
        return measured(['/usr/bin/xargs', '-P%d' % AT_ONCE, '-a', names,
                         '-I{}', *command], env)

    def players(self, bench, world):
        place = world.place('{}')

        def turn(peer):
            command = peer.run(peer.ready(self.of), place)
            self.create(bench.server)
            first = self.each(*command)
            return first if 'failed' in first else {
                'apply': first, 'again': self.each(*command)}

        def select(peer):
            command, env = peer.again(None, place)
            env.pop('PGDATABASE')
            return {'again': self.each([*command, '-d', '{}'], env)}
        found = {p.name: lambda p=p: turn(p) for p in bench.peers
                 if p.name in ('mizzle', 'dbmate') or
                 p.name == 'mizzle, the other one'}
        found[SELECT] = lambda: select(bench.psql)
        return found


def part(results, name):
    """Of {peer: [{'apply', 'again'}]} only the one, of who has it."""
    return {peer: [r if 'failed' in r else r[name] for r in runs]
            for peer, runs in results.items()
            if all('failed' in r or name in r for r in runs)}
