# SPDX-License-Identifier: MIT
"""What many statements and many migrations cost: hardly more waiting than
one, counted by a proxy."""
import sys

from harness import (BREAK, Server, check, journal, mizzle, needs_program,
                     newdir, note, verdict, wait_for)
from wire import Proxy

needs_program()
server = Server('autovacuum=off')
proxy = Proxy(server.port)
TRIES = 5
EMPTY = ('CREATE SCHEMA drizzle AUTHORIZATION tester', 'SET ROLE tester',
         'CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, '
         'hash text NOT NULL, created_at bigint)')


def folder(name, migrations, statements):
    return journal(newdir(name), [
        ('%04d_m' % m, BREAK.join('CREATE TABLE t%d_%d (id int);\n' % (m, s)
                                  for s in range(statements)))
        for m in range(migrations)])


def one_run(where, *options):
    """(turns that the proxy saw, round trips that mizzle counts)."""
    server.fresh('p')
    if 'fresh' not in options:
        server.sql('p', *EMPTY)
    del proxy.sessions[:]
    got = mizzle('migrate', '--json', '--no-monitor', '--dir', where,
                 *(o for o in options if o != 'fresh'), '--url',
                 server.url('p').replace(':%d/' % server.port,
                                         ':%d/' % proxy.port) +
                 '?sslmode=disable')
    check('%s %s: it is applied' % (where, options), 0, got.status)
    check('%s %s: on one connection' % (where, options), 1,
          len(proxy.sessions))
    wait_for(lambda: proxy.sessions[0]['front'].endswith(b'X\0\0\0\4'))
    return proxy.sessions[0]['turns'], got.event('result')['round_trips']


def cost(where, *options):
    """What is sent while answers come back looks like a turn to the proxy,
    so it counts too many at times, and never too few."""
    runs = [one_run(where, *options) for _ in range(TRIES)]
    note('%-24s %s' % (' '.join((where.rsplit('/', 1)[1],) + options), runs))
    return min(turns for turns, _ in runs), max(own for _, own in runs)


def at_most(what, limit, many, one):
    for by, m, o in zip(('the proxy', 'mizzle'), many, one):
        check('%s: at most %d round trips more than one, says %s (%d and %d)'
              % (what, limit, by, m, o), True, m - o <= limit)


ONE = folder('one', 1, 1)
THOUSAND = folder('thousand', 1, 1000)
HUNDRED = folder('hundred', 100, 3)
for state in ((), ('fresh',)):
    single = cost(ONE, *state)
    at_most('1000 statements', 3, cost(THOUSAND, *state), single)
    # One each is promised; they are sent ahead as statements are, so it is
    # far less, and more than this would be a step back.
    at_most('100 migrations', 25, cost(HUNDRED, *state), single)
    everything = state + ('--transaction', 'all')
    single = cost(ONE, *everything)
    at_most('100 migrations in one transaction', 4,
            cost(HUNDRED, *everything), single)
    at_most('1000 statements in it', 3, cost(THOUSAND, *everything), single)
proxy.close()
sys.exit(verdict())
