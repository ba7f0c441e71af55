# SPDX-License-Identifier: MIT
"""Migrations that do not fit in one transaction: whatever stops one midway, at
whichever statement, the next run goes on, and all of it is done once."""
import os
import re
import signal
import sys

from harness import (Server, check, drizzle, drizzle_home, finish, heard,
                     journal, mizzle, needs_program, newdir, note, start,
                     verdict, wait_for)
from session import Session

needs_program()
server = Server('autovacuum=off', 'max_prepared_transactions=5',
                'max_connections=60')
DB = 'steps'
FIRST = 'CREATE TABLE one (n int); CREATE TABLE three (n int);'

# What stands between an INSERT into one and an INSERT into three; what is
# there before; a question whose answer says that it was done, once; and the
# table whose lock keeps it waiting.
KINDS = {
    'CREATE INDEX CONCURRENTLY': (
        'CREATE TABLE two (n int);', 'CREATE INDEX CONCURRENTLY i ON two (n)',
        "SELECT count(*) FROM pg_index WHERE indrelid = 'two'::regclass"),
    'the same without a name': (
        'CREATE TABLE two (n int);', 'create index concurrently on two (n)',
        "SELECT count(*) FROM pg_index WHERE indrelid = 'two'::regclass"),
    'the same if not there': (
        'CREATE TABLE two (n int);',
        'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "I x" ON ONLY "two" '
        '(n)',
        "SELECT count(*) FROM pg_index WHERE indrelid = 'two'::regclass"),
    'DROP INDEX CONCURRENTLY': (
        'CREATE TABLE two (n int); CREATE INDEX i ON two (n); CREATE INDEX j '
        'ON two (n);', 'DROP INDEX CONCURRENTLY i',
        "SELECT count(*) FROM pg_index WHERE indrelid = 'two'::regclass"),
    'REINDEX CONCURRENTLY': (
        'CREATE TABLE two (n int); CREATE INDEX i ON two (n);',
        'REINDEX TABLE CONCURRENTLY two',
        "SELECT count(*) FROM pg_index WHERE indrelid = 'two'::regclass"),
    'VACUUM': ('CREATE TABLE two (n int);', 'VACUUM two', 'SELECT 1'),
    'DETACH PARTITION CONCURRENTLY': (
        'CREATE TABLE two (n int) PARTITION BY LIST (n); CREATE TABLE two_a '
        'PARTITION OF two FOR VALUES IN (1);',
        'ALTER TABLE two DETACH PARTITION two_a CONCURRENTLY',
        "SELECT count(*) + 1 FROM pg_inherits"),
    'COMMIT': ('CREATE TABLE two (n int);',
               'COMMIT; INSERT INTO two VALUES (1)',
               'SELECT count(*) FROM two'),
    'a transaction of its own': (
        'CREATE TABLE two (n int);',
        'BEGIN; INSERT INTO two VALUES (1); COMMIT',
        'SELECT count(*) FROM two'),
    'a value that is used': (
        "CREATE TYPE e AS ENUM ('a'); CREATE TABLE two (n e);",
        "ALTER TYPE e ADD VALUE 'b'; INSERT INTO two VALUES ('b')",
        'SELECT count(*) FROM two'),
}


if server.version() < 140000:
    del KINDS['DETACH PARTITION CONCURRENTLY']


def folder(middle, setup, name='steps'):
    return journal(newdir(name), [
        ('0000_first', FIRST + setup),
        ('0001_middle', 'INSERT INTO one VALUES (1);\n%s;\n'
         'INSERT INTO three VALUES (3);\n' % middle),
        ('0002_last', 'CREATE TABLE last (n int);')])


def run(where, *options, **more):
    return mizzle('migrate', '--url', server.url(DB), '--dir', where,
                  *options, **more)


def only(where, db=DB):
    """The first migration alone, so that the second is what is disturbed."""
    server.fresh(db)
    got = mizzle('migrate', '--url', server.url(db), '--dir', where, '--to',
                 '0000_first')
    check('the first is applied', 0, got.status) or note(str(got))


def waits(table, sessions=1):
    return wait_for(lambda: int(server.sql(
        DB, 'SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted '
        "AND relation = '%s'::regclass" % table)) >= sessions)


def outcome(question):
    """Everything that must be there once, and nothing that must not."""
    return server.sql(
        DB, "SELECT (SELECT string_agg(n::text, ',') FROM one), "
        "(SELECT string_agg(n::text, ',') FROM three), (%s), "
        "(SELECT count(*) FROM pg_index WHERE NOT indisvalid), "
        "to_regclass('drizzle.__mizzle_progress') IS NULL, "
        "to_regclass('last') IS NOT NULL, "
        '(SELECT count(*) FROM drizzle.__drizzle_migrations)' % question)


WHOLE = '1|3|1|0|t|t|3'


def goes_on(what, where, question, *options):
    got = run(where, *options)
    check(what + ': the next run finishes it', (0, WHOLE),
          (got.status, outcome(question))) or note(str(got)[:1500])
    nobody_left(what)


def nobody_left(what):
    check(what + ': no session is left', True,
          wait_for(lambda: server.sessions(DB) == '0'))


def undisturbed():
    for kind, (setup, middle, question) in KINDS.items():
        where = folder(middle, setup)
        server.fresh(DB)
        got = run(where)
        check(kind + ': all at once', (0, WHOLE),
              (got.status, outcome(question))) or note(str(got)[:1500])
        again = run(where, '--json')
        check(kind + ': and nothing to do after it', (0, 0),
              (again.status, again.event('result').get('applied')))
        nobody_left(kind)


# ---- stopped at each statement

def worker():
    """The server's process that runs the statement which waits."""
    return int(server.sql(
        DB, "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND application_name = 'mizzle' AND datname = '%s' LIMIT 1" % DB))


def by_kill(process):
    process.kill()
    process.wait()
    return (-9,)


def by_signal(process):
    process.send_signal(signal.SIGTERM)
    return (143,)


def by_backend(process):
    server.sql('postgres', 'SELECT pg_terminate_backend(%d)' % worker())
    return (1, 3, 6)


WAYS = {'kill -9': by_kill, 'SIGTERM': by_signal,
        'pg_terminate_backend': by_backend}


def stopped(kind, table, way):
    setup, middle, question = KINDS[kind]
    what = '%s, %s while %s is locked' % (kind, way, table)
    where = folder(middle, setup)
    only(where)
    lock = Session(server, DB, 'BEGIN', 'LOCK TABLE %s IN ACCESS EXCLUSIVE MODE' % table)
    process = start('migrate', '--url', server.url(DB), '--dir', where)
    check(what + ': it waits', True, waits(table)) or \
        note(str(finish(process, 1)))
    statuses = WAYS[way](process)
    got = finish(process)
    check(what + ': status', True, got.status in statuses) or note(str(got))
    if way == 'kill -9':  # what it began goes on without it
        second = start('migrate', '--url', server.url(DB), '--dir', where)
        if table == 'two' and middle.upper().find('INSERT') < 0:
            check(what + ': the next one waits for it', True,
                  heard(second, 'an earlier run began'))
        lock.close()
        got = finish(second)
        check(what + ': the next run finishes it', (0, WHOLE),
              (got.status, outcome(question))) or note(str(got)[:1500])
        nobody_left(what)
        return
    lock.close()
    nobody_left(what)
    goes_on(what, where, question)


def at_each_statement():
    for kind in KINDS:
        for table in 'one', 'two', 'three':
            for way in WAYS:
                stopped(kind, table, way)


# ---- what the server refuses

def by_lock_timeout():
    for kind in ('VACUUM', 'COMMIT', 'a transaction of its own'):
        setup, middle, question = KINDS[kind]
        what = kind + ', a lock that is not to be had'
        table = 'three'
        where = folder(middle, setup)
        only(where)
        lock = Session(server, DB, 'BEGIN', 'LOCK TABLE three IN ACCESS EXCLUSIVE MODE')
        got = run(where, '--lock-timeout', '100ms', '--lock-retries', '1')
        check(what + ': status', 4, got.status) or note(str(got))
        check(what + ': it was tried again', 1, got.err.count('trying again'))
        check(what + ': says how far it is', re.compile(
            r'statements? (is|are) done, and kept'), got.err)
        lock.close()
        goes_on(what, where, question)


def conflicts():
    """A failure at statement k; it is mended in the database."""
    cases = {
        'a duplicate': (
            'CREATE TABLE two (n int); INSERT INTO two VALUES (1), (1);',
            'CREATE UNIQUE INDEX CONCURRENTLY i ON two (n)', '23505',
            'TRUNCATE two', 'SELECT count(*) FROM pg_index WHERE indrelid = '
            "'two'::regclass"),
        'a duplicate without a name': (
            'CREATE TABLE two (n int); INSERT INTO two VALUES (1), (1);',
            'CREATE UNIQUE INDEX CONCURRENTLY ON two (n)', '23505',
            'TRUNCATE two', 'SELECT count(*) FROM pg_index WHERE indrelid = '
            "'two'::regclass"),
        'a name that is taken': (
            'CREATE TABLE two (n int); CREATE TABLE i ();',
            'CREATE INDEX CONCURRENTLY i ON two (n)', '42P07', 'DROP TABLE i',
            "SELECT count(*) FROM pg_index WHERE indrelid = 'two'::regclass"),
        'a table that is missing': (
            '', 'VACUUM two', '42P01', 'CREATE TABLE two ()', 'SELECT 1'),
        'a database that is there': (
            '', 'CREATE DATABASE steps_x', '42P04', 'SELECT 1', 'SELECT 1'),
        'an index that is missing': (
            'CREATE TABLE two (n int);', 'DROP INDEX CONCURRENTLY i', '42704',
            'CREATE INDEX i ON two (n)', 'SELECT count(*) + 1 FROM pg_index '
            "WHERE indrelid = 'two'::regclass"),
        'a constraint at its COMMIT': (
            'CREATE TABLE k (n int PRIMARY KEY); CREATE TABLE two (n int '
            'REFERENCES k DEFERRABLE INITIALLY DEFERRED);',
            'COMMIT; BEGIN; INSERT INTO two VALUES (7); COMMIT', '23503',
            'INSERT INTO k VALUES (7)', 'SELECT count(*) FROM two'),
        'a constraint at ours': (
            'CREATE TABLE k (n int PRIMARY KEY); CREATE TABLE two (n int '
            'REFERENCES k DEFERRABLE INITIALLY DEFERRED);',
            'COMMIT; INSERT INTO two VALUES (7); VACUUM k', '23503',
            'INSERT INTO k VALUES (7)', 'SELECT count(*) FROM two'),
    }
    server.sql('postgres', 'CREATE DATABASE steps_x')
    for what, (setup, middle, state, mend, question) in cases.items():
        where = folder(middle, setup)
        only(where)
        got = run(where)
        check(what + ': partial', (6, True), (got.status, state in got.err)) \
            or note(str(got))
        check(what + ': where', re.compile(r'0001_middle\.sql:2:'), got.err)
        check(what + ': no invalid index is left', '0', server.sql(
            DB, 'SELECT count(*) FROM pg_index WHERE NOT indisvalid'))
        for command, status in (('status', 0), ('verify', 6), ('plan', 0)):
            said = mizzle(command, '--url', server.url(DB), '--dir', where)
            check('%s: %s' % (what, command), (status, True),
                  (said.status, ' statements are done' in said.out)) or \
                note(str(said))
        if state == '42P04':
            server.sql('postgres', 'DROP DATABASE steps_x')
        server.sql(DB, mend)
        goes_on(what, where, question)
    server.sql('postgres', 'DROP DATABASE steps_x')


def nothing_is_kept():
    """The first statement fails: as if it had not begun."""
    where = journal(newdir('steps'), [
        ('0000_first', 'CREATE TABLE two (n int); INSERT INTO two VALUES (1), '
         '(1);'),
        ('0001_bad', 'CREATE UNIQUE INDEX CONCURRENTLY i ON two (n);')])
    server.fresh(DB)
    got = run(where)
    check('the only statement fails: status', 1, got.status) or note(str(got))
    check('the only statement fails: nothing is left of it', '0|t|1',
          server.sql(DB, 'SELECT (SELECT count(*) FROM pg_index WHERE NOT '
                     "indisvalid), to_regclass('drizzle.__mizzle_progress') "
                     'IS NULL, (SELECT count(*) FROM '
                     'drizzle.__drizzle_migrations)'))
    said = mizzle('status', '--url', server.url(DB), '--dir', where)
    check('the only statement fails: it is pending', True,
          'pending' in said.out and 'partial' not in said.out)


# ---- a file that is edited midway

def edited():
    setup = 'CREATE TABLE two (n int); INSERT INTO two VALUES (1), (1);'
    wrong = 'CREATE UNIQUE INDEX CONCURRENTLY i ON two (n)'
    right = 'CREATE INDEX CONCURRENTLY i ON two (n)'
    question = KINDS['CREATE INDEX CONCURRENTLY'][2]
    where = folder(wrong, setup)
    only(where)
    check('edited: partial', 6, run(where).status)
    folder(right, setup)
    got = run(where)
    check('edited: refused', (5, True), (got.status, 'edited' in got.err)) or \
        note(str(got))
    said = mizzle('status', '--url', server.url(DB), '--dir', where)
    check('edited: status says so', True, 'edited since' in said.out)
    path = os.path.join(where, '0001_middle.sql')
    with open(path, encoding='ascii') as f:
        text = f.read()
    with open(path, 'w', encoding='ascii') as f:
        f.write(text.replace('INTO one', 'INTO  one'))
    got = run(where, '--allow-modified')
    check('edited in what is done: refused', 5, got.status) or note(str(got))
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)
    goes_on('edited in what is not done', where, question, '--allow-modified')


# ---- settings, roles

def settings_hold():
    where = journal(newdir('steps'), [
        ('0000_first', 'CREATE SCHEMA s; CREATE TABLE s.two (n int); INSERT '
         'INTO s.two VALUES (1), (1);'),
        ('0001_set', "SET search_path = s;\nSET LOCAL work_mem = '1MB';\n"
         'COMMIT;\nCREATE UNIQUE INDEX CONCURRENTLY i ON two (n);\n'
         'CREATE TABLE three (n int);'),
        ('0002_last', 'CREATE TABLE four (n int);')])
    server.fresh(DB)
    got = run(where)
    check('settings: partial', 6, got.status) or note(str(got))
    server.sql(DB, 'TRUNCATE s.two')
    got = run(where)
    check('settings: hold in the next run, and only for that migration',
          (0, 's.i s.three public.four'), (got.status, server.sql(
              DB, "SELECT string_agg(relnamespace::regnamespace || '.' || "
              "relname, ' ' ORDER BY oid) FROM pg_class WHERE relname IN "
              "('i', 'three', 'four')"))) or note(str(got))


def as_another_role():
    server.fresh(DB)
    server.sql(DB, 'DROP ROLE IF EXISTS stepper', 'CREATE ROLE stepper',
               'GRANT stepper TO tester', 'GRANT ALL ON SCHEMA public TO '
               'stepper')
    where = journal(newdir('steps'), [
        ('0000_role', 'SET ROLE stepper; CREATE TABLE a (n int); COMMIT;'
         'CREATE INDEX CONCURRENTLY i ON a (n); CREATE TABLE b (n int);'),
        ('0001_next', 'CREATE TABLE c (n int);')])
    got = run(where)
    check('a role: the owners', (0, 'stepper stepper tester'), (
        got.status, server.sql(
            DB, "SELECT string_agg(relowner::regrole::text, ' ' ORDER BY "
            "relname) FROM pg_class WHERE relname IN ('a', 'b', 'c')"))) or \
        note(str(got))
    server.sql(DB, 'DROP OWNED BY stepper', 'DROP ROLE stepper')


def timeouts():
    """lock_timeout is not for CONCURRENTLY; a file may ask for its own."""
    where = folder(*reversed(KINDS['CREATE INDEX CONCURRENTLY'][:2]))
    only(where)
    lock = Session(server, DB, 'BEGIN', 'LOCK TABLE two IN ROW EXCLUSIVE MODE')
    process = start('migrate', '--url', server.url(DB), '--dir', where,
                    '--lock-timeout', '50ms')
    check('CONCURRENTLY waits', True, wait_for(lambda: server.sql(
        DB, 'SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = '
        "'virtualxid'") == '1'))
    check('and goes on waiting', False, wait_for(
        lambda: process.poll() is not None, 1))
    lock.close()
    got = finish(process)
    check('CONCURRENTLY has no lock_timeout', (0, WHOLE), (
        got.status, outcome(KINDS['CREATE INDEX CONCURRENTLY'][2]))) or \
        note(str(got))
    where = journal(newdir('steps'), [
        ('0000_first', '-- mizzle: lock-timeout=7s, statement-timeout=9s\n'
         'CREATE TABLE a AS SELECT current_setting(\'lock_timeout\') l, '
         "current_setting('statement_timeout') s;"),
        ('0001_next', "CREATE TABLE b AS SELECT current_setting('lock_timeout'"
         ") l, current_setting('statement_timeout') s;")])
    for options, rest in (((), '0|0'), (('--transaction', 'all'), '0|0'),
                          (('--lock-timeout', '3s'), '3s|0')):
        server.fresh(DB)
        got = run(where, *options)
        check('a file asks for its own timeouts %s' % (options,),
              (0, '7s|9s', rest), (got.status, server.sql(
                  DB, 'SELECT * FROM a'), server.sql(DB, 'SELECT * FROM b')))


def without_a_transaction():
    """-- mizzle: no-transaction: each statement on its own."""
    where = journal(newdir('steps'), [
        ('0000_first', 'CREATE TABLE a (n int);'),
        ('0001_none', '-- mizzle: no-transaction\nINSERT INTO a VALUES (1);\n'
         'INSERT INTO a VALUES (2);\nSELECT 1/0;\n')])
    server.fresh(DB)
    got = run(where)
    check('no-transaction: what is done is kept', (6, '1,2'), (
        got.status, server.sql(DB, "SELECT string_agg(n::text, ',') FROM a")))
    check('no-transaction: where it failed', re.compile(
        r'failed at statement 3; 2 of its 3 statements are done'), got.err)


def a_call_that_was_cut_off():
    where = journal(newdir('steps'), [
        ('0000_first', 'CREATE TABLE a (n int); CREATE TABLE g (n int); CREATE '
         'PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO a VALUES (1);'
         ' COMMIT; LOCK TABLE g; INSERT INTO a VALUES (2); END $$;'),
        ('0001_call', '-- mizzle: no-transaction\nCALL p();\n'
         'INSERT INTO a VALUES (3);')])
    for how, want in (('skip', '1,2,3'), ('again', '1,2,1,2,3')):
        only(where)
        lock = Session(server, DB, 'BEGIN', 'LOCK TABLE g')
        process = start('migrate', '--url', server.url(DB), '--dir', where)
        check('a CALL: waits', True, waits('g'))
        process.kill()
        process.wait()
        lock.close()
        nobody_left('a CALL')
        got = run(where)
        check('a CALL that was cut off: only a person can tell', (6, True), (
            got.status, '--resume=skip' in got.err)) or note(str(got))
        got = run(where, '--resume', how)
        check('a CALL that was cut off: ' + how, (0, want), (
            got.status, server.sql(
                DB, "SELECT string_agg(n::text, ',') FROM a"))) or \
            note(str(got))


# ---- several at once

def at_once():
    question = KINDS['CREATE INDEX CONCURRENTLY'][2]
    for which in ('CREATE INDEX CONCURRENTLY', 'VACUUM',
                  'a transaction of its own'):
        setup, middle, question = KINDS[which]
        where = folder(middle, setup)
        only(where)
        lock = Session(server, DB, 'BEGIN', 'LOCK TABLE two IN ACCESS EXCLUSIVE MODE')
        runs = [start('migrate', '--json', '--url', server.url(DB), '--dir',
                      where)]
        check('six at once: one is at work', True, waits('two'))
        runs += [start('migrate', '--json', '--url', server.url(DB), '--dir',
                       where) for _ in range(5)]
        for other in runs[1:]:
            check('six at once: the others wait', True,
                  heard(other, 'waiting: '))
        lock.close()
        done = [finish(one) for one in runs]
        check('six at once, %s: all end well' % which, [0] * 6,
              [one.status for one in done]) or note('\n'.join(map(str, done)))
        check('six at once, %s: once' % which, WHOLE, outcome(question))
        check('six at once, %s: told by one' % which, 2, sum(
            one.event('result').get('applied', 0) for one in done))


def with_drizzle():
    """The file that needs the trick is the same for both."""
    if not drizzle_home() or not os.path.exists(server.bin + '/pg_dump'):
        note('no drizzle-orm or pg_dump here: the comparison was left out')
        return
    where = journal(newdir('steps'), [
        ('0000_a', 'CREATE TABLE a (n int);'),
        ('0001_b', 'CREATE TABLE b (n int);--> statement-breakpoint\nCOMMIT;'
         '--> statement-breakpoint\nCREATE INDEX CONCURRENTLY i ON a (n);'),
        ('0002_c', 'CREATE TABLE c (n int);')])
    server.fresh(DB)
    done = drizzle(0, server.url(DB), where)
    want = server.dump(DB), server.history(DB, 'id, hash, created_at')
    server.fresh(DB)
    got = run(where)
    check('the trick with COMMIT: as Drizzle', (done.status, want), (
        got.status, (server.dump(DB), server.history(
            DB, 'id, hash, created_at'))))
    check('and Drizzle has nothing to do', 0,
          drizzle(0, server.url(DB), where).status)
    check('and does nothing', want[1],
          server.history(DB, 'id, hash, created_at'))


def without_advisory_locks():
    """A server that has none: the lock of the table does it."""
    name = 'pg_catalog.pg_try_advisory_xact_lock(bigint)'
    for which in 'CREATE INDEX CONCURRENTLY', 'COMMIT':
        setup, middle, question = KINDS[which]
        where = folder(middle, setup)
        server.fresh(DB)
        server.sql(DB, 'REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC' % name)
        got = run(where, '--to', '0000_first')
        check('no advisory locks: the first', 0, got.status) or note(str(got))
        lock = Session(server, DB, 'BEGIN',
                       'LOCK TABLE two IN ACCESS EXCLUSIVE MODE')
        runs = [start('migrate', '--url', server.url(DB), '--dir', where)]
        check('no advisory locks: one is at work', True, waits('two'))
        runs += [start('migrate', '--url', server.url(DB), '--dir', where)
                 for _ in range(3)]
        for other in runs[1:]:
            check('no advisory locks: the others wait', True,
                  heard(other, 'waiting: '))
        check('no advisory locks: readers do not', True, 'partial' in mizzle(
            'status', '--url', server.url(DB), '--dir', where).out)
        lock.close()
        done = [finish(one) for one in runs]
        check('no advisory locks: all end well', [0] * 4,
              [one.status for one in done]) or note('\n'.join(map(str, done)))
        check('no advisory locks, %s: once' % which, WHOLE, outcome(question))
    server.sql(DB, 'REVOKE ALL ON drizzle.__drizzle_migrations FROM tester',
               'ALTER TABLE drizzle.__drizzle_migrations OWNER TO postgres',
               'GRANT SELECT, INSERT ON drizzle.__drizzle_migrations TO tester')
    server.sql(DB, "DELETE FROM drizzle.__drizzle_migrations WHERE id = 3",
               'DROP TABLE last')
    got = run(where)
    check('neither lock is to be had: refused', (9, True), (
        got.status, 'may not take an advisory lock' in got.err)) or \
        note(str(got))


def rights():
    """Who may not make the table for the progress is told what is missing."""
    where = folder(*reversed(KINDS['VACUUM'][:2]))
    only(where)
    server.sql(DB, 'ALTER SCHEMA drizzle OWNER TO postgres',
               'GRANT USAGE ON SCHEMA drizzle TO tester')
    got = run(where)
    check('no right to create: told', (1, True), (
        got.status, 'GRANT CREATE ON SCHEMA' in got.err)) or note(str(got))
    check('no right to create: nothing was run', '0', server.sql(
        DB, 'SELECT count(*) FROM one'))


def hidden_progress():
    """What row-level security hides was done all the same."""
    where = journal(newdir('steps'), [
        ('0000_log', 'CREATE TABLE log (n int);'),
        ('0001_half', '-- mizzle: no-transaction\nINSERT INTO log VALUES (1);\n'
         'SELECT 1 / 0;')])
    server.fresh(DB)
    check('hidden progress: partial', 6, run(where).status)
    server.sql(DB, 'ALTER TABLE drizzle.__mizzle_progress ENABLE ROW LEVEL '
               'SECURITY, FORCE ROW LEVEL SECURITY')
    got = run(where)
    check('hidden progress: refused', (9, True), (
        got.status, 'row-level security' in got.err)) or note(str(got))
    check('hidden progress: nothing is done twice', '1', server.sql(
        DB, 'SELECT count(*) FROM log'))


undisturbed()
at_each_statement()
by_lock_timeout()
conflicts()
nothing_is_kept()
edited()
settings_hold()
as_another_role()
timeouts()
without_a_transaction()
a_call_that_was_cut_off()
at_once()
with_drizzle()
rights()
hidden_progress()
without_advisory_locks()
sys.exit(verdict())
