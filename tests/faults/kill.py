# SPDX-License-Identifier: MIT
"""mizzle, or the server's end of its connection, is ended at a random
instant."""
import signal
import time

from bouncer import PgBouncer, there

SCENARIOS = {}
# The instants are spread over a little more than a run takes.
MORE = 1.1
WORLDS = (dict(kind='whole'), dict(kind='whole', layout='folders'),
          dict(kind='fits', options=('--transaction', 'all')))


class Clock:
    """How long an undisturbed run takes, on this machine, at present."""

    def __init__(self, world, **where):
        self.world, self.where = world, where
        self.seconds = sorted(self.one() for _ in range(5))[2]

    def one(self):
        db = self.world.database()
        began = time.monotonic()
        got = self.world.migrate(db, url=self.url(db))
        took = time.monotonic() - began
        if got.status:
            raise RuntimeError('undisturbed: %s' % got)
        db.close()
        return took

    def url(self, db):
        return db.url(self.where.get('port'))

    def instant(self, rng):
        return rng.uniform(0, self.seconds * MORE)

    def learn(self, took):
        self.seconds += (took - self.seconds) / 20


def disturb(row, context, world, rng, clock, count, fault, also=()):
    """fault(run, db) is called at a random instant of each run."""
    before = 0
    for n in range(count):
        db = world.database()
        db.pooled = 'port' in clock.where
        began = time.monotonic()
        run = world.start(db, url=clock.url(db))
        instant = clock.instant(rng)
        time.sleep(max(0, began + instant - time.monotonic()))
        before += run.poll() is not None
        fault(run, db)
        got = world.ended(run)
        if got.status == 0:
            clock.learn(time.monotonic() - began)
        row.add(world.settle(db, got, also=also), 'run %d, after %.1f ms' % (
            n, instant * 1000))
    return before


def spread(ci, long, fault, also=()):
    """A scenario over all worlds."""
    def scenario(row, context):
        rng, before = context.rng(row.name), 0
        for i, world in enumerate(WORLDS):
            world = context.world(**world)
            count = context.count(ci, long) * (i + 1) // len(WORLDS) - \
                context.count(ci, long) * i // len(WORLDS)
            if count:
                before += disturb(row, context, world, rng, Clock(world),
                                  count, lambda run, db, w=world: fault(
                                      w, run, db), also)
        row.note('%d of %d runs had ended by themselves before it' % (
            before, row.runs))
    return scenario


def killed(world, run, db):
    run.kill()


def asked(world, run, db):
    run.send_signal(signal.SIGTERM)


def terminated(world, run, db):
    world.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
              "datname = '%s'" % db.name)


def cancelled(world, run, db):
    db.leaves = True
    world.ask("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE "
              "datname = '%s'" % db.name)


SCENARIOS['kill -9 mizzle'] = spread(75, 2500, killed, (-9,))
SCENARIOS['kill -TERM mizzle'] = spread(60, 2000, asked, (
    143, -signal.SIGTERM))  # before it listens for signals
SCENARIOS['pg_terminate_backend'] = spread(50, 1500, terminated)
SCENARIOS['pg_cancel_backend'] = spread(25, 1000, cancelled)


# ---- a pooler

def bouncer(context, mode, size=6):
    """Without TLS; whoever restarts it has one of his own."""
    server = context.world().server
    server.data = server.dir + '/data'
    return PgBouncer(server, [('tester', server.password)], pool_mode=mode,
                     client_tls_sslmode='disable', default_pool_size=size,
                     server_tls_sslmode='disable', server_tls_ca_file=None,
                     max_prepared_statements=None, max_client_conn=300)


def pooled(mode, ci, long):
    """PgBouncer is killed, or ended, and is there again."""
    def scenario(row, context):
        if not there():
            row.skip('no PgBouncer here')
            return
        pool, world = bouncer(context, mode), context.world()
        rng = context.rng(row.name)

        def restart(run, db):
            pool.restart(rng.choice((signal.SIGKILL, signal.SIGTERM)))
        before = disturb(row, context, world, rng, Clock(
            world, port=pool.port), context.count(ci, long), restart)
        row.note('%d of %d runs had ended by themselves before it' % (
            before, row.runs))
        pool.stop()
    return scenario


for name in 'session', 'transaction':
    SCENARIOS['PgBouncer ended, %s mode' % name] = pooled(name, 12, 500)
