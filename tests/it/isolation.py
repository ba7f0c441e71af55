# SPDX-License-Identifier: MIT
"""What a migration sets is its own: a dump of pg_dump as the first one, roles
and settings, whatever the transactions are."""
import os
import subprocess
import sys

from harness import (Server, check, journal, mizzle, needs_program, newdir,
                     note, verdict)

needs_program()
server = Server('autovacuum=off')
MODES = (), ('--transaction', 'all'), ('--lock-timeout', '7s'), \
    ('--transaction', 'all', '--statement-timeout', '9s')


def run(where, db, *options, query=''):
    return mizzle('migrate', '--url', server.url(db, query=query), '--dir',
                  where, *options)


def a_dump_first():
    """It leaves an empty search_path, and other settings, behind."""
    pg_dump = os.path.join(server.bin, 'pg_dump')
    if not os.path.exists(pg_dump):
        note('no pg_dump here: a dump as a migration was left out')
        return
    server.fresh('source')
    server.sql('source', "CREATE TYPE mood AS ENUM ('sad', 'glad')",
               'CREATE TABLE people (id serial PRIMARY KEY, name text, state mood)',
               "INSERT INTO people (name, state) VALUES (E'a\\tb\\\\.', 'sad'), "
               "(NULL, 'glad'), ('it''s', NULL)",
               'CREATE INDEX ON people (name)',
               'CREATE VIEW glad AS SELECT * FROM people WHERE state = \'glad\'')
    dump = subprocess.run(
        [pg_dump, '--no-owner', '-h', server.dir, '-p', str(server.port),
         '-U', 'postgres', 'source'], capture_output=True, check=True).stdout
    where = journal(newdir('dump'), [
        ('0000_dump', dump),
        ('0001_next', 'CREATE TABLE next AS SELECT count(*) AS n FROM people;')])
    for options in MODES:
        server.fresh('copy')
        got = run(where, 'copy', *options)
        what = 'a dump first %s' % (options,)
        if check(what + ': applied', 0, got.status):
            check(what + ': all of it', '3|1|t', server.sql(
                'copy', "SELECT n, (SELECT count(*) FROM glad), EXISTS (SELECT "
                "FROM people WHERE name = E'a\\tb\\\\.') FROM next"))
        else:
            note(str(got)[:600])


SETS = ("SET search_path = s; SET work_mem = '3MB'; SET ROLE other; "
        "SET lock_timeout = '1h'; SELECT set_config('my.own', 'x', false); "
        'CREATE TABLE a (n int);')
SEES = ("CREATE TABLE b AS SELECT current_setting('work_mem') AS mem, "
        "current_user::text AS who, current_setting('lock_timeout') AS lock, "
        "current_setting('statement_timeout') AS statement, "
        "coalesce(current_setting('my.own', true), '') AS own, "
        "current_setting('search_path') AS path;")


def settings_end_with_their_file():
    where = journal(newdir('sets'), [
        ('0000_s', 'CREATE SCHEMA s; GRANT ALL ON SCHEMA s TO other;'),
        ('0001_sets', SETS), ('0002_sees', SEES)])
    server.sql('postgres', 'CREATE ROLE other', 'GRANT other TO tester')
    for options in MODES:
        lock = '7s' if '7s' in options else '0'
        statement = '9s' if '9s' in options else '0'
        server.fresh('sets')
        got = run(where, 'sets', *options, query='?search_path=public,pg_temp')
        what = 'settings end with their file %s' % (options,)
        check(what + ': applied', 0, got.status) or note(str(got)[:600])
        tables = server.sql(
            'sets', "SELECT string_agg(relnamespace::regnamespace || '.' || "
            "relname || ' ' || relowner::regrole, '|' ORDER BY relname) FROM "
            "pg_class WHERE relname IN ('a', 'b')")
        if check(what + ': tables', 's.a other|public.b tester', tables):
            check(what + ': settings', '4MB|tester|%s|%s||public,pg_temp' % (
                lock, statement), server.sql('sets', 'SELECT * FROM public.b'))


a_dump_first()
settings_end_with_their_file()
sys.exit(verdict())
