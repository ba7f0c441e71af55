# SPDX-License-Identifier: MIT
"""Many mizzles at once, and a migrator of another kind among them.

They start one after the other; how long after is swept from nothing to as
long as a run takes, so that the second comes at every stage of the first.
"""
import time

from bouncer import there
from harness import drizzle_home, finish, start_drizzle
from kill import Clock, bouncer

SCENARIOS = {}


class Route:
    """How they come to the server."""

    def __init__(self, context, mode, count):
        self.mode = mode
        # In session mode who waits keeps a connection, and there is to be one
        # more for who builds an index; in transaction mode they share.
        size = 6 if mode == 'transaction' else count + 4
        self.pool = bouncer(context, mode, size) if mode != 'direct' else None

    def url(self, db):
        return db.url(self.pool and self.pool.port)

    def close(self):
        if self.pool:
            self.pool.stop()


def sweep(most, steps):
    """Delays from 0 on, the last is not `most` itself."""
    return [most * i / steps for i in range(steps)]


def staggered(world, db, url, count, delay):
    """All of their results; each starts so much later than the one before."""
    began, running = time.monotonic(), []
    for n in range(count):
        time.sleep(max(0, began + n * delay - time.monotonic()))
        running.append(world.start(db, '--json', url=url))
    return [world.ended(run) for run in running]


def at_once(count, mode, ci, long, **kind):
    def scenario(row, context):
        if mode != 'direct' and not there():
            row.skip('no PgBouncer here')
            return
        world, route = context.world(**kind), Route(context, mode, count)
        most = Clock(world).seconds / (1 if count == 2 else count / 2)
        waited = 0
        for delay in sweep(most, context.count(ci, long)):
            db = world.database()
            db.pooled = mode != 'direct'
            got = staggered(world, db, route.url(db), count, delay)
            done = sum(g.event('result').get('applied', 0) for g in got)
            what = '%.1f ms after each other' % (delay * 1000)
            for g in got:
                if g.status:    # nothing was in the way of it but the others
                    row.fail('%s: %s' % (what, g))
            if done != len(world.tags):
                row.fail('%s: %d were told to be applied' % (what, done))
            waited += sum(0 < g.event('result').get('applied', 0) <
                          len(world.tags) for g in got)
            row.add(world.settle(db, *got), what)
        row.note('each up to %.0f ms after the one before; %d had to share '
                 'the work' % (most * 1000, waited))
        route.close()
    return scenario


for number, runs in ((2, (16, 200)), (5, (6, 100)), (20, (2, 40))):
    for way in 'direct', 'session', 'transaction':
        SCENARIOS['%d at once, %s' % (number, way if way == 'direct' else
                                      'PgBouncer, %s mode' % way)] = \
            at_once(number, way, *runs)
SCENARIOS['5 at once, all in one transaction'] = at_once(
    5, 'direct', 6, 100, kind='fits', options=('--transaction', 'all'))
SCENARIOS['5 at once, folders'] = at_once(5, 'direct', 4, 60, layout='folders')


def crowded(row, context):
    """A pool in session mode that has no room for the second connection of
    the one that is at it: some give up, and say so; it is done later."""
    if not there():
        row.skip('no PgBouncer here')
        return
    world, pool = context.world(), bouncer(context, 'session', 3)
    query = '?sslmode=disable&connect_timeout=2'
    for delay in sweep(0.02, context.count(2, 20)):
        db = world.database()
        db.pooled = True
        got = staggered(world, db, db.url(pool.port, query), 8, delay)
        if any(g.status not in (0, 3) for g in got):
            row.fail(str([g.status for g in got]))
        row.add(world.settle(db, *got), '%.0f ms' % (delay * 1000))
    pool.stop()


SCENARIOS['8 at once, a pool of 3'] = crowded

# ---- Drizzle among them

# A run of mizzle lasts as long as Node needs to start, so that they meet.
def slowed(parts):
    return tuple((n, 'SELECT pg_sleep(0.04);\n' + s) for n, s in parts)


def foreign(layout, version, ci, long):
    """One drizzle-orm and two mizzles.

    Drizzle takes no lock, and looks at the history before its transaction.
    While a mizzle is at it, Drizzle waits for the history, and mizzle makes
    room for it; but when it looks just before a mizzle begins, it does not
    see what that does.  Then it fails at what is there already, and all that
    it did is rolled back: it may fail, but nothing may be done twice.
    """
    def scenario(row, context):
        if not drizzle_home():
            row.skip('no drizzle-orm here')
            return
        base = context.world(kind='simple', layout=layout)
        world = base.like(parts=slowed(base.parts))
        ends = {}
        for late in sweep(1.0, context.count(ci, long)):
            db = world.database()
            theirs = start_drizzle(version, db.url(query=''), world.dir)
            time.sleep(late)
            ours = [world.start(db), world.start(db)]
            got = [world.ended(run) for run in ours]
            done = finish(theirs)
            what = 'mizzle %.0f ms after Drizzle' % (late * 1000)
            for g in got:
                # what Drizzle made meanwhile may be in the way, once
                if g.status not in (0, 1, 4):
                    row.fail('%s: %s' % (what, g))
            end = done.err.split('\n')[0] if done.status else 'well'
            ends[end] = ends.get(end, 0) + 1
            row.add(world.settle(db, *got), what)
        row.note('Drizzle ended: ' + '; '.join(
            '%s: %d' % one for one in sorted(ends.items())))
    return scenario


SCENARIOS['2 and a drizzle-orm 0.x'] = foreign('journal', 0, 6, 60)
SCENARIOS['2 and a drizzle-orm 1.x'] = foreign('folders', 1, 6, 60)
