# SPDX-License-Identifier: MIT
"""Every other statement that runs in no transaction: undisturbed, in the way
of what is there already, and cut off just before and just after it."""
import os
import sys

from cutter import Cutter
from harness import (Server, check, finish, journal, mizzle, needs_program,
                     newdir, note, start, verdict, wait_for)

needs_program()
server = Server('autovacuum=off', 'max_prepared_transactions=5')
publisher = Server('wal_level=logical')
DB = 'kinds'


def place(name):
    """A directory that the server may write."""
    path = os.path.join(server.dir, name)
    if not os.path.isdir(path):
        os.mkdir(path)
        owner = os.stat(os.path.join(server.dir, 'data'))
        os.chown(path, owner.st_uid, owner.st_gid)
    return path


SPACE = "CREATE TABLESPACE kinds_t LOCATION '%s'" % place('space')
SUBSCRIBE = ("CREATE SUBSCRIPTION kinds_s CONNECTION 'host=%s port=%d "
             "dbname=pub user=postgres' PUBLICATION p" % (publisher.dir,
                                                          publisher.port))
PREPARE = ("BEGIN", "INSERT INTO two VALUES (7)", "PREPARE TRANSACTION 'g'")


class Kind:
    """What is there before; the statement; a question with its answer; what
    makes it fail, with which SQLSTATE, and what mends that."""

    def __init__(self, before, statement, question, answer, spoil=(),
                 state=None, mend=()):
        self.before, self.statement = before, statement
        self.question, self.answer = question, answer
        self.spoil, self.state, self.mend = spoil, state, mend


DATABASES = "SELECT count(*) FROM pg_database WHERE datname = 'kinds_x'"
SPACES = "SELECT count(*) FROM pg_tablespace WHERE spcname = 'kinds_t'"
SUBSCRIPTIONS = 'SELECT count(*) FROM pg_subscription'
INDEXES = "SELECT count(*) FROM pg_index WHERE indrelid = 'two'::regclass"
MOVED = ("SELECT spcname FROM pg_database d JOIN pg_tablespace t ON t.oid = "
         "dattablespace WHERE datname = 'kinds_x'")
TWO = 'SELECT count(*) FROM two'
ONE_INDEX = ('CREATE INDEX i ON two (n)',)
NEW, OLD = ('CREATE DATABASE kinds_x',), ('DROP DATABASE kinds_x',)

KINDS = {
    'CREATE DATABASE': Kind((), NEW[0], DATABASES, '1', NEW, '42P04', OLD),
    'DROP DATABASE': Kind(NEW, OLD[0], DATABASES, '0', OLD, '3D000', NEW),
    'DROP DATABASE IF EXISTS': Kind(
        NEW, 'DROP DATABASE IF EXISTS kinds_x', DATABASES, '0',
        ('ALTER DATABASE kinds_x IS_TEMPLATE true',), '42809',
        ('ALTER DATABASE kinds_x IS_TEMPLATE false',)),
    'ALTER DATABASE SET TABLESPACE': Kind(
        (SPACE, *NEW), 'ALTER DATABASE kinds_x SET TABLESPACE kinds_t', MOVED,
        'kinds_t', OLD, '3D000', NEW),
    'CREATE TABLESPACE': Kind(
        (), SPACE, SPACES, '1', (SPACE,), '42710',
        ('DROP TABLESPACE kinds_t',)),
    'DROP TABLESPACE': Kind(
        (SPACE,), 'DROP TABLESPACE kinds_t', SPACES, '0',
        ('CREATE TABLE x () TABLESPACE kinds_t',), '55000', ('DROP TABLE x',)),
    'ALTER SYSTEM': Kind(
        (), "ALTER SYSTEM SET work_mem = '7MB'",
        "SELECT count(*) FROM pg_file_settings WHERE setting = '7MB'", '1'),
    'REINDEX INDEX CONCURRENTLY': Kind(
        ONE_INDEX, 'REINDEX INDEX CONCURRENTLY i', INDEXES, '1',
        ('DROP INDEX i',), '42P01', ONE_INDEX),
    'REINDEX SCHEMA': Kind(
        ('CREATE SCHEMA s',), 'REINDEX SCHEMA s', 'SELECT 1', '1',
        ('DROP SCHEMA s',), '3F000', ('CREATE SCHEMA s',)),
    'REINDEX DATABASE': Kind(
        ONE_INDEX, 'REINDEX DATABASE ' + DB, INDEXES, '1'),
    # they come to the history, too
    'REINDEX SCHEMA drizzle': Kind(
        (), 'REINDEX SCHEMA drizzle', 'SELECT 1', '1'),
    'REINDEX DATABASE CONCURRENTLY': Kind(
        ONE_INDEX, 'REINDEX DATABASE CONCURRENTLY ' + DB, INDEXES, '1'),
    'VACUUM FULL': Kind((), 'VACUUM FULL', 'SELECT 1', '1'),
    'CLUSTER': Kind(
        (*ONE_INDEX, 'CLUSTER two USING i'), 'CLUSTER',
        'SELECT count(*) FROM pg_index WHERE indisclustered', '1'),
    'CREATE SUBSCRIPTION': Kind(
        (), SUBSCRIBE, SUBSCRIPTIONS, '1',
        (SUBSCRIBE + ' WITH (connect = false, slot_name = NONE)',), '42710',
        ('DROP SUBSCRIPTION kinds_s',)),
    'DROP SUBSCRIPTION': Kind(
        (SUBSCRIBE,), 'DROP SUBSCRIPTION kinds_s', SUBSCRIPTIONS, '0',
        ('DROP SUBSCRIPTION kinds_s',), '42704', (SUBSCRIBE,)),
    'ALTER SUBSCRIPTION REFRESH': Kind(
        (SUBSCRIBE,), 'ALTER SUBSCRIPTION kinds_s REFRESH PUBLICATION',
        SUBSCRIPTIONS, '1', ('ALTER SUBSCRIPTION kinds_s DISABLE',), '55000',
        ('ALTER SUBSCRIPTION kinds_s ENABLE',)),
    'COMMIT PREPARED': Kind(
        PREPARE, "COMMIT PREPARED 'g'", TWO, '1',
        ("ROLLBACK PREPARED 'g'",), '42704', PREPARE),
    'ROLLBACK PREPARED': Kind(
        PREPARE, "ROLLBACK PREPARED 'g'", TWO, '0',
        ("ROLLBACK PREPARED 'g'",), '42704', PREPARE),
    'DISCARD ALL': Kind((), 'DISCARD ALL', 'SELECT 1', '1'),
}


def clean():
    """Nothing of the last one is left, in the database or outside of it."""
    if server.sql('postgres', "SELECT 1 FROM pg_database WHERE datname = '%s'"
                  % DB):
        for _ in server.sql(DB, 'SELECT 1 FROM pg_subscription').split():
            server.sql(DB, 'ALTER SUBSCRIPTION kinds_s DISABLE',
                       'ALTER SUBSCRIPTION kinds_s SET (slot_name = NONE)',
                       'DROP SUBSCRIPTION kinds_s')
        for _ in server.sql(DB, 'SELECT 1 FROM pg_prepared_xacts').split():
            server.sql(DB, "ROLLBACK PREPARED 'g'")
        server.fresh(DB, 'postgres')
    slots = "FROM pg_replication_slots WHERE database = 'pub'"
    wait_for(lambda: publisher.sql(
        'pub', 'SELECT count(*) %s AND active' % slots) == '0')
    publisher.sql('pub', 'SELECT pg_drop_replication_slot(slot_name) ' + slots)
    if server.sql('postgres', DATABASES) != '0':
        server.sql('postgres', 'ALTER DATABASE kinds_x IS_TEMPLATE false')
    server.sql('postgres', 'DROP DATABASE IF EXISTS kinds_x WITH (FORCE)',
               'DROP TABLESPACE IF EXISTS kinds_t', 'ALTER SYSTEM RESET ALL')


def prepare(kind):
    """The first migration is applied, and the second is what is looked at."""
    where = journal(newdir('kinds'), [
        ('0000_first', 'CREATE TABLE one (n int); CREATE TABLE two (n int); '
         'CREATE TABLE three (n int);'),
        ('0001_middle', 'INSERT INTO one VALUES (1);\n%s;\n'
         'INSERT INTO three VALUES (3);\n' % kind.statement),
        ('0002_last', 'CREATE TABLE last (n int);')])
    clean()
    server.fresh(DB, 'postgres')
    got = run(where, '--to', '0000_first')
    check('the first is applied', 0, got.status) or note(str(got))
    server.sql(DB, *kind.before)
    return where


def run(where, *options, port=None):
    return finish(begin(where, *options, port=port))


def begin(where, *options, port=None):
    url = server.url(DB, 'postgres', query='?sslmode=disable')
    return start('migrate', '--dir', where, '--url', url.replace(
        ':%d/' % server.port, ':%d/' % (port or server.port)), *options)


WHOLE = '1|3|t|t|3'


def outcome(kind):
    return server.sql(
        DB, "SELECT (SELECT string_agg(n::text, ',') FROM one), "
        "(SELECT string_agg(n::text, ',') FROM three), "
        "to_regclass('drizzle.__mizzle_progress') IS NULL, "
        "to_regclass('last') IS NOT NULL, "
        '(SELECT count(*) FROM drizzle.__drizzle_migrations)'
    ), server.sql(DB, kind.question)


def is_whole(what, kind, got):
    check(what, (0, WHOLE, kind.answer), (got.status, *outcome(kind))) or \
        note(str(got))
    check(what + ': no session is left', True, wait_for(
        lambda: server.sessions(DB) == '0' or kind.before == (SUBSCRIBE,)
        or kind.statement == SUBSCRIBE))


def undisturbed(what, kind):
    where = prepare(kind)
    is_whole(what + ': undisturbed', kind, run(where))


def spoilt(what, kind):
    if not kind.state:
        return
    where = prepare(kind)
    server.sql(DB, *kind.spoil)
    for times in 'once', 'again':
        got = run(where)
        check('%s: in the way, %s' % (what, times), (6, True), (
            got.status, kind.state in got.err and ':2:' in got.err)) or \
            note(str(got))
    server.sql(DB, *kind.mend)
    is_whole(what + ': mended', kind, run(where))


def instant(statement, after):
    """Whether this is the message: the statement, or that it is done."""
    sent = set()

    def at(number, way, message):
        if way == 'front' and message[5:].startswith(statement.encode()):
            sent.add(number)
            return not after
        return after and way == 'back' and number in sent and \
            message[:1] == b'C'
    return at


def cut(what, kind, after, kill):
    what = '%s: %s %s it' % (what, 'killed' if kill else 'cut',
                             'just after' if after else 'just before')
    where = prepare(kind)
    process = []

    def first():
        if kill:
            process[0].kill()
    cutter = Cutter(server.port, instant(kind.statement, after), first)
    process.append(begin(where, port=cutter.port))
    got = finish(process[0])
    cutter.close()
    check(what, (True, -9 if kill else 3), (cutter.was_cut, got.status)) or \
        note(str(got))
    check(what + ': what is before it is kept', '1||f|f|1', outcome(kind)[0])
    if after:
        check(what + ': it was done', kind.answer, outcome(kind)[1])
    is_whole(what + ': the next run', kind, run(where))


def settings_are_back():
    """A file discards what it has set, not what mizzle was told."""
    where = journal(newdir('kinds'), [
        ('0000_first', 'CREATE TABLE a (what text, t text); CREATE PROCEDURE '
         'p(w text) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO a VALUES (w, '
         "concat_ws(' ', current_setting('statement_timeout'), "
         "current_setting('lock_timeout'))); COMMIT; END $$;"),
        ('0001_own', '-- mizzle: no-transaction, statement-timeout=9s\n'
         "CALL p('before'); DISCARD ALL; CALL p('call'); INSERT INTO a VALUES "
         "('plain', concat_ws(' ', current_setting('statement_timeout'), "
         "current_setting('lock_timeout')));")])
    server.fresh(DB, 'postgres')
    server.sql(DB, "ALTER DATABASE %s SET lock_timeout = '4s'" % DB)
    got = run(where)
    check('DISCARD ALL: timeouts hold behind it',
          (0, 'before=9s 0, call=9s 0, plain=9s 4s'), (got.status, server.sql(
              DB, "SELECT string_agg(what || '=' || t, ', ') FROM a"))) or \
        note(str(got))


def discarded_stays_so():
    """A second run sets again what was set, and discards what was."""
    where = journal(newdir('kinds'), [
        ('0000_first', 'CREATE SCHEMA s; CREATE TABLE two (n int); INSERT '
         'INTO two VALUES (1), (1);'),
        ('0001_own', 'SET search_path = s; CREATE TABLE a (n int); COMMIT; '
         'DISCARD ALL; CREATE UNIQUE INDEX CONCURRENTLY i ON two (n); CREATE '
         'TABLE b (n int);')])
    server.fresh(DB, 'postgres')
    check('discarded: partial', 6, run(where).status)
    server.sql(DB, 'DELETE FROM two')
    got = run(where)
    check('discarded: it is so in the next run, too', (0, 's.a public.b'), (
        got.status, server.sql(
            DB, "SELECT string_agg(relnamespace::regnamespace || '.' || "
            "relname, ' ' ORDER BY relname) FROM pg_class WHERE relname IN "
            "('a', 'b')"))) or note(str(got))


publisher.fresh('pub', 'postgres')
publisher.sql('pub', 'CREATE PUBLICATION p FOR ALL TABLES')
for name, one in KINDS.items():
    undisturbed(name, one)
    spoilt(name, one)
    for is_after in False, True:
        for by_kill in False, True:
            cut(name, one, is_after, by_kill)
clean()
settings_are_back()
discarded_stays_so()
sys.exit(verdict())
