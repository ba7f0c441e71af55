# SPDX-License-Identifier: MIT
"""Migrations that do not fit in one transaction, cut at every message.

Each message of such a run, of either side and of both connections, is the one
that does not arrive: the connection is lost there, or mizzle is killed; or it
arrives, and mizzle is to end just then.  Then it is run again until all is well, and everything must be there once.  That is
at a part of the messages; LONG=1 does it at every one of them.
"""
import os
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

from cutter import Cutter
from harness import (LONG, Server, check, finish, journal, mizzle,
                     needs_program, newdir, note, start, verdict)

needs_program()
server = Server('autovacuum=off', 'max_prepared_transactions=5',
                'max_connections=60')
WORKERS = 2
RUNS_MAX = 4    # until all is well
# How it is disturbed: by which signal, whether that is all, at every so many
# messages, and how it may end.
WAYS = {
    'cut': (None, True, 1 if LONG else 4, (0, 3, 6)),
    'killed': (signal.SIGKILL, True, 1 if LONG else 9, (0, -9)),
    'ended': (signal.SIGTERM, False, 1 if LONG else 5, (0, 143)),
}

FIRST = ('CREATE TABLE one (n int); CREATE TABLE two (n int); CREATE TABLE '
         'three (n int); CREATE INDEX old ON two (n); CREATE INDEX older ON '
         "two (n); CREATE TYPE e AS ENUM ('a'); CREATE TABLE colours (c e); "
         'CREATE TABLE parts (n int) PARTITION BY LIST (n); CREATE TABLE '
         'part PARTITION OF parts FOR VALUES IN (1);')

# @ is a word of the worker's own, for what is not of one database alone.
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
        CREATE DATABASE cut_@;
        INSERT INTO one VALUES (2);
        ALTER DATABASE cut_@ SET TABLESPACE pg_default;
        DROP DATABASE cut_@;
        ALTER SYSTEM SET application_name = 'cut';
        DISCARD ALL;
        INSERT INTO three VALUES (3);''',
    'prepared': '''
        INSERT INTO one VALUES (1);
        BEGIN;
        INSERT INTO two VALUES (1);
        PREPARE TRANSACTION 'cut_@';
        INSERT INTO one VALUES (2);
        COMMIT PREPARED 'cut_@';
        INSERT INTO three VALUES (3);''',
    'no-transaction': '''-- mizzle: no-transaction
        INSERT INTO one VALUES (1);
        INSERT INTO two VALUES (2);
        CREATE INDEX CONCURRENTLY ON two (n);
        INSERT INTO three VALUES (3);''',
}

STATE = '''
    SELECT (SELECT string_agg(n::text, ',' ORDER BY n) FROM one),
           (SELECT string_agg(n::text, ',' ORDER BY n) FROM two),
           (SELECT string_agg(n::text, ',' ORDER BY n) FROM three),
           (SELECT string_agg(c::text, ',' ORDER BY c) FROM colours),
           (SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class
             WHERE relnamespace IN ('public'::regnamespace,
                                    'drizzle'::regnamespace)),
           (SELECT count(*) FROM pg_index WHERE NOT indisvalid),
           (SELECT count(*) FROM pg_inherits),
           (SELECT string_agg(datname, ',') FROM pg_database
             WHERE datname = 'cut_@'),
           (SELECT count(*) FROM pg_prepared_xacts WHERE gid = 'cut_@'),
           (SELECT string_agg(enumlabel, ',') FROM pg_enum),
           (SELECT string_agg(hash || created_at, ',' ORDER BY created_at)
              FROM drizzle.__drizzle_migrations)'''


def folder(name, worker):
    return journal(newdir('cut_%s' % worker), [
        ('0000_first', FIRST),
        ('0001_cut', SCRIPTS[name].replace('@', worker)),
        ('0002_last', 'CREATE TABLE last (n int);')])


def fresh(worker):
    """As it is when the first migration is applied."""
    db = 'work_' + worker
    for gid in server.sql('postgres', "SELECT gid FROM pg_prepared_xacts "
                          "WHERE gid = 'cut_%s'" % worker).split():
        server.sql(db, "ROLLBACK PREPARED '%s'" % gid)
    server.sql('postgres', 'DROP DATABASE IF EXISTS cut_%s' % worker,
               'DROP DATABASE IF EXISTS "%s" WITH (FORCE)' % db,
               'CREATE DATABASE "%s" TEMPLATE base %s' % (db, server.quickly))
    return db


def state(db, worker):
    return server.sql(db, STATE.replace('@', worker))


def migrate(db, where, port):
    return start('migrate', '--json', '--dir', where, '--url',
                 server.url(db, 'postgres', query='?sslmode=disable').replace(
                     ':%d/' % server.port, ':%d/' % port))


def run_cut(name, worker, at=None, way='cut'):
    """What it ended with, whether it came to that, and what it said."""
    db = fresh(worker)
    where = folder(name, worker)
    process = Queue()

    number, cuts, _, _ = WAYS[way]

    def first():
        if number:
            going = process.get()
            going.send_signal(number)
            process.put(going)
    cutter = Cutter(server.port, at, first, cuts)
    going = migrate(db, where, cutter.port)
    process.put(going)
    got = finish(going)
    cutter.close()
    return db, where, cutter, got


def one(name, worker, at, way, want):
    """Cut at that message; the number of runs it took after it."""
    db, where, cutter, got = run_cut(name, worker, at, way)
    what = '%s, %s at %s' % (name, way, at)
    if not cutter.was_cut:
        check(what + ': not reached, so it is done', 0, got.status)
    check(what + ': status', True, got.status in WAYS[way][3]) or \
        note(str(got))
    runs = 0
    said = [got]
    while said[-1].status != 0 and runs < RUNS_MAX:
        said.append(mizzle('migrate', '--dir', where, '--url',
                           server.url(db, 'postgres')))
        runs += 1
        if 'ROLLBACK PREPARED' in said[-1].err:     # as we are told to
            server.sql(db, "ROLLBACK PREPARED 'cut_%s'" % worker)
    if not check(what + ': ends well', 0, said[-1].status) or \
            not check(what + ': all of it, once', want.replace('@', worker),
                      state(db, worker)):
        note('\n'.join(map(str, said)))
    return got.status, runs, cutter.was_cut


def sweep(name, workers):
    worker = workers.get()
    db, _, cutter, got = run_cut(name, worker)
    check(name + ': undisturbed', 0, got.status) or note(str(got))
    want = state(db, worker).replace(worker, '@')
    # hashes differ by the worker's word, so each has its own truth
    truths = {worker: want}
    workers.put(worker)
    check(name + ': its connections', 1 + (name != 'in a transaction'),
          len(cutter.seen))
    places = [(i, way, k) for i, seen in enumerate(cutter.seen)
              for way in ('front', 'back') for k in range(len(seen[way]))]
    jobs = [(at, way) for k, way in enumerate(WAYS)
            for at in places[k::WAYS[way][2]]]

    def job(at, way):
        mine = workers.get()
        try:
            if mine not in truths:
                fresh_db, _, _, _ = run_cut(name, mine)
                truths[mine] = state(fresh_db, mine)
            return one(name, mine, at, way, truths[mine])
        finally:
            workers.put(mine)
    began = time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        done = [pool.submit(job, *j) for j in jobs]
        ends = [d.result() for d in done]
    note('%s: %d messages, disturbed %d times, statuses %s, runs after it %s, %.0f s' % (
        name, len(places), sum(was for _, _, was in ends),
        dict(Counter(status for status, _, _ in ends)),
        dict(Counter(runs for _, runs, _ in ends)),
        time.monotonic() - began))


def main():
    server.fresh('base', 'postgres')
    where = journal(newdir('base'), [('0000_first', FIRST)])
    check('the first is applied', 0, mizzle(
        'migrate', '--dir', where, '--url',
        server.url('base', 'postgres')).status)
    workers = Queue()
    for i in range(WORKERS):
        workers.put('w%d' % i)
    for name in sys.argv[1:] or os.environ.get('CUT_ONLY', '').split() or \
            SCRIPTS:
        sweep(name, workers)


main()
sys.exit(verdict())
