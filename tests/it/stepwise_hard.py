# SPDX-License-Identifier: MIT
"""Migrations in steps, where the file, the server or people make it hard."""
import re
import signal
import sys
import time

from harness import (Server, check, finish, journal, mizzle, needs_program,
                     newdir, note, start, verdict, wait_for)
from session import Session

needs_program()
server = Server('autovacuum=off', 'max_prepared_transactions=5')
DB = 'hard'
PROGRESS = 'drizzle.__mizzle_progress'


def folder(*texts, tag='000%d_m'):
    return journal(newdir('hard'), [(tag % i, t) for i, t in enumerate(texts)])


def run(where, *options, command='migrate', **more):
    return mizzle(command, '--url', server.url(DB), '--dir', where,
                  *options, **more)


def begin(where, *options):
    return start('migrate', '--url', server.url(DB), '--dir', where, *options)


def first(where):
    """A fresh database with the first migration of it alone."""
    server.fresh(DB)
    got = run(where, '--to', '0000_m')
    check('the first is applied', 0, got.status) or note(str(got))


def applied():
    return server.sql(
        DB, "SELECT CASE WHEN to_regclass('drizzle.__drizzle_migrations') IS "
        "NULL THEN '-' ELSE (xpath('/row/c/text()', query_to_xml('SELECT "
        "count(*) AS c FROM drizzle.__drizzle_migrations', true, true, "
        "'')))[1]::text END")


def tidy():
    return server.sql(DB, "SELECT to_regclass('%s') IS NULL" % PROGRESS)


def ours():
    """What the server does for us just now."""
    return server.sql(
        DB, "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
        "'mizzle' AND datname = '%s' AND state <> 'idle'" % DB)


def blocked(query):
    return wait_for(lambda: server.sql(
        DB, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%s%%' "
        "AND wait_event_type = 'Lock'" % query) != '0')


def valid(name):
    return server.sql(DB, "SELECT indisvalid FROM pg_index WHERE indexrelid = "
                      "to_regclass('%s')" % name)


def finishes(what, where, *options):
    got = run(where, *options)
    check(what + ': the next run finishes it', 0, got.status) or \
        note(str(got)[:1500])
    check(what + ': nothing is left', 't', server.sql(
        DB, "SELECT to_regclass('%s') IS NULL AND NOT EXISTS (SELECT 1 FROM "
        'pg_index WHERE NOT indisvalid)' % PROGRESS))


# ---- interrupted

def interrupted_and_in_the_way():
    """Whoever keeps the index busy keeps it from being dropped, too."""
    for name in 'i', '':
        for before in '', 'INSERT INTO two VALUES (7);':
            what = 'interrupted, no DROP (%s, %s)' % (name, before)
            where = folder('CREATE TABLE two (n int);', before +
                           'CREATE INDEX CONCURRENTLY %s ON two (n);' % name)
            first(where)
            lock = Session(server, DB, 'BEGIN',
                           'LOCK TABLE two IN ROW EXCLUSIVE MODE')
            process = begin(where)
            check(what + ': it waits', True, blocked('CREATE INDEX'))
            since = time.monotonic()
            process.send_signal(signal.SIGTERM)
            got = finish(process)
            check(what + ': status', 143, got.status) or note(str(got))
            check(what + ': it ends soon', True,
                  time.monotonic() - since < 20)
            check(what + ': nothing runs on', '0', ours())
            check(what + ': says what is left', True, 'invalid index' in
                  got.err) or note(got.err)
            lock.close()
            finishes(what, where)
            check(what + ': one index', '1', server.sql(
                DB, "SELECT count(*) FROM pg_index WHERE indrelid = "
                "'two'::regclass"))


def interrupted_in_the_cleaning():
    """The statement has not begun: what ran before it is not it."""
    where = folder('CREATE TABLE two (n int); INSERT INTO two VALUES (1), (1);'
                   'CREATE TABLE one (n int);',
                   'INSERT INTO one VALUES (1);'
                   'CREATE UNIQUE INDEX CONCURRENTLY i ON two (n);')
    what = 'interrupted in the cleaning'
    first(where)
    try:
        server.sql(DB, 'CREATE UNIQUE INDEX CONCURRENTLY i ON two (n)')
    except Exception:
        pass
    check(what + ': there is something to clean', 'f', valid('i'))
    server.sql(DB, 'TRUNCATE two')
    lock = Session(server, DB, 'BEGIN', 'LOCK TABLE two IN ROW EXCLUSIVE MODE')
    process = begin(where)
    check(what + ': it waits', True, blocked('DROP INDEX'))
    process.send_signal(signal.SIGTERM)
    got = finish(process)
    check(what + ': status', 143, got.status) or note(str(got))
    lock.close()
    finishes(what, where)
    check(what + ': the index is there', 't', valid('i'))


def interrupted_at_commit():
    """A COMMIT that is cancelled may be one all the same."""
    setup = '''CREATE TABLE one (n int);
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep(600); RETURN NULL; EXCEPTION WHEN query_canceled THEN
        RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON one
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();'''
    for middle in ('CREATE TABLE two (n int); INSERT INTO one VALUES (1);',
                   'BEGIN; CREATE TABLE two (n int); INSERT INTO one VALUES '
                   '(1); COMMIT;'):
        what = 'interrupted at COMMIT (%s)' % middle
        where = folder(setup, middle + 'VACUUM one;')
        first(where)
        process = begin(where)
        check(what + ': it waits', True, wait_for(lambda: server.sql(
            DB, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = "
            "'PgSleep' AND query = 'COMMIT'") == '1'))
        process.send_signal(signal.SIGTERM)
        got = finish(process)
        check(what + ': status', 143, got.status) or note(str(got))
        check(what + ': says so', True, re.search(
            r'[24] of its [35] statements are done', got.err) is not None) or \
            note(got.err)
        check(what + ': it was committed', 't',
              server.sql(DB, "SELECT to_regclass('two') IS NOT NULL"))
        server.sql(DB, 'ALTER TABLE one DISABLE TRIGGER slow')
        finishes(what, where)


# ---- settings

# What nothing can be kept under: told in so many words.
REFUSED = {
    'SET default_transaction_read_only = on': (6, 'read-only'),
    'SET standard_conforming_strings = off': (3, 'take it out'),
    "SET client_encoding = 'LATIN1'": (3, 'take it out'),
}
SETTINGS = [
    "SET statement_timeout = '1s'", 'SET default_transaction_read_only = on',
    'SET client_min_messages = error', 'SET standard_conforming_strings = off',
    "SET client_encoding = 'LATIN1'", "SET search_path = ''",
    'SET search_path = evil, pg_catalog, public',
    'SET SESSION AUTHORIZATION nobody', 'SET ROLE nobody',
    'SET default_transaction_isolation = serializable',
    'SET row_security = off', "SET DateStyle = 'German'",
    'SET session_replication_role = origin', 'SET quote_all_identifiers = on',
    'SET transform_null_equals = on', 'SET backslash_quote = off',
    'SET idle_in_transaction_session_timeout = 1000',
    "SET default_table_access_method = heap", 'SET bytea_output = escape',
    'SET extra_float_digits = -15', 'SET TIME ZONE 12', 'DISCARD ALL',
    "SET lock_timeout = '1ms'", 'SET jit = on', 'RESET ALL',
    "SELECT set_config('default_transaction_deferrable', 'on', false)",
]

EVIL = '''CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO public;
CREATE FUNCTION evil.bad() RETURNS boolean LANGUAGE plpgsql AS
$$ BEGIN RAISE 'evil was called'; END $$;
CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE sql AS
'SELECT evil.bad()';
CREATE FUNCTION evil.eq(oid, oid) RETURNS boolean LANGUAGE sql AS
'SELECT evil.bad()';
CREATE FUNCTION evil.eq(name, text) RETURNS boolean LANGUAGE sql AS
'SELECT evil.bad()';
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.eq);
CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = text, FUNCTION = evil.eq);
CREATE DOMAIN evil.text AS pg_catalog.text CHECK (evil.bad());
CREATE DOMAIN evil.oid AS pg_catalog.oid CHECK (evil.bad());
CREATE DOMAIN evil.regclass AS pg_catalog.text CHECK (evil.bad());
CREATE DOMAIN evil.int4 AS pg_catalog.int4 CHECK (evil.bad());
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS
$$ BEGIN RAISE 'evil was called'; END $$;
CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS
$$ BEGIN RAISE 'evil was called'; END $$;
CREATE VIEW evil.pg_class AS SELECT evil.bad();
CREATE VIEW evil.pg_index AS SELECT evil.bad();
GRANT SELECT ON ALL TABLES IN SCHEMA evil TO public;'''


def settings():
    server.sql('postgres', 'DROP ROLE IF EXISTS nobody', 'CREATE ROLE nobody',
               'GRANT nobody TO tester')
    for setting in SETTINGS:
        what = setting + ' in the file'
        reads = 'read_only' in setting
        privileged = 'replication_role' in setting or 'AUTHORI' in setting
        where = folder(
            'CREATE TABLE public.two (n int);'
            'INSERT INTO public.two VALUES (1);',
            'CREATE TABLE public.a (n int);\n%s;\n'
            'SELECT 1;\nCOMMIT;\nVACUUM (ANALYZE) pg_catalog.pg_class;\n'
            '%sCREATE INDEX CONCURRENTLY i ON public.two (n);\n'
            'SELECT pg_catalog.pg_sleep(0.01);\n'
            "COMMIT; SELECT 'x' AS \"ü\";" % (
                setting, 'RESET ROLE; RESET SESSION AUTHORIZATION;'
                if 'nobody' in setting else
                'SET default_transaction_read_only = off;' if reads else ''),
            'CREATE TABLE public.z (n int);', tag='000%d_m\u00fc')
        server.fresh(DB)
        server.sql(DB, EVIL)
        user = 'postgres' if privileged else 'tester'
        got = mizzle('migrate', '--url', server.url(DB, user=user), '--dir',
                     where, '--lock-wait', '3s')
        if setting in REFUSED:
            check(what + ': refused, and told', (REFUSED[setting][0], True),
                  (got.status, REFUSED[setting][1] in got.err)) or \
                note(str(got))
            continue
        check(what, (0, '3', 't'), (got.status, applied(), tidy())) or \
            note(str(got)[:1500])


def settings_of_roles():
    for setting in ("lock_timeout = '1ms'", "statement_timeout = '2s'",
                    "default_transaction_isolation = 'serializable'",
                    "default_transaction_deferrable = on",
                    "idle_in_transaction_session_timeout = '50ms'",
                    "transaction_timeout = '100ms'", "idle_session_timeout = '50ms'",
                    "search_path = evil, pg_catalog, public",
                    "client_min_messages = debug5",
                    "standard_conforming_strings = off",
                    "default_transaction_read_only = on"):
        what = 'the role has ' + setting
        if 'transaction_timeout' in setting and 'idle' not in setting and \
                server.version() < 170000:
            continue
        where = folder('CREATE TABLE public.two (n int);',
                       'CREATE TABLE public.a (n int); COMMIT;'
                       'CREATE INDEX CONCURRENTLY i ON public.two (n);'
                       'INSERT INTO public.two VALUES (1); VACUUM public.two;')
        server.fresh(DB)
        server.sql(DB, EVIL)
        server.sql(DB, 'ALTER ROLE tester SET ' + setting)
        url = server.url(DB)
        if 'read_only' in setting:
            url = server.url(DB, query='options=-c%20default_transaction_read_only%3Doff')
        lock = None
        if 'transaction_timeout' in setting or 'idle' in setting:
            first_ = mizzle('migrate', '--url', url, '--dir', where, '--to', '0000_m')
            note(str(first_)[:300]) if first_.status else None
            lock = Session(server, DB, 'BEGIN', 'LOCK TABLE two IN ROW EXCLUSIVE MODE')
        process = start('migrate', '--url', url, '--dir', where)
        if lock:
            wait_for(lambda: server.sql(
                DB, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                "'CREATE INDEX%' AND wait_event_type = 'Lock' AND clock_timestamp() - "
                "query_start > '0.3s'") != '0', 5)
            lock.close()
        got = finish(process, 60)
        server.sql(DB, 'ALTER ROLE tester RESET ALL')
        check(what, (0, '2', 't'), (got.status, applied(), tidy())) or \
            note(str(got)[:1500])


import os
for name in (os.environ.get('ONLY') or 'interrupted_and_in_the_way,interrupted_in_the_cleaning,interrupted_at_commit,settings,settings_of_roles').split(','):
    globals()[name]()
sys.exit(verdict())
