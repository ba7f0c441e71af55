# SPDX-License-Identifier: MIT
"""What destroys something is shown by plan, and approved by its id."""
import re
import subprocess
import sys

from harness import (BREAK, Server, check, finish, heard, journal, mizzle,
                     needs_program, newdir, note, start, verdict)

needs_program()
server = Server('autovacuum=off')
ID = re.compile('^[0-9a-f]{12}$')

CREATE = ('0000_a', 'CREATE TABLE t (id int, c int, d text);\n'
          'CREATE TABLE u (id int);')
DROPS = ('0001_b', '-- DROP TABLE none;\nINSERT INTO t VALUES (1);\n' + BREAK +
         '\nDELETE FROM t WHERE id = 1;\nALTER TABLE t DROP COLUMN c,\n'
         '  DROP d;\n' + BREAK + "\nSELECT 'DROP TABLE t'; DROP TABLE u "
         'CASCADE;')
FILLS = ('0002_c', 'UPDATE t SET id = 2;')


def run(command, where, *args, **more):
    return mizzle(command, '--json', '--url', server.url('a'), '--dir', where,
                  *args, **more)


def plan_of(where, *args):
    return run('plan', where, *args).event('result').get('plan')


def fresh(*migrations, name='a'):
    where = newdir(name)
    journal(where, migrations)
    server.fresh('a')
    return where


def applied():
    return server.sql('a', "SELECT count(*) FROM pg_tables "
                      "WHERE schemaname = 'drizzle'")


def shown():
    where = fresh(CREATE, DROPS, FILLS)
    got = run('plan', where)
    listed = {e['tag']: [(h['line'], h.get('column'), h['statement'],
                          h['destructive']) for h in e['hazards']]
              for e in got.events() if e['event'] == 'migration'}
    check('what plan shows', {
        '0000_a': [],
        '0001_b': [(5, 15, 'DROP COLUMN', True), (6, 3, 'DROP COLUMN', True),
                   (8, 24, 'DROP TABLE', True), (8, 37, 'CASCADE', True)],
        '0002_c': [(1, 1, 'UPDATE without WHERE', False)]}, listed)
    result = got.event('result')
    check('its result', (3, 4), (result['pending'], result['destructive']))
    check('an id', ID, result['plan'])
    got = mizzle('plan', '--url', server.url('a'), '--dir', where)
    check('for people', '''1. 0000_a  2 statements in a transaction of its own
2. 0001_b  5 statements in a transaction of its own
   ! line 5: DROP COLUMN: its values are lost
   ! line 6: DROP COLUMN: its values are lost
   ! line 8: DROP TABLE: its rows are lost
   ! line 8: CASCADE: what depends on it goes with it, unseen
3. 0002_c  1 statement in a transaction of its own
   ! line 1: UPDATE without WHERE: every row is changed
3 migrations would be applied; 4 statements are destructive
plan %s: mizzle migrate --approve %s
''' % (result['plan'], result['plan']), got.out)


def ids():
    """The id is that of the scripts, their order, the way and the history."""
    where = fresh(CREATE, DROPS)
    first = plan_of(where)
    check('the same plan', first, plan_of(where))
    check('another way', False, first == plan_of(where, '--transaction',
                                                 'all'))
    check('fewer', False, first == plan_of(where, '--to', '0000_a'))
    other = newdir('other')
    journal(other, [CREATE, (DROPS[0], DROPS[1] + ' ')])
    check('another text', False, first == plan_of(other))
    journal(newdir('tag'), [CREATE, ('0001_c', DROPS[1])])
    check('another name', False, first == plan_of(newdir('tag')) or not first)
    run('migrate', where, '--to', '0000_a')
    check('another history', False, first == plan_of(where))
    second = plan_of(where)
    server.sql('a', 'UPDATE drizzle.__drizzle_migrations SET created_at = '
               'created_at - 1')
    check('another row', False, second == plan_of(where))
    run('migrate', where)
    check('nothing pending', None, plan_of(where))


def guarded():
    where = fresh(CREATE, DROPS, FILLS)
    got = run('migrate', where, '--require-approval')
    error = got.event('error')
    check('refused', (9, 'refused', 5, 15), (
        got.status, error['code'], error['line'], error['column']))
    check('nothing was sent', '0', applied())
    told = [e['message'] for e in got.events() if e['event'] == 'notice']
    check('each is named', [':5: DROP COLUMN', ':6: DROP COLUMN',
                            ':8: DROP TABLE', ':8: CASCADE'],
          [re.search(r'(:\d+: [A-Z ]*[A-Z])', m).group(1) for m in told])
    check('with its file', True, all('/0001_b.sql:' in m for m in told))
    identity = plan_of(where)
    check('the hint has the id', True, identity in error['hint'])
    check('no id', 2, run('migrate', where, '--approve', '').status)
    for bad in (identity[:-1], '0' * 12, 'x' * 5000):
        for guard in ([], ['--require-approval']):
            got = run('migrate', where, '--approve', bad, *guard)
            check('another id: %s' % bad[:20], (9, '0', True), (
                got.status, applied(), 'mizzle plan' in got.event(
                    'error').get('hint', ''))) or note(str(got))
    got = run('migrate', where, '--approve', identity, '--transaction', 'all')
    check('approved for another way', 9, got.status)
    got = run('migrate', where, '--require-approval', '--approve',
              identity.upper())
    check('approved', (0, 3), (got.status, got.event('result')['applied'])) \
        or note(str(got))
    got = run('migrate', where, '--require-approval', '--approve', 'old')
    check('nothing is left to approve', (0, 0), (
        got.status, got.event('result')['applied']))


def harmless():
    where = fresh(CREATE, FILLS)
    got = run('migrate', where, '--require-approval')
    check('nothing destructive', (0, 2), (got.status, got.event(
        'result')['applied']))
    where = fresh(CREATE, DROPS)
    got = run('migrate', where, '--require-approval', '--to', '0000_a')
    check('not so far', (0, 1), (got.status, got.event('result')['applied']))
    check('but now', 9, run('migrate', where, '--require-approval').status)
    where = fresh(CREATE, DROPS)
    check('baseline runs nothing', 0, run('baseline', where).status)
    where = fresh(CREATE, DROPS)
    check('without the option', 0, run('migrate', where).status)
    many = fresh(CREATE, ('0001_b', 'TRUNCATE t;\n' * 50))
    got = run('migrate', many, '--require-approval')
    check('many: cut', (9, 21, 'and 30 more'), (
        got.status, len([e for e in got.events()
                         if e['event'] == 'notice']),
        [e['message'] for e in got.events() if e['event'] == 'notice'][-1]))


def changed():
    """Approved, then edited, or the history moved on."""
    where = fresh(CREATE, DROPS)
    identity = plan_of(where)
    journal(where, [CREATE, (DROPS[0], DROPS[1] + '\nDROP TABLE t;')])
    check('the SQL was edited', (9, '0'), (
        run('migrate', where, '--approve', identity).status, applied()))
    journal(where, [CREATE, DROPS])
    run('migrate', where, '--to', '0000_a')
    check('the history is another', (9, 't'), (
        run('migrate', where, '--approve', identity).status,
        server.sql('a', "SELECT to_regclass('u') IS NOT NULL")))
    check('the new plan', 0, run('migrate', where, '--approve',
                                 plan_of(where)).status)


class Locked:
    """Somebody holds what a statement needs, until it is let go."""

    def __init__(self, sql):
        self.psql = subprocess.Popen(
            [server.psql, '-X', '-q', '-h', server.dir, '-p',
             str(server.port), '-U', 'postgres', '-d', 'a'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say(sql + "\n\\echo ready\n")
        self.psql.stdout.readline()

    def say(self, text):
        self.psql.stdin.write(text)
        self.psql.stdin.flush()

    def end(self, sql=''):
        self.say(sql)
        self.psql.stdin.close()
        self.psql.wait()


def begin(where, identity, *more):
    return start('migrate', '-v', '--url', server.url('a'), '--dir', where,
                 '--approve', identity, *more)


def goes_on():
    """A run that retries after a part of it was done is approved still."""
    where = fresh(CREATE, ('0001_x', 'SELECT 1;'),
                  ('0002_y', 'DROP TABLE gate;'))
    server.sql('a', 'CREATE TABLE gate ()', 'ALTER TABLE gate OWNER TO tester')
    locked = Locked('BEGIN; LOCK TABLE gate;')
    process = begin(where, plan_of(where), '--lock-timeout', '100ms')
    check('a retry', True, heard(process, 'trying again'))
    check('two are there', '2', server.sql(
        'a', 'SELECT count(*) FROM drizzle.__drizzle_migrations'))
    locked.end('COMMIT;\n')
    got = finish(process)
    check('the rest follows', (0, True), (
        got.status, 'applied 3 migrations' in got.out)) or note(str(got))


def waits(what, meanwhile, status, say, mine='3'):
    """Another holds the lock; then the plan is made anew."""
    where = fresh(CREATE, ('0001_x', 'SELECT 1;'), ('0002_y', 'DROP TABLE u;'))
    run('migrate', where, '--to', '0000_a')
    identity = plan_of(where)
    locked = Locked('BEGIN; LOCK TABLE drizzle.__drizzle_migrations IN SHARE '
                    'UPDATE EXCLUSIVE MODE;')
    process = begin(where, identity)
    check(what + 'it waits', True, heard(process, 'waiting: '))
    locked.end(meanwhile(where) + 'COMMIT;\n')
    got = finish(process)
    check(what + 'status', (status, True), (
        got.status, say in got.out + got.err)) or note(str(got))
    check(what + 'rows', mine, server.sql(
        'a', 'SELECT count(*) FROM drizzle.__drizzle_migrations'))


def row(where, tag, text=None):
    """The row that another run would write."""
    event = [e for e in run('status', where).events() if e.get('tag') == tag]
    return ('INSERT INTO drizzle.__drizzle_migrations (hash, created_at) '
            "VALUES ('%s', %d);\n" % (text or event[0]['hash'],
                                      event[0]['when']))


shown()
ids()
guarded()
harmless()
changed()
goes_on()
waits('nothing happened: ', lambda where: '', 0, 'applied 2 migrations')
waits('another run did the first: ', lambda where: row(where, '0001_x'), 0,
      'applied 1 migration')
waits('another row came: ', lambda where: row(where, '0000_a'), 9,
      'not what was approved', mine='2')
sys.exit(verdict())
