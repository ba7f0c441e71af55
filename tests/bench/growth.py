# SPDX-License-Identifier: MIT
"""How time and memory grow with the number of files and with their size."""
from folders import folder, one_file
from works import Work

FILES = (100, 1000, 4000, 10000)
APPLIED = (500, 2000, 8000)
SIZES = (5, 20, 50)


class Growth(Work):
    """Players are sizes; a turn of all of them is a line."""

    grows = True
    worlds, unit = ('tcp',), 'migrations'

    def label(self, n):
        return '{:,} {}'.format(n, self.unit)


class NothingGrows(Growth):
    title = 'nothing to do, and ever more files'

    def players(self, bench, world):
        found = {}
        for n in FILES:
            of = folder('tiny', n)
            db = bench.applied(of, bench.mizzle)
            command = bench.mizzle.run(of.path, world.place(db))
            found[self.label(n)] = \
                lambda c=command: bench.through(world, *c)
        return found


class ApplyGrows(Growth):
    title = 'a first run of ever more tiny migrations'
    most = 3
    more = ()

    def of(self, n):
        return folder('tiny', n)

    def sizes(self):
        return APPLIED

    def players(self, bench, world):
        def turn(n):
            of, db = self.of(n), bench.server.fresh('first')
            return bench.through(world, *bench.mizzle.run(
                of.path, world.place(db), *self.more))
        return {self.label(n): lambda n=n: turn(n) for n in self.sizes()}


class AllGrows(ApplyGrows):
    title = 'the same in one transaction (`--transaction all`)'
    more = ('--transaction', 'all')


class FileGrows(ApplyGrows):
    title = 'one file, and ever larger'
    unit = 'MB'

    def of(self, n):
        return one_file(n)

    def sizes(self):
        return SIZES


GROWTHS = {'grow': NothingGrows, 'growapply': ApplyGrows,
           'growall': AllGrows, 'growfile': FileGrows}
