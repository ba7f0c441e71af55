# SPDX-License-Identifier: MIT
"""What people do with migrations, one function a case: given a World, it says
in a few words what became of it."""
import os

from beside_world import GATE
from harness import LONG, finish, heard, sha256, wait_for

MAKE_E = ('a', "CREATE TYPE e AS ENUM ('a'); CREATE TABLE a (n e);")
ADD = "ALTER TYPE e ADD VALUE 'b';"
USE = "INSERT INTO a VALUES ('b');"


def whole(w, got, tables, rows, words='applied'):
    return words if w.is_done(got, tables, rows) else w.failure(got)


# ---- the folder changes

def edited(w):
    w.go('a', 'b')
    before = w.rows("string_agg(hash, ',' ORDER BY id)")
    got = w.go('a', ('b', 'CREATE TABLE b (n int); -- edited'), 'c')
    if got.status == 0 and w.tables() == 'abc' and \
            w.rows("string_agg(hash, ',' ORDER BY id)").startswith(before):
        return 'not noticed'
    return w.failure(got) if w.tables() == 'ab' else w.odd(got)


def deleted(w):
    """The file; the journal has it still."""
    w.go('a', 'b')
    w.put('a', 'b', 'c')
    os.remove(w.file('b'))
    got = w.go()
    return whole(w, got, 'abc', 3, 'not noticed')


def removed(w):
    w.go('a', 'b')
    return whole(w, w.go('a', 'c'), 'abc', 3, 'not noticed')


def older(w):
    w.go('a', 'c')
    got = w.go('a', 'b', 'c')
    if got.status == 0 and w.tables() == 'ac':
        return 'skipped'
    return whole(w, got, 'abc', 3)


def as_old(w):
    w.go('a', 'c')
    got = w.go('a', 'c', ('d', 'CREATE TABLE d (n int);', 2))
    if got.status == 0 and w.tables() == 'ac':
        return 'skipped'
    return whole(w, got, 'acd', 3)


def stray(w):
    w.go('a')
    w.put('a')
    with open(os.path.join(w.where, '0009_stray.sql'), 'w') as f:
        f.write('CREATE TABLE s (n int);')
    got = w.go()
    if got.status or w.tables() != 'a':
        return w.odd(got)
    if w.is_drizzle:
        return 'ignored'
    return 'ignored; check tells' if '0009_stray' in w.check().out else \
        'ignored'


def without_time(w):
    """A folder that somebody made by hand."""
    w.go('a')
    w.put('a')
    os.mkdir(os.path.join(w.where, 'junk'))
    with open(os.path.join(w.where, 'junk', 'migration.sql'), 'w') as f:
        f.write('CREATE TABLE j (n int);')
    return w.failure(w.go())


def no_file(w):
    w.put('a', ('b', None))
    return w.failure(w.go())


# ---- failures

def second_fails(w):
    got = w.go('a', ('b', 'CREATE TABLE b (n int); SELECT 1/0;'), 'c')
    if got.status == 0:
        return w.odd(got)
    return {('', '0'): 'nothing is kept',
            ('a', '1'): 'the first is kept'}.get((w.tables(), w.rows()),
                                                 w.odd(got))


def killed(w):
    gate = w.gate()
    w.put('a', ('b', 'CREATE TABLE b (n int);' + GATE), 'c')
    process = w.begin()
    wait_for(w.at_gate)
    process.kill()
    process.wait()
    gate.close()
    w.gone()
    kept, rows = w.tables(), w.rows()
    got = w.go()
    if not w.is_done(got, 'abc', 3):
        return w.odd(got)
    return {('', '0'): 'nothing is kept', ('a', '1'): 'the first is kept'}.get(
        (kept, rows), w.odd(got))


def ended(w):
    """SIGTERM, as containers are ended: does the server go on for nobody?"""
    w.put('a', ('b', 'CREATE TABLE b (n int); SELECT pg_sleep(60);'))
    process = w.begin()
    if not wait_for(lambda: w.server.sleeping(w.db) == '1'):
        return w.odd(finish(process))
    process.terminate()
    finish(process)
    stopped = wait_for(lambda: w.server.sleeping(w.db) == '0', 5)
    w.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
          "datname = current_database() AND pid <> pg_backend_pid()")
    w.gone()
    return 'is cancelled' if stopped else 'runs on'


def names(w):
    got = w.go('a', ('b', 'CREATE TABLE b (n int);\n\nSELECT * FROM missing;'))
    signs = (('SQL', 'SELECT * FROM missing'), ('migration', w.tag('b')),
             ('file', '.sql:'), ('line and column', ':3:15'))
    return ', '.join(name for name, sign in signs if sign in got.err)


# ---- transactions

OUTSIDE = (
    'CREATE INDEX CONCURRENTLY j ON a (n)', 'VACUUM a', 'CREATE DATABASE x@',
    "ALTER SYSTEM SET application_name = 'beside'",
    'REINDEX INDEX CONCURRENTLY i', 'DROP INDEX CONCURRENTLY i')


def outside(w):
    first = ('a', 'CREATE TABLE a (n int); CREATE INDEX i ON a (n);')
    seen = set()
    w.go(first)
    for i, statement in enumerate(OUTSIDE):
        done = [(chr(ord('b') + k), OUTSIDE[k].replace('@', w.db))
                for k in range(i + 1)]
        seen.add(whole(w, w.go(first, *(
            done[-1:] if w.is_drizzle else done)), 'a', i + 2))
    w.server.sql('postgres', 'DROP DATABASE IF EXISTS x' + w.db)
    return ' or '.join(sorted(seen))


def enum_in_file(w):
    w.go(MAKE_E)
    return whole(w, w.go(MAKE_E, ('b', ADD + USE)), 'a', 2)


def enum_in_run(w):
    w.go(MAKE_E)
    return whole(w, w.go(MAKE_E, ('b', ADD), ('c', USE)), 'a', 3)


def enum_in_runs(w):
    w.go(MAKE_E)
    w.go(MAKE_E, ('b', ADD))
    return whole(w, w.go(MAKE_E, ('b', ADD), ('c', USE)), 'a', 3)


def commit_trick(w):
    return whole(w, w.go('a', (
        'b', 'CREATE TABLE b (n int);--> statement-breakpoint\nCOMMIT;'
        '--> statement-breakpoint\nCREATE INDEX CONCURRENTLY i ON a (n);'),
        'c'), 'abc', 3)


def in_part(w, text):
    """What it needs is made after it failed; then all of it is there?"""
    w.put('a', ('b', text + 'INSERT INTO need VALUES (1);'), 'c')
    got = w.go()
    if got.status == 0 or w.tables() != 'ab':
        return w.odd(got)
    w.sql('CREATE TABLE need (n int)')
    got = w.go()
    if w.is_done(got, 'abc', 3) and w.sql('SELECT * FROM need') == '1':
        return 'a part is kept; the next run goes on'
    return 'a part is kept; the next run %s' % w.failure(got)


def commit_fails(w):
    return in_part(w, 'CREATE TABLE b (n int); COMMIT;')


def own_fails(w):
    return in_part(w, 'BEGIN; CREATE TABLE b (n int); COMMIT;')


def rolls_back(w):
    got = w.go('a', ('b', 'CREATE TABLE b (n int); ROLLBACK;'), 'c')
    first = got.status, w.tables()
    again = w.go()
    return {((0, 'c'), (0, 'c')): 'others are undone, for ever',
            ((0, 'c'), (0, 'ac')): 'others are undone; the next run mends it',
            ((0, 'ac'), (0, 'ac')): 'undoes its own file alone'}.get(
                (first, (again.status, w.tables())), w.odd(got))


def search_path(w):
    got = w.go('a', ('b', 'CREATE SCHEMA s; SET search_path = s;'), 'c')
    if got.status:
        return w.odd(got)
    return 'ends with its file' if w.tables() == 'ac' else \
        'holds for all that follow'


# ---- texts

def many(w):
    number = 100000 if LONG else 2000
    return whole(w, w.go('a', ('b', '--> statement-breakpoint\n'.join(
        'INSERT INTO a VALUES (%d);' % i for i in range(number)))), 'a', 2)


def large(w):
    size = 107000000 if LONG else 3000000
    return whole(w, w.go(('a', "CREATE TABLE a AS SELECT length('%s') AS n;"
                          % ('y' * size))), 'a', 1)


def huge(w):
    """Longer than what a string of JavaScript can be."""
    if not LONG:
        return None
    line = '-- ' + 'x' * 96 + '\n'
    w.put('a', ('b', 'CREATE TABLE b (n int);\n' + line * 5400000))
    return whole(w, w.go(), 'ab', 2)


def recorded(w, text):
    got = w.go('a', ('b', text))
    return 'applied and recorded' if w.is_done(got, 'a', 2) and \
        sha256(text) in w.rows("string_agg(hash, ',')") else w.failure(got)


def empty(w):
    return recorded(w, '')


def comments(w):
    return recorded(w, '-- nothing\n/* at all */\n')


def crlf(w):
    text = 'CREATE TABLE b\r\n(n int);\r\n'
    got = w.go('a', ('b', text))
    return whole(w, got, 'ab', 2) if sha256(text) in w.rows(
        "string_agg(hash, ',')") else w.odd(got)


def pulled(w):
    return whole(w, w.go(('a', '''-- Current sql file was generated after \
introspecting the database
-- If you want to run this migration please uncomment this code before \
executing migrations
/*
CREATE TABLE "x" ("n" integer);
--> statement-breakpoint
CREATE TABLE "y" ("n" integer);
*/
''')), '', 1)


# ---- databases and roles

def latin1(w):
    return whole(w, w.go(('a', "CREATE TABLE a AS SELECT 'é' AS n;")), 'a', 1) \
        if w.sql('SHOW server_encoding') == 'LATIN1' else 'not LATIN1'


def cannot_create(w):
    w.go('a')
    w.sql('GRANT USAGE ON SCHEMA drizzle TO limited', 'GRANT SELECT, INSERT ON '
          'ALL TABLES IN SCHEMA drizzle TO limited', 'GRANT USAGE ON ALL '
          'SEQUENCES IN SCHEMA drizzle TO limited',
          'GRANT CREATE ON SCHEMA public TO limited')
    return whole(w, w.go('a', 'b', user='limited'), 'ab', 2)


def no_rights(w):
    w.go('a')
    w.sql('GRANT CREATE ON DATABASE "%s" TO limited' % w.db,
          'GRANT USAGE ON SCHEMA drizzle TO limited',
          'GRANT CREATE ON SCHEMA public TO limited')
    got = w.go('a', 'b', user='limited')
    if not w.is_drizzle and 'GRANT' not in got.err:
        return w.odd(got)
    return w.failure(got)


# ---- two at once

def at_once(w, first, *rest):
    """Both have looked at the history before either does anything."""
    if first:
        w.go(first)
    gate = w.gate()
    w.put(*([first] if first else []), *rest)
    runs = [w.begin(), w.begin()]
    if w.is_drizzle:
        wait_for(lambda: w.at_gate() + sum(
            run.poll() is not None for run in runs) == 2)
    else:
        wait_for(lambda: w.at_gate() == 1 and any(
            heard(run, 'waiting: ', 0) for run in runs))
    gate.close()
    got = [finish(run) for run in runs]
    count = w.sql('SELECT count(*) FROM x')
    failed = sum(one.status != 0 for one in got)
    rows = int(w.rows()) - len(rest) - bool(first)
    return {(0, 0, '1'): 'once', (1, 0, '1'): 'one fails',
            (0, len(rest), '2'): 'applied twice, both exit 0'}.get(
                (failed, rows, count), '? %d failed, %d rows too many, %s: %s'
                % (failed, rows, count, [one.err[-200:] for one in got]))


DATA = 'INSERT INTO x VALUES (1);'


def twice_fresh(w):
    return at_once(w, None, ('a', GATE + 'CREATE TABLE x (n int);' + DATA),
                   'b', 'c')


def twice_pending(w):
    return at_once(w, ('a', 'CREATE TABLE x (n int);'), (
        'b', GATE + 'CREATE TABLE b (n int);' + DATA), 'c')


def twice_data(w):
    return at_once(w, ('a', 'CREATE TABLE x (n int);'), ('b', GATE + DATA), (
        'c', 'UPDATE x SET n = n + 1;'))


def twice_idempotent(w):
    return at_once(w, None, (
        'a', GATE + 'CREATE TABLE IF NOT EXISTS x (n int);' + DATA))
