# SPDX-License-Identifier: MIT
"""The server crashes at a random instant: a process of it is killed, or all
of it is ended at once and started again.

Commits that do not wait for the disk may be lost by that; so in some of the
runs nobody writes the log but who commits.  What must hold: what mizzle has
said to be done, with status 0, is there after the recovery; what it told
before that is there, or is not and done anew.
"""
import contextlib
import json
import os
import signal
import time

from harness import MIZZLE
from kill import MORE, Clock
from talk import Ended, Talk
from world import World

SCENARIOS = {}
# The log is written by those that wait for it, and by nobody else.
LAZY = ('wal_writer_delay=10s', 'wal_writer_flush_after=1GB',
        'bgwriter_lru_maxpages=0', 'checkpoint_timeout=1h')
ENOUGH = 60     # crashes; one in five of them loses a commit


def postmaster(server):
    with open(os.path.join(server.dir, 'data', 'postmaster.pid'),
              encoding='ascii') as f:
        return int(f.readline())


def parent(pid):
    try:
        with open('/proc/%d/stat' % pid, encoding='ascii') as f:
            return int(f.read().rsplit(')', 1)[1].split()[1])
    except (OSError, IndexError):
        return None


def kill_a_backend(world, db, rng):
    """One of this database; of any other where none is left."""
    main = postmaster(world.server)
    pids = [int(pid) for pid, in world.ask(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = "
        "'client backend' AND pid <> pg_backend_pid() AND datname = '%s'"
        % db.name)] or [int(world.ask('SELECT pg_backend_pid()')[0][0])]
    pid = rng.choice(pids)
    with Talk(world.server) as witness:
        if parent(pid) == main:
            with contextlib.suppress(ProcessLookupError):   # ended just now
                os.kill(pid, signal.SIGKILL)
            until_ended(witness, pid)


def until_ended(witness, pid):
    """Everybody is sent away; before that the server seems to be well.  One
    that was about to end anyway is not missed."""
    end = time.monotonic() + 5
    try:
        while parent(pid) or time.monotonic() < end:
            witness('SELECT 1')
    except (OSError, Ended):
        pass


def restart(world, db, rng):
    """What pg_ctl restart -m immediate does."""
    world.server.do('server_down QUIT; server_up')


def told(got):
    """How many migrations it said to be applied."""
    count = 0
    for line in got.out.splitlines():
        try:
            event = json.loads(line)
        except ValueError:      # cut off
            continue
        count += event.get('event') == 'migration' and \
            event.get('state') == 'applied'
    return count


class Crashes:
    def __init__(self, row, world, rng):
        self.row, self.world, self.rng = row, world, rng
        self.clock = Clock(world)
        self.lost, self.before, self.missing = 0, 0, 0

    def one(self, crash, n):
        db = self.world.database()
        db.claims = False     # what it said may be lost
        self.world.ask('CHECKPOINT')
        began = time.monotonic()
        run = self.world.start(db, '--json', url=self.clock.url(db))
        instant = self.rng.uniform(0, self.clock.seconds * MORE)
        time.sleep(max(0, began + instant - time.monotonic()))
        self.before += run.poll() is not None
        crash(self.world, db, self.rng)
        self.look(db, self.world.ended(run), 'run %d, after %.1f ms' % (n, instant * 1000))

    def durable(self, crash, n):
        """Right behind the end, as far as that is to be had."""
        db = self.world.database()
        db.claims = False     # what it said may be lost
        self.world.ask('CHECKPOINT')
        got = self.world.migrate(db, '--json')
        crash(self.world, db, self.rng)
        self.look(db, got, 'run %d' % n)

    def look(self, db, got, what):
        rows = self.world.recorded(db)
        if got.status != 0 and told(got) > rows:
            self.lost += 1
            self.missing += told(got) - rows
        self.row.add(self.world.settle(db, got), what)

    def note(self):
        self.row.note('%d of %d had ended by themselves; in %d commits were '
                      'lost (%d migrations), and done anew' % (
                          self.before, self.row.runs, self.lost,
                          self.missing))


def forgets():
    """Does mizzle have commits that do not wait for the disk?"""
    with open(MIZZLE, 'rb') as f:
        return b'synchronous_commit' in f.read()


def scenario(crash, ci, long, settings=(), **more):
    def at_random(row, context):
        world = World(*settings, **more)
        crashes = Crashes(row, world, context.rng(row.name))
        world.truth()
        count, must_lose = context.count(ci, long), settings and forgets()
        for n in range(max(count, ENOUGH) if must_lose else count):
            if n >= count and crashes.lost:
                break
            crashes.one(crash, n)
        crashes.note()
        if must_lose and not crashes.lost:
            row.fail('no commit was lost, so it proves nothing')
        world.server.stop()
    return at_random


def done(crash, ci, long):
    def behind_the_end(row, context):
        world = World(*LAZY)
        crashes = Crashes(row, world, context.rng(row.name))
        world.truth()
        for n in range(context.count(ci, long)):
            crashes.durable(crash, n)
        world.server.stop()
    return behind_the_end


SCENARIOS['kill -9 a backend'] = scenario(kill_a_backend, 24, 800)
SCENARIOS['kill -9 a backend, lazy log'] = scenario(
    kill_a_backend, 16, 500, LAZY)
SCENARIOS['restart -m immediate'] = scenario(restart, 10, 400)
SCENARIOS['restart -m immediate, lazy log'] = scenario(
    restart, 10, 400, LAZY, kind='fits')
SCENARIOS['crash right after status 0'] = done(restart, 6, 400)
