# SPDX-License-Identifier: MIT
"""The connection is cut: behind each message of either side, and in its
middle."""
from proxy import Cut, Proxy

SCENARIOS = {}


def places(world, tls=None, query='?sslmode=disable'):
    """Every message of an undisturbed run: (session, way, k)."""
    db = world.database()
    with Proxy(world.server.port, tls=tls) as proxy:
        got = world.migrate(db, url=db.url(proxy.port, query))
        if got.status:
            raise RuntimeError('undisturbed: %s' % got)
        found = [(i, way, k) for i, seen in enumerate(proxy.seen())
                 for way in ('front', 'back') for k in range(len(seen[way]))]
    db.close()
    return found


class Once:
    """A fault at one message, the first time that it comes."""

    def __init__(self, at, make):
        self.at, self.make, self.done = at, make, False

    def __call__(self, session, way, k, message):
        if self.done or (session, way, k) != self.at:
            return None
        self.done = True
        return self.make(message)


def behind(rst):
    return lambda message: Cut(-1, rst)


def within(rst):
    return lambda message: Cut(max(1, len(message) // 2), rst)


def sweep(row, context, world, ci, make, tls=None, query='?sslmode=disable'):
    all_of_it = places(world, tls, query)
    hits = 0
    for at in context.some(all_of_it, ci):
        fault = Once(at, make)
        db = world.database()
        with Proxy(world.server.port, fault, tls=tls) as proxy:
            got = world.migrate(db, url=db.url(proxy.port, query))
        hits += fault.done
        row.add(world.settle(db, got), 'at %s' % (at,))
    row.note('%d of %d messages, %d were met' % (row.runs, len(all_of_it),
                                                 hits))


def plain(kind, options, make):
    def scenario(row, context):
        sweep(row, context, context.world(kind=kind, options=options), 400,
              make)
    return scenario


ALL = ('--transaction', 'all')
for mode, kind, options in (('each', 'whole', ()), ('all', 'fits', ALL)):
    SCENARIOS['cut behind a message, ' + mode] = plain(kind, options,
                                                       behind(False))
    SCENARIOS['cut within a message, ' + mode] = plain(kind, options,
                                                       within(False))
