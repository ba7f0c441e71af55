# SPDX-License-Identifier: MIT
"""Migrations that do not fit in one transaction, disturbed at every message.

Each message of such a run, of either side and of both connections, is the one
that does not arrive: the connection is lost there, or mizzle is killed; or it
arrives, and mizzle is to end just then.
"""
import signal
from queue import Queue

from cut import Once, places
from proxy import Cut, Proxy
from world import World

SCENARIOS = {}

FIRST = ('CREATE TABLE one (n int); CREATE TABLE two (n int); CREATE TABLE '
         'three (n int); CREATE INDEX old ON two (n); CREATE INDEX older ON '
         "two (n); CREATE TYPE e AS ENUM ('a'); CREATE TABLE colours (c e); "
         'CREATE TABLE parts (n int) PARTITION BY LIST (n); CREATE TABLE '
         'part PARTITION OF parts FOR VALUES IN (1);')

SCRIPTS = {
    'in a transaction': '''
        INSERT INTO one VALUES (1);
        CREATE INDEX named ON two (n);
        INSERT INTO three VALUES (3);''',
    'builds': '''
        INSERT INTO one VALUES (1);
        CREATE INDEX CONCURRENTLY named ON two (n);
        INSERT INTO one VALUES (2);
        CREATE INDEX CONCURRENTLY ON two (n);
        DROP INDEX CONCURRENTLY old;
        REINDEX INDEX CONCURRENTLY older;
        ALTER TABLE parts DETACH PARTITION part CONCURRENTLY;
        VACUUM two;
        INSERT INTO three VALUES (3);''',
    'transactions': '''
        INSERT INTO one VALUES (1);
        COMMIT;
        INSERT INTO one VALUES (2);
        BEGIN;
        INSERT INTO two VALUES (1);
        SAVEPOINT s;
        INSERT INTO two VALUES (2);
        ROLLBACK TO s;
        COMMIT;
        SET search_path = public;
        BEGIN;
        INSERT INTO two VALUES (9);
        ROLLBACK;
        ALTER TYPE e ADD VALUE 'b';
        INSERT INTO colours VALUES ('b');
        INSERT INTO three VALUES (3);''',
    'objects': '''
        INSERT INTO one VALUES (1);
        CREATE DATABASE cut;
        INSERT INTO one VALUES (2);
        ALTER DATABASE cut SET TABLESPACE pg_default;
        DROP DATABASE cut;
        ALTER SYSTEM SET application_name = 'cut';
        DISCARD ALL;
        INSERT INTO three VALUES (3);''',
    'prepared': '''
        INSERT INTO one VALUES (1);
        BEGIN;
        INSERT INTO two VALUES (1);
        PREPARE TRANSACTION 'cut';
        INSERT INTO one VALUES (2);
        COMMIT PREPARED 'cut';
        INSERT INTO three VALUES (3);''',
    'no-transaction': '''-- mizzle: no-transaction
        INSERT INTO one VALUES (1);
        INSERT INTO two VALUES (2);
        CREATE INDEX CONCURRENTLY ON two (n);
        INSERT INTO three VALUES (3);''',
}

LAST = 'CREATE TABLE last (n int);'


class Steps(World):
    """As the superuser, who may do all of it; and does as he is told."""

    def migrate(self, db, *options, **more):
        got = super().migrate(db, *options, **more)
        if 'ROLLBACK PREPARED' in got.err:
            with db.talk() as ask:
                ask("ROLLBACK PREPARED 'cut'")
        return got


def worlds(context):
    """One for each script, in a server that only one scenario uses."""
    made = []
    for name, script in SCRIPTS.items():
        made.append(Steps(
            'max_prepared_transactions=5', server=made and made[0].server,
            user='postgres', parts=(('first', FIRST), ('cut', script),
                                    ('last', LAST))))
        made[-1].name = name
    return made


def disturbed(world, db, at, number, passes):
    """A run that meets the signal, if there is one, at that message; and
    whether it came to that."""
    process = Queue()

    def first(message):
        if number:
            going = process.get()
            going.send_signal(number)
            process.put(going)
        return None if passes else Cut(0)
    fault = Once(at, first)
    with Proxy(world.server.port, fault) as proxy:
        run = world.start(db, url=db.url(proxy.port))
        process.put(run)
        return world.ended(run), fault.done


def scenario(number, passes, ci, also=()):
    def every_message(row, context):
        jobs = [(world, at) for world in worlds(context)
                for at in places(world)]
        met = 0
        for world, at in context.some(jobs, ci):
            db = world.database()
            got, done = disturbed(world, db, at, number, passes)
            met += done
            row.add(world.settle(db, got, also=also), '%s at %s' % (
                world.name, at))
        row.note('%d of %d messages of %d files; %d came' % (
            row.runs, len(jobs), len(SCRIPTS), met))
        jobs[0][0].server.stop()
    return every_message


SCENARIOS['out of a transaction: cut'] = scenario(None, False, 60)
SCENARIOS['out of a transaction: kill -9'] = scenario(
    signal.SIGKILL, False, 30, (-9,))
SCENARIOS['out of a transaction: SIGTERM'] = scenario(
    signal.SIGTERM, True, 45, (143,))
