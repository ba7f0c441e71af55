# SPDX-License-Identifier: MIT
"""The connection is not cut: it just says nothing any more.

What is promised: all that is asked before there is something to do comes to
an end after connect_timeout.  A statement may take its time; that nobody is
there any more the keepalives find out, when the network is gone, and when it
is a proxy that does not answer, who waits sends a signal.
"""
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from cut import Once, is_answer, is_commit, places
from network import Network, alone, possible
from proxy import Freeze, Proxy
from world import unclear

SCENARIOS = {}
SLEEPS = True   # most of the time: it needs no processor of its own
AT_ONCE = 16    # they sleep
SOON = '?sslmode=disable&connect_timeout=2'
# A peer that is gone is noticed after 3 s, whether something is on its way to
# it or not.
WATCHFUL = '&keepalives_idle=1&keepalives_interval=1&keepalives_count=2' \
    '&tcp_user_timeout=3000'


def all_at_once(jobs):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(*job) for job in jobs]:
            done.result()


def in_time(row, what, began, most):
    took = time.monotonic() - began
    if took > most:
        row.fail('%s: it took %.1f s' % (what, took))
    return took


# ---- before there is something to do

def early(found, proxy_seen):
    """Those up to the answer to the first question."""
    ends = [k for k, tag in enumerate(proxy_seen['back']) if tag == b'Z']
    return [at for at in found if at[0] == 0 and at[2] <= (
        ends[1] if at[1] == 'back' else 3)]


def login(row, context):
    world = context.world()
    db = world.database()
    with Proxy(world.server.port) as proxy:
        world.migrate(db, url=db.url(proxy.port))
        seen = proxy.seen()[0]
    db.close()
    most = 0

    def one(at):
        nonlocal most
        db = world.database()
        began = time.monotonic()
        with Proxy(world.server.port, Once(at, lambda m: Freeze(
                len(m) // 2))) as proxy:
            got = world.migrate(db, url=db.url(proxy.port, SOON))
            most = max(most, in_time(row, 'at %s' % (at,), began, 20))
        if got.status != 3:
            row.fail('at %s: %s' % (at, got))
        row.add(world.settle(db, got), 'at %s' % (at,))
    world.truth()
    all_at_once((one, at) for at in early(places(world), seen))
    row.note('connect_timeout=2: each ended after %.1f s at most' % most)


# ---- SIGTERM

def ended_by_hand(row, world, at, took):
    """SIGTERM; then the next one says who is in the way, until that is
    ended."""
    what = 'at %s' % (at,)
    db = world.database()
    db.claims = False   # the next run changes it
    with Proxy(world.server.port, Once(at, lambda m: Freeze())) as proxy:
        run = world.start(db, url=db.url(proxy.port))
        if proxy.hit.wait(60):
            time.sleep(0.1)
            run.send_signal(signal.SIGTERM)
        began = time.monotonic()
        got = world.ended(run)
        took.append(in_time(row, what, began, 35))
        next_one = world.migrate(db, '--lock-wait', '1s')
    wrong = unclear(next_one)
    if wrong or next_one.status not in (0, 3, 4, 6):
        row.fail('%s, the next run: %s: %s' % (what, wrong, next_one))
    row.add(world.settle(db, got, also=(143,)), what)
    return got.status, next_one.status


def sigterm(row, context):
    world, took = context.world(), []
    world.truth()
    all_at_once((ended_by_hand, row, world, at, took) for at in context.some(
        places(world), 16))
    took.sort()
    row.note('it ends %.1f s after the signal (median; %.1f s at most)' % (
        took[len(took) // 2], took[-1]))


# ---- the network is gone

def without_network(world, at, back):
    """back: how long until it is there again; None: never."""
    net = Network()

    def lose(_):
        net.down()
        return Freeze(alone=True)
    db = world.database()
    with Proxy(os.path.join(world.server.dir, '.s.PGSQL.%d' %
                            world.server.port), Once(at, lose),
               listener=net.listener) as proxy:
        run = world.start(db, url=db.url(proxy.port, SOON + WATCHFUL))
        if proxy.hit.wait(60) and back is not None:
            time.sleep(back)
            net.up()
            time.sleep(3)   # by then the server has noticed it, too
            proxy.melt()
        got = world.ended(run)
    net.close()
    return db, got


def cable(back, ci):
    def scenario(row, context):
        why = possible()
        if why:
            row.skip(why)
            return
        world, took = context.world(), []
        world.truth()

        def one(at):
            began = time.monotonic()
            db, got = alone(without_network, world, at, back)
            took.append(in_time(row, 'at %s' % (at,), began, 90))
            row.add(world.settle(db, got), 'at %s' % (at,))
        all_at_once((one, at) for at in context.some(places(world), ci))
        row.note('with keepalives after 1 s: ended after %.1f s at most' %
                 max(took))
    return scenario


SCENARIOS['frozen before there is something to do'] = login
SCENARIOS['frozen, then SIGTERM'] = sigterm
SCENARIOS['no network from then on'] = cable(None, 16)
SCENARIOS['no network for 5 s'] = cable(5, 16)
