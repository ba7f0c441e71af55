# SPDX-License-Identifier: MIT
"""Going back: down scripts run newest first, and each takes its row along."""
import os
import re
import signal
import sys

from harness import (BREAK, Server, check, drizzle, drizzle_home, finish,
                     folders, heard, journal, mizzle, needs_program, newdir,
                     note, start, verdict, wait_for, write)
from wire import Proxy

needs_program()
server = Server('autovacuum=off', 'max_connections=60')
TABLE = 'drizzle.__drizzle_migrations'
FIVE = 'abcde'


def plain(where, migrations):
    for name, text in migrations:
        write(os.path.join(where, name + '.sql'), text)
    return where


LAYOUTS = {
    'journal': (journal, '%04d_%s', '%s.down.sql', 0),
    'folders': (folders, '2024010100000%d_%s', '%s/down.sql', 1),
    'plain': (plain, '%d_%s', '%s.down.sql', None),
}


def tags(layout, names):
    return [LAYOUTS[layout][1] % (FIVE.index(n), n) for n in names]


def make(layout, names=FIVE, downs=None, text={}):
    """A folder, with down scripts for all or for some."""
    make_it, _, path, _ = LAYOUTS[layout]
    where = newdir('back')
    make_it(where, [(t, text.get(t[-1], 'CREATE TABLE "%s" (id int);' % t[-1]))
                    for t in tags(layout, names)])
    for t in tags(layout, names if downs is None else downs):
        write(os.path.join(where, path % t), 'DROP TABLE "%s";' % t[-1])
    return where


def down(where, layout, name, text):
    return write(os.path.join(where, LAYOUTS[layout][2] %
                              tags(layout, name)[0]), text)


def run(command, where, *args, **more):
    return mizzle(command, '--json', '--url', server.url('b'), '--dir', where,
                  *args, **more)


def back(where, *args, **more):
    return run('rollback', where, *args, **more)


def ready(layout='journal', *args, **more):
    """A database in which all of a new folder is applied."""
    where = make(layout, *args, **more)
    server.fresh('b')
    check(layout + ': applied', 0, run('migrate', where).status)
    return where


def undone(got):
    return got.status, got.event('result').get('rolled_back')


def tables():
    return server.sql('b', "SELECT coalesce(string_agg(relname, '' ORDER BY "
                      "relname), '') FROM pg_class WHERE relkind = 'r' "
                      "AND relnamespace = 'public'::regnamespace")


def rows():
    return int(server.sql('b', 'SELECT count(*) FROM ' + TABLE))


def left(names):
    """Those tables, and a row for each."""
    return check('what is left is ' + (names or 'nothing'),
                 (names, len(names)), (tables(), rows()))


def refused(what, got, status, *words):
    check(what + ': the status', status, got.status) or note(str(got))
    error = got.event('error')
    said = error.get('message', '') + ' ' + error.get('hint', '')
    for word in words:
        check('%s: says %s' % (what, word), True, word in said) or note(said)
    check(what + ': nothing was done', 0,
          got.event('result').get('rolled_back', 0))


# ---- what it does

def there_and_back(layout):
    where = ready(layout)
    every = tags(layout, FIVE)
    got = back(where)
    check(layout + ': one step', (0, 1), undone(got))
    left('abcd')
    event = [e for e in got.events() if e['event'] == 'migration']
    check(layout + ': as JSON', [(every[4], 'rolled-back', 1)],
          [(e['tag'], e['state'], e['statements']) for e in event])
    check(layout + ': the rest', 1, got.event('result')['pending'])
    check(layout + ': two steps', (0, 2), undone(back(where, '--steps', '2')))
    left('ab')
    check(layout + ': and forth', (0, 3), (lambda g: (
        g.status, g.event('result')['applied']))(run('migrate', where)))
    left(FIVE)
    got = back(where, '--to', every[1])
    check(layout + ': to a tag', (0, 3), undone(got))
    check(layout + ': newest first', every[:1:-1], [
        e['tag'] for e in got.events() if e['event'] == 'migration'])
    left('ab')
    check(layout + ': to it again', (0, 0),
          undone(back(where, '--to', every[1])))
    check(layout + ': to one that is pending', (0, 0),
          undone(back(where, '--to', every[3])))
    check(layout + ': more than there are', (0, 2),
          undone(back(where, '--steps', '99')))
    left('')
    check(layout + ': nothing left', (0, 0), undone(back(where)))
    drizzle_goes_on(layout, where)


def drizzle_goes_on(layout, where):
    """For the real Drizzle they were never applied."""
    version = LAYOUTS[layout][3]
    if version is None or not drizzle_home():
        return
    run('migrate', where)
    back(where, '--steps', '2')
    got = drizzle(version, server.url('b'), where)
    check(layout + ': Drizzle applies them again', (0, ''),
          (got.status, got.err))
    left(FIVE)
    check(layout + ': and all is well', 0, run('verify', where).status)
    check(layout + ': what Drizzle applied goes, too', (0, 5),
          undone(back(where, '--steps', '5')))
    left('')


def before_the_first_run():
    where = make('journal')
    server.fresh('b')
    check('before the first run', (0, 0), undone(back(where)))
    check('before the first run: nothing is written', '0', server.sql(
        'b', "SELECT count(*) FROM pg_namespace WHERE nspname = 'drizzle'"))
    got = mizzle('rollback', '--url', server.url('b'), '--dir', where)
    check('in words', (0, 'nothing to roll back\n', ''),
          (got.status, got.out, got.err))


def in_words():
    where = ready()
    got = mizzle('rollback', '--steps', '2', '--dry-run', '--url',
                 server.url('b'), '--dir', where)
    check('a dry run', (
        0, '1. 0004_e  1 statement in a transaction of its own\n'
        '2. 0003_d  1 statement in a transaction of its own\n'
        '2 migrations would be rolled back\n'), (got.status, got.out))
    left(FIVE)
    got = back(where, '--steps', '2', '--dry-run')
    check('a dry run as JSON', ([
        ('0004_e', '0004_e.down.sql'), ('0003_d', '0003_d.down.sql')], 2), ([
            (e['tag'], os.path.basename(e['file'])) for e in got.events()
            if e['event'] == 'migration'],
            got.event('result')['to_roll_back']))
    got = mizzle('rollback', '-v', '--steps', '2', '--url', server.url('b'),
                 '--dir', where)
    check('in words: the result', re.compile(
        r'^rolled back 2 migrations in [\d.]+ m?s\n$'), got.out)
    check('in words: each', re.compile(
        r'2 of 5 migrations of \S+ to be rolled back\n'
        r'  line 1: DROP TABLE  .*\n\[1/2\] 0004_e rolled back  .*\n'
        r'  line 1: DROP TABLE  .*\n\[2/2\] 0003_d rolled back  .*\n'),
        got.err)
    check('quietly', '', mizzle('rollback', '-q', '--url', server.url('b'),
                                '--dir', where).err)


def odd_scripts():
    """Empty ones, comments, breakpoints, savepoints, several statements."""
    where = ready()
    down(where, 'journal', 'e', '')
    down(where, 'journal', 'd', '-- there is no way back\n/* really */\n')
    down(where, 'journal', 'c', 'ALTER TABLE c RENAME TO x;%s\nDROP TABLE x'
         % BREAK)
    down(where, 'journal', 'b', 'SAVEPOINT s; DROP TABLE a; ROLLBACK TO s;\n'
         'SET search_path = nowhere; SET ROLE none; DROP TABLE public.b;\n')
    got = back(where, '--steps', '5')
    check('odd scripts', (0, 5), undone(got)) or note(str(got))
    server.sql('b', 'DROP TABLE e, d')  # which their scripts did not
    left('')


def out_of_order():
    """Of those that are applied the newest in the folder goes first."""
    where = make('folders')
    part = make_again(where, 'ace')
    server.fresh('b')
    run('migrate', part)
    check('gaps: the newest that is applied', (0, 2),
          undone(back(where, '--steps', '2')))
    left('a')
    run('migrate', part)
    run('migrate', where)    # b and d come after e
    check('late ones: the folder says the order',
          tags('folders', 'edc'), [
              e['tag'] for e in back(where, '--steps', '3').events()
              if e['event'] == 'migration'])
    left('ab')


def make_again(where, names):
    part = newdir('part')
    folders(part, [(t, 'CREATE TABLE "%s" (id int);' % t[-1])
                   for t in tags('folders', names)])
    return part


# ---- what it refuses

def no_script(layout):
    where = ready(layout, downs='abde')
    missing = LAYOUTS[layout][2] % tags(layout, 'c')[0]
    refused(layout + ', no script', back(where, '--steps', '3'), 9,
            tags(layout, 'c')[0], os.path.join(where, missing), 'empty file')
    left(FIVE)
    check(layout + ', no script, but not needed', (0, 2),
          undone(back(where, '--steps', '2')))
    left('abc')


def bad_scripts():
    where = ready()
    for what, text, status, words in (
            ('latin-1', b'DROP TABLE d; -- \xe9', 2, ['UTF-8']),
            ('a BOM', b'\xef\xbb\xbfDROP TABLE d;', 2, ['BOM']),
            ('a NUL', b'DROP TABLE d;\0', 2, ['NUL']),
            ('an open quote', "SELECT 'x", 2, ['unterminated']),
            ('a conflict', '<<<<<<< a\n=======\n>>>>>>> b\n', 2,
             ['conflict']),
            ('COMMIT', 'DROP TABLE d; COMMIT;', 9, ['COMMIT', '0003_d down']),
            ('VACUUM', 'VACUUM;', 9, ['VACUUM', 'transaction']),
            ('CONCURRENTLY', 'DROP INDEX CONCURRENTLY i;', 9,
             ['CONCURRENTLY']),
            ('COPY', 'COPY a FROM STDIN;', 2, ['COPY']),
            ('a directive', '-- mizzle: no-transaction\nDROP TABLE d;', 9,
             ['another way'])):
        path = down(where, 'journal', 'd', text)
        got = back(where, '--steps', '2')
        refused(what, got, status, *words)
        check(what + ': the place', path, got.event('error').get('file'))
        left(FIVE)
    os.unlink(path)
    os.mkdir(path)
    refused('a directory', back(where, '--steps', '2'), 2, path)
    left(FIVE)


def disagreement():
    where = ready()
    edited = make('journal', text={'a': 'CREATE TABLE a (id bigint);'})
    refused('edited', back(edited), 5, '0000_a', 'edited')
    check('edited, allowed', (0, 1),
          undone(back(edited, '--allow-modified')))
    short = make('journal', 'abc')
    refused('missing', back(short), 5, 'not in the folder')
    check('missing, allowed', (0, 1), undone(back(short, '--allow-missing')))
    check('what has no file stays', ('abd', 3), (tables(), rows()))
    where = ready()
    server.sql('b', 'INSERT INTO %s (hash, created_at) SELECT hash, '
               'created_at FROM %s' % (TABLE, TABLE))
    refused('twice', back(where), 5, 'twice', 'mizzle repair')


def usage():
    where = ready()
    refused('both', back(where, '--to', '0000_a', '--steps', '1'), 2,
            '--steps')
    refused('an unknown tag', back(where, '--to', '0001_bb'), 2, '0001_b')
    check('no number', 2, back(where, '--steps', 'x').status)
    check('an argument', 2, back(where, '0001_b').status)
    check('no step', (0, 0), undone(back(where, '--steps', '0')))
    left(FIVE)


def rights():
    where = ready()
    server.sql('b', 'CREATE ROLE reader LOGIN',
               'GRANT USAGE ON SCHEMA drizzle TO reader',
               'GRANT SELECT, INSERT ON %s TO reader' % TABLE)
    got = mizzle('rollback', '--json', '--dir', where, '--url',
                 server.socket('b', 'reader'))
    refused('no right to remove', got, 9, 'reader', 'DELETE')
    server.sql('postgres', 'ALTER DATABASE b SET default_transaction_read_only = on')
    refused('read-only', back(where), 9, 'read-only')
    server.sql('postgres', 'ALTER DATABASE b RESET default_transaction_read_only')
    left(FIVE)


# ---- what goes wrong

def failure():
    where = ready()
    path = down(where, 'journal', 'c', 'CREATE TABLE trace (id int);\n'
                'DROP TABLE nonsense;\n')
    got = back(where, '--steps', '4')
    error = got.event('error')
    check('a failure', (1, 2, path, 2, '42P01', '0002_c'), (
        got.status, got.event('result')['rolled_back'], error.get('file'),
        error.get('line'), error.get('sqlstate'), error.get('tag')))
    check('a failure: what became of it', '0002_c down failed; nothing of it '
          'was kept (2 were rolled back before it)', error.get('summary'))
    left('abc')
    got = mizzle('rollback', '--url', server.url('b'), '--dir', where)
    check('a failure in words', re.compile(
        r'^error: 0002_c down failed; nothing of it was kept\n --> \S+/0002_c'
        r'\.down\.sql:2:12\n'), got.err)
    left('abc')


def the_row_stays():
    """Whatever keeps the row in place undoes what the script did."""
    where = ready()
    server.sql('b', 'CREATE RULE keep AS ON DELETE TO %s DO INSTEAD NOTHING'
               % TABLE)
    got = back(where)
    check('a rule keeps the row', 1, got.status)
    left(FIVE)
    server.sql('b', 'DROP RULE keep ON ' + TABLE,
               'CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS '
               '$$ BEGIN RETURN NULL; END $$',
               'CREATE TRIGGER keep BEFORE DELETE ON %s FOR EACH ROW '
               'EXECUTE FUNCTION keep()' % TABLE)
    got = back(where)
    check('a trigger keeps the row', (1, True), (
        got.status, 'triggers' in got.event('error').get('message', '')))
    left(FIVE)
    down(where, 'journal', 'e', 'DROP SCHEMA drizzle CASCADE')
    check('the script removes the history', 1, back(where).status)
    left(FIVE)


def lock_timeout():
    where = ready()
    reader = server.hold('b', 'BEGIN', 'SELECT * FROM e')
    refused('a lock', back(where, '--lock-timeout', '100ms', '--lock-retries',
                           '1'), 4, 'lock timeout')
    left(FIVE)
    running = start('rollback', '--steps', '2', '--url', server.url('b'),
                    '--dir', where, '--lock-timeout', '100ms')
    check('a lock: tried again', True, heard(
        running, 'warning: 0004_e down failed; nothing of it was kept: '))
    reader.close()
    check('a lock: and then', 0, finish(running).status)
    left('abc')
    down(where, 'journal', 'c', 'DROP TABLE c; SELECT pg_sleep(600);')
    got = back(where, '--statement-timeout', '300ms')
    check('a statement that takes too long', (1, '57014'),
          (got.status, got.event('error').get('sqlstate')))
    left('abc')


def lost_at_commit():
    """What became of it is found out, not guessed."""
    for cut in 'before', 'after':
        done = []

        def hook(data, cut=cut, done=done):
            at = data.find(b'COMMIT\0', max(0, data.find(b'DROP TABLE')))
            if done or b'DROP TABLE' not in data or at < 0:
                return None
            done.append(cut)
            return at - 5 if cut == 'before' else at + 7
        where = ready()
        proxy = Proxy(server.port, hook)
        got = mizzle('rollback', '--json', '--dir', where, '--url',
                     server.url('b').replace(':%d/' % server.port,
                                             ':%d/' % proxy.port)
                     + '?sslmode=disable')
        proxy.close()
        what = 'lost %s COMMIT: ' % cut
        check(what + 'it was cut', [cut], done)
        check(what + 'tables and rows agree', len(tables()), rows())
        check(what + 'told is what was done', 5 - rows(),
              got.event('result').get('rolled_back'))
        check(what + 'status', 0 if rows() == 4 else 3, got.status)
        if got.status:
            check(what + 'what to do', '0004_e was not rolled back: run again',
                  got.event('error').get('hint'))


def lost_and_locked():
    """Lost after COMMIT, and then somebody holds the history: the step that
    was taken is not taken again."""
    where = ready()
    state = {}

    def hook(data):
        if 'cut' not in state:
            at = data.find(b'COMMIT\0')
            if b'DROP TABLE' not in data or at < 0:
                return None
            state['cut'] = True
            return at + 7
        if b"set_config('lock_timeout'" in data and 'holder' not in state:
            state['holder'] = server.hold('b', 'BEGIN', 'LOCK TABLE ' + TABLE)
        elif b'pg_locks' in data and 'holder' in state \
                and 'free' not in state:
            state['free'] = True
            state['holder'].close()
        return None
    got = through(Proxy(server.port, hook), 'rollback', where)
    check('lost and locked: it came to that', ['cut', 'free', 'holder'],
          sorted(state))
    check('lost and locked: one step', (0, 1), undone(got))
    left('abcd')


def interrupted():
    where = ready()
    down(where, 'journal', 'd', 'DROP TABLE d;\nSELECT pg_sleep(600);')
    running = start('rollback', '--steps', '3', '--url', server.url('b'),
                    '--dir', where)
    check('interrupted: it runs', True,
          wait_for(lambda: server.sleeping('b') == '1'))
    check('interrupted: the progress', True, heard(running, '[1/3] 0004_e'))
    running.send_signal(signal.SIGTERM)
    got = finish(running)
    check('interrupted', (143, True), (got.status, 'interrupted; nothing of '
                                       '0003_d down was kept (1 was rolled '
                                       'back before it)' in got.err))
    left('abcd')


# ---- at the same time

def at_once(count, names):
    where = ready(names=names)
    runs = [start('rollback', '--json', '--steps', '1', '--url',
                  server.url('b'), '--dir', where) for _ in range(count)]
    got = [finish(r) for r in runs]
    check('%d at once: all end well' % count, [0] * count,
          [g.status for g in got])
    each = sorted(e['tag'] for g in got for e in g.events()
                  if e['event'] == 'migration')
    check('%d at once: each migration once' % count,
          tags('journal', names), each)
    left('')


def to_at_once():
    where = ready()
    got = [finish(r) for r in [
        start('rollback', '--json', '--to', '0001_b', '--url',
              server.url('b'), '--dir', where) for _ in range(8)]]
    check('to a tag at once', ([0] * 8, 3), (
        [g.status for g in got],
        sum(g.event('result')['rolled_back'] for g in got)))
    left('ab')


def among_migrators():
    """Back and forth at the same time: history and tables stay one."""
    where = ready()
    runs = [start(command, '--json', '--url', server.url('b'), '--dir', where)
            for command in ('rollback', 'migrate') * 6]
    got = [finish(r) for r in runs]
    check('among migrators: all end well', [0] * 12,
          [g.status for g in got]) or note(next(
              g for g in got if g.status).out[:600])
    names = tables()
    check('among migrators: tables are as the history says',
          (FIVE[:len(names)], len(names)), (names, rows()))


def change_before(lock, *statements):
    """A proxy: what others did after we have read, and before we lock."""
    done = []

    def hook(data):
        if lock in data and not done:
            done.append(True)
            server.sql('b', *statements)
    return Proxy(server.port, hook), done


def through(proxy, command, where, *args):
    got = mizzle(command, '--json', '--dir', where, '--url', server.url(
        'b').replace(':%d/' % server.port, ':%d/' % proxy.port)
        + '?sslmode=disable', *args)
    proxy.close()
    return got


def changed_in_between():
    """As many rows as were read, but others: nothing is taken for granted."""
    insert = 'INSERT INTO %s (hash, created_at) SELECT hash, created_at ' \
        'FROM old WHERE id = %%d' % TABLE
    lock = b'pg_try_advisory_xact_lock'
    keep = 'CREATE TABLE old AS SELECT * FROM ' + TABLE
    where = ready()
    server.sql('b', keep, 'ALTER TABLE old SET SCHEMA drizzle')
    insert = insert.replace('FROM old', 'FROM drizzle.old')
    proxy, done = change_before(
        lock, 'DELETE FROM %s WHERE id = 5' % TABLE, insert % 5)
    got = through(proxy, 'rollback', where)
    check('rolled back and applied again meanwhile', ([True], 0, 1), (
        done, *undone(got)))
    left('abcd')
    check('and the right row is gone', '1\n2\n3\n4', server.history('b', 'id'))
    proxy, done = change_before(
        lock, 'DELETE FROM %s WHERE id = 4' % TABLE, 'DROP TABLE d',
        insert % 5, 'CREATE TABLE e (id int)', 'ALTER TABLE e OWNER TO tester')
    got = through(proxy, 'migrate', where)
    check('another one applied instead meanwhile', ([True], 5), (
        done, got.status))
    check('another one: the gap is told', True,
          '0003_d is not applied' in got.event('error').get('message', ''))
    left('abce')


def waits():
    where = ready()
    holder = server.hold('b', 'BEGIN', 'LOCK TABLE ' + TABLE)
    running = start('rollback', '--url', server.url('b'), '--dir', where)
    check('waits: says for whom', True, heard(running, 'waiting: '))
    refused('waits: not for ever', back(where, '--lock-wait', '100ms'), 4,
            'another migrator')
    holder.close()
    check('waits: and goes on', 0, finish(running).status)
    left('abcd')


if __name__ == '__main__':
    for each in LAYOUTS:
        there_and_back(each)
        no_script(each)
    before_the_first_run()
    in_words()
    odd_scripts()
    out_of_order()
    bad_scripts()
    disagreement()
    usage()
    rights()
    failure()
    the_row_stays()
    lock_timeout()
    lost_at_commit()
    lost_and_locked()
    interrupted()
    at_once(8, FIVE)
    to_at_once()
    among_migrators()
    changed_in_between()
    waits()
    if not drizzle_home():
        note('no drizzle-orm here: what the real one makes of it was left out')
    sys.exit(verdict())
