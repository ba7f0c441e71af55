# SPDX-License-Identifier: MIT
"""Migrations in steps, where the file, the server or people make it hard."""
import os
import re
import signal
import sys
import time

from harness import (Server, check, finish, heard, journal, mizzle, needs_program,
                     newdir, note, start, verdict, wait_for, write)
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


def interrupted_in_the_end():
    """All is done; what the other session of ours locks is not waited for."""
    where = folder('CREATE TABLE one (n int);',
                   'INSERT INTO one VALUES (1); VACUUM one;')
    what = 'interrupted in the end'
    first(where)
    server.sql(DB, 'CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE '
               'plpgsql AS $$ BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN '
               'query_canceled THEN END $$', 'CREATE EVENT TRIGGER slow ON '
               'sql_drop EXECUTE FUNCTION slow()')
    process = begin(where)
    check(what + ': it waits', True, wait_for(lambda: server.sql(
        DB, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = "
        "'PgSleep' AND query LIKE 'DROP TABLE%'") == '1'))
    since = time.monotonic()
    process.send_signal(signal.SIGTERM)
    got = finish(process)
    check(what + ': status', (143, True), (
        got.status, '2 of its 2 statements are done' in got.err)) or \
        note(str(got))
    check(what + ': it ends soon', True, time.monotonic() - since < 10)
    server.sql(DB, 'DROP EVENT TRIGGER slow')
    finishes(what, where)


def interrupted_in_a_retry():
    """A try after another hears of it as the first does."""
    where = folder('CREATE TABLE one (n int);',
                   'INSERT INTO one VALUES (1); COMMIT; LOCK TABLE one;'
                   'SELECT 1;')
    what = 'interrupted in a retry'
    first(where)
    lock = Session(server, DB, 'BEGIN', 'LOCK TABLE one IN SHARE ROW '
                   'EXCLUSIVE MODE')
    process = begin(where, '--lock-timeout', '700ms', '--lock-retries', '50')
    check(what + ': it is tried again', True, heard(process, 'trying again'))
    check(what + ': it waits', True, blocked('INSERT'))
    process.send_signal(signal.SIGTERM)
    got = finish(process)
    check(what + ': status', 143, got.status) or note(str(got))
    check(what + ': it does not go on', 1, got.err.count('trying again')) or \
        note(str(got))
    lock.close()
    finishes(what, where)


def interrupted_before_it_is_found_out():
    """What is not known of an earlier run's statement is not forgotten."""
    where = folder(
        'CREATE TABLE one (n int); CREATE TABLE gate (n int); CREATE PROCEDURE '
        'p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO one VALUES (1); COMMIT; '
        'LOCK TABLE gate; END $$;',
        "-- mizzle: no-transaction\nSELECT set_config('x.y', (SELECT "
        "count(*)::text FROM gate), false);\nCALL p();")
    what = 'interrupted before it is found out'
    first(where)
    lock = Session(server, DB, 'BEGIN', 'LOCK TABLE gate IN ROW EXCLUSIVE '
                   'MODE')
    process = begin(where)
    check(what + ': it waits', True, blocked('CALL'))
    process.kill()
    process.wait()
    lock.close()
    check(what + ': the CALL ends', True, wait_for(lambda: ours() == '0'))
    lock = Session(server, DB, 'BEGIN', 'LOCK TABLE gate')
    process = begin(where)
    check(what + ': the next waits before it', True,
          blocked('SELECT set_config'))
    process.send_signal(signal.SIGTERM)
    got = finish(process)
    check(what + ': status', 143, got.status) or note(str(got))
    lock.close()
    got = run(where)
    check(what + ': a person is asked', (6, True, '1'), (
        got.status, '--resume=skip' in got.err,
        server.sql(DB, 'SELECT count(*) FROM one'))) or note(str(got))


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
        url = server.socket(DB, 'postgres') if privileged else server.url(DB)
        got = mizzle('migrate', '--url', url, '--dir', where, '--lock-wait',
                     '3s')
        if setting in REFUSED:
            check(what + ': refused, and told', (REFUSED[setting][0], True),
                  (got.status, REFUSED[setting][1] in got.err)) or \
                note(str(got))
            continue
        check(what, (0, '3', 't'), (got.status, applied(), tidy())) or \
            note(str(got)[:1500])


# Of a role: what holds in both sessions, from the first message on.
OF_ROLES = [
    "lock_timeout = '1ms'", "statement_timeout = '2s'",
    "default_transaction_isolation = 'serializable'",
    'default_transaction_deferrable = on',
    "idle_in_transaction_session_timeout = '50ms'",
    "transaction_timeout = '400ms'", "idle_session_timeout = '50ms'",
    'search_path = evil, pg_catalog, public', 'client_min_messages = debug5',
]
SINCE = {'transaction_timeout': 170000, 'idle_session_timeout': 140000}


def settings_of_roles():
    for setting in OF_ROLES:
        if server.version() < SINCE.get(setting.split()[0], 0):
            continue
        what = 'the role has ' + setting
        where = folder('CREATE TABLE public.two (n int);',
                       'CREATE TABLE public.a (n int); COMMIT;'
                       'CREATE INDEX CONCURRENTLY i ON public.two (n);' +
                       'SELECT pg_catalog.pg_sleep(0.1); COMMIT;' * 6 +
                       'INSERT INTO public.two VALUES (1); VACUUM public.two;')
        server.fresh(DB)
        server.sql(DB, EVIL)
        server.sql(DB, 'ALTER ROLE tester SET ' + setting)
        got = run(where)
        server.sql(DB, 'ALTER ROLE tester RESET ALL')
        check(what, (0, '2', 't'), (got.status, applied(), tidy())) or \
            note(str(got)[:1500])


# ---- names

def names():
    """An index is found again, and cleaned, however its name is written."""
    long = 'n' * 70
    for setup, table, index, found in (
            ('CREATE TABLE two (n int);', 'two', long, long[:63]),
            ('CREATE TABLE two (n int);', 'two', 'Größe_' + 'ü' * 40, None),
            ('CREATE TABLE "T.w""o" (n int);', '"T.w""o"', '"I.x""y"', None),
            ('CREATE TABLE "ü é" (n int);', '"ü é"', '"ß"', None),
            ('CREATE TABLE two (n int);', 'U&"t\\0077o"', 'U&"\\0069"', 'i'),
            ('CREATE TABLE two (n int);', "U&\"t!0077o\" UESCAPE '!'", 'i', 'i'),
            ('CREATE SCHEMA s; CREATE TABLE s.two (n int);', 's /* c */ . two',
             'i', 'i'),
            ('CREATE SCHEMA s; CREATE TABLE s.two (n int);',
             's -- c\n . two', 'i', 'i'),
            ('CREATE TABLE twox (n int); CREATE MATERIALIZED VIEW two AS '
             'SELECT * FROM twox;', 'two', 'i', 'i'),
            ('CREATE TABLE "sel""x" (n int); CREATE SCHEMA "S x"; '
             'CREATE TABLE "S x"."T" (n int);', '"S x"."T"', '"I"', 'I'),
            ('CREATE TABLE ' + long + ' (n int);', long, '', None)):
        what = 'CREATE INDEX CONCURRENTLY %s ON %s' % (index, table)
        where = folder(setup, 'CREATE INDEX CONCURRENTLY %s ON %s (n); '
                       'SELECT 1' % (index, table))
        server.fresh(DB)
        got = run(where)
        check(what, 0, got.status) or note(str(got)[:800])
        # stopped while it waits, then finished by the next
        first(where)
        place = server.sql(DB, "SELECT max(oid)::regclass FROM pg_class WHERE "
                           "relkind = 'r' AND relnamespace <> ALL (ARRAY["
                           "'pg_catalog', 'drizzle', 'information_schema']"
                           '::regnamespace[])')
        lock = Session(server, DB, 'BEGIN',
                       'LOCK TABLE %s IN ROW EXCLUSIVE MODE' % (
                           'twox' if 'twox' in setup else place))
        if 'twox' in setup:
            lock.close()
            continue
        process = begin(where)
        check(what + ': it waits', True, blocked('CREATE INDEX'))
        process.kill()
        process.wait()
        second = begin(where)
        check(what + ': the next waits for it', True,
              heard(second, 'an earlier run began'))
        lock.close()
        got = finish(second)
        check(what + ': the next run finds it done', 0, got.status) or \
            note(str(got)[:800])
        check(what + ': one index', '1', server.sql(
            DB, 'SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass' %
            ("$q$" + place + "$q$")))
        first(where)
        lock = Session(server, DB, 'BEGIN',
                       'LOCK TABLE %s IN ROW EXCLUSIVE MODE' % place)
        process = begin(where)
        check(what + ': it waits', True, blocked('CREATE INDEX'))
        server.sql(DB, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                   "WHERE query LIKE 'CREATE INDEX%' AND application_name = "
                   "'mizzle'")
        finish(process)
        lock.close()
        finishes(what + ', cut off', where)


# ---- transactions of the file's own

def own_transactions():
    for middle, status, want in (
            ('BEGIN; CREATE TABLE a (); COMMIT AND CHAIN; CREATE TABLE b (); '
             'COMMIT;', 0, 'a b'),
            ('BEGIN; CREATE TABLE a (); ROLLBACK AND CHAIN; CREATE TABLE b ();'
             'COMMIT;', 0, 'b'),
            ('BEGIN; CREATE TABLE a (); ROLLBACK AND CHAIN; CREATE TABLE b ();'
             'SELECT 1/0; COMMIT;', 1, ''),
            ('BEGIN; CREATE TABLE a ();', 0, 'a'),
            ('CREATE TABLE a (); BEGIN; CREATE TABLE b ();', 0, 'a b'),
            ('CREATE TABLE a (); COMMIT AND CHAIN; CREATE TABLE b ();', 0,
             'a b'),
            ('CREATE TABLE a (); ROLLBACK AND CHAIN; CREATE TABLE b ();', 0,
             'b'),
            ('BEGIN; CREATE TABLE a (); SAVEPOINT s; CREATE TABLE b (); '
             'ROLLBACK TO s; RELEASE s; COMMIT; CREATE TABLE c ();', 0, 'a c'),
            ('CREATE TABLE a (); SAVEPOINT s; CREATE TABLE b (); ROLLBACK TO '
             's; COMMIT; CREATE TABLE c ();', 0, 'a c'),
            ('BEGIN; CREATE TABLE a (); BEGIN; CREATE TABLE b (); COMMIT;', 0,
             'a b'),
            ('COMMIT; COMMIT; CREATE TABLE a ();', 0, 'a'),
            ('ROLLBACK; CREATE TABLE a ();', 0, 'a'),
            ("BEGIN; CREATE TABLE a (); PREPARE TRANSACTION 'x'; COMMIT "
             "PREPARED 'x'; CREATE TABLE b ();", 0, 'a b'),
            ("CREATE TABLE a (); PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x';",
             6, 'a'),
            ('BEGIN; CREATE TABLE a (n int); CREATE INDEX CONCURRENTLY i ON a '
             '(n); COMMIT;', 1, ''),
            ('BEGIN; CREATE TABLE a (); SELECT 1/0; COMMIT;', 1, ''),
            ('CREATE TABLE a (); COMMIT; BEGIN; CREATE TABLE b (); SELECT 1/0;'
             'COMMIT;', 6, 'a'),
            ('BEGIN READ ONLY; SELECT 1; COMMIT; CREATE TABLE a ();', 1, ''),
            ('BEGIN ISOLATION LEVEL SERIALIZABLE; CREATE TABLE a (); COMMIT;',
             0, 'a'),
            ('START TRANSACTION; CREATE TABLE a (); END; ABORT; CREATE TABLE '
             'b ();', 0, 'a b'),
            ('CREATE TEMP TABLE t (n int); INSERT INTO t VALUES (1); COMMIT; '
             'CREATE INDEX CONCURRENTLY ON t (n); CREATE TABLE a AS TABLE t;',
             0, 'a'),
            ('CREATE TABLE a (n int); COMMIT; CREATE INDEX CONCURRENTLY IF NOT '
             'EXISTS i ON a (n); CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON '
             'a (n);', 0, 'a'),
            ('CREATE TABLE a (n int); COMMIT; CREATE INDEX CONCURRENTLY ON a '
             '(n); CREATE INDEX CONCURRENTLY ON a (n);', 0, 'a'),
            ('CREATE TABLE a (n int) PARTITION BY LIST (n); COMMIT; CREATE '
             'INDEX CONCURRENTLY i ON a (n);', 6, 'a')):
        where = folder(middle)
        server.fresh(DB)
        got = run(where)
        rows = '1' if got.status == 0 else '0'
        check(middle, (status, want, rows, 't' if got.status != 6 else 'f'), (
            got.status, server.sql(
                DB, "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname)"
                ", '') FROM pg_class WHERE relkind IN ('r', 'p') AND "
                "relnamespace = 'public'::regnamespace"), applied(), tidy())) \
            or note(str(got)[:800])
        check(middle + ': none is prepared', '0', server.sql(
            DB, 'SELECT count(*) FROM pg_prepared_xacts')) or \
            server.sql(DB, "ROLLBACK PREPARED 'x'")


# ---- the table of the progress

TWO = ('CREATE TABLE two (n int);', 'INSERT INTO two VALUES (1); VACUUM two; '
       'INSERT INTO two VALUES (2);')


def limited_in_its_own():
    """--lock-timeout holds in a transaction of the file's own, too."""
    for before, status in (('', 4), ('CREATE INDEX CONCURRENTLY ON one (n);',
                                     4)):
        where = folder('CREATE TABLE one (n int); CREATE TABLE two (n int);',
                       before + 'BEGIN ISOLATION LEVEL SERIALIZABLE; '
                       'SET TRANSACTION READ WRITE; '
                       'INSERT INTO two VALUES (1); COMMIT;')
        first(where)
        lock = Session(server, DB, 'BEGIN', 'LOCK TABLE two')
        got = run(where, '--json', '--lock-timeout', '300ms',
                  '--lock-retries', '0', timeout=40)
        check('%sBEGIN, and no lock in time' % before, (status, '55P03'), (
            got.status, got.event('error').get('sqlstate'))) or note(str(got))
        lock.close()
        finishes('%sBEGIN, and no lock in time' % before, where)


def somebody_reads_it():
    """A dump that takes hours keeps nothing from being recorded."""
    where = folder(TWO[0], 'INSERT INTO two VALUES (1); VACUUM two; INSERT '
                   'INTO two SELECT 1/0;')
    first(where)
    check('read: partial', 6, run(where).status)
    folder(*TWO)
    dump = Session(server, DB, 'BEGIN', 'TABLE ' + PROGRESS)
    got = run(where, '--allow-modified')
    check('somebody reads the progress: it is recorded', (0, '2'), (
        got.status, applied())) or note(str(got))
    dump.close()
    got = run(where)
    check('the table stays empty', (0, '0'), (got.status, server.sql(
        DB, 'SELECT count(*) FROM ' + PROGRESS))) or note(str(got))


def event_triggers():
    """Who forbids to drop tables does not forbid to migrate."""
    where = folder(*TWO)
    first(where)
    server.sql(DB, 'CREATE FUNCTION no() RETURNS event_trigger LANGUAGE '
               "plpgsql AS $$ BEGIN RAISE 'none is dropped here'; END $$",
               'CREATE EVENT TRIGGER no ON sql_drop EXECUTE FUNCTION no()')
    got = run(where)
    check('no table may be dropped: recorded all the same', (0, '2'), (
        got.status, applied())) or note(str(got))
    server.sql(DB, 'DROP EVENT TRIGGER no', 'DROP FUNCTION no()')
    first(where)
    server.sql(DB, 'CREATE FUNCTION no() RETURNS event_trigger LANGUAGE '
               "plpgsql AS $$ BEGIN RAISE 'none is made here'; END $$",
               'CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN '
               "('CREATE TABLE') EXECUTE FUNCTION no()")
    got = run(where)
    check('no table may be made: told', (1, True, '1'), (
        got.status, 'none is made here' in got.err and 'progress' in got.err,
        applied())) or note(str(got))


def of_somebody_else():
    """A thing of that name that is not ours."""
    for made in ('CREATE TABLE drizzle.__mizzle_progress (a int)',
                 'CREATE VIEW drizzle.__mizzle_progress AS SELECT 1 AS a',
                 'CREATE SEQUENCE drizzle.__mizzle_progress',
                 'CREATE TABLE drizzle.__mizzle_progress (history text, tag '
                 'text, hash text, done text, finished text, statements text,'
                 'running text, before text, existed text, at text)'):
        where = folder(*TWO)
        first(where)
        server.sql(DB, made)
        server.sql(DB, 'GRANT ALL ON ALL TABLES IN SCHEMA drizzle TO tester')
        for command in 'migrate', 'status':
            got = run(where, command=command)
            check('%s: %s' % (made, command), (True, True), (
                got.status in ((1, 2, 5) if command == 'migrate' or got.status
                               else (0,)),
                got.status == 0 or '__mizzle_progress' in got.err)) or \
                note(str(got))
    where = folder(TWO[0], 'INSERT INTO two VALUES (1); VACUUM two; INSERT '
                   'INTO two SELECT 1/0;')
    first(where)
    check('another role: partial', 6, run(where).status)
    server.sql(DB, 'ALTER TABLE %s OWNER TO postgres' % PROGRESS)
    for command in 'migrate', 'status', 'verify':
        got = run(where, command=command)
        check('no rights: ' + command, True,
              got.status == 9 and '__mizzle_progress' in got.err)
    server.sql(DB, 'GRANT ALL ON %s TO tester' % PROGRESS,
               'ALTER SCHEMA drizzle OWNER TO postgres',
               'GRANT USAGE ON SCHEMA drizzle TO tester')
    folder(*TWO)
    got = run(where, '--allow-modified')
    check('rights on the table are enough', (0, '2'), (
        got.status, applied())) or note(str(got))


def rows_that_lie():
    where = folder(TWO[0], 'INSERT INTO two VALUES (1); VACUUM two; INSERT '
                   'INTO two SELECT n FROM two WHERE 1/(n-1) = 1;')
    for lie, status in (('finished = 99', 5), ('finished = 3', 5),
                        ('finished = 2147483647', 5), ('finished = 1', 5),
                        ('finished = -1', 5), ("done = ''", 5),
                        ('running = 99', 0), ('running = -7', 0),
                        ('running = 1', 0), ('statements = -1', 0),
                        ("before = '{1,2,3}'", 0), ("hash = ''", 5)):
        first(where)
        check('a lie: partial', 6, run(where).status)
        server.sql(DB, 'UPDATE %s SET %s' % (PROGRESS, lie),
                   'UPDATE two SET n = 2')
        got = run(where)
        check('a row that says ' + lie, (status, '2' if status == 0 else '1'),
              (got.status, applied())) or note(str(got))
        said = run(where, command='status')
        check('status with a row that says ' + lie, 0, said.status)


# ---- who does it

def as_nobody():
    """A role without any rights fails; what is known is written all the same."""
    server.sql('postgres', 'DROP ROLE IF EXISTS nobody', 'CREATE ROLE nobody',
               'GRANT nobody TO tester')
    where = folder(
        'CREATE TABLE two (n int); CREATE PROCEDURE p() LANGUAGE plpgsql AS '
        "$$ BEGIN COMMIT; RAISE 'no luck'; END $$;",
        '-- mizzle: no-transaction\nINSERT INTO two VALUES (1);\n'
        'SET ROLE nobody;\nCALL p();')
    first(where)
    got = run(where)
    check('a CALL that fails as nobody', 6, got.status) or note(str(got))
    check('it is known not to be done', '2|', server.sql(
        DB, 'SELECT finished, running FROM ' + PROGRESS))
    server.sql(DB, 'CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ '
               'BEGIN COMMIT; END $$')
    finishes('a CALL that failed as nobody', where)


def the_same_text():
    """Somebody who runs the same for ever is named, and not waited for long."""
    where = folder('CREATE TABLE two (n int);',
                   'INSERT INTO two VALUES (1); COMMIT;'
                   'CREATE INDEX CONCURRENTLY i ON two (n);')
    first(where)
    lock = Session(server, DB, 'BEGIN', 'LOCK TABLE two IN ROW EXCLUSIVE MODE')
    process = begin(where)
    check('the same text: it waits', True, blocked('CREATE INDEX'))
    process.kill()
    process.wait()
    got = run(where, '--lock-wait', '1s')
    check('the same text: says who, and how to end it', (4, True), (
        got.status, 'pg_cancel_backend' in got.err)) or note(str(got))
    lock.close()
    finishes('the same text', where)


# ---- one that stopped midway, and other commands

BAD = ('CREATE TABLE two (n int);', 'INSERT INTO two VALUES (1); VACUUM two; '
       'INSERT INTO two SELECT 1/0;')


def partial(*more):
    where = folder(*BAD, *more)
    first(where)
    check('partial', 6, run(where).status)
    return where


def edited_to_fit():
    """What is done is not done again, also if the rest fits in one now."""
    setup = 'CREATE TABLE two (n int); INSERT INTO two VALUES (7);'
    head = 'INSERT INTO two VALUES (7);\n'
    where = folder(setup, head +
                   'CREATE UNIQUE INDEX CONCURRENTLY i ON two (n);')
    first(where)
    check('partial', 6, run(where).status)
    folder(setup, head + 'CREATE INDEX i ON two (n);')
    got = run(where)
    check('edited to fit in a transaction: refused', 5, got.status) or \
        note(str(got))
    got = run(where, '--allow-modified', '--transaction', 'all')
    check('edited to fit, all in one: refused', 9, got.status) or \
        note(str(got))
    finishes('edited to fit in a transaction', where, '--allow-modified')
    check('edited to fit: what was done is not done again', '2',
          server.sql(DB, 'SELECT count(*) FROM two'))


def with_others():
    # baseline, and what comes of it
    where = partial()
    got = run(where, command='baseline')
    check('baseline of what stopped midway', (0, '2'), (
        got.status, applied())) or note(str(got))
    check('its progress is gone', '0', server.sql(
        DB, 'SELECT count(*) FROM ' + PROGRESS))
    # somebody else has recorded it: rollback takes the progress along
    where = partial()
    server.sql(DB, 'CREATE TABLE kept AS TABLE ' + PROGRESS)
    run(where, command='baseline')
    server.sql(DB, 'INSERT INTO %s TABLE kept' % PROGRESS)
    write(where + '/0001_m.down.sql', 'TRUNCATE two;')
    got = run(where, command='rollback')
    check('rollback: takes the progress along', (0, '1', '0'), (
        got.status, applied(), server.sql(
            DB, 'SELECT count(*) FROM ' + PROGRESS))) or note(str(got))
    os.remove(where + '/0001_m.down.sql')
    got = run(where)
    check('and it begins anew', '1', server.sql(
        DB, 'SELECT count(*) FROM two'))
    # rollback of the one before
    write(where + '/0000_m.down.sql', 'DROP TABLE two;')
    got = run(where, command='rollback')
    check('rollback while one is midway: refused', (True, '1'), (
        got.status == 6, applied())) or note(str(got))
    os.remove(where + '/0000_m.down.sql')


def repaired():
    for what, make in (
            ('recorded', lambda w: server.sql(
                DB, 'CREATE TABLE kept AS TABLE ' + PROGRESS) and None),
            ('not in the folder', None)):
        where = partial()
        if what == 'recorded':
            server.sql(DB, 'CREATE TABLE kept AS TABLE ' + PROGRESS)
            run(where, command='baseline')
            server.sql(DB, 'INSERT INTO %s TABLE kept' % PROGRESS)
        else:
            server.sql(DB, "UPDATE %s SET tag = 'gone'" % PROGRESS)
        got = run(where, '--dry-run', command='repair')
        check('repair, %s: shown' % what, (0, True), (
            got.status, '__mizzle_progress' in got.out)) or note(str(got))
        got = run(where, '--yes', command='repair')
        check('repair, %s: done' % what, (0, '0'), (got.status, server.sql(
            DB, 'SELECT count(*) FROM ' + PROGRESS))) or note(str(got))
        got = run(where, '--json', '--yes', command='repair')
        check('repair, %s: once' % what, 0, got.event('result')['repaired'])
    where = partial()
    got = run(where, '--json', '--yes', command='repair')
    check('repair leaves what migrate goes on with', (0, '1'), (
        got.event('result')['repaired'], server.sql(
            DB, 'SELECT count(*) FROM ' + PROGRESS))) or note(str(got))


interrupted_and_in_the_way()
interrupted_in_the_cleaning()
interrupted_at_commit()
interrupted_in_the_end()
interrupted_in_a_retry()
interrupted_before_it_is_found_out()
settings()
settings_of_roles()
names()
own_transactions()
limited_in_its_own()
somebody_reads_it()
event_triggers()
of_somebody_else()
rows_that_lie()
as_nobody()
the_same_text()
edited_to_fit()
with_others()
repaired()
sys.exit(verdict())
