# SPDX-License-Identifier: MIT
"""Repair: the history is brought in line with the folder, and nothing else."""
import os
import pty
import re
import select
import signal
import sys
import time

from harness import (MIZZLE, Server, check, drizzle, drizzle_home, environment,
                     finish, folders, heard, journal, mizzle, needs_program,
                     newdir, note, sha256, start, verdict, wait_for, workdir)
from wire import Proxy

needs_program()
server = Server('autovacuum=off')
TABLE = 'drizzle.__drizzle_migrations'
WHEN = 1704067200000  # 2024-01-01 00:00:00
V0 = ['0000_a', '0001_b', '0002_c', '0003_d']
V1 = ['2024010100000%d_%s' % (i, n) for i, n in enumerate('abcd')]


def text(tag, more=''):
    return 'CREATE TABLE "%s" (id int%s);\n' % (tag[-1], more)


def old(tags, edited=(), ends='\n'):
    """The layout of 0.x; its times have milliseconds."""
    return journal(newdir('old'), [
        (t, text(t, ', x int' if t in edited else '').replace('\n', ends),
         WHEN + 1000 * V0.index(t) + 123) for t in tags])


def new(tags, edited=()):
    return folders(newdir('new'), [
        (t, text(t, ', x int' if t in edited else '')) for t in tags])


def run(command, where, *args, **more):
    return mizzle(command, '--json', '--url', server.url('r'), '--dir', where,
                  *args, **more)


def repair(where, *args, **more):
    return run('repair', where, *args, **more)


def applied(where, *changes):
    server.fresh('r')
    check('applied', 0, run('migrate', where).status)
    if changes:
        server.sql('r', *changes)


def rows(columns='*'):
    return server.history('r', columns)


def schema():
    """Everything but the rows."""
    return server.dump('r')


def changes(got):
    return sorted('%s %s %s' % (e['action'], e['tag'], e.get('column', '-'))
                  for e in got.events() if e['event'] == 'repair')


def repaired(what, where, *want, then='verify'):
    """A dry run says it and does nothing; --yes does it; then all is well."""
    before, tables = rows(), schema()
    dry = repair(where, '--dry-run')
    check(what + ': the dry run', (0, len(want), before), (
        dry.status, dry.event('result')['to_repair'], rows()))
    check(what + ': what is to be done', sorted(want), changes(dry))
    asked = repair(where)
    check(what + ': without an answer', (2, before),
          (asked.status, rows()))
    check(what + ': says --yes', True,
          '--yes' in asked.event('error').get('hint', ''))
    got = repair(where, '--yes')
    check(what + ': done', (0, len(want)), (
        got.status, got.event('result').get('repaired'))) or note(str(got))
    check(what + ': as was said', sorted(want), changes(got))
    check(what + ': the schema is as it was', tables, schema())
    if then:
        check(what + ': then it is well', 0, run(then, where).status)
    got = repair(where)
    check(what + ': nothing more', (0, 0), (
        got.status, got.event('result').get('repaired')))
    return got


# ---- what is set right

def edited():
    applied(old(V0[:3]))
    where = old(V0[:3], edited=V0[1:2])
    repaired('edited', where, 'update 0001_b hash')
    check('edited: the hash', sha256(text('b', ', x int')),
          rows('hash').split()[1])
    check('edited: the table is not', 'id', server.sql(
        'r', "SELECT string_agg(attname, ' ') FROM pg_attribute WHERE "
        "attrelid = 'b'::regclass AND attnum > 0"))
    server.sql('r', 'ALTER TABLE %s ALTER hash DROP NOT NULL' % TABLE,
               'UPDATE %s SET hash = NULL WHERE id = 1' % TABLE)
    repaired('no hash', where, 'update 0000_a hash')
    check('edited: nothing runs', 0,
          run('migrate', where).event('result')['applied'])
    applied(old(V0[:2]))
    repaired('line ends', old(V0[:2], ends='\r\n'),
             'update 0000_a hash', 'update 0001_b hash')


def gone():
    applied(old(V0))
    where = old([V0[0], V0[2]])
    repaired('gone', where, 'delete row 2 -', 'delete row 4 -')
    check('gone: the rows that are left', '1\n3', rows('id'))
    applied(new(V1))
    repaired('gone, 1.x', new(V1[:3]), 'delete %s -' % V1[3])
    check('gone: its table stays', 'd', server.sql(
        'r', "SELECT 'd'::regclass"))


def twice():
    applied(old(V0[:3]), 'INSERT INTO %s (hash, created_at) SELECT hash, '
            'created_at FROM %s' % (TABLE, TABLE))
    where = old(V0[:3])
    repaired('twice', where, 'delete row 4 -', 'delete row 5 -',
             'delete row 6 -')
    check('twice: the first ones stay', '1\n2\n3', rows('id'))
    empty = [('0000_x', ''), ('0001_y', '')]
    where = journal(newdir('equal'), empty)
    applied(where)
    got = repair(where)
    check('equal files are not the same row', 0, got.event('result').get(
        'repaired'))


def all_at_once():
    applied(new(V1), 'UPDATE %s SET name = NULL WHERE id = 1' % TABLE,
            'INSERT INTO %s (hash, created_at, name) SELECT hash, created_at, '
            'name FROM %s WHERE id = 2' % (TABLE, TABLE))
    where = new(V1[:3], edited=V1[2:3])
    repaired('all at once', where, 'update %s name' % V1[0],
             'update %s hash' % V1[2], 'delete %s -' % V1[3],
             'delete %s -' % V1[1])
    check('all at once: rows', '\n'.join(V1[:3]), rows('name'))


def without_names():
    """What 0.x writes into a table of 1.x, which 1.x would run again."""
    applied(new(V1[:3]), 'UPDATE %s SET name = NULL WHERE id > 1' % TABLE)
    where = new(V1[:3])
    got = run('status', where)
    check('without names: they are applied', ['applied'] * 3, [
        e['state'] for e in got.events() if e['event'] == 'migration'])
    check('without names: noted', [None, True, True], [
        'again' in e['note'] if 'note' in e else None for e in got.events()
        if e['event'] == 'migration'])
    for command in 'verify', 'migrate', 'plan':
        got = run(command, where)
        check('without names: %s warns' % command, (0, True), (
            got.status, '2 applied migrations are not recorded under' in
            got.err and 'mizzle repair' in got.err))
    repaired('without names', where, *('update %s name' % t for t in V1[1:3]))
    check('without names: no warning any more', '',
          run('verify', where).err)
    drizzle_is_content('without names', 1, where)

    applied(new(V1[:2]))
    moved = V1[1].replace('_b', '_other')
    where = folders(newdir('moved'), [(V1[0], text('a')), (moved, text('b'))])
    check('another name: warned of', True, '1 applied migration is not' in
          run('verify', where).err)
    repaired('another name', where, 'update %s name' % moved)
    drizzle_is_content('another name', 1, where)

    # a journal on a table of 1.x: the name that `drizzle-kit up` will give it
    where = old(V0[:2])
    applied(where, 'ALTER TABLE %s ADD name text, ADD applied_at timestamptz '
            'DEFAULT now()' % TABLE)
    repaired('a journal', where, *('update %s name' % t for t in V0[:2]))
    check('a journal: the names', '\n'.join(V1[:2]), rows('name'))
    drizzle_is_content('a journal, after up', 1, new(V1[:2]))


def times():
    """What makes 0.x run migrations again."""
    where = old(V0[:3])
    applied(where, 'UPDATE %s SET created_at = NULL WHERE id = 2' % TABLE,
            'UPDATE %s SET created_at = created_at / 1000 * 1000 '
            'WHERE id = 3' % TABLE)
    repaired('times', where, 'update 0001_b created_at',
             'update 0002_c created_at')
    check('times: those of the journal', '\n'.join(
        str(WHEN + 1000 * i + 123) for i in range(3)), rows('created_at'))
    drizzle_is_content('times', 0, where)


def drizzle_is_content(what, version, where):
    if not drizzle_home():
        return
    before = rows()
    got = drizzle(version, server.url('r'), where)
    check(what + ': Drizzle is content', (0, '', before),
          (got.status, got.err, rows()))


def nothing():
    where = old(V0[:2])
    server.fresh('r')
    got = mizzle('repair', '--url', server.url('r'), '--dir', where)
    check('nothing is recorded', (0, 'nothing to repair: history and folder '
                                  'agree\n'), (got.status, got.out))
    check('nothing is created', '0', server.sql(
        'r', "SELECT count(*) FROM pg_namespace WHERE nspname = 'drizzle'"))
    applied(old(V0[:1]))
    got = mizzle('repair', '--url', server.url('r'), '--dir', where)
    check('what is pending is no disagreement', (0, True), (
        got.status, 'nothing to repair' in got.out))


# ---- how it is told and asked

def in_words():
    applied(new(V1), 'UPDATE %s SET name = NULL WHERE id = 2' % TABLE)
    where = new(V1[:3], edited=V1[:1])
    got = mizzle('repair', '--dry-run', '--url', server.url('r'), '--dir',
                 where)
    check('in words', (0, (
        'update  %s: hash %.12s becomes %.12s  (the file was edited after it '
        'was applied)\nupdate  %s: name none becomes %s  (Drizzle 1.x would '
        'run it again)\ndelete  %s  (it is not in the folder; if it '
        'comes back it counts as pending)\n'
        '3 changes would be made to the history\n') % (
            V1[0], sha256(text('a')), sha256(text('a', ', x int')), V1[1],
            V1[1], V1[3])), (got.status, got.out))
    got = mizzle('repair', '-y', '--url', server.url('r'), '--dir', where)
    check('in words: done', '3 changes were made to the history',
          got.out.splitlines()[-1])


class Terminal:
    """The program with a terminal in front of it, and somebody at it."""

    def __init__(self, *args):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.chdir(workdir())
            os.execve(MIZZLE, [MIZZLE, *args], environment(
                {'TERM': 'xterm', 'NO_COLOR': '1', 'CI': None}))
        self.pid = pid
        self.seen = ''

    def until(self, text, seconds=60):
        end = time.monotonic() + seconds
        while text not in self.seen and time.monotonic() < end:
            if not select.select([self.fd], [], [], 1)[0]:
                continue
            try:
                part = os.read(self.fd, 4096)
            except OSError:
                break
            if not part:
                break
            self.seen += part.decode()
        return text in self.seen

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        self.until('\0never')
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status


def asked():
    question = 'Change the history like this (tables and data stay as they ' \
        'are)? [y/N] '
    for answer, status, done in (('y\n', 0, True), ('YES\n', 0, True),
                                 ('n\n', 9, False), ('\n', 9, False),
                                 ('yesterday\n', 9, False),
                                 ('\x04', 9, False), ('\x03', 130, False),
                                 ('x' * 3000 + '\n', 9, False)):
        applied(old(V0[:2]))
        where = old(V0[:2], edited=V0[:1])
        before = rows()
        t = Terminal('repair', '--url', server.url('r'), '--dir', where)
        what = 'asked, answer %.10r' % answer
        check(what + ': the question', True, t.until(question))
        check(what + ': first what it is about', True,
              'update  0000_a: hash' in t.seen.split(question)[0])
        check(what + ': nothing is locked meanwhile', 0,
              run('migrate', where, '--allow-modified').status)
        t.type(answer)
        check(what + ': status', status, t.end())
        check(what + ': what was done', done, before != rows())
        last = t.seen.replace('\r', '').rstrip('\n').split('\n')[-1]
        check(what + ': the last line', {
            0: '1 change was made to the history',
            9: 'error: nothing was changed',
            130: 'error: interrupted; nothing was changed'}[status], last)


def changed_meanwhile():
    """What was agreed to is done; what has changed is asked again."""
    applied(old(V0[:3]))
    where = old(V0[:3], edited=V0[:1])
    question = '[y/N] '
    t = Terminal('repair', '--url', server.url('r'), '--dir', where)
    check('changed meanwhile: asked', True, t.until(question))
    server.sql('r', 'INSERT INTO %s (hash, created_at) VALUES (%s, 5)' % (
        TABLE, "'x'"))
    t.seen = ''
    t.type('y\n')
    check('changed meanwhile: asked again', True, t.until(question))
    check('changed meanwhile: shown again', True, 'delete  row 4' in t.seen)
    t.type('n\n')
    check('changed meanwhile: no', 9, t.end())
    check('changed meanwhile: nothing was done', (sha256(text('a')), '4'), (
        rows('hash').split()[0], str(len(rows().splitlines()))))


# ---- what goes wrong

def rights():
    applied(old(V0[:2]), 'CREATE ROLE looker LOGIN',
            'GRANT USAGE ON SCHEMA drizzle TO looker',
            'GRANT SELECT, INSERT ON %s TO looker' % TABLE)
    where = old(V0[:2], edited=V0[:1])
    before = rows()
    got = mizzle('repair', '--json', '--yes', '--dir', where, '--url',
                 server.socket('r', 'looker'))
    check('no rights', (9, 'refused', '42501', before), (
        got.status, got.event('error').get('code'),
        got.event('error').get('sqlstate'), rows()))
    server.sql('postgres', 'ALTER DATABASE r SET '
               'default_transaction_read_only = on')
    check('read-only', 9, repair(where, '--yes').status)
    server.sql('postgres', 'ALTER DATABASE r RESET '
               'default_transaction_read_only')


def all_or_nothing():
    applied(old(V0[:3]))
    where = old(V0[:3], edited=V0[:2])
    server.sql('r', 'CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql '
               "AS $$ BEGIN IF OLD.id = 2 THEN RAISE 'not this one'; END IF; "
               'RETURN NEW; END $$',
               'CREATE TRIGGER keep BEFORE UPDATE ON %s FOR EACH ROW '
               'EXECUTE FUNCTION keep()' % TABLE)
    before = rows()
    got = repair(where, '--yes')
    check('all or nothing', (1, 'not this one', before), (
        got.status, got.event('error').get('message'), rows()))
    server.sql('r', 'CREATE OR REPLACE FUNCTION keep() RETURNS trigger '
               'LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$')
    got = repair(where, '--yes')
    check('without effect', (5, True, before), (
        got.status, 'triggers' in got.event('error').get('hint', ''), rows()))


def lost():
    """The connection, at COMMIT: told, and repairing again finds the truth."""
    for cut in 'before', 'after':
        applied(old(V0[:2]))
        where = old(V0[:2], edited=V0[:1])
        done = []

        def hook(data, cut=cut, done=done):
            if b'UPDATE "drizzle"' not in data or done:
                return None
            done.append(cut)
            return 0 if cut == 'before' else len(data)
        proxy = Proxy(server.port, hook)
        got = mizzle('repair', '--json', '--yes', '--dir', where, '--url',
                     server.url('r').replace(':%d/' % server.port, ':%d/' %
                                             proxy.port) + '?sslmode=disable')
        proxy.close()
        check('lost %s: told' % cut, ([cut], 3, True), (
            done, got.status, 'as a whole or not at all' in
            got.event('error').get('hint', '')))
        check('lost %s: nobody is left' % cut, True, wait_for(
            lambda: server.sessions('r') == '0'))
        changed = rows('hash').split()[0] != sha256(text('a'))
        check('lost %s: again' % cut, (0, 0 if changed else 1), (
            lambda g: (g.status, g.event('result')['repaired']))(
            repair(where, '--yes')))


def waits():
    applied(old(V0[:2]))
    where = old(V0[:2], edited=V0[:1])
    holder = server.hold('r', 'BEGIN', 'LOCK TABLE ' + TABLE)
    got = repair(where, '--yes', '--lock-wait', '100ms')
    check('locked', (4, 'locked'), (
        got.status, got.event('error').get('code')))
    running = start('repair', '--yes', '--url', server.url('r'), '--dir',
                    where)
    check('waits', True, heard(running, 'waiting: '))
    holder.close()
    check('and goes on', 0, finish(running).status)
    where = old(V0[:2])
    got = [finish(r) for r in [
        start('repair', '--json', '--yes', '--url', server.url('r'), '--dir',
              where) for _ in range(8)]]
    check('eight at once', ([0] * 8, 1), (
        [g.status for g in got],
        sum(g.event('result')['repaired'] for g in got)))


edited()
gone()
twice()
all_at_once()
without_names()
times()
nothing()
in_words()
asked()
changed_meanwhile()
rights()
all_or_nothing()
lost()
waits()
sys.exit(verdict())
