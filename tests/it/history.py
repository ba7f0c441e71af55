# SPDX-License-Identifier: MIT
"""The history against the folder: both table shapes, both layouts, and what
the real Drizzle makes of what mizzle wrote."""
import os
import re
import shutil
import sys
import time

from harness import (Server, WHEN, check, drizzle, drizzle_home, folders,
                     journal, mizzle, needs_program, newdir, note, sha256,
                     verdict, workdir, write)

needs_program()
server = Server('autovacuum=off')
TABLE = 'drizzle.__drizzle_migrations'
THREE = ('CREATE SCHEMA drizzle', 'CREATE TABLE %s (id serial PRIMARY KEY, '
         'hash text NOT NULL, created_at bigint)' % TABLE)
FIVE = THREE + ('ALTER TABLE %s ADD name text, ADD applied_at timestamptz '
                'DEFAULT now()' % TABLE,)


def texts(*names):
    """SQL that runs twice only with an error, and leaves a trace."""
    return [(n, 'CREATE TABLE "%s" (id int);' % n.split('_')[-1])
            for n in names]


def run(command, where, *options, db='h', **more):
    return mizzle(command, '--json', '--url', server.url(db), '--dir', where,
                  *options, **more)


def states(where, *options, db='h', command='status'):
    got = run(command, where, *options, db=db)
    if got.status not in (0, 5, 7):
        note(str(got)[:500])
        return got.status
    return ' '.join('%s=%s' % (e['tag'], e['state']) for e in got.events()
                    if e['event'] == 'migration')


def rows(columns='hash, created_at', db='h'):
    return server.history(db, columns)


def applied(got):
    return got.status, got.event('result').get('applied')


def next_xid():
    return server.sql('postgres',
                      'SELECT pg_snapshot_xmax(pg_current_snapshot())')


# Both shapes are made by the same steps, in the layout that goes with them.

class Three:
    name, shape = '3 columns', 0
    a, b, c, d = '0000_a', '0001_b', '0002_c', '0003_d'

    @staticmethod
    def folder(where, tags, text={}):
        every = [Three.a, Three.b, Three.c, Three.d]
        made = dict(texts(*every), **text)
        return journal(where, [(t, made[t], WHEN + every.index(t) * 1000)
                               for t in tags])

    @staticmethod
    def file(where, tag):
        return os.path.join(where, tag + '.sql')


class Five:
    name, shape = '5 columns', 1
    a, b, c, d = ('20240101000000_a', '20240101000001_b',
                  '20240101000002_c', '20240101000003_d')

    @staticmethod
    def folder(where, tags, text={}):
        made = dict(texts(Five.a, Five.b, Five.c, Five.d), **text)
        return folders(where, [(t, made[t]) for t in tags])

    @staticmethod
    def file(where, tag):
        return os.path.join(where, tag, 'migration.sql')


def make(kind, tags, **more):
    """A fresh database with these applied by mizzle."""
    server.fresh('h')
    where = kind.folder(newdir('made'), tags, **more)
    if kind is Five:  # the shape is what makes it 5
        check('5 columns: applied', (0, len(tags)),
              applied(run('migrate', where)))
    else:
        check('3 columns: applied', (0, len(tags)),
              applied(run('migrate', where)))
    return where


def change(kind, tags, **more):
    return kind.folder(newdir('changed'), tags, **more)


# ---- what is told

def before_the_first_run(kind):
    server.fresh('h')
    where = kind.folder(newdir('first'), [kind.a, kind.b])
    xid = next_xid()
    pending = '%s=pending %s=pending' % (kind.a, kind.b)
    what = kind.name + ', before the first run: '
    check(what + 'status', pending, states(where))
    check(what + 'verify', (7, pending),
          (run('verify', where).status, states(where, command='verify')))
    check(what + 'status --exit-code', 7,
          run('status', where, '--exit-code').status)
    check(what + 'plan', 0, run('plan', where).status)
    check(what + 'migrate --dry-run', 0,
          run('migrate', where, '--dry-run').status)
    check(what + 'nothing was written', (xid, '0'), (next_xid(), server.sql(
        'h', "SELECT count(*) FROM pg_namespace WHERE nspname = 'drizzle'")))
    got = mizzle('status', '--url', server.url('h'), '--dir', where)
    check(what + 'status in words', True, got.status == 0 and
          all(t in got.out for t in (kind.a, kind.b, 'pending')))


def after_it(kind):
    where = make(kind, [kind.a, kind.b])
    what = kind.name + ', after it: '
    xid = next_xid()
    check(what + 'status', '%s=applied %s=applied' % (kind.a, kind.b),
          states(where))
    check(what + 'status --exit-code', 0,
          run('status', where, '--exit-code').status)
    check(what + 'verify', 0, run('verify', where).status)
    check(what + 'nothing to do', (0, 0), applied(run('migrate', where)))
    check(what + 'nothing was written', xid, next_xid())
    first = [e for e in run('status', where).events()
             if e['event'] == 'migration'][0]
    check(what + 'the fields', True, {
        'tag', 'state', 'hash', 'when', 'recorded_hash', 'recorded_at'
    } <= set(first))
    check(what + 'the hash is Drizzle\'s', (first['hash'],) * 2, (
        first['recorded_hash'],
        sha256(open(kind.file(where, kind.a), 'rb').read())))
    counts = run('status', where).event('result')
    check(what + 'counts per state', True,
          counts.get('applied') == 2 and counts.get('pending') == 0)


def modified(kind):
    where = make(kind, [kind.a, kind.b])
    before = rows()
    changed = change(kind, [kind.a, kind.b, kind.c], text={
        kind.a: 'CREATE TABLE a (id int, more int);'})
    what = kind.name + ', modified: '
    check(what + 'status', '%s=modified %s=applied %s=pending' % (
        kind.a, kind.b, kind.c), states(changed))
    check(what + 'verify', 5, run('verify', changed).status)
    got = run('migrate', changed)
    check(what + 'refused', (5, before), (got.status, rows()))
    check(what + 'named', re.compile(kind.a), got.out + got.err)
    check(what + 'as JSON', 'history', got.event('error').get('code'))
    got = run('migrate', changed, '--allow-modified')
    check(what + 'allowed', (0, 1), applied(got))
    check(what + 'the old hash stays', before, '\n'.join(
        rows().splitlines()[:2]))


def missing(kind):
    make(kind, [kind.a, kind.b, kind.c])
    changed = change(kind, [kind.a, kind.c, kind.d])
    what = kind.name + ', missing: '
    got = states(changed)
    check(what + 'status', True, got.count('=missing') == 1 and
          '%s=applied' % kind.c in got and '%s=pending' % kind.d in got)
    check(what + 'verify', 5, run('verify', changed).status)
    check(what + 'refused', 5, run('migrate', changed).status)
    check(what + 'nothing was done', '3', str(len(rows().splitlines())))
    check(what + 'allowed', (0, 1),
          applied(run('migrate', changed, '--allow-missing')))
    if kind is Three:
        where = change(kind, [kind.a, kind.b, kind.c])
        os.unlink(kind.file(where, kind.b))
        got = run('migrate', where)
        check(what + 'the journal still has it', (2, True),
              (got.status, kind.b in got.out))


def line_ends(kind):
    two = 'CREATE TABLE a (id int);\nSELECT 1;\n'
    for what, first, then in (('made CRLF', two, two.replace('\n', '\r\n')),
                              ('made LF', two.replace('\n', '\r\n'), two)):
        make(kind, [kind.a, kind.b], text={kind.a: first})
        changed = change(kind, [kind.a, kind.b], text={kind.a: then})
        what = '%s, %s: ' % (kind.name, what)
        check(what + 'status', '%s=eol %s=applied' % (kind.a, kind.b),
              states(changed))
        check(what + 'verify', 0, run('verify', changed).status)
        check(what + 'nothing to do', (0, 0),
              applied(run('migrate', changed)))


def out_of_order(kind):
    for how, want in (
            ([], 5 if kind is Three else 0), (['auto'],
             5 if kind is Three else 0), (['apply'], 0), (['refuse'], 5),
            (['skip'], 0)):
        make(kind, [kind.a, kind.c])
        changed = change(kind, [kind.a, kind.b, kind.c, kind.d])
        what = '%s, out of order, %s: ' % (kind.name, ''.join(how) or 'none')
        options = ['--out-of-order', how[0]] if how else []
        check(what + 'status', '%s=applied %s=out-of-order %s=applied '
              '%s=pending' % (kind.a, kind.b, kind.c, kind.d),
              states(changed))
        check(what + 'verify is not content', True,
              run('verify', changed).status in (5, 7))
        got = run('migrate', changed, *options)
        made = server.sql('h', "SELECT coalesce(string_agg(relname, '' "
                          "ORDER BY relname), '') FROM pg_class "
                          "WHERE relname IN ('a', 'b', 'c', 'd')")
        count = {5: 'ac', 0: 'abcd'}[want] if how != ['skip'] else 'acd'
        check(what + 'status and tables', (want, count), (got.status, made))
        if want == 5:
            check(what + 'names it', re.compile(kind.b), got.out)
        if count == 'abcd':
            check(what + 'then nothing to do', (0, 0),
                  applied(run('migrate', changed)))
            drizzle_is_content(what, kind, changed)


def up_to(kind):
    server.fresh('h')
    where = kind.folder(newdir('to'), [kind.a, kind.b, kind.c])
    what = kind.name + ', --to: '
    check(what + 'first', (0, 1), applied(run('migrate', where, '--to',
                                              kind.a)))
    check(what + 'again', (0, 0), applied(run('migrate', where, '--to',
                                              kind.a)))
    check(what + 'the next', (0, 1), applied(run('migrate', where, '--to',
                                                 kind.b)))
    check(what + 'unknown', 2, run('migrate', where, '--to', 'x').status)
    check(what + 'the rest', (0, 1), applied(run('migrate', where)))


def drizzle_is_content(what, kind, where, *names, db='h', table=TABLE):
    """The real Drizzle finds nothing to do in what mizzle left."""
    if not drizzle_home():
        return
    before = server.history(db, '*', table=table)
    got = drizzle(kind.shape, server.url(db), where, *names)
    check(what + 'Drizzle is content', (0, before), (
        got.status, server.history(db, '*', table=table)) if got.status == 0
        else (got.err, ''))


def names_of_its_own(kind):
    for schema, table in (('public', '__migrations'), ('public', 'my'),
                          ('My "Odd" schema', 'a.b;c\'d'),
                          ('ключ', 'x' * 59)):
        server.fresh('h')
        where = kind.folder(newdir('named'), [kind.a, kind.b])
        options = ['--schema', schema, '--table', table]
        what = '%s, %s.%s: ' % (kind.name, schema, table[:10])
        check(what + 'applied', (0, 2),
              applied(run('migrate', where, *options)))
        check(what + 'status', '%s=applied %s=applied' % (kind.a, kind.b),
              states(where, *options))
        check(what + 'nothing to do', (0, 0),
              applied(run('migrate', where, *options)))
        check(what + 'no other history', '0', server.sql(
            'h', "SELECT count(*) FROM pg_namespace "
            "WHERE nspname = 'drizzle'"))
        quoted = '"%s"."%s"' % (schema.replace('"', '""'), table)
        drizzle_is_content(what, kind, where, schema, table, table=quoted)
        env = {'MIZZLE_SCHEMA': schema, 'MIZZLE_TABLE': table}
        check(what + 'from the environment', (0, 0),
              applied(run('migrate', where, env=env)))


def odd_rows():
    """Rows as races and old tools leave them: nothing runs again."""
    kind = Three
    where = make(kind, [kind.a, kind.b])
    server.sql('h', 'INSERT INTO %s (hash, created_at) SELECT hash, '
               'created_at FROM %s ORDER BY id' % (TABLE, TABLE))
    got = run('migrate', where)
    check('duplicate rows: nothing runs again', (True, '4'), (
        got.status in (0, 5), str(len(rows().splitlines()))))
    note('duplicate rows of a race: migrate ends with %s, status says %s' % (
        got.status, states(where)))

    where = make(kind, [kind.a, kind.b])
    server.sql('h', 'UPDATE %s SET created_at = NULL WHERE id = 1' % TABLE)
    check('created_at is NULL: by the hash', (0, 0),
          applied(run('migrate', where)))
    check('created_at is NULL: status', '%s=applied %s=applied' % (
        kind.a, kind.b), states(where))

    # Empty custom files have one hash; rows are matched one to one.
    empty = '-- Custom SQL migration file, put your code below! --'
    server.fresh('h')
    where = journal(newdir('equal'), [('0000_x', empty), ('0001_y', empty),
                                      ('0002_z', empty)])
    check('equal files: two applied', (0, 2),
          applied(run('migrate', where, '--to', '0001_y')))
    check('equal files: the third is pending', '0000_x=applied '
          '0001_y=applied 0002_z=pending', states(where))
    check('equal files: it is applied', (0, 1), applied(run('migrate',
                                                            where)))
    server.sql('h', 'UPDATE %s SET created_at = NULL' % TABLE)
    check('equal files without times: none is pending', '0000_x=applied '
          '0001_y=applied 0002_z=applied', states(where))
    server.sql('h', 'DELETE FROM %s WHERE id = 2' % TABLE)
    check('equal files, a row is lost: one is not applied', 1, str(states(
        where)).count('pending') + str(states(where)).count('out-of-order'))


# ---- one layout on the other's table

def new_layout_old_table():
    """0.x applied, `drizzle-kit up`, a new migration: mizzle, then Drizzle 1."""
    ms = 1704067200000  # 2024-01-01 00:00:00
    server.fresh('h')
    made = texts('0000_a', '0001_b', '0002_c')
    old = journal(newdir('old'), [(t, s, ms + 1000 * i + 123)
                                  for i, (t, s) in enumerate(made[:2])])
    who = (lambda: drizzle(0, server.url('h'), old)) if drizzle_home() \
        else (lambda: run('migrate', old))
    check('old table: made', 0, who().status)
    new = folders(newdir('new'), [
        ('2024010100000%d_%s' % (i, t[5:]), s)
        for i, (t, s) in enumerate(made)])
    check('old table, new layout: status', '20240101000000_a=applied '
          '20240101000001_b=applied 20240101000002_c=pending', states(new))
    check('old table, new layout: applied', (0, 1),
          applied(run('migrate', new)))
    check('old table, new layout: the row', '%s|%d' % (
        sha256(made[2][1]), ms + 2000), rows().splitlines()[-1])
    check('old table, new layout: it is the new table now', '5', server.sql(
        'h', "SELECT count(*) FROM information_schema.columns WHERE "
        "table_name = '__drizzle_migrations'"))
    check('old table, new layout: then nothing', (0, 0),
          applied(run('migrate', new)))
    if drizzle_home():
        got = drizzle(1, server.url('h'), new)
        check('old table, new layout: Drizzle 1 is content', (
            0, '20240101000000_a 20240101000001_b 20240101000002_c'),
            (got.status, rows('name').replace('\n', ' '))
            if got.status == 0 else (got.err, ''))
        check('upgraded: nothing to do', (0, 0), applied(run('migrate', new)))
        check('upgraded: verify', 0, run('verify', new).status)


def old_layout_new_table():
    """Drizzle 1 made the table, the folder has a journal."""
    ms = 1704067200000
    made = texts('0000_a', '0001_b', '0002_c')
    new = [('2024010100000%d_%s' % (i, t[5:]), s)
           for i, (t, s) in enumerate(made)]
    server.fresh('h')
    first = folders(newdir('new2'), new[:2])
    check('new table: made', 0, (
        drizzle(1, server.url('h'), first) if drizzle_home()
        else run('migrate', first)).status)
    old = journal(newdir('old2'), [(t, s, ms + 1000 * i + 123)
                                   for i, (t, s) in enumerate(made)])
    what = 'new table, journal: '
    check(what + 'status', '0000_a=applied 0001_b=applied 0002_c=pending',
          states(old))
    check(what + 'applied', (0, 1), applied(run('migrate', old)))
    hash_, when, name = rows('hash, created_at, name').splitlines()[-1] \
        .split('|')
    check(what + 'the row', (sha256(made[2][1]), '20240101000002_c', True), (
        hash_, name, when in (str(ms + 2000), str(ms + 2123))))
    check(what + 'then nothing', (0, 0), applied(run('migrate', old)))
    check(what + 'verify', 0, run('verify', old).status)
    every = folders(newdir('new3'), new)
    check(what + 'and in the new layout', (0, 0),
          applied(run('migrate', every)))
    if drizzle_home():
        got = drizzle(1, server.url('h'), every)
        check(what + 'Drizzle 1 is content after `up`', (0, '3'), (
            got.status if got.status == 0 else got.err,
            str(len(rows().splitlines()))))
        got = drizzle(0, server.url('h'), old)
        check(what + 'and Drizzle 0.x with the journal', (0, '3'), (
            got.status if got.status == 0 else got.err,
            str(len(rows().splitlines()))))

    # 0.x once wrote into this table and left the name NULL
    server.sql('h', 'UPDATE %s SET name = NULL, created_at = created_at / '
               '1000 * 1000 + 123 WHERE id = 2' % TABLE)
    for where in old, every:
        check(what + 'a NULL name is known by its hash', (0, 0),
              applied(run('migrate', where)))


def more_columns():
    """A table of someone's own making, with what Drizzle needs in it."""
    server.fresh('h')
    server.sql('h', *THREE, 'ALTER TABLE %s ADD extra text DEFAULT \'x\'' %
               TABLE, 'ALTER SCHEMA drizzle OWNER TO tester', 'ALTER TABLE '
               '%s OWNER TO tester' % TABLE)
    where = Three.folder(newdir('extra'), [Three.a, Three.b])
    check('one more column: applied', (0, 2), applied(run('migrate', where)))
    check('one more column: nothing to do', (0, 0),
          applied(run('migrate', where)))
    server.fresh('h')
    server.sql('h', *THREE, 'ALTER TABLE %s ALTER created_at TYPE numeric' %
               TABLE, 'ALTER SCHEMA drizzle OWNER TO tester', 'ALTER TABLE '
               '%s OWNER TO tester' % TABLE)
    check('created_at is numeric (pg-proxy): applied', (0, 2),
          applied(run('migrate', where)))
    check('created_at is numeric: nothing to do', (0, 0),
          applied(run('migrate', where)))
    server.fresh('h')
    server.sql('h', 'CREATE SCHEMA drizzle', 'CREATE TABLE %s (x int)' %
               TABLE, 'ALTER SCHEMA drizzle OWNER TO tester', 'ALTER TABLE '
               '%s OWNER TO tester' % TABLE)
    got = run('migrate', where)
    check('another table of that name: refused clearly', True,
          got.status in (1, 5, 9) and '__drizzle_migrations' in
          got.err + got.out)
    server.fresh('h')
    server.sql('h', 'CREATE SCHEMA drizzle AUTHORIZATION tester')
    check('the schema is there, the table is not', (0, 2),
          applied(run('migrate', where)))


def read_only_role():
    kind = Three
    where = make(kind, [kind.a])
    server.sql('postgres', 'DROP ROLE IF EXISTS reader',
               "CREATE ROLE reader LOGIN PASSWORD '%s'" % server.password)
    server.sql('h', 'GRANT USAGE ON SCHEMA drizzle TO reader',
               'GRANT SELECT ON %s TO reader' % TABLE)
    url = server.url('h', 'reader', query='?options=-c%20'
                     'default_transaction_read_only%3Don')
    for command in 'status', 'verify', 'plan', 'migrate':
        got = mizzle(command, '--url', url, '--dir', where)
        check('a role that only reads: ' + command, 0, got.status) or \
            note(str(got))
    server.fresh('h')
    got = mizzle('status', '--json', '--url', url, '--dir', where)
    check('a role that only reads, before the first run', (0, 'pending'), (
        got.status, got.event('migration').get('state')))
    server.sql('postgres', 'DROP DATABASE h WITH (FORCE)', 'DROP ROLE reader')


def hidden_rows():
    """With row-level security a role may see less than is there: what is
    not seen is not taken for pending."""
    where = make(Three, [Three.a])
    server.sql('postgres', 'DROP ROLE IF EXISTS keeper',
               "CREATE ROLE keeper LOGIN PASSWORD '%s'" % server.password)
    server.sql('h', 'GRANT USAGE ON SCHEMA drizzle TO keeper',
               'GRANT ALL ON %s TO keeper' % TABLE,
               'ALTER TABLE %s ENABLE ROW LEVEL SECURITY' % TABLE)
    check('row-level security is none for the owner', 0,
          run('migrate', where).status)
    url = server.url('h', 'keeper')
    for command in 'migrate', 'status', 'verify', 'plan', 'baseline':
        got = mizzle(command, '--url', url, '--dir', where)
        check('hidden rows: ' + command, (9, True), (
            got.status, 'may not see all rows' in got.err)) or note(str(got))
    server.sql('h', 'ALTER TABLE %s FORCE ROW LEVEL SECURITY' % TABLE)
    check('forced upon its owner', 9, run('migrate', where).status)
    for role, give, take in (('keeper', 'BYPASSRLS', 'NOBYPASSRLS'),
                             ('tester', 'BYPASSRLS', 'NOBYPASSRLS')):
        server.sql('h', 'ALTER ROLE %s %s' % (role, give))
        got = mizzle('verify', '--url', server.url('h', role), '--dir', where)
        check('who bypasses it sees all: ' + role, 0, got.status) or \
            note(str(got))
        server.sql('h', 'ALTER ROLE %s %s' % (role, take))
    server.sql('h', 'CREATE POLICY all_of_it ON %s USING (true)' % TABLE)
    check('all that is seen is applied: a policy is no matter', 0,
          run('migrate', where).status)
    server.sql('postgres', 'DROP DATABASE h WITH (FORCE)', 'DROP ROLE keeper')


def ids_that_are_taken():
    """After a restore without the sequence's value."""
    server.fresh('h')
    where = journal(newdir('taken'), texts('0000_a', '0001_b'))
    run('migrate', where)
    server.sql('h', "SELECT setval('drizzle.__drizzle_migrations_id_seq', 1, "
               'false)')
    journal(where, texts('0000_a', '0001_b', '0002_c', '0003_d'))
    got = run('migrate', where)
    hint = got.event('error').get('hint', '')
    check('ids that are taken: a hint', (1, True), (
        got.status, hint.startswith('the sequence of its ids is behind'))) or \
        note(str(got))
    server.sql('h', hint.split(': ', 1)[-1])
    check('ids that are taken: the hint is right', (0, 2),
          applied(run('migrate', where)))


def history_that_forgets():
    """A trigger of the history's swallows what is written to it."""
    where = journal(newdir('forgets'), [
        ('0000_a', 'CREATE TABLE log (n int);')])
    for options, after, status, times in (
            ((), 1, 1, '0'), (('--transaction', 'all'), 2, 1, '0'),
            ((), 3, 1, '1')):
        server.fresh('h')
        journal(where, [('0000_a', 'CREATE TABLE log (n int);')])
        check('forgets: the first', (0, 1), applied(run('migrate', where)))
        server.sql('h', 'CREATE FUNCTION nothing() RETURNS trigger LANGUAGE '
                   'plpgsql AS $$ BEGIN RETURN NULL; END $$',
                   'CREATE TRIGGER nothing BEFORE INSERT ON %s FOR EACH ROW '
                   'EXECUTE FUNCTION nothing()' % TABLE)
        journal(where, [('0000_a', 'CREATE TABLE log (n int);')] + [
            ('000%d_x' % n, 'INSERT INTO log VALUES (1);')
            for n in range(1, after + 1)])
        got = run('migrate', where, *options, timeout=60)
        what = 'forgets: %d more %s' % (after, ' '.join(options))
        check(what, (status, True), (got.status, 'triggers' in got.err)) or \
            note(str(got))
        check(what + ': nothing is done twice', times, server.sql(
            'h', 'SELECT count(*) FROM log'))


def session_is_reset():
    """What a migration sets does not reach the next one, or the history."""
    server.fresh('h')
    where = journal(newdir('session'), [
        ('0000_a', 'CREATE SCHEMA elsewhere; SET search_path = elsewhere; '
         'CREATE TABLE a (id int);'),
        ('0001_b', 'CREATE TABLE b (id int);'),
        ('0002_c', "SET statement_timeout = 50; SET lock_timeout = 1; "
         "SET standard_conforming_strings = off; SET client_encoding = "
         "'LATIN1'; SET default_transaction_read_only = on; SET "
         "default_transaction_isolation = serializable;"),
        ('0003_d', "CREATE TABLE d (id int); SELECT pg_sleep(0.1), "
         "'back\\slash', 'é';")])
    server.sql('h', 'GRANT pg_monitor TO tester')
    got = run('migrate', where)
    check('settings do not leak', (0, 4), applied(got)) or note(str(got))
    check('the tables are where they belong', 'elsewhere.a public.b public.d',
          server.sql('h', "SELECT string_agg(schemaname || '.' || tablename, "
                     "' ' ORDER BY 1) FROM (SELECT * FROM pg_tables WHERE "
                     "schemaname IN ('elsewhere', 'public') ORDER BY "
                     "tablename) t"))
    server.fresh('h')
    where = journal(newdir('role'), [
        ('0000_a', 'SET ROLE pg_monitor; SELECT 1;'),
        ('0001_b', 'CREATE TABLE b (id int);')])
    got = run('migrate', where)
    check('another role is not for the history', (0, 2), applied(got)) or \
        note(str(got))
    check('nor for the next one', 'tester', server.sql(
        'h', "SELECT tableowner FROM pg_tables WHERE tablename = 'b'"))
    server.sql('postgres', 'DROP DATABASE h', 'REVOKE pg_monitor FROM tester')


for kind in Three, Five:
    for test in (before_the_first_run, after_it, modified, missing,
                 line_ends, out_of_order, up_to, names_of_its_own):
        test(kind)
odd_rows()
new_layout_old_table()
old_layout_new_table()
more_columns()
read_only_role()
hidden_rows()
ids_that_are_taken()
history_that_forgets()
session_is_reset()
if not drizzle_home():
    note('no drizzle-orm here: what it thinks of the result was left out')
sys.exit(verdict())
