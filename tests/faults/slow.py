# SPDX-License-Identifier: MIT
"""Nothing is lost on the way, but it takes its time: byte by byte, late, and
on one connection later than on another."""
from cut import MODES, PLAIN
from proxy import Delay, Proxy, server_context
from tlsworld import certs

SCENARIOS = {}


def several(row, world, rng, proxies, runs, tls_query=None):
    """As many mizzles at once as there are proxies."""
    for n in range(runs):
        db = world.database()
        made = [make(rng) for make in proxies]
        going = [world.start(db, url=db.url(p.port, tls_query or PLAIN))
                 for p in made]
        got = [world.ended(run) for run in going]
        for p in made:
            p.close()
        row.add(world.settle(db, *got), 'run %d' % n)
        for g in got:
            if g.status:    # there was nothing to fail
                row.fail('run %d: %s' % (n, g))


def byte_by_byte(mode):
    def scenario(row, context):
        world = context.world(**MODES[mode])
        several(row, world, context.rng(mode), [
            lambda rng: Proxy(world.server.port, piece=1)],
            context.count(2, 20))
    return scenario


def byte_by_byte_tls(row, context):
    world = context.world()
    tls = server_context(certs('server.crt'), certs('server.key'))
    several(row, world, None, [
        lambda rng: Proxy(world.server.port, piece=1, tls=tls)],
        context.count(1, 5), '?sslmode=verify-full&sslrootcert=' +
        certs('root.crt'))


def late(ms):
    """Every answer is late by up to so much, each by another time."""
    return lambda rng, port: Proxy(port, lambda session, way, k, message:
                                   Delay(rng.random() * ms / 1000)
                                   if way == 'back' else None)


def one_late(ms, number):
    """Those of one connection are late: the other overtakes it."""
    return lambda rng, port: Proxy(port, lambda session, way, k, message:
                                   Delay(ms / 1000) if session == number and
                                   message[:1] == b'Z' else None)


def held_back(make, count, ci, long):
    def scenario(row, context):
        world = context.world()
        rng = context.rng(row.name)
        several(row, world, rng, [
            lambda rng: make(rng, world.server.port)] * count,
            context.count(ci, long))
    return scenario


SCENARIOS['byte by byte, each'] = byte_by_byte('each')
SCENARIOS['byte by byte, all'] = byte_by_byte('all')
SCENARIOS['byte by byte, TLS'] = byte_by_byte_tls
SCENARIOS['answers late'] = held_back(late(8), 1, 5, 100)
SCENARIOS['answers late, five at once'] = held_back(late(8), 5, 4, 100)
SCENARIOS['the first connection late'] = held_back(one_late(5, 0), 1, 3, 30)
SCENARIOS['the second connection late'] = held_back(one_late(50, 1), 1, 3, 30)
SCENARIOS['one late, five at once'] = held_back(one_late(20, 1), 5, 3, 50)
