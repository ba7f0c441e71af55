# SPDX-License-Identifier: MIT
"""The server is not as it should be: its disk is full, it takes no more
connections, it is a standby, and then none."""
import os
import re
import shutil
import subprocess
import threading

from harness import Server, mizzle, wait_for
from proxy import Proxy
from roles import Midway, judged
from talk import Ended, Talk
from world import World

SCENARIOS = {}


# ---- a small disk

class SmallDisk:
    """Memory of a fixed size, mounted as a file system."""

    def __init__(self, where, size):
        self.where, self.size = where, size
        os.makedirs(where, exist_ok=True)
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=%d' % size,
                               'tmpfs', where], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise OSError(done.stderr.strip() or 'mount failed')

    def fill(self, leave=0):
        """Room for no more than that."""
        self.free()
        room = os.statvfs(self.where)
        n = room.f_bavail * room.f_frsize - leave
        with open(os.path.join(self.where, 'filler'), 'wb') as f:
            while n > 0:
                n -= f.write(b'\0' * min(n, 1 << 20))

    def free(self):
        try:
            os.unlink(os.path.join(self.where, 'filler'))
        except FileNotFoundError:
            pass

    def close(self):
        self.free()
        subprocess.run(['umount', '-l', self.where], check=False)


def owned(path, server):
    owner = os.stat(os.path.join(server.dir, 'data'))
    os.chown(path, owner.st_uid, owner.st_gid)


FULL = (1, r'(53100|58030|No space left on device)')


def tablespace(row, context):
    """The disk of the tables is full: from the beginning, and later."""
    world = context.world()
    where = os.path.join(world.server.dir, 'small')
    try:
        disk = SmallDisk(where, 64 << 20)
    except OSError as why:
        row.skip('nothing can be mounted here: %s' % why)
        return
    try:
        owned(where, world.server)
        world.ask("CREATE TABLESPACE small LOCATION '%s'" % where)
        leaves = [n << 13 for n in (*range(12), *range(12, 60, 4),
                                    *range(64, 200, 16))]
        ends = 0
        for leave in context.some(leaves, 12):
            db = world.database('TABLESPACE small')
            world.recorded(db)     # what the server keeps of a database
            disk.fill(leave)
            got = world.migrate(db)
            said = re.search(FULL[1], got.err)
            ends += bool(said)
            disk.free()
            outcome = world.settle(db, got)
            # of its init file the server itself says no more
            if got.status != 0 and not (said and got.status in (1, 3, 6)) \
                    and 'could not write init file' not in got.err:
                outcome.unclear = 'it does not say that the disk is full'
            row.add(outcome, '%d bytes are left' % leave)
        world.ask('DROP TABLESPACE small')
        row.note('%d of them met the end of the disk' % ends)
        if not ends:
            row.fail('the disk was never full')
    finally:
        disk.close()


def log_disk(row, context):
    """The disk of the log is full: PostgreSQL ends itself, and begins anew
    when there is room."""
    server = Server('autovacuum=off', 'min_wal_size=32MB', 'max_wal_size=48MB')
    where = os.path.join(server.dir, 'wal')
    try:
        disk = SmallDisk(where, 128 << 20)
    except OSError as why:
        row.skip('nothing can be mounted here: %s' % why)
        server.stop()
        return
    try:
        server.do('server_down INT')
        log = os.path.join(server.dir, 'data', 'pg_wal')
        owned(where, server)
        subprocess.run(['cp', '-a', log + '/.', where], check=True)
        shutil.rmtree(log)
        os.symlink(where, log)
        server.do('server_up')
        world = World(server=server)
        world.truth()
        met = 0
        for n in range(context.count(2, 12)):
            db = world.database()
            start_full = Midway((0, 'back', 25 + 60 * n), lambda: wal_ends(
                server, disk))
            with Proxy(server.port, start_full) as proxy:
                got = world.migrate(db, url=db.url(proxy.port))
            met += start_full.done
            disk.free()
            server.do('server_down QUIT')
            server.do('server_up')
            outcome = world.settle(db, got)
            row.add(outcome, 'at message %d' % (25 + 60 * n))
        row.note('%d times the log had no room' % met)
        with open(os.path.join(server.dir, 'server.log'), 'rb') as f:
            if b'PANIC' not in f.read():
                row.fail('the server never ended itself')
    finally:
        server.do('server_down QUIT')
        disk.close()
        server.stop()


def wal_ends(server, disk):
    """No new piece of the log can be made, and one is needed."""
    disk.fill()

    def use_up():
        try:
            with Talk(server) as ask:
                ask('CREATE TABLE IF NOT EXISTS filler (x text)')
                while True:
                    ask("INSERT INTO filler SELECT repeat(md5(i::text), 30) "
                        "FROM generate_series(1, 2000) i")
                    ask('SELECT pg_switch_wal()')
        except (OSError, RuntimeError):
            pass
    thread = threading.Thread(target=use_up)
    thread.start()
    thread.join(30)


SCENARIOS["the tables' disk is full"] = tablespace
SCENARIOS["the log's disk is full"] = log_disk


# ---- no connection is free

def all_but(server, free):
    """Sessions on all connections that there are but so many."""
    taken = []
    try:
        while True:
            taken.append(Talk(server, user='tester'))
    except Ended as end:
        if '53300' not in str(end):
            raise
    for _ in range(free):
        taken.pop().close()
    if not wait_for(lambda: server.sql(
            'postgres', "SELECT count(*) FROM pg_stat_activity WHERE usename "
            "= 'tester'") == str(len(taken))):
        raise RuntimeError('sessions do not end')
    return taken


def connections(row, context):
    """All but so many of a server's connections are taken."""
    server = Server('autovacuum=off', 'max_connections=10',
                    'superuser_reserved_connections=4')
    world = World(server=server)
    world.truth()
    try:
        # what has ended may still count for a moment
        for free, want in (0, (3, '53300')), (1, (
                3, r'53300(.|\n)*hint: .*two connections')), (4, 0):
            for options in (), ('-v',), ('--json',):
                db = world.database()
                taken = all_but(server, free)
                got = world.migrate(db, *options)
                for one in taken:
                    one.close()
                judged(row, '%d are free, %s' % (free, options), want, got,
                       world.settle(db, got))
        # --wait is for this too: they go away meanwhile
        db = world.database()
        taken = all_but(server, 0)
        threading.Timer(1, lambda: [t.close() for t in taken]).start()
        got = world.migrate(db, '--wait', '30s')
        judged(row, 'they are free after a while, --wait', 0, got,
               world.settle(db, got))
    finally:
        server.stop()


SCENARIOS['the server takes no more connections'] = connections


# ---- a standby, and what becomes of it

def standby(row, context):
    """It is refused on a standby; while that is promoted, and after that."""
    server = Server('autovacuum=off', 'hot_standby=on')
    world = World(server=server)
    world.truth()
    signal = os.path.join(server.dir, 'data', 'standby.signal')

    def demote():
        server.do('server_down INT')
        with open(signal, 'wb'):
            pass
        owned(signal, server)
        server.do('server_up')
        if world.ask('SELECT pg_is_in_recovery()') != [('t',)]:
            raise RuntimeError('it is no standby')

    try:
        db = world.database()
        demote()
        got = world.migrate(db)
        looked = [mizzle(*a, '--dir', world.dir, '--url', db.url()).status
                  for a in (('status',), ('verify',), ('plan',))]
        if looked != [0, 7, 9]:   # plan says what migrate would
            row.fail('status, verify, plan on a standby: %s' % looked)
        world.ask('SELECT pg_promote()')
        judged(row, 'a standby', (9, 'standby'), got, world.settle(db, got))

        for n in range(context.count(3, 20)):
            db = world.database()
            demote()
            # one message before, or a little after
            promote = threading.Timer(0.004 * n, lambda: server.sql(
                'postgres', 'SELECT pg_promote()'))
            promote.start()
            got = world.migrate(db)
            promote.join()
            outcome = world.settle(db, got)
            if got.status not in (0, 9):
                outcome.unclear = 'status %s' % got.status
            row.add(outcome, 'promoted after %d ms' % (4 * n))

        for n in range(context.count(2, 10)):
            # the primary becomes a standby while it is migrated
            db = world.database()
            fault = Midway((0, 'back', 20 + 70 * n), demote)
            with Proxy(server.port, fault) as proxy:
                got = world.migrate(db, url=db.url(proxy.port))
            if not fault.done:
                row.note('no message %d' % (20 + 70 * n))
            else:
                world.ask('SELECT pg_promote()')
            row.add(world.settle(db, got), 'demoted at %d' % (20 + 70 * n))
    finally:
        server.stop()


SCENARIOS['a standby, promoted and demoted'] = standby


# ---- timeouts that come from the server

def timeouts(row, context):
    """At every place a limit of the server may strike."""
    world = context.world()
    for name, values in (
            ('statement_timeout', (1, 2, 3, 5, 8, 13, 21, 34)),
            ('idle_in_transaction_session_timeout', (1, 2, 5, 10, 50)),
            ('idle_session_timeout', (1, 2, 5, 10, 50)),
            ('lock_timeout', (1, 5, 50))):
        for ms in values:
            db = world.database()
            db.leaves = True
            world.ask("ALTER DATABASE %s SET %s = '%dms'" % (db.name, name,
                                                             ms))
            got = world.migrate(db)
            world.ask('ALTER DATABASE %s RESET %s' % (db.name, name))
            row.add(world.settle(db, got), '%s = %d ms' % (name, ms))


SCENARIOS['timeouts of the server'] = timeouts
