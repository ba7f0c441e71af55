# SPDX-License-Identifier: MIT
"""The connection is cut: behind each message of either side, and in its
middle; and at a COMMIT, whose answer does not come."""
import time

from proxy import Cut, Proxy, server_context
from tlsworld import certs

SCENARIOS = {}
PLAIN = '?sslmode=disable'
MODES = {'each': dict(kind='whole'),
         'all': dict(kind='fits', options=('--transaction', 'all'))}


def places(world, tls=None, query=PLAIN):
    """Every message of an undisturbed run: [(session, way, k)]."""
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
    """A fault at one message, the first time that it comes.  at is (session,
    way, k), or a function of these and the message."""

    def __init__(self, at, make):
        self.at, self.make, self.done = at, make, False

    def __call__(self, session, way, k, message):
        if self.done or not (self.at(session, way, k, message) if callable(
                self.at) else (session, way, k) == self.at):
            return None
        self.done = True
        return self.make(message)


def behind(message):
    return Cut(-1)


def reset(message):
    return Cut(-1, rst=True)


def within(message):
    return Cut(max(1, len(message) // 2))


def sweep(row, context, world, ci, make, tls=None, query=PLAIN):
    found = places(world, tls, query)
    met = 0
    for at in context.some(found, ci):
        fault = Once(at, make)
        db = world.database()
        with Proxy(world.server.port, fault, tls=tls) as proxy:
            got = world.migrate(db, url=db.url(proxy.port, query))
        met += fault.done
        row.add(world.settle(db, got), 'at %s' % (at,))
    row.note('%d of %d messages; %d came' % (row.runs, len(found), met))


def plain(mode, make, ci):
    def scenario(row, context):
        sweep(row, context, context.world(**MODES[mode]), ci, make)
    return scenario


def by_tls(make, binding, ci):
    """TLS ends at the proxy, so no channel can be bound to the server."""
    def scenario(row, context):
        sweep(row, context, context.world(), ci, make, server_context(
            certs('server.crt'), certs('server.key')),
            '?sslmode=verify-full&sslrootcert=%s&channel_binding=%s' % (
                certs('root.crt'), binding))
    return scenario


for name in MODES:
    SCENARIOS['cut behind a message, ' + name] = plain(name, behind, 100)
    SCENARIOS['cut within a message, ' + name] = plain(name, within, 70)
SCENARIOS['cut by a reset, each'] = plain('each', reset, 40)
SCENARIOS['cut behind a message, TLS'] = by_tls(behind, 'prefer', 40)
SCENARIOS['cut within a message, TLS'] = by_tls(within, 'disable', 30)


# ---- at COMMIT

# This takes a while to commit: whoever looks too soon sees nothing of it.
SLOW = ('slow', '''CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END$$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON log DEFERRABLE
  INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.what = 'slow')
  EXECUTE FUNCTION slow();
INSERT INTO log VALUES ('slow');
''')


def is_commit(session, way, k, message):
    return way == 'front' and message[:1] == b'Q' and message[5:] == \
        b'COMMIT\0'


def is_answer(session, way, k, message):
    return way == 'back' and message[:1] == b'C' and message[5:] == \
        b'COMMIT\0'


class Nth:
    """The n-th message of a kind, from 0."""

    def __init__(self, is_it, n):
        self.is_it, self.n = is_it, n

    def __call__(self, *message):
        if not self.is_it(*message):
            return False
        self.n -= 1
        return self.n < 0


def count_commits(world):
    db, found = world.database(), []
    with Proxy(world.server.port, lambda *m: found.extend(
            [m] if is_answer(*m) else [])) as proxy:
        world.migrate(db, url=db.url(proxy.port))
    db.close()
    return len(found)


def at_commits(row, world, is_it, make):
    """At each COMMIT; where nobody is taken after it, that is for a while."""
    commits = count_commits(world)
    ends = {True: 0, False: 0}
    for n in range(commits):
        db = world.database()
        fault = Once(Nth(is_it, n), make)
        with Proxy(world.server.port, fault) as proxy:
            run = world.start(db, url=db.url(proxy.port))
            if proxy.hit.wait(30) and proxy.refuses:
                time.sleep(0.3)
                proxy.refuses = False
            got = world.ended(run)
        ends[got.status == 0] += 1
        row.add(world.settle(db, got), 'at COMMIT %d' % n)
    row.note('%d COMMITs; %d runs went on by themselves' % (
        commits, ends[True]))


def commit_lost(mode, is_it, **more):
    def scenario(row, context):
        at_commits(row, context.world(**MODES[mode]), is_it,
                   lambda _: Cut(0, **more))
    return scenario


def commit_slow(row, context):
    """The server is still at it when mizzle comes back."""
    base = context.world()
    world = base.like(parts=(*base.parts[:5], SLOW, *base.parts[5:]))
    at_commits(row, world, is_commit, behind)


for name in MODES:
    SCENARIOS['COMMIT lost, ' + name] = commit_lost(name, is_commit)
    SCENARIOS['answer to COMMIT lost, ' + name] = commit_lost(name, is_answer)
SCENARIOS['answer to COMMIT lost, and away'] = commit_lost(
    'each', is_answer, away=True)
SCENARIOS['slow COMMIT, answer lost'] = commit_slow
